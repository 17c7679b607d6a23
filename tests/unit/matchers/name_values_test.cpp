// Rules that stand for values: which one a name gets.
#include "matchers/name_values.h"

#include <boost/test/unit_test.hpp>
#include <random>
#include <regex>

#include "wire_names.h"

namespace steer::matchers {
namespace {

using test::wire;

NameValues built(const std::vector<std::pair<std::string, std::uint32_t>>& rules,
                 NameValues::Wins wins = NameValues::Wins::closest) {
    NameValuesBuilder builder(wins);
    for (const auto& [text, value] : rules)
        builder.add(*parse_rule(text, RuleKind::full), value);
    std::vector<Error> errors;
    NameValues out = builder.build(errors);
    BOOST_TEST_REQUIRE(errors.empty());
    return out;
}

std::uint32_t value_of(const NameValues& values, std::string_view name) {
    NameMatcher::Scratch scratch;
    BOOST_TEST_REQUIRE(values.prepare(scratch).has_value());
    return values.find(wire(name), scratch);
}

constexpr std::uint32_t kNone = NameValues::kNone;

BOOST_AUTO_TEST_SUITE(name_values)

BOOST_AUTO_TEST_CASE(full_wins_over_domain_over_regexp_over_keyword) {
    const NameValues v = built({{"keyword:b", 1},
                                {"regexp:^a\\.", 2},
                                {"domain:example", 3},
                                {"domain:b.example", 4},
                                {"full:a.b.example", 5}});
    BOOST_TEST(value_of(v, "a.b.example") == 5U);
    BOOST_TEST(value_of(v, "x.a.b.example") == 4U);
    BOOST_TEST(value_of(v, "b.example") == 4U);
    BOOST_TEST(value_of(v, "c.example") == 3U);
    BOOST_TEST(value_of(v, "a.b.test") == 2U);
    BOOST_TEST(value_of(v, "x.b.test") == 1U);
    BOOST_TEST(value_of(v, "c.test") == kNone);
    BOOST_TEST(value_of(v, "") == kNone);
    BOOST_TEST(v.size() == 5U);
}

BOOST_AUTO_TEST_CASE(a_full_rule_matches_only_its_name) {
    const NameValues v = built({{"b.example", 1}});
    BOOST_TEST(value_of(v, "b.example") == 1U);
    BOOST_TEST(value_of(v, "a.b.example") == kNone);
    BOOST_TEST(value_of(v, "ab.example") == kNone);
    BOOST_TEST(value_of(v, "example") == kNone);
}

BOOST_AUTO_TEST_CASE(the_same_rule_twice_has_its_last_value) {
    const NameValues v = built({{"full:a.example", 1},
                                {"domain:a.example", 2},
                                {"regexp:^r", 3},
                                {"keyword:key", 4},
                                {"full:a.example", 5},
                                {"domain:a.example", 6},
                                {"regexp:^r", 7},
                                {"keyword:key", 8}});
    BOOST_TEST(value_of(v, "a.example") == 5U);
    BOOST_TEST(value_of(v, "b.a.example") == 6U);
    BOOST_TEST(value_of(v, "r.test") == 7U);
    BOOST_TEST(value_of(v, "monkey.test") == 8U);
}

BOOST_AUTO_TEST_CASE(the_first_written_pattern_wins) {
    const NameValues v =
        built({{"keyword:two", 1}, {"regexp:three", 2}, {"keyword:one", 3}, {"regexp:one", 4}});
    BOOST_TEST(value_of(v, "onetwo.test") == 4U);
    BOOST_TEST(value_of(v, "one-three.test") == 2U);
    BOOST_TEST(value_of(v, "two.test") == 1U);
}

BOOST_AUTO_TEST_CASE(similar_labels_are_distinguished) {
    const NameValues v = built({{"domain:a.example", 1}});
    NameMatcher::Scratch scratch;
    BOOST_TEST(v.find(test::wire_of_labels({"x.a", "example"}), scratch) == kNone);
    BOOST_TEST(v.find(test::wire_of_labels({"a.example"}), scratch) == kNone);
}

// By checking the rules one after the other.
std::uint32_t first_of(const std::vector<std::pair<std::string, std::uint32_t>>& rules,
                       const std::string& name) {
    for (const auto& [text, value] : rules) {
        const auto colon = text.find(':');
        const std::string kind = text.substr(0, colon), pattern = text.substr(colon + 1);
        const bool holds = kind == "full"      ? name == pattern
                           : kind == "domain"  ? name == pattern || name.ends_with("." + pattern)
                           : kind == "keyword" ? name.find(pattern) != std::string::npos
                                               : std::regex_search(name, std::regex(pattern));
        if (holds) return value;
    }
    return kNone;
}

BOOST_AUTO_TEST_CASE(with_first_rule_wins_the_kind_does_not_matter) {
    const std::vector<std::string> texts{
        "full:a.example", "full:b.a.example", "domain:a.example", "domain:b.a.example",
        "domain:example", "keyword:a.e",      "keyword:b",        "regexp:^b\\.",
        "regexp:e$",      "full:c.example",   "keyword:c.",       "domain:test"};
    const std::vector<std::string> names{"a.example", "b.a.example", "c.b.a.example", "example",
                                         "c.example", "b.test",      "x.test",        "net"};
    std::mt19937 random(7);
    for (unsigned round = 0; round < 300; ++round) {
        std::vector<std::pair<std::string, std::uint32_t>> rules;
        for (unsigned n = 1 + random() % 8; n > 0; --n)
            rules.emplace_back(texts[random() % texts.size()], random() % 3);
        const NameValues v = built(rules, NameValues::Wins::first);
        for (const std::string& name : names)
            BOOST_TEST(value_of(v, name) == first_of(rules, name));
    }
}

BOOST_AUTO_TEST_CASE(many_names_are_found) {
    std::vector<std::pair<std::string, std::uint32_t>> rules;
    for (std::uint32_t i = 0; i < 20'000; ++i)
        rules.emplace_back("n" + std::to_string(i) + (i % 2 == 0 ? ".example" : ".test"), i);
    const NameValues v = built(rules);
    for (std::uint32_t i = 0; i < 20'000; i += 7) {
        const std::string name = "n" + std::to_string(i);
        BOOST_TEST(value_of(v, name + (i % 2 == 0 ? ".example" : ".test")) == i);
        BOOST_TEST(value_of(v, name + (i % 2 == 0 ? ".test" : ".example")) == kNone);
    }
}

BOOST_AUTO_TEST_CASE(patterns_with_many_values_are_refused) {
    NameValuesBuilder builder;
    for (unsigned i = 0; i < 300; ++i)
        builder.add(*parse_rule("keyword:key" + std::to_string(i), RuleKind::full), 1);
    std::vector<Error> errors;
    BOOST_TEST(builder.build(errors).size() == 300U);
    BOOST_TEST(errors.empty());
    for (unsigned i = 0; i < 300; ++i)
        builder.add(*parse_rule("keyword:key" + std::to_string(i), RuleKind::full), i, "f", 7);
    builder.build(errors);
    BOOST_TEST_REQUIRE(errors.size() == 1U);
    BOOST_TEST(errors[0].line == 7);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace steer::matchers
