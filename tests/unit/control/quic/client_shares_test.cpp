#include "control/streams/quic/client_shares.h"

#include <boost/test/unit_test.hpp>

using namespace steer;
using namespace steer::quic;

namespace {

IpAddress address(const char* text) {
    return *IpAddress::parse(text);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(client_shares)

BOOST_AUTO_TEST_CASE(a_new_handshake_replaces_the_oldest_one_of_the_client_that_has_most) {
    OpenHandshakes open;
    const auto few = address("192.0.2.1"), many = address("192.0.2.2"),
               other = address("192.0.2.3");
    open.add(1, few);
    for (std::uint64_t number = 2; number <= 4; ++number)
        open.add(number, many);
    BOOST_TEST(open.oldest() == 1U);
    BOOST_TEST(open.of(many) == 3U);
    BOOST_TEST((open.replaceable_by(other) == 2U));
    BOOST_TEST((open.replaceable_by(few) == 2U));  // both have two then
    BOOST_TEST((open.replaceable_by(many) == std::nullopt));
    open.remove(2);
    open.remove(2);
    BOOST_TEST(open.size() == 3U);
    BOOST_TEST((open.replaceable_by(other) == 3U));
    BOOST_TEST((open.replaceable_by(few) == std::nullopt));
}

BOOST_AUTO_TEST_CASE(addresses_of_a_network_and_handshakes_without_a_proof_are_one_client) {
    OpenHandshakes open;
    open.add(1, std::nullopt);
    open.add(2, std::nullopt);
    open.add(3, std::nullopt);
    BOOST_TEST((open.replaceable_by(address("192.0.2.1")) == 1U));
    open.add(6, address("::1"));
    BOOST_TEST(open.of(address("::1")) == 1U);  // whose network is all zeros
    open.remove(6);
    open.add(4, address("2001:db8::1"));
    open.add(5, address("2001:db8::2"));
    BOOST_TEST(open.of(address("2001:db8::3")) == 2U);
    for (std::uint64_t number = 1; number <= 5; ++number)
        open.remove(number);
    BOOST_TEST(open.size() == 0U);
    BOOST_TEST(open.of(address("2001:db8::3")) == 0U);
    BOOST_TEST((open.replaceable_by(address("192.0.2.1")) == std::nullopt));
}

BOOST_AUTO_TEST_CASE(early_data_of_a_client_has_a_share_of_each_window) {
    EarlyDataShares early;
    const auto one = address("192.0.2.1"), other = address("192.0.2.2");
    for (unsigned i = 0; i < EarlyDataShares::kMostOfClient; ++i)
        BOOST_TEST_REQUIRE(early.take(one, 1));
    BOOST_TEST(!early.take(one, 1));
    BOOST_TEST(early.take(other, 1));
    BOOST_TEST(!early.take(one, EarlyDataShares::kWindow - 1));
    BOOST_TEST(early.take(one, EarlyDataShares::kWindow));
}

BOOST_AUTO_TEST_SUITE_END()
