// Checks a router by its own data. No I/O. Each check has one subject. If a menu that it needs
// cannot be read, it reports nothing: that menu has a finding of its own.
#pragma once

#include "control/operator/doctor/expected.h"
#include "control/operator/doctor/facts.h"
#include "control/operator/doctor/finding.h"

namespace steer::doctor {

Findings judge(const RouterFacts& router, const Expected& expected);

// The single checks.
// Menus that cannot be read, and contradictions to the version that the router reports.
void check_menus(const RouterFacts& router, Findings& out);  // version_checks.cpp
void check_features(const RouterFacts& router, const Expected& expected, Findings& out);
void check_api(const RouterFacts& router, const Expected& expected,
               Findings& out);  // api_checks.cpp
void check_policy(const RouterFacts& router, const Expected& expected,
                  Findings& out);  // policy_checks.cpp
// The routing tables that a ros_route fills.
void check_routes(const RouterFacts& router, const Expected& expected,
                  Findings& out);  // route_checks.cpp
void check_dns(const RouterFacts& router, const Expected& expected,
               Findings& out);  // dns_checks.cpp
// Rules that let packets bypass mangle and our tables.
void check_detours(const RouterFacts& router, const Expected& expected,
                   Findings& out);  // detour_checks.cpp
void check_dhcp(const RouterFacts& router, const Expected& expected,
                Findings& out);  // dhcp_checks.cpp
// Clients that use other resolvers.
void check_bypass(const RouterFacts& router, const Expected& expected,
                  Findings& out);  // bypass_checks.cpp
void check_nat64(const RouterFacts& router, const Expected& expected,
                 Findings& out);  // nat64_checks.cpp

// ---- for the checks

// A problem without commands: the caller adds them.
Finding problem(std::string check, std::string what, std::string why, std::string advice = {});

// Adds a `set` for one row, and its undo from the row's present values.
void set_row(Finding& finding, const routeros::CommandForm& form, routeros::Menu family,
             const Row& row, const std::vector<std::pair<std::string, std::string>>& values);
inline constexpr std::string_view kMangle = "/firewall/mangle", kFilter = "/firewall/filter",
                                  kNat = "/firewall/nat";  // in each family's menu
// The end of a sentence for clients that do not use our DNS.
inline constexpr const char* kBypassed =
    "its clients' names are not resolved by SteerDNS, so their connections get no egress";

// The clients' side, as a matcher of rules: `in-interface-list` or `in-interface`, and its value.
// Both empty: the router's rules do not define it.
using ClientSide = std::pair<std::string, std::string>;
ClientSide client_side(const RouterFacts& router, const Expected& expected);
bool is_client_interface(const RouterFacts& router, const ClientSide& side,
                         std::string_view interface);
// The interface with a network that contains the address; empty: none.
std::string interface_towards(const RouterFacts& router, const IpAddress& address);
// Whether clients of the DHCP network get the option with this name: alone, or in a set.
bool gives_option(const RouterFacts& router, const Row& network, std::string_view option);
// Reports a routing table that is missing or disabled. Returns false if it is missing.
bool check_routing_table(const RouterFacts& router, const std::string& name, const std::string& why,
                         Findings& out);
// One of the router's own IPv4 addresses.
bool is_own(const RouterFacts& router, std::string_view address);
// Whether it is an enabled rule of `dstnat` that redirects clients' DNS queries to other servers,
// over UDP or TCP.
bool is_redirect(const Row& rule, std::string_view protocol);
// "*5 (comment)"
std::string row_text(const Row& row);

}  // namespace steer::doctor
