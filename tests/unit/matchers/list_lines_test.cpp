#include "matchers/list/list_lines.h"

#include <boost/test/unit_test.hpp>

using namespace steer::matchers;

namespace {

std::string found(const std::shared_ptr<const ListLines>& lines, std::string_view name) {
    const auto line = lines->find(name);
    return line ? std::to_string(line->number) + " " + line->rule : "none";
}

std::shared_ptr<const ListLines> lines_of(bool is_zone) {
    ListLinesBuilder builder(is_zone);
    builder.add({RuleKind::domain, "example"}, 3);
    builder.add({RuleKind::domain, "ads.example"}, 4);
    builder.add({RuleKind::full, "www.ads.example"}, 5);
    builder.add({RuleKind::keyword, "track"}, 6);
    builder.add({RuleKind::full, "again.example"}, 7);
    builder.add({RuleKind::full, "again.example"}, 8);
    builder.add({RuleKind::domain, "com"}, 9);
    return std::move(builder).build();
}

}  // namespace

BOOST_AUTO_TEST_SUITE(list_lines)

BOOST_AUTO_TEST_CASE(the_closest_rule_of_a_list_has_the_line) {
    const auto lines = lines_of(false);
    BOOST_TEST(found(lines, "www.ads.example") == "5 full:www.ads.example");
    BOOST_TEST(found(lines, "x.www.ads.example") == "4 domain:ads.example");
    BOOST_TEST(found(lines, "ads.example") == "4 domain:ads.example");
    BOOST_TEST(found(lines, "bads.example") == "3 domain:example");
    BOOST_TEST(found(lines, "example") == "3 domain:example");
    BOOST_TEST(found(lines, "again.example") == "8 full:again.example");
    BOOST_TEST(found(lines, "com") == "9 domain:com");
    BOOST_TEST(found(lines, "track.net") == "none");
    BOOST_TEST(found(lines, "") == "none");
    BOOST_TEST(found(lines, ".") == "none");
    // As names are written that have bytes other than letters.
    BOOST_TEST(found(lines, "a\\032b.ads.example") == "4 domain:ads.example");
    BOOST_TEST(found(lines, "a\\046b.example") == "3 domain:example");
    BOOST_TEST(found(lines, "a.b.c.d.e.f.g.h.ads.example") == "4 domain:ads.example");
}

BOOST_AUTO_TEST_CASE(a_wildcard_of_a_zone_does_not_cover_its_own_name) {
    const auto lines = lines_of(true);
    BOOST_TEST(found(lines, "www.ads.example") == "5 www.ads.example");
    BOOST_TEST(found(lines, "x.www.ads.example") == "4 *.ads.example");
    BOOST_TEST(found(lines, "ads.example") == "3 *.example");
    BOOST_TEST(found(lines, "example") == "none");
    BOOST_TEST(found(lines, "com") == "none");
}

BOOST_AUTO_TEST_CASE(each_of_many_rules_has_its_own_line) {
    ListLinesBuilder builder(false);
    constexpr int kRules = 20'000;
    for (int i = 1; i <= kRules; ++i)
        builder.add(
            {i % 2 == 0 ? RuleKind::full : RuleKind::domain, "n" + std::to_string(i) + ".example"},
            i);
    const auto lines = std::move(builder).build();
    for (int i = 1; i <= kRules; ++i) {
        const std::string name = "n" + std::to_string(i) + ".example";
        const auto line = lines->find(name);
        BOOST_REQUIRE(line);
        BOOST_REQUIRE(line->number == i);
        BOOST_REQUIRE(lines->find("x." + name).has_value() == (i % 2 != 0));
    }
}

BOOST_AUTO_TEST_CASE(a_list_without_names_has_no_line) {
    BOOST_TEST(ListLinesBuilder(false).build() == nullptr);
    ListLinesBuilder patterns(false);
    patterns.add({RuleKind::keyword, "track"}, 1);
    BOOST_TEST(std::move(patterns).build() == nullptr);
}

BOOST_AUTO_TEST_SUITE_END()
