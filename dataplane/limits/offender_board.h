// The sources that one thread found above a limit, for control, and the shares that control gives
// back.
//
// A slot has one source and one row of `limits:`. The thread writes slots and may replace one that
// was quiet for a second. Control reads them at any time: `key` is 0 during a change, so a slot
// that reads the same key before and after is consistent. Shares are single words that control
// writes and the thread reads; their place follows from the key. Both tables are small and of fixed
// size: a source without a slot is limited by its thread alone.
#pragma once

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>

#include "matchers/prefix/ip_address.h"

namespace steer {

class OffenderBoard {
  public:
    static constexpr std::size_t kSlots = 1024, kInSet = 4;
    static constexpr std::size_t kNameBytes = 64;
    static constexpr std::uint64_t kQuietMs = 1'000;

    struct Offender {
        std::uint64_t key = 0;
        std::uint64_t demand = 0;   // units asked for since the slot was taken
        std::uint64_t refused = 0;  // number of refusals
        std::uint64_t seen_ms = 0;
        IpAddress prefix{};     // host bits are 0
        std::uint8_t bits = 0;  // of `prefix`, 0 .. 128; 0: all clients together
        std::uint16_t row = 0;
        bool is_proven = false;        // the source has shown that its address is its own
        std::uint8_t name_length = 0;  // 0: none, or too long
        std::array<std::uint8_t, kNameBytes> name{};  // wire form of a name or domain, lower case
    };

    OffenderBoard();

    // ---- the thread

    struct Source {
        const IpAddress& prefix;
        std::span<const std::uint8_t> name;
        bool is_proven = false;  // by a valid cookie, or by a connection
        std::uint8_t bits = 0;   // of `prefix`; 0: all clients together
    };
    // Notes `units` asked for. Writes the source only into a new slot.
    void note(std::uint64_t key, std::uint16_t row, const Source& source, std::uint64_t units,
              bool is_refused, std::uint64_t now_ms) noexcept;
    // This thread's part of the rate of a key, in 2^-16; 0: not divided.
    [[nodiscard]] std::uint32_t share(std::uint64_t key) const noexcept;
    // Whether any key has a share.
    [[nodiscard]] bool has_shares() const noexcept {
        return share_count_.load(std::memory_order_relaxed) != 0;
    }

    // ---- control

    // Returns false if the slot is empty or is being changed.
    [[nodiscard]] bool read(std::size_t slot, Offender& out) const noexcept;
    // `share`: 1 .. 65535, or 0 to remove it. Returns false if there is no room.
    bool set_share(std::uint64_t key, std::uint32_t share) noexcept;
    void clear_shares() noexcept;

  private:
    static constexpr std::size_t kNameWords = kNameBytes / 8;
    struct alignas(64) Slot {  // the thread writes it
        std::atomic<std::uint64_t> key{0}, demand{0}, refused{0}, seen_ms{0};
        std::array<std::atomic<std::uint64_t>, 2> prefix{};
        std::atomic<std::uint64_t> facts{0};  // row, proof, bits, length of the name
        std::array<std::atomic<std::uint64_t>, kNameWords> name{};
    };
    static constexpr std::size_t first_of(std::uint64_t key) noexcept {
        return (key >> 16) % (kSlots / kInSet) * kInSet;
    }

    std::unique_ptr<Slot[]> slots_;
    // Upper 48 bits of the key, then the share. Control writes them.
    std::unique_ptr<std::atomic<std::uint64_t>[]> shares_;
    std::atomic<std::uint32_t> share_count_{0};
};

}  // namespace steer
