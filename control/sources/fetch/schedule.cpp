#include "control/sources/fetch/schedule.h"

#include <algorithm>

namespace steer::fetch {
namespace {

constexpr std::uint64_t kFirstRetryS = 60, kFirstRetryWithoutCopyS = 10;
constexpr double kSpread = 0.1;

std::uint64_t spread(std::uint64_t seconds, double chance) {
    const double factor = 1 - kSpread + 2 * kSpread * std::clamp(chance, 0.0, 1.0);
    return std::max<std::uint64_t>(
        1, static_cast<std::uint64_t>(static_cast<double>(seconds) * factor));
}

}  // namespace

void Schedule::went_well(std::uint64_t now_s, double chance) {
    failures_ = 0;
    due_s_ = now_s + spread(every_s_, chance);
}

void Schedule::failed(std::uint64_t now_s, bool has_copy, double chance) {
    constexpr std::uint32_t kMaxDoublings = 16;
    const std::uint64_t first = has_copy ? kFirstRetryS : kFirstRetryWithoutCopyS;
    const std::uint64_t wait = first << std::min(failures_, kMaxDoublings);
    ++failures_;
    due_s_ = now_s + spread(std::min<std::uint64_t>(wait, every_s_), chance);
}

void Schedule::set_every(std::uint32_t every_s, std::uint64_t now_s) {
    every_s_ = every_s;
    due_s_ = std::min(due_s_, now_s + every_s_);
}

}  // namespace steer::fetch
