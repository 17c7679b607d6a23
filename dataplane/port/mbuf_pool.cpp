#include "dataplane/port/mbuf_pool.h"

#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_mbuf.h>
#include <rte_mbuf_pool_ops.h>
#include <rte_memzone.h>

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <cstdio>

namespace steer {
namespace {

// Takes memory for all objects as one zone, named as DPDK names those of its pools. Returns 0 or an
// errno. rte_mempool_populate_default() would leave objects of such a pool without an IOVA.
int populate_from_one_zone(rte_mempool& pool, unsigned objects, int numa_socket) {
    std::size_t min_chunk = 0, alignment = 0;
    const ssize_t bytes =
        rte_mempool_op_calc_mem_size_default(&pool, objects, 0, &min_chunk, &alignment);
    if (bytes < 0) return static_cast<int>(-bytes);
    char name[RTE_MEMZONE_NAMESIZE];
    std::snprintf(name, sizeof name, RTE_MEMPOOL_MZ_FORMAT "_0", pool.name);
    const rte_memzone* const zone = rte_memzone_reserve_aligned(
        name, static_cast<std::size_t>(bytes), numa_socket, 0, static_cast<unsigned>(alignment));
    if (zone == nullptr) return rte_errno;
    const auto free_zone = [](rte_mempool_memhdr*, void* its_zone) {
        rte_memzone_free(static_cast<const rte_memzone*>(its_zone));
    };
    const int populated =
        rte_mempool_populate_iova(&pool, static_cast<char*>(zone->addr), zone->iova, zone->len,
                                  free_zone, const_cast<rte_memzone*>(zone));
    if (populated <= 0) {
        rte_memzone_free(zone);
        return populated < 0 ? -populated : ENOMEM;
    }
    return static_cast<unsigned>(populated) == objects ? 0 : ENOMEM;
}

// As rte_pktmbuf_pool_create(), without hugepages. That function would begin a page of 4 KiB with
// each mbuf, so all headers would compete for the same sets of the CPU's caches. Here mbufs may cross
// pages, because devices use virtual addresses.
MbufPool make_across_pages(const std::string& name, unsigned mbufs, unsigned cache,
                           std::uint16_t data_room, int numa_socket) {
    MbufPool pool(rte_mempool_create_empty(name.c_str(), mbufs, sizeof(rte_mbuf) + data_room, cache,
                                           sizeof(rte_pktmbuf_pool_private), numa_socket,
                                           RTE_MEMPOOL_F_NO_IOVA_CONTIG));
    if (pool == nullptr) return nullptr;
    rte_pktmbuf_pool_private private_data{};
    private_data.mbuf_data_room_size = data_room;
    int error = -rte_mempool_set_ops_byname(pool.get(), rte_mbuf_best_mempool_ops(), nullptr);
    rte_pktmbuf_pool_init(pool.get(), &private_data);
    if (error == 0) error = populate_from_one_zone(*pool, mbufs, numa_socket);
    if (error != 0) {
        pool.reset();
        rte_errno = error;
        return nullptr;
    }
    rte_mempool_obj_iter(pool.get(), rte_pktmbuf_init, nullptr);
    return pool;
}

}  // namespace

void FreeMempool::operator()(rte_mempool* pool) const {
    rte_mempool_free(pool);
}

MbufPool make_mbuf_pool(const std::string& owner, unsigned mbufs, std::uint16_t data_room,
                        int numa_socket) {
    static std::atomic<unsigned> serial{0};
    constexpr unsigned kCache = 256;
    const std::string name = owner + "n" + std::to_string(serial.fetch_add(1));
    const unsigned cache = std::min(kCache, mbufs / 2);
    if (rte_eal_has_hugepages() == 0)
        return make_across_pages(name, mbufs, cache, data_room, numa_socket);
    return MbufPool(rte_pktmbuf_pool_create(name.c_str(), mbufs, cache, 0, data_room, numa_socket));
}

}  // namespace steer
