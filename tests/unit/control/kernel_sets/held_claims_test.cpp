#include "control/sinks/kernel_sets/held_claims.h"

#include <array>
#include <boost/test/unit_test.hpp>

namespace steer::kernel_sets {
namespace {

using Tokens = HeldClaims::Tokens;

const std::array kTwo{*IpAddress::parse("192.0.2.1"), *IpAddress::parse("2001:db8::1")};

BOOST_AUTO_TEST_SUITE(held_claims)

BOOST_AUTO_TEST_CASE(a_token_is_done_with_its_last_row) {
    HeldClaims held(8);
    BOOST_TEST(held.add(11, 1, kTwo, 50, 0));
    BOOST_TEST(held.add(12, 2, kTwo, 50, 0));
    BOOST_TEST(held.written({1, kTwo[0], 50}).empty());
    BOOST_TEST(held.written({1, kTwo[0], 50}).empty());  // the same one
    BOOST_TEST((held.written({1, kTwo[1], 60}) == Tokens{11}));
    BOOST_TEST(held.written({1, kTwo[1], 60}).empty());
    BOOST_TEST(held.size() == 1U);
}

BOOST_AUTO_TEST_CASE(a_row_that_ends_too_early_does_not_count) {
    HeldClaims held(8);
    BOOST_TEST(held.add(11, 1, std::span(kTwo).first(1), 50, 0));
    BOOST_TEST(held.add(12, 1, std::span(kTwo).first(1), 51, 0));
    BOOST_TEST((held.written({1, kTwo[0], 50}) == Tokens{11}));
    BOOST_TEST((held.written({1, kTwo[0], 51}) == Tokens{12}));
}

BOOST_AUTO_TEST_CASE(an_address_that_an_answer_has_twice_counts_once) {
    HeldClaims held(8);
    const std::array twice{kTwo[0], kTwo[0]};
    BOOST_TEST(held.add(11, 1, twice, 50, 0));
    BOOST_TEST((held.written({1, kTwo[0], 50}) == Tokens{11}));
}

BOOST_AUTO_TEST_CASE(a_refused_row_ends_all_that_wait_for_it) {
    HeldClaims held(8);
    const std::array twice{kTwo[0], kTwo[0], kTwo[1]};
    BOOST_TEST(held.add(11, 1, twice, 50, 0));
    BOOST_TEST(held.add(12, 1, std::span(kTwo).last(1), 50, 0));
    BOOST_TEST((held.refused({1, kTwo[0], 50}) == Tokens{11}));
    BOOST_TEST(held.refused({1, kTwo[0], 50}).empty());
    BOOST_TEST((held.written({1, kTwo[1], 50}) == Tokens{12}));
}

BOOST_AUTO_TEST_CASE(those_of_a_list_and_old_ones_end) {
    HeldClaims held(8);
    BOOST_TEST(held.add(11, 1, kTwo, 50, 1'000));
    BOOST_TEST(held.add(12, 2, kTwo, 50, 2'000));
    BOOST_TEST(held.add(13, 1, kTwo, 50, 3'000));
    BOOST_TEST((held.end_before(2'000) == Tokens{11}));
    BOOST_TEST((held.end(1) == Tokens{13}));
    BOOST_TEST(held.written({1, kTwo[0], 50}).empty());
    BOOST_TEST(held.written({2, kTwo[0], 50}).empty());
    BOOST_TEST((held.written({2, kTwo[1], 50}) == Tokens{12}));
}

BOOST_AUTO_TEST_CASE(no_more_wait_than_may) {
    HeldClaims held(1);
    BOOST_TEST(held.add(11, 1, kTwo, 50, 0));
    BOOST_TEST(!held.add(12, 1, kTwo, 50, 0));
    BOOST_TEST(held.end(1).size() == 1U);
    BOOST_TEST(held.add(12, 1, kTwo, 50, 0));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace steer::kernel_sets
