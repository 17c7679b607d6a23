#include "dataplane/base/buffer.h"

#include <boost/test/unit_test.hpp>
#include <thread>
#include <vector>

#include "dataplane/base/clock.h"

using namespace steer;

BOOST_AUTO_TEST_SUITE(buffer)

BOOST_AUTO_TEST_CASE(buffers_have_two_sizes_and_start_empty) {
    BufferPools pools{8, 2};
    Buffer* small = pools.take(kSmallBuffer);
    Buffer* large = pools.take(kSmallBuffer + 1);
    BOOST_TEST(small->capacity == kSmallBuffer);
    BOOST_TEST(large->capacity == kLargeBuffer);
    BOOST_TEST(pools.take(kLargeBuffer + 1) == nullptr);
    BOOST_TEST(reinterpret_cast<std::uintptr_t>(small->data()) % 8 == 0U);
    small->length = 5;
    small->serial = 6;
    small->born_ms = 7;
    release(small);
    BOOST_TEST(pools.in_use() == 1U);
    for (int i = 0; i < 8; ++i) {
        small = pools.take(0);
        BOOST_TEST(small->length == 0U);
        BOOST_TEST(small->serial == 0U);
        BOOST_TEST(small->born_ms == 0);
    }
    BOOST_TEST(pools.take(1) == nullptr);
    BOOST_TEST(pools.take(kSmallBuffer + 1) != nullptr);
    BOOST_TEST(pools.take(kSmallBuffer + 1) == nullptr);
    release(nullptr);
}

BOOST_AUTO_TEST_CASE(the_last_reference_frees_a_buffer) {
    BufferPools pools{8, 2};
    Buffer* b = pools.take(1);
    hold(b);
    hold(b);
    release(b);
    release(b);
    BOOST_TEST(pools.in_use() == 1U);
    release(b);
    BOOST_TEST(pools.in_use() == 0U);
}

BOOST_AUTO_TEST_CASE(threads_without_an_lcore_id_may_use_the_pools) {
    BufferPools pools{64, 2};
    std::vector<std::thread> threads;
    std::atomic<unsigned> taken{0};
    for (int t = 0; t < 4; ++t) {
        threads.emplace_back([&] {
            for (int i = 0; i < 5000; ++i) {
                Buffer* b = pools.take(100);
                if (b == nullptr) continue;
                ++taken;
                hold(b);
                release(b);
                release(b);
            }
        });
    }
    for (auto& t : threads)
        t.join();
    BOOST_TEST(taken.load() > 0U);
    BOOST_TEST(pools.in_use() == 0U);
}

BOOST_AUTO_TEST_CASE(the_clock_advances) {
    BootClock clock;
    const Now a = clock.now();
    const Now b = clock.now();
    BOOST_TEST(a.ms > 0U);
    BOOST_TEST(b.ms >= a.ms);
    BOOST_TEST(Now{12999}.s() == 12U);
}

BOOST_AUTO_TEST_SUITE_END()
