// The elements of an alias: claims, work, and what a read of the table changes.
#include "control/sinks/opnsense/alias_state.h"

#include <boost/test/unit_test.hpp>
#include <string>
#include <vector>

namespace steer::opnsense {
namespace {

const IpAddress kStateA = *IpAddress::parse("203.0.113.7");
const IpAddress kStateB = *IpAddress::parse("203.0.113.8");
const IpAddress kStateSix = *IpAddress::parse("2001:db8::7");

AliasState state_of(std::size_t most = 100) {
    return AliasState({.name = "stream",
                       .list = 1,
                       .tag = "stream",
                       .v4 = true,
                       .max_elements = most,
                       .longest_life_s = 100});
}

// Adds an element, as a reply at `now_ms` says.
void put(AliasState& state, const IpAddress& address, std::uint64_t until_ms,
         std::uint64_t now_ms) {
    BOOST_TEST((state.claim(address, until_ms, 0) == AliasState::Claimed::waits));
    BOOST_TEST(state.next_add(now_ms).value().to_string() == address.to_string());
    state.added(address, now_ms);
}

BOOST_AUTO_TEST_SUITE(alias_state)

BOOST_AUTO_TEST_CASE(a_claim_is_added_once_and_renewed_without_a_write) {
    AliasState state = state_of();
    put(state, kStateA, 10'000, 1'000);
    BOOST_TEST((state.claim(kStateA, 20'000, 7) == AliasState::Claimed::here));
    BOOST_TEST(!state.next_add(2'000));
    BOOST_TEST(!state.next_held(2'000));
    BOOST_TEST(state.here_until_ms(kStateA).value() == 20'000);
    BOOST_TEST(!state.next_ended(10'000));  // the end has been postponed
    BOOST_TEST(state.next_ended(20'000).value().address.to_string() == "203.0.113.7");
    state.deleted(kStateA, 20'050);
    BOOST_TEST(state.size() == 0);
    BOOST_TEST(state.waiting() == 0);
}

BOOST_AUTO_TEST_CASE(held_elements_come_first_and_keep_their_tokens) {
    AliasState state = state_of();
    state.claim(kStateA, 10'000, 0);
    state.claim(kStateB, 10'000, 7);
    BOOST_TEST(state.next_held(1'000).value().to_string() == "203.0.113.8");
    state.claim(kStateB, 10'000, 8);  // while it is being added
    state.added(kStateB, 1'010);
    BOOST_TEST((state.take_tokens(kStateB) == AliasState::Tokens{7, 8}));
    BOOST_TEST((state.take_tokens(kStateB).empty()));
    BOOST_TEST(state.next_add(1'020).value().to_string() == "203.0.113.7");
}

BOOST_AUTO_TEST_CASE(a_claim_that_ends_before_its_add_is_dropped) {
    AliasState state = state_of();
    state.claim(kStateA, 2'000, 0);
    BOOST_TEST(!state.next_add(2'000));
    BOOST_TEST(state.size() == 0);
}

BOOST_AUTO_TEST_CASE(a_full_alias_takes_no_more) {
    AliasState state = state_of(1);
    BOOST_TEST((state.claim(kStateA, 9'000, 0) == AliasState::Claimed::waits));
    BOOST_TEST((state.claim(kStateB, 9'000, 0) == AliasState::Claimed::refused));
    BOOST_TEST((state.claim(kStateA, 9'500, 0) == AliasState::Claimed::waits));
}

BOOST_AUTO_TEST_CASE(claims_that_ended_while_the_router_was_away_make_room) {
    AliasState state = state_of(2);
    put(state, kStateA, 5'000, 1'000);
    state.claim(kStateB, 5'000, 0);
    const IpAddress other = *IpAddress::parse("203.0.113.9");
    BOOST_TEST((state.claim(other, 9'000, 0) == AliasState::Claimed::refused));
    BOOST_TEST(!state.make_room(4'000));
    BOOST_TEST(!state.make_room(4'900));  // once a second
    BOOST_TEST(state.make_room(5'000));   // A is in the table, B was not added
    BOOST_TEST((state.claim(other, 9'000, 0) == AliasState::Claimed::waits));
    BOOST_TEST(state.next_ended(5'000).value().address.to_string() == "203.0.113.7");
    BOOST_TEST(!state.next_add(5'000).value().to_string().ends_with(".8"));
}

BOOST_AUTO_TEST_CASE(a_claim_during_its_deletion_adds_the_element_again) {
    AliasState state = state_of();
    put(state, kStateA, 5'000, 1'000);
    BOOST_TEST(state.next_ended(5'000).has_value());
    BOOST_TEST((state.claim(kStateA, 9'000, 0) == AliasState::Claimed::waits));
    state.deleted(kStateA, 5'100);
    BOOST_TEST(state.next_add(5'100).value().to_string() == "203.0.113.7");
    state.added(kStateA, 5'200);
    BOOST_TEST(state.next_ended(9'000).has_value());
}

BOOST_AUTO_TEST_CASE(hosts_of_the_first_read_are_adopted_and_end_after_the_longest_life) {
    AliasState state = state_of();
    const auto read = state.take_table({{kStateA, kStateSix}, 2}, 900, 1'000);
    BOOST_TEST(read.adopted == 1);
    BOOST_TEST(read.arrived.size() == 1);
    BOOST_TEST(state.foreign() == 3);  // two networks, and an address of another family
    BOOST_TEST(!state.next_ended(100'999));
    BOOST_TEST(state.next_ended(101'000).value().address.to_string() == "203.0.113.7");
}

BOOST_AUTO_TEST_CASE(a_claimed_host_that_is_there_needs_no_add) {
    AliasState state = state_of();
    state.claim(kStateA, 9'000, 7);
    const auto read = state.take_table({{kStateA}, 0}, 900, 1'000);
    BOOST_TEST(read.adopted == 0);
    BOOST_TEST(read.arrived.size() == 1);
    BOOST_TEST(!state.next_held(1'000));
    BOOST_TEST(state.here_until_ms(kStateA).value() == 9'000);
}

BOOST_AUTO_TEST_CASE(hosts_that_appear_later_are_foreign_and_never_deleted) {
    AliasState state = state_of();
    state.take_table({}, 900, 1'000);
    state.take_table({{kStateA}, 0}, 1'900, 2'000);
    BOOST_TEST(state.foreign() == 1);
    BOOST_TEST(state.size() == 0);
    BOOST_TEST((state.claim(kStateA, 5'000, 0) == AliasState::Claimed::here));
    state.take_table({{kStateA}, 0}, 2'900, 3'000);
    BOOST_TEST(state.foreign() == 1);
    const auto ended = state.next_ended(5'000);
    BOOST_REQUIRE(ended.has_value());
    BOOST_TEST(ended->is_foreign);
    BOOST_TEST((state.claim(kStateA, 5'800, 0) == AliasState::Claimed::here));  // before a read
    const auto again = state.next_ended(5'800);
    BOOST_REQUIRE(again.has_value());
    BOOST_TEST(again->is_foreign);
    state.take_table({{kStateA}, 0}, 5'900, 6'000);
    BOOST_TEST(state.foreign() == 1);
}

BOOST_AUTO_TEST_CASE(a_foreign_host_that_is_removed_while_claimed_becomes_ours) {
    AliasState state = state_of();
    state.take_table({}, 900, 1'000);
    state.take_table({{kStateA}, 0}, 1'900, 2'000);
    state.claim(kStateA, 9'000, 0);
    const auto read = state.take_table({}, 2'900, 3'000);
    BOOST_TEST(read.lost.size() == 1);
    BOOST_TEST(state.next_add(3'000).has_value());
    state.added(kStateA, 3'100);
    BOOST_TEST(!state.next_ended(9'000).value().is_foreign);
}

BOOST_AUTO_TEST_CASE(lost_elements_are_added_again_and_a_flush_is_noticed) {
    AliasState state = state_of();
    state.take_table({}, 500, 600);
    put(state, kStateA, 50'000, 1'000);
    put(state, kStateB, 50'000, 1'000);
    auto read = state.take_table({{kStateB}, 0}, 1'900, 2'000);
    BOOST_TEST(read.lost.size() == 1);
    BOOST_TEST(!read.all_lost);
    BOOST_TEST(state.next_add(2'000).value().to_string() == "203.0.113.7");
    state.added(kStateA, 2'100);
    read = state.take_table({}, 2'900, 3'000);
    BOOST_TEST(read.lost.size() == 2);
    BOOST_TEST(read.all_lost);
    BOOST_TEST(state.waiting() == 2);
}

BOOST_AUTO_TEST_CASE(a_read_that_began_before_a_write_does_not_undo_it) {
    AliasState state = state_of();
    state.take_table({}, 500, 600);
    put(state, kStateA, 5'000, 1'000);
    BOOST_TEST(state.take_table({}, 950, 1'100).lost.empty());  // asked for before it was added
    BOOST_TEST(state.next_ended(5'000).has_value());
    state.deleted(kStateA, 5'100);
    state.take_table({{kStateA}, 0}, 5'050, 5'200);  // asked for before it was deleted
    BOOST_TEST(state.foreign() == 0);
    BOOST_TEST(state.size() == 0);
}

BOOST_AUTO_TEST_CASE(an_element_that_stays_is_deleted_three_times_and_then_left) {
    AliasState state = state_of();
    state.take_table({}, 500, 600);
    put(state, kStateA, 2'000, 1'000);
    std::uint64_t now = 2'000;
    for (int i = 0; i < 3; ++i) {
        BOOST_TEST(state.next_ended(now).has_value());
        state.deleted(kStateA, now + 10);
        state.take_table({{kStateA}, 0}, now + 20, now + 30);
        now += 100;
    }
    BOOST_TEST(!state.next_ended(now));
    BOOST_TEST(state.foreign() == 1);
}

BOOST_AUTO_TEST_CASE(an_add_without_a_reply_is_repeated_or_its_element_deleted) {
    AliasState state = state_of();
    state.take_table({}, 500, 600);
    state.claim(kStateA, 5'000, 0);
    BOOST_TEST(state.next_add(1'000).has_value());
    state.reset_work();  // the connection broke: it may be there or not
    BOOST_TEST(state.next_add(1'100).has_value());
    state.reset_work();
    BOOST_TEST(!state.next_add(5'000));  // too late
    BOOST_TEST(state.next_ended(5'000).value().address.to_string() == "203.0.113.7");
    state.deleted(kStateA, 5'100);
    BOOST_TEST(state.size() == 0);
}

BOOST_AUTO_TEST_CASE(a_deletion_without_a_reply_is_repeated) {
    AliasState state = state_of();
    state.take_table({}, 500, 600);
    put(state, kStateA, 5'000, 1'000);
    BOOST_TEST(state.next_ended(5'000).has_value());
    state.reset_work();
    BOOST_TEST(state.next_ended(5'100).has_value());
}

BOOST_AUTO_TEST_CASE(tokens_of_an_alias_that_goes_away_are_given_back) {
    AliasState state = state_of();
    state.claim(kStateA, 5'000, 7);
    state.claim(kStateB, 5'000, 8);
    BOOST_TEST(state.take_tokens().size() == 2);
    BOOST_TEST(!state.has_held());
    BOOST_TEST(state.next_add(1'000).has_value());
    BOOST_TEST(state.next_add(1'000).has_value());
    BOOST_TEST(!state.next_add(1'000));
}

// ---- shares

// A client has one of two elements.
AliasState shared_state() {
    build::AliasPlan plan{.name = "stream",
                          .list = 1,
                          .tag = "stream",
                          .v4 = true,
                          .max_elements = 2,
                          .longest_life_s = 100};
    plan.shares.per_client = 1;
    return AliasState(plan);
}
const routeros::Origin kOne{"a.example", IpAddress::parse("192.0.2.1")->bytes};
const routeros::Origin kOther{"b.example", IpAddress::parse("192.0.2.2")->bytes};

BOOST_AUTO_TEST_CASE(foreign_hosts_take_no_share_until_they_are_ours) {
    AliasState state = shared_state();
    state.take_table({}, 900, 1'000);
    state.take_table({{kStateA}, 0}, 1'900, 2'000);
    BOOST_TEST((state.claim(kStateA, 9'000, 0, kOne) == AliasState::Claimed::here));
    BOOST_TEST((state.claim(kStateB, 9'000, 0, kOne) == AliasState::Claimed::waits));
    // The operator removes it: it would be the client's second.
    const auto read = state.take_table({}, 2'900, 3'000);
    BOOST_TEST(read.lost.size() == 1);
    BOOST_TEST(state.size() == 1);
    BOOST_TEST((state.claim(kStateA, 9'000, 0, kOne) == AliasState::Claimed::refused));
    BOOST_TEST(state.refusal().of_client);
    BOOST_TEST((state.claim(kStateA, 9'000, 0, kOther) == AliasState::Claimed::waits));
}

BOOST_AUTO_TEST_CASE(an_adopted_host_is_judged_when_it_is_claimed) {
    AliasState state = shared_state();
    BOOST_TEST(state.take_table({{kStateA, kStateB}, 0}, 900, 1'000).adopted == 2);
    BOOST_TEST((state.claim(kStateA, 200'000, 0, kOne) == AliasState::Claimed::here));
    BOOST_TEST((state.claim(kStateB, 200'000, 0, kOne) == AliasState::Claimed::refused));
    BOOST_TEST(state.here_until_ms(kStateB).value() == 101'000);  // not prolonged
    BOOST_TEST((state.claim(kStateB, 200'000, 0, kOther) == AliasState::Claimed::here));
}

BOOST_AUTO_TEST_CASE(an_element_counts_until_it_is_deleted) {
    AliasState state = shared_state();
    state.take_table({}, 500, 600);
    BOOST_TEST((state.claim(kStateA, 5'000, 0, kOne) == AliasState::Claimed::waits));
    BOOST_TEST(state.next_add(1'000).has_value());
    state.added(kStateA, 1'000);
    BOOST_TEST(state.next_ended(5'000).has_value());
    BOOST_TEST((state.claim(kStateB, 9'000, 0, kOne) == AliasState::Claimed::refused));
    state.deleted(kStateA, 5'100);
    BOOST_TEST((state.claim(kStateB, 9'000, 0, kOne) == AliasState::Claimed::waits));
}

BOOST_AUTO_TEST_CASE(the_queue_of_adds_is_bounded_while_a_router_is_away) {
    AliasState state = state_of(2);
    std::uint64_t now = 1'000;
    for (unsigned i = 0; i < 1'000; ++i, now += 1'000) {
        IpAddress address = *IpAddress::parse("198.18.0.0");
        address.bytes[14] = static_cast<std::uint8_t>(i >> 8);
        address.bytes[15] = static_cast<std::uint8_t>(i);
        if (state.claim(address, now + 1'500, 0) == AliasState::Claimed::refused) {
            state.make_room(now);
            BOOST_TEST((state.claim(address, now + 1'500, 0) == AliasState::Claimed::waits));
        }
    }
    BOOST_TEST(state.queued_adds() <= 5);
    BOOST_TEST(state.next_add(now - 1'000).value().to_string() == "198.18.3.230");  // in order
    BOOST_TEST(state.next_add(now - 1'000).value().to_string() == "198.18.3.231");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace steer::opnsense
