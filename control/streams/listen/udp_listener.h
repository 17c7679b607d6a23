// Kernel UDP on one service address: datagrams that arrive through the kernel instead of a port
// of frames, or all of them if there is no such port. Bound to that address, so that answers
// leave from the asked address.
//
// Datagrams from an interface with a copying port (StreamContext::copying) are handled only if the port
// cannot handle them: fragments, IP options, extension headers.
//
// Receives and sends up to 32 datagrams per system call. A full send buffer loses the answer and
// counts it.
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

    // Owns `socket`, which is bound and non-blocking. `budget`: nullptr for no limit; outlives
    // this.
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
    // One batch. True: there may be more.
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
