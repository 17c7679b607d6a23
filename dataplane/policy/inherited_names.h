// Names that answers pointed clients to, and the domain sets that these names inherit (`inherit:
// true`).
//
// One table for all workers, bounded; reloads keep it. Buckets have four slots. A new name takes a
// free or expired slot of its bucket, else the one that expires first. A slot is two relaxed words,
// and the first is XORed with the second. A reader that sees halves of two writes finds another
// name, or none (R. Hyatt's lockless hashing). A set is a number that survives reloads. Memory: 1
// MiB. No heap and no waiting after construction.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>

namespace steer {

class InheritedNames {
  public:
    static constexpr std::size_t kNames = 65536;  // a power of two
    static constexpr std::size_t kMaxSets = 64;

    InheritedNames() : buckets_(std::make_unique<Bucket[]>(kBuckets)) {}

    // Puts the name with this hash into the set until `until_s` (CLOCK_BOOTTIME).
    void learn(std::uint64_t name, std::uint16_t set, std::uint32_t until_s,
               std::uint32_t now_s) noexcept;
    // Calls visit(set) for each set that the name is in now.
    template <class Visit>
    void for_each(std::uint64_t name, std::uint32_t now_s, Visit&& visit) const noexcept {
        for (const Slot& slot : bucket_of(name)) {
            const Held held = slot.load();
            if (held.name == name && held.until_s > now_s) visit(held.set);
        }
    }

  private:
    static constexpr std::size_t kWays = 4, kBuckets = kNames / kWays;
    struct Held {
        std::uint64_t name;
        std::uint32_t until_s;
        std::uint16_t set;
    };
    struct Slot {
        std::atomic<std::uint64_t> mixed{0}, word{0};  // name ^ word; until_s << 32 | set

        [[nodiscard]] Held load() const noexcept {
            const std::uint64_t w = word.load(std::memory_order_relaxed);
            return {mixed.load(std::memory_order_relaxed) ^ w, static_cast<std::uint32_t>(w >> 32),
                    static_cast<std::uint16_t>(w)};
        }
    };
    struct alignas(64) Bucket : std::array<Slot, kWays> {};
    static_assert(sizeof(Bucket) == 64);

    [[nodiscard]] Bucket& bucket_of(std::uint64_t name) const noexcept {
        return buckets_[(name >> 32) % kBuckets];
    }

    std::unique_ptr<Bucket[]> buckets_;
};

}  // namespace steer
