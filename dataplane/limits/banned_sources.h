// The banned prefixes, for threads that report a banned source with a proven address.
//
// Control writes, any thread reads. Each place is one word, so a change needs no lock and no grace
// period. A reader may miss a prefix during a change; the source's next query finds it. Two
// prefixes with equal hashes are one.
//
// Cost: without a ban one load, else one CPU cache line.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include "matchers/prefix/prefix_set.h"

namespace steer {

class BannedSources {
  public:
    BannedSources();

    [[nodiscard]] bool empty() const noexcept {
        return count_.load(std::memory_order_relaxed) == 0;
    }
    // `prefix`: with the length that the ban has.
    [[nodiscard]] bool contains(const matchers::Prefix& prefix) const noexcept;

    // Control: replaces all. Prefixes that find no place are left out.
    void set(std::span<const matchers::Prefix> prefixes) noexcept;

  private:
    static constexpr std::size_t kSets = 1024, kInSet = 8;
    struct alignas(64) Set {
        std::array<std::atomic<std::uint64_t>, kInSet> hashes{};  // 0: free
    };
    [[nodiscard]] std::uint64_t hash_of(const matchers::Prefix& prefix) const noexcept;

    std::uint64_t secret_;  // of the hashes, because clients choose addresses
    std::unique_ptr<Set[]> places_;
    std::atomic<std::uint32_t> count_{0};
};

}  // namespace steer
