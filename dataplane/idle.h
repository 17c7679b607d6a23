// What a worker does when there is nothing to do (`dataplane.idle`).
//
// spin: nothing. pause: the processor's pause between turns. adaptive: after kEmptyTurns turns
// without work the worker sleeps until a port's descriptor is readable, a ring wakes it (Sleeper),
// or its next deadline. A port without a descriptor (a polled DPDK device) makes it take naps instead:
// kNapNs while there was work lately, kLongNapNs after kShortNaps in a row without any. Asleep, it is
// offline for QSBR: nobody waits for it.
//
// Under load (kLoad packets or more since it last paused) it does not wait for a descriptor either but
// takes a nap of kLoadNapNs after kTurnsUnderLoad turns without work: what comes meanwhile is one burst,
// sent with one system call, and who brings it has nobody to wake. Polled devices are looked at as long
// as ever: nothing but their ring holds what comes.
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
    static constexpr long kNapNs = 50'000;
    static constexpr long kLongNapNs = 1'000'000;
    static constexpr unsigned kShortNaps = 400;  // at least 20 ms
    static constexpr unsigned kTurnsUnderLoad = 2;
    static constexpr unsigned kLoad = 4;
    static constexpr long kLoadNapNs = 30'000;

    Sleep(std::span<Port* const> ports, Sleeper& sleeper);

    // For the calling thread, before its first sleep: naps as long as they are said to be.
    static void be_punctual() noexcept;

    // Whether until() only takes naps.
    [[nodiscard]] bool naps() const noexcept { return naps_; }
    // A nap under load.
    static void nap() noexcept;
    // Sleeps until something wakes us, at most until `deadline_ms` and not longer than kLongestMs.
    // `in_a_row`: sleeps since there was work.
    void until(std::uint64_t deadline_ms, Now now, unsigned in_a_row) noexcept;

  private:
    static constexpr std::uint64_t kLongestMs = 500;  // to look at what nobody wakes us for
    static constexpr std::uint64_t kAwayMs = 50;      // for a device that may be back

    // What wakes us, as it is now. True: a port that had a descriptor has none (its device is away).
    bool gather_descriptors() noexcept;

    const std::vector<Port*> ports_;  // with a descriptor
    Sleeper& sleeper_;
    std::vector<pollfd> descriptors_;  // the sleeper's first
    bool naps_ = false;
};

}  // namespace steer
