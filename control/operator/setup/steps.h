// The changes on a router, each with its undo.
//
// The texts are RouterOS 7 commands for the inside of a `{ }`, with full paths. A row is added only
// if it is missing; its comment ("steerdns: ...") identifies it. Before a change, the old value is
// stored on the router: in the row's comment or, where rows have none, in a script. So the undo
// restores it. Values that a configuration does not have are variables (`blanks`). A script may
// stop between any two commands. If it runs again from its beginning, it does the rest. The undo
// reverts what was done.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "control/operator/setup/router_plan.h"

namespace steer::setup {

struct Step {
    std::string what;            // for the operator, one line
    std::string does, undoes;    // commands, each line ended
    bool moves_clients = false;  // clients use our DNS from then on; such steps are last
};

// The version of the commands: RouterOS 6 has no /routing table, and does not route IPv6 by mark.
enum class RouterOs : std::uint8_t { v6, v7 };

// In the order of execution; the undo uses the reverse order.
std::vector<Step> steps_for(const RouterPlan& router, RouterOs version = RouterOs::v7);
// The router's part of an IPv6-mostly network: the route to the translator, NAT of its pool, PREF64
// and RDNSS on the clients' interface, and DHCP option 108. That is the last step
// (`moves_clients`).
std::vector<Step> nat64_steps(const std::vector<std::string>& prefixes);

// The router answers queries while steerdnsd does not: netwatch switches two rules. Names are then
// resolved without rows.
std::vector<Step> netwatch_steps(RouterOs version = RouterOs::v7);
// Clients get a second DNS server in addition to steerdnsd, an address of that family.
std::vector<Step> second_server_steps(bool v4);

// Variables of the commands, without their '$'. Users and egresses are numbered from 0.
namespace blanks {
inline constexpr std::string_view kDns4 = "dnsAddress4", kDns6 = "dnsAddress6";
inline constexpr std::string_view kApiClient = "apiClient", kInterfaces = "clientInterfaces";
inline constexpr std::string_view kDhcpNetworks = "dhcpNetworks";
inline constexpr std::string_view kAdvertisements = "advertisements";
inline constexpr std::string_view kTranslator = "translator", kPool = "translatorPool";
inline constexpr std::string_view kInterface = "clientInterface", kIpv6Only = "ipv6Only";
inline constexpr std::string_view kSecond = "secondServer", kServers = "failoverServers";
std::string password(std::size_t user);
std::string gateway4(std::size_t egress);
std::string gateway6(std::size_t egress);
}  // namespace blanks

// Variables that count changes, in a script that declares them as 0.
namespace tallies {
inline constexpr std::string_view kAdded = "rowsAdded", kChanged = "rowsChanged";
inline constexpr std::string_view kRemoved = "rowsRemoved", kPutBack = "rowsPutBack";
}  // namespace tallies

// The condition for a user with this name that these commands created.
std::string own_user(const std::string& name);

// `text` as a string literal of RouterOS, with its quotes. It has no variables, control characters,
// bytes outside ASCII, or '?' (which opens the help of a RouterOS 6 terminal).
std::string literal(std::string_view text);

}  // namespace steer::setup
