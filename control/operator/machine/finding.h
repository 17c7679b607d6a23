// A finding about this machine, and the commands that fix it: `steerctl setup`.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace steer::machine {

// problem: SteerDNS does not start, or does not do what the configuration says. advice: it works,
// but could work better.
enum class Level : std::uint8_t { ok, advice, problem };
constexpr std::string_view text_of(Level level) {
    return level == Level::ok ? "ok" : level == Level::advice ? "advice" : "problem";
}

// A shell command and its undo (empty: there is nothing to undo).
struct Step {
    std::string command, undo;
    bool operator==(const Step&) const = default;
};

struct Finding {
    Level level = Level::ok;
    std::string text;           // the present and the required state
    std::string why;            // for advice and problems: the benefit
    std::vector<Step> steps;    // empty: `text` says what to do manually
    bool needs_reboot = false;  // the steps take effect at the next boot
    std::string_view check;     // the row of the table
};
using Findings = std::vector<Finding>;

}  // namespace steer::machine
