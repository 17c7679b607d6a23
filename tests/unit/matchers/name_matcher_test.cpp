// NameMatcher as its users see it: sets in, tags out, borders between labels, bad rules by file and
// line.
#include "matchers/name_matcher.h"

#include <boost/test/unit_test.hpp>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "wire_names.h"

namespace m = steer::matchers;
using steer::Error;
using steer::test::wire;
using steer::test::wire_of_labels;

namespace {

struct Built {
    std::unique_ptr<m::NameMatcher> image;
    std::vector<Error> errors, warnings;
    m::NameMatcher::Scratch scratch;

    m::TagBits tags(const steer::test::WireName& name) { return image->match(name, scratch); }
    bool in(m::SetId set, std::string_view name) { return tags(wire(name)).test(set); }
};

// Rule i is in set i, from line i + 1 of list.txt.
Built build(const std::vector<std::string>& rules) {
    Built built;
    m::NameMatcherBuilder builder;
    for (std::size_t i = 0; i < rules.size(); ++i) {
        builder.add(static_cast<m::SetId>(i), m::parse_rule(rules[i], m::RuleKind::domain).value(),
                    "list.txt", static_cast<int>(i + 1));
    }
    built.image = builder.build(built.errors, built.warnings);
    if (built.image) BOOST_REQUIRE(built.image->prepare(built.scratch));
    return built;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(name_matcher)

BOOST_AUTO_TEST_CASE(each_kind_matches_as_documented) {
    auto b =
        build({"domain:example.org", "full:example.org", "keyword:mpl", "regexp:^w+\\.EXAMPLE"});
    BOOST_REQUIRE(b.image);
    BOOST_CHECK_EQUAL(b.image->rules(), 4U);
    BOOST_CHECK(b.in(0, "example.org") && b.in(0, "a.b.example.org"));
    BOOST_CHECK(!b.in(0, "badexample.org") && !b.in(0, "org") && !b.in(0, "example.org.net"));
    BOOST_CHECK(b.in(1, "example.org") && !b.in(1, "www.example.org"));
    BOOST_CHECK(b.in(2, "www.example.org") && b.in(2, "sample.net") && !b.in(2, "mp.l"));
    BOOST_CHECK(b.in(3, "www.example.org") && !b.in(3, "example.org"));
    BOOST_CHECK(b.tags(wire("")) == m::TagBits{});
}

BOOST_AUTO_TEST_CASE(the_deepest_node_knows_all_sets_above_it) {
    auto b =
        build({"org", "example.org", "www.example.org", "full:example.org", "full:x.example.org"});
    const auto tags = b.tags(wire("a.www.example.org"));
    BOOST_CHECK(tags.test(0) && tags.test(1) && tags.test(2) && !tags.test(3));
    const auto itself = b.tags(wire("example.org"));
    BOOST_CHECK(itself.test(0) && itself.test(1) && !itself.test(2) && itself.test(3));
    const auto below_full = b.tags(wire("y.x.example.org"));
    BOOST_CHECK(below_full.test(0) && below_full.test(1) && !below_full.test(4));
}

BOOST_AUTO_TEST_CASE(a_dot_inside_a_label_does_not_end_it) {
    auto b = build({"domain:example.org", "full:www.example.org", "keyword:example.org",
                    "regexp:\\.example\\.org$", "regexp:www.example", "regexp:^[^.]+\\.org$"});
    const auto odd = b.tags(wire_of_labels({"www.example", "org"}));
    BOOST_CHECK(!odd.test(0) && !odd.test(1) && !odd.test(3));
    BOOST_CHECK(
        odd.test(2));  // the dot of the keyword is a border, what stands before it is not asked
    BOOST_CHECK(odd.test(4));  // `.` is any one character
    BOOST_CHECK(odd.test(5));  // one label before org, which it is
    const auto odder = b.tags(wire_of_labels({"www.example.org"}));
    BOOST_CHECK(!odder.test(0) && !odder.test(1) && !odder.test(2) && !odder.test(3));
    BOOST_CHECK(b.tags(wire_of_labels({"x.y", "example", "org"})).test(0));
}

BOOST_AUTO_TEST_CASE(special_bytes_inside_a_label_do_not_end_it) {
    auto b = build(
        {"domain:example.org", "keyword:ple.org", "regexp:example\\.org$", "regexp:^example"});
    const auto nul = b.tags(wire_of_labels({"example", std::string("org\0", 4)}));
    BOOST_CHECK(!nul.test(0) && !nul.test(2) && nul.test(1) && nul.test(3));
    const auto line_feed = b.tags(wire_of_labels({"example", "org\n"}));
    BOOST_CHECK(!line_feed.test(0) && !line_feed.test(2));
    const auto early_nul = b.tags(wire_of_labels({std::string("\0x", 2), "example", "org"}));
    BOOST_CHECK(early_nul.test(0) && early_nul.test(1) && early_nul.test(2) && !early_nul.test(3));
}

BOOST_AUTO_TEST_CASE(a_name_of_127_labels_is_matched) {
    auto b = build({"domain:a.a", "keyword:a.a.a"});
    const auto deep = wire_of_labels(std::vector<std::string>(127, "a"));
    BOOST_REQUIRE_EQUAL(deep.size(), 255U);
    const auto tags = b.tags(deep);
    BOOST_CHECK(tags.test(0) && tags.test(1));
}

BOOST_AUTO_TEST_CASE(an_expression_may_match_every_name) {
    auto b = build({"regexp:.*"});
    BOOST_REQUIRE(b.image);
    BOOST_CHECK(b.in(0, "example.org"));
    BOOST_CHECK(b.in(0, ""));
}

BOOST_AUTO_TEST_CASE(keywords_are_not_expressions) {
    auto b = build({"keyword:a.c", "keyword:x+y", "keyword:(", "keyword:$)"});
    BOOST_REQUIRE(b.image);
    BOOST_CHECK(b.in(0, "a.com") && !b.in(0, "abc.com"));
    BOOST_CHECK(b.in(1, "x+y.com") && !b.in(1, "xxy.com"));
    BOOST_CHECK(b.in(2, "f(x).com") && b.in(3, "a$)b.com"));
}

BOOST_AUTO_TEST_CASE(the_same_rule_may_be_in_several_sets) {
    m::NameMatcherBuilder builder;
    for (const m::SetId set : std::vector<m::SetId>{0, 63, 64, 255}) {
        builder.add(set, {m::RuleKind::keyword, "ads"});
        builder.add(set, {m::RuleKind::domain, "example.org"});
    }
    std::vector<Error> errors, warnings;
    const auto image = builder.build(errors, warnings);
    BOOST_REQUIRE(image);
    m::NameMatcher::Scratch scratch;
    BOOST_REQUIRE(image->prepare(scratch));
    for (const char* name : {"ads.net", "www.example.org"}) {
        const auto tags = image->match(wire(name), scratch);
        for (m::SetId set = 0; set < m::kMaxSets; ++set) {
            BOOST_CHECK_EQUAL(tags.test(set), set == 0 || set == 63 || set == 64 || set == 255);
        }
    }
}

BOOST_AUTO_TEST_CASE(every_bad_rule_is_named_with_its_place) {
    auto b =
        build({"regexp:(unclosed", "example.org", "regexp:a(?=b)", "regexp:(a)\\1", "regexp:fine"});
    BOOST_CHECK(!b.image);
    BOOST_REQUIRE_EQUAL(b.errors.size(), 3U);
    BOOST_CHECK_EQUAL(b.errors[0].line, 1);
    BOOST_CHECK_EQUAL(b.errors[1].line, 3);
    BOOST_CHECK_EQUAL(b.errors[2].line, 4);
    for (const Error& error : b.errors)
        BOOST_CHECK_EQUAL(error.file, "list.txt");
    BOOST_CHECK(b.errors[0].sentence().find("list.txt:1: the regexp \"(unclosed\"") == 0);
}

BOOST_AUTO_TEST_CASE(a_rule_that_only_the_compiler_refuses_is_named) {
    auto b = build({"regexp:fine", "regexp:((a{1,900}b{1,900}){1,900}c){1,900}"});
    BOOST_CHECK(!b.image);
    BOOST_REQUIRE_EQUAL(b.errors.size(), 1U);
    BOOST_CHECK_EQUAL(b.errors[0].line, 2);
}

BOOST_AUTO_TEST_CASE(an_invalid_name_is_an_error_of_build) {
    m::NameMatcherBuilder builder;
    builder.add(0, {m::RuleKind::domain, "a..b"}, "x", 7);
    builder.add(0, {m::RuleKind::full, std::string(64, 'a')}, "x", 8);
    std::vector<Error> errors, warnings;
    BOOST_CHECK(!builder.build(errors, warnings));
    BOOST_REQUIRE_EQUAL(errors.size(), 2U);
    BOOST_CHECK_EQUAL(errors[1].line, 8);
    errors.clear();
    BOOST_CHECK(builder.build(errors, warnings));  // it is empty again
}

BOOST_AUTO_TEST_CASE(a_regexp_without_a_literal_is_a_warning) {
    auto b = build({"regexp:[0-9]{8,}", "regexp:^ads[0-9]+\\.", "regexp:([a-z]{3}[0-9]){3}"});
    BOOST_CHECK(b.image);
    BOOST_REQUIRE_EQUAL(b.warnings.size(), 2U);
    BOOST_CHECK_EQUAL(b.warnings[0].line, 1);
    BOOST_CHECK_EQUAL(b.warnings[1].line, 3);
}

BOOST_AUTO_TEST_CASE(a_scratch_grows_and_stays_valid_for_older_images) {
    auto small = build({"keyword:one"});
    auto large = build(
        {"regexp:([a-z]{3}[0-9]){3}", "regexp:^(ads|track|stat)[0-9]{1,40}\\.", "keyword:one"});
    m::NameMatcher::Scratch scratch;
    BOOST_REQUIRE(small.image->prepare(scratch));
    BOOST_REQUIRE(large.image->prepare(scratch));
    BOOST_CHECK(small.image->match(wire("one.org"), scratch).test(0));
    BOOST_CHECK(large.image->match(wire("one.org"), scratch).test(2));
    m::NameMatcher::Scratch moved = std::move(scratch);
    BOOST_CHECK(large.image->match(wire("ads12.org"), moved).test(1));
}

BOOST_AUTO_TEST_CASE(an_empty_image_matches_nothing) {
    auto b = build({});
    BOOST_REQUIRE(b.image);
    BOOST_CHECK(b.tags(wire("example.org")) == m::TagBits{});
    BOOST_CHECK_EQUAL(b.image->rules(), 0U);
}

BOOST_AUTO_TEST_CASE(two_threads_may_read_one_image) {
    auto b = build({"domain:example.org", "keyword:ads", "regexp:^x[0-9]+\\.example"});
    const auto reader = [&b](std::size_t& hits) {
        m::NameMatcher::Scratch own;
        if (!b.image->prepare(own)) return;
        for (int i = 0; i < 2000; ++i) {
            const auto tags = b.image->match(wire("x" + std::to_string(i) + ".example.org"), own);
            hits += tags.test(0) && !tags.test(1) && tags.test(2) ? 1U : 0U;
        }
    };
    std::size_t first = 0;
    std::size_t second = 0;
    std::thread other(reader, std::ref(second));
    reader(first);
    other.join();
    BOOST_CHECK_EQUAL(first, 2000U);
    BOOST_CHECK_EQUAL(second, 2000U);
}

BOOST_AUTO_TEST_SUITE_END()
