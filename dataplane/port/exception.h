// The path to the kernel for devices that the kernel does not see (a NIC under DPDK, memif). All
// packets except DNS for us go to an interface of the kernel (a TAP,
// control/host/kernel/exception_device.h) and return from it. There are two methods. The first uses
// rings, and needs only the TAP:
//
//   worker, each queue:  punt() → kind → its rate → FrameRing ─┐        ┌─ the kernel
//                                                     thread `exception` (control/runtime/ports/exception_thread.h)
//   worker of queue 0:   flush() ← FrameRing ──────────────────┘        └─ its frames
//
// The second uses queues of the TAP that vhost-net serves (virtio-user). It saves a copy and the
// thread:
//
//   worker, each queue:  punt() → kind → its rate → burst, flush() → virtio-user's queue → vhost-net, the kernel
//                        flush() ← virtio-user's queue ← vhost-net
//
// The worker's only system call is the write that wakes a sleeping thread or vhost-net, once per
// turn. A frame is dropped and counted if the ring is full or its kind exceeds its rate. So it
// never delays DNS. If the rings are full, the kernel's frames wait, at last in the interface's own
// queue, which belongs to the kernel. Rates are per queue. ARP and ND arrive on one queue of a NIC;
// traffic that RSS spreads has the rate on each queue.
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
    unsigned kernel_slots = 1024;  // of the ring from the kernel; also a power of two
    ExceptionRates rates = kExceptionRates;
};

// A device's workers and thread `exception` share it, if rings are used. It outlives both.
class ExceptionLink {
  public:
    explicit ExceptionLink(const ExceptionOptions& options);

    [[nodiscard]] unsigned queues() const { return static_cast<unsigned>(to_kernel_.size()); }
    // A queue's worker pushes, the thread pops.
    [[nodiscard]] FrameRing& to_kernel(unsigned queue) { return *to_kernel_[queue]; }
    [[nodiscard]] FrameRing& from_kernel() { return from_kernel_; }
    [[nodiscard]] const ExceptionRates& rates() const { return rates_; }

    // Sets the sleeper of the thread (before the workers run), and that of queue 0's worker.
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

// A queue of such a device: `inner`, with its path to the kernel. `if_index` is the kernel's
// interface. `clock` must outlive it and is read at most once per turn, in turns that punt.
std::unique_ptr<Port> add_exception_path(std::unique_ptr<Port> inner, int if_index,
                                         std::shared_ptr<ExceptionLink> link, unsigned queue,
                                         Clock& clock);

// The second method: `kernel` is the virtio-user queue for `inner`, and receives into inner's pool.
// Both are polled.
std::unique_ptr<Port> add_exception_path(std::unique_ptr<Port> inner, int if_index,
                                         std::unique_ptr<Port> kernel,
                                         ExceptionCounters::Queue& counters,
                                         const ExceptionRates& rates, Clock& clock);

}  // namespace steer
