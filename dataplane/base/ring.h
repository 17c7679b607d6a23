// An SPSC ring of fixed-size elements between two threads: a typed rte_ring with elements.
//
// One thread pushes, one pops. A push writes to `wake` (an eventfd of the popper, or -1) only if
// the popper sleeps. The popper announces its sleep with a Sleeper. Neither side ever waits.
#pragma once

#include <rte_ring_elem.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <type_traits>

#include "dataplane/base/memory_node.h"

namespace steer {

// One per thread that pops from rings: whether it sleeps, and how to wake it.
class Sleeper {
  public:
    explicit Sleeper(int event_fd = -1) : event_fd_(event_fd) {}

    // Call it before sleeping. Then check every ring again, and poll() on event_fd().
    void going_to_sleep() {
        asleep_.store(true, std::memory_order_relaxed);
        std::atomic_thread_fence(std::memory_order_seq_cst);  // before the last check; see wake()
    }
    void awake() { asleep_.store(false, std::memory_order_relaxed); }
    [[nodiscard]] int event_fd() const { return event_fd_; }

    void wake() {
        std::atomic_thread_fence(std::memory_order_seq_cst);
        if (!asleep_.load(std::memory_order_relaxed)) return;
        if (asleep_.exchange(false, std::memory_order_relaxed) && event_fd_ >= 0) {
            const std::uint64_t one = 1;
            [[maybe_unused]] const auto n = ::write(event_fd_, &one, sizeof one);
        }
    }

  private:
    alignas(64) std::atomic<bool> asleep_{false};
    int event_fd_;
};

static_assert(sizeof(Sleeper) == 64 && alignof(Sleeper) == 64,
              "pushers read it, so no other data shares its line");

// The pusher's data, the popper's data and read-only data have separate cache lines.
static_assert(offsetof(rte_ring, prod) % 64 == 0 && offsetof(rte_ring, cons) % 64 == 0);
static_assert(offsetof(rte_ring, cons) - offsetof(rte_ring, prod) >= 64 &&
              offsetof(rte_ring, prod) - offsetof(rte_ring, mask) >= 64);

inline std::atomic<unsigned> ring_serial{0};  // for the names of rings of all element types

// As rte_ring_count(), but reads the other thread's index atomically.
inline unsigned waiting_in(const rte_ring& ring) noexcept {
    const std::uint32_t in = __atomic_load_n(&ring.prod.tail, __ATOMIC_ACQUIRE);
    const std::uint32_t out = __atomic_load_n(&ring.cons.tail, __ATOMIC_ACQUIRE);
    return std::min((in - out) & ring.mask, ring.capacity);
}

template <class T>
class Ring {
    static_assert(std::is_trivially_copyable_v<T> && sizeof(T) % 4 == 0);

  public:
    // `size` must be a power of two; the ring holds size - 1 elements. EAL must be initialized.
    // Aborts if there is no memory.
    Ring(unsigned size, Sleeper* popper) : popper_(popper) {
        char name[RTE_RING_NAMESIZE];
        std::snprintf(name, sizeof name, "steer_%u", ring_serial.fetch_add(1));
        ring_ = rte_ring_create_elem(name, sizeof(T), size, memory_node(),
                                     RING_F_SP_ENQ | RING_F_SC_DEQ);
        if (ring_ == nullptr) {
            std::fprintf(stderr, "no memory for a ring of %u elements of %zu bytes\n", size,
                         sizeof(T));
            std::abort();
        }
    }
    ~Ring() { rte_ring_free(ring_); }
    Ring(const Ring&) = delete;
    Ring& operator=(const Ring&) = delete;

    [[nodiscard]] bool push(const T& element) noexcept {
        if (!push_quietly(element)) return false;
        wake();
        return true;
    }
    // Pushes without waking the popper: call wake() behind the last one.
    [[nodiscard]] bool push_quietly(const T& element) noexcept {
        return rte_ring_sp_enqueue_elem(ring_, const_cast<T*>(&element), sizeof(T)) == 0;
    }
    void wake() noexcept {
        if (popper_ != nullptr) popper_->wake();
    }
    // Pushes the first elements of `n`, as many as fit; returns their number.
    unsigned push_some(const T* elements, unsigned n) noexcept {
        const unsigned pushed =
            rte_ring_sp_enqueue_burst_elem(ring_, elements, sizeof(T), n, nullptr);
        if (pushed > 0 && popper_ != nullptr) popper_->wake();
        return pushed;
    }
    // Pops up to `n` elements into `out`; returns the number.
    unsigned pop(T* out, unsigned n) noexcept {
        return rte_ring_sc_dequeue_burst_elem(ring_, out, sizeof(T), n, nullptr);
    }
    // For the pusher: the number of pushes that will succeed. Until the next push it can only grow.
    [[nodiscard]] unsigned room() const noexcept { return capacity() - waiting(); }
    [[nodiscard]] unsigned capacity() const noexcept { return rte_ring_get_capacity(ring_); }
    [[nodiscard]] bool empty() const noexcept { return waiting() == 0; }

  private:
    [[nodiscard]] unsigned waiting() const noexcept { return waiting_in(*ring_); }

    rte_ring* ring_;
    Sleeper* popper_;
};

}  // namespace steer
