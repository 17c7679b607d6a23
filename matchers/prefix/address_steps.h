// Addresses related to an address: the ends of its prefixes, its neighbours.
#pragma once

#include "matchers/prefix/ip_address.h"

namespace steer::matchers {

// All bits from `length` (0..128) on cleared or set: the first and the last address of a prefix.
IpAddress filled(IpAddress address, unsigned length, bool ones);

// The next or previous address; wraps around at the ends.
IpAddress next(IpAddress address);
IpAddress previous(IpAddress address);

}  // namespace steer::matchers
