// What the thread sanitizer has to be told: a pointer that comes out of rte_hash carries what was written before it
// went in.
//
// DPDK's library is not instrumented, so the sanitizer does not see the release of rte_hash_add_key and the acquire of
// rte_hash_lookup between them. Nothing in other builds. What it cannot see at all: races inside rte_hash, rte_malloc and
// rte_ring; flush_race_test.cpp looks for those in the contents of what readers find.
#pragma once

#ifdef __SANITIZE_THREAD__
extern "C" void __tsan_acquire(void* address);
extern "C" void __tsan_release(void* address);
#endif

namespace steer::cache {

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

}  // namespace steer::cache
