// Health checks of a running appliance, as lines for people and for load balancers.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace steer::ops {

struct HealthCheck {
    std::string_view name;     // "ports"; static
    std::string error = {};    // why it failed, as text; empty: passed
    std::string details = {};  // shown by `verbose`, passed or not
    [[nodiscard]] bool is_good() const { return error.empty(); }
};
using HealthChecks = std::vector<HealthCheck>;

inline bool all_good(const HealthChecks& checks) {
    for (const auto& check : checks) {
        if (!check.is_good()) return false;
    }
    return true;
}

// The failed checks in one line, "upstreams: …; drain: …"; empty: all pass.
std::string health_line(const HealthChecks& checks);

// "ok\n" if all pass, else a line "upstreams failed: …" per failed check; `verbose`: a line per check.
std::string health_text(const HealthChecks& checks, bool verbose);

}  // namespace steer::ops
