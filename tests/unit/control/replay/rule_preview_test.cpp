#include "control/observe/replay/rule_preview.h"

#include <boost/json/serialize.hpp>
#include <boost/test/unit_test.hpp>

#include "control/sources/blocking/rule_book.h"

using namespace steer;
using namespace steer::replay;

namespace {

// Rules of now, and the one that is tried.
struct PreviewScene {
    void add(const std::string& name, bool allows, const std::string& clients = "",
             const std::string& group = "") {
        (void)put(name, allows, clients, group);
    }
    RulePreview preview(const std::string& name, bool allows, const std::string& clients = "",
                        const std::string& group = "") {
        const auto number = put(name, allows, clients, group).number;
        return RulePreview(
            {.number = number,
             .allows = allows,
             .rules = std::make_shared<const NameRules>(blocking::table_rules(book, groups), 1),
             .devices = std::make_shared<const LeaseDevices>(devices),
             .now_s = 1'000,
             .legal = {{"court", "orders.txt"}}});
    }
    blocking::Rule put(const std::string& name, bool allows, const std::string& clients,
                       const std::string& group) {
        blocking::Rule rule;
        rule.name = name;
        rule.allows = allows;
        rule.clients = clients;
        rule.group = group;
        auto good = blocking::RuleBook::checked(std::move(rule));
        BOOST_REQUIRE(good);
        std::vector<blocking::Rule> replaced;
        return *book.put(*std::move(good), replaced);
    }
    void lease(const char* address, std::uint64_t mac) {
        LeaseDevice device;
        device.address = *IpAddress::parse(address);
        device.mac = mac;
        devices.push_back(std::move(device));
    }

    blocking::RuleBook book;
    clients::GroupBook groups;
    std::vector<LeaseDevice> devices;
};

recorder::SeenQuery asked(std::string_view name, std::string_view client,
                          std::string_view decision = "forwarded", std::string_view plugin = "",
                          std::string_view list = "") {
    return {.stands_for = 1,
            .client = client,
            .name = name,
            .decision = decision,
            .plugin = plugin,
            .list = list};
}

}  // namespace

BOOST_AUTO_TEST_CASE(a_block_changes_what_was_not_blocked) {
    PreviewScene scene;
    auto preview = scene.preview("game.example", false);
    for (int i = 0; i < 3; ++i)
        preview.add(asked("www.game.example", "192.0.2.7"));
    preview.add(asked("game.example", "192.0.2.8", "steered"));
    preview.add(asked("game.example", "192.0.2.9", "blocked", "ads", "ads.txt"));
    preview.add(asked("game.example", "192.0.2.9", "refused"));
    preview.add(asked("other.example", "192.0.2.9"));
    auto often = asked("game.example", "192.0.2.8");
    often.stands_for = 10;
    preview.add(often);
    BOOST_TEST(boost::json::serialize(preview.to_json()) ==
               R"({"queries":17,"would_block":14,"clients":2,"names":[)"
               R"({"name":"game.example","queries":11},{"name":"www.game.example","queries":3}]})");
}

BOOST_AUTO_TEST_CASE(another_rule_that_decides_leaves_nothing_to_change) {
    PreviewScene scene;
    scene.add("school.game.example", true);        // a longer name
    scene.add("game.example", true, "192.0.2.7");  // fewer clients
    auto preview = scene.preview("game.example", false, "192.0.2.0/24");
    preview.add(asked("school.game.example", "192.0.2.8"));
    preview.add(asked("game.example", "192.0.2.7"));
    preview.add(asked("game.example", "198.51.100.1"));               // not among its clients
    BOOST_TEST(preview.to_json().at("would_block").as_int64() == 1);  // the prefix is narrower
}

BOOST_AUTO_TEST_CASE(an_allow_passes_lists_and_not_those_that_the_law_requires) {
    PreviewScene scene;
    auto preview = scene.preview("shop.example", true);
    preview.add(asked("shop.example", "192.0.2.7", "blocked", "ads", "ads.txt"));
    preview.add(asked("shop.example", "192.0.2.7", "blocked", "court", "orders.txt"));
    preview.add(asked("shop.example", "192.0.2.7", "blocked", "court", "more.txt"));
    preview.add(asked("shop.example", "192.0.2.7"));
    preview.add(asked("shop.example", "192.0.2.7", "dropped"));
    const auto result = preview.to_json();
    BOOST_TEST(result.at("queries").as_int64() == 5);
    BOOST_TEST(result.at("would_allow").as_int64() == 2);
}

// A rule of a person that blocks is passed only by one that decides before it.
BOOST_AUTO_TEST_CASE(an_allow_for_fewer_clients_passes_a_rule_that_blocks) {
    PreviewScene scene;
    scene.add("game.example", false);
    const auto blocked = asked("game.example", "192.0.2.7", "blocked", "control.rules");
    auto narrow = scene.preview("game.example", true, "192.0.2.7");
    narrow.add(blocked);
    BOOST_TEST(narrow.to_json().at("would_allow").as_int64() == 1);
    PreviewScene other;
    other.add("game.example", false, "192.0.2.7");
    auto wide = other.preview("game.example", true);
    wide.add(blocked);
    BOOST_TEST(wide.to_json().at("would_allow").as_int64() == 0);
}

BOOST_AUTO_TEST_CASE(devices_and_groups_are_known_by_leases) {
    PreviewScene scene;
    scene.lease("192.0.2.50", 0x02'00'00'00'00'01);
    scene.lease("192.0.2.51", 0x02'00'00'00'00'02);
    BOOST_REQUIRE(scene.groups.add("children", {"02:00:00:00:00:01", "198.51.100.0/24"}, {}));
    auto device = scene.preview("game.example", false, "02:00:00:00:00:02");
    auto group = scene.preview("game.example", false, "", "children");
    for (const char* const client : {"192.0.2.50", "192.0.2.51", "192.0.2.52", "198.51.100.9"}) {
        device.add(asked("game.example", client));
        group.add(asked("game.example", client));
    }
    BOOST_TEST(device.to_json().at("would_block").as_int64() == 1);
    BOOST_TEST(group.to_json().at("would_block").as_int64() == 2);
}

BOOST_AUTO_TEST_CASE(names_beyond_the_limit_count_only_in_the_sum) {
    PreviewScene scene;
    auto preview = scene.preview("example", false);
    constexpr std::size_t kAsked = RulePreview::kMostKept + 5;
    for (std::size_t i = 0; i < kAsked; ++i)
        preview.add(asked("n" + std::to_string(i) + ".example", "192.0.2.7"));
    const auto result = preview.to_json();
    BOOST_TEST(result.at("would_block").as_int64() == static_cast<std::int64_t>(kAsked));
    BOOST_TEST(result.at("names").as_array().size() == RulePreview::kMostShown);
}
