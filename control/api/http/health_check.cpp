#include "control/api/http/health_check.h"

namespace steer::ops {

std::string health_line(const HealthChecks& checks) {
    std::string line;
    for (const auto& check : checks) {
        if (check.is_good()) continue;
        line.append(line.empty() ? "" : "; ").append(check.name).append(": ").append(check.error);
    }
    return line;
}

std::string health_text(const HealthChecks& checks, bool verbose) {
    if (!verbose && all_good(checks)) return "ok\n";
    std::string text;
    for (const auto& check : checks) {
        if (!verbose && check.is_good()) continue;
        text.append(check.name).append(check.is_good() ? " ok" : " failed: " + check.error);
        if (verbose && !check.details.empty()) text.append(": ").append(check.details);
        text += '\n';
    }
    return text;
}

}  // namespace steer::ops
