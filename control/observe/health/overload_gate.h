// Whether this appliance refuses more queries than `ready_overload` of `control` allows, because tables, buffers or queues
// are full. Then /readyz sends its clients elsewhere.
//
// Overloaded: of the queries of the last kWindowMs, the limit's share or more was refused, and at least kFewest were.
// Ready again: after a pause, once the share of a whole window is below half of the limit. The pause is kPauseMs; it doubles,
// up to kLongestPauseMs, if the appliance was overloaded less than kForgetMs before, so that its route does not flap.
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
        0;  // no room: pending queries, upstream queries, buffers, rings, port queues
};
// `lost_by_ports`: packets that came when a worker was too late, or no buffer was free.
OverloadSums overload_sums(std::span<const Counters* const> workers, std::uint64_t lost_by_ports);

class OverloadGate {
  public:
    static constexpr std::uint64_t kWindowMs = 10'000, kSampleMs = 1'000;
    static constexpr std::uint64_t kFewest = 100;  // refused queries in a window
    static constexpr std::uint64_t kPauseMs = 30'000, kLongestPauseMs = 240'000;
    static constexpr std::uint64_t kForgetMs = 600'000;

    // `limit_percent`: 0: never overloaded.
    explicit OverloadGate(std::uint32_t limit_percent) : limit_percent_(limit_percent) {}

    // Whether look() would do something.
    [[nodiscard]] bool is_due(std::uint64_t now_ms) const {
        return limit_percent_ != 0 &&
               (samples_.empty() || now_ms - samples_.back().at_ms >= kSampleMs);
    }
    void look(OverloadSums sums, std::uint64_t now_ms);
    // Why it is not ready; empty: it is.
    [[nodiscard]] std::string trouble(std::uint64_t now_ms) const;

  private:
    struct Sample {
        std::uint64_t at_ms = 0;
        OverloadSums sums;
    };
    void judge(std::uint64_t now_ms);

    std::uint32_t limit_percent_;
    std::deque<Sample> samples_;  // kSampleMs apart, of a little more than a window
    bool is_overloaded_ = false;
    std::uint32_t percent_ = 0;   // refused, when it became overloaded
    std::uint64_t pause_ms_ = 0;  // of this time, or of the last
    std::uint64_t pause_end_ms_ = 0;
    std::uint64_t ended_ms_ = 0;  // the last time; 0: never
};

}  // namespace steer
