// Times in the form of crontab(5): "15 3 * * mon-fri", "*/10 * * * *", "@daily"; and the next one
// after a moment.
//
// Fields: minute, hour, day of the month, month, day of the week (0 and 7: Sunday); lists, ranges,
// steps, names. A day matches if both day fields match. If neither field begins with `*`, one is
// enough, as in common crons. `?` is `*`. Pure.
//
// If the clock is set forward, skipped times happen at that moment. If it is set back, a repeated
// hour counts once, unless every hour is selected.
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
    // The first time after `after`, in the time zone with that name (IANA; empty: the system's). No
    // value: never ("0 0 30 2 *"). Error: there is no such zone.
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
