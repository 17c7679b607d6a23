// What a router's DHCP says against its clients asking us (control/operator/doctor/dhcp_checks.cpp, dns_checks.cpp).
#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <string>
#include <vector>

#include "control/operator/doctor/checks.h"

namespace steer::doctor {
namespace {

struct World {
    World() {
        expected.dns4 = IpAddress::parse("192.0.2.53");
        add("/ip/address", {{"address", "192.0.2.1/24"}});
    }
    void add(const std::string& menu, const routeros::Properties& values) {
        facts.tables[menu].rows.emplace_back(values);
    }
    [[nodiscard]] std::vector<std::string> found() const {
        Findings all;
        check_dns(facts, expected, all);
        check_dhcp(facts, expected, all);
        std::vector<std::string> names;
        for (const Finding& finding : all)
            names.push_back(finding.check);
        return names;
    }
    RouterFacts facts;
    Expected expected;
};
using Names = std::vector<std::string>;

BOOST_AUTO_TEST_SUITE(dhcp)

BOOST_AUTO_TEST_CASE(a_server_that_the_alert_found_is_a_problem) {
    World world;
    world.add("/ip/dhcp-server/alert",
              {{"interface", "bridge"}, {"valid-server", "02:00:00:00:00:01"}});
    BOOST_TEST(world.found() == Names{}, boost::test_tools::per_element());
    world.add("/ip/dhcp-server/alert",
              {{"interface", "guests"}, {"unknown-server", "02:00:00:00:00:99"}});
    BOOST_TEST(world.found() == Names{"dhcp-other-server"}, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(a_networks_domain_is_that_of_its_leases) {
    World world;
    world.add("/ip/dhcp-server/network",
              {{".id", "*1"}, {"address", "192.0.2.0/24"}, {"dns-server", "192.0.2.53"}});
    BOOST_TEST(world.found() == Names{}, boost::test_tools::per_element());
    world.expected.lease_domain = "lan";
    BOOST_TEST(world.found() == Names{"dhcp-domain"}, boost::test_tools::per_element());
    world.facts.tables["/ip/dhcp-server/network"].rows.clear();
    world.add("/ip/dhcp-server/network", {{".id", "*1"},
                                          {"address", "192.0.2.0/24"},
                                          {"dns-server", "192.0.2.53"},
                                          {"domain", "LAN."}});
    BOOST_TEST(world.found() == Names{}, boost::test_tools::per_element());
    // Guests that ask another server resolve no names of leases here.
    world.add("/ip/dhcp-server/network",
              {{".id", "*2"}, {"address", "198.51.100.0/24"}, {"dns-server", "198.51.100.7"}});
    BOOST_TEST(world.found() == Names{"dhcp-dns"}, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(servers_that_a_router_learns_are_a_problem_if_clients_ask_it) {
    World world;
    world.add("/ip/dns", {{"servers", "192.0.2.53"}, {"allow-remote-requests", "true"}});
    world.add("/ip/dhcp-client", {{".id", "*1"}, {"interface", "ether1"}, {"use-peer-dns", "no"}});
    BOOST_TEST(world.found() == Names{}, boost::test_tools::per_element());
    world.add("/ip/dhcp-client", {{".id", "*2"}, {"interface", "ether2"}, {"use-peer-dns", "yes"}});
    BOOST_TEST(world.found() == Names{"peer-dns"}, boost::test_tools::per_element());
    world.facts.tables["/ip/dhcp-client"].rows.clear();
    world.facts.tables["/ip/dns"].rows.clear();
    world.add("/ip/dns", {{"servers", "192.0.2.53"},
                          {"allow-remote-requests", "true"},
                          {"dynamic-servers", "198.51.100.7"}});
    BOOST_TEST(world.found() == Names{"peer-dns"}, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace steer::doctor
