// Which name an address was last told to somebody for: bounded, one for all workers, kept over reloads.
//
// Buckets of four slots; a new address takes a free or expired one, else the one that ends first. A slot is written under
// a version word: odd while somebody writes, and who finds it so gives up; readers that meet a change find nothing.
// Words are stored with release and loaded with acquire, so that no fence is needed. No heap and no waiting after
// construction. Memory: 288 bytes an address.
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
    // The length of the name that is put into `out`; 0: the address is not known (any more).
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
