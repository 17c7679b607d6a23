// URL schemes of upstreams and their properties. The transport of each scheme is a row of
// control/streams/upstream/upstream_schemes.cpp.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace steer::config {

enum class UpstreamScheme : std::uint8_t { udp, tcp, tls, https, quic, h3, count_ };

struct SchemeFacts {
    std::uint16_t port;    // default
    bool has_connections;  // false: datagrams
    bool has_certificates;
    bool has_path;  // "/dns-query", as in HTTP
    bool is_over_quic;
    std::string_view transport;  // for people
};
inline constexpr std::array kSchemeFacts{
    SchemeFacts{53, false, false, false, false, "udp"},
    SchemeFacts{53, true, false, false, false, "tcp"},
    SchemeFacts{853, true, true, false, false, "tls"},
    SchemeFacts{443, true, true, true, false, "https"},
    SchemeFacts{853, true, true, false, true, "quic"},
    SchemeFacts{443, true, true, true, true, "h3"},
};
static_assert(kSchemeFacts.size() == static_cast<std::size_t>(UpstreamScheme::count_));
constexpr const SchemeFacts& facts_of(UpstreamScheme scheme) {
    return kSchemeFacts[static_cast<std::size_t>(scheme)];
}

// Of `path` of an upstream, in bytes.
inline constexpr std::size_t kMaxUpstreamPath = 1024;

// The family of the addresses of a name.
enum class AddressFamily : std::uint8_t { any, v4, v6 };

}  // namespace steer::config
