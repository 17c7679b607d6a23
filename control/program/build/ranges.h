// The default address ranges of a configuration.
#pragma once

#include <vector>

#include "matchers/prefix/prefix_set.h"

namespace steer::build {

// Loopback, link-local, private and shared addresses (RFC 1122, 3927, 1918, 4193, 4291, 6598):
// allowed clients, unless `allow` is set.
std::vector<matchers::Prefix> private_ranges();

// Addresses that no host has, or only this one: unspecified, loopback, multicast, limited
// broadcast. They never become rows, with any settings.
std::vector<matchers::Prefix> never_ranges();

// Special-purpose ranges (RFC 6890) without public servers. They never become rows, unless
// `allow_claim` has them, or `never_claim` is []. Not included: documentation and benchmarking
// ranges, which laboratories use, and NAT64 prefixes, which DNS64 answers use.
std::vector<matchers::Prefix> special_ranges();

// IPv6 addresses that are not global unicast (RFC 4291 2.4): outside of 2000::/3.
std::vector<matchers::Prefix> not_global_v6();

// These prefixes without `taken`. IPv4 prefixes are subtracted only from IPv4 ones, IPv6 only from
// IPv6.
std::vector<matchers::Prefix> without(std::vector<matchers::Prefix> prefixes,
                                      const std::vector<matchers::Prefix>& taken);

matchers::Prefix host(const IpAddress& address);

}  // namespace steer::build
