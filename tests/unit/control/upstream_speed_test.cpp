#include "control/observe/health/upstream_speed.h"

#include <boost/test/unit_test.hpp>

namespace steer {
namespace {

constexpr std::uint64_t kFirst = 100'000;
constexpr std::uint32_t kSlow = 200;
constexpr std::size_t kOf5Ms = 2, kOf500Ms = 8, kOfMore = 12;  // buckets

}  // namespace

BOOST_AUTO_TEST_SUITE(upstream_speed)

BOOST_AUTO_TEST_CASE(without_replies_nothing_is_known) {
    UpstreamSpeed speed;
    BOOST_TEST(!speed.is_slower_than(1, kSlow));
    speed.see(1, {}, kFirst);
    speed.see(1, {}, kFirst + 60'000);
    BOOST_TEST(!speed.is_slower_than(1, kSlow));
}

BOOST_AUTO_TEST_CASE(one_fast_reply_among_slow_ones_is_enough) {
    UpstreamSpeed speed;
    UpstreamSpeed::Replies replies{};
    speed.see(1, replies, kFirst);
    replies[kOfMore] = 500;
    replies[kOf500Ms] = 20;
    speed.see(1, replies, kFirst + 100);
    BOOST_TEST(speed.is_slower_than(1, kSlow));
    replies[kOf5Ms] = 1;
    speed.see(1, replies, kFirst + 200);
    BOOST_TEST(!speed.is_slower_than(1, kSlow));
}

BOOST_AUTO_TEST_CASE(a_fast_reply_counts_for_two_windows) {
    UpstreamSpeed speed;
    UpstreamSpeed::Replies replies{};
    replies[kOf5Ms] = 7;
    speed.see(1, replies, kFirst);  // what arrived before it is not checked
    replies[kOf5Ms] = 8;
    speed.see(1, replies, kFirst + 100);
    std::uint64_t now_ms = kFirst;
    for (; now_ms < kFirst + 2 * UpstreamSpeed::kWindowMs; now_ms += 1'000) {
        replies[kOf500Ms] += 1;
        speed.see(1, replies, now_ms + 100);
        BOOST_TEST(!speed.is_slower_than(1, kSlow), now_ms - kFirst);
    }
    replies[kOf500Ms] += 1;
    speed.see(1, replies, now_ms + 100);
    BOOST_TEST(speed.is_slower_than(1, kSlow));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace steer
