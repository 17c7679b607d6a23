#include "control/streams/base/client_counts.h"

namespace steer::stream {

// IPv4 addresses are stored with 64 leading zeros, which no IPv6 network has (RFC 4291 2.4).
std::uint64_t client_key(const IpAddress& address) {
    return address.is_v4() ? address.low() : address.high();
}

bool ClientCounts::take_place(unsigned most) {
    unsigned taken = places_.load(std::memory_order_relaxed);
    while (taken < most) {
        if (places_.compare_exchange_weak(taken, taken + 1, std::memory_order_relaxed)) return true;
    }
    return false;
}

void ClientCounts::leave_place() {
    places_.fetch_sub(1, std::memory_order_relaxed);
}

bool ClientCounts::take(const IpAddress& client, unsigned most) {
    const std::lock_guard lock(mutex_);
    unsigned& taken = by_client_[client_key(client)];
    if (taken >= most) return false;
    ++taken;
    return true;
}

void ClientCounts::leave(const IpAddress& client) {
    const std::lock_guard lock(mutex_);
    const auto it = by_client_.find(client_key(client));
    if (it != by_client_.end() && --it->second == 0) by_client_.erase(it);
}

}  // namespace steer::stream
