#include "control/host/process/heap_trim.h"

#include <algorithm>

namespace steer {

bool HeapTrim::is_due(unsigned connections, std::uint64_t now_ms) {
    most_ = std::max(most_, connections);
    if (now_ms < quiet_until_ms_) return false;
    const bool is_crowd_gone = most_ >= kCrowd && connections <= most_ / 4;
    if (!is_crowd_gone && !is_repeated_) return false;
    is_repeated_ = is_crowd_gone;
    most_ = connections;
    quiet_until_ms_ = now_ms + kEveryMs;
    return true;
}

}  // namespace steer
