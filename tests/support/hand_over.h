// A hand-over that ThreadSanitizer sees where it happens inside DPDK's libraries, which are not built with it (the rings of
// net_ring and of a mempool): what was done before give() has been done for who calls take() later. Nothing in other builds.
#pragma once

#include <atomic>

namespace steer::test {

#ifdef __SANITIZE_THREAD__
inline constexpr bool kThreadSanitizer = true;
#else
inline constexpr bool kThreadSanitizer = false;
#endif

class HandOver {
  public:
    void give() noexcept {
        if constexpr (kThreadSanitizer) times_.fetch_add(1, std::memory_order_release);
    }
    void take() noexcept {
        if constexpr (kThreadSanitizer) (void)times_.load(std::memory_order_acquire);
    }

  private:
    std::atomic<unsigned> times_{0};
};

}  // namespace steer::test
