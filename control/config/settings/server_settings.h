// Arguments of the servers: where queries come in, and what is offered there.
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

// Executors that servers name: as many as a snapshot has room for.
inline constexpr std::size_t kMaxEntries = 32;

// What every server has.
struct Server {
    PluginIndex entry = 0;  // of one with paths: that of the first
    Endpoint listen;
};
struct UdpServer : Server {};
// Certificate and key of a server, as files that are opened; `cert` empty: plain.
struct ServerTls {
    std::string cert, key;
    std::string client_ca;  // who has signed clients' certificates; empty: none is asked for
    bool require_client_cert = false;
    bool operator==(const ServerTls&) const = default;
};
struct HttpPath {
    std::string path;
    PluginIndex exec = 0;
    int line = 0;
};
// A server over connections, whatever it speaks.
struct StreamServer : Server, ServerLimits {
    ServerProtocol protocol = ServerProtocol::dns;
    ServerTls tls;
    std::vector<matchers::Prefix> proxy_protocol;  // who sends a PROXY header, and is believed
    // Of HTTP; others have none.
    std::vector<HttpPath> paths;  // at least one
    std::string src_ip_header;    // in lower case; empty: none
    std::vector<matchers::Prefix>
        trusted_proxies;  // senders whose header counts; loopback always does
};

}  // namespace steer::config
