// The default address ranges of a configuration.
#pragma once

#include <vector>

#include "matchers/prefix/prefix_set.h"

namespace steer::build {

// Loopback, link-local, private and shared addresses (RFC 1122, 3927, 1918, 4193, 4291, 6598): may ask, unless
// `allow` says otherwise.
std::vector<matchers::Prefix> private_ranges();

// Addresses that no host has, or only this one: unspecified, loopback, multicast, limited broadcast. They never become
// rows, whatever is set.
std::vector<matchers::Prefix> never_ranges();

// Special-purpose ranges (RFC 6890) that no connection to a public server goes to: never become
// rows, unless `allow_claim` has them, or `never_claim` is []. Left out: documentation and benchmarking ranges, which
// no public server has and laboratories use; NAT64 prefixes, which are where DNS64 answers point.
std::vector<matchers::Prefix> special_ranges();

// IPv6 that is not global unicast (RFC 4291 2.4): outside of 2000::/3.
std::vector<matchers::Prefix> not_global_v6();

// These prefixes without `taken`. IPv4 prefixes are subtracted only from IPv4 ones, IPv6 from IPv6.
std::vector<matchers::Prefix> without(std::vector<matchers::Prefix> prefixes,
                                      const std::vector<matchers::Prefix>& taken);

matchers::Prefix host(const IpAddress& address);

}  // namespace steer::build
