// Kernel UDP on one service address: datagrams that arrive through the kernel instead of a port, or
// all datagrams if there is no port. Bound to that address, so that answers have the right source
// address.
//
// If the interface has a copying port (StreamContext::copying), only datagrams that the port cannot
// handle are handled: fragments, IP options, extension headers.
//
// Receives and sends up to 32 datagrams per system call. If the send buffer is full, the answer is
// lost and counted.
#pragma once

#include <sys/socket.h>

#include <array>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <memory>

#include "control/streams/base/stream_context.h"
#include "control/streams/listen/injector.h"
#include "control/streams/listen/source_budget.h"

namespace steer::stream {

class UdpListener final : public ResponseHandler, public std::enable_shared_from_this<UdpListener> {
  public:
    static constexpr unsigned kBatch = 32;

    // Takes ownership of `socket`, which must be bound and non-blocking. `budget`: nullptr for no
    // limit; must outlive this object.
    UdpListener(StreamContext& context, Injector& injector, int socket, const IpAddress& local,
                std::uint16_t local_port, SourceBudget* budget);
    ~UdpListener() override;

    void start();
    void close();
    void take_answer(const QueryOrigin& origin, Buffer* response) override;
    // Sends the answers collected by take_answer().
    void flush();

  private:
    void wait();
    void receive();
    // Receives one batch. Returns true if there may be more.
    bool receive_batch();
    void take_query(Buffer* buffer, const SocketAddress& client, const mmsghdr& message);
    [[nodiscard]] bool is_copy(mmsghdr& message) const;

    StreamContext& context_;
    Injector& injector_;
    boost::asio::posix::stream_descriptor socket_;
    IpAddress local_;
    std::uint16_t local_port_;
    SourceBudget* budget_;

    struct Outgoing {
        SocketAddress to;
        Buffer* buffer;
    };
    std::array<Outgoing, kBatch> out_{};
    unsigned out_count_ = 0;
};

}  // namespace steer::stream
