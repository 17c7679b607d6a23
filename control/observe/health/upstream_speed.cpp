#include "control/observe/health/upstream_speed.h"

#include <algorithm>

namespace steer {

void UpstreamSpeed::see(std::uint16_t upstream, const Replies& replies, std::uint64_t now_ms) {
    const auto [at, is_new] = by_id_.try_emplace(upstream);
    Known& known = at->second;
    if (is_new) known = {.begin = replies, .begin_ms = now_ms, .fastest = {}, .fastest_before = {}};
    for (std::size_t bucket = 0; bucket < replies.size(); ++bucket) {
        if (replies[bucket] <= known.begin[bucket]) continue;
        known.fastest = std::min(known.fastest.value_or(bucket), bucket);
        break;
    }
    if (now_ms < known.begin_ms + kWindowMs) return;
    known = {.begin = replies, .begin_ms = now_ms, .fastest = {}, .fastest_before = known.fastest};
}

bool UpstreamSpeed::is_slower_than(std::uint16_t upstream, std::uint32_t ms) const {
    const auto at = by_id_.find(upstream);
    if (at == by_id_.end()) return false;
    const auto& [begin, begin_ms, fastest, before] = at->second;
    if (!fastest && !before) return false;
    constexpr std::size_t kNone = std::tuple_size_v<Replies>;
    const std::size_t bucket = std::min(fastest.value_or(kNone), before.value_or(kNone));
    return bucket == kUpstreamBoundsMs.size() || kUpstreamBoundsMs[bucket] > ms;
}

}  // namespace steer
