#include "control/observe/recorder/database.h"

#include <boost/test/unit_test.hpp>
#include <filesystem>

#include "sample_query.h"
#include "support/temp_folder.h"

using namespace steer;
using namespace steer::recorder;
using steer::recorder::test::kBegin;
using steer::recorder::test::kSecond;
using steer::recorder::test::sample_query;
using Wrote = Database::Wrote;

namespace {

constexpr std::int64_t kDay = 86'400 * kSecond;

struct DatabaseScene {
    DatabaseScene() { settings.path = folder / "queries.db"; }

    Database database() {
        return Database(settings, [this](const std::string& s) { logged.push_back(s); });
    }
    static RowBatch batch(int rows, std::int64_t after_us = 0) {
        RowBatch batch;
        for (int i = 0; i < rows; ++i)
            batch.add(sample_query("www.example.com", after_us + i));
        return batch;
    }
    // The first column of the first row, by a connection of another program.
    [[nodiscard]] std::string one(const std::string& sql) const {
        Connection db;
        BOOST_REQUIRE(db.open(settings.path, SQLITE_OPEN_READONLY) == SQLITE_OK);
        Statement statement = db.prepare(sql);
        BOOST_REQUIRE_MESSAGE(statement, db.error());
        return statement.step() == SQLITE_ROW ? std::string(statement.text(0)) : "nothing";
    }
    void make(const std::string& sql) const {
        Connection db;
        BOOST_REQUIRE(db.open(settings.path, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE) ==
                      SQLITE_OK);
        BOOST_REQUIRE_MESSAGE(db.run(sql) == SQLITE_OK, db.error());
    }

    steer::test::TempFolder folder;
    config::QueryRecorder settings;
    std::vector<std::string> logged;
};

}  // namespace

BOOST_AUTO_TEST_CASE(a_query_is_a_row_and_the_view_has_its_words) {
    DatabaseScene scene;
    auto database = scene.database();
    RowBatch batch;
    auto query = sample_query("a\\.b.example");
    query.upstream = "1.1.1.1";
    query.ede = 15;
    query.transport = ClientTransport::dot;
    query.answers = "198.51.100.2";
    query.trace = UINT64_MAX;
    query.decision = kBlocked;
    query.plugin = "ads";
    query.list = "https://lists.example/ads.txt";
    query.rule = "/etc/steerdns/steer.yaml:12 qname $ads";
    batch.add(query);
    query.time_us -= 1;  // workers end queries beside each other
    query.rcode = kNoRcode;
    batch.add(query);
    BOOST_TEST((database.write(batch, kBegin) == Wrote::yes));
    BOOST_TEST(scene.one("SELECT concat FROM (SELECT time_us || ' ' || client || ' ' || "
                         "client_port || ' ' || server || ' ' || transport || ' ' || trace "
                         "|| ' ' || name || ' ' || type || ' ' || end || ' ' || path || ' ' || "
                         "rcode || ' ' || ede || ' ' || "
                         "upstream || ' ' || entry || ' ' || duration_us || ' ' || answers AS "
                         "concat FROM history "
                         "ORDER BY time_us)") ==
               std::to_string(kBegin) +
                   " 192.0.2.7 40000 192.0.2.53 dot ffffffffffffffff a\\.b.example 1 answered "
                   "cache 0 15 1.1.1.1 main 120 "
                   "198.51.100.2");
    BOOST_TEST(
        scene.one("SELECT decision || ' ' || plugin || ' ' || list || ' ' || rule FROM history") ==
        "blocked ads https://lists.example/ads.txt /etc/steerdns/steer.yaml:12 qname $ads");
    BOOST_TEST(scene.one("SELECT count(*) FROM queries") == "2");
    BOOST_TEST(scene.one("SELECT max(id) FROM queries WHERE rcode IS NULL") ==
               std::to_string(kBegin + 1));
    BOOST_TEST(database.written() == 2U);
    BOOST_TEST(scene.logged.empty());
}

BOOST_AUTO_TEST_CASE(sums_are_kept_by_minute_and_hour) {
    DatabaseScene scene;
    auto database = scene.database();
    BOOST_TEST((database.write(DatabaseScene::batch(3), kBegin) == Wrote::yes));
    BOOST_TEST(scene.one("SELECT count(*) FROM totals") == "0");
    // The next minute flushes.
    BOOST_TEST((database.write(DatabaseScene::batch(2, 61 * kSecond), kBegin + 61 * kSecond) ==
                Wrote::yes));
    BOOST_TEST(scene.one("SELECT queries FROM totals WHERE span = 60") == "3");
    BOOST_TEST(database.flush_sums(kBegin + 62 * kSecond));
    BOOST_TEST(scene.one("SELECT group_concat(queries) FROM totals WHERE span = 60") == "3,2");
    BOOST_TEST(scene.one("SELECT queries || ' ' || cached || ' ' || duration_us FROM totals WHERE "
                         "span = 3600") == "5 5 600");
    BOOST_TEST(scene.one("SELECT queries FROM tops WHERE span = 3600 AND kind = 0 AND key = "
                         "'www.example.com'") == "5");
    BOOST_TEST(
        scene.one("SELECT queries FROM tops WHERE span = 3600 AND kind = 9 AND key = '128'") ==
        "5");
    // A restart within the minute adds.
    auto again = scene.database();
    BOOST_TEST((again.write(DatabaseScene::batch(1, 62 * kSecond), kBegin) == Wrote::yes));
    BOOST_TEST(again.flush_sums(kBegin));
    BOOST_TEST(scene.one("SELECT sum(queries) FROM totals WHERE span = 60") == "6");
}

BOOST_AUTO_TEST_CASE(blocked_queries_are_summed_by_name_client_and_list) {
    DatabaseScene scene;
    auto database = scene.database();
    RowBatch batch;
    for (int i = 0; i < 5; ++i) {
        auto query = sample_query(i < 3 ? "ads.example" : "www.example.com", i);
        query.decision = i < 3 ? kBlocked : std::string_view("forwarded");
        if (i < 3) query.list = "/var/lib/steerdns/ads.txt";
        query.stands_for = 10;
        batch.add(query);
    }
    BOOST_TEST((database.write(batch, kBegin) == Wrote::yes));
    BOOST_TEST(database.flush_sums(kBegin));
    BOOST_TEST(scene.one("SELECT queries || ' ' || blocked FROM totals WHERE span = 60") ==
               "50 30");
    BOOST_TEST(scene.one("SELECT group_concat(kind || ' ' || key || ' ' || queries) FROM tops "
                         "WHERE span = 3600 AND kind > 9") ==
               "10 blocked 30,10 forwarded 20,11 /var/lib/steerdns/ads.txt 30,12 ads.example "
               "30,13 192.0.2.7 30,14 /var/lib/steerdns/ads.txt 30");
}

BOOST_AUTO_TEST_CASE(rows_that_are_too_old_are_removed) {
    DatabaseScene scene;
    scene.settings.retention_days = 2;
    auto database = scene.database();
    BOOST_TEST((database.write(DatabaseScene::batch(10), kBegin) == Wrote::yes));
    BOOST_TEST((database.write(DatabaseScene::batch(5, kDay), kBegin + kDay) == Wrote::yes));
    database.tidy(kBegin + 2 * kDay - kSecond);
    BOOST_TEST(scene.one("SELECT count(*) FROM queries") == "15");
    BOOST_TEST(scene.one("SELECT count(*) FROM totals WHERE span < 86400") == "4");
    database.tidy(kBegin + 2 * kDay + kSecond);
    BOOST_TEST(scene.one("SELECT count(*) FROM queries") == "5");
    BOOST_TEST(scene.one("SELECT count(*) FROM totals WHERE span < 86400 AND start < " +
                         std::to_string((kBegin + kDay) / kSecond)) == "0");
    BOOST_TEST(database.removed() == 10U);
}

// Days get each past hour once, also hours of a time when nothing ran, and minutes that come late.
BOOST_AUTO_TEST_CASE(past_hours_are_added_to_days) {
    DatabaseScene scene;
    constexpr std::int64_t kHour = 3600 * kSecond;
    auto database = scene.database();
    const auto sum = [&](const std::string& of) {
        return scene.one("SELECT sum(queries) FROM " + of);
    };
    // Hour 16 of the 23rd to hour 7 of the 24th, one query each.
    for (int i = 0; i < 16; ++i) {
        BOOST_TEST((database.write(DatabaseScene::batch(1, i * kHour), kBegin) == Wrote::yes));
        BOOST_TEST(database.flush_sums(kBegin + i * kHour));
    }
    std::int64_t now = kBegin + 16 * kHour;
    const auto tidy = [&](int times) {
        for (int i = 0; i < times; ++i)
            database.tidy(now += kSecond);
    };
    tidy(10);
    BOOST_TEST(sum("totals WHERE span = 86400") == "10");  // one in each turn
    tidy(200);                                             // the last ended two minutes ago
    BOOST_TEST(scene.one("SELECT group_concat(queries) FROM totals WHERE span = 86400") == "8,8");
    BOOST_TEST(sum("tops WHERE span = 86400 AND kind = 0 AND key = 'www.example.com'") == "16");
    BOOST_TEST(sum("totals WHERE span = 3600") == "16");
    // A minute of an hour that is in its day already.
    BOOST_TEST((database.write(DatabaseScene::batch(3, 20 * 60 * kSecond), now) == Wrote::yes));
    BOOST_TEST(database.flush_sums(now));
    BOOST_TEST(sum("totals WHERE span = 86400") == "19");
    // After a restart two hours later, nothing is added twice.
    now += 2 * kHour;
    auto again = scene.database();
    BOOST_TEST((again.write(DatabaseScene::batch(1, 18 * kHour), now) == Wrote::yes));
    BOOST_TEST(again.flush_sums(now));
    now += 2 * kHour;
    for (int i = 0; i < 10; ++i)
        again.tidy(now += kSecond);
    BOOST_TEST(sum("totals WHERE span = 86400") == "20");
}

BOOST_AUTO_TEST_CASE(a_past_hour_keeps_the_most_frequent_keys) {
    DatabaseScene scene;
    auto database = scene.database();
    // 400 names a minute, and one that is more frequent.
    for (int minute = 0; minute < 5; ++minute) {
        RowBatch batch;
        for (int i = 0; i < 400; ++i)
            batch.add(sample_query("n" + std::to_string(minute * 400 + i), minute * 60 * kSecond));
        for (int i = 0; i < 3; ++i)
            batch.add(sample_query("often.example", minute * 60 * kSecond));
        BOOST_TEST((database.write(batch, kBegin) == Wrote::yes));
        BOOST_TEST(database.flush_sums(kBegin));
    }
    const std::string names = " FROM tops WHERE span = 3600 AND kind = 0";
    BOOST_TEST(scene.one("SELECT count(*)" + names) == "2001");
    database.tidy(kBegin + 2 * 3600 * kSecond);
    BOOST_TEST(scene.one("SELECT sum(queries)" + names) == "2015");
    BOOST_TEST(scene.one("SELECT count(*) <= 1001" + names) == "1");
    BOOST_TEST(scene.one("SELECT queries" + names + " AND key = 'often.example'") == "15");
    BOOST_TEST(scene.one("SELECT sum(queries) FROM tops WHERE span = 86400 AND kind = 0") ==
               "2015");
}

BOOST_AUTO_TEST_CASE(names_and_clients_leave_the_sums_before_counts) {
    DatabaseScene scene;
    scene.settings.retention_days = 2;
    auto database = scene.database();
    BOOST_TEST((database.write(DatabaseScene::batch(2), kBegin) == Wrote::yes));
    const auto kinds = [&](const char* span) {
        return scene.one(
            "SELECT coalesce(group_concat(kind), '') FROM (SELECT DISTINCT kind FROM "
            "tops WHERE span = " +
            std::string(span) + " ORDER BY kind)");
    };
    const auto at = [&](std::int64_t hours) {
        const std::int64_t now = kBegin + hours * 3600 * kSecond;
        database.tidy(now);
        database.tidy(now + kSecond);
        return now;
    };
    (void)at(25);
    BOOST_TEST(kinds("60") == "0,1,2,4,5,6,7,8,9");
    (void)at(27);
    BOOST_TEST(kinds("60") == "2,4,5,6,7,8,9");  // without name and client
    BOOST_TEST(kinds("3600") == "0,1,2,4,5,6,7,8,9");
    BOOST_TEST(kinds("86400") == "0,1,2,4,5,6,7,8,9");
    (void)at(49);
    BOOST_TEST(kinds("3600") == "");
    BOOST_TEST(kinds("86400") == "2,4,5,6,7,8,9");
    BOOST_TEST(scene.one("SELECT queries FROM totals WHERE span = 86400") == "2");
    (void)at(24 * 91);
    BOOST_TEST(kinds("86400") == "");
    BOOST_TEST(scene.one("SELECT count(*) FROM totals") == "0");
}

BOOST_AUTO_TEST_CASE(the_oldest_rows_make_room) {
    DatabaseScene scene;
    scene.settings.max_size = 1 << 20;
    auto database = scene.database();
    std::int64_t now = kBegin;
    for (int i = 0; i < 20; ++i, now += kSecond) {
        BOOST_TEST((database.write(DatabaseScene::batch(5'000, now - kBegin), now) == Wrote::yes));
        database.tidy(now);
    }
    for (int i = 0; i < 10; ++i, now += kSecond)
        database.tidy(now);
    BOOST_TEST(std::stoll(scene.one("SELECT count(*) FROM queries")) > 2'000);
    BOOST_TEST(scene.one("SELECT max(id) FROM queries") ==
               std::to_string(kBegin + 19 * kSecond + 4'999));
    BOOST_TEST(std::stoll(scene.one("PRAGMA page_count")) * 4096 < (4 << 20));
    BOOST_TEST(database.removed() > 50'000U);
}

BOOST_AUTO_TEST_CASE(a_locked_database_keeps_the_batch_for_later) {
    DatabaseScene scene;
    auto database = scene.database();
    BOOST_TEST((database.write(DatabaseScene::batch(1), kBegin) == Wrote::yes));
    {
        Connection other;
        BOOST_REQUIRE(other.open(scene.settings.path, SQLITE_OPEN_READWRITE) == SQLITE_OK);
        BOOST_REQUIRE(other.run("BEGIN IMMEDIATE") == SQLITE_OK);
        BOOST_TEST((database.write(DatabaseScene::batch(1, 7), kBegin) == Wrote::later));
        BOOST_TEST((database.write(DatabaseScene::batch(1, 7), kBegin) == Wrote::later));
        BOOST_TEST(database.error() == "the database \"" + scene.settings.path +
                                           "\" is locked: another program writes to it; end that");
        BOOST_TEST(scene.logged.size() == 1U);
    }
    BOOST_TEST((database.write(DatabaseScene::batch(1, 7), kBegin) == Wrote::yes));
    BOOST_TEST(database.error() == "");
    BOOST_TEST(scene.logged.back().ends_with(" again"));
    BOOST_TEST(scene.one("SELECT count(*) FROM queries") == "2");
}

BOOST_AUTO_TEST_CASE(garbage_is_set_aside) {
    DatabaseScene scene;
    scene.folder.write("queries.db", std::string(5000, 'x'));
    scene.folder.write("queries.db.damaged", "an earlier one");
    auto database = scene.database();
    BOOST_TEST((database.write(DatabaseScene::batch(1), kBegin) == Wrote::yes));
    BOOST_TEST(scene.folder.read("queries.db.damaged-2").size() == 5000U);
    BOOST_TEST(scene.folder.read("queries.db.damaged") == "an earlier one");
    BOOST_REQUIRE(scene.logged.size() == 1U);
    BOOST_TEST(scene.logged[0].ends_with("is damaged (file is not a database): it is kept as \"" +
                                         scene.settings.path +
                                         ".damaged-2\", and a new one begins"));
}

BOOST_AUTO_TEST_CASE(an_older_schema_is_brought_to_this_one) {
    DatabaseScene scene;
    scene.make(std::string(schema_step(0)) +
               "PRAGMA application_id = " + std::to_string(kApplicationId) +
               "; PRAGMA user_version = 1; INSERT INTO queries(id, name) VALUES(7, 'old.example')");
    auto database = scene.database();
    BOOST_TEST((database.write(DatabaseScene::batch(1), kBegin) == Wrote::yes));
    BOOST_TEST(database.flush_sums(kBegin));
    BOOST_TEST(scene.one("SELECT group_concat(name) FROM queries") ==
               "old.example,www.example.com");
    BOOST_TEST(scene.one("SELECT count(*) FROM totals") == "2");
    BOOST_TEST(scene.one("PRAGMA user_version") == std::to_string(kSchema));
    BOOST_REQUIRE(scene.logged.size() == 1U);
    BOOST_TEST(scene.logged[0].ends_with("had the schema 1: it is now 5"));
}

// Rows and sums of each earlier version stay, and get no decision.
BOOST_AUTO_TEST_CASE(the_schema_before_decisions_keeps_its_rows_and_sums) {
    DatabaseScene scene;
    scene.make(std::string(schema_step(0)) + std::string(schema_step(1)) +
               std::string(schema_step(2)) +
               "PRAGMA application_id = " + std::to_string(kApplicationId) +
               "; PRAGMA user_version = 3; INSERT INTO queries(id, name) VALUES(7, 'old.example');"
               "INSERT INTO totals VALUES(60, 0, 5, 4, 3, 2, 1, 0, 9)");
    auto database = scene.database();
    BOOST_TEST((database.write(DatabaseScene::batch(1), kBegin) == Wrote::yes));
    BOOST_TEST(scene.one("SELECT name FROM history WHERE decision IS NULL ORDER BY time_us") ==
               "old.example");
    BOOST_TEST(scene.one("SELECT queries || ' ' || duration_us || ' ' || blocked FROM totals") ==
               "5 9 0");
}

// The schema 4 had neither lines of lists nor latencies by upstream.
BOOST_AUTO_TEST_CASE(the_schema_before_latencies_by_upstream_keeps_its_rows_and_sums) {
    DatabaseScene scene;
    std::string steps;
    for (int from = 0; from < 4; ++from)
        steps += schema_step(from);
    scene.make(steps + "PRAGMA application_id = " + std::to_string(kApplicationId) +
               "; PRAGMA user_version = 4; INSERT INTO queries(id, name) VALUES(7, 'old.example');"
               "INSERT INTO tops VALUES(60, 0, 3, '9.9.9.9', 5, 50)");
    auto database = scene.database();
    BOOST_TEST((database.write(DatabaseScene::batch(1), kBegin) == Wrote::yes));
    BOOST_TEST(scene.one("SELECT name FROM history WHERE line IS NULL AND list_rule IS NULL "
                         "ORDER BY time_us") == "old.example");
    BOOST_TEST(scene.one("SELECT queries FROM tops WHERE kind = 3") == "5");
    BOOST_TEST(scene.one("SELECT count(*) FROM latencies") == "0");
    BOOST_TEST(scene.logged.at(0).ends_with("had the schema 4: it is now 5"));
}

BOOST_AUTO_TEST_CASE(a_row_has_the_line_of_its_list) {
    DatabaseScene scene;
    auto database = scene.database();
    RowBatch batch;
    auto query = sample_query("ads.example");
    query.list = "ads.txt";
    query.line = 17;
    query.list_rule = "domain:ads.example";
    query.rule = "steer.yaml:7 ads";
    batch.add(query);
    batch.add(sample_query("www.example"));
    BOOST_TEST((database.write(batch, kBegin) == Wrote::yes));
    BOOST_TEST(scene.one("SELECT line || ' ' || list_rule || ' ' || rule FROM history "
                         "WHERE line NOT NULL") == "17 domain:ads.example steer.yaml:7 ads");
    BOOST_TEST(scene.one("SELECT count(*) FROM words WHERE word LIKE 'domain:%'") == "0");
}

// As the other sums: by minute and hour, then by day, and removed with them.
BOOST_AUTO_TEST_CASE(latencies_by_upstream_are_sums) {
    DatabaseScene scene;
    scene.settings.retention_days = 2;
    auto database = scene.database();
    RowBatch batch;
    for (int i = 0; i < 10; ++i) {
        auto query = sample_query("www.example", i);
        query.upstream = i < 7 ? "9.9.9.9" : "1.1.1.1";
        query.duration_us = i == 0 ? 30'000 : 900;
        query.stands_for = 2;
        batch.add(query);
    }
    BOOST_TEST((database.write(batch, kBegin) == Wrote::yes));
    BOOST_TEST(database.flush_sums(kBegin));
    const auto all = [&](int span) {
        return scene.one(
            "SELECT coalesce(group_concat(upstream || ' ' || class || ' ' || queries, "
            "', '), '') FROM latencies WHERE span = " +
            std::to_string(span));
    };
    const std::string expected = "1.1.1.1 1024 6, 9.9.9.9 1024 12, 9.9.9.9 32768 2";
    BOOST_TEST(all(60) == expected);
    BOOST_TEST(all(3600) == expected);
    BOOST_TEST(all(86'400) == "");
    const std::int64_t hours = 3600 * kSecond;
    database.tidy(kBegin + 3 * hours);
    BOOST_TEST(all(86'400) == expected);
    database.tidy(kBegin + 49 * hours);
    BOOST_TEST(all(60) == "");
    BOOST_TEST(all(86'400) == expected);
    database.tidy(kBegin + 91 * 24 * hours);
    BOOST_TEST(all(86'400) == "");
}

BOOST_AUTO_TEST_CASE(upstreams_beyond_the_limit_share_one_row) {
    Sums sums;
    RowBatch batch;
    for (std::size_t i = 0; i < Sums::kMostUpstreams + 44; ++i) {
        auto query = sample_query("www.example");
        const std::string upstream = "upstream" + std::to_string(i);
        query.upstream = upstream;
        batch.add(query);
    }
    for (const Row& row : batch.rows())
        sums.add(batch, row);
    const auto latencies = sums.latencies();
    BOOST_TEST(latencies.size() == Sums::kMostUpstreams + 1);
    const auto others = std::ranges::find(latencies, "", &Sums::Latency::upstream);
    BOOST_REQUIRE((others != latencies.end()));
    BOOST_TEST(others->queries == 44U);
    BOOST_TEST(others->bound_us == 128U);
    sums.clear();
    BOOST_TEST(sums.latencies().empty());
}

BOOST_AUTO_TEST_CASE(a_file_of_another_program_is_left_alone) {
    DatabaseScene scene;
    scene.make("CREATE TABLE theirs(x); INSERT INTO theirs VALUES(1)");
    auto database = scene.database();
    BOOST_TEST((database.write(DatabaseScene::batch(1), kBegin) == Wrote::lost));
    BOOST_TEST(
        database.error().ends_with("belongs to another program: name another file as 'path'"));
    BOOST_TEST(scene.one("SELECT x FROM theirs") == "1");
}

BOOST_AUTO_TEST_CASE(a_newer_schema_is_left_alone) {
    DatabaseScene scene;
    scene.make("CREATE TABLE t(x); PRAGMA application_id = " + std::to_string(kApplicationId) +
               "; PRAGMA user_version = 9");
    auto database = scene.database();
    BOOST_TEST((database.write(DatabaseScene::batch(1), kBegin) == Wrote::lost));
    BOOST_TEST(database.error().find("has the schema 9 of a later version") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(a_missing_folder_is_tried_again) {
    DatabaseScene scene;
    scene.settings.path = scene.folder / "later/queries.db";
    auto database = scene.database();
    BOOST_TEST((database.write(DatabaseScene::batch(1), kBegin) == Wrote::lost));
    BOOST_TEST(database.error().find(
                   "cannot be opened: unable to open database file; name a file in a folder") !=
               std::string::npos);
    std::filesystem::create_directory(scene.folder / "later");
    BOOST_TEST((database.write(DatabaseScene::batch(1), kBegin + kSecond) == Wrote::lost));
    BOOST_TEST((database.write(DatabaseScene::batch(1), kBegin + Database::kRetryS * kSecond) ==
                Wrote::yes));
}

BOOST_AUTO_TEST_CASE(names_beyond_the_most_frequent_are_summed) {
    Sums sums;
    RowBatch batch;
    for (int i = 0; i < 600; ++i) {
        for (int n = 0; n < (i < 10 ? 3 : 1); ++n)
            batch.add(sample_query("n" + std::to_string(i)));
    }
    for (const Row& row : batch.rows())
        sums.add(batch, row);
    std::uint64_t names = 0, others = 0, frequent = 0;
    for (const auto& key : sums.keys()) {
        if (key.kind != SumKind::name) continue;
        ++names;
        if (key.key.empty()) others = key.queries;
        if (key.queries == 3) ++frequent;
    }
    BOOST_TEST(names == Sums::kKept + 1);
    BOOST_TEST(frequent == 10U);
    BOOST_TEST(others == 100U);
    BOOST_TEST(latency_class(0) == 2U);
    BOOST_TEST(latency_class(127) == 128U);
    BOOST_TEST(latency_class(128) == 256U);
    BOOST_TEST(latency_class(UINT32_MAX) == 1U << 26U);
}
