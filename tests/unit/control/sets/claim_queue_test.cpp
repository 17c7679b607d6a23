#include "control/sinks/set_process/claim_queue.h"

#include <boost/test/unit_test.hpp>
#include <string>

namespace steer::sets {
namespace {

ClaimRow queue_row(std::uint8_t n, std::uint32_t until_s, ListId list = 1) {
    const std::uint8_t four[] = {192, 0, 2, n};
    return {{list, IpAddress::from_v4(four), until_s}};
}
// Of this client and name.
ClaimRow owned_row(std::uint8_t n, std::uint8_t client, const std::string& name) {
    const std::uint8_t four[] = {10, 0, 0, client};
    ClaimRow row = queue_row(n, 50);
    row.origin = {name, IpAddress::from_v4(four)};
    row.holders = routeros::Shares::holders_of(0, {name, row.origin.client->bytes});
    return row;
}

BOOST_AUTO_TEST_SUITE(claim_queue)

BOOST_AUTO_TEST_CASE(a_row_that_is_claimed_again_keeps_its_place_and_the_later_end) {
    ClaimQueue claims;
    for (const auto& one : {queue_row(1, 50), queue_row(2, 60), queue_row(1, 70), queue_row(2, 40),
                            queue_row(1, 55, 2)})
        BOOST_TEST(claims.add(one, 8, 0).is_taken);
    BOOST_TEST_REQUIRE(claims.size() == 3U);
    auto all = claims.first(8);
    BOOST_TEST(all[0].what.until_s == 70U);
    BOOST_TEST(all[1].what.until_s == 60U);
    BOOST_TEST(all[2].what.list == 2);
    claims.drop_first(1);
    BOOST_TEST(claims.add(queue_row(2, 90), 8, 0).is_taken);  // found where it is now
    BOOST_TEST(claims.add(queue_row(1, 30), 8, 0).is_taken);  // not there any more
    all = claims.first(2);
    BOOST_TEST_REQUIRE(claims.size() == 3U);
    BOOST_TEST_REQUIRE(all.size() == 2U);
    BOOST_TEST(all[0].what.until_s == 90U);
    BOOST_TEST(claims.first(3)[2].what.until_s == 30U);
}

BOOST_AUTO_TEST_CASE(rows_that_ended_make_room) {
    ClaimQueue claims;
    BOOST_TEST(claims.add(queue_row(1, 10), 2, 5).is_taken);
    BOOST_TEST(claims.add(queue_row(2, 20), 2, 5).is_taken);
    BOOST_TEST(!claims.add(queue_row(3, 20), 2, 9).is_taken);
    BOOST_TEST(claims.add(queue_row(3, 20), 2, 10).is_taken);
    BOOST_TEST(!claims.add(queue_row(4, 30), 2, 19).is_taken);
    BOOST_TEST((claims.refusal().why == routeros::ClaimRefusal::list));
    BOOST_TEST(claims.add(queue_row(4, 30), 2, 20).is_taken);
    BOOST_TEST_REQUIRE(claims.size() == 1U);
    BOOST_TEST(claims.first(9).size() == 1U);
}

BOOST_AUTO_TEST_CASE(a_dropped_claim_is_forgotten) {
    ClaimQueue claims;
    for (const auto& one : {queue_row(1, 50, 1), queue_row(2, 60, 2), queue_row(3, 70, 1)})
        BOOST_TEST(claims.add(one, 8, 0).is_taken);
    claims.drop_if([](const Installed& one) { return one.list == 1; });
    BOOST_TEST(claims.size() == 1U);
    BOOST_TEST(claims.add(queue_row(2, 80, 2), 8, 0).is_taken);
    BOOST_TEST(claims.size() == 1U);
    BOOST_TEST(claims.first(1)[0].what.until_s == 80U);
}

BOOST_AUTO_TEST_CASE(a_client_has_its_share_and_a_full_queue_gives_up_a_row_of_the_largest) {
    ClaimQueue claims;
    const routeros::ClaimBounds bounds{10, {SIZE_MAX, SIZE_MAX, 6}};
    for (std::uint8_t n = 0; n < 6; ++n)
        BOOST_TEST(claims.add(owned_row(n, 66, "a.example"), bounds, 0).is_taken);
    BOOST_TEST(!claims.add(owned_row(6, 66, "b.example"), bounds, 0).is_taken);
    BOOST_TEST(claims.refusal().of_client);
    for (std::uint8_t n = 10; n < 14; ++n)
        BOOST_TEST(claims.add(owned_row(n, 7, "c.example"), bounds, 0).is_taken);
    const auto added = claims.add(owned_row(20, 8, "d.example"), bounds, 0);
    BOOST_TEST(added.is_taken);
    BOOST_TEST_REQUIRE(added.evicted.has_value());
    BOOST_TEST(added.evicted->what.address.bytes[15] < 6);
    BOOST_TEST(added.evicted->origin.name == "a.example");
    const auto all = claims.first(10);
    BOOST_TEST_REQUIRE(all.size() == 10U);
    BOOST_TEST(all.back().origin.name == "d.example");
    BOOST_TEST((all.back().holders == owned_row(20, 8, "d.example").holders));
}

// Else the claim would be refused for the one whose share is full.
BOOST_AUTO_TEST_CASE(a_row_of_two_is_that_of_the_smaller_share) {
    ClaimQueue claims;
    const routeros::ClaimBounds bounds{10, {SIZE_MAX, SIZE_MAX, 6}};
    for (std::uint8_t n = 0; n < 6; ++n)
        BOOST_TEST(claims.add(owned_row(n, 66, "evil.example"), bounds, 0).is_taken);
    BOOST_TEST(claims.add(owned_row(0, 7, "good.example"), bounds, 0).is_taken);
    const auto all = claims.first(10);
    BOOST_TEST_REQUIRE(all.size() == 6U);
    BOOST_TEST(all[0].origin.name == "good.example");
    BOOST_TEST(all[0].origin.client->bytes[15] == 7);
    BOOST_TEST(all[1].origin.name == "evil.example");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace steer::sets
