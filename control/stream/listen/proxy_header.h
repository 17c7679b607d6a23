// PROXY protocol, version 2: what a proxy in front of us says of its client before the client's
// first byte (the specification is HAProxy's, "The PROXY protocol", section 2.2). Pure.
//
// It comes in two steps, so that no byte behind it is taken off the socket: kProxyFixedBytes, which
// say how long the rest is, then the rest.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "matchers/prefix/ip_address.h"

namespace steer::stream {

inline constexpr std::size_t kProxyFixedBytes = 16;
// Addresses and what else the proxy says (its TLS, its name); nobody says as much.
inline constexpr std::size_t kProxyMostBytes = 4096;

// The length of the whole header, of which `fixed` is the beginning. Nothing: it is none of version
// 2, or too long.
std::optional<std::size_t> proxy_header_length(
    std::span<const std::uint8_t, kProxyFixedBytes> fixed);

struct ProxiedClient {
    bool is_known = false;  // else the proxy speaks for itself (LOCAL, or no address)
    IpAddress address;
    std::uint16_t port = 0;  // host order
};
// Who the client is. Nothing: addresses are missing, or are none of TCP.
std::optional<ProxiedClient> read_proxy_header(std::span<const std::uint8_t> header);

}  // namespace steer::stream
