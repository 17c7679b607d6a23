// Memory of the heap is overwritten before it is given back, in the program that links this file:
// what is read, parsed or sent leaves no copy of a password in free memory, and so none in a core
// file. Long-lived secrets have pages of their own (matchers/secret.h). Replaces operator delete
// ([new.delete]); operator new stays that of the C++ library.
//
// Cost: one pass over each freed block, which is mostly in the CPU's cache. Workers free nothing.
// Memory of C libraries is not overwritten: OpenSSL does that itself. Builds with a sanitizer keep
// its own operator delete.
#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define STEER_KEEPS_DELETE
#endif
#elif defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define STEER_KEEPS_DELETE
#endif

#ifndef STEER_KEEPS_DELETE

#include <malloc.h>
#include <string.h>

#include <cstdlib>
#include <new>

namespace {

// Inlined, it would count as a free() of memory from operator new.
[[gnu::noinline]] void wipe_and_free(void* block) noexcept {
    if (block == nullptr) return;
    ::explicit_bzero(block, ::malloc_usable_size(block));
    std::free(block);
}

}  // namespace

void operator delete(void* block) noexcept {
    wipe_and_free(block);
}
void operator delete[](void* block) noexcept {
    wipe_and_free(block);
}
void operator delete(void* block, std::size_t) noexcept {
    wipe_and_free(block);
}
void operator delete[](void* block, std::size_t) noexcept {
    wipe_and_free(block);
}
void operator delete(void* block, std::align_val_t) noexcept {
    wipe_and_free(block);
}
void operator delete[](void* block, std::align_val_t) noexcept {
    wipe_and_free(block);
}
void operator delete(void* block, std::size_t, std::align_val_t) noexcept {
    wipe_and_free(block);
}
void operator delete[](void* block, std::size_t, std::align_val_t) noexcept {
    wipe_and_free(block);
}

#endif
