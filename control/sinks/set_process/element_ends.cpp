#include "control/sinks/set_process/element_ends.h"

#include <algorithm>

namespace steer::sets {
namespace {

std::uint32_t sum_of(std::uint32_t a, std::uint32_t b) {
    return a > UINT32_MAX - b ? UINT32_MAX : a + b;
}

}  // namespace

void ElementEnds::configure(const SetEnds& ends, std::size_t most) {
    ends_ = ends;
    most_ = most;
}

ElementEnds::End ElementEnds::end_of(const matchers::Prefix& element,
                                     std::uint32_t lease_end_s) const {
    const std::uint32_t usual_s = sum_of(lease_end_s, ends_.linger_s);
    const auto before = removed_.find(element);
    if (before == removed_.end()) return {usual_s, false};
    const std::uint32_t damped_s = sum_of(before->second, ends_.apart_s);
    return {std::max(usual_s, damped_s), damped_s > usual_s};
}

void ElementEnds::removed(const matchers::Prefix& element, std::uint32_t now_s) {
    if (ends_.apart_s == 0 || most_ == 0) return;
    removed_[element] = now_s;
    removals_.emplace_back(now_s, element);
    forget(now_s);
}

void ElementEnds::forget(std::uint32_t now_s) {
    while (!removals_.empty() &&
           (sum_of(removals_.front().first, ends_.apart_s) <= now_s || removals_.size() > most_)) {
        const auto at = removed_.find(removals_.front().second);
        // It may have been removed again.
        if (at != removed_.end() && at->second == removals_.front().first) removed_.erase(at);
        removals_.pop_front();
    }
}

}  // namespace steer::sets
