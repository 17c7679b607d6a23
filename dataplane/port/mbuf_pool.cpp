#include "dataplane/port/mbuf_pool.h"

#include <rte_mbuf.h>

#include <algorithm>
#include <atomic>

namespace steer {

void FreeMempool::operator()(rte_mempool* pool) const {
    rte_mempool_free(pool);
}

MbufPool make_mbuf_pool(const std::string& owner, unsigned mbufs, std::uint16_t data_room,
                        int numa_socket) {
    static std::atomic<unsigned> serial{0};
    constexpr unsigned kCache = 256;
    const std::string name = owner + "n" + std::to_string(serial.fetch_add(1));
    return MbufPool(rte_pktmbuf_pool_create(name.c_str(), mbufs, std::min(kCache, mbufs / 2), 0,
                                            data_room, numa_socket));
}

}  // namespace steer
