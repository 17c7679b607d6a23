// One step of a probe: a test on the wire, and its result.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace steer::doctor {

// `unknown`: the test was not possible, or its result proves nothing. No conclusion is drawn from
// it.
enum class StepEnd : std::uint8_t { ok, failed, unknown };

struct Step {
    std::string name;  // "mark-ipv4"
    StepEnd end = StepEnd::unknown;
    std::string text;  // the observation, or why there was no test
};

using Steps = std::vector<Step>;

constexpr std::string_view text_of(StepEnd end) {
    return end == StepEnd::ok ? "ok" : end == StepEnd::failed ? "failed" : "unknown";
}

}  // namespace steer::doctor
