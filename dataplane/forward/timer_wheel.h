// One timer per numbered record (outstanding or parked query). Ticks have 4 ms; a timer is never
// early and at most 3 ms late.
//
// A hashed wheel (Varghese and Lauck, scheme 6) of 2048 slots, 8 s. A later timer waits in the last
// slot and moves on from there. To set, move or cancel a timer costs O(1). To find the next one
// costs at most 33 words. Allocates at construction only. For one thread.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "dataplane/forward/index_table.h"

namespace steer::forward {

class TimerWheel {
  public:
    explicit TimerWheel(unsigned timers);

    // Sets or moves `timer`. A time at or before `now_ms` means the next millisecond.
    void set(std::uint32_t timer, std::uint64_t at_ms, std::uint64_t now_ms) noexcept;
    void cancel(std::uint32_t timer) noexcept;  // also allowed for a timer that is not set
    // Removes and returns one timer that is due; kNone if there is none.
    std::uint32_t pop_due(std::uint64_t now_ms) noexcept;
    // The next time to call pop_due(); UINT64_MAX if no timer is set.
    [[nodiscard]] std::uint64_t next_ms() const noexcept;

  private:
    static constexpr std::uint64_t kTickMs = 4;
    static constexpr std::uint64_t kSlots = 2048;

    struct Link {
        std::uint32_t previous = kNone, next = kNone;
        std::uint32_t slot = kNone;  // kNone: not set
        std::uint64_t at_ms = 0;
    };

    void place(std::uint32_t timer, std::uint64_t at_ms) noexcept;
    void unlink(std::uint32_t timer) noexcept;
    // The first tick after current_ with a timer in its slot; UINT64_MAX if there is none.
    [[nodiscard]] std::uint64_t next_tick() const noexcept;

    std::vector<Link> links_;
    std::array<std::uint32_t, kSlots> heads_;
    std::array<std::uint64_t, kSlots / 64> occupied_{};
    std::uint64_t current_ = 0;  // the last complete tick
    unsigned count_ = 0;
};

}  // namespace steer::forward
