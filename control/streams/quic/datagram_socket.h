// Reads and writes the datagrams of one UDP socket for QUIC: several of one path in one call, where
// the kernel can (UDP_SEGMENT, UDP_GRO), with their ECN marks.
//
// The daemon opens and prepares the sockets (quic_sockets.h), so this needs no right but to read
// and write. One thread.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <utility>

#include "control/streams/base/socket_address.h"
#include "dataplane/port/descriptor.h"

namespace steer::quic {

class DatagramSocket {
  public:
    // `local`: the address that it is bound to. A connected one sends to its peer only.
    DatagramSocket(Descriptor fd, const stream::SocketAddress& local, bool is_connected = false)
        : fd_(std::move(fd)), local_(local), is_connected_(is_connected) {}

    // Calls `take` for each datagram that waits, up to about kMostPerTurn. Returns 0, or the error
    // of a connected one.
    using Taker = std::function<void(std::span<const std::uint8_t> datagram, unsigned ecn,
                                     const stream::SocketAddress& remote)>;
    static constexpr unsigned kMostPerTurn = 256;
    int read(const Taker& take);
    // Datagrams of `each` bytes, the last one possibly shorter. The number that the kernel did not
    // accept.
    std::size_t send(const stream::SocketAddress& remote, unsigned ecn,
                     std::span<const std::uint8_t> bytes, std::size_t each);

    [[nodiscard]] int fd() const { return fd_.get(); }
    [[nodiscard]] const stream::SocketAddress& local() const { return local_; }

  private:
    bool send_once(const stream::SocketAddress& remote, unsigned ecn,
                   std::span<const std::uint8_t> bytes, std::size_t each) const;

    Descriptor fd_;
    stream::SocketAddress local_;
    bool is_connected_;
    bool has_segments_ = true;  // the kernel cuts datagrams itself
};

}  // namespace steer::quic
