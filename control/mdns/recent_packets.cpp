#include "control/mdns/recent_packets.h"

#include <openssl/evp.h>

#include <utility>

namespace steer::mdns {

bool RecentPackets::is_new(std::span<const std::uint8_t> bytes, int if_index,
                           const IpAddress& source, std::uint64_t now_ms) {
    turn(now_ms);
    Key key{.digest = {}, .v6 = !source.is_v4()};
    EVP_Digest(bytes.data(), bytes.size(), key.digest.data(), nullptr, EVP_sha256(), nullptr);
    const Seen* const seen = find(key, now_ms);
    const bool is_new = seen == nullptr || (seen->if_index == if_index && seen->source == source &&
                                            now_ms - seen->last_ms >= kMinGapMs);
    // The first sender stays the first while copies arrive.
    Seen next = seen != nullptr ? *seen : Seen{.if_index = if_index, .source = source};
    next.last_ms = now_ms;
    now_[key] = next;
    return is_new;
}

const RecentPackets::Seen* RecentPackets::find(const Key& key, std::uint64_t now_ms) const {
    for (const auto* const packets : {&now_, &before_}) {
        const auto it = packets->find(key);
        if (it != packets->end())
            return now_ms - it->second.last_ms < kWindowMs ? &it->second : nullptr;
    }
    return nullptr;
}

void RecentPackets::turn(std::uint64_t now_ms) {
    if (now_ms - turned_ms_ < kWindowMs) return;
    before_ = now_ms - turned_ms_ < 2 * kWindowMs ? std::exchange(now_, {}) : decltype(now_){};
    now_.clear();
    turned_ms_ = now_ms;
}

}  // namespace steer::mdns
