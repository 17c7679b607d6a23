#include "dataplane/limits/limit_meter.h"

#include <sys/mman.h>

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstdio>
#include <cstdlib>

namespace steer {
namespace {

// A bucket: tag (16) | shared (1) | nth (5) | tick at which it is full again (42). 0: never used.
constexpr unsigned kTagShift = 48, kNthShift = LimitTicks::kBits;
constexpr std::uint64_t kShared = std::uint64_t{1} << 47;
constexpr std::uint64_t kNthMask = std::uint64_t{31} << kNthShift;
static_assert(LimitRate::kMaxPeriod < 32);

// A shared bucket that was full for so long is a new one.
constexpr std::uint64_t kForgetTicks = 30 * LimitTicks::kPerS;
constexpr std::uint64_t kWholeShare = 1U << 16;
// A source above its thread's part of the rate, by so much time and so many tokens, is shared.
constexpr std::uint64_t kSuspectTicks = LimitTicks::kPerS / 4;
constexpr std::uint64_t kSuspectTokens = 4;
// Times further away are in the past.
constexpr std::uint64_t kHalf = LimitTicks::kMask / 2;
constexpr std::uint64_t kLongestRefill = LimitRate::kLongestRefillS * LimitTicks::kPerS;

std::uint64_t bucket_tag(std::uint64_t key) noexcept {
    const std::uint64_t tag = key >> kTagShift;
    return tag + static_cast<std::uint64_t>(tag == 0);  // 0 marks a free bucket
}

// Ticks until the bucket is full; none if it is, or if the value is impossible.
std::uint64_t missing_of(std::uint64_t bucket, std::uint64_t tick, std::uint64_t most) noexcept {
    const std::uint64_t ticks = (bucket - tick) & LimitTicks::kMask;
    return ticks > most ? 0 : ticks;
}

// A shared bucket may miss more than its depth, if its share is small.
std::uint64_t deepest_of(const LimitRate& rate) noexcept {
    constexpr std::uint64_t kDeepest = 64;
    return std::min(rate.depth * kDeepest, kHalf);
}

bool is_forgotten(std::uint64_t bucket, std::uint64_t tick) noexcept {
    const std::uint64_t full_for = (tick - bucket) & LimitTicks::kMask;
    return full_for > kForgetTicks && full_for < kHalf;
}

}  // namespace

std::uint64_t LimitRate::ticks_of(std::uint64_t units) const noexcept {
    return std::clamp<std::uint64_t>((cost_q16 * units) >> 16, 1, depth);
}

LimitRate LimitRate::of(double per_s, double burst) noexcept {
    const double ticks = static_cast<double>(LimitTicks::kPerS) / per_s;
    const double most = static_cast<double>(kLongestRefill);
    LimitRate out;
    out.cost_q16 =
        std::max<std::uint64_t>(1, static_cast<std::uint64_t>(std::llround(ticks * 65536)));
    out.depth = static_cast<std::uint64_t>(std::clamp(ticks * burst, std::min(ticks, most), most));
    return out;
}

LimitMeter::LimitMeter(std::size_t bytes, unsigned peers)
    : line_mask_(std::bit_ceil(std::max(bytes, sizeof(Line)) / sizeof(Line)) - 1),
      peers_(std::max(peers, 1U)) {
    // Pages that no source needs are never touched.
    const std::size_t size = (line_mask_ + 1) * sizeof(Line);
    void* const memory =
        mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) {
        std::fprintf(stderr, "no memory for limits: lower `limits_memory`\n");
        std::abort();
    }
    (void)madvise(memory, size, MADV_HUGEPAGE);
    lines_ = static_cast<Line*>(memory);
}

LimitMeter::~LimitMeter() {
    munmap(lines_, (line_mask_ + 1) * sizeof(Line));
}

std::uint64_t* LimitMeter::find(std::uint64_t key) const noexcept {
    const std::uint64_t tag = bucket_tag(key);
    Line& line = line_of(key);
    unsigned same = 0;
    for (unsigned i = 0; i < kInLine; ++i)
        same |= static_cast<unsigned>(line.buckets[i] >> kTagShift == tag) << i;
    return same != 0 ? &line.buckets[static_cast<unsigned>(std::countr_zero(same))] : nullptr;
}

bool LimitMeter::is_empty(std::uint64_t key, const LimitRate& rate,
                          std::uint64_t tick) const noexcept {
    const std::uint64_t* const bucket = find(key);
    if (bucket == nullptr) return false;
    const bool is_shared = (*bucket & kShared) != 0;
    const std::uint64_t missing = is_shared
                                      ? missing_of(*bucket, tick, deepest_of(rate))
                                      : missing_of(*bucket, tick, rate.depth * peers_) / peers_;
    return missing + rate.ticks_of(1) > rate.depth;
}

// A full bucket for a new key: in place of the one of its line that is or will be full first.
std::uint64_t* LimitMeter::replace(std::uint64_t key, std::uint64_t tick) const noexcept {
    Line& line = line_of(key);
    std::uint64_t* replaced = nullptr;
    std::uint64_t least = UINT64_MAX;
    for (std::uint64_t& bucket : line.buckets) {
        const std::uint64_t missing = missing_of(bucket, tick, kLongestRefill * peers_);
        if (missing >= least) continue;
        replaced = &bucket;
        least = missing;
    }
    *replaced = bucket_tag(key) << kTagShift | tick;
    return replaced;
}

LimitMeter::Taken LimitMeter::take(std::uint64_t key, const LimitRate& rate, std::uint64_t units,
                                   std::uint64_t tick, const OffenderBoard& shares,
                                   std::uint64_t owed) noexcept {
    const std::uint64_t tag = bucket_tag(key);
    std::uint64_t* bucket = find(key);
    if (bucket == nullptr) [[unlikely]]
        bucket = replace(key, tick);
    const std::uint64_t ticks = rate.ticks_of(units);
    const std::uint64_t owed_ticks = owed == 0 ? 0 : rate.ticks_of(owed);
    const std::uint64_t nth_bits = *bucket & kNthMask;
    const auto put = [&](std::uint64_t flags, std::uint64_t left) {
        *bucket = tag << kTagShift | flags | ((tick + left) & LimitTicks::kMask);
    };
    const auto refuse = [&](std::uint64_t flags, std::uint64_t left) {
        const auto nth = static_cast<std::uint8_t>(nth_bits >> kNthShift);
        const std::uint64_t next = nth + 1U >= rate.period ? 0 : nth + 1U;
        put(flags | next << kNthShift, left);
        return Taken{.is_over = true, .is_shared = true, .nth = nth};
    };
    if (peers_ == 1) {
        const std::uint64_t missing =
            std::min(missing_of(*bucket, tick, rate.depth) + owed_ticks, rate.depth);
        if (missing + ticks > rate.depth) return refuse(0, missing);
        put(nth_bits, missing + ticks);
        return {.left = rate.depth - missing - ticks};
    }
    const std::uint32_t share = shares.has_shares() ? shares.share(key) : 0;
    const bool is_shared = (*bucket & kShared) != 0 && !is_forgotten(*bucket, tick);
    std::uint64_t missing = 0;
    if (!is_shared) {
        const bool is_new = (*bucket & kShared) != 0;
        const std::uint64_t before = is_new ? 0 : missing_of(*bucket, tick, rate.depth * peers_);
        const std::uint64_t used = std::min(before + owed_ticks * peers_, rate.depth * peers_);
        const std::uint64_t most =
            std::min(rate.depth * peers_,
                     std::max(kSuspectTicks, kSuspectTokens * rate.ticks_of(1) * peers_));
        if (share == 0 && used + ticks * peers_ <= most) {
            put(nth_bits, used + ticks * peers_);
            return {.left = (most - used) / peers_ - ticks};
        }
        // More than what is missing at the whole rate. One token has to fit for a source below it.
        missing = std::min(used / peers_, rate.depth - std::min(ticks, rate.depth));
    }
    // At least one token fits, however small the share.
    const auto at_share = [&](std::uint64_t whole) {
        return share == 0 ? whole : std::min(whole * kWholeShare / share, kHalf);
    };
    const std::uint64_t own = at_share(ticks);
    const std::uint64_t depth = std::max(rate.depth, own);
    if (is_shared) {
        missing = missing_of(*bucket, tick, deepest_of(rate));
        missing = std::max(missing, std::min(missing + at_share(owed_ticks), depth));
    }
    if (missing + own > depth) return refuse(kShared, missing);
    put(kShared | nth_bits, missing + own);
    return {.is_shared = true};
}

}  // namespace steer
