#include "control/observe/recorder/history.h"

#include <boost/json/serialize.hpp>
#include <boost/test/unit_test.hpp>

#include "control/observe/recorder/database.h"
#include "sample_query.h"
#include "support/temp_folder.h"

using namespace steer;
using namespace steer::recorder;
using steer::recorder::test::kBegin;
using steer::recorder::test::kSecond;
using steer::recorder::test::sample_query;

namespace {

constexpr std::int64_t kHour = 3600;

struct HistoryScene {
    HistoryScene() {
        settings.path = folder / "queries.db";
        Database database(settings, [](const std::string&) {});
        const char* const names[] = {"a.example", "www.a.example", "xa.example", "b.test"};
        // A query a minute for two hours, by names and clients in turn; each third is forwarded and takes 30 ms.
        RowBatch batch;
        for (int i = 0; i < 120; ++i) {
            auto query = sample_query(names[i % 4], i * 60 * kSecond);
            query.client_text = i % 2 == 0 ? "192.0.2.7" : "2001:db8::1";
            if (i % 3 == 0) {
                query.path = Path::forwarded;
                query.upstream = "9.9.9.9";
                query.duration_us = 30'000;
                query.rcode = i % 2 == 0 ? 3 : 2;
            }
            batch.add(query);
        }
        BOOST_REQUIRE((database.write(batch, kBegin) == Database::Wrote::yes));
        BOOST_REQUIRE(database.flush_sums(kBegin));
    }

    [[nodiscard]] std::size_t count(const HistoryFilter& filter) const {
        return read_history(settings.path, filter)->at("queries").as_array().size();
    }

    steer::test::TempFolder folder;
    config::QueryRecorder settings;
};

}  // namespace

BOOST_AUTO_TEST_CASE(the_newest_queries_come_first_and_pages_continue) {
    const HistoryScene scene;
    HistoryFilter filter;
    filter.limit = 50;
    std::vector<std::int64_t> times;
    for (int page = 0; page < 3; ++page) {
        const auto found = *read_history(scene.settings.path, filter);
        for (const auto& query : found.at("queries").as_array())
            times.push_back(query.at("time_us").as_int64());
        BOOST_TEST(found.at("complete").as_bool() == (page == 2));
        if (page < 2) filter.to_us = found.at("next_us").as_int64();
    }
    BOOST_TEST(times.size() == 120U);
    BOOST_TEST(times.front() == kBegin + 119 * 60 * kSecond);
    BOOST_TEST(std::ranges::is_sorted(times, std::greater<>{}));
    const auto newest =
        read_history(scene.settings.path, {.limit = 1})->at("queries").as_array()[0].as_object();
    BOOST_TEST(
        boost::json::serialize(newest) ==
        R"({"time":"2026-11-23T17:59:00.000000Z","time_us":1795456740000000,"client":"2001:db8::1",)"
        R"("client_port":40000,"transport":"udp","server":"192.0.2.53","name":"b.test","type":"A","end":"answered","path":"cache",)"
        R"("rcode":"NOERROR","entry":"main","duration_us":120,"query_size":33,"response_size":49,"worker":0,)"
        R"("stands_for":1})");
}

BOOST_AUTO_TEST_CASE(filters_select_queries) {
    const HistoryScene scene;
    BOOST_TEST(scene.count({.limit = 1000}) == 120U);
    BOOST_TEST(scene.count({.name = "a.example", .limit = 1000}) == 30U);
    BOOST_TEST(scene.count({.suffix = "a.example", .limit = 1000}) == 60U);  // not xa.example
    BOOST_TEST(scene.count({.client = *matchers::Prefix::parse("192.0.2.0/24"), .limit = 1000}) ==
               60U);
    BOOST_TEST(scene.count({.client = *matchers::Prefix::parse("2001:db8::1"), .limit = 1000}) ==
               60U);
    BOOST_TEST(scene.count({.client = *matchers::Prefix::parse("192.0.3.0/24"), .limit = 1000}) ==
               0U);
    BOOST_TEST(scene.count({.end = "answered", .limit = 1000}) == 120U);
    BOOST_TEST(scene.count({.end = "servfail", .limit = 1000}) == 0U);
    BOOST_TEST(scene.count({.upstream = "9.9.9.9", .limit = 1000}) == 40U);
    BOOST_TEST(scene.count({.rcode = "SERVFAIL", .limit = 1000}) == 20U);
    BOOST_TEST(scene.count({.type = "AAAA", .limit = 1000}) == 0U);
    BOOST_TEST(scene.count({.type = "A", .limit = 1000}) == 120U);
    BOOST_TEST(scene.count({.from_us = kBegin + 60 * kSecond, .to_us = kBegin + 180 * kSecond}) ==
               2U);
    BOOST_TEST(scene.count({.name = "' OR 1=1 --", .limit = 1000}) == 0U);
}

BOOST_AUTO_TEST_CASE(the_most_frequent_keys_of_a_span) {
    const HistoryScene scene;
    const std::int64_t from = kBegin / kSecond;
    const auto names = *read_top(scene.settings.path, SumKind::name, {from, from + kHour}, 2);
    BOOST_TEST(names.at("bucket_seconds").as_int64() == 60);
    BOOST_TEST(names.at("queries").as_int64() == 60);
    BOOST_TEST(names.at("others").as_int64() == 30);
    BOOST_TEST(names.at("rows").as_array().size() == 2U);
    BOOST_TEST(names.at("rows").as_array()[0].at("queries").as_int64() == 15);
    BOOST_TEST(names.at("rows").as_array()[0].at("share").as_double() == 0.25);
    const auto upstreams =
        *read_top(scene.settings.path, SumKind::upstream, {from, from + 24 * kHour}, 10);
    BOOST_TEST(upstreams.at("bucket_seconds").as_int64() == 3600);
    BOOST_TEST(boost::json::serialize(upstreams.at("rows")) ==
               R"([{"key":"9.9.9.9","queries":40,"share":1E0,"mean_us":30000}])");
}

BOOST_AUTO_TEST_CASE(a_series_has_sums_by_time) {
    const HistoryScene scene;
    const std::int64_t from = kBegin / kSecond;
    const auto hours = *read_series(scene.settings.path, {from, from + 2 * kHour}, 3600);
    BOOST_TEST(hours.at("buckets").as_array().size() == 2U);
    const auto& hour = hours.at("buckets").as_array()[0].as_object();
    BOOST_TEST(hour.at("queries").as_int64() == 60);
    BOOST_TEST(hour.at("cached").as_int64() == 40);
    BOOST_TEST(hour.at("forwarded").as_int64() == 20);
    BOOST_TEST(hour.at("failed").as_int64() == 10);
    BOOST_TEST(hour.at("p50_us").as_int64() == 128);
    BOOST_TEST(hour.at("p95_us").as_int64() == 32768);
    const auto minutes = *read_series(scene.settings.path, {from, from + 2 * kHour}, 0);
    BOOST_TEST(minutes.at("bucket_seconds").as_int64() == 120);
    BOOST_TEST(minutes.at("buckets").as_array().size() == 60U);
    // However long: bounded.
    const auto year =
        *read_series(scene.settings.path, {from - 365 * 24 * kHour, from + 2 * kHour}, 60);
    BOOST_TEST(year.at("bucket_seconds").as_int64() == 5 * kHour);
}

BOOST_AUTO_TEST_CASE(the_course_of_one_key) {
    const HistoryScene scene;
    const std::int64_t from = kBegin / kSecond;
    const auto course = [&](SumKind kind, const std::string& key) {
        return boost::json::serialize(
            read_course(scene.settings.path, {kind, key}, {from, from + 2 * kHour}, 3600)
                ->at("buckets"));
    };
    const std::string hour = std::to_string(from - from % kHour);
    BOOST_TEST(course(SumKind::upstream, "9.9.9.9")
                   .starts_with(R"([{"start":)" + hour + R"(,"queries":20,"mean_us":30000},{)"));
    BOOST_TEST(course(SumKind::name, "a.example").find(R"("queries":15,)") != std::string::npos);
    BOOST_TEST(course(SumKind::client, "a.example") == "[]");
    BOOST_TEST(course(SumKind::name, "' OR 1=1 --") == "[]");
    BOOST_TEST(read_course(scene.folder / "none.db", {}, {0, 60}, 0).has_error());
}

BOOST_AUTO_TEST_CASE(a_file_that_is_missing_or_foreign_is_an_error) {
    const HistoryScene scene;
    const auto missing = read_history(scene.folder / "none.db", {});
    BOOST_REQUIRE(missing.has_error());
    BOOST_TEST(missing.error().text.find("cannot be read: unable to open database file") !=
               std::string::npos);
    const auto foreign = read_series(scene.folder.write("text.db", "no database"), {0, 60}, 0);
    BOOST_TEST(foreign.has_error());
}
