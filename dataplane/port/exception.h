// The kernel's share of a device that the kernel does not see (a NIC under DPDK, memif): what is not DNS for
// us goes to an interface of the kernel (a TAP, control/kernel/exception_device.h) and comes back from it.
//
//   worker, each queue:  punt() → kind → its rate → FrameRing ─┐        ┌─ the kernel
//                                                     thread `exception` (control/exception_thread.h)
//   worker of queue 0:   flush() ← FrameRing ──────────────────┘        └─ its frames
//
// The worker makes no system call here but the write that wakes a sleeping thread, once a turn. A full ring
// or a kind above its rate drops the frame and counts it: the kernel's share never takes from DNS. What the kernel sends
// waits where there is no room for it, in the ring and then in the interface's own queue, which is the kernel's to fill.
// Rates are those of a queue; ARP and ND are on one queue of a NIC, what RSS spreads has a share on each.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "dataplane/clock.h"
#include "dataplane/counters.h"
#include "dataplane/port/exception_kind.h"
#include "dataplane/port/frame_ring.h"
#include "dataplane/port/port.h"
#include "dataplane/ring.h"

namespace steer {

//    name        label        what happened to a frame for the kernel, of one kind
#define STEER_EXCEPTION_ENDS(X)                                      \
    X(given, "given", "handed to the kernel's interface")            \
    X(over_rate, "over_rate", "dropped: its kind is above its rate") \
    X(ring_full, "ring_full", "dropped: the kernel takes them more slowly than they come")

//    name             label              what happened to frames of the kernel; those that wait are counted once a wait
#define STEER_EXCEPTION_SENDS(X)                                                             \
    X(sent, "sent", "left by the port")                                                      \
    X(port_full, "port_full", "the port took no more, or no mbuf was left: the rest waited") \
    X(ring_full, "ring_full", "the worker takes them more slowly: the rest waited")          \
    X(write_failed, "write_failed", "frames for the kernel that its interface did not take")

enum class ExceptionEnd : std::uint8_t {
#define STEER_EXCEPTION_ENUM(name, label, text) name,
    STEER_EXCEPTION_ENDS(STEER_EXCEPTION_ENUM) count_
};
enum class ExceptionSend : std::uint8_t { STEER_EXCEPTION_SENDS(STEER_EXCEPTION_ENUM) count_ };
#undef STEER_EXCEPTION_ENUM
#define STEER_EXCEPTION_LABEL(name, label, text) std::string_view{label},
inline constexpr std::array kExceptionEndLabels{STEER_EXCEPTION_ENDS(STEER_EXCEPTION_LABEL)};
inline constexpr std::array kExceptionSendLabels{STEER_EXCEPTION_SENDS(STEER_EXCEPTION_LABEL)};
#undef STEER_EXCEPTION_LABEL

struct ExceptionOptions {
    unsigned queues = 1;
    unsigned frame_bytes = 1522;   // the longest frame: MTU, Ethernet, two tags
    unsigned slots = 1024;         // of a queue's ring; a power of two
    unsigned kernel_slots = 1024;  // of the ring from the kernel; the same
    ExceptionRates rates = kExceptionRates;
};

// What a device's workers and thread `exception` share. Outlives both.
class ExceptionLink {
  public:
    explicit ExceptionLink(const ExceptionOptions& options);

    // A queue's: its worker pushes and counts, the thread pops.
    struct alignas(64) Queue {
        explicit Queue(const ExceptionOptions& options)
            : to_kernel(options.slots, options.frame_bytes) {}
        FrameRing to_kernel;
        alignas(64) std::array<std::array<Count, static_cast<std::size_t>(ExceptionEnd::count_)>,
                               kExceptionKinds> ends;
        // Of the kernel's frames: sent, port_full; queue 0 alone.
        std::array<Count, 2> sends;
    };

    [[nodiscard]] unsigned queues() const { return static_cast<unsigned>(queues_.size()); }
    [[nodiscard]] Queue& queue(unsigned q) { return *queues_[q]; }
    [[nodiscard]] FrameRing& from_kernel() { return from_kernel_; }
    [[nodiscard]] const ExceptionRates& rates() const { return rates_; }

    // The thread's sleeper, before the workers run, and the one of queue 0's worker.
    void set_thread(Sleeper* sleeper) { thread_.store(sleeper, std::memory_order_release); }
    void set_worker(Sleeper* sleeper) { worker_.store(sleeper, std::memory_order_release); }
    void wake_thread() { wake(thread_); }
    void wake_worker() { wake(worker_); }

    // The thread's counts: from_kernel() was full; the interface did not take a frame.
    alignas(64) Count from_kernel_full;
    Count write_failed;

    [[nodiscard]] std::uint64_t ends(ExceptionKind kind,
                                     ExceptionEnd end) const;  // over all queues
    [[nodiscard]] std::uint64_t sends(ExceptionSend what) const;

  private:
    static void wake(std::atomic<Sleeper*>& sleeper) {
        if (Sleeper* const s = sleeper.load(std::memory_order_acquire)) s->wake();
    }
    const ExceptionRates rates_;
    std::vector<std::unique_ptr<Queue>> queues_;
    FrameRing from_kernel_;
    std::atomic<Sleeper*> thread_{nullptr}, worker_{nullptr};
};

// A queue of such a device: `inner`, and its way to the kernel. `if_index` is the kernel's interface.
// `clock` outlives it and is read at most once a turn, in turns that punt.
std::unique_ptr<Port> add_exception_path(std::unique_ptr<Port> inner, int if_index,
                                         std::shared_ptr<ExceptionLink> link, unsigned queue,
                                         Clock& clock);

}  // namespace steer
