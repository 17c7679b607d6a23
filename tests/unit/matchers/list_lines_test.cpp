#include "matchers/list/list_lines.h"

#include <boost/test/unit_test.hpp>

using namespace steer::matchers;

namespace {

std::string found(const ListLines& lines, std::string_view name) {
    const auto line = lines.find(name);
    return line ? std::to_string(line->number) + " " + line->rule : "none";
}

ListLines lines_of(bool is_zone) {
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
    const ListLines lines = lines_of(false);
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
    BOOST_TEST(found(lines, "a\\.b.net") == "none");
}

BOOST_AUTO_TEST_CASE(a_wildcard_of_a_zone_does_not_cover_its_own_name) {
    const ListLines lines = lines_of(true);
    BOOST_TEST(found(lines, "www.ads.example") == "5 www.ads.example");
    BOOST_TEST(found(lines, "x.www.ads.example") == "4 *.ads.example");
    BOOST_TEST(found(lines, "ads.example") == "3 *.example");
    BOOST_TEST(found(lines, "example") == "none");
    BOOST_TEST(found(lines, "com") == "none");
}

BOOST_AUTO_TEST_CASE(a_list_without_names_has_no_line) {
    BOOST_TEST(found(ListLinesBuilder(false).build(), "example") == "none");
}

BOOST_AUTO_TEST_SUITE_END()
