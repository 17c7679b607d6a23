#include "control/mdns/service_hosts.h"

#include <algorithm>

namespace steer::mdns {

bool ServiceHosts::learn(const std::string& host, std::uint32_t ttl_s, std::uint64_t now_ms) {
    const std::uint64_t ends = now_ms + 1000ULL * std::clamp(ttl_s, kMinSeconds, kMaxSeconds);
    if (const auto known = ends_ms_.find(host); known != ends_ms_.end()) {
        known->second = std::max(known->second, ends);
        return true;
    }
    if (ends_ms_.size() >= kMax)
        std::erase_if(ends_ms_, [now_ms](const auto& h) { return h.second <= now_ms; });
    if (ends_ms_.size() >= kMax) return false;
    ends_ms_.emplace(host, ends);
    return true;
}

bool ServiceHosts::knows(const std::string& host, std::uint64_t now_ms) const {
    const auto known = ends_ms_.find(host);
    return known != ends_ms_.end() && known->second > now_ms;
}

}  // namespace steer::mdns
