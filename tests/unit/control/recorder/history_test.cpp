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
            query.decision = i % 4 == 3 ? kBlocked : std::string_view("forwarded");
            if (i % 4 == 3) {
                query.plugin = "ads";
                query.list = "/etc/steerdns/ads.txt";
                query.rule = "steer.yaml:7 ads";
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
        if (page < 2) filter.before_us = found.at("next_us").as_int64();
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
        R"("decision":"blocked","plugin":"ads","list":"/etc/steerdns/ads.txt","rule":"steer.yaml:7 ads",)"
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
    BOOST_TEST(scene.count({.time = {kBegin + 60 * kSecond, kBegin + 180 * kSecond}}) == 2U);
    BOOST_TEST(scene.count({.name = "' OR 1=1 --", .limit = 1000}) == 0U);
}

BOOST_AUTO_TEST_CASE(a_group_of_devices_selects_queries) {
    const HistoryScene scene;
    const auto is_v6 = [](const IpAddress& client) { return !client.is_v4(); };
    const auto is_none = [](const IpAddress&) { return false; };
    BOOST_TEST(scene.count({.is_member = is_v6, .limit = 1000}) == 60U);
    BOOST_TEST(scene.count({.is_member = is_none, .limit = 1000}) == 0U);
    // Both have to match.
    const auto prefix = [](const char* text) { return *matchers::Prefix::parse(text); };
    BOOST_TEST(scene.count({.client = prefix("192.0.2.7"), .is_member = is_v6, .limit = 1000}) ==
               0U);
    BOOST_TEST(
        scene.count({.client = prefix("2001:db8::/32"), .is_member = is_v6, .limit = 1000}) == 60U);
}

BOOST_AUTO_TEST_CASE(all_queries_of_a_filter_are_visited) {
    const HistoryScene scene;
    std::int64_t queries = 0, blocked = 0;
    const auto visit = [&](const SeenQuery& query) {
        queries += query.stands_for;
        if (query.decision != kBlocked) return;
        ++blocked;
        BOOST_TEST(query.plugin == "ads");
        BOOST_TEST(query.list == "/etc/steerdns/ads.txt");
        BOOST_TEST(query.name == "b.test");
        BOOST_TEST(query.client == "2001:db8::1");
    };
    const auto all = *visit_history(scene.settings.path, {}, visit);
    BOOST_TEST(all.is_complete);
    BOOST_TEST(all.from_us == kBegin);  // the oldest row
    BOOST_TEST(queries == 120);
    BOOST_TEST(blocked == 30);
    queries = 0;
    const std::int64_t last = kBegin + 110 * 60 * kSecond;
    const auto some =
        *visit_history(scene.settings.path, {.suffix = "a.example", .time = {last}}, visit);
    BOOST_TEST(some.from_us == last);
    BOOST_TEST(queries == 4);
    BOOST_TEST(visit_history(scene.folder / "none.db", {}, visit).has_error());
}

// Without patience, what was visited is all from `from_us` on.
BOOST_AUTO_TEST_CASE(a_visit_that_is_cut_says_what_it_has_read) {
    HistoryScene scene;
    Database database(scene.settings, [](const std::string&) {});
    RowBatch batch;
    constexpr int kRows = 20'000;
    for (int i = 0; i < kRows; ++i)
        batch.add(sample_query("often.example", (10'000 + i) * kSecond));
    BOOST_REQUIRE((database.write(batch, kBegin) == Database::Wrote::yes));
    std::int64_t queries = 0;
    const auto visited =
        *visit_history(scene.settings.path, {.patience = {}}, [&](const SeenQuery&) { ++queries; });
    BOOST_TEST(!visited.is_complete);
    BOOST_TEST(queries > 0);
    BOOST_TEST(queries < kRows);
    const std::int64_t oldest = kBegin + (10'000 + kRows - queries) * kSecond;
    BOOST_TEST(visited.from_us <= oldest);
    BOOST_TEST(visited.from_us > oldest - kSecond);
}

BOOST_AUTO_TEST_CASE(decisions_lists_and_rules_select_queries) {
    const HistoryScene scene;
    BOOST_TEST(scene.count({.decision = "blocked", .limit = 1000}) == 30U);
    BOOST_TEST(scene.count({.decision = "allowed", .limit = 1000}) == 0U);
    BOOST_TEST(scene.count({.plugin = "ads", .limit = 1000}) == 30U);
    BOOST_TEST(scene.count({.list = "/etc/steerdns/ads.txt", .limit = 1000}) == 30U);
    BOOST_TEST(scene.count({.list = "ads.txt", .limit = 1000}) == 30U);
    BOOST_TEST(scene.count({.list = "s.txt", .limit = 1000}) == 0U);  // a part of its last part
    BOOST_TEST(scene.count({.rule = "YAML:7", .limit = 1000}) == 30U);
    BOOST_TEST(scene.count({.rule = "') OR 1=1 --", .limit = 1000}) == 0U);
    BOOST_TEST(scene.count({.contains = "a.exam", .limit = 1000}) == 90U);
    BOOST_TEST(scene.count({.contains = "%", .limit = 1000}) == 0U);
    BOOST_TEST(scene.count({.contains = "' OR 1=1 --", .limit = 1000}) == 0U);
    BOOST_TEST(scene.count({.contains = "test", .decision = "blocked", .limit = 1000}) == 30U);
    const auto newest = [&](bool shows) {
        return read_history(scene.settings.path, {.limit = 1, .shows_decisions = shows})
            ->at("queries")
            .as_array()[0]
            .as_object();
    };
    BOOST_TEST(newest(true).at("decision").as_string() == "blocked");
    BOOST_TEST(newest(true).at("rule").as_string() == "steer.yaml:7 ads");
    for (const char* const key : {"decision", "plugin", "list", "rule"})
        BOOST_TEST(!newest(false).contains(key));
}

BOOST_AUTO_TEST_CASE(pages_go_back_to_newer_queries) {
    const HistoryScene scene;
    const auto times = [](const boost::json::value& page) {
        std::vector<std::int64_t> all;
        for (const auto& query : page.at("queries").as_array())
            all.push_back(query.at("time_us").as_int64());
        return all;
    };
    const auto read = [&](const HistoryFilter& filter) {
        return *read_history(scene.settings.path, filter);
    };
    const auto first = read({.limit = 50});
    BOOST_TEST(!first.as_object().contains("back_us"));
    const auto second = read({.before_us = first.at("next_us").as_int64(), .limit = 50});
    const auto third = read({.before_us = second.at("next_us").as_int64(), .limit = 50});
    BOOST_TEST(third.at("complete").as_bool());
    BOOST_TEST(!third.as_object().contains("next_us"));
    const auto back = read({.after_us = third.at("back_us").as_int64(), .limit = 50});
    BOOST_TEST(times(back) == times(second), boost::test_tools::per_element());
    BOOST_TEST(back.at("next_us") == second.at("next_us"));
    const auto newest = read({.after_us = back.at("back_us").as_int64(), .limit = 50});
    BOOST_TEST(times(newest) == times(first), boost::test_tools::per_element());
    BOOST_TEST(!newest.as_object().contains("back_us"));
    const auto last = read({.before_us = second.at("next_us").as_int64(), .limit = 20});
    BOOST_TEST(last.at("complete").as_bool());  // exactly as many as wanted
    BOOST_TEST(!last.as_object().contains("next_us"));
    const auto none = read({.after_us = times(first).front(), .limit = 50});
    BOOST_TEST(none.at("complete").as_bool());
    BOOST_TEST(!none.as_object().contains("back_us"));
    BOOST_TEST(none.at("next_us").as_int64() == times(first).front() + 1);
}

BOOST_AUTO_TEST_CASE(parts_of_the_time_are_read_in_order) {
    const HistoryScene scene;
    const auto minute = [](std::int64_t n) { return kBegin + n * 60 * kSecond; };
    const HistoryFilter filter{.time = {minute(0), minute(100)},
                               .ranges = {{minute(10), minute(13)}, {minute(90), minute(110)}},
                               .limit = 8};
    const auto first = *read_history(scene.settings.path, filter);
    BOOST_TEST(first.at("queries").as_array().size() == 8U);
    BOOST_TEST(first.at("queries").as_array()[0].at("time_us").as_int64() == minute(99));
    auto rest = filter;
    rest.before_us = first.at("next_us").as_int64();
    const auto second = *read_history(scene.settings.path, rest);
    std::vector<std::int64_t> times;
    for (const auto& query : second.at("queries").as_array())
        times.push_back(query.at("time_us").as_int64());
    const std::vector<std::int64_t> expected{minute(91), minute(90), minute(12), minute(11),
                                             minute(10)};
    BOOST_TEST(times == expected, boost::test_tools::per_element());
    BOOST_TEST(second.at("complete").as_bool());
    auto back = filter;
    back.after_us = minute(11);
    back.limit = 2;
    const auto newer = *read_history(scene.settings.path, back);
    BOOST_TEST(newer.at("queries").as_array()[0].at("time_us").as_int64() == minute(90));
    BOOST_TEST(newer.at("queries").as_array()[1].at("time_us").as_int64() == minute(12));
}

// Without patience each call compares few rows; each still comes further, and none is lost or twice.
BOOST_AUTO_TEST_CASE(a_search_that_is_cut_goes_on_where_it_ended) {
    HistoryScene scene;
    Database database(scene.settings, [](const std::string&) {});
    RowBatch batch;
    constexpr int kRows = 20'000;
    for (int i = 0; i < kRows; ++i)
        batch.add(sample_query(i % 1'000 == 0 ? "rare.example" : "often.example",
                               (10'000 + i) * kSecond));
    BOOST_REQUIRE((database.write(batch, kBegin) == Database::Wrote::yes));
    for (const bool is_ascending : {false, true}) {
        HistoryFilter filter{.contains = "rare", .limit = 1000, .patience = {}};
        if (is_ascending) filter.after_us = 0;
        std::vector<std::int64_t> found;
        int calls = 0;
        for (bool is_complete = false; !is_complete && calls < 1000; ++calls) {
            const auto page = *read_history(scene.settings.path, filter);
            const auto& queries = page.at("queries").as_array();
            for (const auto& query : queries)
                found.push_back(query.at("time_us").as_int64());
            is_complete = page.at("complete").as_bool();
            BOOST_TEST(page.at("cut").as_bool() == !is_complete);
            if (is_complete) break;
            if (is_ascending) {
                const auto next = page.at("back_us").as_int64();
                BOOST_REQUIRE(next > *filter.after_us);
                filter.after_us = next;
            } else {
                const auto next = page.at("next_us").as_int64();
                BOOST_REQUIRE(next < filter.before_us);
                filter.before_us = next;
            }
        }
        BOOST_TEST(calls > 5);
        std::ranges::sort(found);
        BOOST_TEST(found.size() == 20U);
        BOOST_TEST((std::ranges::adjacent_find(found) == found.end()));
    }
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
    BOOST_TEST(year.at("bucket_seconds").as_int64() == 24 * kHour);
}

// Whether hours are already in their day or not: a month shows the same.
BOOST_AUTO_TEST_CASE(a_month_is_read_by_day) {
    HistoryScene scene;
    const std::int64_t day = kBegin / kSecond - kBegin / kSecond % (24 * kHour);
    const Span month{day - 29 * 24 * kHour, day + 24 * kHour};
    for (int hours = 0; hours <= 4; ++hours) {
        Database(scene.settings, [](const std::string&) {}).tidy(kBegin + hours * kHour * kSecond);
        const auto names = *read_top(scene.settings.path, SumKind::name, month, 10);
        BOOST_TEST(names.at("bucket_seconds").as_int64() == 24 * kHour);
        BOOST_TEST(names.at("queries").as_int64() == 120);
        BOOST_TEST(names.at("rows").as_array()[0].at("queries").as_int64() == 30);
        const auto series = *read_series(scene.settings.path, month, 0);
        BOOST_REQUIRE(series.at("buckets").as_array().size() == 1U);
        const auto& bucket = series.at("buckets").as_array()[0].as_object();
        BOOST_TEST(bucket.at("start").as_int64() == day);
        BOOST_TEST(bucket.at("queries").as_int64() == 120);
        BOOST_TEST(bucket.at("blocked").as_int64() == 30);
        BOOST_TEST(bucket.at("p95_us").as_int64() == 32768);
        const auto course =
            *read_course(scene.settings.path, {SumKind::upstream, "9.9.9.9"}, month, 0);
        BOOST_TEST(boost::json::serialize(course.at("buckets")) ==
                   R"([{"start":)" + std::to_string(day) +
                       R"(,"queries":40,"mean_us":30000,"p50_us":32768,"p95_us":32768,)"
                       R"("p99_us":32768}])");
    }
    const auto lists = *read_top(scene.settings.path, SumKind::list, month, 10);
    BOOST_TEST(boost::json::serialize(lists.at("rows")) ==
               R"([{"key":"/etc/steerdns/ads.txt","queries":30,"share":1E0,"mean_us":10080}])");
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
                   .starts_with(R"([{"start":)" + hour +
                                R"(,"queries":20,"mean_us":30000,"p50_us":32768,)"
                                R"("p95_us":32768,"p99_us":32768},{)"));
    BOOST_TEST(course(SumKind::client, "192.0.2.7").find("p50_us") == std::string::npos);
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
