// Groups of devices: their members, their bounds, their file, and the methods of the control socket.
#include "control/sources/clients/client_groups.h"

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>
#include <boost/test/unit_test.hpp>
#include <cstdlib>
#include <filesystem>
#include <memory>

#include "control/api/rpc/json_rpc.h"
#include "control/sources/clients/client_finder.h"
#include "control/sources/clients/group_service.h"
#include "support/temp_folder.h"

namespace json = boost::json;
using namespace steer;
using namespace steer::clients;

namespace {

const std::string kLaptopMac = "00:1d:aa:00:00:01";

bool has_part(const std::string& text, const std::string& part) {
    return text.find(part) != std::string::npos;
}

BOOST_AUTO_TEST_SUITE(client_groups)

BOOST_AUTO_TEST_CASE(members_have_one_form) {
    BOOST_TEST(*member_of("00-1D-AA-00-00-01") == kLaptopMac);
    BOOST_TEST(*member_of("192.0.2.7") == "192.0.2.7");
    BOOST_TEST(*member_of("192.0.2.7/32") == "192.0.2.7");
    BOOST_TEST(*member_of("192.0.2.7/24") == "192.0.2.0/24");
    BOOST_TEST(*member_of("2001:DB8::1/64") == "2001:db8::/64");
    for (const char* wrong : {"", "laptop", "192.0.2.0/33", "00:00:00:00:00:00", "a b"})
        BOOST_TEST(member_of(wrong).has_error(), wrong);
}

BOOST_AUTO_TEST_CASE(a_change_that_is_refused_changes_nothing) {
    GroupBook book;
    BOOST_REQUIRE(book.add("children", {"192.0.2.1", "192.0.2.2"}, {5, "uid 0"}));
    const std::string before = book.text();
    BOOST_TEST(has_part(book.remove("children", {"192.0.2.1", "192.0.2.9"}).error().text,
                        "people did not add 192.0.2.9"));
    BOOST_TEST(has_part(book.remove("Children").error().text, "the groups are \"children\""));
    BOOST_TEST(book.text() == before);
    BOOST_REQUIRE(book.add("children", {"192.0.2.1"}, {6, "uid 1"}));  // stays as it is
    BOOST_TEST(book.text() == before);
    BOOST_REQUIRE(book.remove("children", {"192.0.2.1", "192.0.2.2"}));
    BOOST_TEST(book.check("children").has_value());
    BOOST_REQUIRE(book.remove("children"));
    BOOST_TEST(has_part(book.check("children").error().text, "make it with"));
}

BOOST_AUTO_TEST_CASE(groups_and_members_are_bounded) {
    GroupBook book;
    std::vector<std::string> many;
    for (std::size_t i = 0; i < GroupBook::kMostMembers; ++i)
        many.push_back("10.0." + std::to_string(i / 250) + "." + std::to_string(i % 250));
    BOOST_REQUIRE(book.add("all", many, {}));
    BOOST_TEST(has_part(book.add("more", {"192.0.2.1"}, {}).error().text, "at most 10000 fit"));
    BOOST_TEST(book.groups().size() == 1U);
    BOOST_TEST(book.add("all", {many.front()}, {}).has_value());
    std::size_t left_out = 9;
    const GroupBook read = GroupBook::read(json::parse(book.text()).as_object(), left_out);
    BOOST_TEST(left_out == 0U);
    BOOST_TEST(read.text() == book.text());
    BOOST_REQUIRE(book.remove("all"));
    for (std::size_t i = 0; i < GroupBook::kMostGroups; ++i)
        BOOST_REQUIRE(book.add("g" + std::to_string(i), {"192.0.2.1"}, {}));
    BOOST_TEST(has_part(book.add("more", {"192.0.2.1"}, {}).error().text, "256 groups already"));
    BOOST_TEST(book.add("g7", {"192.0.2.2"}, {}).has_value());
}

BOOST_AUTO_TEST_CASE(what_cannot_be_read_is_counted_and_the_rest_stays) {
    std::size_t left_out = 0;
    const auto file = json::parse(R"({"children": {"192.0.2.1": {"at": 7, "who": "uid 0"},
        "laptop": {}, "192.0.2.2": 5}, "": {}, "tv\u001b": {}, "guests": 1, "empty": {}})");
    const GroupBook book = GroupBook::read(file.as_object(), left_out);
    BOOST_TEST(left_out == 5U);
    BOOST_REQUIRE(book.groups().size() == 2U);
    const auto& children = book.groups().find("children")->second;
    BOOST_TEST((children == GroupMembers{{"192.0.2.1", {7, "uid 0"}}}));
}

struct Qsbr {
    Qsbr() : of(static_cast<rte_rcu_qsbr*>(std::aligned_alloc(64, rte_rcu_qsbr_get_memsize(1)))) {
        BOOST_REQUIRE(of != nullptr && rte_rcu_qsbr_init(of.get(), 1) == 0);
    }
    struct Free {
        void operator()(rte_rcu_qsbr* qsbr) const { std::free(qsbr); }
    };
    std::unique_ptr<rte_rcu_qsbr, Free> of;
};

struct GroupWorld {
    explicit GroupWorld(const std::string& file = {})
        : service(
              main_io, qsbr.of.get(), live, {file, file.empty() ? std::string() : file + ".feed"},
              [this]() -> const GivenNames& { return names; }, [] { return 1'790'000'000; }) {
        methods.find_clients_by([this](std::string_view written, ops::ClientAs as) {
            return found_client(written, as, [this] { return merge({}, names); });
        });
        service.add_methods(methods);
        service.set_rules({[this] { ++changes; },
                           [this](std::string_view group) {
                               return group == "children" ? rules : std::vector<std::uint32_t>();
                           }});
    }
    // The result, or the error's message.
    std::string ask(const std::string& method, const std::string& params) {
        std::string line;
        rpc.handle(
            R"({"jsonrpc":"2.0","id":1,"method":")" + method + R"(","params":)" + params + "}", {},
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

    boost::asio::io_context main_io;
    GivenNames names{{kLaptopMac, {"Anna's laptop", 1, ""}},
                     {"192.0.2.5", {"TV", 1, ""}},
                     {"192.0.2.6", {"TV", 1, ""}}};
    std::vector<std::uint32_t> rules;
    unsigned changes = 0;
    Qsbr qsbr;
    std::shared_ptr<LiveGroups> live = std::make_shared<LiveGroups>();
    GroupService service;
    ops::Methods methods;
    ops::JsonRpc rpc{methods};
};

BOOST_AUTO_TEST_CASE(groups_are_kept_with_who_and_when) {
    const test::TempFolder folder;
    const std::string file = folder / "groups.json";
    {
        GroupWorld world(file);
        BOOST_TEST(
            world.ask("clients.group_add",
                      R"({"group":" children ","clients":["Anna's laptop","192.0.2.9/24"]})") ==
            R"({"group":"children","clients":["00:1d:aa:00:00:01","192.0.2.0/24"],"kept":true})");
        BOOST_TEST(world.changes == 1U);
    }
    GroupWorld world(file);
    BOOST_TEST(
        has_part(world.ask("clients.groups", "{}"),
                 R"({"client":"00:1d:aa:00:00:01","name":"Anna's laptop","at":1790000000,)"));
    BOOST_TEST(
        world.ask("clients.group_remove", R"({"group":"children","clients":["Anna's laptop"]})") ==
        R"({"group":"children","clients":["00:1d:aa:00:00:01"],"kept":true})");
    BOOST_TEST(world.ask("clients.group_remove", R"({"group":"children"})") ==
               R"({"group":"children","clients":[],"kept":true})");
    BOOST_TEST(world.changes == 2U);
    BOOST_TEST(world.service.book().groups().empty());
}

BOOST_AUTO_TEST_CASE(workers_see_each_change) {
    GroupWorld world;
    const auto has = [&world](const char* address) {
        const DeviceGroups* const table = world.live->table.load();
        const DeviceGroup* const group = table == nullptr ? nullptr : table->find("children");
        return group != nullptr && group->has(*IpAddress::parse(address), nullptr, 0);
    };
    BOOST_TEST(!has("192.0.2.1"));
    world.ask("clients.group_add", R"({"group":"children","clients":["192.0.2.1"]})");
    world.ask("clients.group_add", R"({"group":"a","clients":["192.0.2.2"]})");
    BOOST_TEST(has("192.0.2.1"));
    BOOST_TEST(!has("192.0.2.2"));
    world.ask("clients.group_remove", R"({"group":"children"})");
    BOOST_TEST(!has("192.0.2.1"));
}

BOOST_AUTO_TEST_CASE(groups_of_a_file_count_with_those_of_people) {
    GroupWorld world;
    const config::FileGroup children{
        "children", {0x020000000001}, {*matchers::Prefix::parse("192.0.2.0/24")}};
    config::Control control;
    control.client_groups = {children};
    world.service.follow({}, control);
    BOOST_TEST(world.changes == 1U);
    world.service.follow({}, control);
    BOOST_TEST(world.changes == 1U);
    BOOST_TEST(has_part(world.ask("clients.groups", "{}"),
                        R"("groups":[],"of_file":[{"group":"children","members":2}])"));
    BOOST_TEST(has_part(world.ask("clients.group_remove", R"({"group":"children"})"),
                        "come from `client_groups`"));
    BOOST_TEST(has_part(
        world.ask("clients.group_remove", R"({"group":"children","clients":["192.0.2.1"]})"),
        "come from `client_groups`"));
    world.ask("clients.group_add", R"({"group":"children","clients":["198.51.100.1"]})");
    const auto has = [&world](const char* address, std::uint64_t mac = 0) {
        const DeviceGroup* const group = world.live->table.load()->find("children");
        return group != nullptr && group->has(*IpAddress::parse(address), nullptr, mac);
    };
    BOOST_TEST(has("192.0.2.9"));
    BOOST_TEST(has("198.51.100.1"));
    BOOST_TEST(has("198.51.100.2", 0x020000000001));
    BOOST_TEST(!has("198.51.100.2"));
    world.service.follow({}, {});
    BOOST_TEST(!has("192.0.2.9"));
    BOOST_TEST(has("198.51.100.1"));
}

BOOST_AUTO_TEST_CASE(a_group_of_the_configuration_is_reported_until_it_is_there_and_then_stays) {
    GroupWorld world;
    world.service.follow({{"children", "client_group 'kids'"}}, {});
    Problems problems;
    world.service.add_problems(problems);
    BOOST_REQUIRE(problems.size() == 1U);
    BOOST_TEST(has_part(problems.front().text,
                        "client_group 'kids' never matches: there is no group \"children\""));
    world.ask("clients.group_add", R"({"group":"children","clients":["192.0.2.1"]})");
    problems.clear();
    world.service.add_problems(problems);
    BOOST_TEST(problems.empty());
    BOOST_TEST(has_part(world.ask("clients.group_remove", R"({"group":"children"})"),
                        "client_group 'kids' of the configuration is for the group"));
    BOOST_TEST(has_part(
        world.ask("clients.group_remove", R"({"group":"children","clients":["192.0.2.1"]})"),
        "\"kept\""));
}

struct FeedWorld : GroupWorld {
    explicit FeedWorld(const std::string& file = {}) : GroupWorld(file) {
        control.client_groups_key = "subscribers";
        service.follow({}, control);
    }
    // After the work of the other thread.
    void run() {
        const auto work = boost::asio::make_work_guard(main_io);
        main_io.restart();
        main_io.run_one();
    }
    void take(const std::string& text) {
        service.take_feed("subscribers", text, {});
        run();
    }
    std::string problems() const {
        Problems all;
        service.add_problems(all);
        std::string out;
        for (const auto& one : all)
            out += one.text + "\n";
        return out;
    }
    bool has(const char* address) const {
        const DeviceGroups* const table = live->table.load();
        const DeviceGroup* const group = table == nullptr ? nullptr : table->find("children");
        return group != nullptr && group->has(*IpAddress::parse(address), nullptr, 0);
    }
    config::Control control;
};

BOOST_AUTO_TEST_CASE(groups_of_redis_follow_its_text) {
    FeedWorld world;
    BOOST_TEST(has_part(world.problems(), "Redis has not answered yet"));
    world.take("# feed\nchildren 192.0.2.1\nguests 198.51.100.0/24\n");
    BOOST_TEST(world.has("192.0.2.1"));
    BOOST_TEST(world.problems().empty());
    BOOST_TEST(world.changes == 1U);
    world.take("children 192.0.2.2\n");
    BOOST_TEST(!world.has("192.0.2.1"));
    BOOST_TEST(world.has("192.0.2.2"));
    // Of another key, before a reload.
    world.service.take_feed("other", "children 192.0.2.3\n", {});
    world.take("");
    BOOST_TEST(!world.has("192.0.2.2"));
    BOOST_TEST(!world.has("192.0.2.3"));
}

BOOST_AUTO_TEST_CASE(a_wrong_text_of_redis_changes_nothing_and_names_the_line) {
    FeedWorld world;
    world.take("children 192.0.2.1\n");
    world.take("children 192.0.2.2\n\nchildren\nx\x1b 192.0.2.3\nchildren 192.0.2.300\n");
    BOOST_TEST(world.has("192.0.2.1"));
    BOOST_TEST(!world.has("192.0.2.2"));
    const std::string problems = world.problems();
    BOOST_TEST(has_part(problems, "the text of the key \"subscribers\" is wrong since"));
    BOOST_TEST(has_part(problems, "line 3: \"children\" is not a member: expected GROUP and"));
    BOOST_TEST(has_part(problems, "and 2 more lines are wrong"));
    BOOST_TEST(has_part(problems, "the groups of 2026-09-21 14:13 UTC stay in force"));
    std::string many;
    for (std::size_t i = 0; i <= config::kMaxFileGroups; ++i)
        many += "g" + std::to_string(i) + " 192.0.2.1\n";
    world.take(many);
    BOOST_TEST(has_part(world.problems(), "it has 257 groups: at most 256 are possible"));
    world.take("children 192.0.2.2\n");
    BOOST_TEST(world.problems().empty());
    BOOST_TEST(world.has("192.0.2.2"));
}

BOOST_AUTO_TEST_CASE(without_redis_the_last_good_groups_stay_over_a_restart_too) {
    const test::TempFolder folder;
    const std::string file = folder / "groups.json";
    {
        FeedWorld world(file);
        world.run();  // there is no text of an earlier run
        world.take("children 192.0.2.1\n");
        world.service.take_feed("subscribers", {}, "Redis is unreachable: refused");
        BOOST_TEST(world.has("192.0.2.1"));
        BOOST_TEST(has_part(world.problems(),
                            "`client_groups` is not followed since 2026-09-21 14:13 UTC: Redis is "
                            "unreachable: refused; the groups of 2026-09-21 14:13 UTC stay"));
        world.service.take_feed("subscribers", {}, {});
        BOOST_TEST(world.problems().empty());
        world.take("children\n");
    }
    FeedWorld world(file);
    world.run();
    BOOST_TEST(world.has("192.0.2.1"));
    BOOST_TEST(has_part(world.problems(), "the groups of the last run stay in force"));
    // A file in place of the key.
    world.service.follow({}, {});
    BOOST_TEST(!world.has("192.0.2.1"));
    BOOST_TEST(world.problems().empty());
}

BOOST_AUTO_TEST_CASE(wrong_requests_say_what_to_write) {
    GroupWorld world;
    const auto add = [&](const std::string& params) {
        return world.ask("clients.group_add", params);
    };
    BOOST_TEST(has_part(add(R"({"group":"x","clients":["nobody"]})"),
                        "is not an address, a prefix, a MAC address or the name"));
    BOOST_TEST(has_part(add(R"({"group":"x","clients":["TV"]})"),
                        "\"TV\" is the name of 192.0.2.5, 192.0.2.6"));
    BOOST_TEST(has_part(add(R"({"group":"x","clients":[]})"), "there is no member"));
    BOOST_TEST(has_part(add(R"({"group":"192.0.2.1","clients":["192.0.2.2"]})"), "is a device"));
    BOOST_TEST(has_part(add(R"({"group":" ","clients":["192.0.2.1"]})"), "the name is empty"));
    BOOST_TEST(
        has_part(world.ask("clients.group_remove", R"({"group":"x"})"), "there is no group"));
    BOOST_TEST(world.changes == 0U);
    BOOST_TEST(has_part(add(R"({"group":"children","clients":["192.0.2.1"]})"), "\"kept\":false"));
    // An empty list is not the whole group.
    BOOST_TEST(has_part(world.ask("clients.group_remove", R"({"group":"children","clients":[]})"),
                        "there is no member"));
    world.rules = {3, 8};
    BOOST_TEST(has_part(world.ask("clients.group_remove", R"({"group":"children"})"),
                        "2 rules are for the group \"children\": remove them first"));
    BOOST_TEST(world.service.book().groups().size() == 1U);
}

BOOST_AUTO_TEST_CASE(a_damaged_file_is_kept_aside_and_a_failed_write_is_reported) {
    const test::TempFolder folder;
    const std::string file = folder.write("groups.json", "{\"children\":");
    {
        GroupWorld world(file);
        Problems problems;
        world.service.add_problems(problems);
        BOOST_REQUIRE(problems.size() == 1U);
        BOOST_TEST(has_part(problems.front().text, "groups.json.damaged"));
    }
    BOOST_TEST(std::filesystem::exists(file + ".damaged"));
    GroupWorld failing(folder / "gone/groups.json");
    BOOST_TEST(has_part(
        failing.ask("clients.group_add", R"({"group":"children","clients":["192.0.2.1"]})"),
        "\"kept\":false,\"trouble\":"));
    BOOST_TEST(failing.service.book().groups().size() == 1U);
    Problems problems;
    failing.service.add_problems(problems);
    BOOST_TEST(problems.size() == 1U);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
