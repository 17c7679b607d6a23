// What servers over connections speak: one row per protocol. A new one is its row, its class of connections, and the type
// of plugin that configures it (control/config/plugins).
#pragma once

#include <cstdint>

namespace steer::config {

// Columns: name; the class of its connections (control/streams/listen); the label of its connections without TLS in
// metrics; the client transport without TLS and with it (dataplane/base/client_transport.h); an ALPN that TLS accepts
// in addition to that of the transport.
//   dns    messages behind their length: RFC 7766, over TLS RFC 7858
//   http   RFC 8484 over HTTP/2 or HTTP/1.1
#define STEER_SERVER_PROTOCOLS(X)              \
    X(dns, TcpConnection, "tcp", tcp, dot, "") \
    X(http, HttpConnection, "http", doh, doh, "http/1.1")

#define STEER_PROTOCOL_NAME(name, connection, label, plain, secured, alpn) name,
enum class ServerProtocol : std::uint8_t { STEER_SERVER_PROTOCOLS(STEER_PROTOCOL_NAME) count_ };
#undef STEER_PROTOCOL_NAME

}  // namespace steer::config
