// An IP address in an operator's text, with the zone that a link-local address needs (RFC 4007
// 11.2): "192.0.2.1", "fe80::1%eth0", "fe80::1%3". Pure; allocates the zone.
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

// Accepts no brackets and no port. No value: it is not an address, the address with a zone is not
// link-local, or the zone cannot be an interface's name.
std::optional<ZonedAddress> parse_zoned(std::string_view text);

}  // namespace steer
