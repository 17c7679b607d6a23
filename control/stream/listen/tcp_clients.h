// The open connections of one service on one thread, from the one that was silent longest.
//
// A client with too many is refused; when there are too many in all, one makes room (RFC 7766
// 6.2.3): one that has not said yet what it wants and had time for it, else the one that has been
// idle longest; if there is none, the new one is refused. Silence is seen by expire(): a connection
// costs no timer.
#pragma once

#include <cstdint>
#include <memory>
#include <vector>

#include "control/stream/base/stream_context.h"
#include "control/stream/listen/client_connection.h"
#include "control/stream/listen/service.h"

namespace steer::stream {

class TcpClients {
  public:
    // From accepted to its first byte of DNS or HTTP: PROXY header, TLS handshake.
    static constexpr std::uint64_t kOpeningMs = 5'000;
    // So much of it a newcomer may not take away.
    static constexpr std::uint64_t kSparedMs = 1'000;
    // From our last byte (an HTTP/2 GOAWAY) until the client has to have closed.
    static constexpr std::uint64_t kLingerMs = 2'000;

    TcpClients(StreamContext& context, std::shared_ptr<const Service> service)
        : context_(context), service_(std::move(service)) {}
    ~TcpClients() { close_all(); }
    TcpClients(const TcpClients&) = delete;
    TcpClients& operator=(const TcpClients&) = delete;

    // Whether another connection of `client` is welcome; counts it if not. If so a place is taken,
    // for one that is add()ed at once and keeps it until forget(). All zeros: see ClientConnection.
    bool admit(const IpAddress& client);
    void add_opening(const std::shared_ptr<ClientConnection>& connection);
    void add(const std::shared_ptr<ClientConnection>& connection);
    void forget(ClientConnection& connection);

    // All is said on it: it is closed after kLingerMs, and the first to make room.
    void linger(ClientConnection& connection);
    // Something happened on it now.
    void used(ClientConnection& connection);
    // It has more to send: flush() once all answers of this turn are there.
    void flush_later(const std::shared_ptr<ClientConnection>& connection);
    void flush();
    // Closes those that were silent for too long. Once a second.
    void expire();
    void close_all();

    [[nodiscard]] const Service& service() const { return *service_; }

  private:
    using Order = ClientConnection::Order;
    void put(const std::shared_ptr<ClientConnection>& connection, Order& order);
    bool make_room();
    // Closes those of `order` that entered it `age_ms` ago; counts them as `why`.
    void expire_entered(Order& order, std::uint64_t age_ms, StreamCount why);

    StreamContext& context_;
    std::shared_ptr<const Service> service_;
    Order opening_, open_, lingering_;
    std::vector<std::shared_ptr<ClientConnection>> to_flush_;
};

}  // namespace steer::stream
