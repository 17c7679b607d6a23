// The last name under which a client got an address: bounded, one table for all workers, kept over reloads.
//
// Buckets of four slots. A new address takes a free or expired slot, else the slot that expires first. Writers use a
// version word: odd while a write is in progress; a second writer then gives up, and a reader that sees a change finds
// nothing. Words are stored with release and loaded with acquire, so no fence is needed. No heap and no waiting after
// construction. Memory: 288 bytes per address.
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

    // `qname`: lower-cased wire form. Seconds of CLOCK_BOOTTIME.
    void learn(const IpAddress& address, std::span<const std::uint8_t> qname, std::uint32_t until_s,
               std::uint32_t now_s) noexcept;
    // Writes the name into `out` and returns its length; 0: the address is unknown or expired.
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
