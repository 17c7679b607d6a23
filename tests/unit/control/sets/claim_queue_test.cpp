#include "control/sinks/kernel_sets/waiting_claims.h"

#include <boost/test/unit_test.hpp>

namespace steer::kernel_sets {
namespace {

sets::Installed row(std::uint8_t n, std::uint32_t until_s, ListId list = 1) {
    const std::uint8_t four[] = {192, 0, 2, n};
    return {list, IpAddress::from_v4(four), until_s};
}

BOOST_AUTO_TEST_SUITE(waiting_claims)

BOOST_AUTO_TEST_CASE(a_row_that_is_claimed_again_keeps_its_place_and_the_later_end) {
    WaitingClaims claims(8);
    for (const auto& one : {row(1, 50), row(2, 60), row(1, 70), row(2, 40), row(1, 55, 2)})
        BOOST_TEST(claims.add(one, 0));
    BOOST_TEST_REQUIRE(claims.size() == 3U);
    auto all = claims.first(8);
    BOOST_TEST(all[0].until_s == 70U);
    BOOST_TEST(all[1].until_s == 60U);
    BOOST_TEST(all[2].list == 2);
    claims.drop_first(1);
    BOOST_TEST(claims.add(row(2, 90), 0));  // found where it is now
    BOOST_TEST(claims.add(row(1, 30), 0));  // not there any more
    all = claims.first(2);
    BOOST_TEST_REQUIRE(claims.size() == 3U);
    BOOST_TEST_REQUIRE(all.size() == 2U);
    BOOST_TEST(all[0].until_s == 90U);
}

BOOST_AUTO_TEST_CASE(rows_that_ended_make_room_at_most_once_a_second) {
    WaitingClaims claims(2);
    BOOST_TEST(claims.add(row(1, 10), 5));
    BOOST_TEST(claims.add(row(2, 20), 5));
    BOOST_TEST(!claims.add(row(3, 20), 9));
    BOOST_TEST(claims.add(row(3, 20), 10));
    BOOST_TEST(!claims.add(row(4, 30), 19));
    BOOST_TEST(!claims.add(row(4, 30), 19));
    BOOST_TEST(claims.add(row(4, 30), 20));
    BOOST_TEST(claims.size() == 1U);
}

BOOST_AUTO_TEST_CASE(a_dropped_claim_is_forgotten) {
    WaitingClaims claims(8);
    for (const auto& one : {row(1, 50, 1), row(2, 60, 2), row(3, 70, 1)})
        BOOST_TEST(claims.add(one, 0));
    claims.drop_if([](const sets::Installed& one) { return one.list == 1; });
    BOOST_TEST(claims.size() == 1U);
    BOOST_TEST(claims.add(row(2, 80, 2), 0));
    BOOST_TEST(claims.size() == 1U);
    BOOST_TEST(claims.first(1)[0].until_s == 80U);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace steer::kernel_sets
