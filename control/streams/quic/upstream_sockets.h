// The upstream side of a thread of steerdns-quic: the sockets of its connections to upstreams, and
// what they say to the daemon.
//
// Messages that find no room wait, and leave in order; answers that arrive while many of them wait
// are lost, and their queries time out. One thread.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "control/streams/quic/datagram_socket.h"
#include "control/streams/quic/quic_counters.h"
#include "control/streams/quic/quic_messages.h"
#include "control/streams/quic/upstream_connections.h"

namespace steer::quic {

inline stream::SocketAddress socket_address(const BoundAddress& where) {
    return {where.address, where.port, where.scope};
}

class UpstreamSockets final : private UpstreamConnections::Owner {
  public:
    // Messages that wait before answers are lost.
    static constexpr std::size_t kMostWaiting = 16;

    // `follow`: a descriptor is read from now on. `say`: false if there is no room.
    UpstreamSockets(QuicCounters& counters, std::function<void(int)> follow,
                    std::function<bool(std::string_view)> say, ThreadMemory& memory);
    ~UpstreamSockets();

    // Messages of the daemon. False: not understood.
    bool open(const UpstreamOpening& opening, std::vector<Descriptor> beside, Nanoseconds now);
    void take(const std::vector<AskView>& asks);
    void take(const std::vector<OrderRecord>& orders, Nanoseconds now);

    // False: it is none of these sockets.
    bool read(int fd, Nanoseconds now);
    void flush(Nanoseconds now);
    void expire(Nanoseconds now) { connections_.expire(now); }
    [[nodiscard]] Nanoseconds next_expiry() const { return connections_.next_expiry(); }
    // Sends what was gathered. False: some of it waits.
    bool pass();
    void close_all(Nanoseconds now) { connections_.close_all(now); }

  private:
    struct Place {
        std::uint64_t connection;
        bool may_refuse;
        DatagramSocket socket;
    };

    // UpstreamConnections::Owner
    void send(std::uint64_t connection, const QuicPath& path, unsigned ecn,
              std::span<const std::uint8_t> bytes, std::size_t each) override;
    void forget(std::uint64_t connection) override;
    void take_ready(const UpstreamReady& ready) override;
    void take_streams(std::uint64_t connection, std::uint64_t streams) override;
    void take_reply(std::uint64_t connection, std::uint64_t ask, AskEnd end,
                    std::span<const std::uint8_t> message, const AnswerFacts& facts) override;
    void take_end(std::uint64_t connection, UpstreamEnd end, const std::string& why) override;

    void add(std::string message);
    void wait(std::string message);
    void close_batches();

    QuicCounters& counters_;
    std::function<void(int)> follow_;
    std::function<bool(std::string_view)> say_;
    UpstreamConnections connections_;
    std::map<int, std::unique_ptr<Place>> places_;  // by descriptor
    std::map<std::uint64_t, int> by_connection_;
    RecordBatch replies_{ChannelKind::upstream_replies}, streams_{ChannelKind::upstream_streams};
    ThreadMemory& memory_;
    std::deque<std::string> waiting_;  // counted
};

}  // namespace steer::quic
