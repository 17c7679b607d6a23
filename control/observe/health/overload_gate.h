// Whether this appliance refuses more queries than `ready_overload` of `control` allows, because
// tables, buffers or queues are full. Then /readyz sends its clients elsewhere.
//
// Overloaded: of the queries in the last kWindowMs, the limit's share or more was refused, and at
// least kFewest. Ready again: after a pause, when the share of a whole window is below half of the
// limit. The pause is kPauseMs. It doubles, up to kLongestPauseMs, if the last overload was less
// than kForgetMs ago, so that the appliance's route does not flap.
//
// Not thread-safe; used by the main thread.
#pragma once

#include <cstdint>
#include <deque>
#include <span>
#include <string>

#include "dataplane/base/counters.h"

namespace steer {

// Of queries, since the start.
struct OverloadSums {
    std::uint64_t answered = 0;
    std::uint64_t refused =
        0;  // without space: pending queries, upstream queries, buffers, rings, port queues
};
// `lost_by_ports`: packets that were lost because a worker was too slow, or no buffer was free.
OverloadSums overload_sums(std::span<const Counters* const> workers, std::uint64_t lost_by_ports);

class OverloadGate {
  public:
    static constexpr std::uint64_t kWindowMs = 10'000, kSampleMs = 1'000;
    static constexpr std::uint64_t kFewest = 100;  // refused queries in a window
    static constexpr std::uint64_t kPauseMs = 30'000, kLongestPauseMs = 240'000;
    static constexpr std::uint64_t kForgetMs = 600'000;

    // `limit_percent`: 0: never overloaded.
    explicit OverloadGate(std::uint32_t limit_percent) : limit_percent_(limit_percent) {}

    // Whether a call of check() is due.
    [[nodiscard]] bool is_due(std::uint64_t now_ms) const {
        return limit_percent_ != 0 &&
               (samples_.empty() || now_ms - samples_.back().at_ms >= kSampleMs);
    }
    void check(OverloadSums sums, std::uint64_t now_ms);
    // Why it is not ready; empty: it is ready.
    [[nodiscard]] std::string error(std::uint64_t now_ms) const;

  private:
    struct Sample {
        std::uint64_t at_ms = 0;
        OverloadSums sums;
    };
    void judge(std::uint64_t now_ms);

    std::uint32_t limit_percent_;
    std::deque<Sample> samples_;  // kSampleMs apart, of a little more than a window
    bool is_overloaded_ = false;
    std::uint32_t percent_ = 0;   // share of refused queries at the beginning of the overload
    std::uint64_t pause_ms_ = 0;  // of this overload, or of the last one
    std::uint64_t pause_end_ms_ = 0;
    std::uint64_t ended_ms_ = 0;  // end of the last overload; 0: there was none
};

}  // namespace steer
