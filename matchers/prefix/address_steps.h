// Addresses related to an address: the ends of its prefixes, and its neighbours.
#pragma once

#include "matchers/prefix/ip_address.h"

namespace steer::matchers {

// Sets or clears all bits from `length` (0..128) on: the last or first address of a prefix.
IpAddress filled(IpAddress address, unsigned length, bool ones);

// The next or previous address; wraps around at both ends.
IpAddress next(IpAddress address);
IpAddress previous(IpAddress address);

}  // namespace steer::matchers
