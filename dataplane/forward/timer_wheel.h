// One timer per numbered record (outstanding queries, parked queries): ticks of 4 ms, never early, at most 3 ms late.
//
// A hashed wheel (Varghese and Lauck, scheme 6) of 2048 slots, 8 s; a timer further away waits in
// the last slot and moves on from there. Setting, moving and cancelling cost O(1); asking for the
// next one costs at most 33 words. Allocates at construction only. One thread.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "dataplane/forward/index_table.h"

namespace steer::forward {

class TimerWheel {
  public:
    explicit TimerWheel(unsigned timers);

    // Sets or moves `timer`. A time that is not after `now_ms` means the next millisecond.
    void set(std::uint32_t timer, std::uint64_t at_ms, std::uint64_t now_ms) noexcept;
    void cancel(std::uint32_t timer) noexcept;  // allowed when it is not set
    // Takes one timer that is due; kNone: there is none.
    std::uint32_t pop_due(std::uint64_t now_ms) noexcept;
    // The next time to call pop_due(); UINT64_MAX: no timer is set.
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
    // The first tick after current_ whose slot holds a timer; UINT64_MAX: none.
    [[nodiscard]] std::uint64_t next_tick() const noexcept;

    std::vector<Link> links_;
    std::array<std::uint32_t, kSlots> heads_;
    std::array<std::uint64_t, kSlots / 64> occupied_{};
    std::uint64_t current_ = 0;  // the last tick that is complete
    unsigned count_ = 0;
};

}  // namespace steer::forward
