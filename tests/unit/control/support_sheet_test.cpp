// One client's sheet: which query is in which section, and whose rows are looked up.
#include "control/observe/support/support_sheet.h"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <boost/json/parse.hpp>
#include <boost/test/unit_test.hpp>
#include <string>
#include <utility>

#include "routeros/diff.h"

namespace json = boost::json;
using namespace steer;

BOOST_AUTO_TEST_SUITE(support_sheet)

BOOST_AUTO_TEST_CASE(each_query_is_in_the_sections_that_concern_it) {
    const auto sheet = support::sheet_of(json::parse(R"({"complete": true, "queries": [
        {"time_us": 9, "name": "ads.example", "type": "A", "end": "answered", "decision": "blocked",
         "plugin": "ads", "list": "/a.txt", "rule": "x:1 $ads", "rcode": "SERVFAIL", "duration_us": 5, "stands_for": 1},
        {"time_us": 8, "name": "cdn.example", "type": "A", "end": "answered", "decision": "steered", "plugin": "vpn, media",
         "answers": "cdn2.example 192.0.2.1 2001:db8::1", "rcode": "NOERROR", "duration_us": 500000, "stands_for": 1},
        {"time_us": 7, "name": "dead.example", "type": "A", "end": "servfail", "decision": "error",
         "rcode": "SERVFAIL", "upstream": "udp://192.0.2.53", "duration_us": 5, "stands_for": 4},
        {"time_us": 6, "name": "ads.example", "type": "A", "end": "answered", "decision": "blocked",
         "plugin": "ads", "list": "/a.txt", "rule": "x:1 $ads", "rcode": "NOERROR", "duration_us": 5, "stands_for": 2},
        {"time_us": 5, "name": "none.example", "type": "A", "end": "answered", "decision": "forwarded",
         "rcode": "NXDOMAIN", "duration_us": 499999, "stands_for": 1},
        {"time_us": 4, "name": "www.example", "type": "A", "end": "answered", "decision": "forwarded",
         "answers": "192.0.2.1 192.0.2.9", "rcode": "NOERROR", "duration_us": 5, "stands_for": 1},
        {"time_us": 3, "name": "lost.example", "type": "A", "end": "dropped", "duration_us": 5, "stands_for": 1}
        ]})"));
    BOOST_CHECK_EQUAL(sheet.json.at("queries").to_number<int>(), 11);
    const auto names = [&](const char* section) {
        std::string out;
        for (const auto& one : sheet.json.at(section).as_array())
            out += std::string(one.at("name").as_string()) + "*" +
                   std::to_string(one.at("queries").to_number<int>()) + " ";
        return out;
    };
    BOOST_CHECK_EQUAL(names("blocked"), "ads.example*3 ");
    BOOST_CHECK_EQUAL(names("failed"), "dead.example*4 lost.example*1 ");
    BOOST_CHECK_EQUAL(names("slow"), "cdn.example*1 ");
    BOOST_CHECK_EQUAL(names("steered"), "cdn.example*1 ");
    BOOST_CHECK_EQUAL(sheet.json.at("asked").as_array()[0].at("name").as_string(), "dead.example");
    const json::object& blocked = sheet.json.at("blocked").as_array()[0].as_object();
    BOOST_CHECK_EQUAL(blocked.at("list").as_string(), "/a.txt");
    BOOST_CHECK_EQUAL(blocked.at("rule").as_string(), "x:1 $ads");
    BOOST_CHECK_EQUAL(blocked.at("last_us").to_number<int>(), 9);
    BOOST_CHECK_EQUAL(sheet.json.at("steered").as_array()[0].at("plugin").as_string(),
                      "vpn, media");
    BOOST_REQUIRE_EQUAL(sheet.addresses.size(), 3U);
    BOOST_CHECK_EQUAL(sheet.steered_addresses, 2U);
    BOOST_CHECK_EQUAL(sheet.addresses[0].to_string(), "192.0.2.1");
    BOOST_CHECK_EQUAL(sheet.addresses[2].to_string(), "192.0.2.9");
}

BOOST_AUTO_TEST_CASE(a_client_of_many_names_has_a_sheet_of_bounded_length) {
    json::array queries;
    for (int i = 0; i < 1000; ++i)
        queries.push_back(json::object{{"time_us", 1000 - i},
                                       {"name", "n" + std::to_string(i) + ".example"},
                                       {"type", "A"},
                                       {"end", "servfail"},
                                       {"decision", "steered"},
                                       {"rcode", "SERVFAIL"},
                                       {"answers", "192.0.2." + std::to_string(i % 250)},
                                       {"duration_us", 600'000},
                                       {"stands_for", 1}});
    const auto sheet =
        support::sheet_of(json::object{{"complete", false}, {"queries", std::move(queries)}});
    for (const char* const section : {"asked", "failed", "slow", "steered"})
        BOOST_CHECK_EQUAL(sheet.json.at(section).as_array().size(), support::kMostGroups);
    BOOST_CHECK_EQUAL(sheet.addresses.size(), support::kMostAddresses);
    BOOST_CHECK_EQUAL(sheet.json.at("complete").as_bool(), false);
    BOOST_CHECK_EQUAL(sheet.json.at("queries").to_number<int>(), 1000);
}

BOOST_AUTO_TEST_CASE(a_client_without_queries_has_an_empty_sheet) {
    const auto sheet =
        support::sheet_of(json::object{{"complete", true}, {"queries", json::array()}});
    BOOST_CHECK(sheet.addresses.empty());
    BOOST_CHECK(sheet.json.at("asked").as_array().empty());
}

BOOST_AUTO_TEST_CASE(a_sheet_of_a_part_says_where_it_begins) {
    const auto sheet = support::sheet_of(
        json::object{{"complete", false}, {"next_us", 77}, {"queries", json::array()}});
    BOOST_CHECK_EQUAL(sheet.json.at("read_from_us").to_number<int>(), 77);
}

BOOST_AUTO_TEST_CASE(states_of_rows_have_words) {
    BOOST_CHECK_EQUAL(support::words_of_row("nothing"), "present");
    for (unsigned need = 0; need <= static_cast<unsigned>(routeros::Need::left_alone); ++need) {
        const auto label = routeros::label(static_cast<routeros::Need>(need));
        BOOST_CHECK_NE(support::words_of_row(label), label);
    }
    BOOST_CHECK_NE(support::words_of_row("refused"), "refused");
}

BOOST_AUTO_TEST_SUITE_END()
