// From a socket that was accepted to a connection that is served.
#pragma once

#include <boost/asio/ip/tcp.hpp>

#include "control/stream/listen/injector.h"
#include "control/stream/listen/tcp_clients.h"
#include "control/stream/tls/byte_stream.h"

namespace steer::stream {

// Has the socket's client served as the service wants it, if it is welcome: a TcpOpening first, if a
// PROXY header or a TLS handshake comes first.
void serve_client(StreamContext& context, Injector& injector, TcpClients& clients,
                  boost::asio::ip::tcp::socket socket, QueryOrigin origin);

// Makes the connection that speaks the service's protocol over `stream`, whose TLS handshake is
// done. The place of the client is taken (TcpClients::admit).
void begin_protocol(StreamContext& context, Injector& injector, TcpClients& clients,
                    ByteStream stream, const QueryOrigin& origin);

}  // namespace steer::stream
