// The UDP sockets of a server over QUIC on one address: one for each thread of steerdns-quic, with
// the same port (SO_REUSEPORT).
//
// A small program in the kernel picks the socket: the byte of the packet's connection id modulo
// their number (connection_id.h). So a connection stays with its thread when its client's address
// changes, and a client's first packets, whose id it chose at random, are spread. The number of
// sockets may not change: their places in the group are those of their bind().
#pragma once

#include <vector>

#include "control/streams/listen/listen_socket.h"
#include "dataplane/port/descriptor.h"
#include "matchers/result.h"

namespace steer::stream {

// Prepared for datagram_socket.h: no fragments, ECN marks, datagrams in trains.
Result<std::vector<Descriptor>> open_quic_sockets(const ListenAddress& where, unsigned count);

}  // namespace steer::stream
