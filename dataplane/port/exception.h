// The kernel's share of a device that the kernel does not see (a NIC under DPDK, memif): what is not DNS for
// us goes to an interface of the kernel (a TAP, control/kernel/exception_device.h) and comes back from it, in
// one of two ways. By rings, which need nothing but the TAP:
//
//   worker, each queue:  punt() → kind → its rate → FrameRing ─┐        ┌─ the kernel
//                                                     thread `exception` (control/ports/exception_thread.h)
//   worker of queue 0:   flush() ← FrameRing ──────────────────┘        └─ its frames
//
// Or by queues of the TAP that vhost-net serves (virtio-user), which spares a copy and the thread:
//
//   worker, each queue:  punt() → kind → its rate → burst, flush() → virtio-user's queue → vhost-net, the kernel
//                        flush() ← virtio-user's queue ← vhost-net
//
// The worker makes no system call here but the write that wakes a sleeping thread or vhost-net, once a turn. A full
// ring or a kind above its rate drops the frame and counts it: the kernel's share never takes from DNS. What the kernel
// sends waits where there is no room for it, and at last in the interface's own queue, which is the kernel's to fill.
// Rates are those of a queue; ARP and ND are on one queue of a NIC, what RSS spreads has a share on each.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <vector>

#include "dataplane/base/clock.h"
#include "dataplane/base/ring.h"
#include "dataplane/port/exception_counters.h"
#include "dataplane/port/exception_kind.h"
#include "dataplane/port/frame_ring.h"
#include "dataplane/port/port.h"

namespace steer {

struct ExceptionOptions {
    unsigned queues = 1;
    unsigned frame_bytes = 1522;   // the longest frame: MTU, Ethernet, two tags
    unsigned slots = 1024;         // of a queue's ring; a power of two
    unsigned kernel_slots = 1024;  // of the ring from the kernel; the same
    ExceptionRates rates = kExceptionRates;
};

// What a device's workers and thread `exception` share, where rings are the way. Outlives both.
class ExceptionLink {
  public:
    explicit ExceptionLink(const ExceptionOptions& options);

    [[nodiscard]] unsigned queues() const { return static_cast<unsigned>(to_kernel_.size()); }
    // A queue's worker pushes, the thread pops.
    [[nodiscard]] FrameRing& to_kernel(unsigned queue) { return *to_kernel_[queue]; }
    [[nodiscard]] FrameRing& from_kernel() { return from_kernel_; }
    [[nodiscard]] const ExceptionRates& rates() const { return rates_; }

    // The thread's sleeper, before the workers run, and the one of queue 0's worker.
    void set_thread(Sleeper* sleeper) { thread_.store(sleeper, std::memory_order_release); }
    void set_worker(Sleeper* sleeper) { worker_.store(sleeper, std::memory_order_release); }
    void wake_thread() { wake(thread_); }
    void wake_worker() { wake(worker_); }

    [[nodiscard]] ExceptionCounters& counters() { return counters_; }

  private:
    static void wake(std::atomic<Sleeper*>& sleeper) {
        if (Sleeper* const s = sleeper.load(std::memory_order_acquire)) s->wake();
    }
    const ExceptionRates rates_;
    std::vector<std::unique_ptr<FrameRing>> to_kernel_;
    FrameRing from_kernel_;
    ExceptionCounters counters_;
    std::atomic<Sleeper*> thread_{nullptr}, worker_{nullptr};
};

// A queue of such a device: `inner`, and its way to the kernel. `if_index` is the kernel's interface.
// `clock` outlives it and is read at most once a turn, in turns that punt.
std::unique_ptr<Port> add_exception_path(std::unique_ptr<Port> inner, int if_index,
                                         std::shared_ptr<ExceptionLink> link, unsigned queue,
                                         Clock& clock);

// The other way: `kernel` is the queue of virtio-user that is `inner`'s, and receives into inner's pool. Both are
// polled.
std::unique_ptr<Port> add_exception_path(std::unique_ptr<Port> inner, int if_index,
                                         std::unique_ptr<Port> kernel,
                                         ExceptionCounters::Queue& counters,
                                         const ExceptionRates& rates, Clock& clock);

}  // namespace steer
