// The address ranges that a configuration means without saying so.
#pragma once

#include <vector>

#include "matchers/prefix/prefix_set.h"

namespace steer::build {

// Loopback, link-local and private addresses (RFC 1122, 3927, 1918, 4193, 4291): may ask, unless
// `allow` says otherwise.
std::vector<matchers::Prefix> private_ranges();

// Special-purpose ranges (RFC 6890) that no connection to a public server goes to: never become
// rows, unless `never_claim` says otherwise. Left out: documentation and benchmarking ranges, which
// no public server has and laboratories use; NAT64 prefixes, which are where DNS64 answers point.
std::vector<matchers::Prefix> special_ranges();

matchers::Prefix host(const IpAddress& address);

}  // namespace steer::build
