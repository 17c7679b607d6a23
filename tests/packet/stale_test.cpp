// Answers past their TTL and refreshes in the background, where stories do not reach: reloads, quotas, other ways in.
#include <boost/test/unit_test.hpp>

#include "packet/appliance.h"

namespace steer {
namespace {

using namespace test;

// lazy_cache_ttl, or serve_stale with a timer.
std::unique_ptr<Snapshot> with_stale(std::unique_ptr<Snapshot> s, std::uint32_t wait_ms) {
    s->caches.front().stale = {
        .most_s = 3600, .wait_ms = wait_ms, .recheck_s = 30, .ttl_s = 5, .positive_only = false};
    return s;
}

constexpr std::uint64_t kPastTtl = 400'000;

}  // namespace

BOOST_AUTO_TEST_SUITE(stale)

BOOST_AUTO_TEST_CASE(a_stale_answer_of_an_older_generation_is_claimed_by_the_new_program) {
    for (const std::uint32_t wait_ms : {0U, 1800U}) {
        Appliance a;
        a.publish(with_stale(cache_list_forward(policy_list(1)), wait_ms));
        a.ask_and_answer("www.stream.example", 300, "203.0.113.7");
        BOOST_CHECK_EQUAL(a.event().list, 1);
        a.advance_ms(kPastTtl);
        a.publish(with_stale(cache_list_forward(policy_list(2)), wait_ms));
        a.ask("www.stream.example");
        a.turn();
        a.advance_ms(wait_ms + 4);
        const Seen sent = a.answer();
        BOOST_CHECK_EQUAL(sent.answers(), 1U);
        BOOST_CHECK(sent.ttls() == (std::vector<std::uint32_t>{5}));
        BOOST_CHECK_EQUAL(a.event().list, 2);
        const auto asked = a.upstream_queries();
        BOOST_REQUIRE(!asked.empty());
        a.reply(asked.back(), 300, {"203.0.113.8"});
        a.turn();
        BOOST_CHECK_EQUAL(a.event().list, 2);
        BOOST_CHECK(a.answers().empty());
        BOOST_CHECK_EQUAL(a.count(PendingOutcome::refreshed), 1U);
        a.ask("www.stream.example");
        a.turn();
        BOOST_CHECK(a.answer().ttls() == (std::vector<std::uint32_t>{300}));
        BOOST_CHECK(a.upstream_queries().empty());
    }
}

BOOST_AUTO_TEST_CASE(a_list_around_the_cache_claims_it_and_the_refresh_does_not) {
    Appliance a;
    a.publish(with_stale(list_cache_forward(policy_list(1)), 0));
    a.ask_and_answer("www.stream.example", 300, "203.0.113.7");
    BOOST_CHECK_EQUAL(a.events().size(), 1U);
    a.advance_ms(kPastTtl);
    a.ask("www.stream.example");
    a.turn();
    BOOST_CHECK(a.answer().ttls() == (std::vector<std::uint32_t>{5}));
    BOOST_CHECK_EQUAL(a.events().size(), 1U);
    a.reply(a.upstream_query(), 300, {"203.0.113.8"});
    a.turn();
    BOOST_CHECK(a.events().empty());  // no client has the address yet
    a.ask("www.stream.example");
    a.turn();
    BOOST_CHECK(a.answer().ttls() == (std::vector<std::uint32_t>{300}));
    BOOST_CHECK_EQUAL(a.events().size(), 1U);
}

// The story lazy_bounds, over a reload: the limit and the pause belong to the cache, not to a generation.
BOOST_AUTO_TEST_CASE(a_limited_cache_begins_one_refresh_and_a_failed_one_pauses) {
    Appliance a;
    const auto running = std::make_shared<RunningRefreshes>();
    const auto limited = [&running] {
        auto snapshot = with_stale(cache_forward(), 0);
        snapshot->caches.front().most_refreshes = 1;
        snapshot->caches.front().refreshes = running;
        return snapshot;
    };
    const auto is_served_stale = [&a](const char* name) {
        a.ask(name);
        a.turn();
        BOOST_CHECK(a.answer().ttls() == (std::vector<std::uint32_t>{5}));
    };
    a.publish(limited());
    a.ask_and_answer("www.one.example", 300, "203.0.113.1");
    a.ask_and_answer("www.two.example", 300, "203.0.113.2");
    a.advance_ms(kPastTtl);
    is_served_stale("www.one.example");
    const Seen one = a.upstream_query();
    a.publish(limited());
    is_served_stale("www.two.example");
    is_served_stale("www.one.example");
    BOOST_CHECK(a.upstream_queries().empty());
    BOOST_CHECK_EQUAL(a.count(Stat::cache_refreshes), 1U);
    BOOST_CHECK_EQUAL(a.count(Stat::cache_refreshes_busy), 1U);
    a.reply(one, 300, {"203.0.113.1"});
    a.turn();
    BOOST_CHECK_EQUAL(running->count(), 0U);
    is_served_stale("www.two.example");  // at once, not after a pause
    BOOST_CHECK_EQUAL(a.upstream_queries().size(), 1U);
    // Silence: the refresh ends after the total time, and 30 s pass from then on.
    for (int i = 0; i < 60; ++i)
        a.advance_ms(100);
    (void)a.upstream_queries();
    BOOST_CHECK_EQUAL(a.count(Stat::cache_refreshes_failed), 1U);
    BOOST_CHECK_EQUAL(running->count(), 0U);
    a.advance_ms(25'000);  // 31 s after its begin
    is_served_stale("www.two.example");
    BOOST_CHECK(a.upstream_queries().empty());
    a.advance_ms(6'000);
    is_served_stale("www.two.example");
    BOOST_CHECK_EQUAL(a.upstream_queries().size(), 1U);
    BOOST_CHECK_EQUAL(a.count(Stat::cache_refreshes_busy), 1U);
}

BOOST_AUTO_TEST_CASE(refreshes_may_use_an_eighth_of_the_parked_records) {
    Appliance a({.max_parked = 16});
    a.publish(with_stale(cache_forward(), 0));
    const auto name = [](int i) { return "www.n" + std::to_string(i) + ".example"; };
    for (int i = 0; i < 5; ++i)
        a.ask_and_answer(name(i), 300, "203.0.113.7");
    a.advance_ms(kPastTtl);
    for (int i = 0; i < 5; ++i)
        a.ask(name(i));
    a.turn();
    BOOST_CHECK_EQUAL(a.answers().size(), 5U);
    BOOST_CHECK_EQUAL(a.upstream_queries().size(), 2U);
    BOOST_CHECK_EQUAL(a.count(Stat::cache_refreshes), 2U);
}

BOOST_AUTO_TEST_CASE(a_refresh_ends_with_its_generation) {
    Appliance a;
    const Snapshot& old = a.publish(with_stale(cache_forward(), 0));
    a.ask_and_answer("www.example", 300, "203.0.113.7");
    a.advance_ms(kPastTtl);
    a.ask("www.example");
    a.turn();
    BOOST_CHECK_EQUAL(a.answer().rcode(), 0U);
    const Seen asked = a.upstream_query();
    a.publish(with_stale(cache_forward(), 0));
    a.shared().retire_generation = old.generation;
    a.turn();
    BOOST_CHECK_EQUAL(a.count(PendingOutcome::refreshed), 1U);
    a.reply(asked, 300, {"203.0.113.8"});
    a.turn();
    BOOST_CHECK(a.answers().empty());
    BOOST_CHECK_EQUAL(a.parked(), 0U);
}

BOOST_AUTO_TEST_CASE(a_client_of_an_ended_generation_gets_no_stale_answer) {
    Appliance a;
    const Snapshot& old = a.publish(with_stale(cache_forward(), 1800));
    a.ask_and_answer("www.example", 300, "203.0.113.7");
    a.advance_ms(kPastTtl);
    a.ask("www.example");
    a.turn();
    a.publish(with_stale(cache_forward(), 1800));
    a.shared().retire_generation = old.generation;
    a.turn();
    BOOST_CHECK_EQUAL(a.answer().rcode(), 2U);
    for (int i = 0; i < 60; ++i)
        a.advance_ms(100);
    BOOST_CHECK(a.answers().empty());
    BOOST_CHECK_EQUAL(a.parked(), 0U);
    (void)a.upstream_queries();
}

BOOST_AUTO_TEST_CASE(the_timer_sends_a_stale_answer_over_tcp) {
    Appliance a;
    a.publish(with_stale(cache_forward(), 1800));
    a.ask_and_answer("www.example", 300, "203.0.113.7");
    a.advance_ms(kPastTtl);
    a.inject(DnsMessage::query(7, "www.example", 1), 99);
    a.turn();
    BOOST_CHECK(a.injected_answers().empty());
    a.advance_ms(1804);
    const auto sent = a.injected_answers();
    BOOST_REQUIRE_EQUAL(sent.size(), 1U);
    BOOST_REQUIRE(sent[0].answer.has_value());
    BOOST_CHECK(sent[0].answer->ttls() == (std::vector<std::uint32_t>{5}));
    for (int i = 0; i < 60; ++i)
        a.advance_ms(100);
    BOOST_CHECK(a.injected_answers().empty());
    BOOST_CHECK_EQUAL(a.count(PendingOutcome::refreshed), 1U);
    (void)a.upstream_queries();
}

// Two workers: the name's owner asks, the client's worker tells and goes on.
BOOST_AUTO_TEST_CASE(a_stale_answer_is_sent_while_another_worker_asks_upstream) {
    Appliance a({.workers = 2});
    a.publish(with_stale(cache_forward(), 1800));
    for (const unsigned worker : {0U, 1U}) {
        for (const char* name : {"a.example", "b.example", "c.example", "d.example"}) {
            a.ask(name, 1, 1, {.port = 40000, .worker = worker});
            a.turn();
            for (const Seen& q : a.upstream_queries())
                a.reply(q, 300, {"203.0.113.7"});
            a.turn();
            BOOST_CHECK_EQUAL(a.answer().answers(), 1U);
        }
        a.advance_ms(kPastTtl);
        for (const char* name : {"a.example", "b.example", "c.example", "d.example"})
            a.ask(name, 1, 1, {.port = 40000, .worker = worker});
        a.turn();
        BOOST_CHECK(a.answers().empty());
        a.advance_ms(1804);
        BOOST_CHECK_EQUAL(a.answers().size(), 4U);
        for (int i = 0; i < 60; ++i)
            a.advance_ms(100);
        BOOST_CHECK(a.answers().empty());
        BOOST_CHECK_EQUAL(a.parked(), 0U);
        (void)a.upstream_queries();
        a.advance_ms(kPastTtl * 10);
    }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace steer
