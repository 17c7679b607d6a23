#include "control/sinks/kernel_sets/shown_sets.h"

#include <algorithm>
#include <utility>

namespace steer::kernel_sets {
namespace {

std::vector<sets::SetStatus> away_states(const std::vector<sets::SetPlan>& plans,
                                         const std::string& error) {
    std::vector<sets::SetStatus> all;
    for (const sets::SetPlan& plan : plans) {
        for (const auto& family : plan.families) {
            if (std::ranges::find(all, family.set, &sets::SetStatus::set) != all.end()) continue;
            sets::SetStatus& one = all.emplace_back();
            one.set = family.set;
            one.error = error;
        }
    }
    return all;
}

}  // namespace

void ShownSets::here(std::vector<sets::SetStatus> states) {
    add_counters_before(states);
    const std::lock_guard lock(mutex_);
    report_.sets = std::move(states);
    report_.running = true;
}

void ShownSets::planned(const std::vector<sets::SetPlan>& plans, const std::string& error) {
    auto states = away_states(plans, error);
    // The counts of a removed set end; a set that returns counts from 0.
    for (const sets::SetStatus& set : report_.sets) {
        if (std::ranges::find(states, set.set, &sets::SetStatus::set) == states.end())
            before_[set.set] = set.counters;
    }
    add_counters_before(states);
    const std::lock_guard lock(mutex_);
    for (sets::SetStatus& one : states) {
        const auto known = std::ranges::find(report_.sets, one.set, &sets::SetStatus::set);
        if (known != report_.sets.end()) one = *known;
    }
    report_.sets = std::move(states);
    report_.was_planned |= !plans.empty();
    report_.running &= !plans.empty();
}

void ShownSets::ended(const std::vector<sets::SetPlan>& plans, const std::string& error) {
    for (const sets::SetStatus& set : report_.sets)
        before_[set.set] = set.counters;
    auto states = away_states(plans, error);
    add_counters_before(states);
    const std::lock_guard lock(mutex_);
    report_.sets = std::move(states);
    report_.running = false;
    ++report_.restarts;
}

void ShownSets::add_counters_before(std::vector<sets::SetStatus>& states) const {
    for (sets::SetStatus& one : states) {
        const auto before = before_.find(one.set);
        if (before != before_.end()) one.counters += before->second;
    }
}

SetReport ShownSets::report() const {
    const std::lock_guard lock(mutex_);
    return report_;
}

}  // namespace steer::kernel_sets
