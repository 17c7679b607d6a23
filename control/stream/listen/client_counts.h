// How many connections a service has, in all and of each client, over all threads.
//
// A client is an IPv4 address or an IPv6 /64: one that changes its address within its network is
// the same. Taken and given back at a connection's begin and end, under a lock that is held for a
// look-up.
#pragma once

#include <atomic>
#include <cstdint>
#include <mutex>
#include <unordered_map>

#include "matchers/prefix/ip_address.h"

namespace steer::stream {

class ClientCounts {
  public:
    // A place among `most`; false: they are taken. Any thread, as all others.
    bool take_place(unsigned most);
    void leave_place();
    // One of at most `most` of `client`.
    bool take(const IpAddress& client, unsigned most);
    void leave(const IpAddress& client);
    [[nodiscard]] unsigned in_all() const { return places_.load(std::memory_order_relaxed); }

  private:
    struct KeyHash {
        std::size_t operator()(std::uint64_t key) const noexcept {
            return static_cast<std::size_t>((key ^ (key >> 32)) * 0x9e3779b97f4a7c15);
        }
    };
    static std::uint64_t key_of(const IpAddress& client);

    std::atomic<unsigned> places_{0};
    std::mutex mutex_;
    std::unordered_map<std::uint64_t, unsigned, KeyHash> by_client_;
};

}  // namespace steer::stream
