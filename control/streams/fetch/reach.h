// How close an address is to this machine. A server elsewhere must not redirect us to a service
// that only we can reach.
//
// Sources: the IANA special-purpose registries (RFC 6890). If an IPv6 address contains an IPv4
// address (mapped, compatible, 6to4, Teredo, 64:ff9b::/96), the closer one counts. Pure.
#pragma once

#include <cstdint>
#include <string_view>

#include "matchers/prefix/ip_address.h"

namespace steer::fetch {

// From far to near.
enum class Reach : std::uint8_t {
    internet,
    network,  // private, shared (100.64.0.0/10), unique local, and reserved ranges
    link,     // link-local including cloud metadata at 169.254.169.254, multicast, broadcast
    host,     // loopback, unspecified
};

Reach reach_of(const IpAddress& address);
// For messages: "a loopback address".
std::string_view name_of(Reach reach);

// Whether a server at `from` may redirect to `to`: never to an address closer to this machine.
inline bool may_redirect(Reach from, Reach to) {
    return to <= from;
}

}  // namespace steer::fetch
