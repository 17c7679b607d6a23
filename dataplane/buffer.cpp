#include "dataplane/buffer.h"

#include <rte_debug.h>
#include <rte_errno.h>
#include <rte_mempool.h>

#include <algorithm>
#include <cstdio>
#include <new>

namespace steer {
namespace {

// What an lcore keeps for itself is out of reach for the others: a small part of the pool.
unsigned cache_size(unsigned count) {
    return std::min(count / 16, 128U);
}

rte_mempool* make_pool(const char* kind, unsigned count, std::uint32_t capacity) {
    static std::atomic<unsigned> serial{0};
    char name[RTE_MEMPOOL_NAMESIZE];
    std::snprintf(name, sizeof name, "%s_%u", kind, serial.fetch_add(1));
    rte_mempool* pool = rte_mempool_create(
        name, count, static_cast<unsigned>(sizeof(Buffer)) + capacity, cache_size(count), 0,
        nullptr, nullptr,
        [](rte_mempool* owner, void* bytes_of, void* place, unsigned) {
            auto* b = new (place) Buffer{};
            b->capacity = *static_cast<std::uint32_t*>(bytes_of);
            b->pool = owner;
        },
        &capacity, SOCKET_ID_ANY, 0);
    if (pool == nullptr) {
        rte_panic("no memory for %u buffers of %u bytes (%s): give dataplane.memory more\n", count,
                  capacity, rte_strerror(rte_errno));
    }
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
    b->references.store(1, std::memory_order_relaxed);
    b->length = 0;
    b->serial = 0;
    b->born_ms = 0;
    return b;
}

unsigned BufferPools::in_use() const {
    return rte_mempool_in_use_count(small_) + rte_mempool_in_use_count(large_);
}

void release(Buffer* b) noexcept {
    // acq_rel: what every holder read or wrote is done before the buffer is taken again.
    if (b == nullptr || b->references.fetch_sub(1, std::memory_order_acq_rel) != 1) return;
    rte_mempool_put(b->pool, b);
}

}  // namespace steer
