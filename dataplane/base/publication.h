// Informs ThreadSanitizer that a pointer from a mempool carries all writes made before the pointer
// was put back.
//
// DPDK's libraries are not instrumented. So the sanitizer misses the compare-and-swap of a mempool's
// stack. Other builds have no code for this. The sanitizer cannot find races inside rte_hash,
// rte_malloc, mempools and rte_ring.
#pragma once

#ifdef __SANITIZE_THREAD__
extern "C" void __tsan_acquire(void* address);
extern "C" void __tsan_release(void* address);
#endif

namespace steer {

inline void publishes([[maybe_unused]] void* buffer) noexcept {
#ifdef __SANITIZE_THREAD__
    __tsan_release(buffer);
#endif
}
inline void was_published([[maybe_unused]] const void* buffer) noexcept {
#ifdef __SANITIZE_THREAD__
    __tsan_acquire(const_cast<void*>(buffer));
#endif
}

}  // namespace steer
