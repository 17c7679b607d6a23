// Who waits for an outstanding query: coalescing, two workers, full rings, a full table, generations.
#include <boost/test/unit_test.hpp>
#include <set>

#include "world.h"

using namespace steer;
using namespace steer::test;

BOOST_AUTO_TEST_SUITE(waiters)

BOOST_AUTO_TEST_CASE(the_same_question_is_asked_once) {
    World w;
    w.ask("www.example");
    w.ask("WWW.example");
    w.ask("www.example");
    w.ask("www.example", 0, dns::kAaaa);
    Parked* const dnssec = w.park("www.example", 0, dns::kA);
    dnssec->edns.present = dnssec->edns.dnssec_ok = true;
    w.ask(dnssec);
    Parked* const checking_disabled = w.park("www.example", 0, dns::kA);
    checking_disabled->flags |= dns::kCd;
    w.ask(checking_disabled);
    BOOST_REQUIRE(w.station().frames.size() == 4);
    BOOST_TEST(w.stat(Stat::upstream_coalesced) == 2U);
    BOOST_TEST((dns::load_be16(&w.station().frames[3].dns[2]) & dns::kCd) != 0);
    w.answer(w.station().frames[0]);
    BOOST_TEST(w.station().answers.size() == 3U);
    std::set<std::uint32_t> serials;
    for (const auto& a : w.station().answers)
        serials.insert(a.serial);
    BOOST_TEST(serials.size() == 1U);
    w.answer(w.station().frames[1]);
    BOOST_TEST(w.station().answers.size() == 4U);
    BOOST_TEST(w.station().answers[3].serial != w.station().answers[0].serial);
}

BOOST_AUTO_TEST_CASE(generations_share_if_their_upstreams_are_the_same) {
    World w(2);
    w.ask("www.example");
    const std::size_t frames = w.station().frames.size();
    auto old = std::exchange(w.snapshot, make_snapshot(2));
    w.ask("www.example");
    BOOST_TEST(w.station().frames.size() == frames);
    auto older = std::exchange(w.snapshot, make_snapshot(1));
    w.ask("www.example");
    BOOST_TEST(w.station().frames.size() > frames);
    w.snapshot->upstreams[0].address = upstream_address(5);
    w.wait(5'010);
    BOOST_TEST(w.station().answers.size() == 3U);
}

BOOST_AUTO_TEST_CASE(two_workers_share_one_query) {
    World w(1, 2);
    w.hash_salt = 1;  // worker 1 owns it
    w.ask("www.example", 0);
    w.ask("www.example", 1);
    w.deliver();
    BOOST_TEST(w.station(0).frames.empty());
    BOOST_REQUIRE(w.station(1).frames.size() == 1);
    const Frame f = w.station(1).frames[0];
    BOOST_TEST(f.source_port % 2 == 1);
    BOOST_TEST(w.station(0).forwarder.owner_of_port(f.source_port) == 1U);
    BOOST_TEST((w.answer(f, {}, 1) == Verdict::upstream_reply));
    BOOST_TEST(w.station(1).answers.size() == 1U);
    BOOST_TEST(w.station(0).answers.empty());
    w.deliver();
    BOOST_REQUIRE(w.station(0).answers.size() == 1);
    BOOST_TEST(w.station(0).answers[0].rcode == 0);
    BOOST_TEST((w.station(0).answers[0].serial >> 27) == 1U);
    BOOST_TEST(w.buffers_in_use() == 0U);
}

BOOST_AUTO_TEST_CASE(a_full_ring_loses_no_waiter) {
    World w(1, 2);
    w.hash_salt = 1;
    for (int i = 0; i < 10; ++i)
        w.ask("www.example", 0);
    w.deliver();
    w.ask("www.example", 1);
    w.station(1).ring_size = 3;
    w.answer(w.station(1).frames[0], {}, 1);
    BOOST_TEST(w.station(1).answers.size() == 1U);  // its own does not wait for the others
    BOOST_TEST(w.station(1).forwarder.next_deadline_ms() == w.now.ms + 1);
    for (int round = 0; round < 4; ++round) {
        BOOST_TEST(w.station(0).answers.size() ==
                   static_cast<std::size_t>(std::min(round * 3, 10)));
        w.deliver();
        w.tick();
    }
    w.deliver();
    BOOST_TEST(w.station(0).answers.size() == 10U);
    BOOST_TEST(w.station(1).forwarder.in_flight() == 0U);
    BOOST_TEST(w.station(1).forwarder.next_deadline_ms() == UINT64_MAX);
    BOOST_TEST(w.buffers_in_use() == 0U);
}

BOOST_AUTO_TEST_CASE(a_full_ring_to_the_owner_is_reported_to_the_caller) {
    World w(1, 2);
    w.hash_salt = 1;
    w.station(0).ring_size = 0;
    Parked* const parked = w.park("www.example", 0, dns::kA);
    BOOST_TEST(!w.station(0).forwarder.ask(parked, 0, std::uint64_t{1} << 32, w.now));
}

BOOST_AUTO_TEST_CASE(many_waiters_are_served_over_several_turns) {
    World w;
    for (int i = 0; i < 1'000; ++i)
        w.ask("www.example");
    w.answer(w.station().frames[0]);
    BOOST_TEST(w.station().answers.size() < 200U);
    std::size_t before = w.station().answers.size();
    while (w.station().answers.size() < 1'000) {
        ++w.now.ms;
        w.tick();
        BOOST_REQUIRE(w.station().answers.size() > before);
        BOOST_REQUIRE(w.station().answers.size() - before <= 256);
        before = w.station().answers.size();
    }
    // First come, first served.
    BOOST_TEST(w.buffers_in_use() == 0U);
    BOOST_TEST(w.station().forwarder.in_flight() == 0U);
}

BOOST_AUTO_TEST_CASE(a_full_table_refuses_after_ask_has_returned) {
    World w;
    for (int i = 0; i < 64; ++i)
        w.ask("n" + std::to_string(i) + ".example");
    BOOST_TEST(w.station().forwarder.in_flight() == 64U);
    w.ask("one-more.example");
    w.ask("n5.example");  // joins
    BOOST_TEST(w.station().answers.empty());
    BOOST_TEST(w.stat(Stat::upstream_table_full) == 1U);
    w.tick();
    BOOST_REQUIRE(w.station().answers.size() == 1);
    BOOST_TEST((w.station().answers[0].end == UpstreamResult::table_full));
    for (int i = 0; i < 64; ++i)
        w.answer(w.station().frames[static_cast<std::size_t>(i)]);
    BOOST_TEST(w.station().answers.size() == 66U);
    w.ask("one-more.example");
    BOOST_TEST(w.station().frames.size() == 65U);
}

// Of all workers, and by questions: who asks the same joins.
BOOST_AUTO_TEST_CASE(the_queries_in_flight_of_a_group_are_limited) {
    World w(1, 2);
    const auto limit = std::make_shared<InFlightLimit>(2);
    w.snapshot->groups[0].limit = limit;
    w.ask("one.example");
    w.hash_salt = 1;  // the other worker's
    w.ask("two.example", 1);
    w.ask("one-more.example", 1);
    w.ask("two.example", 1);
    BOOST_TEST(w.stat(Stat::upstream_limit, 1) == 1U);
    BOOST_TEST(limit->now == 2U);
    w.tick();
    BOOST_REQUIRE(w.station(1).answers.size() == 1);
    BOOST_TEST((w.station(1).answers[0].end == UpstreamResult::over_quota));
    w.answer(w.station(1).frames[0], {}, 1);
    BOOST_TEST(w.station(1).answers.size() == 3U);
    BOOST_TEST(limit->now == 1U);
    w.ask("one-more.example", 1);
    BOOST_TEST(w.station(1).frames.size() == 2U);
    BOOST_TEST(limit->now == 2U);
    w.wait(20'000);  // no upstream answers
    BOOST_TEST(limit->now == 0U);
    BOOST_TEST(w.stat(Stat::upstream_limit, 1) == 1U);
}

// Else one domain's names would take an upstream from all others.
BOOST_AUTO_TEST_CASE(a_domain_has_its_share_of_what_a_group_may_have_in_flight) {
    World w(1, 1, {.max_in_flight = 64, .max_per_suffix = 48});
    const auto limit = std::make_shared<InFlightLimit>(60);
    w.snapshot->groups[0].limit = limit;
    // Three quarters, as of the table.
    for (unsigned i = 0; i < 60; ++i)
        w.ask("n" + std::to_string(i) + ".flood.example");
    BOOST_TEST(limit->now == 45U);
    BOOST_TEST(w.stat(Stat::upstream_quota) == 15U);
    w.ask("one.other.example");
    BOOST_TEST(limit->now == 46U);
    // Without a limit, the share of the table holds alone.
    w.snapshot->groups[0].limit = nullptr;
    w.ask("more.flood.example");
    BOOST_TEST(w.stat(Stat::upstream_quota) == 15U);
}

// Names go to workers by their hash: each of them has a part.
BOOST_AUTO_TEST_CASE(the_share_of_a_domain_in_a_group_is_divided_among_workers) {
    World w(1, 2, {.max_in_flight = 64, .max_per_suffix = 48});
    const auto limit = std::make_shared<InFlightLimit>(120);
    w.snapshot->groups[0].limit = limit;
    for (unsigned i = 0; i < 60; ++i)
        w.ask("n" + std::to_string(i) + ".flood.example");
    BOOST_TEST(limit->now == 45U);
}

// The rest of an outstanding query, asked over TCP, is in the generation of one that still waits: it counts there.
BOOST_AUTO_TEST_CASE(a_query_that_changes_its_generation_counts_once) {
    World w;
    const auto before = std::make_shared<InFlightLimit>(2),
               after = std::make_shared<InFlightLimit>(2);
    w.snapshot->groups[0].limit = before;
    w.ask("big.example");
    const auto old = std::exchange(w.snapshot, make_snapshot(1));
    w.snapshot->groups[0].limit = after;
    w.ask_over_tcp("big.example");
    BOOST_TEST(before->now == 1U);
    BOOST_TEST(after->now == 0U);
    w.answer(w.station().frames[0], {.flags = dns::kTc});
    BOOST_TEST(before->now == 0U);
    BOOST_TEST(after->now == 1U);
    BOOST_REQUIRE(w.station().kernel.size() == 1);
    w.answer_kernel(w.station().kernel[0]);
    BOOST_TEST(after->now == 0U);
}

BOOST_AUTO_TEST_CASE(with_a_full_table_all_waiters_get_the_same_reply) {
    World w;
    for (int i = 0; i < 63; ++i)
        w.ask("n" + std::to_string(i) + ".example");
    w.ask("big.example");
    w.ask_over_tcp("big.example");
    w.answer(w.station().frames[63], {.flags = dns::kTc});
    BOOST_TEST(w.station().answers.size() == 2U);
    BOOST_TEST(w.station().kernel.empty());
}

BOOST_AUTO_TEST_SUITE_END()
