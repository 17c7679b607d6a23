// Informs ThreadSanitizer that a pointer from rte_hash or a mempool carries all writes made before
// the pointer was added or put back.
//
// DPDK's libraries are not instrumented. So the sanitizer misses the release in rte_hash_add_key,
// the acquire in rte_hash_lookup, and the compare-and-swap of a mempool's stack. Other builds have
// no code for this. The sanitizer cannot find races inside rte_hash, rte_malloc, mempools and
// rte_ring; flush_race_test.cpp checks the contents that readers find for such races.
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
