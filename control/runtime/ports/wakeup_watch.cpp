#include "control/runtime/ports/wakeup_watch.h"

namespace steer {

void WakeupWatch::check(std::uint64_t now_ms, std::size_t queue, std::uint64_t count) {
    if (queue >= queues_.size()) queues_.resize(queue + 1);
    Queue& one = queues_[queue];
    if (!one.is_known) {
        one = {.is_known = true, .since_ms = now_ms, .count = count};
        return;
    }
    const std::uint64_t passed_ms = now_ms - one.since_ms;
    if (passed_ms < kIntervalMs) return;
    one.per_second = (count - one.count) * 1000 / passed_ms;
    one.restless_ms = one.per_second > kMostPerSecond ? one.restless_ms + passed_ms : 0;
    one.since_ms = now_ms;
    one.count = count;
}

std::uint64_t WakeupWatch::restless_per_second(std::size_t queue) const {
    const bool is_restless = queue < queues_.size() && queues_[queue].restless_ms >= kLongMs;
    return is_restless ? queues_[queue].per_second : 0;
}

}  // namespace steer
