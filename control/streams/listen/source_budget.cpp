#include "control/streams/listen/source_budget.h"

#include <algorithm>
#include <cstring>

namespace steer::stream {
namespace {

constexpr std::size_t kBuckets = 8192;  // a power of two

}  // namespace

SourceBudget::SourceBudget(std::uint64_t secret) : secret_(secret), buckets_(kBuckets) {}

bool SourceBudget::take(const IpAddress& source, std::uint64_t now_ms) {
    std::uint64_t halves[2];
    std::memcpy(halves, source.bytes.data(), sizeof halves);
    const std::uint64_t network = source.is_v4() ? halves[1] : halves[0];
    std::uint64_t hash = (network ^ secret_) * 0xbf58476d1ce4e5b9;
    hash = (hash ^ (hash >> 29) ^ secret_) * 0x94d049bb133111eb;
    Bucket& bucket = buckets_[(hash >> 32) % kBuckets];

    const std::uint64_t passed = std::min<std::uint64_t>(now_ms - bucket.filled_ms, 10'000);
    const std::uint64_t full = kBurst * 1000;
    const std::uint64_t now = std::min(full, bucket.thousandths + passed * kPerSecond);
    bucket.filled_ms = now_ms;
    bucket.thousandths = static_cast<std::uint32_t>(now);
    if (bucket.thousandths < 1000) return false;
    bucket.thousandths -= 1000;
    return true;
}

}  // namespace steer::stream
