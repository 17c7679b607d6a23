// time: holds within periods of the day, the week and the month.
#include <algorithm>
#include <optional>

#include "control/config/plugin_type.h"
#include "control/config/reference.h"
#include "control/config/sections/sections.h"
#include "control/config/text/time_periods.h"
#include "control/config/text/time_zone.h"
#include "control/config/values.h"
#include "matchers/quote.h"

namespace steer::config {
namespace {

constexpr unsigned kDaysOfMonth = 31;
constexpr std::string_view kClockForm = "expected HH:MM within 00:00 and 23:59, as in 09:00";

struct PeriodArgs {
    std::optional<std::uint16_t> start, end;  // minutes of the day
    std::uint8_t weekdays = 0;
    std::uint32_t monthdays = 0;
};

// Two digits.
std::optional<unsigned> clock_part(std::string_view text, unsigned least_too_many) {
    const auto is_digit = [](char c) { return c >= '0' && c <= '9'; };
    if (text.size() != 2 || !std::ranges::all_of(text, is_digit)) return std::nullopt;
    const unsigned value =
        static_cast<unsigned>(text[0] - '0') * 10 + static_cast<unsigned>(text[1] - '0');
    return value < least_too_many ? std::optional(value) : std::nullopt;
}

// "09:30", in minutes.
std::optional<std::uint16_t> parse_clock(std::string_view text) {
    const std::size_t colon = text.find(':');
    if (colon == std::string_view::npos) return std::nullopt;
    const auto hour = clock_part(text.substr(0, colon), 24);
    const auto minute = clock_part(text.substr(colon + 1), 60);
    if (!hour || !minute) return std::nullopt;
    return static_cast<std::uint16_t>(*hour * 60 + *minute);
}

template <std::optional<std::uint16_t> PeriodArgs::*Member>
void read_clock(Reading& in, const Node& node, const Place& place, PeriodArgs& out) {
    const auto minutes = node.is_text() ? parse_clock(trimmed(node.text)) : std::nullopt;
    if (minutes) {
        out.*Member = *minutes;
    } else {
        in.report().error(place.line, place.name() + found(node) + std::string(kClockForm));
    }
}

// Every item as a bit; `parse` returns its number.
template <class Bits, class Parse>
void read_day_bits(Reading& in, const Node& node, const Place& place, std::string_view expected,
                   Parse parse, Bits& out) {
    const std::string name = place.name();
    if (node.is_list() && node.items.empty())
        in.report().error(place.line, name +
                                          ": expected at least one day; without it, every day "
                                          "counts");
    for (const Text& text : read_texts(in, node, place)) {
        if (const std::optional<unsigned> day = parse(text.value)) {
            out = static_cast<Bits>(out | 1U << *day);
        } else {
            in.report().error(text.line, name + " has " + matchers::quoted(text.value) +
                                             ": expected " + std::string(expected));
        }
    }
}

void read_weekdays(Reading& in, const Node& node, const Place& place, PeriodArgs& out) {
    const auto parse = [](const std::string& text) -> std::optional<unsigned> {
        const auto* const name = std::ranges::find(kDaysOfWeek, lowered(text));
        if (name != std::end(kDaysOfWeek))
            return static_cast<unsigned>(name - std::begin(kDaysOfWeek));
        const auto number = parse_integer(text);
        if (!number || *number < 1 || *number > std::size(kDaysOfWeek)) return std::nullopt;
        return static_cast<unsigned>(*number - 1);
    };
    read_day_bits(in, node, place, "mon, tue, wed, thu, fri, sat, sun, or 1 (Monday) to 7", parse,
                  out.weekdays);
}

void read_monthdays(Reading& in, const Node& node, const Place& place, PeriodArgs& out) {
    const auto parse = [](const std::string& text) -> std::optional<unsigned> {
        const auto number = parse_integer(text);
        if (!number || *number < 1 || *number > kDaysOfMonth) return std::nullopt;
        return static_cast<unsigned>(*number);
    };
    read_day_bits(in, node, place, "days of the month, 1..31", parse, out.monthdays);
}

constexpr std::array<Row<PeriodArgs>, 4> kPeriodRows{{
    {"start", Own<PeriodArgs>{"HH:MM", read_clock<&PeriodArgs::start>}, "none", "00:00..23:59",
     "time at which the period starts; needs `end`\nWithout both, the whole day counts."},
    {"end", Own<PeriodArgs>{"HH:MM", read_clock<&PeriodArgs::end>}, "none", "00:00..23:59",
     "time at which it has ended\nAn `end` before `start` is on the next day."},
    {"weekdays", Own<PeriodArgs>{"list of days", read_weekdays}, "none", "mon..sun, 1..7",
     "days of the week; 1 is Monday\nDays are those on which the period starts: with `fri` and "
     "22:00 to 02:00, it ends on Saturday."},
    {"monthdays", Own<PeriodArgs>{"list of numbers", read_monthdays}, "none", "1..31",
     "days of the month; `weekdays` must fit as well"},
}};

// Nothing, with an error: it is none.
std::optional<TimePeriod> finish_period(Reading& in, const PeriodArgs& args,
                                        const std::string& owner, int line) {
    const auto refuse = [&](const std::string& text) {
        in.report().error(line, owner + text);
        return std::nullopt;
    };
    if (args.start.has_value() != args.end.has_value())
        return refuse(std::string(" has no '") + (args.start ? "end" : "start") +
                      "': write both, or neither for the whole day");
    if (!args.start && args.weekdays == 0 && args.monthdays == 0)
        return refuse(" is empty: write 'start' and 'end', 'weekdays', or 'monthdays'");
    if (args.start && args.start == args.end)
        return refuse(" starts and ends at " + clock_text(*args.start) +
                      ": write different times, or neither for the whole day");
    return TimePeriod{.start_min = args.start.value_or(0),
                      .end_min = args.end.value_or(0),
                      .weekdays = args.weekdays,
                      .monthdays = args.monthdays};
}

void read_periods(Reading& in, const Node& node, const Place& place, TimeMatch& out) {
    if (!node.is_list() || node.items.empty()) {
        in.report().error(place.line,
                          place.name() + ": expected a list with at least one period, found " +
                              (node.is_list() ? "an empty list" : std::string(node.what())));
        return;
    }
    if (node.items.size() > kMaxPeriods) {
        in.report().error(place.line, place.name() + " has " + std::to_string(node.items.size()) +
                                          " periods: expected at most " +
                                          std::to_string(kMaxPeriods) +
                                          "; use several matchers of type time in an any_match");
        return;
    }
    std::size_t number = 0;
    for (const Node& item : node.items) {
        const std::string owner =
            "period " + std::to_string(++number) + " of " + std::string(place.owner);
        PeriodArgs args;
        const std::size_t errors = in.report().error_count();
        if (!read_rows(in, item, kPeriodRows, owner, args)) continue;
        if (in.report().error_count() != errors) continue;
        if (const auto period = finish_period(in, args, owner, item.line))
            out.periods.push_back(*period);
    }
}

void read_zone_of_periods(Reading& in, const Node& node, const Place& place, TimeMatch& out) {
    if (!read_value(in, node, place, {}, out.timezone)) return;
    if (const auto zone = check_time_zone(out.timezone); !zone)
        in.report().error(place.line, place.name() + ": " + zone.error().text +
                                          "; expected one such as Europe/Berlin or UTC");
}

constexpr std::array<Row<TimeMatch>, 2> kTimeRows{{
    {"timezone", Own<TimeMatch>{"text", read_zone_of_periods}, "(the system's)", "",
     "time zone of the periods, as in `Asia/Shanghai`"},
    {"periods", Own<TimeMatch>{"list of periods", read_periods}, "required", "1..64",
     "times at which it matches\nExample: `- { start: \"22:00\", end: \"06:00\", weekdays: [fri, "
     "sat] }`."},
}};

void read_time(Reading& in, const Node* node, Plugin& plugin) {
    TimeMatch args;
    Node empty;
    read_rows(in, args_or_empty(node, plugin, empty), kTimeRows, owner_of(plugin), args);
    plugin.args = std::move(args);
}

// time HH:MM-HH:MM
void read_time_quick(Reading& in, std::string_view words, int line, Plugin& plugin) {
    const std::string owner = owner_of(plugin);
    TimeMatch args;
    const std::string_view window = trimmed(words);
    const std::size_t dash = window.find('-');
    const auto start = parse_clock(trimmed(window.substr(0, dash)));
    const auto end = dash == std::string_view::npos ? std::nullopt
                                                    : parse_clock(trimmed(window.substr(dash + 1)));
    if (!start || !end) {
        in.report().error(line, owner +
                                    (window.empty() ? std::string(" has no arguments")
                                                    : " has " + matchers::quoted(window)) +
                                    ": expected one window within 00:00 and 23:59, as in 'time "
                                    "09:00-18:00'; define others under 'plugins' with a tag");
    } else if (const auto period = finish_period(in, {start, end}, owner, line)) {
        args.periods.push_back(*period);
    }
    plugin.args = std::move(args);
}

}  // namespace

const PluginType kTimeType{
    "time",
    Role::matcher,
    "Matches if the present time is within one of its periods, as the clock of its time zone shows "
    "it. A change of the system's clock counts at once. A time that the clock leaves out in spring "
    "never comes; one that it repeats in autumn counts both times.\n\nA `cache` keeps answers: one "
    "from within a period stays after the end, until its TTL ends. Put the rule before the cache, "
    "or give each time a cache of its own.",
    "time HH:MM-HH:MM",
    "",
    [] { return row_texts(kTimeRows); },
    read_time,
    read_time_quick,
    {.reference = [](std::ostream& out) { write_part(out, "periods[]", row_texts(kPeriodRows)); }}};

}  // namespace steer::config
