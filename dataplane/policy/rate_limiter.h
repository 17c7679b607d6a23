// How often a client may: a token bucket for each masked address, shared by all workers, so that a client whose
// queries come to several has one bucket.
//
// Each bucket is one word, a tag of the client and when the bucket is full again (GCRA, the leaky bucket as a meter,
// ITU-T I.371), changed by compare-and-swap: no lock, no heap, no waiting. A table holds `lines` of eight; where all
// eight of a line are taken, the bucket that is full again soonest is given to who comes. Two clients with one tag in one line
// share a bucket (one in 2^16 or so). A new snapshot begins with full buckets.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>

#include "dataplane/base/clock.h"
#include "dataplane/cache/cache.h"
#include "matchers/prefix/ip_address.h"

namespace steer {

struct RateLimit {
    double qps = 20;           // 0.001..2^32 - 1
    std::uint32_t burst = 40;  // at least 1; no more than refill in kLongestRefillS count
    std::uint8_t mask4 = 32, mask6 = 48;
    bool operator==(const RateLimit&) const = default;
};

class RateLimiter {
  public:
    // A bucket is a tick within 12 days (rate_limiter.cpp): longer ones could not be told from full ones.
    static constexpr std::uint32_t kLongestRefillS = 86'400;

    explicit RateLimiter(const RateLimit& limit, std::uint32_t lines = 8192);  // a power of two

    // True: the client had a token, which is taken. Any worker.
    [[nodiscard]] bool take(const IpAddress& client, const cache::KeyHasher& hasher,
                            Now now) const noexcept;
    [[nodiscard]] const RateLimit& limit() const { return limit_; }

  private:
    struct alignas(64) Line {
        std::array<std::atomic<std::uint64_t>, 8> buckets{};
    };

    RateLimit limit_;
    std::uint64_t interval_;  // between two tokens, in ticks
    std::uint64_t depth_;     // of an empty bucket
    std::uint32_t line_mask_;
    std::unique_ptr<Line[]> lines_;
};

}  // namespace steer
