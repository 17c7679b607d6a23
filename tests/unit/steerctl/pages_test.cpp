// Pages of a long answer are one result.
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/test/unit_test.hpp>
#include <string>
#include <vector>

#include "pages.h"

namespace steerctl {
namespace {

namespace json = boost::json;

std::string joined(const std::vector<std::string>& pages) {
    json::object all;
    for (std::size_t i = 0; i < pages.size(); ++i) {
        json::object page = json::parse(pages[i]).as_object();
        BOOST_TEST(cursor_of(page).has_value() == (i + 1 < pages.size()));
        end_page(page);
        if (i == 0)
            all = std::move(page);
        else
            append_page(all, std::move(page));
    }
    return json::serialize(all);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(pages)

BOOST_AUTO_TEST_CASE(lists_are_appended_and_the_last_page_gives_the_rest) {
    BOOST_TEST(joined({R"({"tag":"a","rules":[1,2],"total":5,"more":true,"cursor":"x"})",
                       R"({"tag":"a","rules":[3],"total":6})"}) ==
               R"({"tag":"a","rules":[1,2,3],"total":6})");
}

BOOST_AUTO_TEST_CASE(a_single_page_stays_as_it_is) {
    BOOST_TEST(joined({R"({"answers":[],"more":true})"}) == R"({"answers":[],"more":true})");
}

BOOST_AUTO_TEST_CASE(more_of_the_last_page_stays) {
    BOOST_TEST(joined({R"({"answers":[1],"more":true,"cursor":"x"})",
                       R"({"answers":[2],"more":false})"}) == R"({"answers":[1,2],"more":false})");
}

BOOST_AUTO_TEST_CASE(an_object_over_two_pages_is_one) {
    BOOST_TEST(
        joined(
            {R"({"groups":[{"group":"a","members":[1]},{"group":"b","members":[2]}],"more":true,)"
             R"("cursor":"x"})",
             R"({"groups":[{"group":"b","members":[3],"continued":true},)"
             R"({"group":"c","members":[]}]})"}) ==
        R"({"groups":[{"group":"a","members":[1]},{"group":"b","members":[2,3]},)"
        R"({"group":"c","members":[]}]})");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace steerctl
