#include "dataplane/port/unmap_guard.h"

#include <rte_interrupts.h>
#include <rte_rcu_qsbr.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <atomic>

namespace {
std::atomic<rte_rcu_qsbr*> readers = nullptr;
}

namespace steer {

void guard_unmapping(rte_rcu_qsbr* qsbr) noexcept {
    readers.store(qsbr, std::memory_order_release);
}

}  // namespace steer

// libc calls its own munmap by another name; libraries and drivers call this one.
extern "C" int munmap(void* address, size_t length) noexcept {
    rte_rcu_qsbr* const qsbr = readers.load(std::memory_order_acquire);
    if (qsbr != nullptr && rte_thread_is_intr() != 0)
        rte_rcu_qsbr_synchronize(qsbr, RTE_QSBR_THRID_INVALID);
    return static_cast<int>(::syscall(SYS_munmap, address, length));
}
