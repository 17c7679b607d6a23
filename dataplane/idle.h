// What a worker does when there is nothing to do (`dataplane.idle`).
//
// spin: nothing. pause: the processor's pause between turns. adaptive: after kEmptyTurns turns
// without work the worker sleeps until a port's descriptor is readable, a ring wakes it (Sleeper),
// or its next deadline; a port without a descriptor makes it take naps of 50 us instead. Asleep, it
// is offline for QSBR: nobody waits for it.
//
// Order, so that no wake-up is lost: say that we sleep, look at everything once more (the caller's
// turn), then sleep.
#pragma once

#include <poll.h>

#include <cstdint>
#include <span>
#include <vector>

#include "dataplane/clock.h"
#include "dataplane/port/port.h"
#include "dataplane/ring.h"

namespace steer {

class Sleep {
  public:
    static constexpr unsigned kEmptyTurns = 64;

    Sleep(std::span<Port* const> ports, Sleeper& sleeper);

    // Sleeps until something wakes us, at most until `deadline_ms` and not longer than kLongestMs.
    void until(std::uint64_t deadline_ms, Now now) noexcept;

  private:
    static constexpr std::uint64_t kLongestMs = 500;  // to look at what nobody wakes us for
    static constexpr long kNapNs = 50'000;

    Sleeper& sleeper_;
    std::vector<pollfd> descriptors_;
    bool naps_ = false;
};

}  // namespace steer
