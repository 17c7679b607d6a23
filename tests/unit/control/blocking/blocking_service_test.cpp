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
    Now now() override { return {.ms = 10'000}; }
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

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace steer::blocking
