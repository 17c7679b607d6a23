// Tells ThreadSanitizer that a pointer out of rte_hash or a mempool carries the writes made before it was
// added or put back.
//
// DPDK's libraries are not instrumented, so the sanitizer does not see the release of rte_hash_add_key and the acquire of
// rte_hash_lookup, nor the compare-and-swap of a mempool's stack. No code in other builds. The sanitizer cannot see races
// inside rte_hash, rte_malloc, mempools and rte_ring; flush_race_test.cpp looks for those in the contents that readers find.
#pragma once

#ifdef __SANITIZE_THREAD__
extern "C" void __tsan_acquire(void* address);
extern "C" void __tsan_release(void* address);
#endif

namespace steer {

inline void publishes([[maybe_unused]] void* entry) noexcept {
#ifdef __SANITIZE_THREAD__
    __tsan_release(entry);
#endif
}
inline void was_published([[maybe_unused]] const void* entry) noexcept {
#ifdef __SANITIZE_THREAD__
    __tsan_acquire(const_cast<void*>(entry));
#endif
}

}  // namespace steer
