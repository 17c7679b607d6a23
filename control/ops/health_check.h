// What is asked of a running appliance, as lines for people and for load balancers.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace steer::ops {

struct HealthCheck {
    std::string_view name;     // "ports"; static
    std::string trouble = {};  // why it failed, in words; empty: it did not
    [[nodiscard]] bool is_good() const { return trouble.empty(); }
};
using HealthChecks = std::vector<HealthCheck>;

inline bool all_good(const HealthChecks& checks) {
    for (const auto& check : checks) {
        if (!check.is_good()) return false;
    }
    return true;
}

// "ok\n" where all are good, else a line "upstreams failed: …" for each that is not; `verbose`: a line for each check.
std::string health_text(const HealthChecks& checks, bool verbose);

}  // namespace steer::ops
