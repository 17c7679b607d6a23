// The server's side of QUIC for one thread, without its sockets: finds the connection of a
// datagram, begins new ones, keeps their times, and passes queries on.
//
// Work before a client has proved its address is limited: while kRetryFrom handshakes are open, or
// the server is full, first packets without a token get Retry, which needs no state and is shorter
// than they are. Connections count for their client once its address is proved, because that of a
// first packet may be forged. Only a client with a proof closes an idle connection of a full server.
// What connections hold is counted (memory_account.h). When the process has no more of it, those that
// hold most are closed, by network (memory_order.h); then those without a query that were idle
// longest; then new ones are refused. A connection with a few queries keeps its place.
// Version Negotiation, stateless resets and refusals have a budget.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <list>
#include <map>
#include <memory>
#include <span>
#include <unordered_map>
#include <utility>
#include <vector>

#include "control/streams/quic/client_shares.h"
#include "control/streams/quic/client_streams.h"
#include "control/streams/quic/connection.h"
#include "control/streams/quic/first_packets.h"
#include "control/streams/quic/memory.h"
#include "control/streams/quic/query_taker.h"
#include "control/streams/quic/quic_counters.h"
#include "control/streams/quic/quic_service.h"

namespace steer::quic {

struct Times {
    Nanoseconds now = 0;   // never goes back
    Nanoseconds wall = 0;  // of the tokens, which an earlier process may have made
};

class QuicServer final : private Connection::Host {
  public:
    // From so many open handshakes on, clients prove their address first.
    static constexpr std::size_t kRetryFrom = 32;
    // And so many at most, or those that a quarter of the memory holds. Then a new one replaces one of the client that has most of them, or the
    // oldest one that had its kSparedTime.
    static constexpr std::size_t kMostHandshakes = 1024;
    static constexpr Nanoseconds kSparedTime = kSecond;
    // With a proof of its address, a client may have so many open.
    static constexpr unsigned kMostHandshakesOfClient = 64;
    // Closed connections that stay for late packets; above it, the oldest is forgotten.
    static constexpr std::size_t kMostEnding = 1024;
    // A query is complete after this time, or its connection is closed.
    static constexpr Nanoseconds kQueryTime = 10 * kSecond;
    // Answers that a client has not acknowledged.
    static constexpr std::size_t kMostUnacknowledged = 1 << 20;
    // After all heavy connections were closed, they are not searched again for this time.
    static constexpr Nanoseconds kNoneHeavy = 100 * kMillisecond;
    // Idle connections that are inspected for one to close.
    static constexpr unsigned kInspected = 64;
    // Version Negotiation, stateless resets and refusals, each second.
    static constexpr unsigned kStatelessPerSecond = 1000;

    class Sender {
      public:
        // As Connection::Host::send().
        virtual void send(const QuicPath& path, unsigned ecn, std::span<const std::uint8_t> bytes,
                          std::size_t each) = 0;

      protected:
        ~Sender() = default;
    };
    // Random bytes that cannot be guessed, or a test's.
    using Random = std::function<void(std::span<std::uint8_t>)>;

    // `thread` of `threads`: ids of its connections lead to it (connection_id.h).
    QuicServer(unsigned thread, unsigned threads, const QuicSecrets& secrets, Sender& sender,
               QueryTaker& taker, Random random, ThreadMemory& memory);
    ~QuicServer();
    QuicServer(const QuicServer&) = delete;
    QuicServer& operator=(const QuicServer&) = delete;

    // A datagram for a service. Answers leave with flush().
    void receive(const std::shared_ptr<const QuicService>& service,
                 std::span<const std::uint8_t> datagram, unsigned ecn, const QuicPath& path,
                 const Times& times);
    // The end of a query.
    void answer(std::uint64_t connection, StreamId stream, QueryEnd end,
                std::span<const std::uint8_t> response, const Times& times);
    // A connection is above a row of `limits`.
    void refuse(std::uint64_t connection, const Times& times);
    // Sends what connections have to send.
    void flush(const Times& times);
    // Timers of connections, and housekeeping.
    void expire(const Times& times);
    [[nodiscard]] Nanoseconds next_expiry() const;

    // Connections without a query are closed, others once they have none (true). Further ones are
    // accepted, and closed after their first queries: no query is lost.
    void set_draining(bool is_draining) {
        if (std::exchange(is_draining_, is_draining) != is_draining)
            last_before_drain_ = last_number_;
    }
    // Closes all connections.
    void close_all(const Times& times);

    [[nodiscard]] QuicCounters& counters() { return counters_; }
    // Connections that are open, also in their handshake.
    [[nodiscard]] std::size_t open() const { return connections_.size(); }
    [[nodiscard]] const OpenConnections& open_by_protocol() const { return open_; }
    [[nodiscard]] std::size_t handshakes() const { return opening_.size(); }
    [[nodiscard]] std::size_t ending() const { return ending_.size(); }
    [[nodiscard]] std::size_t most_handshakes() const { return most_handshakes_; }

    // Called for each new connection once its handshake is complete: the rows `connections` and
    // `handshakes` of `limits` are the daemon's.
    std::function<void(std::uint64_t connection, std::uint16_t service, const QuicPath& path)>
        on_opened{};

  private:
    class Held;
    using Ids = std::unordered_map<ConnectionId, Held*, ConnectionIdHash>;
    using Timers = std::multimap<Nanoseconds, Held*>;

    // Connection::Host
    NewId new_id() override;
    void add_id(const ConnectionId& id, Connection& connection) override;
    void remove_id(const ConnectionId& id) override;
    void send(const QuicPath& path, unsigned ecn, std::span<const std::uint8_t> bytes,
              std::size_t each) override;
    void fill_random(std::span<std::uint8_t> bytes) override { random_(bytes); }
    ThreadMemory& memory() override { return memory_; }
    std::unique_ptr<Application> opened(Connection& connection, std::uint64_t& refusal) override;
    std::unique_ptr<ClientStreams> streams_of(Held& held);
    void moved(Connection& connection, const QuicPath& path) override;
    std::vector<std::uint8_t> later_token(const QuicPath& path) override {
        return quic::later_token(path, secrets_, wall_);
    }

    ConnectionId random_id();
    void count(QuicCount what) { counters_.add(what); }
    bool may_answer_stateless(const Times& times);
    void begin(const std::shared_ptr<const QuicService>& service,
               std::span<const std::uint8_t> datagram, unsigned ecn, const QuicPath& path,
               const Times& times);
    bool take_place(const std::shared_ptr<const QuicService>& service, const QuicPath& path,
                    bool has_proof, const Times& times);
    void refuse(const FirstPacket& first, const QuicPath& path, std::uint64_t code,
                const Times& times);
    void send_retry(const FirstPacket& first, const QuicPath& path, const Times& times);
    void send_reset(std::span<const std::uint8_t> datagram, const DatagramHead& head,
                    const QuicPath& path, const Times& times);
    bool make_room(const QuicService& service, const Times& times);
    bool make_memory(std::uint64_t bytes, const Times& times);
    void close_heavy(std::uint64_t bytes, const Times& times);
    void close_idle(std::uint64_t bytes, const Times& times);
    void close_by_us(Held& held, QuicCount why, const Times& times);
    void queue(Held& held);
    void write(Held& held, const Times& times);
    void settle(Held& held, const Times& times);
    void weigh(Held& held, const Times& times);
    void send_away(Held& held);
    [[nodiscard]] bool is_to_leave(const Held& held) const;
    [[nodiscard]] std::uint32_t& open_of(const Held& held);
    void leave_lists(Held& held);
    void set_timer(Held& held);
    void forget(Held& held);
    void keep_house(const Times& times);
    bool close_if_idle(Held& held, const Times& times);

    const unsigned thread_, threads_;
    QuicSecrets secrets_;
    Sender& sender_;
    QueryTaker& taker_;
    Random random_;
    ThreadMemory& memory_;
    const std::size_t most_handshakes_;
    QuicCounters counters_;
    std::unordered_map<std::uint64_t, std::unique_ptr<Held>> connections_;  // by number
    Ids by_id_;
    Timers timers_;
    OpenConnections open_{};
    OpenHandshakes opening_;
    EarlyDataShares early_;
    std::list<Held*> idle_;    // complete handshakes, in the order of their last query
    std::list<Held*> ending_;  // closed, in the order of their end
    std::vector<Held*> to_flush_;
    std::uint64_t last_number_ = 0;
    std::uint64_t now_ms_ = 0;
    Nanoseconds wall_ = 0;
    Nanoseconds kept_ = 0, budget_since_ = 0, none_heavy_until_ = 0;
    unsigned stateless_left_ = kStatelessPerSecond;
    bool is_draining_ = false;
    std::uint64_t last_before_drain_ = 0;  // the number of a connection
};

}  // namespace steer::quic
