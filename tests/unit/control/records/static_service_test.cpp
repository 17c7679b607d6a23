// What the control socket asks about static records, with a reload and a flush that the test ends.
#include "control/sources/records/static_service.h"

#include <boost/asio/executor_work_guard.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/test/unit_test.hpp>
#include <filesystem>
#include <string>
#include <vector>

#include "control/api/rpc/json_rpc.h"
#include "control/config/load.h"
#include "support/temp_folder.h"

namespace json = boost::json;
using steer::records::StaticService;
using steer::test::TempFolder;

BOOST_AUTO_TEST_SUITE(static_service)

namespace {

struct World {
    World()
        : service(
              main_io,
              [this](const std::string& why, std::function<void(StaticService::InForce)> done) {
                  reloads.push_back(why);
                  pending.push_back(std::move(done));
              },
              [this](std::vector<steer::matchers::Rule> names,
                     std::function<void(steer::Result<std::uint64_t>)> done) {
                  for (const auto& name : names)
                      flushed += name.text + " ";
                  done(flush_error.empty()
                           ? steer::Result<std::uint64_t>(names.size())
                           : steer::Result<std::uint64_t>(steer::Error{flush_error}));
              }) {
        service.add_methods(methods);
        load();
    }

    // As a reload does.
    std::string load() {
        const auto loaded = steer::config::load_text(
            "control: { static: " + off + " }\nplugins:\n" + plugins +
                "  - { tag: corp, type: forward, args: { upstreams: [ { addr: 192.0.2.1 } ] } }\n"
                "  - { tag: main, type: sequence, args: [ " +
                uses +
                " { exec: $corp } ] }\n"
                "  - { tag: udp, type: udp_server, args: { entry: main, listen: ':53' } }\n",
            "steer.yaml");
        if (!loaded.ok()) return loaded.errors.front().sentence();
        service.follow(loaded.settings);
        return {};
    }

    std::size_t ask(const std::string& method, const std::string& params) {
        const std::size_t number = answers.size();
        answers.emplace_back();
        rpc.handle(
            R"({"jsonrpc":"2.0","id":1,"method":")" + method + R"(","params":)" + params + "}", {},
            [this, number](const std::string& line) { answers[number] = line; });
        return number;
    }
    template <class Until>
    void run(Until until) {
        const auto work = boost::asio::make_work_guard(main_io);
        main_io.restart();
        while (!until())
            main_io.run_one();
    }
    // Answers reloads as the daemon does until the request is answered.
    json::value wait(std::size_t number) {
        for (;;) {
            run([&] { return !answers[number].empty() || !pending.empty(); });
            if (!answers[number].empty()) return json::parse(answers[number]);
            const auto done = std::move(pending.front());
            pending.erase(pending.begin());
            const std::string error = reload_error.empty() ? load() : reload_error;
            if (error.empty()) ++generation;
            done({generation, error});
        }
    }
    json::object result(const std::string& method, const std::string& params) {
        const json::value answer = wait(ask(method, params));
        const auto* const found = answer.as_object().if_contains("result");
        BOOST_REQUIRE_MESSAGE(found != nullptr, json::serialize(answer));
        return found->as_object();
    }
    std::string error(const std::string& method, const std::string& params) {
        const json::value answer = wait(ask(method, params));
        const auto* const found = answer.as_object().if_contains("error");
        BOOST_REQUIRE_MESSAGE(found != nullptr, json::serialize(answer));
        return std::string(found->as_object().at("message").as_string());
    }
    json::object add(const std::string& words) {
        return result("static.add", R"({"record":[)" + words + "]}");
    }
    std::string refused(const std::string& words) {
        return error("static.add", R"({"record":[)" + words + "]}");
    }
    // "number name data-ish words" of each record.
    std::string printed(const std::string& params = "{}") {
        std::string out;
        const json::object all = result("static.print", params);
        for (const json::value& one : all.at("records").as_array()) {
            const auto& record = one.as_object();
            const auto& words = record.at("words").as_object();
            out += json::serialize(record.at("number"));
            out += record.at("runtime").as_bool() ? "R " : " ";
            out += std::string(words.contains("name") ? words.at("name").as_string()
                                                      : words.at("regexp").as_string()) +
                   "\n";
        }
        return out;
    }
    [[nodiscard]] std::string file() const { return folder.read("static.yaml"); }
    std::string metrics() {
        steer::ops::MetricWriter writer;
        service.write_metrics(writer);
        return writer.text(steer::ops::MetricsFormat::openmetrics);
    }

    TempFolder folder;
    std::string off = folder / "static.yaml";
    std::string plugins =
        "  - { tag: local, type: static, args: { records: [ { name: router.lan, address: "
        "192.168.88.1 } ] } }\n";
    std::string uses = "{ exec: $local },";
    boost::asio::io_context main_io;
    std::uint32_t generation = 1;
    std::string flushed, flush_error, reload_error;
    std::vector<std::string> reloads;
    std::vector<std::function<void(StaticService::InForce)>> pending;
    steer::ops::Methods methods;
    const steer::ops::JsonRpc rpc{methods};
    std::vector<std::string> answers;
    StaticService service;
};

}  // namespace

BOOST_AUTO_TEST_CASE(a_record_is_kept_in_force_printed_and_removed) {
    World world;
    const auto added = world.add(R"("name=nas.lan","address=192.168.88.10","ttl=1h")");
    BOOST_TEST(json::serialize(added.at("added")) ==
               R"(["type=A name=nas.lan address=192.168.88.10 ttl=1h"])");
    BOOST_TEST(added.at("generation").to_number<int>() == 2);
    BOOST_TEST(world.flushed == "nas.lan 10.88.168.192.in-addr.arpa ");
    BOOST_TEST(world.reloads.size() == 1);
    BOOST_TEST(world.file().ends_with(
        "local:\n  - {name: nas.lan, address: \"192.168.88.10\", ttl: 1h}\n"));
    world.add(R"("name=tv.lan","type=CNAME","cname=nas.lan")");
    BOOST_TEST(world.printed() == "0R nas.lan\n1R tv.lan\n2 router.lan\n");
    BOOST_TEST(world.printed(R"({"where":["name=NAS.lan"]})") == "0R nas.lan\n");
    BOOST_TEST(world.printed(R"({"where":["type=CNAME"]})") == "1R tv.lan\n");
    BOOST_TEST(world.printed(R"({"plugin":"local","where":["type=MX"]})").empty());
    BOOST_TEST(
        world.metrics().find("steerdns_static_records{plugin=\"local\",origin=\"runtime\"} 2\n") !=
        std::string::npos);
    const auto removed = world.result("static.remove", R"({"number":0})");
    BOOST_TEST(json::serialize(removed.at("removed")) ==
               R"(["type=A name=nas.lan address=192.168.88.10 ttl=1h"])");
    BOOST_TEST(world.printed() == "0R tv.lan\n1 router.lan\n");
    world.result("static.remove", R"({"where":["name=tv.lan"]})");
    BOOST_TEST(world.printed() == "0 router.lan\n");
    BOOST_TEST(world.file().find("local") == std::string::npos);
    BOOST_TEST(world.metrics().find("steerdns_static_changes_total{result=\"added\"} 2\n") !=
               std::string::npos);
}

BOOST_AUTO_TEST_CASE(what_would_not_load_is_refused_before_it_is_written) {
    World world;
    BOOST_TEST(world.refused(R"("name=a.lan")") ==
               "the record has no 'address': expected an IPv4 address");
    BOOST_TEST(world.refused(R"("name=a.lan","address=x")") ==
               "the record has the address \"x\": expected an IPv4 address");
    BOOST_TEST(world.refused(R"("name=a.lan","type=MX")") ==
               "the record has no 'mx_exchange': add it");
    BOOST_TEST(world.refused(R"("name=a.lan","type=PTR","address=192.0.2.1")")
                   .find("\"PTR\": expected one of A, AAAA, CNAME") != std::string::npos);
    BOOST_TEST(world.refused(R"("address=192.0.2.1")") ==
               "the record has neither 'name' nor 'regexp': write one");
    BOOST_TEST(world.refused(R"("name=a..lan","address=192.0.2.1")")
                   .starts_with("the record has an invalid name: "));
    BOOST_TEST(world.refused(R"("regexp=(","type=NXDOMAIN")")
                   .starts_with("the record has an invalid name: "));
    BOOST_TEST(world.refused(R"("name=a.lan","type=FWD","forward-to=nobody")") ==
               "the record forwards to \"nobody\": expected the tag of a forward, or an address");
    BOOST_TEST(world.refused(R"("name=a.lan","address=192.0.2.1","ttl=99999d")").find("ttl") !=
               std::string::npos);
    BOOST_TEST(world.refused(R"("name=a.lan","type=MX","mx-exchange=m.lan","mx-preference=70000")")
                   .find("mx_preference") != std::string::npos);
    BOOST_TEST(world.refused(R"("name=router.lan","address=192.168.88.1")") ==
               "the record exists already in static 'local': 'steerctl static print' shows it");
    BOOST_TEST(world.refused(R"("name=ROUTER.lan.","address=192.168.88.1","ttl=5m")")
                   .starts_with("the record exists already"));
    world.add(R"("name=one.lan","type=CNAME","cname=two.lan")");
    BOOST_TEST(world.refused(R"("name=two.lan","type=CNAME","cname=one.lan")")
                   .find("form a loop through") != std::string::npos);
    BOOST_TEST(world.reloads.size() == 1);
    BOOST_TEST(world.printed() == "0R one.lan\n1 router.lan\n");
    // A second address of a name is none of these.
    world.add(R"("name=router.lan","address=192.168.88.2")");
    world.add(R"("name=fwd.lan","type=FWD","forward-to=corp")");
    world.add(R"("name=fwd2.lan","type=FWD","forward-to=192.0.2.7")");
    world.add(R"("name=off.lan","type=NXDOMAIN","disabled=yes")");
    BOOST_TEST(world.refused(R"("name=fwd.lan","type=FWD","forward-to=192.0.2.9")")
                   .starts_with("the record exists already"));
}

BOOST_AUTO_TEST_CASE(a_refused_reload_leaves_the_file_as_it_was) {
    World world;
    world.reload_error = "steer.yaml:7: unknown key";
    BOOST_TEST(world.refused(R"("name=nas.lan","address=192.168.88.10")") ==
               "not in force, and not kept: steer.yaml:7: unknown key");
    BOOST_TEST(!std::filesystem::exists(world.folder / "static.yaml"));
    world.reload_error.clear();
    world.add(R"("name=tv.lan","address=192.168.88.20")");
    const std::string before = world.file();
    world.reload_error = "no memory";
    world.refused(R"("name=nas.lan","address=192.168.88.10")");
    BOOST_TEST(world.file() == before);
    world.error("static.remove", R"({"number":0})");
    BOOST_TEST(world.file() == before);
    BOOST_TEST(world.printed() == "0R tv.lan\n1 router.lan\n");
    BOOST_TEST(world.flushed == "tv.lan 20.88.168.192.in-addr.arpa ");
}

BOOST_AUTO_TEST_CASE(a_bad_file_is_named_and_not_touched) {
    World world;
    world.folder.write("static.yaml",
                       "local:\n  - {name: nas.lan, address: 192.168.88.10}\n  - nonsense\n");
    const std::string before = world.file();
    BOOST_TEST(world.refused(R"("name=tv.lan","address=192.168.88.20")") ==
               "the file of runtime records has an error, and was not changed: " +
                   (world.folder / "static.yaml") +
                   ":3: expected a record, as in '{name: nas.lan, address: 192.168.88.10}'");
    BOOST_TEST(world.file() == before);
    BOOST_TEST(world.reloads.empty());
    BOOST_TEST(world.load().starts_with((world.folder / "static.yaml") + ":3: "));
}

BOOST_AUTO_TEST_CASE(an_edit_by_hand_is_kept) {
    World world;
    world.add(R"("name=nas.lan","address=192.168.88.10")");
    world.folder.write("static.yaml",
                       "local:\n  - name: hand.lan  # by hand\n    address: 192.168.88.9\n"
                       "other:\n  - {name: x.lan, type: NXDOMAIN}\n");
    // What was printed is not there any more.
    BOOST_TEST(world.error("static.remove", R"({"number":0})")
                   .starts_with("the file of runtime records has changed"));
    world.add(R"("name=tv.lan","address=192.168.88.20")");
    BOOST_TEST(
        world.file().ends_with("local:\n  - {name: hand.lan, address: \"192.168.88.9\"}\n"
                               "  - {name: tv.lan, address: \"192.168.88.20\"}\nother:\n  - {name: "
                               "x.lan, type: NXDOMAIN}\n"));
    BOOST_TEST(world.printed() == "0R hand.lan\n1R tv.lan\n2 router.lan\n");
}

BOOST_AUTO_TEST_CASE(records_of_the_configuration_are_not_removed) {
    World world;
    BOOST_TEST(world.error("static.remove", R"({"number":0})") ==
               "record 0 is in the configuration, at steer.yaml:3: remove it there, then reload");
    BOOST_TEST(world.error("static.remove", R"({"where":["name=router.lan"]})")
                   .starts_with("record 0 is in the configuration"));
    BOOST_TEST(world.error("static.remove", R"({"number":7})") ==
               "static 'local' has no such record: 'steerctl static print' shows all");
    BOOST_TEST(world.error("static.remove", "{}").starts_with("write which records to remove"));
    BOOST_TEST(world.error("static.remove", R"({"number":1,"where":["name=a"]})")
                   .starts_with("write which records to remove"));
}

BOOST_AUTO_TEST_CASE(the_plugin_is_named_if_there_are_several) {
    World world;
    world.plugins += "  - { tag: lab, type: static }\n";
    world.uses += " { exec: $lab },";
    BOOST_TEST(world.load().empty());
    BOOST_TEST(world.refused(R"("name=a.lan","address=192.0.2.1")") ==
               "there are several static plugins: name one with --plugin, of local, lab");
    BOOST_TEST(world.error("static.add", R"({"plugin":"lap","record":["name=a.lan"]})") ==
               "there is no static \"lap\": did you mean 'lab'?");
    world.result("static.add", R"({"plugin":"lab","record":["name=a.lan","address=192.0.2.1"]})");
    BOOST_TEST(world.printed() == "0 router.lan\n0R a.lan\n");
    BOOST_TEST(world.printed(R"({"plugin":"lab"})") == "0R a.lan\n");
    world.plugins.clear();
    world.uses.clear();
    BOOST_TEST(world.load().empty());
    BOOST_TEST(
        world.error("static.print", "{}").starts_with("the configuration has no static: add"));
}

BOOST_AUTO_TEST_CASE(limits_and_off) {
    World world;
    std::string text = "local:\n";
    for (std::size_t i = 0; i < steer::records::kMaxRecords; ++i)
        text += "  - {name: n" + std::to_string(i) + ".lan, address: 192.0.2.1}\n";
    world.folder.write("static.yaml", text);
    BOOST_TEST(world.load().empty());
    BOOST_TEST(world.refused(R"("name=tv.lan","address=192.168.88.20")")
                   .starts_with("there are 10000 runtime records already"));
    std::vector<std::size_t> asked;
    for (std::size_t i = 0; i <= StaticService::kMaxWaiting; ++i)
        asked.push_back(world.ask("static.remove", R"({"number":)" + std::to_string(i) + "}"));
    BOOST_TEST(world.answers.back().find("64 changes of static records wait already") !=
               std::string::npos);
    for (const std::size_t number : asked)
        world.wait(number);
    BOOST_TEST(world.printed(R"({"where":["name=n63.lan"]})").empty());
    BOOST_TEST(world.printed(R"({"where":["name=n64.lan"]})") == "0R n64.lan\n");
    world.off = "off";
    BOOST_TEST(world.load().empty());
    BOOST_TEST(world.refused(R"("name=tv.lan","address=192.168.88.20")") ==
               "records are not kept: `control.static` is off; give it a file");
}

BOOST_AUTO_TEST_CASE(a_failed_flush_is_reported_with_the_change) {
    World world;
    world.flush_error = "16 jobs wait already";
    const auto added = world.add(R"("name=nas.lan","address=192.168.88.10")");
    BOOST_TEST(added.at("trouble").as_string() ==
               "cached answers of these names stay until they expire: 16 jobs wait already");
}

BOOST_AUTO_TEST_SUITE_END()
