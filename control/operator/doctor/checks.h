// Judges a router by what it says of itself. No I/O. Each check looks at one thing and is silent where a menu that it
// needs cannot be read: that is a finding of its own.
#pragma once

#include "control/operator/doctor/expected.h"
#include "control/operator/doctor/facts.h"
#include "control/operator/doctor/finding.h"

namespace steer::doctor {

Findings judge(const RouterFacts& router, const Expected& expected);

// The parts of it.
// Menus that cannot be read, and what contradicts the version that the router reports.
void check_menus(const RouterFacts& router, Findings& out);  // version_checks.cpp
void check_features(const RouterFacts& router, const Expected& expected, Findings& out);
void check_api(const RouterFacts& router, const Expected& expected,
               Findings& out);  // api_checks.cpp
void check_policy(const RouterFacts& router, const Expected& expected,
                  Findings& out);  // policy_checks.cpp
// The tables that a ros_route fills.
void check_routes(const RouterFacts& router, const Expected& expected,
                  Findings& out);  // route_checks.cpp
void check_dns(const RouterFacts& router, const Expected& expected,
               Findings& out);  // dns_checks.cpp
// What takes packets out of the way of mangle and of our tables.
void check_detours(const RouterFacts& router, const Expected& expected,
                   Findings& out);  // detour_checks.cpp
void check_dhcp(const RouterFacts& router, const Expected& expected,
                Findings& out);  // dhcp_checks.cpp
// Clients that ask other resolvers.
void check_bypass(const RouterFacts& router, const Expected& expected,
                  Findings& out);  // bypass_checks.cpp
void check_nat64(const RouterFacts& router, const Expected& expected,
                 Findings& out);  // nat64_checks.cpp

// ---- for the checks

// Without commands: the caller adds them.
Finding problem(std::string check, std::string what, std::string why, std::string advice = {});

// `set` of one row, and its undo from what the row says now.
void set_row(Finding& finding, const routeros::CommandForm& form, routeros::Menu family,
             const Row& row, const std::vector<std::pair<std::string, std::string>>& values);
inline constexpr std::string_view kMangle = "/firewall/mangle", kFilter = "/firewall/filter",
                                  kNat = "/firewall/nat";  // of a family
// A sentence's end where clients do not ask us.
inline constexpr const char* kBypassed =
    "its clients' names are not resolved by SteerDNS, so their connections get no egress";

// Where clients come in, as a matcher of rules: `in-interface-list` or `in-interface`, and its value. Both empty: the
// router's rules do not say.
using ClientSide = std::pair<std::string, std::string>;
ClientSide client_side(const RouterFacts& router, const Expected& expected);
bool is_client_interface(const RouterFacts& router, const ClientSide& side,
                         std::string_view interface);
// The interface whose network has the address; empty: none.
std::string interface_towards(const RouterFacts& router, const IpAddress& address);
// Whether clients of the DHCP network get the option of this name: alone, or in a set.
bool gives_option(const RouterFacts& router, const Row& network, std::string_view option);
// Reports a routing table that is missing or disabled. False: it is missing.
bool check_routing_table(const RouterFacts& router, const std::string& name, const std::string& why,
                         Findings& out);
// One of the router's own IPv4 addresses.
bool is_own(const RouterFacts& router, std::string_view address);
// An enabled rule of `dstnat` that takes DNS queries of clients to other servers, over UDP or TCP.
bool is_redirect(const Row& rule, std::string_view protocol);
// "*5 (comment)"
std::string row_text(const Row& row);

}  // namespace steer::doctor
