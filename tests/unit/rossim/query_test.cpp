#include "tools/rossim/query.h"

#include <boost/test/unit_test.hpp>
#include <map>

namespace rossim {
namespace {

struct Plain : Properties {
    std::map<std::string, std::string, std::less<>> values{
        {"list", "x"}, {"address", "10.0.0.1"}, {"mtu", "1500"}};
    std::optional<std::string_view> property(std::string_view name, std::string&) const override {
        const auto it = values.find(name);
        if (it == values.end()) return std::nullopt;
        return it->second;
    }
};

bool matches(const std::vector<std::string>& words) {
    return Query(words).matches(Plain{});
}

BOOST_AUTO_TEST_SUITE(query)

BOOST_AUTO_TEST_CASE(single_words_select_rows) {
    BOOST_TEST(matches({}));
    BOOST_TEST(matches({"list"}));
    BOOST_TEST(!matches({"comment"}));
    BOOST_TEST(matches({"-comment"}));
    BOOST_TEST(!matches({"-list"}));
    BOOST_TEST(matches({"list=x"}));
    BOOST_TEST(matches({"=list=x"}));
    BOOST_TEST(!matches({"list=y"}));
    BOOST_TEST(!matches({"comment="}));
    BOOST_TEST(matches({"<mtu=1501"}));
    BOOST_TEST(!matches({"<mtu=200"}));
    BOOST_TEST(matches({">mtu=200"}));
    BOOST_TEST(matches({">address=10.0.0.0"}));
}

BOOST_AUTO_TEST_CASE(words_without_operators_are_anded) {
    BOOST_TEST(matches({"list=x", "address=10.0.0.1"}));
    BOOST_TEST(!matches({"list=x", "address=10.0.0.2"}));
}

BOOST_AUTO_TEST_CASE(operators_combine_words) {
    BOOST_TEST(matches({"list=x", "list=y", "#|"}));
    BOOST_TEST(!matches({"list=x", "list=y", "#&"}));
    BOOST_TEST(matches({"list=y", "#!"}));
    BOOST_TEST(matches({"list=y", "list=z", "list=x", "#|", "#|"}));
    BOOST_TEST(matches({"list=x", "list=y", "#!&"}));
    BOOST_TEST(!matches({"list=x", "#.!"}));          // true, then a false copy
    BOOST_TEST(matches({"list=y", "list=x", "#0"}));  // at the end of the word: replaces all
    BOOST_TEST(!matches({"list=y", "list=x", "#1"}));
    BOOST_TEST(matches({"list=x", "list=y", "#1.|"}));  // x, y, x -> x, (y or x)
    BOOST_TEST(!matches({"list=x", "list=y", "#1!|"}));
}

BOOST_AUTO_TEST_CASE(invalid_queries_are_harmless) {
    matches({"#&|!.99999999999999999999", "", "=", "#5", "<", "-", "#7."});
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace rossim
