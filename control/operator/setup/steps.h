// What is done on a router, each thing together with what undoes it.
//
// The texts are RouterOS 7 commands for the inside of a `{ }`, by full paths. What is added is added only if it is not
// there, and found again by a comment of its own ("steerdns: ..."). What is changed is remembered on the router first, in
// the comment of the row or, where rows have none, in a script, so that the undo puts back what was there. Values that a
// configuration does not have are variables (`blanks`). A script may stop between any two commands: run again from its
// beginning, it does the rest, and the undo takes back what was done.
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
    bool moves_clients = false;  // clients ask us from then on; such steps are the last
};

// Whose commands: RouterOS 6 has no /routing table, and routes no IPv6 by mark.
enum class RouterOs : std::uint8_t { v6, v7 };

// In the order of doing; undone in the reverse order.
std::vector<Step> steps_for(const RouterPlan& router, RouterOs version = RouterOs::v7);
// The router's half of an IPv6-mostly network: route to the translator, NAT of its pool, PREF64 and RDNSS on the
// interface of clients, and DHCP option 108, which is the last step (`moves_clients`).
std::vector<Step> nat64_steps(const std::vector<std::string>& prefixes);

// While steerdnsd does not answer, the router answers its queries: netwatch switches two rules. Names are then resolved
// without rows.
std::vector<Step> netwatch_steps(RouterOs version = RouterOs::v7);
// Clients get a second DNS server beside steerdnsd, an address of that family.
std::vector<Step> second_server_steps(bool v4);

// Variables of the commands, without their '$'. Users and egresses count from 0.
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

// Variables that count what was done, in a script that declares them as 0.
namespace tallies {
inline constexpr std::string_view kAdded = "rowsAdded", kChanged = "rowsChanged";
inline constexpr std::string_view kRemoved = "rowsRemoved", kPutBack = "rowsPutBack";
}  // namespace tallies

// The condition that holds for a user of this name that was made here.
std::string own_user(const std::string& name);

// `text` as a string literal of RouterOS, quotes and all: nothing in it is a variable, a control character, a '?'
// (which asks a RouterOS 6 terminal for help) or outside of ASCII.
std::string literal(std::string_view text);

}  // namespace steer::setup
