// SOCKS5 as a client (RFC 1928; user and password: RFC 1929): builds requests and parses replies.
// Pure.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "control/stream/upstream/upstream_target.h"
#include "matchers/result.h"

namespace steer::stream::socks5 {

inline constexpr std::size_t kMaxNameBytes = 255;  // of a host, a user, a password
inline constexpr std::size_t kMethodBytes = 2;
inline constexpr std::size_t kStatusBytes = 2;
inline constexpr std::size_t kReplyHeadBytes = 5;

std::vector<std::uint8_t> greeting(const Socks5Proxy& proxy);
// Whether the proxy's reply (kMethodBytes) asks for user and password.
Result<bool> wants_password(std::span<const std::uint8_t> said, const Socks5Proxy& proxy);
std::vector<std::uint8_t> password(const Socks5Proxy& proxy);
Result<void> password_taken(std::span<const std::uint8_t> said);  // kStatusBytes

// The request to connect to an address or, without one, to a name that the proxy looks up.
std::vector<std::uint8_t> request(const std::optional<IpAddress>& address, const std::string& name,
                                  std::uint16_t port);
// From the reply's first kReplyHeadBytes: the number of further bytes, which are skipped.
Result<std::size_t> rest_of_reply(std::span<const std::uint8_t> head);

}  // namespace steer::stream::socks5
