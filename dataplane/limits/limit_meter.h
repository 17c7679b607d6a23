// The token buckets of one thread for all rows of `limits:`, in constant memory.
//
// A bucket is one word: a tag of its key, flags, and the time at which it is full again (GCRA, the
// leaky bucket as a meter, ITU-T I.371). Lines of eight buckets fill one CPU cache line. A new key
// takes the bucket of its line that is or will be full first. So a source below its rate needs a
// bucket only while tokens are missing, and an evicted source starts with a full one: the meter
// errs by letting pass. Two keys of a line share a bucket if their 16-bit tags are equal.
//
// A source may reach several threads (`peers`). Its bucket holds all tokens, and refills at the
// thread's part of the rate. Slightly above that part it becomes *shared*: it refills at the whole
// rate and is noted on the board, until control divides the rate by the demand at each thread
// (limit_shares.h). So a source that reaches one thread gets its whole rate, and one that reaches
// several gets it once.
//
// For one thread. Cost of take(): one CPU cache line, which prefetch() can fetch earlier.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "dataplane/base/clock.h"
#include "dataplane/limits/offender_board.h"

namespace steer {

// 16 ticks are a microsecond. They repeat after 3 days.
struct LimitTicks {
    static constexpr unsigned kBits = 42;
    static constexpr std::uint64_t kMask = (std::uint64_t{1} << kBits) - 1;
    static constexpr std::uint64_t kPerUs = 16, kPerS = kPerUs * 1'000'000;
    static std::uint64_t of(Now now) noexcept { return now.micros() * kPerUs & kMask; }
};

// How fast a bucket refills.
struct LimitRate {
    static constexpr std::uint32_t kLongestRefillS = 3'600;
    static constexpr unsigned kMaxPeriod = 30;  // of `slip` and `leak`

    // `per_s`, `burst`: units. `burst` counts as at most the refill of kLongestRefillS.
    static LimitRate of(double per_s, double burst) noexcept;
    // Ticks of so many tokens. More than the bucket holds are all of it.
    [[nodiscard]] std::uint64_t ticks_of(std::uint64_t units) const noexcept;

    std::uint64_t cost_q16 = 0;  // ticks per unit, times 2^16
    std::uint64_t depth = 0;     // ticks to fill an empty bucket
    std::uint8_t period = 1;     // Taken::nth counts up to it
};

class LimitMeter {
  public:
    // `bytes`: rounded up to a power of two. `peers`: threads that the same source may reach.
    LimitMeter(std::size_t bytes, unsigned peers);
    ~LimitMeter();
    LimitMeter(const LimitMeter&) = delete;
    LimitMeter& operator=(const LimitMeter&) = delete;

    void prefetch(std::uint64_t key) const noexcept { __builtin_prefetch(&line_of(key), 1); }

    struct Taken {
        bool is_over = false;
        bool is_shared = false;  // the source has to be noted on the board
        std::uint8_t nth = 0;    // of the refusals of this bucket, 0 .. period - 1
        std::uint64_t left = 0;  // ticks of tokens that the source can have before any of the above
    };
    // Takes `units` tokens of a keyed hash, if the bucket has them. `shares`: this thread's board,
    // with its parts of rates that control has divided.
    // `owed`: tokens that the source has used already; they are taken first, as far as the bucket
    // has them.
    [[nodiscard]] Taken take(std::uint64_t key, const LimitRate& rate, std::uint64_t units,
                             std::uint64_t tick, const OffenderBoard& shares,
                             std::uint64_t owed = 0) noexcept;
    // Whether a bucket has no token left. Takes none.
    [[nodiscard]] bool is_empty(std::uint64_t key, const LimitRate& rate,
                                std::uint64_t tick) const noexcept;

    [[nodiscard]] std::size_t buckets() const noexcept { return (line_mask_ + 1) * kInLine; }

  private:
    static constexpr unsigned kInLine = 8;
    struct alignas(64) Line {
        std::array<std::uint64_t, kInLine> buckets;
    };
    [[nodiscard]] Line& line_of(std::uint64_t key) const noexcept {
        return lines_[key & line_mask_];
    }
    [[nodiscard]] std::uint64_t* find(std::uint64_t key) const noexcept;  // nullptr: none
    std::uint64_t* replace(std::uint64_t key, std::uint64_t tick) const noexcept;

    Line* lines_;
    std::size_t line_mask_;
    unsigned peers_;
};

}  // namespace steer
