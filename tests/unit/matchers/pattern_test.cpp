// The text that patterns see, and the guess at what a regexp must contain.
#include <boost/test/unit_test.hpp>
#include <string>

#include "matchers/pattern/gram_filter.h"
#include "matchers/pattern/literal.h"
#include "matchers/pattern/match.h"
#include "wire_names.h"

namespace m = steer::matchers;
using steer::test::wire;
using steer::test::wire_of_labels;

BOOST_AUTO_TEST_SUITE(pattern)

BOOST_AUTO_TEST_CASE(a_name_is_written_as_text_for_patterns) {
    m::NameText room;
    BOOST_CHECK_EQUAL(m::name_text(wire("www.example.org"), room), "www.example.org");
    BOOST_CHECK_EQUAL(m::name_text(wire(""), room), "");
    BOOST_CHECK(m::name_text(wire_of_labels({"a.b\nc", "d"}), room) ==
                std::string_view("a\0b\0c.d", 7));
    const std::string label(63, 'l');
    const std::string longest = label + "." + label + "." + label + "." + std::string(61, 'm');
    BOOST_CHECK_EQUAL(m::name_text(wire(longest), room), longest);
}

BOOST_AUTO_TEST_CASE(literals_of_expressions_are_found) {
    const auto check = [](const char* expression, std::size_t expected) {
        BOOST_TEST_CONTEXT(expression) {
            BOOST_CHECK_EQUAL(m::shortest_literal(expression), expected);
        }
    };
    check("", 0);
    check("example", 7);
    check("^ads[0-9]+\\.", 3);
    check("\\.example\\.org$", 12);
    check("[0-9]{8,}", 0);
    check("([a-z]{3}[0-9]){3}", 0);
    check("ab?cd", 2);
    check("abc*", 2);
    check("ab+cd", 3);
    check("(ads|track)\\.", 3);
    check("(ads|[0-9]+)x", 1);
    check("foo|b", 1);
    check("(foo)?bar", 3);
    check("(foo){0,2}ba", 2);
    check("(?:foo){2}", 3);
    check("(?i)foo", 3);
    check("(?P<name>fo)", 2);
    check("[]a]bc", 2);
    check("[^]\\]x]bc", 2);
    check("a{2", 3);
    check("\\x41\\x{42}\\p{Lu}\\pL\\012", 0);
    check("\\bfoo\\b", 3);
    check("(", 0);
    check("\\", 0);
    check("[", 0);
    check("(?", 0);
    check("ab{3", 4);
}

BOOST_AUTO_TEST_CASE(literals_are_found_only_in_unambiguous_expressions) {
    const auto check = [](const char* expression, std::vector<std::string> expected) {
        BOOST_TEST_CONTEXT(expression) {
            BOOST_TEST(m::required_literals(expression) == expected,
                       boost::test_tools::per_element());
        }
    };
    check("^ADS[0-9]+\\.", {"ads"});
    check("(ads|track)\\.", {"ads", "track"});
    check("(ads|track|[0-9])longer", {"longer"});
    check("foo|[a-z]", {});
    check("ab+cde", {"bcde"});
    check("(?:foo)+x", {"foo"});
    check("(?i)foo", {"foo"});
    check("foo(bar)?", {"foo"});
    check("foo{2}bar", {"obar"});
    // Not a quantifier: Hyperscan takes these braces as they stand.
    check("ads{2|banner[0-9]{2}track", {});
    check("foo{2", {});
    check("foo{2,x}bar{3}", {});
    check("foo{2}{3}bar", {});
    for (const char* unsure : {"(?x)f o o", "[[:alpha:]]foo", "\\Qfoo*\\E", "foo\\1", "(*UTF8)foo",
                               "foo{,2}", "(?P<name>foo)", "(?#foo)"})
        check(unsure, {});
}

BOOST_AUTO_TEST_CASE(names_without_any_required_literal_are_skipped) {
    m::GramFilter filter;
    BOOST_CHECK(filter.add("track"));
    BOOST_CHECK(filter.add("ads"));
    BOOST_CHECK(filter.add(".pixel.example"));
    BOOST_CHECK(!filter.add("ad.x."));
    BOOST_CHECK(!filter.add(""));
    filter.build();
    for (const char* yes :
         {"track", "tracker.example", "www.atrack", "ads", "x.loads", "ads.org", "pixel.example"})
        BOOST_CHECK_MESSAGE(filter.may_hold(wire(yes)), yes);
    for (const char* no : {"", "a", "trac.k", "tracex.org", "ad.s", "da.sx"})
        BOOST_CHECK_MESSAGE(!filter.may_hold(wire(no)), no);
}

BOOST_AUTO_TEST_CASE(deeply_nested_groups_do_not_overflow_the_stack) {
    m::shortest_literal(std::string(100000, '('));
    m::shortest_literal(std::string(100000, '(') + "a" + std::string(100000, ')'));
}

BOOST_AUTO_TEST_SUITE_END()
