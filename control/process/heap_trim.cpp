#include "control/process/heap_trim.h"

#include <algorithm>

namespace steer {

bool HeapTrim::is_due(unsigned connections, std::uint64_t now_ms) {
    most_ = std::max(most_, connections);
    if (most_ < kCrowd || connections > most_ / 4 || now_ms < quiet_until_ms_) return false;
    most_ = connections;
    quiet_until_ms_ = now_ms + kEveryMs;
    return true;
}

}  // namespace steer
