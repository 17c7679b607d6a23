// What all connections of clients may take together, over all servers and threads: descriptors and
// memory. The rest belongs to the daemon's own sockets and tables.
//
// A connection takes a place and its standing bytes when it is accepted. Bytes that wait for its
// client or for its next bytes are held. A connection may hold as much as is free: the more of them
// hold, the less each may (dynamic thresholds: Choudhury and Hahne, IEEE/ACM Transactions on
// Networking 6(2), 1998). So those that do not read cannot take the last bytes from the others.
//
// Any thread may call all functions. Without set(), nothing is limited.
#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <limits>

#include "control/config/settings/server_protocol.h"
#include "control/streams/base/client_counts.h"

namespace steer::stream {

// Memory that a connection stands for, measured, with kFreeBytes. The session is one of HTTP/2.
inline constexpr std::size_t kPlainBytes = 6 * 1024, kSecureBytes = 20 * 1024;
inline constexpr std::size_t kSessionBytes = 28 * 1024;
inline constexpr std::size_t kHandshakeBytes = 60 * 1024;
[[nodiscard]] constexpr std::size_t standing_bytes_of(config::ServerProtocol protocol,
                                                      bool is_secure) {
    return (is_secure ? kSecureBytes : kPlainBytes) +
           (protocol == config::ServerProtocol::http ? kSessionBytes : 0);
}
// The part of it that a connection may hold at any time; only more is counted as held.
inline constexpr std::size_t kFreeBytes = 4 * 1024;

struct ClientLimits {
    unsigned places = std::numeric_limits<unsigned>::max();
    unsigned places_per_client = std::numeric_limits<unsigned>::max();
    std::size_t standing_bytes = std::numeric_limits<std::size_t>::max();
    std::size_t held_bytes = std::numeric_limits<std::size_t>::max();
};

class ClientBudget {
  public:
    void set(const ClientLimits& limits);

    // Takes a place of one client (client_counts.h). Returns false if it has its share of all.
    bool take_of_client(const IpAddress& client) {
        return by_client_.take(client, most_per_client_.load(std::memory_order_relaxed));
    }
    void leave_of_client(const IpAddress& client) { by_client_.leave(client); }
    // Takes a place and its standing bytes, or nothing. `beyond`: that many places, each with
    // kHandshakeBytes, are taken above the limits.
    bool take(std::size_t standing_bytes, unsigned beyond = 0);
    void leave(std::size_t standing_bytes);
    // Gives standing bytes back, and keeps the place.
    void leave_bytes(std::size_t standing_bytes);
    // Whether more is taken than the limits allow.
    [[nodiscard]] bool is_exceeded() const;

    // A connection holds `now` bytes instead of `before`.
    void hold(std::size_t before, std::size_t now);
    // What one connection may hold.
    [[nodiscard]] std::size_t free_bytes() const;
    // Whether half of the bytes to hold are in use.
    [[nodiscard]] bool is_half_held() const;

    [[nodiscard]] unsigned places() const { return places_.load(std::memory_order_relaxed); }
    [[nodiscard]] std::size_t standing_bytes() const {
        return standing_.load(std::memory_order_relaxed);
    }
    [[nodiscard]] std::size_t held_bytes() const { return held_.load(std::memory_order_relaxed); }

  private:
    template <class Number>
    static bool take_of(std::atomic<Number>& taken, Number wanted, Number most);

    ClientCounts by_client_;
    std::atomic<unsigned> most_per_client_{ClientLimits{}.places_per_client};
    std::atomic<unsigned> most_places_{ClientLimits{}.places}, places_{0};
    std::atomic<std::size_t> most_standing_{ClientLimits{}.standing_bytes}, standing_{0};
    std::atomic<std::size_t> most_held_{ClientLimits{}.held_bytes}, held_{0};
};

}  // namespace steer::stream
