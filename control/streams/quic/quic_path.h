// The addresses of a datagram.
#pragma once

#include "control/streams/base/socket_address.h"

namespace steer::quic {

struct QuicPath {
    stream::SocketAddress local, remote;
    friend bool operator==(const QuicPath&, const QuicPath&) = default;
};

}  // namespace steer::quic
