// What string_exp compares: each operation, and that no byte of a word means more than itself but in a regexp.
#include "matchers/pattern/text_test.h"

#include <boost/test/unit_test.hpp>
#include <string>
#include <vector>

namespace m = steer::matchers;
using m::TextOperation;

namespace {

bool holds(TextOperation operation, std::vector<std::string> words, std::string_view text) {
    auto test = m::TextTest::build(operation, std::move(words));
    BOOST_TEST_REQUIRE(test.has_value());
    BOOST_TEST_REQUIRE(test->prepare(2).has_value());
    const bool first = test->holds(text, 0);
    BOOST_TEST(test->holds(text, 1) == first);
    return first;
}

std::string refusal(std::vector<std::string> words) {
    const auto test = m::TextTest::build(TextOperation::regexp, std::move(words));
    return test ? "" : test.error().text;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(text_test)

BOOST_AUTO_TEST_CASE(any_word_is_enough) {
    BOOST_TEST(holds(TextOperation::eq, {"a", "bc"}, "bc"));
    BOOST_TEST(!holds(TextOperation::eq, {"a", "bc"}, "bcd"));
    BOOST_TEST(!holds(TextOperation::eq, {"a"}, ""));
    BOOST_TEST(holds(TextOperation::prefix, {"x", "ab"}, "abc"));
    BOOST_TEST(!holds(TextOperation::prefix, {"bc"}, "abc"));
    BOOST_TEST(holds(TextOperation::suffix, {"x", "bc"}, "abc"));
    BOOST_TEST(!holds(TextOperation::suffix, {"ab"}, "abc"));
    BOOST_TEST(holds(TextOperation::contains, {"x", "b"}, "abc"));
    BOOST_TEST(!holds(TextOperation::contains, {"ac"}, "abc"));
    BOOST_TEST(holds(TextOperation::zl, {}, ""));
    BOOST_TEST(!holds(TextOperation::zl, {}, "a"));
}

BOOST_AUTO_TEST_CASE(regexps_match_anywhere_and_with_case) {
    BOOST_TEST(holds(TextOperation::regexp, {"^x", "b+c"}, "abbc"));
    BOOST_TEST(!holds(TextOperation::regexp, {"B"}, "abc"));
    BOOST_TEST(holds(TextOperation::regexp, {"(?i)B"}, "abc"));
    BOOST_TEST(holds(TextOperation::regexp, {"^a{1,3},b$"}, "aa,b"));
    BOOST_TEST(!holds(TextOperation::regexp, {"^a{1,3},b$"}, "aaaa,b"));
    BOOST_TEST(holds(TextOperation::regexp, {"^$"}, ""));
    BOOST_TEST(holds(TextOperation::regexp, {"^$"}, std::string_view{}));
    BOOST_TEST(!holds(TextOperation::regexp, {"."}, ""));
    BOOST_TEST(holds(TextOperation::regexp, {"a.c"}, "a\nc"));
}

BOOST_AUTO_TEST_CASE(an_invalid_expression_is_named) {
    BOOST_TEST(refusal({"ok", "a(?=b)"}).starts_with("the regexp \"a(?=b)\" cannot be compiled: "));
    BOOST_TEST(refusal({std::string("a\0b", 3)}) ==
               "the regexp \"a\\x00b\" holds a NUL byte: remove it, or write \\x00");
    BOOST_TEST(refusal({"ok"}).empty());
}

BOOST_AUTO_TEST_CASE(an_escaped_text_matches_only_itself) {
    const std::string odd = "a.b*c[d]\\e$f^g(h|i)+?{1}\n\"#";
    BOOST_TEST(holds(TextOperation::regexp, {"^" + m::expression_of(odd) + "\\z"}, odd));
    BOOST_TEST(!holds(TextOperation::regexp, {m::expression_of("a.b")}, "axb"));
    BOOST_TEST(m::expression_of("Az09") == "Az09");
}

BOOST_AUTO_TEST_SUITE_END()
