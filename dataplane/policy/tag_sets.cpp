#include "dataplane/policy/tag_sets.h"

namespace steer {
namespace {

// Not keyed: the bits come from the configuration, not from clients.
std::uint32_t mix(const matchers::TagBits& bits) {
    std::uint64_t h = 0x9e3779b97f4a7c15;
    for (const std::uint64_t w : bits.words)
        h = (h ^ w ^ (h >> 29)) * 0xbf58476d1ce4e5b9;
    return static_cast<std::uint32_t>(h >> 32);
}

}  // namespace

TagSets::TagSets() : slots_(std::make_unique<Slot[]>(kCapacity)) {}

std::uint32_t TagSets::intern(const matchers::TagBits& bits) noexcept {
    std::uint32_t place = mix(bits);
    for (unsigned probe = 0; probe < kProbes; ++probe, ++place) {
        const std::uint32_t index = place % kCapacity;
        Slot& slot = slots_[index];
        std::uint32_t state = slot.state.load(std::memory_order_acquire);
        if (state == empty &&
            slot.state.compare_exchange_strong(state, busy, std::memory_order_acquire)) {
            slot.bits = bits;
            slot.state.store(ready, std::memory_order_release);
            return index + 1;
        }
        if (state == busy) return 0;  // perhaps the same bits: do not use a second slot
        if (state == ready && slot.bits == bits) return index + 1;
    }
    return 0;
}

const matchers::TagBits* TagSets::find(std::uint32_t id) const noexcept {
    if (id == 0 || id > kCapacity) return nullptr;
    const Slot& slot = slots_[id - 1];
    return slot.state.load(std::memory_order_acquire) == ready ? &slot.bits : nullptr;
}

}  // namespace steer
