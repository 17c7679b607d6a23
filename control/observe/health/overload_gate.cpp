#include "control/observe/health/overload_gate.h"

#include <algorithm>

namespace steer {

OverloadSums overload_sums(std::span<const Counters* const> workers, std::uint64_t lost_by_ports) {
    OverloadSums sums{.refused = lost_by_ports};
    // A moved or injected query ends with a count of its own kind; the row has the same name in each.
    const auto add_ends = [&sums](const Counters& counters, auto kind) {
        using Kind = decltype(kind);
        sums.answered += counters.get(Kind::answered) + counters.get(Kind::answered_truncated) +
                         counters.get(Kind::answered_error);
        sums.refused += counters.get(Kind::drop_parked_full) + counters.get(Kind::drop_no_buffer) +
                        counters.get(Kind::drop_ring_full);
    };
    for (const Counters* const counters : workers) {
        add_ends(*counters, Verdict{});
        add_ends(*counters, Moved{});
        add_ends(*counters, Injected{});
        sums.answered += counters->get(PendingOutcome::answered) +
                         counters->get(PendingOutcome::answered_truncated);
        sums.refused += counters->get(PendingOutcome::drop_no_buffer) +
                        counters->get(Stat::upstream_table_full) +
                        counters->get(Stat::upstream_displaced);
    }
    return sums;
}

void OverloadGate::check(OverloadSums sums, std::uint64_t now_ms) {
    if (!is_due(now_ms)) return;
    samples_.push_back({now_ms, sums});
    while (samples_.size() > 2 && now_ms - samples_[1].at_ms >= kWindowMs)
        samples_.pop_front();
    if (now_ms - samples_.front().at_ms >= kWindowMs) judge(now_ms);
}

// Of a whole window.
void OverloadGate::judge(std::uint64_t now_ms) {
    const OverloadSums &before = samples_.front().sums, &now = samples_.back().sums;
    // A port that was closed takes its losses with it.
    const std::uint64_t refused = now.refused > before.refused ? now.refused - before.refused : 0;
    const std::uint64_t all = now.answered - before.answered + refused;
    const std::uint64_t percent = all == 0 ? 0 : refused * 100 / all;
    if (is_overloaded_) {
        if (now_ms < pause_end_ms_ || percent * 2 >= limit_percent_) return;
        is_overloaded_ = false;
        ended_ms_ = now_ms;
    } else if (refused >= kFewest && percent >= limit_percent_) {
        const bool is_again = ended_ms_ != 0 && now_ms - ended_ms_ < kForgetMs;
        pause_ms_ = is_again ? std::min(pause_ms_ * 2, kLongestPauseMs) : kPauseMs;
        pause_end_ms_ = now_ms + pause_ms_;
        percent_ = static_cast<std::uint32_t>(percent);
        is_overloaded_ = true;
    }
}

std::string OverloadGate::error(std::uint64_t now_ms) const {
    if (!is_overloaded_) return {};
    std::string text =
        std::to_string(percent_) +
        " % of the queries were refused: tables, buffers or queues were full (`ready_overload`)";
    if (now_ms < pause_end_ms_)
        return text + "; ready in " + std::to_string((pause_end_ms_ - now_ms + 999) / 1000) +
               " s at the earliest";
    return text + "; ready when it is less than half of the limit";
}

}  // namespace steer
