// From an accepted socket to a served connection.
#pragma once

#include <boost/asio/ip/tcp.hpp>

#include "control/host/net/byte_stream.h"
#include "control/streams/listen/injector.h"
#include "control/streams/listen/tcp_clients.h"

namespace steer::stream {

// Serves the socket's client as the service says, if it is accepted: starts a TcpOpening first, if there is a
// PROXY header or a TLS handshake.
void serve_client(StreamContext& context, Injector& injector, ClientConnections& clients,
                  boost::asio::ip::tcp::socket socket, QueryOrigin origin);

// Creates the connection with the service's protocol over `stream`, whose TLS handshake is
// done. The client's place is already taken (ClientConnections::admit).
void begin_protocol(StreamContext& context, Injector& injector, ClientConnections& clients,
                    ByteStream stream, const QueryOrigin& origin);

}  // namespace steer::stream
