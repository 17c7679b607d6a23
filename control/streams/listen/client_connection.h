// A client's connection for ClientConnections, independent of its protocol.
#pragma once

#include <cstdint>
#include <list>
#include <memory>

#include "matchers/prefix/ip_address.h"

namespace steer::stream {

class ClientConnection {
  public:
    // `client`: the client it counts for; all zeros: none, it counts only in the total.
    explicit ClientConnection(const IpAddress& client) : client_(client) {}
    virtual ~ClientConnection() = default;
    ClientConnection(const ClientConnection&) = delete;
    ClientConnection& operator=(const ClientConnection&) = delete;

    // No request is open and nothing is to be sent: may be closed for a new connection.
    [[nodiscard]] virtual bool is_idle() const = 0;
    // Waits only for workers, so its silence is no reason to close it.
    [[nodiscard]] virtual bool waits_for_us() const = 0;
    // Sends the output held back by ClientConnections::flush_later().
    virtual void flush() {}
    // Ends it at once, and has ClientConnections::forget() it. Idempotent.
    virtual void close() = 0;

    [[nodiscard]] const IpAddress& client() const { return client_; }

  private:
    friend class ClientConnections;
    using Order = std::list<std::shared_ptr<ClientConnection>>;

    IpAddress client_;
    // Time of the last received query or sent bytes; initially the start.
    std::uint64_t last_used_ms_ = 0;
    Order* order_ = nullptr;  // the list that it is in, and its place
    Order::iterator place_;
    bool is_to_flush_ = false;
};

}  // namespace steer::stream
