// SOCKS5 as a client (RFC 1928; user and password: RFC 1929): builds requests and parses replies.
// Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "control/streams/upstream/upstream_target.h"
#include "matchers/result.h"

namespace steer::stream::socks5 {

inline constexpr std::size_t kMaxNameBytes = 255;  // of a host, a user, a password
inline constexpr std::size_t kMethodBytes = 2;
inline constexpr std::size_t kStatusBytes = 2;
inline constexpr std::size_t kReplyHeadBytes = 5;

std::vector<std::uint8_t> greeting(const Socks5Proxy& proxy);
// Whether the proxy's reply (kMethodBytes) requests user and password.
Result<bool> wants_password(std::span<const std::uint8_t> reply, const Socks5Proxy& proxy);
std::vector<std::uint8_t> password(const Socks5Proxy& proxy);
Result<void> password_taken(std::span<const std::uint8_t> reply);  // kStatusBytes

// The request to connect to an address or, without one, to a name that the proxy resolves.
std::vector<std::uint8_t> request(const std::optional<IpAddress>& address, const std::string& name,
                                  std::uint16_t port);
// The request for a relay of datagrams (UDP ASSOCIATE), from a port that we do not know yet.
std::vector<std::uint8_t> request_relay();
// The number of further bytes after the reply's first kReplyHeadBytes. They may be skipped.
Result<std::size_t> rest_of_reply(std::span<const std::uint8_t> head);

// An address and port in a reply. `address` with all zeros: the proxy's own address.
struct Bound {
    IpAddress address;
    std::uint16_t port = 0;
};
// `reply`: the head and the further bytes. No value: a name.
std::optional<Bound> bound(std::span<const std::uint8_t> reply);

// ---- datagrams (RFC 1928 7)

std::vector<std::uint8_t> datagram_header(const std::optional<IpAddress>& address,
                                          const std::string& name, std::uint16_t port);
// The length of a datagram's header; 0: it has none, or is a fragment.
std::size_t datagram_head(std::span<const std::uint8_t> datagram);

}  // namespace steer::stream::socks5
