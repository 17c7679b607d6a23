// The daemon's side of connections to upstreams over QUIC and HTTP/3, of one `streams` thread.
// steerdns-quic has QUIC and its TLS (control/streams/quic/upstream_connections.h). The daemon
// makes the sockets, judges the certificates, chooses the connection of each query, and checks the
// replies.
//
// Attempts that begin while no process runs wait for it. When a process ends, connections that it
// had are closed connections for the pool, and attempts begin again with the next process. One
// thread; it must outlive its attempts and sessions.
#pragma once

#include <cstdint>
#include <list>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "control/host/net/tls_client.h"
#include "control/streams/base/stream_context.h"
#include "control/streams/quic/quic_messages.h"
#include "control/streams/upstream/upstream_target.h"
#include "control/streams/upstream/upstream_transport.h"
#include "dataplane/port/descriptor.h"

namespace steer::stream {

// The way to the process.
class QuicProcessPort {
  public:
    // In order. `beside`: a socket for it; may be empty.
    virtual void pass(std::string message, Descriptor beside) = 0;

  protected:
    ~QuicProcessPort() = default;
};

class QuicUpstreams {
  public:
    explicit QuicUpstreams(StreamContext& context);
    ~QuicUpstreams();
    QuicUpstreams(const QuicUpstreams&) = delete;
    QuicUpstreams& operator=(const QuicUpstreams&) = delete;

    // A process runs; nullptr: it has ended.
    void use(QuicProcessPort* port);
    // A message of the process. False: it is none about upstreams.
    bool take(const quic::ChannelMessage& message);

    struct Dial {
        std::shared_ptr<const UpstreamTarget> target;
        std::shared_ptr<TlsClient> tls;  // judges the certificates
        std::uint64_t tickets = 0;       // the number of the upstream's settings
        ConnectPath path;
    };
    std::shared_ptr<ConnectAttempt> connect(Dial dial, SessionWatcher& watcher,
                                            UpstreamTransport::Done done);
    // A number for settings, never used again.
    static std::uint64_t number_settings();

  private:
    class Attempt;
    class Session;

    void begin(const std::shared_ptr<Attempt>& attempt);
    void take_ready(const quic::UpstreamReady& ready);
    void take_replies(const std::vector<quic::ReplyView>& replies);
    void take_streams(const std::vector<quic::StreamsRecord>& streams);
    void take_end(const quic::UpstreamEnded& ended);
    std::shared_ptr<Attempt> take_attempt(std::uint64_t connection);
    std::shared_ptr<Session> session_of(std::uint64_t connection);

    void ask(const quic::AskRecord& record, std::span<const std::uint8_t> message);
    void order(std::uint64_t connection, quic::UpstreamOrder what, std::uint64_t ask = 0);
    void flush_later();
    void flush();

    StreamContext& context_;
    QuicProcessPort* port_ = nullptr;
    std::uint64_t last_connection_ = 0;
    std::list<std::weak_ptr<Attempt>> waiting_;  // for a process
    std::map<std::uint64_t, std::shared_ptr<Attempt>> attempts_;
    std::map<std::uint64_t, std::weak_ptr<Session>> sessions_;
    quic::RecordBatch asks_{quic::ChannelKind::upstream_asks};
    quic::RecordBatch orders_{quic::ChannelKind::upstream_orders};
    bool is_to_flush_ = false;
    // Ends with this object, for what waits in the io_context.
    std::shared_ptr<bool> is_alive_ = std::make_shared<bool>(true);
};

}  // namespace steer::stream
