// From an address to others: the ends of its prefixes, its neighbours.
#pragma once

#include "matchers/prefix/ip_address.h"

namespace steer::matchers {

// All bits from `length` (0..128) on cleared or set: the first and the last address of a prefix.
IpAddress filled(IpAddress address, unsigned length, bool ones);

// The neighbour; of the last address the first, and the reverse.
IpAddress next(IpAddress address);
IpAddress previous(IpAddress address);

}  // namespace steer::matchers
