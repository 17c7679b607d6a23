// Jobs, by a clock that the test turns.
#include "control/sources/tasks/task_service.h"

#include <boost/asio/executor_work_guard.hpp>
#include <boost/test/unit_test.hpp>
#include <string>
#include <vector>

#include "../fetch/one_server.h"
#include "control/config/load.h"
#include "support/temp_folder.h"

using steer::fetch_test::OneServer;
using steer::tasks::Clocks;
using steer::tasks::TaskService;
using steer::test::TempFolder;

BOOST_AUTO_TEST_SUITE(task_service)

namespace {

struct World {
    World()
        : service(
              main_io,
              [this](const std::string& why, std::function<void(bool)> done) {
                  reloads.push_back(why);
                  pending.push_back(std::move(done));
              },
              [this] { return now; }) {}

    void follow(const std::string& plugins, const std::string& rule = {}) {
        const auto loaded = steer::config::load_text(
            "plugins:\n" + plugins +
                "  - { tag: up, type: forward, args: { upstreams: [ { addr: 192.0.2.1 } ] } }\n"
                "  - { tag: main, type: sequence, args: [ " +
                rule +
                "{ exec: $up } ] }\n"
                "  - { tag: udp, type: udp_server, args: { entry: main, listen: ':53' } }\n"
                "  - { tag: tcp, type: tcp_server, args: { entry: main, listen: ':53' } }\n",
            "steer.yaml");
        for (const auto& error : loaded.errors)
            BOOST_ERROR(error.sentence());
        service.follow(loaded.settings);
    }
    // What is to be done without waiting.
    void settle() {
        main_io.restart();
        main_io.poll();
    }
    void advance(std::uint64_t seconds) {
        now.steady_s += seconds;
        now.wall += std::chrono::seconds(seconds);
        service.check();
        settle();
    }
    void reloaded(bool good = true) {
        BOOST_REQUIRE(!pending.empty());
        const auto done = std::move(pending.front());
        pending.erase(pending.begin());
        done(good);
        settle();
    }
    [[nodiscard]] std::string metrics() const {
        steer::ops::MetricWriter writer;
        service.write_metrics(writer);
        return writer.text(steer::ops::MetricsFormat::openmetrics);
    }
    [[nodiscard]] std::uint64_t runs(const std::string& task, const std::string& result) const {
        const std::string text = metrics();
        const std::string sample =
            "steerdns_task_runs_total{task=\"" + task + "\",result=\"" + result + "\"} ";
        const auto found = text.find(sample);
        return found == std::string::npos ? 999 : std::stoull(text.substr(found + sample.size()));
    }

    boost::asio::io_context main_io;
    Clocks now{steer::config::CronTime::Moment(std::chrono::seconds(1'000'000)), 1'000};
    std::vector<std::string> reloads;
    std::vector<std::function<void(bool)>> pending;
    TaskService service;
};

std::string cron(const std::string& jobs) {
    return "  - { tag: c, type: cron, args: { timezone: UTC, jobs: [ " + jobs + " ] } }\n";
}

}  // namespace

BOOST_AUTO_TEST_CASE(a_job_runs_by_its_interval) {
    World world;
    world.follow(cron("{ name: j, interval: 5m, executors: [ reload ] }"));
    world.advance(299);
    BOOST_TEST(world.reloads.empty());
    world.advance(1);
    BOOST_TEST(world.reloads.size() == 1U);
    world.advance(300);
    BOOST_TEST(world.reloads.size() == 1U, "it is still running");
    BOOST_TEST(world.runs("c/j", "skipped") == 1U);
    world.reloaded();
    BOOST_TEST(world.runs("c/j", "done") == 1U);
    world.advance(300);
    BOOST_TEST(world.reloads.size() == 2U);
    world.reloaded(false);
    BOOST_TEST(world.runs("c/j", "failed") == 1U);
}

// A reload that changes nothing about a job does not put it off.
BOOST_AUTO_TEST_CASE(a_job_keeps_its_time_over_a_reload) {
    World world;
    const std::string job = "{ name: j, interval: 5m, executors: [ reload ] }";
    world.follow(cron(job));
    world.advance(200);
    world.follow(cron(job));
    world.advance(100);
    BOOST_TEST(world.reloads.size() == 1U);
    world.reloaded();
    world.follow(cron("{ name: j, interval: 10m, executors: [ reload ] }"));
    world.advance(599);
    BOOST_TEST(world.reloads.size() == 1U, "another interval begins anew");
    world.advance(1);
    BOOST_TEST(world.reloads.size() == 2U);
    world.reloaded();
    world.follow("");
    world.advance(10'000);
    BOOST_TEST(world.reloads.size() == 2U, "it is gone");
}

BOOST_AUTO_TEST_CASE(steps_run_in_order) {
    World world;
    world.follow(
        "  - { tag: names, type: domain_set, args: { exps: [ a.example ] } }\n"
        "  - { tag: rp, type: reload_provider, args: [ $names ] }\n"
        "  - { tag: inner, type: sequence, args: [ { exec: $rp }, { exec: return }, { exec: reload "
        "} ] }\n"
        "  - { tag: seq, type: sequence, args: [ { exec: debug_print now }, { exec: jump inner }, "
        "{ matches: _false, exec: reload }, { exec: reload }, { exec: accept }, { exec: reload } ] "
        "}\n" +
        cron("{ name: j, schedule: '* * * * *', executors: [ $seq, rp ] }"));
    world.advance(60);
    for (int i = 0; i < 3; ++i) {
        BOOST_TEST(world.reloads.size() == static_cast<std::size_t>(i + 1));
        world.reloaded(i != 0);  // what went wrong does not stop what is behind
    }
    BOOST_TEST(world.reloads[0] == "reload_provider 'rp'");
    BOOST_TEST(world.reloads[1].starts_with("reload '"));
    BOOST_TEST(world.reloads[2] == "reload_provider 'rp'");
    BOOST_TEST(world.runs("c/j", "failed") == 1U);
    BOOST_TEST(world.pending.empty());
}

BOOST_AUTO_TEST_CASE(downloads_replace_their_files) {
    World world;
    const TempFolder folder;
    OneServer server([](const std::string& request) {
        const bool there = request.find("/a.txt") != std::string::npos;
        return OneServer::Reply{there ? steer::fetch_test::ok("one.example\n")
                                      : "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"};
    });
    world.follow("  - { tag: d, type: download, args: { downloads: [ { url: '" +
                 server.url("/none.txt") + "', dir: " + folder.path.string() + "/new }, { url: '" +
                 server.url("/a.txt?x=1") + "', dir: " + folder.path.string() + "/new } ] } }\n" +
                 cron("{ name: j, interval: 1m, executors: [ $d, reload ] }"));
    world.now.steady_s += 60;
    world.service.check();
    const auto work = boost::asio::make_work_guard(world.main_io);
    world.main_io.restart();
    while (world.reloads.empty())
        world.main_io.run_one();
    BOOST_TEST(folder.read("new/a.txt") == "one.example\n");
    BOOST_TEST(std::distance(std::filesystem::directory_iterator(folder.path / "new"), {}) == 1);
    world.reloaded();
    BOOST_TEST(world.runs("c/j", "failed") == 1U);
}

// At most one run of each at a time, and at most one in ten seconds.
BOOST_AUTO_TEST_CASE(queries_start_tasks) {
    World world;
    const std::string plugin = "  - { tag: again, type: reload }\n", rule = "{ exec: $again }, ";
    world.follow(plugin, rule);
    BOOST_TEST(world.service.raise("again"));
    world.settle();
    BOOST_TEST(world.reloads == std::vector<std::string>{"reload 'again'"},
               boost::test_tools::per_element());
    world.advance(11);
    BOOST_TEST(!world.service.raise("again"), "it is under way");
    world.follow(plugin, rule);  // by itself: the same task still
    BOOST_TEST(!world.service.raise("again"));
    world.reloaded();
    BOOST_TEST(world.runs("reload again", "done") == 1U);
    BOOST_TEST(world.service.raise("again"));
    world.settle();
    world.reloaded(false);
    BOOST_TEST(world.runs("reload again", "failed") == 1U);
    BOOST_TEST(world.metrics().find("steerdns_task_good{task=\"reload again\"} 0\n") !=
               std::string::npos);
    world.advance(9);
    BOOST_TEST(!world.service.raise("again"), "less than ten seconds after the last");
    BOOST_TEST(world.reloads.size() == 2U);
    world.advance(1);
    BOOST_TEST(world.service.raise("again"));
    world.settle();
    BOOST_TEST(world.reloads.size() == 3U);
    // A removed task ends the run that it has begun; pending requests for it are dropped.
    world.follow("");
    BOOST_TEST(world.service.raise("again"));
    world.reloaded();
    BOOST_TEST(world.reloads.size() == 3U);
    BOOST_TEST(world.runs("reload again", "done") == 999U, "it is not told any more");
}

BOOST_AUTO_TEST_SUITE_END()
