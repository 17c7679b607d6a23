// Addresses that a list holds and that other names have too: what workers report, and what happens to the list's answers
// with addresses that `routers` leaves out. The test plays `routers`.
#include <boost/test/unit_test.hpp>

#include "dataplane/event/row_board.h"
#include "dataplane/event/shared_watch.h"
#include "packet/appliance.h"

namespace steer::test {
namespace {

constexpr const char* kInside = "www.stream.example";
constexpr const char* kOutside = "www.other.example";
constexpr const char* kAddress = "203.0.113.7";
constexpr ListId kList = 3;

IpAddress address(const char* text = kAddress) {
    return *IpAddress::parse(text);
}

PolicyList shared_list(Sharing sharing = Sharing::report, bool synchronous = false) {
    PolicyList list = policy_list(kList, synchronous);
    list.shared = sharing;
    list.shared_above = 5;
    list.sync_timeout_ms = 100;
    return list;
}

void hold(Appliance& a, const char* text = kAddress) {
    BOOST_REQUIRE(a.board().put(kList, address(text), kForever, a.lists()[kList].epoch()));
}

void skip_for_s(Appliance& a, std::uint32_t s) {
    BOOST_REQUIRE(a.board().skip(kList, address(), a.now().s() + s));
}

void answer_with(Appliance& a, const char* name, const std::vector<std::string>& addresses,
                 std::uint32_t ttl_s = 300) {
    a.ask(name);
    a.turn();
    a.reply(a.upstream_query(), ttl_s, addresses);
    a.turn();
    (void)a.answer();
}

void ask_again(Appliance& a, const char* name) {
    a.ask(name);
    a.turn();
    (void)a.answer();
}

}  // namespace

BOOST_AUTO_TEST_SUITE(shared_watch)

BOOST_AUTO_TEST_CASE(another_name_with_an_address_of_the_list_is_reported) {
    Appliance a;
    a.publish(list_forward(shared_list(Sharing::skip)));
    hold(a);
    hold(a, "2001:db8:f::7");
    answer_with(a, kOutside, {"203.0.113.6", kAddress});
    const Event e = a.event();
    BOOST_CHECK(e.kind == EventKind::shared_address);
    BOOST_CHECK_EQUAL(e.list, kList);
    BOOST_CHECK_EQUAL(e.hold_token, 0U);
    BOOST_CHECK_EQUAL(e.shared_above, 5);
    BOOST_CHECK(e.skips_shared);
    BOOST_REQUIRE_EQUAL(e.count, 1);
    BOOST_CHECK(e.addresses[0] == address());
    const Bytes name = wire_name(kOutside);
    BOOST_CHECK_EQUAL_COLLECTIONS(e.name.begin(), e.name.begin() + e.name_len, name.begin(),
                                  name.end());
    BOOST_CHECK_EQUAL(a.count(Stat::events_shared), 1U);
}

BOOST_AUTO_TEST_CASE(names_of_the_list_and_lists_without_the_setting_are_not_reported) {
    Appliance a;
    a.publish(list_forward(shared_list(Sharing::keep)));
    hold(a);
    answer_with(a, kOutside, {kAddress});
    BOOST_CHECK(a.events().empty());
    a.publish(list_forward(shared_list()));
    answer_with(a, kInside, {kAddress});
    BOOST_CHECK(a.events().empty());  // the row is there for ever, and the name is the list's
    answer_with(a, kOutside, {"203.0.113.6"});
    BOOST_CHECK(a.events().empty());
    // What the router forgot is not held.
    a.lists().begin_epoch(kList);
    answer_with(a, kOutside, {kAddress});
    BOOST_CHECK(a.events().empty());
}

BOOST_AUTO_TEST_CASE(the_same_name_is_reported_once_a_minute) {
    Appliance a;
    a.publish(list_forward(shared_list()));
    hold(a);
    for (int i = 0; i < 3; ++i)
        answer_with(a, kOutside, {kAddress});
    (void)a.event();
    answer_with(a, "second.other.example", {kAddress});
    (void)a.event();
    a.advance_ms(60'000);
    answer_with(a, kOutside, {kAddress});
    (void)a.event();
}

BOOST_AUTO_TEST_CASE(a_cached_answer_counts_as_long_as_it_is_asked_for) {
    Appliance a;
    a.publish(cache_list_forward(shared_list()));
    answer_with(a, kOutside, {kAddress}, 3600);
    BOOST_CHECK(a.events().empty());
    hold(a);
    for (int minute = 0; minute < 3; ++minute) {
        ask_again(a, kOutside);
        BOOST_CHECK_EQUAL(a.events().size(), 1U);
        ask_again(a, kOutside);
        BOOST_CHECK(a.events().empty());
        a.advance_ms(60'000);
    }
    // Above the share of a second hits leave without a check.
    answer_with(a, "second.other.example", {"203.0.113.6"}, 3600);
    for (unsigned i = 0; i < SharedWatch::kHitsPerSecond; ++i)
        ask_again(a, "second.other.example");
    ask_again(a, kOutside);
    BOOST_CHECK(a.events().empty());
    a.advance_ms(1000);
    ask_again(a, kOutside);
    (void)a.event();
}

BOOST_AUTO_TEST_CASE(a_report_lost_to_a_full_ring_is_sent_later) {
    Appliance a({.events = 2});  // one fits
    a.publish(list_forward(shared_list()));
    hold(a);
    answer_with(a, kOutside, {kAddress});
    answer_with(a, "second.other.example", {kAddress});
    BOOST_CHECK_EQUAL(a.count(Stat::events_shared_lost), 1U);
    (void)a.event();
    answer_with(a, "second.other.example", {kAddress});
    (void)a.event();
}

BOOST_AUTO_TEST_CASE(left_out_addresses_are_neither_claimed_nor_waited_for) {
    Appliance a;
    a.publish(list_forward(shared_list(Sharing::skip, true)));
    skip_for_s(a, 600);
    answer_with(a, kInside, {kAddress});  // leaves at once
    BOOST_CHECK(a.events().empty());
    answer_with(a, kOutside, {kAddress});
    BOOST_CHECK(a.event().kind == EventKind::shared_address);  // counted further

    // With a second address the claim is made; `routers` decides which addresses get rows.
    a.ask(kInside);
    a.turn();
    a.reply(a.upstream_query(), 300, {kAddress, "203.0.113.8"});
    a.turn();
    BOOST_CHECK(a.answers().empty());
    const Event e = a.event();
    BOOST_CHECK(e.kind == EventKind::claim);
    BOOST_CHECK(e.skips_shared);
    a.acknowledge(e);
    a.turn();
    (void)a.answer();

    a.advance_ms(600'000);
    a.ask(kInside);
    a.turn();
    a.reply(a.upstream_query(), 300, {kAddress});
    a.turn();
    BOOST_CHECK(a.answers().empty());  // held again
    const Event again = a.event();
    BOOST_CHECK_EQUAL(again.count, 1);
    a.acknowledge(again);
    a.turn();
    (void)a.answer();
}

BOOST_AUTO_TEST_CASE(a_cached_answer_claims_an_address_that_is_no_longer_left_out) {
    Appliance a;
    a.publish(cache_list_forward(shared_list(Sharing::skip)));
    skip_for_s(a, 60);
    answer_with(a, kInside, {kAddress}, 3600);
    ask_again(a, kInside);
    BOOST_CHECK(a.events().empty());
    a.advance_ms(60'000);
    ask_again(a, kInside);
    const Event e = a.event();
    BOOST_CHECK(e.kind == EventKind::claim);
    BOOST_CHECK(e.addresses[0] == address());
}

BOOST_AUTO_TEST_CASE(report_does_not_change_claims) {
    Appliance a;
    a.publish(list_forward(shared_list(Sharing::report)));
    skip_for_s(a, 600);
    answer_with(a, kInside, {kAddress});
    const Event e = a.event();
    BOOST_CHECK(e.kind == EventKind::claim);
    BOOST_CHECK(!e.skips_shared);
}

BOOST_AUTO_TEST_SUITE_END()
}  // namespace steer::test
