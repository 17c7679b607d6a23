// Times as crontab(5) writes them: "15 3 * * mon-fri", "*/10 * * * *", "@daily"; and the next one after a moment.
//
// Minute, hour, day of the month, month, day of the week (0 and 7: Sunday); lists, ranges, steps, names. A day fits if
// both day fields do, or one of them if neither begins with `*`, as crons have it. `?` is `*`. Pure.
//
// Where the clock is put forward, times that do not exist are the moment of that; where it is put back, an hour that
// comes twice counts once, unless every hour is meant.
#pragma once

#include <bitset>
#include <chrono>
#include <optional>
#include <string_view>

#include "matchers/result.h"

namespace steer::config {

class CronTime {
  public:
    static Result<CronTime> parse(std::string_view text);

    using Moment = std::chrono::sys_seconds;
    // Later than `after`, in the time zone of that name (IANA; empty: the system's). Nothing: never ("0 0 30 2 *").
    // Error: there is no such zone.
    [[nodiscard]] Result<std::optional<Moment>> next(Moment after, std::string_view zone) const;

  private:
    std::bitset<60> minutes_;
    std::bitset<24> hours_;
    std::bitset<32> days_;    // from 1
    std::bitset<13> months_;  // from 1
    std::bitset<7> weekdays_;
    bool any_day_ = true, any_weekday_ = true;

    [[nodiscard]] bool fits(unsigned month, unsigned day, unsigned weekday) const;
};

}  // namespace steer::config
