// What a worker does when it has no work (`dataplane.idle`).
//
// spin: it polls again. pause: the processor's pause instruction between turns. adaptive: after
// empty_turns() turns without work, the worker sleeps. A readable descriptor of a port, a ring
// (Sleeper) or its next deadline wakes it. A port without a descriptor (a polled DPDK device) makes
// it take naps instead: kNapNs if there was work recently, kLongNapNs after kShortNaps empty naps.
// A NIC under DPDK has a descriptor if its driver has receive interrupts. Naps end when the first
// interrupt shows that they work.
// During sleep it is offline for QSBR, so no thread waits for it.
//
// A worker with descriptors sleeps after very few empty turns: under most loads a wake-up costs
// less than polling. A nap has a fixed length, so a worker that naps polls for longer first.
//
// Under load it takes naps of kLoadNapNs after kTurnsUnderLoad empty turns instead of waiting for a
// descriptor, if naps gather larger bursts than sleep does (LoadNaps). One system call sends a
// burst, and its senders do not have to wake the worker. Devices without a descriptor are polled as
// long as before, because only their own ring buffers packets.
//
// The order prevents a lost wake-up: announce the sleep and ask the ports for interrupts (arm()),
// check everything again (the caller's turn), then sleep.
#pragma once

#include <poll.h>

#include <algorithm>
#include <cstdint>
#include <span>
#include <vector>

#include "dataplane/base/clock.h"
#include "dataplane/base/ring.h"
#include "dataplane/port/port.h"

namespace steer {

// Decides whether naps gather more packets than sleep, by the moving averages of both. The worse
// method is tried once in kTryEach pauses. A single query always wakes the worker.
class LoadNaps {
  public:
    // `received`: number of packets and queries so far. Returns true to take a nap now.
    [[nodiscard]] bool wants(std::uint64_t received) const noexcept {
        return naps_next_ && received - before_ >= kMin;
    }
    // Call it at the beginning of a pause.
    void pause(std::uint64_t received, bool is_nap) noexcept {
        int& gathered = napping_ ? by_nap_ : by_sleep_;
        const auto burst =
            static_cast<int>(std::min<std::uint64_t>(received - before_, kMax)) * kUnit;
        gathered += (burst - gathered) / kWeight;
        before_ = received;
        napping_ = is_nap;
        const bool naps_pay = by_nap_ > by_sleep_ + by_sleep_ / 4;
        naps_next_ = naps_pay != (++pauses_ % kTryEach == 0);
    }

  private:
    static constexpr unsigned kMin = 2, kMax = 1024;  // packets
    static constexpr unsigned kTryEach = 32;          // pauses
    static constexpr int kUnit = 16, kWeight = 8;     // of the moving averages

    std::uint64_t before_ = 0;  // `received` at the last pause
    int by_nap_ = 0, by_sleep_ = 0;
    unsigned pauses_ = 0;
    bool napping_ = false, naps_next_ = false;
};

class Sleep {
  public:
    static constexpr unsigned kEmptyTurns = 4, kEmptyTurnsPolled = 64;
    static constexpr long kNapNs = 50'000;
    static constexpr long kLongNapNs = 1'500'000;
    static constexpr unsigned kShortNaps = 400;  // at least 20 ms
    static constexpr unsigned kTurnsUnderLoad = 2;
    static constexpr long kLoadNapNs = 30'000;

    Sleep(std::span<Port* const> ports, Sleeper& sleeper);

    // For the calling thread, before its first sleep: makes the length of naps exact.
    static void be_punctual() noexcept;

    // Whether until() only takes naps: a port has no descriptor, or it never was readable.
    [[nodiscard]] bool naps() const noexcept {
        return naps_ ||
               !std::all_of(ports_.begin(), ports_.end(), [](const Port* p) { return p->wakes(); });
    }
    [[nodiscard]] unsigned empty_turns() const noexcept {
        return naps() ? kEmptyTurnsPolled : kEmptyTurns;
    }
    // Before the caller's last check: asks the ports for interrupts. disarm() if there is no sleep
    // after it; until() does so itself.
    void arm() noexcept;
    void disarm() noexcept;
    // Takes a nap under load.
    static void nap() noexcept;
    // Sleeps until something wakes the worker, at most until `deadline_ms` and not longer than
    // kLongestMs. `in_a_row`: number of sleeps since the last work.
    void until(std::uint64_t deadline_ms, Now now, unsigned in_a_row) noexcept;

  private:
    static constexpr std::uint64_t kLongestMs = 500;  // to check sources without wake-up
    static constexpr std::uint64_t kAwayMs = 50;  // interval for a removed device that may return

    // Collects the present descriptors. Returns true if a port lost its descriptor (its device was
    // removed).
    bool gather_descriptors() noexcept;
    void count_wakeups_without_work() noexcept;

    const std::vector<Port*> ports_;  // ports with a descriptor
    Sleeper& sleeper_;
    // The sleeper's, then two for each port.
    std::vector<pollfd> descriptors_;
    bool naps_ = false;
};

}  // namespace steer
