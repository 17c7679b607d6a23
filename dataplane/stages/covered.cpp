#include "dataplane/stages/covered.h"

namespace steer {

void mark_covered(Burst& burst, const NameRules* rules) noexcept {
    if (rules == nullptr || !rules->has_blocks()) [[likely]]
        return;
    for (unsigned i = 0; i < burst.live_count; ++i) {
        const std::uint8_t place = burst.live[i];
        Packet& p = burst.packets[place];
        if (!rules->may_block(p.query.name())) continue;
        p.packet_cache_hash = 0;  // an equal query has to be judged, too
        burst.covered |= 1U << place;
    }
}

}  // namespace steer
