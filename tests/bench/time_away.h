// Time that a generator or its server was without its CPU, and the round trips that it made longer.
#pragma once

#include <rte_cycles.h>

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "bench/fail.h"
#include "bench/turn_gaps.h"

namespace steer::bench {

struct RoundTrip {
    std::uint64_t due, end;  // TSC
};

class TimeAway {
  public:
    // `file`: of the server's gaps; empty: only the generator's are known.
    explicit TimeAway(const std::string& file) {
        constexpr std::size_t kExpected = 1U << 18;
        gaps_.reserve(kExpected);
        if (file.empty()) return;
        server_ = TurnGaps::open(file.c_str());
        if (server_ == nullptr) fail(file + " cannot be shared");
        constexpr std::uint64_t kPerSecond = 100'000;  // 10 us
        first_ = server_->count.load(std::memory_order_acquire);
        server_->shortest = rte_get_tsc_hz() / kPerSecond;
    }

    // A gap of the generator.
    void add(const Gap& gap) { gaps_.push_back(gap); }

    // Cycles that the server was away since the start.
    [[nodiscard]] std::uint64_t servers() const {
        std::uint64_t sum = 0;
        if (server_ == nullptr) return sum;
        for (std::uint32_t i = first_; i < server_->count.load(std::memory_order_acquire); ++i)
            sum += server_->gaps[i].end - server_->gaps[i].begin;
        return sum;
    }

    // Takes the server's gaps, too. Then overlaps() may be called. A gap counts twice as long as it
    // was: at half load, its backlog takes as long again.
    void settle() {
        if (server_ != nullptr) {
            gaps_.insert(gaps_.end(), server_->gaps + first_,
                         server_->gaps + server_->count.load(std::memory_order_acquire));
        }
        for (Gap& gap : gaps_)
            gap.end += gap.end - gap.begin;
        std::sort(gaps_.begin(), gaps_.end(),
                  [](const Gap& a, const Gap& b) { return a.begin < b.begin; });
        std::size_t kept = 0;  // joined where they overlap
        for (const Gap& gap : gaps_) {
            if (kept > 0 && gap.begin <= gaps_[kept - 1].end) {
                gaps_[kept - 1].end = std::max(gaps_[kept - 1].end, gap.end);
            } else {
                gaps_[kept++] = gap;
            }
        }
        gaps_.resize(kept);
    }

    [[nodiscard]] bool overlaps(const RoundTrip& one) const {
        const auto after =
            std::lower_bound(gaps_.begin(), gaps_.end(), one.end,
                             [](const Gap& gap, std::uint64_t end) { return gap.begin < end; });
        return after != gaps_.begin() && (after - 1)->end > one.due;
    }

  private:
    std::vector<Gap> gaps_;
    TurnGaps* server_ = nullptr;
    std::uint32_t first_ = 0;
};

}  // namespace steer::bench
