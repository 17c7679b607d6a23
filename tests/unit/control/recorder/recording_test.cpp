#include "control/observe/recorder/recording.h"

#include <atomic>
#include <boost/json/parse.hpp>
#include <boost/test/unit_test.hpp>
#include <filesystem>
#include <sstream>

#include "control/config/load.h"
#include "control/observe/recorder/history.h"
#include "sample_query.h"
#include "support/temp_folder.h"

using namespace steer;
using namespace steer::recorder;
using steer::recorder::test::kBegin;
using steer::recorder::test::sample_query;
using namespace std::chrono_literals;

namespace {

std::int64_t begin() {
    return kBegin;
}
void ignore(const std::string&) {}

struct RecordingScene {
    RecordingScene() {
        plan.settings.path = folder / "queries.db";
        plan.settings.json = config::RecorderJson{.file = folder / "queries.json"};
    }
    static RecordedQuery from(std::string_view client) {
        auto query = sample_query();
        query.client = *IpAddress::parse(client);
        query.client_text = {};
        return query;
    }
    [[nodiscard]] std::vector<boost::json::object> lines() const {
        std::vector<boost::json::object> all;
        std::istringstream in(folder.read("queries.json"));
        for (std::string line; std::getline(in, line);)
            all.push_back(boost::json::parse(line).as_object());
        return all;
    }
    [[nodiscard]] boost::json::array rows() const {
        return read_history(plan.settings.path, {.limit = 10'000})->at("queries").as_array();
    }
    static void finish(Recording& recording) {
        recording.hand_over(kBegin, true);
        BOOST_REQUIRE(recording.flush(20s));
    }

    steer::test::TempFolder folder;
    RecordingPlan plan{.tag = "log", .entries = 1, .settings = {}};
};

}  // namespace

BOOST_AUTO_TEST_CASE(clients_are_truncated_before_anything_is_stored) {
    RecordingScene scene;
    scene.plan.settings.mask4 = 24;
    scene.plan.settings.mask6 = 56;
    Recording recording(scene.plan, begin, ignore);
    recording.take(RecordingScene::from("192.0.2.77"));
    recording.take(RecordingScene::from("2001:db8:1:2ff::9"));
    RecordingScene::finish(recording);
    const auto lines = scene.lines();
    BOOST_REQUIRE(lines.size() == 2U);
    BOOST_TEST(lines[0].at("client").as_string() == "192.0.2.0");
    BOOST_TEST(lines[0].at("client_port").as_int64() == 0);
    BOOST_TEST(lines[1].at("client").as_string() == "2001:db8:1:200::");
    for (const auto& row : scene.rows()) {
        const auto client = row.at("client").as_string();
        BOOST_TEST((client == "192.0.2.0" || client == "2001:db8:1:200::"));
    }
    const auto top = *read_top(scene.plan.settings.path, SumKind::client,
                               {kBegin / 1'000'000, kBegin / 1'000'000 + 60}, 10);
    BOOST_TEST(top.at("rows").as_array().size() == 2U);
    BOOST_TEST(scene.folder.read("queries.json").find("192.0.2.77") == std::string::npos);
}

BOOST_AUTO_TEST_CASE(clients_that_opted_out_and_other_servers_leave_no_trace) {
    RecordingScene scene;
    scene.plan.entries = 0b10;
    scene.plan.settings.except_clients = {*matchers::Prefix::parse("192.0.2.0/24")};
    Recording recording(scene.plan, begin, ignore);
    auto query = RecordingScene::from("192.0.2.77");
    query.entry = 1;
    recording.take(query);
    query = RecordingScene::from("198.51.100.1");
    recording.take(query);  // of entry 0
    query.entry = 1;
    recording.take(query);
    RecordingScene::finish(recording);
    BOOST_TEST(scene.lines().size() == 1U);
    BOOST_TEST(scene.rows().size() == 1U);
    const auto status = recording.status();
    BOOST_TEST(status.taken == 1U);
    BOOST_TEST(status.skipped == 1U);
}

// OxiDNS: any of include_marks is needed, any of exclude_marks is enough.
BOOST_AUTO_TEST_CASE(marks_select_what_is_recorded_and_exclusion_wins) {
    RecordingScene scene;
    scene.plan.settings.include_marks = {100, 102};
    scene.plan.settings.exclude_marks = {101};
    scene.plan.include = 0b101;
    scene.plan.exclude = 0b010;
    Recording recording(scene.plan, begin, ignore);
    const auto take = [&](std::uint64_t marks) {
        auto query = RecordingScene::from("192.0.2.77");
        query.marks = marks;
        recording.take(query);
        return recording.status().taken;
    };
    BOOST_TEST(take(0) == 0U);
    BOOST_TEST(take(0b1000) == 0U);  // another mark
    BOOST_TEST(take(0b001) == 1U);
    BOOST_TEST(take(0b100) == 2U);
    BOOST_TEST(take(0b111) == 2U);
    BOOST_TEST(take(0b010) == 2U);
    RecordingScene::finish(recording);
    BOOST_TEST(scene.lines().size() == 2U);
    BOOST_TEST(scene.rows().size() == 2U);
    BOOST_TEST(recording.status().unmarked == 4U);
    BOOST_TEST(recording.status().skipped == 0U);
    // What is only shown is hidden by exclude_marks; include_marks selects what is stored.
    auto query = RecordingScene::from("192.0.2.77");
    BOOST_TEST(!recording.is_excepted(query));
    query.marks = 0b010;
    BOOST_TEST(recording.is_excepted(query));
    query.entry = 3;  // of another server
    BOOST_TEST(!recording.is_excepted(query));
}

BOOST_AUTO_TEST_CASE(include_marks_that_no_rule_sets_record_nothing) {
    RecordingScene scene;
    scene.plan.settings.include_marks = {100};  // without a bit
    Recording recording(scene.plan, begin, ignore);
    auto query = RecordingScene::from("192.0.2.77");
    query.marks = ~std::uint64_t{0};
    recording.take(query);
    BOOST_TEST(recording.status().unmarked == 1U);
}

BOOST_AUTO_TEST_CASE(a_sampled_query_stands_for_those_that_are_left_out) {
    RecordingScene scene;
    scene.plan.settings.one_in = 10;
    Recording recording(scene.plan, begin, ignore);
    for (int i = 0; i < 20'000; ++i)
        recording.take(RecordingScene::from("192.0.2.77"));
    const auto taken = recording.status().taken;
    BOOST_TEST(taken > 1'700U);
    BOOST_TEST(taken < 2'300U);
    // A record that stands for more already is kept as it is.
    auto query = RecordingScene::from("192.0.2.77");
    query.stands_for = 64;
    recording.take(query);
    BOOST_TEST(recording.status().taken == taken + 1);
    RecordingScene::finish(recording);
    const auto lines = scene.lines();
    BOOST_REQUIRE(lines.size() == taken + 1);
    BOOST_TEST(lines.front().at("stands_for").as_int64() == 10);
    BOOST_TEST(lines.back().at("stands_for").as_int64() == 64);
}

BOOST_AUTO_TEST_CASE(a_full_queue_drops_and_counts) {
    RecordingScene scene;
    scene.plan.settings.json.reset();
    scene.plan.settings.queue_size = 100;
    scene.plan.settings.batch_size = 10;
    // Nothing can be written while another program has locked the file.
    { Recording(scene.plan, begin, ignore).hand_over(kBegin, true); }
    Database(scene.plan.settings, ignore).tidy(kBegin);
    Connection other;
    BOOST_REQUIRE(other.open(scene.plan.settings.path, SQLITE_OPEN_READWRITE) == SQLITE_OK);
    BOOST_REQUIRE(other.run("BEGIN IMMEDIATE") == SQLITE_OK);
    Recording recording(scene.plan, begin, ignore);
    for (int i = 0; i < 1000; ++i)
        recording.take(RecordingScene::from("192.0.2.77"));
    const auto dropped = recording.status().sinks.at(0).dropped;
    BOOST_TEST(dropped >= 890U - 20U);
    other.close();
    RecordingScene::finish(recording);
    const auto sink = recording.status().sinks.at(0);
    BOOST_TEST(sink.written + sink.dropped + sink.failed == 1000U);
    BOOST_TEST(scene.rows().size() == sink.written);
}

BOOST_AUTO_TEST_CASE(a_reload_keeps_sinks_that_did_not_change) {
    RecordingScene scene;
    auto first = std::make_unique<Recording>(scene.plan, begin, ignore);
    first->take(RecordingScene::from("192.0.2.1"));
    auto plan = scene.plan;
    plan.settings.mask4 = 24;
    plan.settings.json->file = scene.folder / "other.json";
    Recording second(plan, begin, ignore, *first);
    first.reset();
    second.take(RecordingScene::from("192.0.2.2"));
    RecordingScene::finish(second);
    BOOST_TEST(scene.lines().size() == 1U);
    BOOST_TEST(scene.folder.read("other.json").find("192.0.2.0") != std::string::npos);
    BOOST_TEST(scene.rows().size() == 2U);
    BOOST_TEST(second.status().sinks.at(0).written == 2U);
    BOOST_TEST(second.status().taken == 2U);
}

BOOST_AUTO_TEST_CASE(a_recorder_belongs_to_the_servers_that_run_it) {
    const steer::test::TempFolder folder;
    const auto file = folder.write("steer.yaml", R"(
plugins:
  - { tag: all, type: query_recorder, args: { path: all.db } }
  - { tag: one, type: query_recorder, args: { json: one.json, one_in: 5, include_marks: [7, 8], exclude_marks: [9] } }
  - { tag: none, type: query_recorder, args: { path: none.db } }
  - { tag: inner, type: sequence, args: [ { exec: $one }, { exec: forward 192.0.2.1 } ] }
  - { tag: first, type: sequence, args: [ { exec: $all }, { exec: forward 192.0.2.1 } ] }
  - { tag: second, type: sequence, args: [ { exec: $all }, { exec: jump inner } ] }
  - { tag: udp, type: udp_server, args: { listen: ":53", entry: first } }
  - { tag: tcp, type: tcp_server, args: { listen: ":53", entry: second } }
)");
    const auto loaded = config::load(file, {});
    BOOST_REQUIRE(loaded.ok());
    const auto plans = recording_plans(loaded.settings, {{7, 0}, {8, 3}, {9, 1}, {10, 2}});
    BOOST_REQUIRE(plans.size() == 2U);
    BOOST_TEST(plans[0].tag == "all");
    BOOST_TEST(plans[0].entries == 3U);
    BOOST_TEST(plans[0].settings.path == folder / "all.db");
    BOOST_TEST(plans[1].tag == "one");
    BOOST_TEST(plans[1].entries == 2U);
    BOOST_TEST(plans[1].settings.one_in == 5U);
    BOOST_TEST(plans[1].include == 0b1001U);
    BOOST_TEST(plans[1].exclude == 0b0010U);
    BOOST_TEST(plans[0].include == 0U);
}

namespace {

struct HitScene : RecordingScene {
    HitScene() {
        plan.settings.path.clear();
        plan.settings.json.reset();
        plan.settings.hit_log = config::RecorderJson{.file = folder / "hits/hits.json"};
    }
    static RecordedQuery hit(std::string_view name) {
        auto query = from("192.0.2.77");
        query.name = name;
        query.decision = "blocked";
        query.plugin = "court";
        query.list = "orders.txt";
        query.logs_hit = true;
        return query;
    }
    [[nodiscard]] std::string text() const { return folder.read("hits/hits.json"); }
    void make_folder() const { std::filesystem::create_directory(folder / "hits"); }
};

}  // namespace

BOOST_AUTO_TEST_CASE(the_hit_log_has_what_logged_lists_block) {
    HitScene scene;
    scene.make_folder();
    scene.plan.settings.mask4 = 24;
    Recording recording(scene.plan, begin, ignore);
    auto query = HitScene::hit("a.example");
    query.sha256 = "00ff";
    query.line = 17;
    query.list_rule = "domain:example";
    recording.take(query);
    query.logs_hit = false;  // of another list
    recording.take(query);
    query = HitScene::hit("b.example");
    query.list = "$feed";
    query.serial = 2026112901;
    query.decision = "dropped";
    recording.take(query);
    RecordingScene::finish(recording);
    BOOST_TEST(scene.text() ==
               "{\"time\":\"2026-11-23T16:00:00.000000Z\",\"client\":\"192.0.2.0\","
               "\"name\":\"a.example\",\"type\":\"A\",\"decision\":\"blocked\","
               "\"plugin\":\"court\",\"list\":\"orders.txt\","
               "\"line\":17,\"rule\":\"domain:example\",\"sha256\":\"00ff\"}\n"
               "{\"time\":\"2026-11-23T16:00:00.000000Z\",\"client\":\"192.0.2.0\","
               "\"name\":\"b.example\",\"type\":\"A\",\"decision\":\"dropped\","
               "\"plugin\":\"court\",\"list\":\"$feed\",\"serial\":2026112901}\n");
    const auto sinks = recording.status().sinks;
    BOOST_REQUIRE(sinks.size() == 1U);
    BOOST_TEST(sinks[0].kind == "hit_log");
    BOOST_TEST(sinks[0].written == 2U);
}

BOOST_AUTO_TEST_CASE(the_hit_log_says_what_is_missing) {
    HitScene scene;
    std::atomic<std::int64_t> now{kBegin};
    Recording recording(
        scene.plan, [&now] { return now.load(); }, ignore);
    recording.take(HitScene::hit("a.example"));
    recording.take(HitScene::hit("b.example"));
    RecordingScene::finish(recording);  // there is no folder
    BOOST_TEST(!recording.status().sinks.at(0).is_well);
    scene.make_folder();
    now += RotatingFile::kRetryS * 1'000'000;
    recording.take(HitScene::hit("c.example"));
    RecordingScene::finish(recording);
    BOOST_TEST(scene.text().starts_with(
        "{\"time\":\"2026-11-23T16:00:05.000000Z\",\"lost_lines\":2,\"lost_queries\":0}\n{"));
    recording.note_lost(3);  // without a hit behind it
    RecordingScene::finish(recording);
    BOOST_TEST(scene.text().ends_with("\"lost_lines\":0,\"lost_queries\":3}\n"));
    const auto sink = recording.status().sinks.at(0);
    BOOST_TEST(sink.is_well);
    BOOST_TEST(sink.written == 1U);
    BOOST_TEST(sink.failed == 2U);
}
