// Queries that come again byte for byte: answered as the first time, and never with what the cache has no more.
#include <boost/test/unit_test.hpp>

#include "dataplane/cache/cache.h"
#include "packet/appliance.h"
#include "packet/programs.h"
#include "support/random.h"

namespace steer::test {
namespace {

// Asks until the packet cache has it: once to fill the cache, once to find it there.
void make_known(Appliance& a, const std::string& name, std::uint32_t ttl_s,
                const std::string& address) {
    a.ask_and_answer(name, ttl_s, address);
    a.ask(name);
    a.turn();
    (void)a.answer();
}

Seen ask_again(Appliance& a, const std::string& name, std::uint16_t id = 1) {
    a.ask(name, kTypeA, id);
    a.turn();
    return a.answer();
}

// [domain:one.example] cache 0 ; [others] cache 1 ; forward
std::unique_ptr<Snapshot> two_caches() {
    SnapshotMaker maker;
    const auto one = maker.test(Op::if_tags, maker.domains({"domain:one.example"}));
    maker.add(Op::enter_cache, maker.cache(0), true);
    maker.add(Op::forward,
              maker.group({static_cast<std::uint16_t>(maker.upstream("198.51.100.53", 0))}));
    maker.add(Op::stop);
    maker.land(one);
    maker.add(Op::enter_cache, maker.cache(1), true);
    maker.add(Op::forward, 0);
    maker.add(Op::sequence_end);
    maker.add(Op::end);
    maker.snapshot().program[1].target = 3;
    maker.snapshot().program[4].target = 6;
    return maker.finish();
}

}  // namespace

BOOST_AUTO_TEST_SUITE(packet_cache)

BOOST_AUTO_TEST_CASE(hits_and_misses_are_counted_by_cache) {
    Appliance a;
    a.publish(two_caches());
    make_known(a, "www.one.example", 300, "203.0.113.7");  // a miss, then a hit by lookup
    make_known(a, "www.two.example", 300, "203.0.113.8");
    a.ask_and_answer("www.three.example", 300, "203.0.113.9");
    for (unsigned i = 0; i < 3; ++i)
        (void)ask_again(a, "www.one.example");  // by the packet cache
    (void)ask_again(a, "www.two.example");
    a.turn();  // without work: adds what the busy turns counted
    BOOST_TEST(a.count(Stat::packet_cache_hits) == 4U);
    BOOST_TEST(a.lookups(0).hits.get() == 4U);
    BOOST_TEST(a.lookups(0).misses.get() == 1U);
    BOOST_TEST(a.lookups(1).hits.get() == 2U);
    BOOST_TEST(a.lookups(1).misses.get() == 2U);
}

BOOST_AUTO_TEST_CASE(a_packet_cache_hit_gets_its_own_id_and_the_present_ttl) {
    Appliance a;
    a.publish(cache_forward());
    make_known(a, "www.other.example", 300, "203.0.113.7");
    BOOST_CHECK_EQUAL(a.count(Stat::packet_cache_hits), 0U);
    a.advance_ms(100'000);
    const Seen answer = ask_again(a, "www.other.example", 4711);
    BOOST_CHECK_EQUAL(a.count(Stat::packet_cache_hits), 1U);
    BOOST_CHECK_EQUAL(a.count(Stat::cache_hits), 2U);
    BOOST_CHECK_EQUAL(answer.id(), 4711);
    BOOST_CHECK_EQUAL(answer.ttls().at(0), 200U);
    BOOST_CHECK_EQUAL(answer.last_address(), "203.0.113.7");
    // The same bytes except for the case: another query, with its own answer.
    BOOST_CHECK_EQUAL(ask_again(a, "WWW.other.example").qname(), "WWW.other.example");
    BOOST_CHECK_EQUAL(a.count(Stat::packet_cache_hits), 1U);
    a.check_sums();
}

BOOST_AUTO_TEST_CASE(an_expired_answer_is_asked_for_again) {
    Appliance a;
    a.publish(cache_forward());
    make_known(a, "www.other.example", 300, "203.0.113.7");
    a.advance_ms(301'000);
    a.ask("www.other.example");
    a.turn();
    a.reply(a.upstream_query(), 300, {"203.0.113.8"});
    a.turn();
    BOOST_CHECK_EQUAL(a.answer().last_address(), "203.0.113.8");
    BOOST_CHECK_EQUAL(ask_again(a, "www.other.example").last_address(), "203.0.113.8");
    BOOST_CHECK_EQUAL(ask_again(a, "www.other.example").last_address(), "203.0.113.8");
    a.check_sums();
}

BOOST_AUTO_TEST_CASE(a_flushed_answer_is_asked_for_again) {
    Appliance a;
    a.publish(cache_forward());
    make_known(a, "www.other.example", 300, "203.0.113.7");
    a.shared().cache->flush();
    a.ask("www.other.example");
    a.turn();
    (void)a.upstream_query();
    BOOST_CHECK_EQUAL(a.count(Stat::packet_cache_hits), 0U);
}

BOOST_AUTO_TEST_CASE(a_refused_client_gets_no_answer_from_the_packet_cache) {
    Appliance a;
    auto snapshot = cache_forward();
    snapshot->allow = matchers::PrefixSet({*matchers::Prefix::parse("192.0.2.0/24")});
    a.publish(std::move(snapshot));
    make_known(a, "www.other.example", 300, "203.0.113.7");
    a.ask("www.other.example", kTypeA, 1, {.address = "198.18.0.1"});
    a.turn();
    BOOST_CHECK_EQUAL(a.answer().rcode(), 5U);
    BOOST_CHECK_EQUAL(a.count(Verdict::refused_client), 1U);
    BOOST_CHECK_EQUAL(a.count(Stat::packet_cache_hits), 0U);
}

BOOST_AUTO_TEST_CASE(a_new_snapshot_empties_the_packet_cache) {
    Appliance a;
    a.publish(cache_forward());
    make_known(a, "www.other.example", 300, "203.0.113.7");
    a.publish(forward_only());
    a.ask("www.other.example");
    a.turn();
    (void)a.upstream_query();
    BOOST_CHECK_EQUAL(a.count(Stat::packet_cache_hits), 0U);
}

BOOST_AUTO_TEST_CASE(guarded_answers_are_not_taken_from_the_packet_cache) {
    Appliance a;
    a.publish(forward_only());
    a.ask_and_answer("www.other.example", 300, "203.0.113.7");
    a.ask_and_answer("www.other.example", 300, "203.0.113.8");
    BOOST_CHECK_EQUAL(a.count(Stat::packet_cache_hits), 0U);
}

// Against a plain map: thousands of queries for names that come, expire, are replaced and evicted. Each name has one
// address for ever, so an answer from memory that is another entry's by now shows.
BOOST_AUTO_TEST_CASE(every_answer_has_its_own_name_under_churn) {
    Appliance a;
    auto snapshot = cache_forward();
    a.publish(std::move(snapshot));
    a.shared().cache->set_instance_size(0, 200);
    Random random(20261120);
    for (unsigned round = 0; round < 6000; ++round) {
        const unsigned n = random.below(3) == 0 ? random.below(2000) : random.below(40);
        a.ask("host" + std::to_string(n) + ".other.example", kTypeA, static_cast<std::uint16_t>(n));
        a.turn();
        for (const Seen& q : a.upstream_queries()) {
            const unsigned k = static_cast<unsigned>(std::stoul(q.qname().substr(4)));
            a.reply(q, 2 + k % 50,
                    {"198.18." + std::to_string(k / 256) + "." + std::to_string(k % 256)});
        }
        a.turn();
        const Seen answer = a.answer();
        BOOST_REQUIRE_EQUAL(answer.id(), n);
        BOOST_REQUIRE_EQUAL(answer.last_address(),
                            "198.18." + std::to_string(n / 256) + "." + std::to_string(n % 256));
        BOOST_REQUIRE_LE(answer.ttls().at(0), 2 + n % 50);
        if (random.below(4) == 0) a.advance_ms(random.below(2000));
        if (random.below(500) == 0) a.shared().cache->flush();
    }
    BOOST_CHECK_GT(a.count(Stat::packet_cache_hits), 500U);
    BOOST_CHECK_GT(a.count(Stat::cache_evictions), 500U);
    a.check_sums();
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace steer::test
