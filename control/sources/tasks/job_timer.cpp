#include "control/sources/tasks/job_timer.h"

#include <algorithm>
#include <utility>

namespace steer::tasks {
namespace {

constexpr std::chrono::hours kPutBack{24};

}  // namespace

JobTimer::JobTimer(const config::CronTime& schedule, std::string zone, Clocks now)
    : schedule_(schedule), zone_(std::move(zone)) {
    choose(now.wall);
}

JobTimer::JobTimer(std::uint64_t interval_s, Clocks now)
    : interval_s_(interval_s), next_steady_s_(now.steady_s + interval_s) {}

void JobTimer::choose(config::CronTime::Moment after) {
    latest_ = after;
    const auto next = schedule_->next(after, zone_);
    next_ = next ? *next : std::nullopt;  // the zone was checked before
}

bool JobTimer::take_due(Clocks now) {
    if (!schedule_) {
        if (now.steady_s < next_steady_s_) return false;
        const std::uint64_t missed = (now.steady_s - next_steady_s_) / interval_s_;
        next_steady_s_ += (missed + 1) * interval_s_;
        return true;
    }
    if (next_ && now.wall >= *next_) {
        choose(now.wall);
        return true;
    }
    if (now.wall + kPutBack < latest_) choose(now.wall);  // set to another day
    latest_ = std::max(latest_, now.wall);
    return false;
}

}  // namespace steer::tasks
