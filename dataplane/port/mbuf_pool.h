// A port's own mbufs, with a cache for each worker.
#pragma once

#include <cstdint>
#include <memory>
#include <string>

struct rte_mempool;

namespace steer {

struct FreeMempool {
    void operator()(rte_mempool* pool) const;
};
using MbufPool = std::unique_ptr<rte_mempool, FreeMempool>;

// `data_room`: bytes of an mbuf, headroom included. `owner` is part of the pool's name in DPDK; a
// device may be closed and opened again. Without hugepages, an mbuf may cross pages, and the pool
// needs one free block for all of them. Returns nullptr if there is no memory (rte_errno).
MbufPool make_mbuf_pool(const std::string& owner, unsigned mbufs, std::uint16_t data_room,
                        int numa_socket);

}  // namespace steer
