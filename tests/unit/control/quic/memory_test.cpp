#include "control/streams/quic/memory.h"

#include <boost/test/unit_test.hpp>

using namespace steer::quic;

namespace {

constexpr std::uint64_t kMiB = std::uint64_t{1} << 20;

}  // namespace

BOOST_AUTO_TEST_SUITE(memory)

BOOST_AUTO_TEST_CASE(what_is_counted_and_what_is_not_are_a_quarter_of_the_box) {
    for (const std::uint64_t total : {256 * kMiB, 512 * kMiB, 1024 * kMiB, 4096 * kMiB}) {
        for (const unsigned threads : {1U, 2U, 4U}) {
            const Memory memory = memory_of(total, threads);
            BOOST_TEST(memory.bytes + kOtherBytes + threads * kThreadBytes <=
                       total / 4 + kBaseBytes);
            BOOST_TEST(memory.reserve >= memory.bytes / 16);
            BOOST_TEST(memory.reserve <= memory.bytes / 4);
            BOOST_TEST(memory.connections * kIdleBytes <= memory.bytes - memory.reserve);
            BOOST_TEST(memory.data > memory.bytes);
        }
    }
}

BOOST_AUTO_TEST_CASE(servers_share_what_there_is) {
    BOOST_TEST(part_of_connections(10'000, 20'000, 20'000) == 10'000U);
    BOOST_TEST(part_of_connections(10'000, 20'000, 7'000) == 3'500U);
    BOOST_TEST(part_of_connections(1'000'000, 1'001'000, 7'000) == 6'993U);
    BOOST_TEST(part_of_connections(1, 1'000'001, 7'000) == 1U);
}

BOOST_AUTO_TEST_SUITE_END()
