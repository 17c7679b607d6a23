// What a listening TCP socket offers to its clients. Made before the first one comes and constant
// from then on (but for the certificates in `tls`, which are renewed); one for all addresses of a
// server plugin and all threads, so that its limits hold in total.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>

#include "control/stream/http/http_site.h"
#include "control/stream/listen/client_counts.h"
#include "matchers/prefix/prefix_set.h"

namespace steer::stream {

class TlsServer;

// What is spoken once a connection is open. Each has a class of its own (serve_client.cpp).
enum class Protocol : std::uint8_t {
    dns,   // messages behind their length: RFC 7766, over TLS RFC 7858
    http,  // RFC 8484 over HTTP/2 or HTTP/1.1
};

struct TcpLimits {
    unsigned connections = 10'000;  // in all; then one that is idle makes room
    unsigned per_client = 64;       // of an IPv4 address, of an IPv6 /64
    unsigned in_progress =
        100;  // queries of one connection; further ones are not read (HTTP/2: not
              // to be asked)
};

struct Service {
    Protocol protocol = Protocol::dns;
    std::chrono::milliseconds idle{10'000};  // a connection without a query for so long is closed
    TcpLimits limits{};
    std::shared_ptr<TlsServer> tls{};  // nullptr: plain
    std::uint16_t frontend = 0;        // of Protocol::dns: dataplane/policy/frontends.h
    HttpSite http{};                   // of Protocol::http
    // Who sends a PROXY header before anything else, and is believed what it says of the client.
    matchers::PrefixSet proxies{};
    // Whom a connection of `peer` counts for: an HTTP proxy's are many clients', and nobody's.
    [[nodiscard]] IpAddress counted_as(const IpAddress& peer) const {
        return http.trusts(peer) ? IpAddress{} : peer;
    }
    std::shared_ptr<ClientCounts> counts = std::make_shared<ClientCounts>();
};

}  // namespace steer::stream
