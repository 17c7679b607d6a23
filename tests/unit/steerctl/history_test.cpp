#include <algorithm>
#include <boost/json/parse.hpp>
#include <boost/test/unit_test.hpp>
#include <cstdlib>
#include <ctime>
#include <string>

#include "csv.h"
#include "local_time.h"
#include "report.h"

using namespace steerctl;

namespace {

// Central Europe, without the machine's table of zones.
struct Zone {
    Zone() { set("CET-1CEST,M3.5.0,M10.5.0/3"); }
    ~Zone() { set("UTC0"); }
    Zone(const Zone&) = delete;
    Zone& operator=(const Zone&) = delete;
    static void set(const char* zone) {
        ::setenv("TZ", zone, 1);
        ::tzset();
    }
};

constexpr std::int64_t kNow = 1'795'809'600;  // 2026-11-27T20:00:00Z, 21:00 in the zone

std::int64_t at(std::string_view text) {
    return time_from(text, kNow).value_or(-1);
}

}  // namespace

BOOST_FIXTURE_TEST_CASE(times_are_local_unless_they_end_in_z, Zone) {
    BOOST_TEST(at("2026-11-27T21:00") == kNow);
    BOOST_TEST(at("2026-11-27 21:00:30") == kNow + 30);
    BOOST_TEST(at("2026-11-27T20:00Z") == kNow);
    BOOST_TEST(at("2026-11-27") == kNow - 21 * 3600);
    BOOST_TEST(at("2026-07-01T12:00") == at("2026-07-01T10:00Z"));
    BOOST_TEST(at("21:00") == kNow);
    BOOST_TEST(at("21:01") == kNow + 60 - 86'400);  // yesterday
    BOOST_TEST(at("now") == kNow);
    BOOST_TEST(at("1795809600") == kNow);
    for (const char* const wrong :
         {"", "soon", "2026-02-31", "2026-13-01", "25:00", "21:60", "2026-11-27T", "2026-11-27x",
          "2026-11-27T21", "-1", "21:00Z", "2026-11-31Z"})
        BOOST_TEST(at(wrong) == -1, wrong);
    BOOST_TEST(zone_text(kNow) == "CET, UTC+01:00");
    BOOST_TEST(zone_text(at("2026-07-01")) == "CEST, UTC+02:00");
    BOOST_TEST(local_time_text(kNow * 1'000'000 + 4'999) == "2026-11-27 21:00:00.004");
}

BOOST_FIXTURE_TEST_CASE(a_time_of_each_day_has_parts_for_each_day, Zone) {
    const auto ranges = [](std::string_view text, std::string_view from, std::string_view to) {
        std::string out;
        const auto found = daily_ranges(text, at(from), at(to));
        BOOST_REQUIRE(found.has_value());
        for (const auto& one : *found)
            out += one + " ";
        return out;
    };
    const auto range = [](std::string_view from, std::string_view to) {
        return std::to_string(at(from)) + "-" + std::to_string(at(to)) + " ";
    };
    BOOST_TEST(ranges("21:00-06:00", "2026-11-25T12:00", "2026-11-27T05:00") ==
               range("2026-11-25T21:00", "2026-11-26T06:00") +
                   range("2026-11-26T21:00", "2026-11-27T05:00"));
    // It began on the day before.
    BOOST_TEST(ranges("21:00-06:00", "2026-11-25T03:00", "2026-11-25T12:00") ==
               range("2026-11-25T03:00", "2026-11-25T06:00"));
    BOOST_TEST(ranges("08:00-12:30", "2026-11-25", "2026-11-26") ==
               range("2026-11-25T08:00", "2026-11-25T12:30"));
    // Summer time ends on 2026-10-25: the clock of the wall counts.
    BOOST_TEST(ranges("08:00-09:00", "2026-10-24", "2026-10-26") ==
               range("2026-10-24T06:00Z", "2026-10-24T07:00Z") +
                   range("2026-10-25T07:00Z", "2026-10-25T08:00Z"));
    for (const char* const wrong : {"", "8-9", "08:00", "08:00-", "08:00-24:30", "08:00-09:00 "})
        BOOST_TEST(!daily_ranges(wrong, 0, 1).has_value(), wrong);
}

BOOST_AUTO_TEST_CASE(cells_that_begin_like_formulas_are_text) {
    BOOST_TEST(csv_cell("www.example.com") == "www.example.com");
    BOOST_TEST(csv_cell("=cmd|' /C calc'!A0") == "\"'=cmd|' /C calc'!A0\"");
    for (const char* const text : {"+1", "-a.example", "@x", "\tx", "\rx"})
        BOOST_TEST(csv_cell(text) == "\"'" + std::string(text) + "\"");
    BOOST_TEST(csv_cell("a,b") == "\"a,b\"");
    BOOST_TEST(csv_cell("say \"x\"") == "\"say \"\"x\"\"\"");
    BOOST_TEST(csv_cell("a\nb") == "\"a\nb\"");
    BOOST_TEST(csv_cell("") == "");
    const auto query = boost::json::parse(
        R"({"time":"2026-11-23T16:00:00.000000Z","client":"192.0.2.7","name":"-x.example","duration_us":120})");
    const std::string line = csv_line(query.as_object());
    BOOST_TEST(
        line ==
        "2026-11-23T16:00:00.000000Z,192.0.2.7,,,,\"'-x.example\",,,,,,,,,,,,,,,,120,,,\r\n");
    const std::string heading = csv_heading();
    BOOST_TEST(std::ranges::count(heading, ',') == std::ranges::count(line, ','));
}

BOOST_FIXTURE_TEST_CASE(a_list_of_queries_says_its_zone_and_where_to_go_on, Zone) {
    const auto text = history_text(boost::json::parse(
        R"({"complete":false,"cut":true,"next_us":1795809600000000,"back_us":7,"queries":[{"time_us":1795809605250000,)"
        R"("client":"192.0.2.7","transport":"udp","name":"ads.example","type":"A","decision":"blocked","list":"ads.txt",)"
        R"("end":"answered","path":"local","rcode":"NOERROR","duration_us":12}]})"));
    for (const char* const part :
         {"time (CET, UTC+01:00)", "2026-11-27 21:00:05.250", "decision", "blocked", "ads.txt",
          "took too long and ended at 2026-11-27 21:00:00.000",
          "older ones: --before 1795809600000000", "newer ones: --after 7"})
        BOOST_TEST(text.find(part) != std::string::npos, part << " is missing in\n" << text);
    BOOST_TEST(history_text(boost::json::parse(R"({"complete":true,"cut":false,"queries":[]})")) ==
               "no recorded queries match\n");
}
