// The forwarder's parts by themselves: random numbers, ports, the index table, the timer wheel, the
// choice.
#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <map>
#include <random>
#include <set>

#include "dataplane/forward/chacha_random.h"
#include "dataplane/forward/index_table.h"
#include "dataplane/forward/source_ports.h"
#include "dataplane/forward/timer_wheel.h"
#include "dataplane/forward/upstream_choice.h"
#include "world.h"

using namespace steer;
using namespace steer::forward;

BOOST_AUTO_TEST_SUITE(parts)

// RFC 8439 2.3.2.
BOOST_AUTO_TEST_CASE(chacha_equals_the_vector_of_rfc_8439) {
    const ChaChaState in{0x61707865, 0x3320646e, 0x79622d32, 0x6b206574, 0x03020100, 0x07060504,
                         0x0b0a0908, 0x0f0e0d0c, 0x13121110, 0x17161514, 0x1b1a1918, 0x1f1e1d1c,
                         0x00000001, 0x09000000, 0x4a000000, 0x00000000};
    const ChaChaState out{0xe4e7f110, 0x15593bd1, 0x1fdd0f50, 0xc47120a3, 0xc7f4d1c7, 0x0368c033,
                          0x9aaa2204, 0x4e6cd4c3, 0x466482d2, 0x09aa9f07, 0x05d7c214, 0xa2028bd9,
                          0xd19c12b5, 0xb94e16de, 0xe883d0cb, 0x4e3c50a2};
    BOOST_TEST(chacha_block(in, 20) == out);
}

BOOST_AUTO_TEST_CASE(system_generators_differ_and_a_seed_repeats) {
    ChaChaRandom a{0}, b{0}, c{5}, d{5};
    unsigned same = 0;
    for (int i = 0; i < 100; ++i) {
        same += a.next() == b.next() ? 1U : 0U;
        BOOST_TEST(c.next() == d.next());
    }
    BOOST_TEST(same < 5U);
}

BOOST_AUTO_TEST_CASE(below_is_evenly_distributed) {
    ChaChaRandom random{1};
    std::array<unsigned, 7> seen{};
    for (int i = 0; i < 70'000; ++i)
        ++seen[random.below(7)];
    for (const unsigned n : seen)
        BOOST_TEST((n > 9'500 && n < 10'500));
}

BOOST_AUTO_TEST_CASE(source_ports_are_the_whole_share_of_the_worker) {
    ChaChaRandom random{2};
    unsigned total = 0;
    for (unsigned worker = 0; worker < 3; ++worker) {
        const SourcePorts ports(10240, 10339, worker, 3);
        total += ports.count();
        std::set<std::uint16_t> seen;
        for (int i = 0; i < 2'000; ++i)
            seen.insert(ports.pick(random));
        BOOST_TEST(seen.size() == ports.count());
        for (const auto p : seen) {
            BOOST_TEST((p >= 10240 && p <= 10339));
            BOOST_TEST(ports.owner(p) == worker);
        }
    }
    BOOST_TEST(total == 100U);
}

BOOST_AUTO_TEST_CASE(the_index_table_agrees_with_a_map) {
    std::mt19937 random{3};
    IndexTable table(64);
    std::map<std::uint32_t, std::uint32_t>
        truth;  // record -> hash, few different hashes: long chains
    for (int i = 0; i < 50'000; ++i) {
        const auto record = static_cast<std::uint32_t>(random() % 64);
        if (const auto it = truth.find(record); it != truth.end()) {
            table.erase(it->second, record);
            truth.erase(it);
        } else {
            const auto hash = static_cast<std::uint32_t>(random() % 24) * 7;
            table.insert(hash, record);
            truth[record] = hash;
        }
        const auto probe = static_cast<std::uint32_t>(random() % 64);
        const auto it = truth.find(probe);
        const std::uint32_t hash = it == truth.end() ? probe : it->second;
        const auto found = table.find(hash, [&](std::uint32_t r) { return r == probe; });
        BOOST_REQUIRE_EQUAL(found, it == truth.end() ? kNone : probe);
    }
}

BOOST_AUTO_TEST_CASE(timers_fire_once_and_on_time) {
    std::mt19937 random{4};
    TimerWheel wheel(100);
    std::map<std::uint32_t, std::uint64_t> truth;
    std::uint64_t now = 5'000'000;
    for (int i = 0; i < 20'000; ++i) {
        const auto timer = static_cast<std::uint32_t>(random() % 100);
        if (random() % 4 == 0) {
            wheel.cancel(timer);
            truth.erase(timer);
        } else {
            truth[timer] = now + 1 + random() % (random() % 10 == 0 ? 30'000 : 500);
            wheel.set(timer, truth[timer], now);
        }
        now += random() % (random() % 50 == 0 ? 20'000 : 20);
        for (std::uint32_t due = wheel.pop_due(now); due != kNone; due = wheel.pop_due(now)) {
            BOOST_REQUIRE(truth.count(due) == 1);
            BOOST_REQUIRE(truth[due] <= now);
            truth.erase(due);
        }
        std::uint64_t earliest = UINT64_MAX;
        for (const auto& [t, at] : truth)
            earliest = std::min(earliest, at);
        BOOST_REQUIRE(earliest == UINT64_MAX || earliest + 3 > now);
        BOOST_REQUIRE((wheel.next_ms() == UINT64_MAX) == truth.empty());
        BOOST_REQUIRE(truth.empty() || wheel.next_ms() <= earliest + 3);
    }
}

BOOST_AUTO_TEST_CASE(the_fastest_upstream_is_best_and_silence_lowers_its_rank) {
    const auto snapshot = test::make_snapshot(3);
    const UpstreamGroup& group = snapshot->groups[0];
    ChaChaRandom random(1);
    UpstreamChoice choice(random);
    BOOST_TEST(choice.pick(*snapshot, group, 0) == 0);  // nothing known: as configured
    choice.replied(0, 30, 1000);
    choice.replied(1, 10, 1000);
    choice.replied(2, 20, 1000);
    BOOST_TEST(choice.pick(*snapshot, group, 0) == 1);
    BOOST_TEST(choice.pick(*snapshot, group, 0b010) == 2);
    BOOST_TEST(choice.pick(*snapshot, group, 0b111) == -1);
    choice.timed_out(1, false, 3000);
    BOOST_TEST(choice.pick(*snapshot, group, 0) == 1);  // 20 ms as well, but first
    choice.timed_out(1, false, 3001);
    BOOST_TEST(choice.pick(*snapshot, group, 0) == 2);
    BOOST_TEST(choice.health(1).silent.load() == 2U);
    choice.replied(1, 10, 4000);  // starts afresh
    BOOST_TEST(choice.pick(*snapshot, group, 0) == 1);
    BOOST_TEST(choice.health(1).silent.load() == 0U);
    BOOST_TEST(choice.health(1).replies.get() == 2U);
    BOOST_TEST(choice.health(1).latency_ms.get() == 20U);
    BOOST_TEST(choice.health(1).by_latency[3].get() == 2U);  // at most 10 ms
    BOOST_TEST(choice.health(0).by_latency[5].get() == 1U);  // at most 50 ms
}

BOOST_AUTO_TEST_CASE(sticky_keeps_its_upstream_until_it_pauses) {
    const auto snapshot = test::make_snapshot(3);
    UpstreamGroup& group = snapshot->groups[0];
    group.policy = UpstreamPolicy::sticky;
    ChaChaRandom random(1);
    UpstreamChoice choice(random);
    choice.replied(0, 30, 1000);
    choice.replied(1, 10, 1000);  // faster, which does not matter
    BOOST_TEST(choice.pick(*snapshot, group, 0) == 0);
    choice.late(0, 400);
    BOOST_TEST(choice.pick(*snapshot, group, 0) == 0);  // once is a lost packet
    choice.late(0, 400);
    BOOST_TEST(choice.rests(0));
    BOOST_TEST(choice.pick(*snapshot, group, 0) == 1);
    BOOST_TEST(choice.pick(*snapshot, group, 0b010) == 2);  // a second try is no turn
    choice.replied(0, 30, 2000);
    BOOST_TEST(choice.pick(*snapshot, group, 0) == 1);  // it stays where it is
    choice.refused(1, false, 2000);
    BOOST_TEST(choice.pick(*snapshot, group, 0) == 2);
    choice.timed_out(2, false, 2000);
    BOOST_TEST(choice.pick(*snapshot, group, 0) == 0);  // and around
    choice.refused(0, false, 2000);
    BOOST_TEST(choice.pick(*snapshot, group, 0) == 0);  // all of them pause: any one
    BOOST_TEST(choice.pick(*snapshot, group, 0b111) == -1);
}

BOOST_AUTO_TEST_CASE(order_takes_the_first_that_its_probes_do_not_call_silent) {
    const auto snapshot = test::make_snapshot(3);
    UpstreamGroup& group = snapshot->groups[0];
    group.policy = UpstreamPolicy::order;
    ChaChaRandom random(1);
    UpstreamChoice choice(random);
    choice.replied(0, 30, 1000);
    choice.replied(1, 10, 1000);  // faster, which does not matter
    BOOST_TEST(choice.pick(*snapshot, group, 0) == 0);
    BOOST_TEST(choice.pick(*snapshot, group, 0b001) == 1);
    // What clients ask does not matter either.
    choice.late(0, 400);
    choice.late(0, 400);
    choice.timed_out(0, false, 2000);
    choice.refused(0, false, 2000);
    choice.asks_to_wait(0, 60'000);
    BOOST_TEST(choice.pick(*snapshot, group, 0, 3000) == 0);
    choice.probed(0, {.is_silent = true});
    BOOST_TEST(choice.pick(*snapshot, group, 0) == 1);
    choice.probed(1, {.is_silent = true});
    BOOST_TEST(choice.pick(*snapshot, group, 0) == 2);
    choice.probed(2, {.is_silent = true});
    BOOST_TEST(choice.pick(*snapshot, group, 0) == 0);  // all are silent
    choice.probed(1, {});
    BOOST_TEST(choice.pick(*snapshot, group, 0) == 1);
    choice.probed(0, {});
    BOOST_TEST(choice.pick(*snapshot, group, 0) == 0);
    // No copy goes to one behind the asked member: its reply could come first.
    BOOST_TEST(choice.to_measure(*snapshot, group, 0b001, 100'000) == -1);
    BOOST_TEST(choice.to_measure(*snapshot, group, 0b010, 100'000) == 0);
    // A sticky group stays where it is.
    group.policy = UpstreamPolicy::sticky;
    choice.replied(0, 30, 4000);
    choice.timed_out(0, false, 5000);
    BOOST_TEST(choice.pick(*snapshot, group, 0, 70'000) == 1);
    choice.probed(0, {});
    BOOST_TEST(choice.pick(*snapshot, group, 0, 70'000) == 1);
}

BOOST_AUTO_TEST_CASE(one_that_asked_to_wait_comes_last_until_then_and_is_asked_if_it_is_alone) {
    const auto snapshot = test::make_snapshot(2);
    UpstreamGroup& group = snapshot->groups[0];
    ChaChaRandom random(1);
    for (const UpstreamPolicy policy :
         {UpstreamPolicy::latency, UpstreamPolicy::sticky, UpstreamPolicy::random}) {
        group.policy = policy;
        UpstreamChoice choice(random);
        choice.replied(0, 10, 1000);
        choice.replied(1, 30, 1000);
        choice.asks_to_wait(0, 6000);
        BOOST_TEST(choice.pick(*snapshot, group, 0, 5999) == 1);
        BOOST_TEST(choice.pick(*snapshot, group, 0b10, 5999) == 0);
        BOOST_TEST(!choice.rests(0));
        choice.asks_to_wait(1, 6000);
        BOOST_TEST(choice.pick(*snapshot, group, 0, 5999) >= 0);
        if (policy == UpstreamPolicy::latency)
            BOOST_TEST(choice.pick(*snapshot, group, 0, 6000) == 0);
    }
}

// Names that no server answers, of one client, while others are answered.
BOOST_AUTO_TEST_CASE(names_that_are_not_answered_do_not_move_order_from_its_first) {
    test::World w(2);
    w.snapshot->groups[0].policy = UpstreamPolicy::order;
    for (unsigned i = 0; i < 10; ++i) {
        w.ask("dead" + std::to_string(i) + ".example");
        w.wait(2'100);  // timed out at both
        const std::size_t before = w.station().frames.size();
        w.ask("good" + std::to_string(i) + ".example");
        BOOST_REQUIRE(w.station().frames.size() > before);
        BOOST_TEST(w.station().frames[before].upstream == 0);
        w.answer(w.station().frames[before]);
    }
}

BOOST_AUTO_TEST_CASE(round_robin_takes_upstreams_in_turn) {
    const auto snapshot = test::make_snapshot(3);
    snapshot->groups.push_back(snapshot->groups[0]);
    for (UpstreamGroup& group : snapshot->groups)
        group.policy = UpstreamPolicy::round_robin;
    ChaChaRandom random(1);
    UpstreamChoice choice(random);
    for (const int wanted : {0, 1, 2, 0, 1}) {
        BOOST_TEST(choice.pick(*snapshot, snapshot->groups[0], 0) == wanted);
        BOOST_TEST(choice.pick(*snapshot, snapshot->groups[1], 0) == wanted);  // its own turns
    }
    BOOST_TEST(choice.pick(*snapshot, snapshot->groups[0], 0b100) == 0);  // instead of 2
    BOOST_TEST(choice.pick(*snapshot, snapshot->groups[0], 0) == 2);
    choice.refused(0, false, 1000);
    BOOST_TEST(choice.pick(*snapshot, snapshot->groups[0], 0) == 1);
    BOOST_TEST(choice.pick(*snapshot, snapshot->groups[0], 0b110) == 0);  // rests, but is left
}

BOOST_AUTO_TEST_CASE(a_domain_stays_with_one_upstream_until_probes_find_it_silent) {
    const auto snapshot = test::make_snapshot(3);
    UpstreamGroup& group = snapshot->groups[0];
    group.policy = UpstreamPolicy::domain;
    ChaChaRandom random(1);
    UpstreamChoice choice(random);
    for (std::uint64_t domain = 0; domain < 9; ++domain)
        BOOST_TEST(choice.pick(*snapshot, group, 0, 0, domain) == static_cast<int>(domain % 3));
    BOOST_TEST(choice.pick(*snapshot, group, 0b010, 0, 1) == -1);  // it failed, or was asked
    BOOST_TEST(choice.to_measure(*snapshot, group, 0, 6000) == -1);
    // What clients ask decides nothing.
    choice.timed_out(1, false, 1000);
    choice.refused(1, false, 1000);
    BOOST_TEST(choice.pick(*snapshot, group, 0, 1000, 1) == 1);
    choice.probed(1, {.is_silent = true});
    BOOST_TEST(choice.pick(*snapshot, group, 0, 1000, 1) == 2);
    BOOST_TEST(choice.pick(*snapshot, group, 0b100, 1000, 1) == -1);
    BOOST_TEST(choice.pick(*snapshot, group, 0, 1000, 0) == 0);
    BOOST_TEST(choice.to_measure(*snapshot, group, 0b100, 60'000) == 1);
    choice.probed(0, {.is_silent = true});
    choice.probed(2, {.is_silent = true});
    BOOST_TEST(choice.pick(*snapshot, group, 0, 1000, 1) == 1);  // all are silent
    // Another program may answer in its place.
    choice.probed(1, {.is_down = true});
    BOOST_TEST(choice.pick(*snapshot, group, 0, 1000, 1) == 2);
    BOOST_TEST(choice.to_measure(*snapshot, group, 0b100, 60'000) == 0);
    choice.probed(0, {.is_down = true});
    choice.probed(2, {.is_down = true});
    BOOST_TEST(choice.pick(*snapshot, group, 0, 1000, 1) == -1);
}

BOOST_AUTO_TEST_CASE(random_is_even_over_upstreams_that_do_not_pause) {
    const auto snapshot = test::make_snapshot(4);
    UpstreamGroup& group = snapshot->groups[0];
    group.policy = UpstreamPolicy::random;
    ChaChaRandom random(7);
    UpstreamChoice choice(random);
    choice.refused(2, false, 1000);
    std::array<unsigned, 4> times{};
    for (int i = 0; i < 3000; ++i)
        ++times[static_cast<unsigned>(choice.pick(*snapshot, group, 0))];
    BOOST_TEST(times[2] == 0U);
    for (const unsigned i : {0U, 1U, 3U}) {
        BOOST_TEST(times[i] > 850U);
        BOOST_TEST(times[i] < 1150U);
    }
    BOOST_TEST(choice.pick(*snapshot, group, 0b1011) == 2);
    BOOST_TEST(choice.pick(*snapshot, group, 0b1111) == -1);
}

BOOST_AUTO_TEST_CASE(the_timeout_follows_the_round_trip_and_doubles) {
    ChaChaRandom random(1);
    UpstreamChoice choice(random);
    Upstream u{};
    u.timeout_ms = 2000;
    BOOST_TEST(choice.patience_ms(u, 0) == 400U);
    BOOST_TEST(choice.patience_ms(u, 1) == 800U);
    BOOST_TEST(choice.patience_ms(u, 9) == 2000U);
    for (int i = 0; i < 50; ++i)
        choice.replied(0, 5, 0);
    BOOST_TEST(choice.patience_ms(u, 0) == 200U);
    for (int i = 0; i < 50; ++i)
        choice.replied(0, 300, 0);
    BOOST_TEST(choice.patience_ms(u, 0) >= 300U);
    BOOST_TEST(choice.patience_ms(u, 0) < 400U);
    // An engine is asked again later: it is slow because it asks others.
    u.is_engine = true;
    BOOST_TEST(choice.patience_ms(u, 0) == 800U);
    BOOST_TEST(choice.patience_ms(u, 1) == 1600U);
}

BOOST_AUTO_TEST_CASE(silent_upstreams_are_probed_less_and_less_often) {
    const auto snapshot = test::make_snapshot(2);
    const UpstreamGroup& group = snapshot->groups[0];
    ChaChaRandom random(1);
    UpstreamChoice choice(random);
    std::vector<std::uint64_t> at;
    std::uint64_t silent_at = UINT64_MAX;
    for (std::uint64_t now = 0; now < 200'000; now += 100) {
        if (choice.to_measure(*snapshot, group, 0b01, now) == 1) {
            BOOST_TEST(choice.measures(1, now));
            BOOST_TEST(!choice.measures(1, now));
            at.push_back(now);
            silent_at = now + 2'000;
        }
        if (now != silent_at) continue;
        for (int i = 0; i < 100; ++i)
            choice.timed_out(1, i == 50, now);  // and all others
    }
    BOOST_REQUIRE(at.size() > 5);
    BOOST_TEST(at.size() < 30U);
    BOOST_TEST(at[at.size() - 1] - at[at.size() - 2] <= 33'000U);
    BOOST_TEST(at[at.size() - 1] - at[at.size() - 2] >= 20'000U);
}

BOOST_AUTO_TEST_SUITE_END()
