// Rate limit per client: a token bucket for each masked address. All workers share the buckets, so
// a client has one bucket even if its queries reach several workers.
//
// A bucket is one word: a tag of the client and the time at which the bucket is full again (GCRA,
// the leaky bucket as a meter, ITU-T I.371). Compare-and-swap changes it: no lock, no heap, no
// waiting. A table has `lines` of eight buckets. A new client takes the bucket in its line that
// will be full first. Two clients with the same tag in one line share a bucket (about one in 2^16).
// A new snapshot begins with full buckets.
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
    std::uint32_t burst = 40;  // at least 1; at most the refill of kLongestRefillS
    std::uint8_t mask4 = 32, mask6 = 48;
    bool operator==(const RateLimit&) const = default;
};

class RateLimiter {
  public:
    // Ticks repeat after 12 days (rate_limiter.cpp). After a longer refill time, a bucket could
    // seem full.
    static constexpr std::uint32_t kLongestRefillS = 86'400;

    explicit RateLimiter(const RateLimit& limit, std::uint32_t lines = 8192);  // a power of two

    // Takes a token. Returns true if the client had one. Any worker.
    [[nodiscard]] bool take(const IpAddress& client, const cache::KeyHasher& hasher,
                            Now now) const noexcept;
    [[nodiscard]] const RateLimit& limit() const { return limit_; }

  private:
    struct alignas(64) Line {
        std::array<std::atomic<std::uint64_t>, 8> buckets{};
    };

    RateLimit limit_;
    std::uint64_t interval_;  // between two tokens, in ticks
    std::uint64_t depth_;     // ticks to fill an empty bucket
    std::uint32_t line_mask_;
    std::unique_ptr<Line[]> lines_;
};

}  // namespace steer
