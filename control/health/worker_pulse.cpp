#include "control/health/worker_pulse.h"

namespace steer {

void WorkerPulse::see(unsigned worker, Beat beat, std::uint64_t now_ms) {
    if (worker >= workers_.size()) workers_.resize(worker + 1U, {{}, now_ms});
    Known& known = workers_[worker];
    if (known.beat == beat) return;
    known = {beat, now_ms};
}

std::string WorkerPulse::trouble(std::uint64_t now_ms) const {
    std::string text;
    for (std::size_t i = 0; i < workers_.size(); ++i) {
        const std::uint64_t still_ms = now_ms - workers_[i].moved_ms;
        if (now_ms < workers_[i].moved_ms || still_ms < kPatienceMs) continue;
        text += (text.empty() ? "worker " : ", worker ") + std::to_string(i) +
                " has been stuck for " + std::to_string(still_ms / 1000) + " s";
    }
    return text;
}

}  // namespace steer
