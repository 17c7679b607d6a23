// One step of a probe: what was tried on the wire, and what came of it.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace steer::doctor {

// `unknown`: it could not be tried, or what was seen proves nothing. Nothing is concluded from that.
enum class StepEnd : std::uint8_t { ok, failed, unknown };

struct Step {
    std::string name;  // "mark-ipv4"
    StepEnd end = StepEnd::unknown;
    std::string text;  // what was seen, or why it was not tried
};

using Steps = std::vector<Step>;

constexpr std::string_view text_of(StepEnd end) {
    return end == StepEnd::ok ? "ok" : end == StepEnd::failed ? "failed" : "unknown";
}

}  // namespace steer::doctor
