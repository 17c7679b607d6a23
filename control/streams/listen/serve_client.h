// Turns an accepted socket into a served connection.
#pragma once

#include <boost/asio/ip/tcp.hpp>

#include "control/host/net/byte_stream.h"
#include "control/streams/listen/injector.h"
#include "control/streams/listen/tcp_clients.h"

namespace steer::stream {

// Serves the socket's client with the service's settings, if it is accepted. If there is a PROXY
// header or a TLS handshake, starts a TcpOpening first.
void serve_client(StreamContext& context, Injector& injector, ClientConnections& clients,
                  boost::asio::ip::tcp::socket socket, QueryOrigin origin);

// Creates the connection with the service's protocol over `stream`. Its TLS handshake must be done,
// and the client's place must be taken (ClientConnections::admit).
void begin_protocol(StreamContext& context, Injector& injector, ClientConnections& clients,
                    ByteStream stream, const QueryOrigin& origin);

}  // namespace steer::stream
