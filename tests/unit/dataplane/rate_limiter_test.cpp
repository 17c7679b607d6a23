// A client's bucket: what it holds, how it fills, who shares it.
#include "dataplane/policy/rate_limiter.h"

#include <atomic>
#include <boost/test/unit_test.hpp>
#include <thread>
#include <vector>

namespace steer::test {
namespace {

IpAddress address(const std::string& text) {
    return IpAddress::parse(text).value();
}

struct World {
    explicit World(const RateLimit& limit, std::uint32_t lines = 64) : limiter(limit, lines) {}

    bool take(const std::string& client) { return limiter.take(address(client), hasher, now); }
    unsigned taken(const std::string& client, unsigned of) {
        unsigned n = 0;
        for (unsigned i = 0; i < of; ++i)
            n += take(client) ? 1U : 0U;
        return n;
    }

    std::array<std::uint8_t, 16> secret{3};
    cache::KeyHasher hasher{secret};
    RateLimiter limiter;
    Now now{1'000'000};
};

}  // namespace

BOOST_AUTO_TEST_SUITE(rate_limiter)

BOOST_AUTO_TEST_CASE(a_bucket_holds_a_burst_and_fills_by_the_second) {
    World w({.qps = 20, .burst = 40});
    BOOST_TEST(w.taken("192.0.2.1", 100) == 40U);
    w.now.ms += 49;
    BOOST_TEST(!w.take("192.0.2.1"));
    w.now.ms += 1;
    BOOST_TEST(w.taken("192.0.2.1", 5) == 1U);
    w.now.ms += 1000;
    BOOST_TEST(w.taken("192.0.2.1", 100) == 20U);
    w.now.ms += 1'000'000;
    BOOST_TEST(w.taken("192.0.2.1", 100) == 40U);
    // Also when the ticks wrap around, and long after.
    for (unsigned day = 0; day < 30; ++day) {
        w.now.ms += 86'400'000;
        BOOST_TEST(w.taken("192.0.2.1", 100) == 40U);
    }
}

BOOST_AUTO_TEST_CASE(rates_may_be_fractions_and_as_large_as_32_bits) {
    World slow({.qps = 0.5, .burst = 1});
    BOOST_TEST(slow.taken("192.0.2.1", 5) == 1U);
    slow.now.ms += 1999;
    BOOST_TEST(!slow.take("192.0.2.1"));
    slow.now.ms += 1;
    BOOST_TEST(slow.take("192.0.2.1"));
    World fast({.qps = 4294967295.0, .burst = UINT32_MAX});
    BOOST_TEST(fast.taken("192.0.2.1", 100'000) == 100'000U);
    // No more than refill in a day.
    World large({.qps = 1, .burst = UINT32_MAX});
    BOOST_TEST(large.taken("192.0.2.1", 100'000) == RateLimiter::kLongestRefillS);
    World rare({.qps = 0.001, .burst = UINT32_MAX});
    BOOST_TEST(rare.taken("192.0.2.1", 100) == 86U);
}

BOOST_AUTO_TEST_CASE(a_client_is_the_prefix_of_the_mask) {
    World w({.qps = 1, .burst = 2, .mask4 = 24, .mask6 = 48});
    BOOST_TEST(w.taken("192.0.2.1", 5) == 2U);
    BOOST_TEST(w.taken("192.0.2.255", 5) == 0U);
    BOOST_TEST(w.taken("192.0.3.1", 5) == 2U);
    BOOST_TEST(w.taken("2001:db8:1::1", 5) == 2U);
    BOOST_TEST(w.taken("2001:db8:1:ffff::1", 5) == 0U);
    BOOST_TEST(w.taken("2001:db8:2::1", 5) == 2U);
    World all({.qps = 1, .burst = 2, .mask4 = 0, .mask6 = 0});
    BOOST_TEST(all.taken("192.0.2.1", 5) == 2U);
    BOOST_TEST(all.taken("203.0.113.1", 5) == 0U);
    BOOST_TEST(all.taken("2001:db8::1", 5) == 2U);  // a family for itself
    World one({.qps = 1, .burst = 1, .mask4 = 31, .mask6 = 127});
    BOOST_TEST(one.taken("192.0.2.2", 5) == 1U);
    BOOST_TEST(one.taken("192.0.2.3", 5) == 0U);
    BOOST_TEST(one.taken("192.0.2.4", 5) == 1U);
}

BOOST_AUTO_TEST_CASE(the_most_active_clients_keep_their_limit_with_too_few_buckets) {
    World w({.qps = 1, .burst = 10}, 1);
    for (unsigned i = 0; i < 10; ++i)
        BOOST_TEST(w.take("192.0.2.1"));
    for (unsigned i = 0; i < 200; ++i)
        BOOST_TEST(w.take("198.51.100." + std::to_string(i)));
    BOOST_TEST(!w.take("192.0.2.1"));
}

BOOST_AUTO_TEST_CASE(workers_share_a_bucket) {
    World w({.qps = 1, .burst = 5000});
    std::atomic<unsigned> taken{0};
    std::vector<std::thread> workers;
    workers.reserve(4);
    for (unsigned i = 0; i < 4; ++i) {
        workers.emplace_back([&] { taken += w.taken("192.0.2.1", 3000); });
    }
    for (auto& worker : workers)
        worker.join();
    BOOST_TEST(taken == 5000U);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace steer::test
