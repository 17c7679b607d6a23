// Several workers, generations, quotas, injected queries: everything that is not one packet's way.
#include <boost/test/unit_test.hpp>
#include <set>

#include "packet/appliance.h"

namespace steer::test {

BOOST_AUTO_TEST_SUITE(workers)

BOOST_AUTO_TEST_CASE(each_name_has_one_owner_and_replies_reach_it) {
    Appliance a({.workers = 2});
    a.publish(cache_forward());
    // The same name asked on both workers' ports is asked upstream once, by its owner.
    std::set<unsigned> owners;
    for (int i = 0; i < 16; ++i) {
        const std::string name = "n" + std::to_string(i) + ".example";
        a.ask(name, 1, 1, {.worker = 0});
        a.ask(name, 1, 2, {.worker = 1});
        a.turn();
        const Seen q = a.upstream_query();
        owners.insert(q.worker);
        a.reply(q, DnsMessage::response(0, name, 1).a(name, 60, {203, 0, 113, 1}),
                1 - q.worker);  // by the other one
        a.turn();
        const auto answers = a.answers();
        BOOST_REQUIRE_EQUAL(answers.size(), 2U);
        for (const Seen& s : answers)
            BOOST_CHECK_EQUAL(s.worker, s.id() - 1U);  // back where it is from
    }
    BOOST_CHECK_EQUAL(owners.size(), 2U);
    BOOST_CHECK_EQUAL(a.count(Verdict::upstream_moved), 16U);
    BOOST_CHECK_EQUAL(a.count(Stat::moved_replies), 16U);
    BOOST_CHECK_EQUAL(a.count(Stat::moved_replies_dropped), 0U);
    BOOST_CHECK_EQUAL(a.count(Stat::upstream_coalesced), 16U);
    // And what one worker has inserted, by way of the cache writer, the other one finds.
    a.ask("n0.example", 1, 3, {.worker = 1});
    a.turn();
    BOOST_CHECK_EQUAL(a.answer().id(), 3);
}

// Its cache writer is the only one that inserts there.
BOOST_AUTO_TEST_CASE(each_worker_writes_its_shard_of_the_cache) {
    constexpr unsigned kWorkers = 3, kNames = 60;
    Appliance a({.workers = kWorkers});
    a.publish(cache_forward());
    const auto name = [](unsigned i) { return "n" + std::to_string(i) + ".example"; };
    for (unsigned i = 0; i < kNames; ++i) {
        a.ask(name(i), 1, 1, {.worker = i % kWorkers});
        a.turn();
        a.reply(a.upstream_query(), 60, {"203.0.113.1"});
        a.turn();
        a.answer();
    }
    const cache::Cache& cache = *a.shared().cache;
    std::array<std::uint64_t, kWorkers> expected{};
    for (unsigned i = 0; i < kNames; ++i) {
        const Bytes wire = wire_name(name(i));
        const cache::Key key = (*a.shared().hasher)({wire, kTypeA, 1, 0, 0});
        ++expected[cache.writer_of(cache.shard_of(key.low, 0))];
    }
    for (unsigned w = 0; w < kWorkers; ++w) {
        BOOST_CHECK_GT(expected[w], 0U);
        BOOST_CHECK_EQUAL(a.worker(w).counters().get(Stat::cache_inserts), expected[w]);
    }
    // Every worker finds them all, twice: the second time by its packet cache.
    for (unsigned i = 0; i < 2 * kWorkers * kNames; ++i)
        a.ask(name(i % kNames), 1, 1, {.worker = i / kNames % kWorkers});
    a.turn();
    BOOST_CHECK_EQUAL(a.answers().size(), 2 * kWorkers * kNames);
    BOOST_CHECK_EQUAL(a.upstream_queries().size(), 0U);
}

BOOST_AUTO_TEST_CASE(a_worker_without_the_upstreams_port_sends_by_the_worker_with_it) {
    Appliance a({.workers = 2, .own_interfaces = true});
    a.publish(forward_only());
    for (std::uint16_t i = 0; i < 16; ++i) {
        a.ask("n" + std::to_string(i) + ".example", 1, i, {.worker = i % 2U});
    }
    a.turn();
    const auto queries = a.upstream_queries();
    BOOST_REQUIRE_EQUAL(queries.size(), 16U);
    for (const Seen& q : queries) {
        BOOST_CHECK_EQUAL(q.worker, 0U);
        a.reply(q, 60, {"203.0.113.7"});
    }
    a.turn();
    const auto answers = a.answers();
    BOOST_CHECK_EQUAL(answers.size(), 16U);
    for (const Seen& s : answers)
        BOOST_CHECK_EQUAL(s.worker, s.id() % 2U);
    BOOST_CHECK_GT(a.count(Verdict::upstream_moved), 0U);
    BOOST_CHECK_EQUAL(a.count(Stat::upstream_tx_full), 0U);
}

BOOST_AUTO_TEST_CASE(a_full_ring_between_workers_drops_and_counts) {
    Appliance a({.workers = 2, .between_workers = 2});
    a.publish(forward_only());
    for (std::uint16_t i = 0; i < 30; ++i)
        a.ask("n" + std::to_string(i) + ".example", 1, i);
    a.turn();
    const auto asked = a.upstream_queries().size();
    BOOST_CHECK_GT(a.count(Verdict::drop_ring_full), 0U);
    BOOST_CHECK_EQUAL(a.count(Verdict::drop_ring_full) + asked, 30U);
}

BOOST_AUTO_TEST_CASE(an_old_generation_lives_as_long_as_its_parked_queries) {
    Appliance a;
    const Snapshot& old = a.publish(forward_only());
    a.ask("www.other.example");
    a.turn();
    const Seen q = a.upstream_query();
    BOOST_CHECK_EQUAL(a.shared().parked[0].by_slot[old.slot], 1U);
    const Snapshot& next = a.publish(cache_forward());
    a.ask("www.another.example");
    a.turn();
    BOOST_CHECK_EQUAL(a.shared().parked[0].by_slot[next.slot], 1U);
    a.reply(a.upstream_query(), 60, {"203.0.113.7"});
    a.reply(q, 60, {"203.0.113.8"});
    a.turn();
    BOOST_CHECK_EQUAL(a.answers().size(), 2U);
    BOOST_CHECK_EQUAL(a.shared().parked[0].by_slot[old.slot], 0U);
}

BOOST_AUTO_TEST_CASE(queries_of_a_retired_generation_end_with_servfail) {
    Appliance a;
    PolicyList held = policy_list(3, true);
    held.sync_timeout_ms = 60'000;
    const Snapshot& old = a.publish(list_forward(held));
    a.ask("www.other.example", 1, 1);
    a.ask("www.stream.example", 1, 2);
    a.turn();
    for (const Seen& q : a.upstream_queries()) {
        if (q.qname() == "www.stream.example") a.reply(q, 300, {"203.0.113.7"});  // then it is held
    }
    a.turn();
    a.publish(forward_only());
    BOOST_CHECK_EQUAL(a.parked(), 2U);
    a.shared().retire_generation = old.generation;
    a.turn();
    const auto answers = a.answers();
    BOOST_REQUIRE_EQUAL(answers.size(), 2U);
    for (const Seen& s : answers)
        BOOST_CHECK_EQUAL(s.rcode(), 2U);
    BOOST_CHECK_EQUAL(a.count(PendingOutcome::generation_ended), 2U);
    for (int i = 0; i < 60; ++i)
        a.advance_ms(100);  // the forwarder gives the other one back
    BOOST_CHECK_EQUAL(a.parked(), 0U);
    BOOST_CHECK(a.answers().empty());
    (void)a.upstream_queries();        // its retries
    a.ask("www.other.example", 1, 3);  // the new one is not touched
    a.turn();
    a.reply(a.upstream_query(), 300, {"203.0.113.7"});
    a.turn();
    BOOST_CHECK_EQUAL(a.answer().rcode(), 0U);
}

BOOST_AUTO_TEST_CASE(neither_a_client_nor_a_domain_takes_all_parked_records) {
    Appliance a({.max_parked = 64, .max_parked_per_client = 8});
    a.publish(forward_only());
    for (std::uint16_t i = 0; i < 10; ++i)
        a.ask("www.n" + std::to_string(i) + ".example", 1, i);
    a.turn();
    BOOST_CHECK_EQUAL(a.count(Verdict::forwarded), 8U);
    BOOST_CHECK_EQUAL(a.count(Verdict::drop_client_quota), 2U);
    for (unsigned i = 0; i < 20; ++i) {
        a.ask("r" + std::to_string(i) + ".victim.example", 1, 1,
              {.address = "192.0.2." + std::to_string(20 + i)});
    }
    a.turn();
    BOOST_CHECK_EQUAL(a.count(Verdict::drop_suffix_quota), 4U);
    for (unsigned i = 0; i < 60; ++i) {
        a.ask("www.m" + std::to_string(i) + ".example", 1, 1,
              {.address = "192.0.2." + std::to_string(60 + i)});
    }
    a.turn();
    BOOST_CHECK_EQUAL(a.parked(), 64U);
    BOOST_CHECK_EQUAL(a.count(Verdict::drop_parked_full), 20U);
}

BOOST_AUTO_TEST_CASE(a_query_over_a_quota_may_be_refused_instead_of_dropped) {
    Appliance a({.max_parked = 64, .max_parked_per_client = 2, .over_quota = OverQuota::servfail});
    a.publish(forward_only());
    for (std::uint16_t i = 0; i < 5; ++i)
        a.ask("www.n" + std::to_string(i) + ".example", 1, i);
    a.turn();
    BOOST_CHECK_EQUAL(a.count(Verdict::forwarded), 2U);
    BOOST_CHECK_EQUAL(a.count(Verdict::servfail_quota), 3U);
    const auto sent = a.answers();
    BOOST_REQUIRE_EQUAL(sent.size(), 3U);
    for (const Seen& s : sent)
        BOOST_CHECK_EQUAL(s.rcode(), 2U);
    (void)a.upstream_queries();
}

// Anybody can send UDP queries with a victim's address: then the victim is sent to TCP, where its quota is its own.
BOOST_AUTO_TEST_CASE(queries_with_a_clients_address_leave_it_its_quota_over_tcp) {
    Appliance a(
        {.max_parked = 4096, .max_parked_per_client = 64, .over_quota = OverQuota::truncate});
    a.publish(forward_only());
    unsigned names = 0;
    for (unsigned second = 0; second < 3; ++second) {
        for (std::uint16_t i = 0; i < 300; ++i) {  // spoofed
            a.ask("www.n" + std::to_string(names++) + ".example", 1, i);
            if (i % 30 == 29) a.turn();
        }
        const auto sent = a.answers();
        BOOST_CHECK_EQUAL(sent.size(), second == 0 ? 300U - 64U : 300U);
        for (const Seen& s : sent) {
            BOOST_CHECK_EQUAL(s.rcode(), 0U);
            BOOST_CHECK(s.truncated());
            BOOST_CHECK(s.ttls().empty());
        }
        (void)a.upstream_queries();
        // The victim's own query over UDP, then over TCP.
        a.ask("www.own" + std::to_string(second) + ".example", 1, 7);
        a.turn();
        BOOST_CHECK(a.answer().truncated());
        a.inject(DnsMessage::query(7, "www.own" + std::to_string(second) + ".example", 1), second);
        a.turn();
        a.reply(a.upstream_query(), 300, {"203.0.113.7"});
        a.turn();
        const auto own = a.injected_answers();
        BOOST_REQUIRE_EQUAL(own.size(), 1U);
        BOOST_REQUIRE(own[0].answer);
        BOOST_CHECK_EQUAL(own[0].answer->ttls().at(0), 300U);
        a.advance_ms(1);
    }
    BOOST_CHECK_EQUAL(a.count(Verdict::truncated_quota), 900U - 64U + 3U);
    BOOST_CHECK_EQUAL(a.count(Verdict::drop_client_quota), 0U);
}

BOOST_AUTO_TEST_CASE(a_client_above_its_quota_over_tcp_gets_servfail) {
    Appliance a({.max_parked = 64, .max_parked_per_client = 2, .over_quota = OverQuota::truncate});
    a.publish(forward_only());
    for (unsigned i = 0; i < 3; ++i)
        a.inject(DnsMessage::query(1, "www.n" + std::to_string(i) + ".example", 1), i);
    a.turn();
    const auto sent = a.injected_answers();
    BOOST_REQUIRE_EQUAL(sent.size(), 1U);
    BOOST_REQUIRE(sent[0].answer);
    BOOST_CHECK_EQUAL(sent[0].answer->rcode(), 2U);
    BOOST_CHECK_EQUAL(a.count(Injected::servfail_quota), 1U);
    // The kernel's UDP comes by the same path, and is UDP.
    for (unsigned i = 0; i < 3; ++i)
        a.inject(DnsMessage::query(1, "www.m" + std::to_string(i) + ".example", 1), 10 + i, true);
    a.turn();
    const auto by_kernel = a.injected_answers();
    BOOST_REQUIRE_EQUAL(by_kernel.size(), 1U);
    BOOST_REQUIRE(by_kernel[0].answer);
    BOOST_CHECK(by_kernel[0].answer->truncated());
    BOOST_CHECK_EQUAL(a.count(Injected::truncated_quota), 1U);
    (void)a.upstream_queries();
}

// TC would bring the queries of a whole domain to TCP.
BOOST_AUTO_TEST_CASE(a_domain_above_its_quota_gets_nothing_over_udp_and_servfail_over_tcp) {
    Appliance a({.max_parked = 64, .max_in_flight = 16, .over_quota = OverQuota::truncate});
    a.publish(forward_only());
    for (unsigned i = 0; i < 30; ++i) {  // 4 of them are asked, 16 of them parked
        const std::string name = "r" + std::to_string(i) + ".victim.example";
        a.ask(name, 1, 1, {.address = "192.0.2." + std::to_string(20 + i)});
    }
    a.turn();
    a.advance_ms(1);
    BOOST_CHECK(a.answers().empty());
    BOOST_CHECK_EQUAL(a.count(Verdict::drop_suffix_quota), 14U);
    BOOST_CHECK_EQUAL(a.count(PendingOutcome::dropped_over_quota), 12U);
    for (unsigned i = 0; i < 20; ++i) {
        a.inject(DnsMessage::query(1, "s" + std::to_string(i) + ".victim.example", 1), i, false, 0,
                 "192.0.2." + std::to_string(100 + i));
    }
    a.turn();
    a.advance_ms(1);
    const auto sent = a.injected_answers();
    BOOST_CHECK_EQUAL(sent.size(), 20U);
    for (const auto& one : sent) {
        BOOST_REQUIRE(one.answer);
        BOOST_CHECK_EQUAL(one.answer->rcode(), 2U);
    }
    BOOST_CHECK_EQUAL(a.count(Injected::servfail_quota), 8U);
    BOOST_CHECK_EQUAL(a.count(PendingOutcome::servfail), 12U);
    (void)a.upstream_queries();
}

BOOST_AUTO_TEST_CASE(no_domain_takes_all_upstream_queries) {
    for (const bool has_answer : {false, true}) {
        Appliance a({.max_in_flight = 16,
                     .over_quota = has_answer ? OverQuota::servfail : OverQuota::drop});
        a.publish(forward_only());
        const auto ask = [&](unsigned i, const std::string& domain) {
            a.ask("r" + std::to_string(i) + "." + domain, 1, 1,
                  {.address = "192.0.2." + std::to_string(20 + i)});
        };
        for (unsigned i = 0; i < 6; ++i)
            ask(i, "victim.example");
        ask(0, "victim.example");  // joins what is asked already
        a.turn();
        a.advance_ms(1);
        BOOST_CHECK_EQUAL(a.upstream_queries().size(), 4U);
        BOOST_CHECK_EQUAL(a.count(Stat::upstream_quota), 2U);
        BOOST_CHECK_EQUAL(a.count(PendingOutcome::dropped_over_quota), has_answer ? 0U : 2U);
        BOOST_CHECK_EQUAL(a.answers().size(), has_answer ? 2U : 0U);
        ask(7, "other.example");
        a.turn();
        const Seen query = a.upstream_query();
        a.reply(query, 300, {"203.0.113.7"});
        a.turn();
        BOOST_CHECK_EQUAL(a.answer().rcode(), 0U);
        // What was asked comes to its end, and there is room again.
        for (int i = 0; i < 60; ++i)
            a.advance_ms(100);
        (void)a.answers();
        (void)a.upstream_queries();
        ask(8, "victim.example");
        a.turn();
        BOOST_CHECK_EQUAL(a.upstream_queries().size(), 1U);
    }
}

BOOST_AUTO_TEST_CASE(trusted_forwarders_have_no_quota_of_their_own) {
    Appliance a({.max_parked = 64, .max_parked_per_client = 8});
    auto s = forward_only();
    s->trusted_forwarders = matchers::PrefixSet({*matchers::Prefix::parse("192.0.2.0/28")});
    a.publish(std::move(s));
    for (std::uint16_t i = 0; i < 20; ++i)
        a.ask("www.n" + std::to_string(i) + ".example", 1, i);
    a.turn();
    BOOST_CHECK_EQUAL(a.count(Verdict::forwarded), 20U);
}

BOOST_AUTO_TEST_CASE(injected_queries_run_through_the_same_stages) {
    Appliance a({.workers = 2});
    a.publish(cache_list_forward(policy_list(3)));
    a.inject(DnsMessage::query(9, "www.stream.example", 1), 77, false, 1);
    a.turn();
    a.reply(a.upstream_query(), 86400, {"203.0.113.7"});
    a.turn();
    auto out = a.injected_answers();
    BOOST_REQUIRE_EQUAL(out.size(), 1U);
    BOOST_CHECK_EQUAL(out[0].token, 77U);
    BOOST_CHECK_EQUAL(out[0].answer->id(), 9);
    BOOST_CHECK_EQUAL(out[0].answer->ttls().at(0), 1770U);
    BOOST_CHECK_EQUAL(a.events().size(), 1U);
    a.inject(DnsMessage::query(10, "www.stream.example", 1), 78);  // from the cache
    a.turn();
    out = a.injected_answers();
    BOOST_CHECK_EQUAL(out.at(0).answer->id(), 10);
    BOOST_CHECK_EQUAL(a.count(Injected::answered), 1U);
    BOOST_CHECK_EQUAL(a.count(Injected::forwarded), 1U);
}

BOOST_AUTO_TEST_CASE(injected_queries_have_their_own_sizes_and_verdicts) {
    Appliance a;
    a.publish(cache_forward());
    a.inject(DnsMessage::query(1, "big.example", 1), 1, true);
    a.turn();
    const Seen q = a.upstream_query();
    DnsMessage big = DnsMessage::response(0, "big.example", 1);
    for (std::uint8_t i = 0; i < 70; ++i)
        big.a("big.example", 60, {10, 0, 0, i});
    a.reply(q, big);
    a.turn();
    BOOST_CHECK(a.injected_answers().at(0).answer->truncated());  // 512 over UDP
    a.inject(DnsMessage::query(1, "big.example", 1).opt(4096), 2, true);
    a.inject(DnsMessage::query(1, "big.example", 1), 3, false);
    a.inject(DnsMessage::response(1, "big.example", 1), 4, false);
    a.inject(DnsMessage(1, 0x0100), 5, false);
    a.inject(DnsMessage::query(1, "big.example", 1), 6, false, 0, "2001:db9::1");
    a.turn();
    const auto out = a.injected_answers();
    BOOST_REQUIRE_EQUAL(out.size(), 5U);
    std::map<std::uint64_t, const Appliance::Injected*> by_token;
    for (const auto& i : out)
        by_token[i.token] = &i;
    BOOST_CHECK_EQUAL(by_token[2]->answer->answers(), 70U);
    BOOST_CHECK_EQUAL(by_token[3]->answer->answers(), 70U);
    BOOST_CHECK(!by_token[4]->answer);
    BOOST_CHECK_EQUAL(by_token[5]->answer->rcode(), 1U);
    BOOST_CHECK_EQUAL(by_token[6]->answer->rcode(), 5U);
    BOOST_CHECK_EQUAL(a.count(Injected::drop_response), 1U);
    BOOST_CHECK_EQUAL(a.count(Injected::refused_client), 1U);
}

BOOST_AUTO_TEST_CASE(a_full_ring_to_streams_drops_and_counts) {
    Appliance a({.to_stream = 2});
    a.publish(cache_forward());
    a.ask_and_answer("www.other.example", 300, "203.0.113.7");
    for (std::uint64_t i = 0; i < 5; ++i)
        a.inject(DnsMessage::query(1, "www.other.example", 1), i);
    a.turn();
    BOOST_CHECK_EQUAL(a.count(Injected::answered), 1U);
    BOOST_CHECK_EQUAL(a.count(Injected::drop_ring_full), 4U);
    BOOST_CHECK_EQUAL(a.injected_answers().size(), 1U);
}

BOOST_AUTO_TEST_CASE(without_free_buffers_no_query_stays_parked) {
    Appliance a({.small_buffers = 31});
    a.publish(list_forward(policy_list(3, true)));
    std::vector<Buffer*> taken;
    while (Buffer* b = a.shared().buffers->take(100))
        taken.push_back(b);
    a.ask("www.stream.example");
    a.turn();
    for (const Seen& q : a.upstream_queries())
        a.reply(q, 300, {"203.0.113.7"});
    for (int i = 0; i < 60; ++i)
        a.advance_ms(100);
    BOOST_CHECK_EQUAL(a.parked(), 0U);
    for (Buffer* b : taken)
        release(b);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace steer::test
