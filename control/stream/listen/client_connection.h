// A client's connection as TcpClients sees it, whatever is spoken on it.
#pragma once

#include <cstdint>
#include <list>
#include <memory>

#include "matchers/prefix/ip_address.h"

namespace steer::stream {

class ClientConnection {
  public:
    // `client`: who it counts for; all zeros: nobody, it is one of all alone.
    explicit ClientConnection(const IpAddress& client) : client_(client) {}
    virtual ~ClientConnection() = default;
    ClientConnection(const ClientConnection&) = delete;
    ClientConnection& operator=(const ClientConnection&) = delete;

    // Nothing is asked and nothing is to be sent: may be closed to make room.
    [[nodiscard]] virtual bool is_idle() const = 0;
    // Waits for workers alone, so its silence is no reason to close it.
    [[nodiscard]] virtual bool waits_for_us() const = 0;
    // Sends what was held back by TcpClients::flush_later().
    virtual void flush() {}
    // Ends it at once, and has TcpClients::forget() it. Idempotent.
    virtual void close() = 0;

    [[nodiscard]] const IpAddress& client() const { return client_; }

  private:
    friend class TcpClients;
    using Order = std::list<std::shared_ptr<ClientConnection>>;

    IpAddress client_;
    // A query that came, or bytes of an answer that went out; at first the beginning.
    std::uint64_t last_used_ms_ = 0;
    Order* order_ = nullptr;  // that it is in, and where
    Order::iterator place_;
    bool is_to_flush_ = false;
};

}  // namespace steer::stream
