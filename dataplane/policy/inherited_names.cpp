#include "dataplane/policy/inherited_names.h"

namespace steer {

void InheritedNames::learn(std::uint64_t name, std::uint16_t set, std::uint32_t until_s,
                           std::uint32_t now_s) noexcept {
    if (until_s <= now_s) return;
    Bucket& bucket = bucket_of(name);
    Slot* to = nullptr;
    std::uint32_t ends_first_s = UINT32_MAX;
    for (Slot& slot : bucket) {
        const Held held = slot.load();
        if (held.name == name && held.set == set && held.until_s > now_s) {
            if (held.until_s >= until_s) return;  // nothing to write: most hits
            to = &slot;
            break;
        }
        const std::uint32_t ends_s = held.until_s > now_s ? held.until_s : 0;
        if (to == nullptr || ends_s < ends_first_s) {
            to = &slot;
            ends_first_s = ends_s;
        }
    }
    const std::uint64_t word = std::uint64_t{until_s} << 32 | set;
    to->mixed.store(name ^ word, std::memory_order_relaxed);
    to->word.store(word, std::memory_order_relaxed);
}

}  // namespace steer
