// What the control socket asks about rules of people, and which rule decides.
#include "control/sources/blocking/blocking_service.h"

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/test/unit_test.hpp>
#include <cstdlib>
#include <memory>
#include <string>

#include "control/api/rpc/json_rpc.h"
#include "support/temp_folder.h"

namespace steer::blocking {
namespace {

namespace json = boost::json;

struct StillClock final : Clock {
    Now now() override { return {.ms = ms}; }
    std::uint64_t ms = 10'000;
};

struct FreeQsbr {
    void operator()(rte_rcu_qsbr* qsbr) const { std::free(qsbr); }
};

std::unique_ptr<rte_rcu_qsbr, FreeQsbr> new_qsbr() {
    std::unique_ptr<rte_rcu_qsbr, FreeQsbr> out(
        static_cast<rte_rcu_qsbr*>(std::aligned_alloc(64, rte_rcu_qsbr_get_memsize(1))));
    BOOST_REQUIRE(out != nullptr && rte_rcu_qsbr_init(out.get(), 1) == 0);
    return out;
}

const std::string kMac = "02:00:00:00:00:01";
constexpr std::uint64_t kMacNumber = 0x020000000001;

struct RulesWorld {
    explicit RulesWorld(const std::string& name = "rules.json")
        : service(
              main_io, {[] { return std::int64_t{1'790'000'000}; }, clock}, qsbr.get(), live,
              groups, [this](std::string_view written) { return find(written); }, folder / name,
              [](std::vector<matchers::Rule>) {}) {
        service.add_methods(methods);
    }
    // "tablet" is a device, "kids" a group.
    [[nodiscard]] Result<clients::Audience> find(std::string_view written) const {
        return clients::found_audience(written, groups, [] {
            clients::ClientRow row;
            row.mac = kMac;
            row.name = "Tablet";
            row.source = clients::NameSource::given;
            return std::vector<clients::ClientRow>{row};
        });
    }
    // The result, or the error's message.
    std::string ask(const std::string& method, const std::string& params) {
        std::string line;
        rpc.handle(
            R"({"jsonrpc":"2.0","id":1,"method":")" + method + R"(","params":)" + params + "}",
            {.who = "uid 1000, gid 1000, pid 7", .name = "anna"},
            [&line](const std::string& text) { line = text; });
        const auto work = boost::asio::make_work_guard(main_io);
        main_io.restart();
        while (line.empty())
            main_io.run_one();
        const json::value answer = json::parse(line);
        if (const auto* const result = answer.as_object().if_contains("result"))
            return json::serialize(*result);
        return std::string(answer.at("error").at("message").as_string());
    }
    // "NUMBER NAME" of each rule, the one that decides with "!".
    [[nodiscard]] std::string about(std::string_view name, const char* client = nullptr,
                                    std::uint64_t mac = 0) const {
        std::string out;
        const auto of = client == nullptr ? std::nullopt : std::optional(*IpAddress::parse(client));
        for (const json::value& rule : service.about(name, of, mac))
            out += std::to_string(rule.at("number").to_number<unsigned>()) + " " +
                   std::string(rule.at("name").as_string()) +
                   (rule.at("decides").as_bool() ? "!;" : ";");
        return out;
    }

    test::TempFolder folder;
    boost::asio::io_context main_io;
    StillClock clock;
    std::unique_ptr<rte_rcu_qsbr, FreeQsbr> qsbr = new_qsbr();
    std::shared_ptr<LiveRules> live = std::make_shared<LiveRules>();
    clients::GroupBook groups;
    BlockingService service;
    ops::Methods methods;
    ops::JsonRpc rpc{methods};
};

bool has_part(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
}

BOOST_AUTO_TEST_SUITE(blocking_service)

BOOST_AUTO_TEST_CASE(a_name_is_a_device_or_a_group) {
    RulesWorld world;
    BOOST_REQUIRE(world.groups.add("kids", {"192.0.2.0/24"}, {}));
    const std::string device =
        world.ask("blocking.set", R"({"name":"a.example","clients":"TABLET"})");
    BOOST_TEST(has_part(device, R"("clients":"02:00:00:00:00:01")"), device);
    BOOST_TEST(has_part(device, R"("who":"anna")"), device);
    BOOST_TEST(has_part(world.ask("blocking.pause", R"({"seconds":60,"clients":"Kids"})"),
                        R"("group":"kids")"));
    BOOST_TEST(has_part(world.ask("blocking.set", R"({"name":"a.example","clients":"nobody"})"),
                        "\"nobody\" is not an address, a prefix, a MAC address or the name"));
    BOOST_TEST(has_part(
        world.ask("blocking.set", R"({"name":"a.example","clients":"tablet","group":"kids"})"),
        "for clients or for a group"));
    BOOST_TEST(has_part(world.ask("blocking.remove", R"({"name":"a.example","clients":"tablet"})"),
                        R"("number":1)"));
    BOOST_TEST(has_part(world.ask("blocking.remove", R"({"name":".","clients":"kids"})"),
                        R"("number":2)"));
}

BOOST_AUTO_TEST_CASE(the_rule_that_decides_is_known_by_name_and_client) {
    RulesWorld world;
    BOOST_REQUIRE(world.groups.add("kids", {"192.0.2.0/24"}, {}));
    for (const char* const rule :
         {R"({"name":"example"})", R"({"name":"www.a.example","exact":true,"allow":true})",
          R"({"name":"a.example","clients":"kids"})",
          R"({"name":"a.example","clients":"tablet","allow":true})", R"({"name":"b.example"})"})
        world.ask("blocking.set", rule);
    BOOST_TEST(world.about("WWW.a.example.") ==
               "1 example;2 www.a.example;3 a.example;4 a.example;");
    BOOST_TEST(world.about("www.a.example", "198.51.100.1") == "1 example;2 www.a.example!;");
    BOOST_TEST(world.about("x.www.a.example", "198.51.100.1") == "1 example!;");
    BOOST_TEST(world.about("www.a.example", "192.0.2.1") ==
               "1 example;2 www.a.example;3 a.example!;");
    BOOST_TEST(world.about("a.example", "198.51.100.1", kMacNumber) == "1 example;4 a.example!;");
    BOOST_TEST(world.about("aa.test", "198.51.100.1").empty());
    BOOST_TEST(world.service.deciding("www.a.example", *IpAddress::parse("192.0.2.1"), 0) == 3U);
    BOOST_TEST(world.service.deciding("aa.test", *IpAddress::parse("192.0.2.1"), 0) == 0U);
    world.ask("blocking.pause", R"({"seconds":60})");
    BOOST_TEST(world.about("aa.test", "198.51.100.1") == "6 .!;");
}

BOOST_AUTO_TEST_CASE(a_rule_is_in_force_without_its_folder_and_the_reply_names_it) {
    RulesWorld world("gone/rules.json");
    const std::string made = world.ask("blocking.set", R"({"name":"a.example"})");
    BOOST_TEST(has_part(made, R"("kept":false)"), made);
    BOOST_TEST(has_part(made, "does not exist: after the next start they are not in force; create"),
               made);
    BOOST_TEST(world.service.deciding("a.example", *IpAddress::parse("192.0.2.1"), 0) == 1U);
    Problems problems;
    world.service.add_problems(problems);
    BOOST_TEST(problems.size() == 1U);
}

// ---- rules of other boxes of a fleet

constexpr std::int64_t kWall = 1'790'000'000;  // of RulesWorld

shared::Entry entry_of(Rule rule, std::int64_t ahead_s = 0) {
    auto good = RuleBook::checked(std::move(rule));
    BOOST_REQUIRE(good);
    good->number = 1;
    return {shared_key(*good), shared_value(*good, ahead_s)};
}

Rule rule_until(const std::string& name, std::int64_t until_s) {
    Rule out;
    out.name = name;
    out.until_s = until_s;
    out.who = "ben";
    return out;
}

BOOST_FIXTURE_TEST_CASE(a_rule_of_another_box_is_in_force_after_the_next_poll, RulesWorld) {
    shared::Entries& shared = service.shared();
    const shared::Entry entry = entry_of(rule_until("ads.example", 0));
    BOOST_TEST(shared.take(entry, "edge-b").value());
    BOOST_TEST(shared.value_of(entry.key) == entry.value);
    service.poll();
    BOOST_TEST(about("ads.example").find("ads.example") != std::string::npos);
    BOOST_TEST(ask("blocking.list", "{}").find(R"("box":"edge-b")") != std::string::npos);
    BOOST_TEST(shared.count() == 1U);
    // The same again keeps its number.
    BOOST_TEST(shared.take(entry, "edge-b").value());
    service.poll();
    BOOST_TEST(ask("blocking.list", "{}").find(R"("number":1,)") != std::string::npos);
    BOOST_TEST(shared.take({entry.key, {}}, "edge-b").value());
    BOOST_TEST(shared.value_of(entry.key) == "");
    service.poll();  // the table is made once a second
    BOOST_TEST(about("ads.example") != "");
    clock.ms += 1'000;
    service.poll();
    BOOST_TEST(about("ads.example") == "");
    BOOST_TEST(shared.count() == 0U);
}

BOOST_FIXTURE_TEST_CASE(an_end_counts_by_the_fleets_clock, RulesWorld) {
    // This box's clock is an hour ahead of the fleet's.
    service.shared().set_clock([] { return std::int64_t{-3'600}; });
    // It ends in ten minutes of the fleet's clock.
    const shared::Entry entry = entry_of(rule_until("ads.example", kWall - 3'600 + 600));
    BOOST_TEST(service.shared().take(entry, "edge-b").value());
    service.poll();
    BOOST_TEST(about("ads.example").find("ads.example") != std::string::npos);
    BOOST_TEST(service.shared().value_of(entry.key) == entry.value);
    // What is over is left out; only what is long over may be removed for all.
    const auto over = entry_of(rule_until("over.example", kWall - 3'600 - 60));
    BOOST_TEST(service.shared().take(over, "edge-b").value());
    BOOST_TEST(service.shared().value_of(over.key) == "");
    const auto long_over = entry_of(rule_until("past.example", kWall - 3'600 - 4'000));
    BOOST_TEST(!service.shared().take(long_over, "edge-b").value());
}

BOOST_FIXTURE_TEST_CASE(what_no_person_may_add_comes_by_no_other_way, RulesWorld) {
    shared::Entries& shared = service.shared();
    const auto refused = [&shared](const Rule& rule) {
        const auto done = shared.take(entry_of(rule), "edge-b");
        return done.has_error() ? done.error().text : std::string();
    };
    Rule pause = rule_until(".", 0);
    pause.allows = true;
    BOOST_TEST(refused(pause) == "a pause needs an end");
    pause.until_s = kWall + 600;
    pause.plugin = "no_such";
    BOOST_TEST(refused(pause).find("there is no adlist") != std::string::npos);
    Rule of_group = rule_until("ads.example", 0);
    of_group.group = "strangers";
    BOOST_TEST(refused(of_group).find("there is no group") != std::string::npos);
    BOOST_TEST(refused(rule_until("ads.example", kWall + 400'000'000)).find("ten years") !=
               std::string::npos);
    Rule legal = pause;
    legal.plugin.clear();
    legal.suspends = true;
    BOOST_TEST(refused(legal).find("on each box") != std::string::npos);
    BOOST_TEST(shared.take({"garbage", "{}"}, "edge-b").has_error());
    service.poll();
    BOOST_TEST(shared.count() == 0U);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace steer::blocking
