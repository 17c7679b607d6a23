// When elements end that we remove ourselves.
#include <boost/test/unit_test.hpp>

#include <cmath>
#include <string>

#include "control/sinks/set_process/element_ends.h"

using namespace steer;
using namespace steer::sets;

namespace {

const matchers::Prefix kA = matchers::Prefix::parse("203.0.113.7").value();
const matchers::Prefix kB = matchers::Prefix::parse("203.0.113.8").value();

ElementEnds ends_of(std::uint32_t linger_s, std::uint32_t apart_s, std::size_t most = 100) {
    ElementEnds ends;
    ends.configure({.linger_s = linger_s, .apart_s = apart_s}, most);
    return ends;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(element_ends)

BOOST_AUTO_TEST_CASE(an_element_ends_after_lease_and_linger) {
    const auto ends = ends_of(300, 1800);
    BOOST_TEST(ends.end_of(kA, 1000).at_s == 1300U);
    BOOST_TEST(!ends.end_of(kA, 1000).is_damped);
    BOOST_TEST(ends.end_of(kA, UINT32_MAX - 5).at_s == UINT32_MAX);
}

BOOST_AUTO_TEST_CASE(an_element_that_returns_stays_until_its_removals_are_apart) {
    auto ends = ends_of(10, 1800);
    ends.removed(kA, 1000);
    BOOST_TEST(ends.end_of(kA, 1100).at_s == 2800U);
    BOOST_TEST(ends.end_of(kA, 1100).is_damped);
    BOOST_TEST(ends.end_of(kB, 1100).at_s == 1110U);
    BOOST_TEST(ends.end_of(kA, 5000).at_s == 5010U);  // a long lease
    ends.forget(2800);
    BOOST_TEST(!ends.end_of(kA, 2790).is_damped);  // it is forgotten
}

BOOST_AUTO_TEST_CASE(memory_of_removals_is_bounded_and_the_newest_stay) {
    auto ends = ends_of(0, 1800, 2);
    const auto third = matchers::Prefix::parse("203.0.113.9").value();
    for (const auto& one : {kA, kB, third})
        ends.removed(one, 1000);
    BOOST_TEST(!ends.end_of(kA, 1000).is_damped);
    BOOST_TEST(ends.end_of(third, 1000).is_damped);
}

// The penalty of RFC 2439 at a peer, with the default settings of two makers: `per_flap` for a withdrawal and the
// announcement after it, a half-life of 15 minutes. A route that is withdrawn whenever we allow it is never suppressed.
BOOST_AUTO_TEST_CASE(the_default_interval_keeps_penalties_below_the_usual_limits) {
    struct Maker {
        double per_flap, suppress;
    };
    for (const Maker& maker : {Maker{1000, 2000}, Maker{2000, 3000}}) {
        auto ends = ends_of(300, 1800);
        double penalty = 0, highest = 0;
        std::uint32_t now_s = 1000, last_s = now_s;
        for (int i = 0; i < 50; ++i) {
            now_s = ends.end_of(kA, now_s + 1).at_s;  // asked at once, with a lease of a second
            penalty = penalty * std::exp2(-double(now_s - last_s) / 900) + maker.per_flap;
            highest = std::max(highest, penalty);
            last_s = now_s;
            ends.removed(kA, now_s);
        }
        BOOST_TEST(highest < maker.suppress);
        BOOST_TEST(highest > maker.suppress / 2);
    }
}

BOOST_AUTO_TEST_SUITE_END()
