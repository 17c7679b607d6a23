// When it is said that an upstream is silent, and how often.
#include "control/health/silent_upstreams.h"

#include <boost/test/unit_test.hpp>

namespace steer {
namespace {

constexpr std::uint64_t kMinute = 60'000;

Upstream upstream(std::uint16_t id, std::string name) {
    Upstream one{};
    one.id = id;
    one.name = std::move(name);
    return one;
}

BOOST_AUTO_TEST_SUITE(silent_upstreams)

BOOST_AUTO_TEST_CASE(silence_and_its_end_are_reported_once) {
    SilentUpstreams watch;
    const Upstream first = upstream(1, "udp://192.0.2.1:53");
    const Upstream second = upstream(2, "udp://192.0.2.2:53");
    BOOST_TEST(watch.look(first, {10, 0}, 0).empty());
    BOOST_TEST(watch.look(first, {10, 4}, 100).empty());  // packets are lost
    BOOST_TEST(watch.look(first, {10, 5}, 200)
                   .starts_with("upstream udp://192.0.2.1:53 does not answer (5 queries since its "
                                "last reply): check that"));
    BOOST_TEST(watch.look(first, {10, 500}, 300).empty());
    BOOST_TEST(watch.look(first, {10, 500}, 10 * kMinute).empty());
    BOOST_TEST(watch.look(second, {7, 0}, 10 * kMinute).empty());
    BOOST_TEST(watch.look(first, {11, 0}, 11 * kMinute) ==
               "upstream udp://192.0.2.1:53 answers again");
    BOOST_TEST(watch.look(first, {12, 0}, 11 * kMinute).empty());
}

BOOST_AUTO_TEST_CASE(an_upstream_that_never_answered_is_silent) {
    SilentUpstreams watch;
    BOOST_TEST(watch.look(upstream(1, "a"), {0, 4}, 0).empty());
    BOOST_TEST(!watch.look(upstream(1, "a"), {0, 5}, 0).empty());
}

BOOST_AUTO_TEST_CASE(an_unstable_upstream_does_not_flood_the_log) {
    SilentUpstreams watch;
    int sentences = 0;
    for (std::uint64_t now_ms = 0; now_ms < 10 * kMinute; now_ms += 100) {
        const bool answers = now_ms / 1000 % 2 == 0;
        const SilentUpstreams::Heard heard{now_ms / 2000, answers ? 0U : 9U};
        if (!watch.look(upstream(1, "a"), heard, now_ms).empty()) ++sentences;
    }
    BOOST_TEST(sentences >= 10);
    BOOST_TEST(sentences <= 20);  // it is silent, it answers again: once a minute
}

BOOST_AUTO_TEST_CASE(silence_is_forgotten_half_a_minute_after_the_last_query) {
    SilentUpstreams watch;
    const auto look = [&](std::uint64_t replies, std::uint64_t unanswered, std::uint64_t now_ms) {
        (void)watch.look(upstream(1, "a"), {replies, unanswered}, now_ms);
        return watch.is_silent(1, now_ms, SilentUpstreams::kForgetMs);
    };
    BOOST_TEST(!watch.is_silent(1, 0, SilentUpstreams::kEver));
    BOOST_TEST(!look(10, 0, 1'000));
    BOOST_TEST(!look(10, 4, 1'100));
    BOOST_TEST(look(10, 5, 1'200));
    BOOST_TEST(look(10, 6, 20'000));
    BOOST_TEST(look(10, 6, 49'900));
    BOOST_TEST(!look(10, 6, 50'000));  // no query for half a minute
    BOOST_TEST(watch.is_silent(1, kMinute, SilentUpstreams::kEver));
    BOOST_TEST(look(10, 7, 50'100));
    BOOST_TEST(!look(11, 7, 50'200));  // another worker's count: it answered
    BOOST_TEST(!watch.is_silent(1, 50'200, SilentUpstreams::kEver));
    BOOST_TEST(!look(11, 0, 50'300));
    BOOST_TEST(!look(12, 3, 50'400));
}

// Replies to one worker count for all of them.
BOOST_AUTO_TEST_CASE(an_upstream_that_answers_one_worker_is_not_silent) {
    SilentUpstreams watch;
    for (std::uint64_t replies = 1; replies < 100; ++replies)
        BOOST_TEST(watch.look(upstream(1, "a"), {replies, 9}, replies * 100).empty());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace steer
