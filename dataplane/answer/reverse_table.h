// The last name for which a client got an address. Bounded; one table for all workers; reloads keep
// it.
//
// Buckets have four slots. A new address takes a free or expired slot, else the slot that expires
// first. Each slot has a version word, which is odd during a write. A second writer then gives up.
// A reader that sees a changed version finds nothing. Stores release and loads acquire, so no fence
// is needed. Uses no heap and never waits after construction. Memory: 288 bytes per address.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <span>

#include "matchers/prefix/ip_address.h"

namespace steer {

class ReverseTable {
  public:
    using Name = std::array<std::uint8_t, 256>;

    explicit ReverseTable(std::size_t size);

    [[nodiscard]] std::size_t size() const { return buckets_ * kWays; }

    // `qname`: lower-cased wire form. Times are seconds of CLOCK_BOOTTIME.
    void learn(const IpAddress& address, std::span<const std::uint8_t> qname, std::uint32_t until_s,
               std::uint32_t now_s) noexcept;
    // Writes the name into `out` and returns its length. Returns 0 if the address is unknown or
    // expired.
    std::size_t find(const IpAddress& address, std::uint32_t now_s, Name& out) const noexcept;

  private:
    static constexpr std::size_t kWays = 4, kNameWords = 32;
    struct alignas(32) Slot {
        std::atomic<std::uint32_t> version{0};
        std::atomic<std::uint32_t> until_s{0};
        std::atomic<std::uint64_t> high{0}, low{0};  // the address
        std::array<std::atomic<std::uint64_t>, kNameWords> name{};
    };
    static_assert(sizeof(Slot) == 288);

    [[nodiscard]] Slot* bucket_of(const IpAddress& address) const noexcept;
    [[nodiscard]] static bool holds(const Slot& slot, const IpAddress& address) noexcept;

    std::size_t buckets_;
    std::uint64_t secret_high_, secret_low_;
    std::unique_ptr<Slot[]> slots_;
};

}  // namespace steer
