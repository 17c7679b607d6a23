#include "tools/import/adguardhome_services.h"

#include <algorithm>

#include "tools/import/adguardhome_words.h"
#include "tools/import/blocked_services.h"
#include "tools/import/words.h"

namespace steer::importing {
namespace {

std::string clock_text(std::uint64_t ms) {
    const std::uint64_t minutes = ms / 60'000 % 1440;
    const auto two = [](std::uint64_t n) { return (n < 10 ? "0" : "") + std::to_string(n); };
    return two(minutes / 60) + ":" + two(minutes % 60);
}

// The times at which services are not blocked. Days with the same time share a period.
Times times_of(const Tree& schedule, const std::string& name, std::vector<Note>& notes) {
    constexpr std::array<std::string_view, 7> kDays{"mon", "tue", "wed", "thu",
                                                    "fri", "sat", "sun"};
    Times out;
    const std::string zone(schedule.get("time_zone"));
    if (zone != "Local") out.timezone = zone;
    std::vector<std::pair<std::pair<std::uint64_t, std::uint64_t>, std::vector<std::string>>> rows;
    for (const std::string_view day : kDays) {
        const Tree& range = below(schedule, day);
        if (range.is_empty()) continue;
        const auto start =
            parse_time(below(range, "start").text.empty() ? "0s" : range.get("start"), kGoUnits);
        const auto end = parse_time(range.get("end"), kGoUnits);
        if (!start || !end || *start >= *end || *end > kOneDayMs) {
            if (start && end && *start == 0 && *end == 0) continue;
            notes.push_back(
                {line_place(range.line),
                 "the schedule of " + std::string(day) + " of " + name +
                     " is not imported: expected 'start' before 'end', as in 18h and 20h30m"});
            continue;
        }
        const auto at = std::ranges::find_if(
            rows, [&](const auto& row) { return row.first == std::pair(*start, *end); });
        auto& days =
            at == rows.end()
                ? rows.emplace_back(std::pair(*start, *end), std::vector<std::string>()).second
                : at->second;
        days.emplace_back(day);
    }
    for (const auto& [range, days] : rows) {
        Flow row;
        if (range != std::pair<std::uint64_t, std::uint64_t>(0, kOneDayMs))
            row.add("start", clock_text(range.first)).add("end", clock_text(range.second));
        row.add_yaml("weekdays", "[" + join(days, ", ") + "]");
        out.periods.push_back(row.text());
    }
    return out;
}

}  // namespace

std::vector<ServiceBlock> read_services(const Tree& value, const std::string& name,
                                        std::vector<Note>& notes) {
    ServiceBlock block;
    const Tree& ids = value.is_list() ? value : below(value, "ids");
    for (const auto& [id, line] : tree_texts(ids)) {
        const std::string list(service_list(id));
        if (list.empty()) {
            notes.push_back({line_place(line), "the service " + in_quotes(id) + " of " + name +
                                                   " is not imported: no list of its names is "
                                                   "known; write a 'domain_set' and a rule"});
        } else if (std::ranges::find(block.codes, list) == block.codes.end()) {
            block.codes.push_back(list);
        }
    }
    if (block.codes.empty()) return {};
    block.free = times_of(below(value, "schedule"), name, notes);
    return {block};
}

}  // namespace steer::importing
