// The daemon's end of a thread's channel to steerdns-quic: queries of QUIC clients go to workers as
// those of other connections do, and their answers go back.
//
// The process may end at any time. Its queries are forgotten then; answers of workers are dropped.
// What it sends is judged as what a stranger sends: a message that is not understood ends it.
#pragma once

#include <array>
#include <atomic>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "control/config/settings/server_protocol.h"
#include "control/host/process/sequenced_socket.h"
#include "control/streams/base/stream_context.h"
#include "control/streams/http/http_site.h"
#include "control/streams/listen/injector.h"
#include "control/streams/quic/quic_counters.h"
#include "control/streams/quic/quic_messages.h"
#include "control/streams/upstream/quic_upstreams.h"

namespace steer::stream {

// What other threads may read.
struct QuicLinkState {
    quic::QuicCounters counters{};
    std::array<std::atomic<std::uint32_t>, quic::OpenConnections{}.size()> connections{};

    std::atomic<std::uint64_t> memory_bytes{0};  // of the process's thread

    [[nodiscard]] std::uint32_t open(config::ServerProtocol protocol) const {
        return connections[static_cast<std::size_t>(protocol)].load(std::memory_order_relaxed);
    }
    void set_connections(const quic::OpenConnections& open) {
        for (std::size_t i = 0; i < open.size(); ++i)
            connections[i].store(open[i], std::memory_order_relaxed);
    }
};

// A server over QUIC, as its queries see it.
struct QuicFrontend {
    config::ServerProtocol protocol = config::ServerProtocol::doq;
    std::uint16_t frontend = 0;  // without paths: dataplane/policy/frontends.h
    HttpSite http{};
};

class QuicLink final : public ResponseHandler,
                       private QuicProcessPort,
                       public std::enable_shared_from_this<QuicLink> {
  public:
    // `servers`: over QUIC, by their number.
    QuicLink(StreamContext& context, Injector& injector, QuicUpstreams& upstreams,
             QuicLinkState& state, std::vector<QuicFrontend> servers);

    // A new run of the process. `broken` is called if it sends what is not understood.
    void connect(Descriptor channel, std::function<void()> broken);
    // The run has ended.
    void disconnect();
    // Sends gathered answers. Call it after all answers of a turn.
    void flush();

    void take_answer(const QueryOrigin& origin, Buffer* response) override;

  private:
    struct Asked {
        std::uint64_t connection = 0;
        quic::StreamId stream = 0;
        std::uint64_t run = 0;  // of the process; 0: free
    };

    struct Waiting {
        std::string message;
        Descriptor beside;
    };

    // QuicProcessPort
    void pass(std::string message, Descriptor beside) override;
    void pass_waiting();
    void wait_to_read();
    void read();
    bool take(const quic::ChannelMessage& message);
    void take_query(const quic::QueryView& query);
    bool inject(const quic::QueryView& query, const QuicFrontend& server, QueryOrigin& origin);
    void take_opened(const quic::OpenedRecord& opened);
    void end(std::uint64_t connection, quic::StreamId stream, quic::QueryEnd how,
             std::span<const std::uint8_t> response);
    bool say(std::string_view message);
    [[nodiscard]] std::uint32_t take_slot(const Asked& asked);

    StreamContext& context_;
    Injector& injector_;
    QuicUpstreams& upstreams_;
    QuicLinkState& state_;
    const std::vector<QuicFrontend> servers_;
    SequencedSocket channel_;
    boost::asio::posix::stream_descriptor readable_;
    std::function<void()> broken_;
    std::uint64_t run_ = 0;  // increases with each; 0 is none
    bool is_connected_ = false;
    std::deque<Waiting> waiting_;  // about upstreams, in order
    std::vector<Asked> asked_;
    std::vector<std::uint32_t> free_;
    quic::RecordBatch ends_{quic::ChannelKind::ends}, refused_{quic::ChannelKind::refused};
};

}  // namespace steer::stream
