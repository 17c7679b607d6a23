// The requests to a router and their cost: the figures that measure a client's efficiency.
//
// They are counted from construction or the last reset_report(); a reboot does not reset them. CPU
// time is counted at the end of a slice, at most 5 ms late.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <string_view>

namespace rossim {

class Router;

//  name     text      whose CPU time it is
#define ROSSIM_CPU_CLASSES(X)                                                 \
    X(read, "read", "print and getall of any menu")                           \
    X(add, "add", "add of any menu")                                          \
    X(set, "set", "set, enable, disable and comment of any menu")             \
    X(remove, "remove", "remove of any menu")                                 \
    X(listen, "listen", "listen, and what it tells if Options::listen_costs") \
    X(script, "script", "scripts and imports, with all that they do")         \
    X(other, "other", "login, cancel, quit, and sentences that were refused")

enum class CpuClass : std::uint8_t {
#define X(name, text, meaning) name,
    ROSSIM_CPU_CLASSES(X)
#undef X
};

inline constexpr std::array kCpuClasses = {
#define X(name, text, meaning) CpuClass::name,
    ROSSIM_CPU_CLASSES(X)
#undef X
};

std::string_view cpu_class_name(CpuClass cpu_class);

using CpuTimes = std::array<std::int64_t, kCpuClasses.size()>;  // microseconds

struct Report {
    std::int64_t since_us = 0;  // the router's clock when counting began
    std::uint64_t sentences = 0;
    // Command names with their counts; beyond 200 names, all others count as "...".
    std::map<std::string, std::uint64_t, std::less<>> commands;
    std::uint64_t prints = 0;
    std::uint64_t adds = 0;  // rows
    std::uint64_t sets = 0;
    std::uint64_t removes = 0;
    std::uint64_t traps = 0;
    std::uint64_t faults = 0;  // sentences struck by an injected fault
    std::uint64_t logins = 0;
    std::uint64_t rows_scanned = 0;
    std::uint64_t rows_emitted = 0;
    std::uint64_t rows_notified = 0;  // reported to listeners
    std::uint64_t bytes_in = 0;
    std::uint64_t bytes_out = 0;
    std::uint64_t sessions = 0;  // opened
    std::uint64_t sessions_now = 0;
    std::uint64_t sessions_peak = 0;
    std::int64_t cpu_us = 0;     // all classes
    CpuTimes cpu_us_by_class{};  // by CpuClass; see cpu_us_of()

    std::int64_t cpu_us_of(CpuClass cpu_class) const {
        return cpu_us_by_class[static_cast<std::size_t>(cpu_class)];
    }
    void count_command(std::string name);
};

// Returns the router's report and present state, as text for people and as one line of JSON.
std::string report_text(const Router& router, std::int64_t now_us);
std::string report_json(const Router& router, std::int64_t now_us);

}  // namespace rossim
