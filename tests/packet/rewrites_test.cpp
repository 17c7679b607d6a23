// Executors that change the question: the bytes of what is asked and answered, over UDP and TCP, with several workers.
#include <boost/test/unit_test.hpp>

#include "packet/appliance.h"
#include "support/random.h"

namespace steer::test {
namespace {

// redirect old.example -> new.target.example ; [cache ;] forward
std::unique_ptr<Snapshot> redirected(bool with_cache = false, std::uint32_t sleep_ms = 0) {
    SnapshotMaker m;
    m.upstream("198.51.100.53", 0);
    m.group({0});
    m.redirect({"old.example", "domain:also.example"}, "new.target.example");
    m.add(Op::enter_redirect);
    if (sleep_ms != 0) m.add(Op::sleep, sleep_ms);
    if (with_cache) {
        m.cache();
        m.add(Op::enter_cache, 0, true);
    }
    m.add(Op::forward);
    m.add(Op::sequence_end);
    m.add(Op::end);
    return m.finish();
}

DnsMessage long_answer(unsigned records) {
    DnsMessage m = DnsMessage::response(0, "new.target.example", kTypeA);
    for (unsigned i = 0; i < records; ++i) {
        m.record(DnsMessage::kAnswer, {0xc0, 12}, kTypeA, 300,
                 {10, 1, static_cast<std::uint8_t>(i >> 8), static_cast<std::uint8_t>(i)});
    }
    return m;
}

// Of `long_answer`, for a client that asked for old.example.
std::size_t size_behind_alias(unsigned records) {
    const std::size_t question = DnsMessage::query(0, "old.example", kTypeA).size();
    const std::size_t cname = 12 + sizeof "3new6target" - 1 + 2;
    return question + cname + records * 16;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(rewrites)

BOOST_AUTO_TEST_CASE(an_answer_too_large_with_its_alias_is_truncated_and_whole_over_tcp) {
    // The last that fits into 512 bytes, and one more: without the alias that would fit as well.
    unsigned most = 0;
    while (size_behind_alias(most + 1) <= 512)
        ++most;
    BOOST_REQUIRE(long_answer(most + 1).size() <= 512);
    for (const unsigned records : {most, most + 1}) {
        Appliance a;
        a.publish(redirected(true));
        a.ask("oLd.example");
        a.turn();
        const Seen q = a.upstream_query();
        BOOST_CHECK_EQUAL(q.qname(), "new.target.example");
        a.reply(q, long_answer(records));
        a.turn();
        const Seen answer = a.answer();
        BOOST_CHECK_EQUAL(answer.qname(), "oLd.example");
        BOOST_CHECK_EQUAL(answer.truncated(), records > most);
        BOOST_CHECK_EQUAL(answer.answers(), records > most ? 0 : records + 1);
        if (records == most) BOOST_CHECK_EQUAL(answer.dns.size(), size_behind_alias(records));
        a.inject(DnsMessage::query(3, "old.example", kTypeA), 9);
        a.turn();
        const auto over_tcp = a.injected_answers();
        BOOST_REQUIRE_EQUAL(over_tcp.size(), 1U);
        BOOST_REQUIRE(over_tcp[0].answer);
        BOOST_CHECK_EQUAL(over_tcp[0].answer->answers(), records + 1);
        BOOST_CHECK(!over_tcp[0].answer->truncated());
    }
}

BOOST_AUTO_TEST_CASE(the_worker_that_owns_the_target_serves_all_workers) {
    Appliance a({.workers = 4});
    a.publish(redirected());
    for (std::uint16_t i = 0; i < 16; ++i) {
        a.ask(i % 2 == 0 ? "old.example" : "x.also.example", kTypeA, i,
              {.port = static_cast<std::uint16_t>(41000 + i), .worker = i % 4U});
    }
    a.turn();
    const Seen q = a.upstream_query();
    BOOST_CHECK_EQUAL(a.count(Stat::upstream_coalesced), 15U);
    a.reply(q, 60, {"203.0.113.7"});
    a.turn();
    for (const Seen& s : a.answers()) {
        BOOST_CHECK_EQUAL(s.qname(), s.id() % 2 == 0 ? "old.example" : "x.also.example");
        BOOST_CHECK(s.ttls() == (std::vector<std::uint32_t>{1, 60}));
    }
    a.check_sums();
}

BOOST_AUTO_TEST_CASE(a_redirected_query_gets_its_own_name_back_when_its_generation_ends) {
    Appliance a;
    const Snapshot& old = a.publish(redirected(false, 1000));
    a.ask("old.example");
    a.turn();
    BOOST_CHECK_EQUAL(a.parked(), 1U);
    a.shared().retire_generation = old.generation;
    a.advance_ms(1);
    const Seen answer = a.answer();
    BOOST_CHECK_EQUAL(answer.qname(), "old.example");
    BOOST_CHECK_EQUAL(answer.rcode(), 2U);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace steer::test
