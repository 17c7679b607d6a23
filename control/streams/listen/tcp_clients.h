// The open connections of one service on one thread, sorted by their silence.
//
// A client with too many connections is refused. If there are too many in total, one is closed (RFC
// 7766 6.2.3): one that is still in its opening and has had time for it, else the one that is idle
// longest. If there is none, the new connection is refused. The same holds for all services
// together (ClientBudget), where a client with its share of all places loses an idle one of its own.
// expire() detects silence, so a connection needs no timer.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "control/streams/base/stream_context.h"
#include "control/streams/listen/client_connection.h"
#include "control/streams/listen/service.h"

namespace steer::stream {

class ClientConnections {
  public:
    // Maximum time from accept to the first byte of DNS or HTTP: PROXY header, TLS handshake.
    static constexpr std::uint64_t kOpeningMs = 5'000;
    // The part of this time in which a new connection may not close it.
    static constexpr std::uint64_t kSparedMs = 1'000;
    // Maximum time from our last byte (an HTTP/2 GOAWAY) until the client must have closed.
    static constexpr std::uint64_t kLingerMs = 2'000;

    ClientConnections(StreamContext& context, std::shared_ptr<const Service> service)
        : context_(context), service_(std::move(service)) {}
    ~ClientConnections() { close_all(); }
    ClientConnections(const ClientConnections&) = delete;
    ClientConnections& operator=(const ClientConnections&) = delete;

    // Whether another connection of `client` is accepted; counts a refusal. If accepted, its place
    // is taken until forget(); call add() at once. All zeros: see ClientConnection.
    bool admit(const IpAddress& client);
    void add_opening(const std::shared_ptr<ClientConnection>& connection);
    void add(const std::shared_ptr<ClientConnection>& connection);
    void forget(ClientConnection& connection);

    // All data is sent: the connection is closed after kLingerMs, or first if a place is needed.
    void linger(ClientConnection& connection);
    // The connection was active now.
    void used(ClientConnection& connection);
    // Call it when the connection may have become idle.
    void settle(ClientConnection& connection);
    // The connection holds that many bytes (ClientBudget). Returns false, and has counted it, if it
    // must be closed. May be called for one that is closed.
    [[nodiscard]] bool may_hold(ClientConnection& connection, std::size_t bytes);

    // The connection that leaves first for another one.
    struct Leaver {
        std::shared_ptr<ClientConnection> connection;  // nullptr: none may leave
        unsigned rank = 0;                             // the lowest leaves first
        std::uint64_t since_ms = 0;                    // then the one with the earliest
    };
    [[nodiscard]] Leaver find_leaver();
    // The connection has more to send: calls its flush() after all answers of this turn.
    template <class Connection>
    void flush_later(Connection& connection) {
        ClientConnection& any = connection;
        if (any.is_to_flush_) return;
        any.is_to_flush_ = true;
        to_flush_.push_back(connection.shared_from_this());
    }
    void flush();
    // Closes connections that were silent for too long. Call it once a second.
    void expire();
    void close_all();

    [[nodiscard]] const Service& service() const { return *service_; }

  private:
    using Order = ClientConnection::Order;
    void put(const std::shared_ptr<ClientConnection>& connection, Order& order,
             std::size_t standing_bytes);
    bool make_room();
    bool admit_to_process(const IpAddress& client);
    bool take_share(const IpAddress& client);
    bool take_process_place();
    // The standing bytes of a connection in its opening, and after it.
    [[nodiscard]] std::size_t opening_bytes() const;
    [[nodiscard]] std::size_t open_bytes() const;
    void expire_silent(Order& order);
    void close_holders();
    // Closes the connections that entered `order` at least `age_ms` ago; counts them as `why`.
    void expire_entered(Order& order, std::uint64_t age_ms, StreamCount why);

    StreamContext& context_;
    std::shared_ptr<const Service> service_;
    // Connections in `busy_` were found busy in `open_`; settle() and used() move them back.
    Order opening_, open_, busy_, lingering_;
    std::vector<std::shared_ptr<ClientConnection>> to_flush_;
};

}  // namespace steer::stream
