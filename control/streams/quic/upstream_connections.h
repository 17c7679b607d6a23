// The client's side of QUIC for one thread, without its sockets: connections to upstreams, which
// the daemon opens, uses and closes.
//
// No query is sent before the daemon has accepted the server's certificates. A resumed session was
// accepted before: tickets are kept only after that, under the number of the upstream's settings.
// Early data goes only to the address that the last complete handshake was with, and to none after
// a failure: a connection that sends it counts as ready before the upstream has answered.
// Connections are known by numbers of the daemon, and each has a socket of its own.
#pragma once

#include <cstdint>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "control/streams/quic/connection.h"
#include "control/streams/quic/query_client.h"
#include "control/streams/quic/quic_counters.h"
#include "control/streams/quic/upstream_facts.h"

namespace steer::quic {

class UpstreamConnections final : private Connection::Host {
  public:
    static constexpr std::size_t kMostConnections = 4096;
    // Closed ones that stay for late packets.
    static constexpr std::size_t kMostEnding = 256;
    // Settings whose tickets are kept, and tickets of each.
    static constexpr std::size_t kMostSettings = 256, kMostTickets = 4;
    // Streams of cancelled asks that an upstream leaves open, before its connection is closed.
    static constexpr std::size_t kMostStale = 200;
    // After an upstream has refused early data.
    static constexpr Nanoseconds kNoEarlyTime = 600 * kSecond;

    // Of the sockets, and of the daemon.
    class Owner {
      public:
        virtual void send(std::uint64_t connection, const QuicPath& path, unsigned ecn,
                          std::span<const std::uint8_t> bytes, std::size_t each) = 0;
        // Its socket is not needed any more.
        virtual void forget(std::uint64_t connection) = 0;
        virtual void take_ready(const UpstreamReady& ready) = 0;
        virtual void take_streams(std::uint64_t connection, std::uint64_t streams) = 0;
        virtual void take_reply(std::uint64_t connection, std::uint64_t ask, AskEnd end,
                                std::span<const std::uint8_t> message,
                                const AnswerFacts& facts) = 0;
        // It takes no more asks; those in progress have ended. Not after close().
        virtual void take_end(std::uint64_t connection, UpstreamEnd end,
                              const std::string& why) = 0;

      protected:
        ~Owner() = default;
    };
    using Random = std::function<void(std::span<std::uint8_t>)>;

    UpstreamConnections(Owner& owner, QuicCounters& counters, Random random, ThreadMemory& memory);
    ~UpstreamConnections();
    UpstreamConnections(const UpstreamConnections&) = delete;
    UpstreamConnections& operator=(const UpstreamConnections&) = delete;

    // From the daemon. Those of an unknown connection have no effect: it may have ended before.
    void open(const UpstreamOpening& opening, const QuicPath& path, Nanoseconds now);
    void accept(std::uint64_t connection);
    void close(std::uint64_t connection, Nanoseconds now);
    void ask(std::uint64_t connection, std::uint64_t ask, std::span<const std::uint8_t> message);
    void cancel(std::uint64_t connection, std::uint64_t ask, Nanoseconds now);

    // From its socket. Answers leave with flush().
    void receive(std::uint64_t connection, std::span<const std::uint8_t> datagram, unsigned ecn,
                 Nanoseconds now);
    // The upstream's machine has no such port.
    void refused(std::uint64_t connection);

    void flush(Nanoseconds now);
    void expire(Nanoseconds now);
    [[nodiscard]] Nanoseconds next_expiry() const;
    void close_all(Nanoseconds now);

    [[nodiscard]] std::size_t size() const { return connections_.size(); }

  private:
    class Held;
    struct Ticket {
        std::vector<std::uint8_t> bytes;
        std::vector<std::uint8_t> parameters;  // of the server, for early data
    };
    struct Kept {
        std::uint64_t settings = 0;
        std::list<Ticket> tickets{};
        stream::SocketAddress of{};  // of the token
        std::vector<std::uint8_t> token{};
        // By the last complete handshake; no value: there was a failure since.
        std::optional<stream::SocketAddress> reached{};
        Nanoseconds early_from = 0;  // no early data before: the upstream refused it
    };

    // Connection::Host
    NewId new_id() override;
    void add_id(const ConnectionId& /*id*/, Connection& /*connection*/) override {}
    void remove_id(const ConnectionId& /*id*/) override {}
    void send(const QuicPath& path, unsigned ecn, std::span<const std::uint8_t> bytes,
              std::size_t each) override;
    void fill_random(std::span<std::uint8_t> bytes) override { random_(bytes); }
    ThreadMemory& memory() override { return memory_; }
    std::unique_ptr<Application> opened(Connection& connection, std::uint64_t& refusal) override;
    void moved(Connection& /*connection*/, const QuicPath& /*path*/) override {}
    std::vector<std::uint8_t> later_token(const QuicPath& /*path*/) override { return {}; }
    void take_ticket(Connection& connection, std::vector<std::uint8_t>&& ticket) override;
    void take_token(Connection& connection, std::vector<std::uint8_t>&& token) override;
    void streams_allowed(Connection& connection) override;
    bool confirmed(Connection& connection, bool is_early_accepted, std::uint64_t& refusal) override;

    void count(QuicCount what) { counters_.add(what); }
    Held* find(std::uint64_t connection);
    std::unique_ptr<QueryClient> client_of(Held& held);
    Held& held_of(const Connection& connection);
    void begin(Held& held, Nanoseconds now);
    void note_reached(const Held& held);
    void note_failed(const Held& held);
    Kept& kept_for(std::uint64_t settings);
    Kept* find_kept(const Held& held);
    void keep(Held& held);
    void count_kept();
    void queue(Held& held);
    void write(Held& held, Nanoseconds now);
    void settle(Held& held);
    void report_end(Held& held, UpstreamEnd end, const std::string& why);
    void set_timer(Held& held, Nanoseconds next);
    void forget(Held& held);

    Owner& owner_;
    QuicCounters& counters_;
    Random random_;
    ThreadMemory& memory_;
    std::shared_ptr<const ClientTls> tls_;  // nullptr: not used yet
    std::map<std::uint64_t, std::unique_ptr<Held>> connections_;
    std::set<std::pair<Nanoseconds, std::uint64_t>> timers_;
    std::list<std::uint64_t> ending_;  // the oldest first
    std::vector<std::uint64_t> to_flush_;
    std::list<Kept> kept_;  // the one used last is in front
    std::uint64_t kept_bytes_ = 0;
    std::uint64_t sending_ = 0;
    Nanoseconds now_ = 0;  // of the last datagram
};

}  // namespace steer::quic
