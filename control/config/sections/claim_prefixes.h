// `never_claim` and `allow_claim`: the prefixes that a list adds to those that are never claimed,
// or removes from them.
//
// All list plugins read them here; control/program/build/lists.cpp applies them.
#pragma once

#include <string_view>
#include <vector>

#include "control/config/reading.h"

namespace steer::config {

inline constexpr std::string_view kNeverClaimDefault = "none";
inline constexpr std::string_view kNeverClaimText =
    "further addresses that are never claimed\nThey add to special-purpose ranges and to the "
    "addresses that this machine needs: its own, and those of routers, of upstreams with their "
    "`bootstrap` and `socks5`, of the fleet's Redis and of its other boxes. A host that "
    "is given by name counts from its first look-up on. An address in the prefix of a NAT64 "
    "counts by itself and by the IPv4 address behind it. `[]` leaves the special-purpose ranges "
    "out, with a warning; prefer `allow_claim`. Unspecified, loopback, multicast and limited "
    "broadcast addresses are never claimed, whatever is set.";
inline constexpr std::string_view kAllowClaimText =
    "prefixes that may be claimed although they are special-purpose or unusual IPv6\nUnusual IPv6 "
    "means outside of 2000::/3 and of the prefixes of `dns64`. An address that this machine needs "
    "(see `never_claim`) needs an entry of its own, /32 or /128. `never_claim` wins over "
    "`allow_claim`.";

// Warns if the list is empty.
std::vector<matchers::Prefix> read_never_claim(Reading& in, const Node& node, const Place& place);

}  // namespace steer::config
