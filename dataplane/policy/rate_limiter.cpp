#include "dataplane/policy/rate_limiter.h"

#include <algorithm>

namespace steer {
namespace {

// A bucket: tag << 44 | tick at which it is full again. 16 ticks are a microsecond; they wrap after 12 days.
constexpr unsigned kTickBits = 44;
constexpr std::uint64_t kTicks = (std::uint64_t{1} << kTickBits) - 1;
constexpr std::uint64_t kTicksPerMs = 16'000, kTicksPerS = 1000 * kTicksPerMs;

IpAddress masked(const IpAddress& a, unsigned bits) {
    IpAddress out = a;
    for (unsigned i = 0; i < out.bytes.size(); ++i) {
        const unsigned kept = std::clamp<unsigned>(bits, i * 8, i * 8 + 8) - i * 8;
        out.bytes[i] = static_cast<std::uint8_t>(out.bytes[i] & 0xff00U >> kept);
    }
    return out;
}

}  // namespace

RateLimiter::RateLimiter(const RateLimit& limit, std::uint32_t lines)
    : limit_(limit),
      interval_(std::max<std::uint64_t>(
          1, static_cast<std::uint64_t>(static_cast<double>(kTicksPerS) / limit.qps))),
      depth_(interval_ * std::clamp<std::uint64_t>(kLongestRefillS * kTicksPerS / interval_, 1,
                                                   std::max(1U, limit.burst))),
      line_mask_(lines - 1),
      lines_(std::make_unique<Line[]>(lines)) {}

bool RateLimiter::take(const IpAddress& client, const cache::KeyHasher& hasher,
                       Now now) const noexcept {
    constexpr unsigned kV4In16 = 96;
    const IpAddress who =
        masked(client, client.is_v4() ? kV4In16 + limit_.mask4 : unsigned{limit_.mask6});
    const cache::Key key = hasher.of_name(who.bytes);
    Line& line = lines_[key.low & line_mask_];
    const std::uint64_t tag = key.high >> kTickBits | 1;  // never 0, which marks a free bucket
    const std::uint64_t tick = now.ms * kTicksPerMs & kTicks;
    // The missing tokens; none if the value is impossible.
    const auto missing = [&](std::uint64_t bucket) {
        const std::uint64_t ticks = (bucket - tick) & kTicks;
        return ticks > depth_ ? 0 : ticks;
    };
    for (;;) {
        std::atomic<std::uint64_t>* at = nullptr;
        std::uint64_t word = 0, least = UINT64_MAX;
        for (auto& bucket : line.buckets) {
            const std::uint64_t w = bucket.load(std::memory_order_relaxed);
            const bool is_its = w >> kTickBits == tag;
            if (!is_its && missing(w) >= least) continue;
            at = &bucket;
            word = w;
            least = missing(w);
            if (is_its) break;
        }
        const std::uint64_t missed = word >> kTickBits == tag ? missing(word) : 0;
        if (missed + interval_ > depth_) return false;
        const std::uint64_t next = tag << kTickBits | ((tick + missed + interval_) & kTicks);
        if (at->compare_exchange_weak(word, next, std::memory_order_relaxed)) return true;
    }
}

}  // namespace steer
