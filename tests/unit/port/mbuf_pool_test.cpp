#include "dataplane/port/mbuf_pool.h"

#include <rte_errno.h>
#include <rte_mbuf.h>

#include <boost/test/unit_test.hpp>
#include <cerrno>
#include <cstdint>
#include <set>
#include <vector>

#include "dataplane/base/memory_node.h"

// EAL has no hugepages here.
namespace steer {
namespace {

BOOST_AUTO_TEST_SUITE(mbuf_pool)

BOOST_AUTO_TEST_CASE(mbufs_begin_at_every_cache_line_of_a_page) {
    constexpr unsigned kMbufs = 1024;
    constexpr std::uintptr_t kPage = 4096, kLine = RTE_CACHE_LINE_SIZE;
    const MbufPool pool = make_mbuf_pool("test", kMbufs, RTE_MBUF_DEFAULT_BUF_SIZE, kAnyNode);
    BOOST_REQUIRE(pool != nullptr);
    std::vector<rte_mbuf*> all(kMbufs);
    BOOST_REQUIRE(rte_pktmbuf_alloc_bulk(pool.get(), all.data(), kMbufs) == 0);
    BOOST_TEST(rte_pktmbuf_alloc(pool.get()) == nullptr);
    std::set<std::uintptr_t> places;
    for (rte_mbuf* mbuf : all) {
        places.insert(reinterpret_cast<std::uintptr_t>(mbuf) % kPage);
        BOOST_REQUIRE(mbuf->buf_len == RTE_MBUF_DEFAULT_BUF_SIZE);
        BOOST_REQUIRE(rte_pktmbuf_iova(mbuf) ==
                      reinterpret_cast<std::uintptr_t>(rte_pktmbuf_mtod(mbuf, std::byte*)));
    }
    BOOST_TEST(places.size() == kPage / kLine);
    rte_pktmbuf_free_bulk(all.data(), kMbufs);
    BOOST_TEST(rte_mempool_in_use_count(pool.get()) == 0U);
}

BOOST_AUTO_TEST_CASE(a_freed_pool_gives_its_memory_back) {
    constexpr unsigned kMbufs = 1U << 17, kTimes = 8;  // 296 of EAL's 1,024 MiB each
    for (unsigned i = 0; i < kTimes; ++i)
        BOOST_REQUIRE(make_mbuf_pool("again", kMbufs, RTE_MBUF_DEFAULT_BUF_SIZE, kAnyNode) !=
                      nullptr);
}

BOOST_AUTO_TEST_CASE(a_pool_larger_than_the_memory_fails_with_enomem) {
    BOOST_TEST(make_mbuf_pool("large", 1U << 20, RTE_MBUF_DEFAULT_BUF_SIZE, kAnyNode) == nullptr);
    BOOST_TEST(rte_errno == ENOMEM);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace steer
