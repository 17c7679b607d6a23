// When a cron job is due. Pure: both clocks are inputs.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>

#include "control/config/text/cron_time.h"

namespace steer::tasks {

struct Clocks {
    config::CronTime::Moment wall;  // may be set forwards or backwards
    std::uint64_t steady_s = 0;
};

class JobTimer {
  public:
    // By a schedule in a time zone (empty: the system's), or at an interval in seconds; first after
    // one interval.
    JobTimer(const config::CronTime& schedule, std::string zone, Clocks now);
    JobTimer(std::uint64_t interval_s, Clocks now);

    // Returns true once for due times, even if several passed. If the clock is set back by less
    // than a day, passed times are not repeated. If it is set further back, the timer continues
    // with the next time.
    bool take_due(Clocks now);

  private:
    void choose(config::CronTime::Moment after);

    std::optional<config::CronTime> schedule_;
    std::string zone_;
    std::optional<config::CronTime::Moment> next_;
    config::CronTime::Moment latest_{};  // latest time seen
    std::uint64_t interval_s_ = 0, next_steady_s_ = 0;
};

}  // namespace steer::tasks
