#include "control/config/text/cron_time.h"

#include <date/tz.h>

#include <algorithm>
#include <array>
#include <span>
#include <string>
#include <utility>
#include <vector>

#include "control/config/text/time_zone.h"
#include "control/config/values.h"
#include "matchers/quote.h"

namespace steer::config {
namespace {

using std::chrono::hours;
using std::chrono::minutes;
using Days = std::chrono::duration<int, std::ratio<86'400>>;

constexpr std::array<std::string_view, 12> kMonths{"jan", "feb", "mar", "apr", "may", "jun",
                                                   "jul", "aug", "sep", "oct", "nov", "dec"};
constexpr std::array<std::string_view, 7> kWeekdays{"sun", "mon", "tue", "wed",
                                                    "thu", "fri", "sat"};
constexpr std::array<std::pair<std::string_view, std::string_view>, 7> kShort{
    {{"@hourly", "0 * * * *"},
     {"@daily", "0 0 * * *"},
     {"@midnight", "0 0 * * *"},
     {"@weekly", "0 0 * * 0"},
     {"@monthly", "0 0 1 * *"},
     {"@yearly", "0 0 1 1 *"},
     {"@annually", "0 0 1 1 *"}}};

struct CronField {
    std::string_view name;
    unsigned least, most;
    std::span<const std::string_view> names;  // of `least` and so on
};
constexpr CronField kMinute{"minute", 0, 59, {}}, kHour{"hour", 0, 23, {}}, kDay{"day", 1, 31, {}};
constexpr CronField kMonth{"month", 1, 12, kMonths}, kWeekday{"day of the week", 0, 7, kWeekdays};

Error wrong(const CronField& field, std::string_view text) {
    return Error{"the " + std::string(field.name) + " is " + matchers::quoted(text) +
                 ": expected * or numbers within " + std::to_string(field.least) + " and " +
                 std::to_string(field.most) + ", as in 5, 1-5, */10 or 1,15"};
}

std::optional<unsigned> number(const CronField& field, std::string_view text) {
    for (std::size_t i = 0; i < field.names.size(); ++i) {
        if (lowered(text) == field.names[i]) return field.least + static_cast<unsigned>(i);
    }
    const bool digits =
        !text.empty() && text.size() <= 2 &&
        std::all_of(text.begin(), text.end(), [](char c) { return c >= '0' && c <= '9'; });
    if (!digits) return std::nullopt;
    const auto value = static_cast<unsigned>(std::stoul(std::string(text)));
    if (value < field.least || value > field.most) return std::nullopt;
    return value;
}

// "*", "5", "1-5", "*/10", "1-31/2", "5/15".
template <std::size_t N>
bool add_part(const CronField& field, std::string_view part, std::bitset<N>& out) {
    unsigned step = 1;
    const auto slash = part.find('/');
    if (slash != std::string_view::npos) {
        const CronField any{"", 1, field.most, {}};
        const auto wanted = number(any, part.substr(slash + 1));
        if (!wanted) return false;
        step = *wanted;
    }
    const std::string_view range = part.substr(0, slash);
    unsigned first = field.least, last = field.most;
    if (range != "*" && range != "?") {
        const auto dash = range.find('-');
        const auto from = number(field, range.substr(0, dash));
        const auto to =
            dash == std::string_view::npos ? from : number(field, range.substr(dash + 1));
        if (!from || !to || *from > *to) return false;
        first = *from;
        if (dash != std::string_view::npos || slash == std::string_view::npos) last = *to;
    }
    for (unsigned i = first; i <= last; i += step)
        out.set(i % N);
    return true;
}

template <std::size_t N>
Result<void> read_field(const CronField& field, std::string_view text, std::bitset<N>& out) {
    for (std::string_view rest = text;;) {
        const auto comma = rest.find(',');
        if (!add_part(field, rest.substr(0, comma), out)) return wrong(field, text);
        if (comma == std::string_view::npos) return {};
        rest.remove_prefix(comma + 1);
    }
}

bool begins_with_any(std::string_view field) {
    return field.front() == '*' || field.front() == '?';
}

}  // namespace

Result<CronTime> CronTime::parse(std::string_view text) {
    std::string_view written = trimmed(text);
    for (const auto& [name, meaning] : kShort) {
        if (lowered(written) == name) written = meaning;
    }
    std::vector<std::string_view> fields;
    for (std::string_view rest = written; !rest.empty();)
        fields.push_back(take_word(rest));
    if (fields.size() != 5) {
        return Error{matchers::quoted(text) + " has " + std::to_string(fields.size()) +
                     " fields: expected five (minute, hour, day, month, day of the week), as in "
                     "\"15 3 * * *\", or a name such as @daily"};
    }
    CronTime out;
    for (const auto& done :
         {read_field(kMinute, fields[0], out.minutes_), read_field(kHour, fields[1], out.hours_),
          read_field(kDay, fields[2], out.days_), read_field(kMonth, fields[3], out.months_),
          read_field(kWeekday, fields[4], out.weekdays_)}) {
        if (!done) return done.error();
    }
    out.any_day_ = begins_with_any(fields[2]);
    out.any_weekday_ = begins_with_any(fields[4]);
    return out;
}

bool CronTime::fits(unsigned month, unsigned day, unsigned weekday) const {
    if (!months_[month]) return false;
    if (any_day_ || any_weekday_) return days_[day] && weekdays_[weekday];
    return days_[day] || weekdays_[weekday];
}

Result<std::optional<CronTime::Moment>> CronTime::next(Moment after, std::string_view zone) const {
    constexpr int kFarthestDays = 366 * 9;  // the 29th of February may be eight years away
    const auto found = zone_of(zone);
    if (!found) return found.error();
    const date::time_zone& here = **found;
    const auto first = date::floor<Days>(here.to_local(after));
    for (int d = 0; d < kFarthestDays; ++d) {
        const auto midnight = first + Days(d);
        const date::year_month_day date{midnight};
        if (!fits(unsigned{date.month()}, unsigned{date.day()},
                  date::weekday{midnight}.c_encoding()))
            continue;
        if (hours_.all()) {
            // Every hour of that day, as it passes: 23, 24 or 25 of them.
            const auto begin = here.to_sys(midnight, date::choose::earliest);
            const auto end = here.to_sys(midnight + Days(1), date::choose::earliest);
            Moment at = std::max<Moment>(begin, date::floor<minutes>(after) + minutes(1));
            for (; at < end; at += minutes(1)) {
                const auto of_day = here.to_local(at) - midnight;
                const auto minute = std::chrono::duration_cast<minutes>(of_day).count() % 60;
                if (minute >= 0 && minutes_[static_cast<std::size_t>(minute)])
                    return std::optional<Moment>(at);
            }
            continue;
        }
        for (std::size_t h = 0; h < hours_.size(); ++h) {
            if (!hours_[h]) continue;
            for (std::size_t m = 0; m < minutes_.size(); ++m) {
                if (!minutes_[m]) continue;
                const auto at =
                    here.to_sys(midnight + hours(h) + minutes(m), date::choose::earliest);
                if (at > after) return std::optional<Moment>(date::floor<std::chrono::seconds>(at));
            }
        }
    }
    return std::optional<Moment>{};
}

}  // namespace steer::config
