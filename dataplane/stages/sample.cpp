#include "dataplane/stages/sample.h"

#include <algorithm>
#include <cstring>

namespace steer {

void Sampler::take(const Burst& burst, std::uint32_t one_in) noexcept {
    if (to_main_ == nullptr) return;
    std::uint32_t at = std::min(passing_, one_in - 1);
    for (; at < burst.live_count; at += one_in) {
        const Packet& packet = burst.packets[burst.live[at]];
        sample_.client = packet.source;
        sample_.stands_for = one_in;
        sample_.lost = lost_;
        sample_.length = std::min<std::uint16_t>(packet.dns_length, kSampleBytes);
        std::memcpy(sample_.message.data(), packet.dns, sample_.length);
        lost_ = to_main_->push(sample_) ? 0 : lost_ + 1;
    }
    passing_ = at - burst.live_count;
}

}  // namespace steer
