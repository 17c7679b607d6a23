// Limits the packets from a link, and from each host on it: token buckets.
//
// Sizes: a host that wakes up with all its services sends some tens of packets per second. Of a
// flood, at most 400 packets per second are repeated on each other link. If kMaxSources hosts are
// active, further hosts are over budget.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>

#include "matchers/prefix/ip_address.h"

namespace steer::mdns {

class TokenBucket {
  public:
    TokenBucket(std::uint32_t a_second, std::uint32_t at_once, std::uint64_t now_ms)
        : a_second_(a_second), full_(at_once * 1000U), thousandths_(full_), filled_ms_(now_ms) {}

    bool take(std::uint64_t now_ms) {
        thousandths_ = content(now_ms);
        filled_ms_ = now_ms;
        if (thousandths_ < 1000) return false;
        thousandths_ -= 1000;
        return true;
    }
    [[nodiscard]] bool is_full(std::uint64_t now_ms) const { return content(now_ms) == full_; }

  private:
    [[nodiscard]] std::uint64_t content(std::uint64_t now_ms) const {
        const std::uint64_t passed_ms = std::min<std::uint64_t>(now_ms - filled_ms_, 60'000);
        return std::min(full_, thousandths_ + passed_ms * a_second_);
    }
    std::uint64_t a_second_, full_, thousandths_, filled_ms_;
};

class PacketBudget {
  public:
    static constexpr std::uint32_t kLinkPerSecond = 400, kLinkAtOnce = 800;
    static constexpr std::uint32_t kSourcePerSecond = 100, kSourceAtOnce = 200;
    static constexpr std::size_t kMaxSources = 1024;

    explicit PacketBudget(std::uint64_t now_ms) : link_(kLinkPerSecond, kLinkAtOnce, now_ms) {}

    // A host that exceeds its own budget does not use the link's.
    bool take(const IpAddress& source, std::uint64_t now_ms) {
        auto known = sources_.find(source);
        if (known == sources_.end()) {
            if (sources_.size() >= kMaxSources)
                std::erase_if(sources_, [&](const auto& s) { return s.second.is_full(now_ms); });
            if (sources_.size() >= kMaxSources) return false;
            known = sources_.emplace(source, TokenBucket(kSourcePerSecond, kSourceAtOnce, now_ms))
                        .first;
        }
        return known->second.take(now_ms) && link_.take(now_ms);
    }

  private:
    TokenBucket link_;
    std::map<IpAddress, TokenBucket> sources_;
};

}  // namespace steer::mdns
