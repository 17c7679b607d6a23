// Counts the connections of a service, in total and per client, over all threads.
//
// A client is an IPv4 address or an IPv6 /64, so a client that changes its address within its
// network stays the same. Counted at a connection's beginning and end, under a lock that is held
// for one lookup.
#pragma once

#include <atomic>
#include <cstdint>
#include <mutex>
#include <unordered_map>

#include "matchers/prefix/ip_address.h"

namespace steer::stream {

// The client of an address.
[[nodiscard]] std::uint64_t client_key(const IpAddress& address);

class ClientCounts {
  public:
    // Takes one of `most` places. Returns false if none is free. Any thread may call this and all
    // other functions.
    bool take_place(unsigned most);
    void leave_place();
    // Takes one of at most `most` places of `client`.
    bool take(const IpAddress& client, unsigned most);
    void leave(const IpAddress& client);
    [[nodiscard]] unsigned in_all() const { return places_.load(std::memory_order_relaxed); }

  private:
    struct KeyHash {
        std::size_t operator()(std::uint64_t key) const noexcept {
            return static_cast<std::size_t>((key ^ (key >> 32)) * 0x9e3779b97f4a7c15);
        }
    };
    std::atomic<unsigned> places_{0};
    std::mutex mutex_;
    std::unordered_map<std::uint64_t, unsigned, KeyHash> by_client_;
};

}  // namespace steer::stream
