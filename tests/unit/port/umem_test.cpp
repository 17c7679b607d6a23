#include "dataplane/port/umem.h"

#include <boost/test/unit_test.hpp>
#include <set>
#include <vector>

namespace steer {
namespace {

BOOST_AUTO_TEST_SUITE(umem)

BOOST_AUTO_TEST_CASE(every_mbuf_maps_to_one_frame_and_back) {
    constexpr unsigned kFrames = 1024;
    for (const unsigned frame_bytes : {2048U, 4096U}) {
        auto umem = Umem::build("umem" + std::to_string(frame_bytes), kFrames, frame_bytes);
        BOOST_REQUIRE(umem);
        Umem& u = **umem;
        BOOST_TEST(u.bytes() == std::size_t{kFrames} * frame_bytes);
        std::vector<rte_mbuf*> all(kFrames - 1);
        BOOST_REQUIRE(rte_pktmbuf_alloc_bulk(u.pool(), all.data(), kFrames - 1) == 0);
        BOOST_TEST(rte_pktmbuf_alloc(u.pool()) == nullptr);
        std::set<std::uint64_t> addresses;
        for (rte_mbuf* m : all) {
            const std::uint64_t address = u.address_of(m);
            BOOST_REQUIRE(address % frame_bytes == 0U);
            BOOST_REQUIRE(addresses.insert(address).second);
            BOOST_REQUIRE(u.mbuf_at(address) == m);
            BOOST_REQUIRE(u.mbuf_at(address + frame_bytes - 1) == m);
            BOOST_REQUIRE(u.offset_in_frame(address + 300) == 300U);
            BOOST_REQUIRE(static_cast<void*>(static_cast<std::byte*>(u.area()) + address) ==
                          m->buf_addr);
            BOOST_REQUIRE(m->buf_len == frame_bytes);
        }
        rte_pktmbuf_free_bulk(all.data(), kFrames - 1);
        BOOST_TEST(rte_mempool_in_use_count(u.pool()) == 0U);
    }
}

BOOST_AUTO_TEST_CASE(too_much_memory_is_refused_with_a_sentence) {
    // More mbufs than EAL's memory has room for; their frames alone would fit.
    const auto umem = Umem::build("huge", 1U << 23, 256);
    BOOST_REQUIRE(!umem);
    BOOST_TEST(umem.error().text.find("huge: no memory for") == 0U);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace steer
