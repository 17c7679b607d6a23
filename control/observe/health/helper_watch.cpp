#include "control/observe/health/helper_watch.h"

#include <algorithm>
#include <utility>

namespace steer {

std::vector<HelperWork::Running> HelperWatch::check(const std::vector<Sight>& now,
                                                    std::uint64_t passed_ms) {
    std::vector<HelperWork::Running> newly_stuck;
    std::map<std::uint64_t, Known> fresh;
    for (const Sight& sight : now) {
        const auto before = known_.find(sight.work.serial);
        Known one{sight.work.name, sight.ran_ns, sight.waited_ms, 0};
        if (before != known_.end() && before->second.ran_ns == sight.ran_ns) {
            const std::uint64_t step_ms = std::min(passed_ms, kMostStepMs);
            const std::uint64_t waited_ms =
                sight.waited_ms - std::min(before->second.waited_ms, sight.waited_ms);
            one.still_ms = before->second.still_ms + step_ms - std::min(waited_ms, step_ms);
            if (before->second.still_ms < kPatienceMs && one.still_ms >= kPatienceMs)
                newly_stuck.push_back(sight.work);
        }
        fresh.emplace(sight.work.serial, std::move(one));
    }
    known_ = std::move(fresh);
    return newly_stuck;
}

void HelperWatch::stack_was_taken(const Sight& sight) {
    const auto at = known_.find(sight.work.serial);
    if (at == known_.end()) return;
    at->second.ran_ns = sight.ran_ns;
    at->second.waited_ms = sight.waited_ms;
}

std::string HelperWatch::Stuck::sentence() const {
    constexpr std::uint64_t kSecond = 1'000;
    return "helper " + name + " has been stuck for " + std::to_string(still_ms / kSecond) + " s";
}

std::vector<HelperWatch::Stuck> HelperWatch::stuck() const {
    std::vector<Stuck> all;
    for (const auto& [serial, one] : known_) {
        if (one.still_ms >= kPatienceMs) all.push_back({one.name, serial, one.still_ms});
    }
    return all;
}

}  // namespace steer
