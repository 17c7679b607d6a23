// Addresses that this machine needs and that the configuration does not name: those of upstreams, proxies, routers and a Redis
// that are given by name, of the Redis that Sentinels name, and of the other boxes of a fleet. No list claims them, unless its
// `allow_claim` names them (ListService, Fleet). Addresses that the configuration names are in PolicyList::never_claim.
//
// Any thread. A source reports all of its addresses each time. Cost of contains(): a lock and a search, only if there are
// any.
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdint>
#include <map>
#include <mutex>
#include <span>
#include <vector>

#include "matchers/prefix/ip_address.h"

namespace steer {

// Of a router's or a Redis' transport.
inline std::vector<IpAddress> addresses_of(std::span<const std::array<std::uint8_t, 16>> all) {
    std::vector<IpAddress> out;
    for (const auto& bytes : all)
        out.push_back(IpAddress{bytes});
    return out;
}

class NeededHosts {
  public:
    // `source`: the object whose addresses these are now; none: it needs none any more.
    void set(const void* source, std::span<const IpAddress> addresses) {
        const std::lock_guard lock(mutex_);
        if (addresses.empty())
            by_source_.erase(source);
        else
            by_source_[source].assign(addresses.begin(), addresses.end());
        is_empty_.store(by_source_.empty(), std::memory_order_relaxed);
    }
    [[nodiscard]] bool contains(const IpAddress& address) const {
        if (is_empty_.load(std::memory_order_relaxed)) return false;
        const std::lock_guard lock(mutex_);
        return std::ranges::any_of(by_source_, [&](const auto& one) {
            return std::ranges::find(one.second, address) != one.second.end();
        });
    }

  private:
    mutable std::mutex mutex_;
    std::map<const void*, std::vector<IpAddress>> by_source_;
    std::atomic<bool> is_empty_{true};
};

}  // namespace steer
