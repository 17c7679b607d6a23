#include "control/streams/quic/memory.h"

#include <boost/test/unit_test.hpp>

using namespace steer::quic;

namespace {

constexpr std::uint64_t kMiB = std::uint64_t{1} << 20;

}  // namespace

BOOST_AUTO_TEST_SUITE(memory)

BOOST_AUTO_TEST_CASE(connections_and_what_is_held_fit) {
    for (const std::uint64_t total : {512 * kMiB, 4096 * kMiB, 24'000 * kMiB}) {
        for (const unsigned threads : {1U, 4U, 8U}) {
            const Memory memory = memory_of(total, threads);
            const std::uint64_t used =
                memory.connections * kBytesPerConnection + threads * kHeldPerThread + kOtherBytes;
            BOOST_TEST(used <= memory.bytes);
            BOOST_TEST(used > memory.bytes - kBytesPerConnection);
            BOOST_TEST(memory.connections >= kLeastConnections);
            BOOST_TEST((memory.bytes == total / 4 || memory.connections == kLeastConnections));
        }
    }
    BOOST_TEST(memory_of(4096 * kMiB, 1).connections == 7'021U);
}

BOOST_AUTO_TEST_CASE(servers_share_what_there_is) {
    BOOST_TEST(part_of_connections(10'000, 20'000, 20'000) == 10'000U);
    BOOST_TEST(part_of_connections(10'000, 20'000, 7'000) == 3'500U);
    BOOST_TEST(part_of_connections(1'000'000, 1'001'000, 7'000) == 6'993U);
    BOOST_TEST(part_of_connections(1, 1'000'001, 7'000) == 1U);
}

BOOST_AUTO_TEST_SUITE_END()
