#include "tools/rossim/report.h"

#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <cstdio>

#include "tools/rossim/router.h"
#include "tools/rossim/value_text.h"

namespace rossim {
namespace {

constexpr std::size_t kMaxCommandNames = 200;  // a client that sends anything fills no memory
constexpr std::string_view kOtherCommands = "...";

struct Count {
    std::string_view name;
    std::uint64_t Report::*member;
    std::string_view text;
};

constexpr Count kCounts[] = {
    {"sentences", &Report::sentences, "sentences"},
    {"prints", &Report::prints, "of them prints"},
    {"adds", &Report::adds, "rows added"},
    {"sets", &Report::sets, "rows set"},
    {"removes", &Report::removes, "rows removed"},
    {"rows_scanned", &Report::rows_scanned, "rows scanned"},
    {"rows_emitted", &Report::rows_emitted, "rows printed"},
    {"rows_told", &Report::rows_notified, "rows told to listeners"},
    {"traps", &Report::traps, "traps"},
    {"faults", &Report::faults, "sentences struck by a fault"},
    {"logins", &Report::logins, "logins"},
    {"bytes_in", &Report::bytes_in, "bytes received"},
    {"bytes_out", &Report::bytes_out, "bytes sent"},
    {"sessions", &Report::sessions, "sessions opened"},
    {"sessions_now", &Report::sessions_now, "sessions now"},
    {"sessions_peak", &Report::sessions_peak, "sessions at most"},
};

std::string line(std::string_view name, std::uint64_t value) {
    char text[120];
    std::snprintf(text, sizeof text, "  %-36.*s %14llu\n", static_cast<int>(name.size()),
                  name.data(), static_cast<unsigned long long>(value));
    return text;
}

std::string cpu_line(std::string_view name, std::int64_t cpu_us, std::int64_t of_us) {
    char text[120];
    const double share =
        of_us == 0 ? 0 : 100 * static_cast<double>(cpu_us) / static_cast<double>(of_us);
    std::snprintf(text, sizeof text, "  CPU %-32.*s %11.3f ms %6.1f %%\n",
                  static_cast<int>(name.size()), name.data(), static_cast<double>(cpu_us) / 1000,
                  share);
    return text;
}

}  // namespace

std::string_view cpu_class_name(CpuClass cpu_class) {
    constexpr std::string_view kNames[] = {
#define X(name, text, meaning) text,
        ROSSIM_CPU_CLASSES(X)
#undef X
    };
    return kNames[static_cast<std::size_t>(cpu_class)];
}

void Report::count_command(std::string name) {
    const auto it = commands.find(name);
    if (it != commands.end()) {
        ++it->second;
    } else if (commands.size() < kMaxCommandNames) {
        commands.emplace(std::move(name), 1);
    } else {
        ++commands[std::string(kOtherCommands)];
    }
}

std::string report_text(const Router& router, std::int64_t now_us) {
    const Report& report = router.report();
    const std::int64_t period_us = now_us - report.since_us;
    std::string text = router.name() + (router.is_down() ? ", down" : "") + ", up " +
                       duration_text(router.uptime_s(now_us)) + ", " +
                       std::to_string(router.row_count(Family::ipv4)) + " IPv4 and " +
                       std::to_string(router.row_count(Family::ipv6)) + " IPv6 rows; counted for " +
                       duration_text(period_us / 1'000'000) + ":\n";
    for (const Count& count : kCounts)
        text += line(count.text, report.*count.member);
    for (const auto& [name, times] : report.commands)
        text += line(name, times);
    for (const CpuClass cpu_class : kCpuClasses) {
        text += cpu_line(cpu_class_name(cpu_class), report.cpu_us_of(cpu_class), period_us);
    }
    return text + cpu_line("in all", report.cpu_us, period_us);
}

std::string report_json(const Router& router, std::int64_t now_us) {
    const Report& report = router.report();
    boost::json::object root{{"router", router.name()},
                             {"down", router.is_down() ? 1 : 0},
                             {"uptime_s", router.uptime_s(now_us)},
                             {"period_us", now_us - report.since_us},
                             {"flash_sectors", router.flash_sectors()},
                             {"rows4", router.row_count(Family::ipv4)},
                             {"rows6", router.row_count(Family::ipv6)}};
    for (const Count& count : kCounts)
        root[count.name] = report.*count.member;
    boost::json::object commands;
    for (const auto& [name, times] : report.commands)
        commands[name] = times;
    root["commands"] = std::move(commands);
    root["cpu_us"] = report.cpu_us;
    boost::json::object cpu;
    for (const CpuClass cpu_class : kCpuClasses)
        cpu[cpu_class_name(cpu_class)] = report.cpu_us_of(cpu_class);
    root["cpu_us_by_class"] = std::move(cpu);
    return boost::json::serialize(root) + "\n";
}

}  // namespace rossim
