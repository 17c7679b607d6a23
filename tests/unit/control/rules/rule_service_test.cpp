// What the control socket asks about rules, with a reload that the test ends.
#include "control/sources/rules/rule_service.h"

#include <boost/asio/executor_work_guard.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/test/unit_test.hpp>
#include <fstream>
#include <string>
#include <vector>

#include "../fetch/one_server.h"
#include "control/api/rpc/json_rpc.h"
#include "control/config/load.h"
#include "dataplane/dns/name.h"
#include "support/captured_log.h"
#include "support/temp_folder.h"

namespace json = boost::json;
using steer::rules::RuleService;
using steer::test::TempFolder;

BOOST_AUTO_TEST_SUITE(rule_service)

namespace {

struct World {
    World()
        : service(
              main_io,
              [this](const std::string& why, bool by_queries,
                     std::function<void(RuleService::InForce)> done) {
                  reloads.push_back(by_queries ? why + " by queries" : why);
                  pending.push_back(std::move(done));
              },
              [this] { return generation; }, [this] { return may_learn; }) {
        service.add_methods(methods);
    }

    void follow(const std::string& args = "flush_interval_ms: 0", const std::string& tag = "own") {
        const auto loaded = steer::config::load_text(
            "plugins:\n  - { tag: " + tag + ", type: dynamic_domain_set, args: { path: " + file() +
                ", bootstrap_rules: [ first.example ], " + args +
                " } }\n"
                "  - { tag: up, type: forward, args: { upstreams: [ { addr: 192.0.2.1 } ] } }\n"
                "  - { tag: main, type: sequence, args: [ { matches: qname $" +
                tag +
                ", exec: reject }, { exec: $learn }, { exec: $up } ] }\n"
                "  - { tag: learn, type: learn_domain, args: { max_names: " +
                std::to_string(max_names) + ", provider: " + tag +
                " } }\n"
                "  - { tag: udp, type: udp_server, args: { entry: main, listen: ':53' } }\n"
                "  - { tag: tcp, type: tcp_server, args: { entry: main, listen: ':53' } }\n",
            "steer.yaml");
        for (const auto& error : loaded.errors)
            BOOST_ERROR(error.sentence());
        service.follow(loaded.settings);
    }
    [[nodiscard]] std::string file() const { return folder / "names.txt"; }

    // The number of the question; its answer comes to `answers`.
    std::size_t ask(const std::string& method, const std::string& params) {
        const std::size_t number = answers.size();
        answers.emplace_back();
        rpc.handle(
            R"({"jsonrpc":"2.0","id":1,"method":")" + method + R"(","params":)" + params + "}", {},
            [this, number](const std::string& line) { answers[number] = line; });
        return number;
    }
    std::size_t change(const std::string& what) {
        return ask("rules.change", R"({"tag":"own",)" + what + "}");
    }
    template <class Until>
    void run(Until until) {
        const auto work = boost::asio::make_work_guard(main_io);
        main_io.restart();
        while (!until())
            main_io.run_one();
    }
    void run_to_reload(std::size_t number) {
        run([&] { return reloads.size() == number; });
    }
    json::object result(std::size_t number) {
        run([&] { return !answers[number].empty(); });
        const json::value answer = json::parse(answers[number]);
        const auto* const found = answer.as_object().if_contains("result");
        BOOST_REQUIRE_MESSAGE(found != nullptr, answers[number]);
        return found->as_object();
    }
    std::string error(std::size_t number) {
        run([&] { return !answers[number].empty(); });
        const json::value answer = json::parse(answers[number]);
        const auto* const found = answer.as_object().if_contains("error");
        BOOST_REQUIRE_MESSAGE(found != nullptr, answers[number]);
        return std::string(found->as_object().at("message").as_string());
    }
    void reloaded(const std::string& error = {}) {
        BOOST_REQUIRE(!pending.empty());
        const auto done = std::move(pending.front());
        pending.erase(pending.begin());
        if (error.empty()) ++generation;
        done({generation, error});
    }
    void learn(std::initializer_list<const char*> names) {
        for (const char* const name : names)
            service.learned("learn", *steer::dns::name_from_text(name));
    }
    bool counted(const std::string& result, int count) {
        return metrics().find("steerdns_learned_names_total{plugin=\"learn\",result=\"" + result +
                              "\"} " + std::to_string(count) + "\n") != std::string::npos;
    }
    std::string metrics() {
        steer::ops::MetricWriter writer;
        service.write_metrics(writer);
        return writer.text(steer::ops::MetricsFormat::openmetrics);
    }

    TempFolder folder;
    boost::asio::io_context main_io;
    std::uint32_t generation = 1;
    unsigned max_names = 3;
    bool may_learn = true;
    std::vector<std::string> reloads;
    std::vector<std::function<void(RuleService::InForce)>> pending;
    steer::ops::Methods methods;
    const steer::ops::JsonRpc rpc{methods};
    std::vector<std::string> answers;
    RuleService service;
};

std::string numbers(const json::object& result) {
    return json::serialize(json::value{result.at("added"), result.at("removed"),
                                       result.at("unchanged"), result.at("generation")});
}

}  // namespace

BOOST_AUTO_TEST_CASE(a_change_is_answered_when_it_is_in_force) {
    World world;
    world.follow();
    const auto asked =
        world.change(R"("add":["b.example","first.example"],"remove":["c.example"])");
    world.run_to_reload(1);
    BOOST_TEST(world.reloads[0] == "rules of 'own'");
    BOOST_TEST(world.folder.read("names.txt") == "first.example\nb.example\n");
    BOOST_TEST(world.answers[asked].empty(), "not before");
    world.reloaded();
    BOOST_TEST(numbers(world.result(asked)) == "[1,0,2,2]");
    const auto removed = world.change(R"("remove":["domain:B.example"])");
    world.run_to_reload(2);
    world.reloaded();
    BOOST_TEST(numbers(world.result(removed)) == "[0,1,0,3]");
    BOOST_TEST(world.metrics().find("{set=\"own\",result=\"unchanged\"} 2\n") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(a_change_without_effect_is_answered_at_once) {
    World world;
    world.follow();
    BOOST_TEST(numbers(world.result(world.change(R"("add":["first.example"])"))) == "[0,0,1,1]");
    BOOST_TEST(world.reloads.empty());
}

// What was written stays; who asks for it again is notified when it is in force.
BOOST_AUTO_TEST_CASE(a_change_is_refused_with_its_reload) {
    World world;
    world.follow();
    const auto asked = world.change(R"("add":["b.example"])");
    world.run_to_reload(1);
    world.reloaded("other.yaml:7: no");
    BOOST_TEST(world.error(asked) ==
               "written to " + world.file() + ", but not in force: other.yaml:7: no");
    const auto again = world.change(R"("add":["b.example"])");
    world.run_to_reload(2);
    world.reloaded();
    BOOST_TEST(numbers(world.result(again)) == "[0,0,1,2]");
}

BOOST_AUTO_TEST_CASE(changes_are_collected_until_a_batch_is_full) {
    World world;
    world.follow("flush_interval_ms: 60000, batch_size: 3");
    const auto one = world.change(R"("add":["a.example"])");
    const auto two = world.change(R"("add":["b.example","c.example","d.example"])");
    world.run_to_reload(1);
    BOOST_TEST(world.folder.read("names.txt") ==
               "first.example\na.example\nb.example\nc.example\n");
    world.reloaded();
    BOOST_TEST(numbers(world.result(one)) == "[1,0,0,2]");
    BOOST_TEST(world.answers[two].empty(), "d.example is not written yet");
    const auto three = world.change(R"("remove":["a.example","b.example"])");
    world.run_to_reload(2);
    BOOST_TEST(world.folder.read("names.txt") == "first.example\nc.example\nd.example\n");
    world.reloaded();
    BOOST_TEST(numbers(world.result(two)) == "[3,0,0,3]");
    BOOST_TEST(numbers(world.result(three)) == "[0,2,0,3]");
}

BOOST_AUTO_TEST_CASE(learned_names_are_written_and_in_force_until_the_set_is_full) {
    World world;
    world.follow();
    const auto counted = [&](const std::string& result, int count) {
        return world.counted(result, count);
    };
    world.learn({"a.example"});
    world.service.poll(1'000);
    world.run_to_reload(1);
    BOOST_TEST(world.reloads[0] == "rules of 'own' by queries");
    BOOST_TEST(world.folder.read("names.txt") == "first.example\nfull:a.example\n");
    BOOST_TEST(counted("added", 0), "not before it is in force");
    world.reloaded();
    BOOST_TEST(counted("added", 1));
    // The second cannot be a rule; the third is one.
    world.learn({"b.example", "a\\.b.example", "a.example", "c.example"});
    world.service.poll(2'000);
    world.service.poll(11'000);
    world.run_to_reload(2);
    world.reloaded();
    BOOST_TEST(world.folder.read("names.txt") == "first.example\nfull:a.example\nfull:b.example\n");
    BOOST_TEST(counted("added", 2));
    BOOST_TEST(counted("refused", 2));
    BOOST_TEST(counted("unchanged", 1));
    world.learn({"d.example"});
    world.service.poll(21'000);
    world.run([&] { return counted("refused", 3); });
    BOOST_TEST(world.reloads.size() == 2U, "a full set is not built anew");
}

BOOST_AUTO_TEST_CASE(names_beyond_a_batch_and_the_queue_are_learned_later) {
    World world;
    world.max_names = 100;
    world.follow("flush_interval_ms: 0, batch_size: 2, queue_size: 2");
    world.learn({"a.example", "b.example", "c.example"});
    world.service.poll(1'000);
    world.run_to_reload(1);
    BOOST_TEST(world.folder.read("names.txt") == "first.example\nfull:a.example\nfull:b.example\n");
    world.reloaded();
    world.service.poll(11'000);
    world.run_to_reload(2);
    world.reloaded();
    BOOST_TEST(world.counted("added", 3));
    // Changes by a person go before learned names in the queue.
    world.follow("flush_interval_ms: 60000, batch_size: 2, queue_size: 2");
    (void)world.change(R"("remove":["a.example"])");
    world.run([&] {
        return world.metrics().find("steerdns_rules_waiting{set=\"own\"} 1\n") != std::string::npos;
    });
    world.learn({"d.example", "e.example"});
    world.service.poll(21'000);
    world.run_to_reload(3);
    BOOST_TEST(world.reloads[2] == "rules of 'own'", "not by queries alone");
    world.reloaded();
    BOOST_TEST(world.counted("added", 4));
    world.follow("flush_interval_ms: 0");
    world.service.poll(31'000);
    world.run_to_reload(4);
    world.reloaded();
    BOOST_TEST(world.counted("added", 5));
    BOOST_TEST(world.counted("refused", 0));
}

BOOST_AUTO_TEST_CASE(rules_that_wait_for_the_set_count_for_max_names) {
    World world;
    world.follow("flush_interval_ms: 60000, batch_size: 2");  // first.example; two more fit
    (void)world.change(R"("add":["x.example"])");
    world.run([&] {
        return world.metrics().find("steerdns_rules_waiting{set=\"own\"} 1\n") != std::string::npos;
    });
    world.learn({"a.example", "b.example"});
    world.service.poll(1'000);
    world.run_to_reload(1);
    world.reloaded();
    BOOST_TEST(world.folder.read("names.txt") == "first.example\nx.example\nfull:a.example\n");
    BOOST_TEST(world.counted("added", 1));
    BOOST_TEST(world.counted("refused", 1));
}

// A learned name must not put another process's edit in force.
BOOST_AUTO_TEST_CASE(nothing_is_learned_while_files_differ_from_what_is_in_force) {
    World world;
    world.follow();
    world.may_learn = false;
    world.learn({"a.example"});
    world.service.poll(1'000);
    BOOST_TEST(numbers(world.result(world.change(R"("add":["first.example"])"))) == "[0,0,1,1]");
    BOOST_TEST(world.folder.read("names.txt") == "first.example\n");
    world.may_learn = true;
    world.service.poll(2'000);
    world.may_learn = false;  // changed while the rule is written
    world.run([&] { return world.counted("refused", 1); });
    BOOST_TEST(world.folder.read("names.txt") == "first.example\nfull:a.example\n");
    BOOST_TEST(world.reloads.empty());
    (void)world.change(R"("add":["b.example"])");
    world.run_to_reload(1);
    BOOST_TEST(world.reloads[0] == "rules of 'own'", "a person may");
}

BOOST_AUTO_TEST_CASE(an_unreadable_file_refuses_learned_names) {
    World world;
    world.follow();
    (void)world.result(world.change(R"("add":["first.example"])"));
    std::filesystem::remove(world.file());
    std::filesystem::create_directory(world.file());
    const steer::test::CapturedLog log;
    for (int i = 1; i <= 2; ++i) {
        world.learn({"a.example"});
        world.service.poll(static_cast<std::uint64_t>(i) * 10'000);
        world.run([&] { return world.counted("refused", i); });
    }
    BOOST_TEST(log.count("'own' learns no names: ") == 1U);
}

BOOST_AUTO_TEST_CASE(a_full_queue_refuses_changes) {
    World world;
    world.follow("flush_interval_ms: 60000, queue_size: 2");
    const auto one = world.change(R"("add":["a.example"])");
    const auto two = world.change(R"("add":["b.example","c.example"])");
    const std::string why = world.error(two);
    BOOST_TEST(why.find("room for 1 more changes of 2 (queue_size), and these are 2") !=
               std::string::npos);
    BOOST_TEST(world.metrics().find("steerdns_rules_waiting{set=\"own\"} 1\n") !=
               std::string::npos);
    world.follow("flush_interval_ms: 0", "other");
    BOOST_TEST(world.error(one).find("was removed from the configuration") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(invalid_changes_are_refused) {
    World world;
    world.follow();
    const auto bad = [&](const std::string& method, const std::string& params) {
        return world.error(world.ask(method, params));
    };
    BOOST_TEST(bad("rules.change", R"({"tag":"own","add":["suffix:x"]})").find("write domain:") !=
               std::string::npos);
    BOOST_TEST(bad("rules.change", R"({"tag":"own","add":["a.example","regexp:("]})") != "");
    BOOST_TEST(bad("rules.change", R"({"tag":"own"})") == "write at least one rule");
    BOOST_TEST(bad("rules.change", R"({"tag":"own","add":"x"})").find("expected a list") !=
               std::string::npos);
    BOOST_TEST(bad("rules.list", R"({"tag":"owm"})") ==
               "there is no dynamic_domain_set \"owm\": did you mean 'own'?");
    BOOST_TEST(bad("rules.list", R"({"tag":"entirely"})").find(": there is own") !=
               std::string::npos);
    BOOST_TEST(bad("rules.list", "[]").find("parameters are given by name") == 0U);
    BOOST_TEST(world.folder.read("names.txt") == "first.example\n", "none of it was written");
    BOOST_TEST(world.reloads.empty());
    std::filesystem::remove(world.file());
    std::filesystem::create_directory(world.file());
    BOOST_TEST(world.error(world.change(R"("add":["a.example"])")).find("not a regular file") !=
               std::string::npos);
    const auto sets = world.result(world.ask("rules", "{}"));
    BOOST_TEST(json::serialize(sets).find("not a regular file") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(the_rules_of_each_set_are_listed) {
    World world;
    world.follow();
    (void)world.result(world.change(R"("remove":["x.example"])"));  // the file is made by now
    std::ofstream(world.file()) << "# mine\n a.example # b\n\nregexp:^x # y$\nno good\n";
    const auto listed = world.result(world.ask("rules.list", R"({"tag":"own"})"));
    BOOST_TEST(json::serialize(listed.at("rules")) ==
               R"([{"rule":"a.example","line":2},{"rule":"regexp:^x # y$","line":4}])");
    const auto sets = world.result(world.ask("rules", "{}"));
    BOOST_TEST(json::serialize(sets) == R"({"sets":[{"tag":"own","file":")" + world.file() +
                                            R"(","rules":2,"waiting":0,"trouble":""}]})");
}

// ---- max_entries, entry_ttl_seconds

namespace {

struct LimitedWorld : World {
    LimitedWorld() {
        max_names = 100;
        service.use_clock([this] { return wall_ms; });
        follow(
            "flush_interval_ms: 0, max_entries: 3, entry_ttl_seconds: 60, "
            "cleanup_interval_seconds: "
            "20, metadata_path: " +
            (folder / "meta.json"));
    }
    void learn_in_force(std::initializer_list<const char*> names, std::uint64_t at_ms) {
        learn(names);
        service.poll(at_ms);
        run_to_reload(reloads.size() + 1);
        reloaded();
    }
    bool changes(const std::string& result, int count) {
        return metrics().find("steerdns_rule_changes_total{set=\"own\",result=\"" + result +
                              "\"} " + std::to_string(count) + "\n") != std::string::npos;
    }
    std::int64_t wall_ms = 1'767'225'600'000;
};

}  // namespace

BOOST_AUTO_TEST_CASE(a_full_set_learns_nothing_and_a_person_takes_the_place_of_a_learned_name) {
    const steer::test::CapturedLog log;
    LimitedWorld world;
    world.learn_in_force({"a.example", "b.example", "c.example"}, 1'000);
    BOOST_TEST(world.folder.read("names.txt") == "first.example\nfull:a.example\nfull:b.example\n");
    BOOST_TEST(world.counted("added", 2));
    BOOST_TEST(world.counted("refused", 1));
    BOOST_TEST(log.count("has max_entries (3) rules, no name is learned") == 1U);
    const auto mine = world.change(R"("add":["mine.example","more.example"])");
    world.run_to_reload(2);
    world.reloaded();
    BOOST_TEST(numbers(world.result(mine)) == "[2,0,0,3]");
    BOOST_TEST(world.folder.read("names.txt") == "first.example\nmine.example\nmore.example\n");
    BOOST_TEST(world.changes("displaced", 2));
    const auto over = world.change(R"("add":["over.example"],"remove":["more.example"])");
    world.run_to_reload(3);
    world.reloaded();
    const std::string why = world.error(over);
    BOOST_TEST(why.find("1 rules were not added") == 0U, why);
    BOOST_TEST(why.find("max_entries (3)") != std::string::npos, why);
}

BOOST_AUTO_TEST_CASE(learned_names_are_removed_when_their_time_is_over) {
    LimitedWorld world;
    world.learn_in_force({"a.example"}, 1'000);
    world.wall_ms += 30'000;
    world.learn_in_force({"b.example"}, 12'000);
    // Too young; and the search is not due more often than every 20 s.
    world.wall_ms += 29'999;
    world.service.poll(40'000);
    (void)world.result(world.ask("rules", "{}"));
    BOOST_TEST(world.reloads.size() == 2U);
    world.wall_ms += 1;
    world.service.poll(50'000);
    (void)world.result(world.ask("rules", "{}"));
    BOOST_TEST(world.reloads.size() == 2U);
    world.service.poll(60'000);
    world.run_to_reload(3);
    BOOST_TEST(world.reloads[2] == "rules of 'own' by queries");
    BOOST_TEST(world.folder.read("names.txt") == "first.example\nfull:b.example\n");
    world.reloaded();
    BOOST_TEST(world.changes("expired", 1));
    BOOST_TEST(world.changes("removed", 0));
    // What remains is listed with its origin.
    const auto listed = world.result(world.ask("rules.list", R"({"tag":"own"})"));
    BOOST_TEST(
        json::serialize(listed.at("rules")) ==
        R"([{"rule":"first.example","line":1},{"rule":"full:b.example","line":2,"learned_s":)"
        R"(1767225630}])");
    const auto sets = world.result(world.ask("rules", "{}"));
    BOOST_TEST(json::serialize(sets).find(R"("rules":2,"max_entries":3,"learned":1,)") !=
               std::string::npos);
}

// As what queries teach: not while an operator's edit is not in force.
BOOST_AUTO_TEST_CASE(no_name_expires_while_files_differ_from_what_is_in_force) {
    LimitedWorld world;
    world.learn_in_force({"a.example"}, 1'000);
    world.wall_ms += 60'000;
    world.may_learn = false;
    world.service.poll(30'000);
    (void)world.result(world.ask("rules", "{}"));
    BOOST_TEST(world.folder.read("names.txt") == "first.example\nfull:a.example\n");
    world.may_learn = true;
    world.service.poll(31'000);
    world.run_to_reload(2);
    world.reloaded();
    BOOST_TEST(world.folder.read("names.txt") == "first.example\n");
}

BOOST_AUTO_TEST_CASE(damaged_metadata_is_logged_once_and_refuses_changes) {
    const steer::test::CapturedLog log;
    LimitedWorld world;
    (void)world.folder.write("meta.json", "[]");
    for (const std::uint64_t at_ms : {30'000U, 60'000U}) {
        world.service.poll(at_ms);
        (void)world.result(world.ask("rules", "{}"));
    }
    BOOST_TEST(log.count("'own' removes no old names: ") == 1U);
    BOOST_TEST(world.error(world.change(R"("add":["a.example"])")).find("it is not an object") !=
               std::string::npos);
    const auto sets = world.result(world.ask("rules", "{}"));
    BOOST_TEST(json::serialize(sets).find("it is not an object") != std::string::npos);
}

// Only a foreign change needs a reload.
BOOST_AUTO_TEST_CASE(the_service_tells_its_own_change_of_the_file_from_a_foreign_one) {
    World world;
    world.follow();
    BOOST_TEST(!world.service.is_own_change(world.file()));
    BOOST_TEST(!world.service.is_own_change("another"));
    const auto asked = world.change(R"("add":["a.example"])");
    world.run_to_reload(1);
    world.reloaded();
    (void)world.result(asked);
    BOOST_TEST(world.service.is_own_change(world.file()));
    std::ofstream(world.file(), std::ios::app) << "theirs.example\n";
    BOOST_TEST(!world.service.is_own_change(world.file()));
}

BOOST_AUTO_TEST_SUITE_END()
