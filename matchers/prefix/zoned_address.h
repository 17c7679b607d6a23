// An IP address as an operator writes it, with the zone that a link-local one needs (RFC 4007 11.2): "192.0.2.1",
// "fe80::1%eth0", "fe80::1%3". Pure; allocates the zone.
#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "matchers/prefix/ip_address.h"

namespace steer {

struct ZonedAddress {
    IpAddress address;
    std::string zone;  // an interface, by name or number; empty: none
    bool operator==(const ZonedAddress&) const = default;
};

// No brackets, no port. No value: it is not an address, a zone stands behind one that is not link-local, or it cannot be
// the name of an interface.
std::optional<ZonedAddress> parse_zoned(std::string_view text);

}  // namespace steer
