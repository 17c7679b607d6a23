// The keys of SvcParams (RFC 9460 14.3.2; 9461; 9540; draft-ietf-tls-key-share-prediction).
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace steer::dns::svc_keys {

// By their numbers.
inline constexpr std::array<std::string_view, 10> kNames{
    "mandatory", "alpn",     "no-default-alpn", "port",  "ipv4hint",
    "ech",       "ipv6hint", "dohpath",         "ohttp", "tls-supported-groups"};
// Those whose values have a form of their own.
enum Key : std::uint16_t { mandatory, alpn, no_default_alpn, port, ipv4hint, ech, ipv6hint };

}  // namespace steer::dns::svc_keys
