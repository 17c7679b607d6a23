// Pages of a rule file, while others change it: what stays comes once.
#include <algorithm>
#include <boost/json/serialize.hpp>
#include <boost/test/unit_test.hpp>
#include <functional>
#include <map>
#include <string>
#include <vector>

#include "control/sources/rules/rule_pages.h"
#include "support/temp_folder.h"

namespace steer::rules {
namespace {

std::string lines_of(int from, int to) {
    std::string text;
    for (int i = from; i < to; ++i)
        text += "full:n" + std::to_string(i) + ".example\n";
    return text;
}

struct Pages {
    test::TempFolder folder;
    std::string file = folder / "rules.txt";
    std::vector<std::string> seen;
    bool has_lost_place = false;

    // `between`: called after each page but the last.
    void walk(std::size_t rows, const std::function<void(std::size_t page)>& between) {
        RuleCursor after;
        for (std::size_t page = 1;; ++page) {
            const auto read = read_rule_page(file, "", after, rows);
            BOOST_REQUIRE(read);
            has_lost_place = read->has_lost_place;
            for (const auto& rule : read->rules)
                seen.emplace_back(rule.at("rule").as_string());
            if (!read->next) return;
            BOOST_TEST(read->rules.size() == rows);
            const auto again = RuleCursor::from(read->next->to_cursor().text());
            BOOST_REQUIRE(again);
            after = *again;
            between(page);
        }
    }
    [[nodiscard]] std::ptrdiff_t times(const std::string& rule) const {
        return std::ranges::count(seen, rule);
    }
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(rule_pages, Pages)

BOOST_AUTO_TEST_CASE(pages_of_an_unchanged_file_are_the_whole_in_order) {
    (void)folder.write("rules.txt",
                       "# mine\n" + lines_of(0, 50) + "no good rule!\n\n" + lines_of(50, 107));
    walk(10, [](std::size_t) {});
    BOOST_TEST(seen.size() == 107U);
    for (std::size_t i = 0; i < seen.size(); ++i)
        BOOST_TEST(seen[i] == "full:n" + std::to_string(i) + ".example");
}

BOOST_AUTO_TEST_CASE(rules_that_stay_come_once_while_others_come_and_go) {
    (void)folder.write("rules.txt", lines_of(0, 100));
    int first = 0, last = 100;
    walk(10, [&](std::size_t) {
        first += 5;  // of rules that were shown
        last += 3;
        (void)folder.write("rules.txt", "# new\n" + lines_of(first, last));
    });
    BOOST_TEST(!has_lost_place);
    for (int i = 0; i < 100; ++i)
        BOOST_TEST(times("full:n" + std::to_string(i) + ".example") == 1, i);
}

BOOST_AUTO_TEST_CASE(a_cursor_whose_rule_was_removed_has_lost_its_place) {
    (void)folder.write("rules.txt", lines_of(0, 30));
    walk(10, [&](std::size_t) { (void)folder.write("rules.txt", lines_of(20, 40)); });
    BOOST_TEST(has_lost_place);
    BOOST_TEST(seen.size() == 10U);
}

BOOST_AUTO_TEST_CASE(of_equal_lines_the_nearest_is_the_place) {
    (void)folder.write("rules.txt", "a.example\nb.example\na.example\nc.example\n");
    walk(3, [&](std::size_t) {
        (void)folder.write("rules.txt", "# x\na.example\nb.example\na.example\nc.example\n");
    });
    BOOST_TEST(
        seen == (std::vector<std::string>{"a.example", "b.example", "a.example", "c.example"}),
        boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(rules_and_learned_ones_are_counted) {
    (void)folder.write("rules.txt", lines_of(0, 1000) + "# end\n");
    (void)folder.write("meta.json", R"({"full:n1.example": {"origin": "learned"}})");
    const auto refused = count_rules(file, folder / "meta.json");
    BOOST_REQUIRE(refused);
    BOOST_TEST(refused->origins_error.find("or remove it") != std::string::npos);
    (void)folder.write("meta.json",
                       R"({"full:n1.example": {"x": [{"origin": 1}, 2], "origin": "learned",)"
                       R"( "y": {}, "created_at_ms": 7000},)"
                       R"( "full:gone.example": {"origin": "learned", "created_at_ms": 7000},)"
                       R"( "full:n2.example": {"origin": "manual", "created_at_ms": 7000}})");
    const auto count = count_rules(file, folder / "meta.json");
    BOOST_REQUIRE(count);
    BOOST_TEST(count->rules == 1000U);
    BOOST_TEST(count->learned == 1U);
    const auto page = read_rule_page(file, folder / "meta.json", {}, 3);
    BOOST_REQUIRE(page);
    BOOST_TEST(boost::json::serialize(page->rules) ==
               R"([{"rule":"full:n0.example","line":1},)"
               R"({"rule":"full:n1.example","line":2,"learned_s":7},)"
               R"({"rule":"full:n2.example","line":3}])");
}

BOOST_AUTO_TEST_CASE(a_text_that_is_no_cursor_is_refused) {
    for (const char* const text : {"", "1.2.3", R"(["1","2"])", R"(["1","0","3"])",
                                   R"(["1","-2","3"])", R"(["18446744073709551615","1","3"])"})
        BOOST_TEST(!RuleCursor::from(text), text);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace steer::rules
