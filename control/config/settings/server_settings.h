// Arguments of the servers: where queries arrive, and over which protocols.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "control/config/settings/section_settings.h"
#include "control/config/settings/server_limit_settings.h"
#include "control/config/settings/server_protocol.h"
#include "matchers/prefix/prefix_set.h"

namespace steer::config {

// Maximum number of executors that servers name: the entries of a snapshot.
inline constexpr std::size_t kMaxEntries = 32;

// Paths of a server over HTTP/3.
inline constexpr std::size_t kMaxHttp3Paths = 32;

// What every server has.
struct Server {
    PluginIndex entry = 0;  // of one with paths: that of the first
    Endpoint listen;
};
// As CookieMode (dataplane/policy/frontends.h).
enum class ServerCookies : std::uint8_t { off, on, required_under_load };
struct UdpServer : Server {
    ServerCookies cookies = ServerCookies::on;
};
// Certificate and key of a server, as files that are opened; `cert` empty: plain.
struct ServerTls {
    std::string cert, key;
    std::string client_ca;  // issuers of clients' certificates; empty: none is requested
    bool require_client_cert = false;
    bool early_data = false;  // over QUIC: queries beside a handshake (0-RTT)
    bool operator==(const ServerTls&) const = default;
};
struct HttpPath {
    std::string path;
    PluginIndex exec = 0;
    bool json_api = false;
    int line = 0;
};
// A server over connections, whatever it speaks.
struct StreamServer : Server, ServerLimits {
    ServerProtocol protocol = ServerProtocol::dns;
    ServerTls tls;
    std::vector<matchers::Prefix> proxy_protocol;  // who sends a PROXY header, and is believed
    // Of HTTP; others have none.
    bool http3 = false;           // also over QUIC, at the same port
    std::vector<HttpPath> paths;  // at least one
    std::string src_ip_header;    // in lower case; empty: none
    std::vector<matchers::Prefix>
        trusted_proxies;  // senders with a trusted header; loopback always is

    [[nodiscard]] bool is_over_tcp() const { return !is_over_quic(protocol); }
    // Also over QUIC, which always has TLS.
    [[nodiscard]] bool has_http3() const { return http3 && !tls.cert.empty(); }
};

}  // namespace steer::config
