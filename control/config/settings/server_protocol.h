// What servers over connections speak: one row per protocol. A new one is its row, its class of connections, and the type
// of plugin that configures it (control/config/plugins).
#pragma once

#include <cstdint>

namespace steer::config {

// Columns: name; the label of its connections without TLS in metrics; the client transport without TLS and with it
// (dataplane/base/client_transport.h); an ALPN that TLS accepts in addition to that of the transport; the class of its
// connections (control/streams/listen).
//   dns    messages behind their length: RFC 7766, over TLS RFC 7858
//   http   RFC 8484 over HTTP/2 or HTTP/1.1
#define STEER_TCP_PROTOCOLS(X)                 \
    X(dns, "tcp", tcp, dot, "", TcpConnection) \
    X(http, "http", doh, doh, "http/1.1", HttpConnection)
// The same for protocols over QUIC, whose connections are in the process steerdns-quic; always with TLS.
//   doq    a stream for each query: RFC 9250
//   http3  RFC 8484 over HTTP/3: RFC 9114
#define STEER_QUIC_PROTOCOLS(X) X(doq, "doq", doq, doq, "", ) X(http3, "doh3", doh3, doh3, "", )
#define STEER_SERVER_PROTOCOLS(X) STEER_TCP_PROTOCOLS(X) STEER_QUIC_PROTOCOLS(X)

#define STEER_PROTOCOL_NAME(name, label, plain, secured, alpn, connection) name,
enum class ServerProtocol : std::uint8_t { STEER_SERVER_PROTOCOLS(STEER_PROTOCOL_NAME) count_ };
#undef STEER_PROTOCOL_NAME

constexpr bool is_over_quic(ServerProtocol protocol) {
#define STEER_PROTOCOL_IS(name, label, plain, secured, alpn, connection) \
    if (protocol == ServerProtocol::name) return true;
    STEER_QUIC_PROTOCOLS(STEER_PROTOCOL_IS)
#undef STEER_PROTOCOL_IS
    return false;
}

}  // namespace steer::config
