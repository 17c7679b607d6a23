// What a check of this machine found, and what mends it: `steerctl setup`.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace steer::machine {

// problem: SteerDNS does not start, or does not do what the configuration says. advice: it works, and would work better.
enum class Level : std::uint8_t { ok, advice, problem };
constexpr std::string_view text_of(Level level) {
    return level == Level::ok ? "ok" : level == Level::advice ? "advice" : "problem";
}

// A shell command, and the one that takes it back (empty: there is nothing to take back).
struct Step {
    std::string command, undo;
    bool operator==(const Step&) const = default;
};

struct Finding {
    Level level = Level::ok;
    std::string text;           // what was found, and what is wanted
    std::string why;            // of advice and problems: what it is good for
    std::vector<Step> steps;    // none: `text` says what to do by hand
    bool needs_reboot = false;  // the steps take effect at the next boot
    std::string_view check;     // the row of the table that found it
};
using Findings = std::vector<Finding>;

}  // namespace steer::machine
