#include "control/sources/transfer/refresh_timer.h"

#include <algorithm>

namespace steer::transfer {
namespace {

constexpr double kLeftOut = 0.1;  // of a timer, at most

}  // namespace

std::uint64_t RefreshTimer::within(std::uint32_t seconds, double chance) const {
    const double limited =
        std::clamp(seconds, limits_.min_s, std::max(limits_.min_s, limits_.max_s));
    return std::max<std::uint64_t>(1,
                                   static_cast<std::uint64_t>(limited * (1 - kLeftOut * chance)));
}

std::uint64_t RefreshTimer::expire_after_s(const Soa& soa) const {
    return std::max<std::uint64_t>(soa.expire_s, within(soa.refresh_s, 0) + within(soa.retry_s, 0));
}

void RefreshTimer::wait(std::uint64_t seconds, std::uint64_t now_s) {
    due_s_ = now_s + (is_notified_ ? kNotifyPauseS : seconds);
}

void RefreshTimer::restored(const Soa& soa, std::uint64_t age_s, std::uint64_t now_s) {
    soa_ = soa;
    const std::uint64_t after_s = expire_after_s(soa);
    expires_s_ = now_s + after_s - std::min(age_s, after_s);
    due_s_ = now_s;
}

void RefreshTimer::checked(const Soa& soa, std::uint64_t now_s, double chance) {
    soa_ = soa;
    ended_s_ = now_s;
    expires_s_ = now_s + expire_after_s(soa);
    retry_s_ = kFirstRetryS;
    wait(within(soa.refresh_s, chance), now_s);
}

void RefreshTimer::failed(std::uint64_t now_s, double chance) {
    ended_s_ = now_s;
    if (soa_) return wait(within(soa_->retry_s, chance), now_s);
    wait(retry_s_, now_s);
    retry_s_ = std::min(retry_s_ * 2, kLastRetryS);
}

void RefreshTimer::notify(std::uint64_t now_s) {
    is_notified_ = true;
    due_s_ = std::min(due_s_, std::max(now_s, ended_s_ + kNotifyPauseS));
}

}  // namespace steer::transfer
