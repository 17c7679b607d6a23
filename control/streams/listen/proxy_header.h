// PROXY protocol, version 2: a proxy's description of its client before the client's
// first byte (the specification is HAProxy's, "The PROXY protocol", section 2.2). Pure.
//
// It is read in two steps, so that no byte behind it is taken from the socket: first
// kProxyFixedBytes, which contain the length of the rest, then the rest.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "matchers/prefix/ip_address.h"

namespace steer::stream {

inline constexpr std::size_t kProxyFixedBytes = 16;
// A limit for addresses and further data of the proxy (TLS, name), above all real headers.
inline constexpr std::size_t kProxyMostBytes = 4096;

// The length of the whole header, from its beginning `fixed`. No value: not a header of version 2,
// or too long.
std::optional<std::size_t> proxy_header_length(
    std::span<const std::uint8_t, kProxyFixedBytes> fixed);

struct ProxiedClient {
    bool is_known = false;  // false: the proxy's own connection (LOCAL, or no address)
    IpAddress address;
    std::uint16_t port = 0;  // host order
};
// The client. No value: addresses are missing, or not TCP.
std::optional<ProxiedClient> read_proxy_header(std::span<const std::uint8_t> header);

}  // namespace steer::stream
