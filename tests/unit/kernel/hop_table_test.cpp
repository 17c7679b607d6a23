#include "control/host/kernel/hop_table.h"

#include <boost/test/unit_test.hpp>

#include "control/host/kernel/reply_routes.h"

namespace steer::kernel {
namespace {

constexpr MacAddress kOwnMac{2, 0, 0, 0, 0, 1};
constexpr MacAddress kVlanMac{2, 0, 0, 0, 0, 2};
constexpr MacAddress kPeerMac{2, 0, 0, 0, 0, 9};

IpAddress ip(const char* text) {
    return IpAddress::parse(text).value();
}

// lo, eth0 (a port), its VLAN 10, VLAN 20 in VLAN 10, eth1 (none), a tunnel.
Interfaces host() {
    Interfaces all;
    all.links = {{1, "lo", true, false, {}, 0, 0},
                 {2, "eth0", true, true, kOwnMac, true, 0, 0},
                 {3, "eth0.10", true, true, kVlanMac, false, 2, 10},
                 {4, "eth0.10.20", true, true, kVlanMac, false, 3, 20},
                 {5, "eth1", true, true, {}, false, 0, 0},
                 {6, "wg0", true, false, {}, false, 0, 0}};
    all.addresses = {{1, ip("127.0.0.1")}, {2, ip("192.0.2.1")},    {2, ip("2001:db8::1")},
                     {3, ip("10.10.0.1")}, {5, ip("198.51.100.1")}, {4, ip("10.20.0.1")}};
    return all;
}

bool everything(const IpAddress&) {
    return true;
}

const std::vector<PortDevice> kDevices{{.if_index = 2, .name = "eth0"}};

Route unicast(int if_index, const char* source) {
    Route route;
    route.kind = Route::Kind::unicast;
    route.if_index = if_index;
    route.source = ip(source);
    return route;
}

HopTarget hop_to(const char* upstream, const Route& route,
                 const std::vector<PortDevice>& devices = kDevices) {
    return resolve(ip(upstream), route, host(), devices);
}

BOOST_AUTO_TEST_SUITE(hop_table)

BOOST_AUTO_TEST_CASE(a_neighbour_on_a_port_is_a_next_hop) {
    const HopTarget target = hop_to("192.0.2.53", unicast(2, "192.0.2.1"));
    BOOST_REQUIRE(target.neighbour.has_value());
    BOOST_TEST((*target.neighbour == NeighbourKey{2, ip("192.0.2.53")}));

    const NextHop waiting = complete(target, {Neighbour::State::missing, {}});
    BOOST_TEST((waiting.via == NextHop::Via::nothing));
    const NextHop hop = complete(target, {Neighbour::State::ageing, kPeerMac});
    BOOST_TEST((hop.via == NextHop::Via::port));
    BOOST_TEST(hop.if_index == 2);
    BOOST_TEST(!hop.tagged);
    BOOST_TEST((hop.own_mac == kOwnMac));
    BOOST_TEST((hop.peer_mac == kPeerMac));
    BOOST_TEST((hop.source == ip("192.0.2.1")));
    BOOST_TEST(
        (complete(target, {Neighbour::State::failed, kPeerMac}).via == NextHop::Via::nothing));
}

BOOST_AUTO_TEST_CASE(the_gateway_is_the_next_hop_even_in_the_other_family) {
    Route route = unicast(2, "192.0.2.1");
    route.gateway = ip("fe80::1");
    const HopTarget target = hop_to("203.0.113.53", route);
    BOOST_REQUIRE(target.neighbour.has_value());
    BOOST_TEST((target.neighbour->ip == ip("fe80::1")));
}

BOOST_AUTO_TEST_CASE(a_route_by_a_vlan_uses_its_port_with_a_tag) {
    const HopTarget target = hop_to("10.10.0.53", unicast(3, "10.10.0.1"));
    BOOST_TEST((target.hop.via == NextHop::Via::port));
    BOOST_TEST(target.hop.if_index == 2);
    BOOST_TEST(target.hop.tagged);
    BOOST_TEST(target.hop.vlan_tci == 10);
    BOOST_TEST((target.hop.own_mac == kVlanMac));
    BOOST_REQUIRE(target.neighbour.has_value());
    BOOST_TEST(target.neighbour->if_index == 3);
}

BOOST_AUTO_TEST_CASE(routes_by_other_interfaces_are_left_to_the_kernel) {
    const auto via = [](const HopTarget& target) { return complete(target, {}).via; };
    BOOST_TEST((via(hop_to("198.51.100.53", unicast(5, "198.51.100.1"))) == NextHop::Via::kernel));
    BOOST_TEST((via(hop_to("10.99.0.1", unicast(6, "10.99.0.2"))) == NextHop::Via::kernel));
    BOOST_TEST((via(hop_to("10.20.0.53", unicast(4, "10.20.0.1"))) == NextHop::Via::kernel));
    Route local;
    local.kind = Route::Kind::local;
    local.if_index = 1;
    BOOST_TEST((via(hop_to("127.0.0.1", local)) == NextHop::Via::kernel));
    const std::vector<PortDevice> sockets{{.if_index = 2, .sockets = true}};
    BOOST_TEST(
        (via(hop_to("192.0.2.53", unicast(2, "192.0.2.1"), sockets)) == NextHop::Via::kernel));
}

// The kernel sees the replies that a copying port sees, and would refuse what is not for a socket of its own.
BOOST_AUTO_TEST_CASE(upstreams_behind_a_copying_port_are_asked_by_the_kernel) {
    const std::vector<PortDevice> devices{{.if_index = 2, .copies = true}};
    const HopTarget target = hop_to("192.0.2.53", unicast(2, "192.0.2.1"), devices);
    BOOST_TEST((complete(target, {}).via == NextHop::Via::kernel));
    // What comes in by the port or by a VLAN of it is its own.
    BOOST_TEST((device_states(host(), devices)[0].copying == std::vector<int>{2, 3, 4}));
    BOOST_TEST(device_states(host(), kDevices)[0].copying.empty());
    BOOST_TEST(service_addresses(host(), devices, everything).size() == 4U);
}

BOOST_AUTO_TEST_CASE(without_a_route_or_source_address_there_is_no_next_hop) {
    BOOST_TEST((hop_to("203.0.113.1", {}).hop.via == NextHop::Via::nothing));
    Route route = unicast(2, "192.0.2.1");
    route.source.reset();
    BOOST_TEST((hop_to("192.0.2.53", route).hop.via == NextHop::Via::nothing));
}

BOOST_AUTO_TEST_CASE(service_addresses_are_the_addresses_of_the_port_and_its_vlans) {
    const std::vector<IpAddress> all = service_addresses(host(), kDevices, everything);
    BOOST_TEST(all.size() == 4U);
    BOOST_TEST(std::is_sorted(all.begin(), all.end()));
    BOOST_TEST(!std::binary_search(all.begin(), all.end(), ip("198.51.100.1")));
    BOOST_TEST(std::binary_search(all.begin(), all.end(), ip("10.20.0.1")));

    std::vector<PortDevice> named{
        {.if_index = 2, .addresses = {ip("192.0.2.1"), ip("203.0.113.1")}}};
    const auto nothing = [](const IpAddress&) { return false; };
    BOOST_TEST(service_addresses(host(), named, nothing).size() == 2U);  // not the kernel's to have
    named[0].name = "eth0";
    BOOST_TEST(service_addresses(host(), named, everything).size() == 2U);
    BOOST_TEST(service_addresses(host(), named, nothing).empty());
    BOOST_TEST(own_addresses(host()).size() == 6U);
}

BOOST_AUTO_TEST_CASE(each_ipv4_network_has_a_broadcast_address) {
    Interfaces interfaces;
    constexpr std::uint8_t kV4 = 96;  // bits before an IPv4 address
    interfaces.addresses = {{1, ip("127.0.0.1"), kV4 + 8},     {2, ip("192.0.2.1"), kV4 + 24},
                            {2, ip("192.0.2.7"), kV4 + 24},    {3, ip("10.20.3.4"), kV4 + 15},
                            {4, ip("203.0.113.5"), kV4 + 30},  {5, ip("198.51.100.0"), kV4 + 31},
                            {6, ip("198.51.100.9"), kV4 + 32}, {2, ip("2001:db8::1"), 64}};
    BOOST_TEST((broadcast_addresses(interfaces) ==
                std::vector{ip("10.21.255.255"), ip("192.0.2.255"), ip("203.0.113.7")}));
}

BOOST_AUTO_TEST_CASE(addresses_of_lo_are_served_if_configured) {
    Interfaces interfaces = host();
    for (const char* address : {"::1", "203.0.113.53", "2001:db8:53::53"})
        interfaces.addresses.push_back({1, ip(address)});
    const std::vector<PortDevice> lo{{.if_index = 2, .name = "eth0", .links = {"lo"}}};
    BOOST_TEST((service_addresses(interfaces, lo, everything) ==
                std::vector{ip("203.0.113.53"), ip("2001:db8:53::53")}));
    const std::vector<PortDevice> both{
        {.if_index = 2, .name = "eth0", .links = {"lo"}, .own_too = true}};
    BOOST_TEST(service_addresses(interfaces, both, everything).size() == 6U);
}

BOOST_AUTO_TEST_CASE(an_interface_that_comes_back_takes_its_place) {
    std::vector<PortDevice> devices = kDevices;
    Interfaces interfaces = host();
    interfaces.links[1].if_index = 9;
    for (Link& link : interfaces.links)
        link.vlan_parent = link.vlan_parent == 2 ? 9 : link.vlan_parent;
    interfaces.addresses[1].if_index = interfaces.addresses[2].if_index = 9;
    BOOST_TEST(device_states(interfaces, devices).empty());
    find_devices(interfaces, devices);
    BOOST_TEST(service_addresses(interfaces, devices, everything).size() == 4U);
    BOOST_TEST(device_states(interfaces, devices).at(0).if_index == 2);
    // A frame leaves by the port that is known by the index of the start.
    const HopTarget target =
        resolve(ip("192.0.2.53"), unicast(9, "192.0.2.1"), interfaces, devices);
    BOOST_TEST(target.hop.if_index == 2);
    BOOST_TEST(target.neighbour.value().if_index == 9);
}

// A route may name the VRF or an interface in it; a bridge is no VRF.
BOOST_AUTO_TEST_CASE(a_socket_for_an_upstream_behind_a_vrf_is_bound_to_it) {
    Interfaces interfaces = host();
    interfaces.links.push_back(
        {.if_index = 7, .name = "vrf0", .asks_neighbours = false, .is_vrf = true});
    interfaces.links.push_back({.if_index = 8, .name = "br0"});
    const auto vrf_by = [&](int if_index) {
        return resolve(ip("198.51.100.53"), unicast(if_index, "198.51.100.1"), interfaces, kDevices)
            .vrf;
    };
    BOOST_TEST(vrf_by(5) == 0);
    BOOST_TEST(vrf_by(7) == 7);
    interfaces.links[4].master = 7;
    BOOST_TEST(vrf_by(5) == 7);
    interfaces.links[4].master = 8;
    BOOST_TEST(vrf_by(5) == 0);
    interfaces.links[1].master = 7;  // a port's own: TCP to an upstream behind it
    BOOST_TEST(vrf_by(2) == 7);
    BOOST_TEST(vrf_of(99, interfaces) == 0);
}

BOOST_AUTO_TEST_CASE(a_device_knows_its_vlans) {
    const std::vector<PortDevice> devices{{.if_index = 2}, {.if_index = 77}};
    const std::vector<DeviceState> states = device_states(host(), devices);
    BOOST_REQUIRE(states.size() == 1U);  // 77 is not there
    BOOST_TEST(states[0].name == "eth0");
    BOOST_TEST(states[0].up);
    BOOST_TEST((states[0].mac == kOwnMac));
    BOOST_TEST(states[0].promiscuous);
    BOOST_TEST(
        (states[0].vlans == std::vector<OwnVlan>{{{10, 0}, kVlanMac}, {{10, 20}, kVlanMac}}));
}

BOOST_AUTO_TEST_CASE(a_link_that_is_down_keeps_its_addresses_apart) {
    Interfaces interfaces = host();
    interfaces.links[1].up = false;  // eth0
    const DeviceState state = device_states(interfaces, kDevices).at(0);
    BOOST_TEST(state.without_link.size() == 2U);
    BOOST_TEST(state.addresses.size() == 2U);  // of its VLANs
}

// Of two routes to a prefix, the one with the lower metric counts.
BOOST_AUTO_TEST_CASE(routes_become_next_hops_of_answers) {
    const auto route = [](const char* prefix, int if_index, const char* gateway,
                          std::uint32_t metric = 0) {
        RouteEntry entry;
        entry.prefix = matchers::Prefix::parse(prefix).value();
        entry.metric = metric;
        entry.if_index = if_index;
        if (gateway != nullptr) entry.gateway = ip(gateway);
        return entry;
    };
    const ReplyPlan plan = plan_replies(
        {route("0.0.0.0/0", 5, "198.51.100.9", 100), route("0.0.0.0/0", 2, "192.0.2.9", 10),
         route("10.10.0.0/16", 3, "10.10.0.9"), route("10.11.0.0/16", 2, "192.0.2.9"),
         route("192.0.2.0/24", 2, nullptr), route("203.0.113.0/24", 5, "198.51.100.9"),
         route("203.0.114.0/24", 0, nullptr)},
        host(), kDevices);
    BOOST_REQUIRE(plan.targets.size() == 2U);  // a gateway of several routes is one
    std::vector<NextHop> hops;
    for (const HopTarget& target : plan.targets)
        hops.push_back(complete(target, {Neighbour::State::fresh, kPeerMac}));
    const ReplyRoutes routes(plan.rules, hops);
    const auto hop_of = [&](const char* client) { return routes.find(ip(client)); };
    BOOST_REQUIRE(hop_of("1.2.3.4") != nullptr);
    BOOST_TEST(hop_of("1.2.3.4")->if_index == 2);
    BOOST_TEST(!hop_of("1.2.3.4")->tagged);
    BOOST_TEST(hop_of("10.11.0.1") == hop_of("1.2.3.4"));
    BOOST_REQUIRE(hop_of("10.10.0.1") != nullptr);
    BOOST_TEST(hop_of("10.10.0.1")->vlan_tci == 10);
    BOOST_TEST(hop_of("10.10.0.1")->if_index == 2);
    for (const char* back : {"192.0.2.77", "203.0.113.1", "203.0.114.1", "2001:db8::7"})
        BOOST_TEST(hop_of(back) == nullptr);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace steer::kernel
