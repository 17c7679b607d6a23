// When a job of a cron is due. Pure: both clocks come in.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

#include "control/config/cron_time.h"

namespace steer::tasks {

struct Clocks {
    config::CronTime::Moment wall;  // may be set, both ways
    std::uint64_t steady_s = 0;
};

class JobTimer {
  public:
    // By a schedule in a time zone (empty: the system's), or every so many seconds, the first time after one interval.
    JobTimer(const config::CronTime& schedule, std::string zone, Clocks now);
    JobTimer(std::uint64_t interval_s, Clocks now);

    // Once for each time that came, however many went by. The clock put back does not repeat what it had passed
    // within a day; put further back, what comes next comes.
    bool take_due(Clocks now);

  private:
    void choose(config::CronTime::Moment after);

    std::optional<config::CronTime> schedule_;
    std::string zone_;
    std::optional<config::CronTime::Moment> next_;
    config::CronTime::Moment latest_{};  // that was seen
    std::uint64_t interval_s_ = 0, next_steady_s_ = 0;
};

}  // namespace steer::tasks
