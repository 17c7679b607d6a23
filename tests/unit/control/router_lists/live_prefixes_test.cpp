// What tests of addresses see of a set that changes.
#include "dataplane/answer/live_prefixes.h"

#include <boost/test/unit_test.hpp>
#include <string>
#include <vector>

#include "control/config/load.h"
#include "control/program/build/registry.h"
#include "control/program/build/router_list_plans.h"

namespace steer {
namespace {

matchers::PrefixSet set_of(const std::string& prefix) {
    return matchers::PrefixSet({*matchers::Prefix::parse(prefix)});
}

bool has(const AddressSet& set, const std::string& address) {
    return set.contains(*IpAddress::parse(address));
}

}  // namespace

BOOST_AUTO_TEST_SUITE(live_prefixes)

BOOST_AUTO_TEST_CASE(a_set_has_its_own_prefixes_and_those_of_the_moment) {
    const auto kids = std::make_shared<LivePrefixes>(), guests = std::make_shared<LivePrefixes>();
    const AddressSet set({*matchers::Prefix::parse("10.0.0.0/8")}, {kids, guests});
    BOOST_TEST(has(set, "10.1.2.3"));
    BOOST_TEST(!has(set, "192.168.88.10"));
    const auto v4 = set_of("192.168.88.0/24"), v6 = set_of("fd88::/64");
    kids->set.store(&v4);
    guests->set.store(&v6);
    BOOST_TEST(has(set, "192.168.88.10"));
    BOOST_TEST(has(set, "fd88::1"));
    BOOST_TEST(!has(set, "fd89::1"));
    kids->set.store(nullptr);
    BOOST_TEST(!has(set, "192.168.88.10"));
    BOOST_TEST(has(set, "10.1.2.3"));
    BOOST_TEST(!has(AddressSet(), "10.1.2.3"));
}

BOOST_AUTO_TEST_CASE(plans_name_each_router_once_with_the_larger_limit) {
    const auto loaded = config::load_text(
        "control: { router_lists: /tmp/x/lists.json }\n"
        "routers:\n"
        "  edge1: { address: 192.0.2.1:8728, username: u, password: p }\n"
        "  edge/2: { address: 192.0.2.2:8728, username: u, password: p }\n"
        "plugins:\n"
        "  - { tag: a, type: ros_list, args: { router: edge1, list: kids, max_entries: 10 } }\n"
        "  - { tag: b, type: ros_list, args: { routers: [ edge1, edge/2 ], list: kids } }\n"
        "  - { tag: up, type: forward, args: { router: edge/2 } }\n"
        "  - { tag: main, type: sequence, args: [ { matches: client_ip $a $b, exec: reject }, "
        "{ exec: $up } ] }\n"
        "  - { tag: udp, type: udp_server, args: { entry: main, listen: ':53' } }\n",
        "steer.yaml");
    for (const auto& error : loaded.errors)
        BOOST_ERROR(error.sentence());
    build::Registry registry;
    const auto plans = build::router_list_plans(loaded.settings, registry);
    BOOST_REQUIRE(plans.routers.size() == 2U);
    BOOST_TEST(plans.routers[0].reader.max_entries.at("kids") == 65'536U);
    BOOST_TEST(!plans.routers[0].reader.with_servers);
    BOOST_TEST(plans.routers[0].servers_file.empty());
    BOOST_TEST(plans.routers[1].reader.with_servers);
    BOOST_TEST(plans.routers[1].servers_file == "/tmp/x/dns-servers-edge%2f2.conf");
    BOOST_REQUIRE(plans.plugins.size() == 2U);
    BOOST_TEST((plans.plugins[1].routers == std::vector<std::string>{"edge1", "edge/2"}));
    BOOST_TEST(plans.plugins[0].set == registry.live_prefixes("a"));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace steer
