// A client's connection for ClientConnections, independent of its protocol.
#pragma once

#include <cstddef>
#include <cstdint>
#include <list>
#include <memory>

#include "matchers/prefix/ip_address.h"

namespace steer::stream {

class ClientConnection {
  public:
    // `client`: the client that it counts for. All zeros: none; it counts only in the total.
    explicit ClientConnection(const IpAddress& client) : client_(client) {}
    virtual ~ClientConnection() = default;
    ClientConnection(const ClientConnection&) = delete;
    ClientConnection& operator=(const ClientConnection&) = delete;

    // Whether no request is open and no data is to be sent. Then it may be closed for a new
    // connection.
    [[nodiscard]] virtual bool is_idle() const = 0;
    // Whether it waits only for workers. Then its silence is no reason to close it.
    [[nodiscard]] virtual bool waits_for_us() const = 0;
    // Sends the output that ClientConnections::flush_later() delayed.
    virtual void flush() {}
    // Closes the connection at once, and makes ClientConnections::forget() it. May be called again.
    virtual void close() = 0;

    [[nodiscard]] const IpAddress& client() const { return client_; }

  private:
    friend class ClientConnections;
    using Order = std::list<std::shared_ptr<ClientConnection>>;

    IpAddress client_;
    // Time of the last received query or sent bytes; initially the start.
    std::uint64_t last_used_ms_ = 0;
    Order* order_ = nullptr;  // its list, and its position there
    Order::iterator place_;
    bool is_to_flush_ = false;
    std::size_t standing_bytes_ = 0, held_bytes_ = 0;  // of the process's ClientBudget
};

}  // namespace steer::stream
