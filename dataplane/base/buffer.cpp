#include "dataplane/base/buffer.h"

#include <rte_debug.h>
#include <rte_errno.h>
#include <rte_mempool.h>

#include <algorithm>
#include <cstdio>
#include <new>

#include "dataplane/base/memory_node.h"
#include "dataplane/base/publication.h"

namespace steer {
namespace {

// A stack whose top is swapped by compare-and-swap (RTE_STACK_F_LF). In DPDK's multi-producer rings (the default kind, RTS
// and HTS) a thread that is preempted within an operation can make others wait for its tail; with RTS, once it is htd_max
// behind. With this stack no thread waits: only the buffers in the preempted thread's hands are missing.
constexpr const char* kLockFree = "lf_stack";

// Size of an lcore's own cache. Other threads cannot use it, so it is a small part of the pool.
unsigned cache_size(unsigned count) {
    return std::min(count / 16, 128U);
}

rte_mempool* make_pool(const char* kind, unsigned count, std::uint32_t capacity) {
    static std::atomic<unsigned> serial{0};
    char name[RTE_MEMPOOL_NAMESIZE];
    std::snprintf(name, sizeof name, "%s_%u", kind, serial.fetch_add(1));
    const auto size = static_cast<unsigned>(sizeof(Buffer)) + capacity;
    // No device reads buffers, so they may cross pages.
    rte_mempool* const pool = rte_mempool_create_empty(name, count, size, cache_size(count), 0,
                                                       memory_node(), RTE_MEMPOOL_F_NO_IOVA_CONTIG);
    int error = pool == nullptr ? rte_errno : 0;
    if (error == 0) error = -rte_mempool_set_ops_byname(pool, kLockFree, nullptr);
    if (error != 0) {
        rte_panic(
            "no pool of kind %s for %u buffers of %u bytes (%s): DPDK's driver "
            "librte_mempool_stack has to be installed\n",
            kLockFree, count, capacity, rte_strerror(error));
    }
    if (const int populated = rte_mempool_populate_default(pool); populated < 0) {
        rte_panic("no memory for %u buffers of %u bytes (%s): give dataplane.memory more\n", count,
                  capacity, rte_strerror(-populated));
    }
    rte_mempool_obj_iter(
        pool,
        [](rte_mempool* owner, void* bytes_of, void* place, unsigned) {
            auto* b = new (place) Buffer{};
            b->capacity = *static_cast<std::uint32_t*>(bytes_of);
            b->pool = owner;
        },
        &capacity);
    return pool;
}

}  // namespace

BufferPools::BufferPools(unsigned small_count, unsigned large_count)
    : small_(make_pool("buffers", small_count, kSmallBuffer)),
      large_(make_pool("large_buffers", large_count, kLargeBuffer)) {}

BufferPools::~BufferPools() {
    rte_mempool_free(small_);
    rte_mempool_free(large_);
}

Buffer* BufferPools::take(std::uint32_t payload_bytes) noexcept {
    if (payload_bytes > kLargeBuffer) return nullptr;
    void* place = nullptr;
    if (rte_mempool_get(payload_bytes <= kSmallBuffer ? small_ : large_, &place) != 0)
        return nullptr;
    auto* b = static_cast<Buffer*>(place);
    was_published(b);
    b->references.store(1, std::memory_order_relaxed);
    b->length = 0;
    b->serial = 0;
    b->born_ms = 0;
    b->upstream = Buffer::kNoUpstream;
    return b;
}

unsigned BufferPools::in_use() const {
    return rte_mempool_in_use_count(small_) + rte_mempool_in_use_count(large_);
}

void release(Buffer* b) noexcept {
    // acq_rel: all reads and writes of every holder are complete before the buffer is taken again.
    if (b == nullptr || b->references.fetch_sub(1, std::memory_order_acq_rel) != 1) return;
    publishes(b);
    rte_mempool_put(b->pool, b);
}

}  // namespace steer
