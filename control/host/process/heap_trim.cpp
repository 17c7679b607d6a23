#include "control/host/process/heap_trim.h"

#include <algorithm>

namespace steer {

bool HeapTrim::is_due(std::size_t bytes, std::uint64_t now_ms) {
    most_ = std::max(most_, bytes);
    if (now_ms < quiet_until_ms_) return false;
    const bool is_crowd_gone = most_ >= kCrowd && bytes <= most_ / 4;
    if (!is_crowd_gone && !is_repeated_) return false;
    is_repeated_ = is_crowd_gone;
    most_ = bytes;
    quiet_until_ms_ = now_ms + kEveryMs;
    return true;
}

}  // namespace steer
