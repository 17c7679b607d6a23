// Connections to upstreams and a QuicServer, with a network between them that the test is. The test
// is the daemon of both.
#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "control/streams/quic/upstream_connections.h"
#include "world.h"

namespace steer::quic::test {

class Pair final : public UpstreamConnections::Owner {
  public:
    explicit Pair(const config::ServerLimits& limits = {}, const std::string& alpn = "doq");
    // Over HTTP/3.
    explicit Pair(const HttpPaths& paths, const config::ServerLimits& limits = {});

    struct Reply {
        std::uint64_t connection, ask;
        AskEnd end;
        Bytes message;
        AnswerFacts facts;
    };
    struct End {
        UpstreamEnd how;
        std::string why;
    };
    // Opens a connection, and accepts its certificates. Its number.
    std::uint64_t connect(bool accepts = true, std::uint64_t tickets = 1);
    // Asks for example. A. The number of the ask.
    std::uint64_t ask(std::uint64_t connection, const Bytes& query = message());
    // Of its datagrams.
    static QuicPath path_of(std::uint64_t connection);
    // Moves datagrams until none is left.
    void run(unsigned quiet_ms = 60);
    void pass(std::uint64_t ms);
    // Moves what we have sent to the server, and nothing back.
    void run_to_server();
    // The server takes early data from now on.
    void accept_early() { world.service->tls = early_tls(); }
    [[nodiscard]] std::shared_ptr<const ServerTls> early_tls() const;
    // Answers all queries that the server has.
    void answer_all();
    [[nodiscard]] std::uint64_t get(QuicCount which) const { return counters.get(which); }

    World world;
    QuicCounters counters;
    UpstreamConnections upstreams;
    std::uint32_t idle_ms = 10'000;
    bool keeps_alive = false, early_data = false;
    UpstreamProtocol protocol = UpstreamProtocol::doq;
    stream::DohTarget http{"dns.example", "/dns-query"};
    std::map<std::uint64_t, UpstreamReady> ready;
    std::map<std::uint64_t, std::uint64_t> streams;
    std::vector<Reply> replies;
    std::map<std::uint64_t, End> ended;
    std::set<std::uint64_t> sockets;  // that are open
    bool reverses = false;            // the server's datagrams arrive in reverse order
    bool loses = false;               // datagrams get lost in both directions
    // Between the upstream's end and the server: what a test does with them.
    std::vector<Bytes> sent;

  private:
    void send(std::uint64_t connection, const QuicPath& path, unsigned ecn,
              std::span<const std::uint8_t> bytes, std::size_t each) override;
    void forget(std::uint64_t connection) override { sockets.erase(connection); }
    void take_ready(const UpstreamReady& one) override { ready[one.connection] = one; }
    void take_streams(std::uint64_t connection, std::uint64_t most) override {
        streams[connection] = most;
    }
    void take_reply(std::uint64_t connection, std::uint64_t ask, AskEnd end,
                    std::span<const std::uint8_t> bytes, const AnswerFacts& facts) override;
    void take_end(std::uint64_t connection, UpstreamEnd end, const std::string& why) override;

    std::vector<Datagram> to_server_;
    std::uint64_t last_connection_ = 0, last_ask_ = 0;
};

}  // namespace steer::quic::test
