// Query records (dataplane/stages/query_record.h): one for each query that ended, whatever its way; and the counts of
// QueryCounters. All other tests of this folder check the sums, with records too if STEER_RECORD_ALL is set.
#include "dataplane/stages/query_ends.h"

#include <boost/test/unit_test.hpp>
#include <chrono>
#include <cstdlib>
#include <numeric>

#include "packet/appliance.h"
#include "packet/programs.h"

namespace steer::test {
namespace {

using Recorded = Appliance::Recorded;

constexpr const char* kAsked = "www.example.org";
constexpr std::size_t kAskedQuery = 12 + 17 + 4;

struct RecordsOf {
    explicit RecordsOf(const ApplianceOptions& options = {}) : appliance(options) {
        appliance.record_none();
        appliance.publish(cache_forward());
    }
    void want(std::uint32_t one_in) {
        appliance.record_all();
        appliance.shared().record_one_in = one_in;
    }
    void ask_some(unsigned n) {
        for (unsigned i = 0; i < n; ++i)
            appliance.ask(kAsked, 1, static_cast<std::uint16_t>(++asked));
        appliance.turn();
        (void)appliance.answers();
    }
    // The ids of the queries that were recorded.
    std::vector<unsigned> taken() {
        std::vector<unsigned> ids;
        for (const Recorded& r : appliance.records()) {
            BOOST_TEST(r.head.stands_for == appliance.shared().record_one_in.load());
            BOOST_TEST(r.head.client.to_string() == "192.0.2.10");
            ids.push_back(static_cast<unsigned>(r.query[0]) << 8U | r.query[1]);
        }
        return ids;
    }

    Appliance appliance;
    unsigned asked = 0;
};

void check_question(const Recorded& r, std::uint16_t qtype = 1) {
    BOOST_TEST(r.head.qtype == qtype);
    BOOST_TEST(r.head.qclass == 1);
    BOOST_REQUIRE(r.head.qname_len == 17);
    BOOST_TEST(std::string(r.query.begin() + 13, r.query.begin() + 16) == "www");
    BOOST_TEST(r.head.client_port == 40000);
    BOOST_TEST(r.head.local_port == 53);
    BOOST_TEST(r.head.local.to_string() == "10.0.0.1");
}

void check_path(const Recorded& r, EndRow end, AnswerPath path, std::uint8_t how = 0) {
    BOOST_TEST(kEnds[static_cast<std::size_t>(r.head.end)].label ==
               kEnds[static_cast<std::size_t>(end)].label);
    BOOST_TEST(kAnswerPaths[r.head.path].label == kAnswerPaths[path].label);
    BOOST_TEST(r.head.how == how);
}

constexpr std::uint8_t kParked = QueryRecord::kParked, kHeld = QueryRecord::kHeld;

std::uint64_t timed(const Worker& w, LatencyPath path, std::optional<std::uint32_t> bound_us = {}) {
    const LatencyHistogram& h = w.query_counters().latency[static_cast<std::size_t>(path)];
    std::uint64_t n = 0;
    for (std::size_t i = 0; i < h.buckets.size(); ++i) {
        const bool is_that = i < h.kBoundsUs.size() && h.kBoundsUs[i] == bound_us;
        if (!bound_us || is_that) n += h.buckets[i].get();
    }
    return n;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(records)

BOOST_AUTO_TEST_CASE(queries_are_recorded_only_on_request) {
    RecordsOf t;
    t.appliance.ask_and_answer(kAsked, 300, "203.0.113.7");
    t.ask_some(5);
    t.want(1);
    t.ask_some(1);
    t.appliance.shared().record_one_in = 0;
    t.ask_some(5);
    BOOST_TEST(t.appliance.records().size() == 1U);
    BOOST_TEST(t.appliance.count(Stat::records_written) == 1U);
}

BOOST_AUTO_TEST_CASE(a_record_says_which_way_the_query_went) {
    RecordsOf t;
    Appliance& a = t.appliance;
    t.want(1);
    a.ask(kAsked);
    a.turn();
    BOOST_TEST(a.records().empty());  // it waits
    a.advance_ms(20);
    a.reply(a.upstream_query(), 300, {"203.0.113.7"});
    const auto before = std::chrono::steady_clock::now();
    a.turn();
    const std::chrono::nanoseconds turn = std::chrono::steady_clock::now() - before;
    const Seen answer = a.answer();
    const Recorded forwarded = a.record();
    check_question(forwarded);
    check_path(forwarded, EndRow::answered, AnswerPath::forwarded, kParked);
    BOOST_TEST(forwarded.head.duration_us == 20'000U);
    const auto begun_ns = a.now().micros() * 1000;
    BOOST_TEST(forwarded.head.ended_ns >= begun_ns);
    // (The time in the turn is real, by the cycle counter, whose frequency is an estimate.)
    BOOST_TEST(forwarded.head.ended_ns <= begun_ns + 2 * static_cast<std::uint64_t>(turn.count()));
    BOOST_TEST(forwarded.head.upstream == 0);
    BOOST_TEST(forwarded.head.rcode == 0);
    BOOST_TEST(forwarded.head.ede == QueryRecord::kNone);
    BOOST_TEST(forwarded.head.generation == 1U);
    BOOST_TEST((forwarded.response == answer.dns));
    BOOST_TEST((forwarded.query == DnsMessage::query(1, kAsked, 1).bytes()));

    t.ask_some(1);
    const Recorded cached = a.record();
    check_question(cached);
    check_path(cached, EndRow::answered, AnswerPath::cache);
    BOOST_TEST(cached.head.upstream == QueryRecord::kNone);
    BOOST_TEST(cached.head.cache == 0);
    BOOST_TEST((cached.query == DnsMessage::query(1, kAsked, 1).bytes()));
    BOOST_TEST(cached.response.size() == answer.dns.size());

    t.ask_some(1);
    const Recorded same = a.record();
    check_question(same);
    check_path(same, EndRow::answered, AnswerPath::packet_cache);
    BOOST_TEST((same.query == DnsMessage::query(2, kAsked, 1).bytes()));
    BOOST_TEST(same.head.trace_id == 0U);  // it was not traced
    BOOST_TEST(same.head.cache == 0);
    BOOST_TEST(a.count(Stat::packet_cache_hits) == 1U);

    BOOST_TEST(timed(a.worker(), LatencyPath::forwarded) == 1U);
    BOOST_TEST(timed(a.worker(), LatencyPath::forwarded, 30'000) == 1U);
    BOOST_TEST(timed(a.worker(), LatencyPath::cache) == 2U);
}

BOOST_AUTO_TEST_CASE(a_held_answer_has_the_time_of_its_router_and_its_lists) {
    Appliance a;
    a.record_all();
    PolicyList list = policy_list(3, true);
    list.sync_timeout_ms = 1000;
    a.publish(list_forward(list));
    a.ask("www.stream.example");
    a.turn();
    a.reply(a.upstream_query(), 300, {"203.0.113.7"});
    a.turn();
    a.advance_ms(200);
    const Event event = a.event();
    a.acknowledge(event);
    a.turn();
    (void)a.answer();
    const Recorded held = a.record();
    check_path(held, EndRow::answered, AnswerPath::forwarded, kParked | kHeld);
    BOOST_TEST(held.head.duration_us == 200'000U);
    BOOST_REQUIRE(held.head.list_count == 1);
    BOOST_TEST(held.head.lists[0] == 3);
    BOOST_TEST(held.head.tag_set != 0U);
    BOOST_TEST(timed(a.worker(), LatencyPath::held, 300'000) == 1U);
    BOOST_TEST(timed(a.worker(), LatencyPath::forwarded) == 0U);
}

BOOST_AUTO_TEST_CASE(a_stale_answer_and_a_local_one_say_so) {
    Appliance a;
    a.record_all();
    auto snapshot = cache_forward();
    snapshot->caches.front().stale = {
        .most_s = 3600, .wait_ms = 0, .recheck_s = 30, .ttl_s = 5, .positive_only = false};
    a.publish(std::move(snapshot));
    a.ask_and_answer(kAsked, 300, "203.0.113.7");
    a.advance_ms(400'000);
    (void)a.records();
    a.ask(kAsked);
    a.turn();
    (void)a.answer();
    check_path(a.record(), EndRow::answered, AnswerPath::stale);
    BOOST_TEST(timed(a.worker(), LatencyPath::stale) == 1U);
    a.reply(a.upstream_query(), 300, {"203.0.113.7"});  // of the refresh, which has no record
    a.turn();
    BOOST_TEST(a.count(PendingOutcome::refreshed) == 1U);
    BOOST_TEST(a.records().empty());

    SnapshotMaker maker;
    maker.add(Op::black_hole, maker.black_hole(std::uint8_t{5}), true);
    a.publish(maker.finish());
    a.ask(kAsked, 28);
    a.turn();
    BOOST_TEST(a.answer().rcode() == 5U);
    const Recorded local = a.record();
    check_path(local, EndRow::answered, AnswerPath::local);
    check_question(local, 28);
    BOOST_TEST(local.head.rcode == 5);
    BOOST_TEST(local.head.generation == 2U);
    BOOST_TEST(timed(a.worker(), LatencyPath::local) == 1U);
}

// mark 1 ; cache ; mark 2 ; forward: what of the program ran has its marks, on in each direction.
BOOST_AUTO_TEST_CASE(a_record_has_the_marks_of_its_query_on_every_way) {
    constexpr std::uint64_t kFront = 1, kBehind = std::uint64_t{1} << 47,
                            kHigh = std::uint64_t{1} << 48;
    RecordsOf t;
    Appliance& a = t.appliance;
    SnapshotMaker m;
    m.add(Op::mark, m.mark_mask(kFront | kHigh));
    m.add(Op::enter_cache, m.cache(), true);
    m.add(Op::mark, m.mark_mask(kBehind));
    m.add(Op::forward, m.group({static_cast<std::uint16_t>(m.upstream("192.0.2.53", 0))}));
    m.add(Op::stop);
    m.add(Op::end);
    a.publish(m.finish());
    t.want(1);
    a.ask_and_answer(kAsked, 300, "203.0.113.7");
    const Recorded forwarded = a.record();
    check_path(forwarded, EndRow::answered, AnswerPath::forwarded, kParked);
    BOOST_TEST(forwarded.head.marks() == (kFront | kBehind));  // of 48 bits
    t.ask_some(1);
    const Recorded cached = a.record();
    check_path(cached, EndRow::answered, AnswerPath::cache);
    BOOST_TEST(cached.head.marks() == kFront);
    t.ask_some(1);
    const Recorded same = a.record();
    check_path(same, EndRow::answered, AnswerPath::packet_cache);
    BOOST_TEST(same.head.marks() == kFront);
    a.inject(DnsMessage::query(9, kAsked, 1), 1);
    a.turn();
    (void)a.injected_answers();
    BOOST_TEST(a.record().head.marks() == kFront);

    // A query without a program has none, also after one with marks.
    a.inject(DnsMessage::response(7, kAsked, 1), 1);
    a.turn();
    (void)a.injected_answers();
    BOOST_TEST(a.record().head.marks() == 0U);

    // A hit that goes on: marks behind the cache count.
    SnapshotMaker more;
    more.add(Op::enter_cache, more.cache(), false);
    more.add(Op::mark, more.mark_mask(kBehind));
    const std::uint16_t asks = more.test(Op::if_has_resp, 0, true);
    more.add(Op::forward, more.group({static_cast<std::uint16_t>(more.upstream("192.0.2.53", 0))}));
    more.land(asks);
    more.add(Op::stop);
    more.add(Op::end);
    a.publish(more.finish());
    a.ask(kAsked);
    a.turn();
    (void)a.answers();
    (void)a.upstream_queries();
    for (const Recorded& r : a.records())
        BOOST_TEST(r.head.marks() == kBehind);
    t.ask_some(2);
    for (const Recorded& r : a.records())
        BOOST_TEST(r.head.marks() == kBehind);

    // What the policy drops has its marks, too.
    SnapshotMaker drops;
    drops.add(Op::mark, drops.mark_mask(kFront));
    drops.add(Op::drop);
    drops.add(Op::end);
    a.publish(drops.finish());
    a.ask(kAsked);
    a.turn();
    const Recorded dropped = a.record();
    BOOST_TEST(kEnds[static_cast<std::size_t>(dropped.head.end)].label == "dropped_by_policy");
    BOOST_TEST(dropped.head.marks() == kFront);
}

BOOST_AUTO_TEST_CASE(errors_and_drops_have_records) {
    RecordsOf t;
    Appliance& a = t.appliance;
    t.want(1);
    const DnsMessage response = DnsMessage::response(7, kAsked, 1);
    a.inject(response, 1);
    a.turn();
    BOOST_TEST(a.injected_answers().size() == 1U);
    const Recorded dropped = a.record();
    check_path(dropped, EndRow::drop_response, AnswerPath::error, QueryRecord::kInjected);
    BOOST_TEST(dropped.head.qname_len == 0);
    BOOST_TEST(dropped.head.rcode == QueryRecord::kNone);
    BOOST_TEST(dropped.head.response_length == 0);
    BOOST_TEST((dropped.head.transport == ClientTransport::tcp));
    BOOST_TEST((dropped.query == response.bytes()));

    a.ask(kAsked, 252);  // AXFR
    a.turn();
    BOOST_TEST(a.answer().rcode() == 4U);
    const Recorded refused = a.record();
    check_path(refused, EndRow::answered_error, AnswerPath::error);
    check_question(refused, 252);
    BOOST_TEST(refused.head.rcode == 4);
    BOOST_TEST((refused.query == DnsMessage::query(1, kAsked, 252).bytes()));
    BOOST_TEST(refused.response.size() == kAskedQuery);

    const QueryCounters& q = a.worker().query_counters();
    BOOST_TEST(q.count(dns::kNoType, dns::kNoReplyColumn) == 1U);
    BOOST_TEST(q.count(dns::kOtherType, 4) == 1U);
    BOOST_TEST(q.transports[static_cast<std::size_t>(ClientTransport::tcp)].get() == 1U);
    BOOST_TEST(q.transports[static_cast<std::size_t>(ClientTransport::udp)].get() == 1U);
}

BOOST_AUTO_TEST_CASE(a_query_without_an_answer_of_an_upstream_says_that_one_was_asked) {
    RecordsOf t;
    Appliance& a = t.appliance;
    t.want(1);
    a.ask(kAsked);
    a.turn();
    for (int i = 0; i < 12 && a.parked() > 0; ++i)
        a.advance_ms(1000);
    const Recorded failed = a.record();
    check_path(failed, EndRow::servfail, AnswerPath::forwarded, kParked);
    BOOST_TEST(failed.head.upstream == QueryRecord::kNone);
    BOOST_TEST(failed.head.rcode == 2);
    BOOST_TEST(failed.head.ede == static_cast<std::uint16_t>(dns::Ede::no_reachable));
    (void)a.answers();
    (void)a.upstream_queries();
    BOOST_TEST(a.worker().query_counters().count(dns::counted_as(1), 2) == 1U);
}

BOOST_AUTO_TEST_CASE(the_query_of_a_parked_record_is_written_again_with_its_options) {
    RecordsOf t;
    Appliance& a = t.appliance;
    t.want(1);
    DnsMessage query = DnsMessage::query(77, "WwW.example.org", 28);
    query.opt(4000, true);
    a.ask(query);
    a.turn();
    a.reply(a.upstream_query(), 300, {"2001:db8::7"});
    a.turn();
    (void)a.answer();
    const Recorded r = a.record();
    BOOST_TEST((r.query == query.bytes()));
    BOOST_TEST(r.head.udp_size == 4000);
    BOOST_TEST(r.head.query_length == r.query.size());
    BOOST_TEST(r.query[13] == 'W');
}

BOOST_AUTO_TEST_CASE(control_limits_the_bytes_of_messages_but_not_the_question) {
    RecordsOf t;
    Appliance& a = t.appliance;
    a.ask_and_answer(kAsked, 300, "203.0.113.7");
    t.want(1);
    a.shared().record_query_bytes = 0;
    a.shared().record_response_bytes = 0;
    DnsMessage query = DnsMessage::query(1, kAsked, 1);
    query.opt(1232);
    const auto ask = [&] {
        a.ask(query);
        a.turn();
        (void)a.answer();
        return a.record();
    };
    const Recorded least = ask();
    BOOST_TEST(least.query.size() == kAskedQuery);
    BOOST_TEST(least.head.query_length == kAskedQuery + 11);
    BOOST_TEST(least.response.empty());
    BOOST_TEST(least.head.response_length == kAskedQuery + 16 + 11);
    BOOST_TEST(least.head.cells == 3);
    a.shared().record_response_bytes = kAskedQuery;
    const Recorded in_response = ask();
    BOOST_TEST(in_response.query.empty());
    BOOST_TEST(in_response.head.query_length == kAskedQuery + 11);
    BOOST_TEST(in_response.head.flags == 0x0100);
    const std::span<const std::uint8_t> response{in_response.response};
    BOOST_TEST((QueryRecordView{in_response.head, {}, response}.qname()[1] == 'w'));
    BOOST_TEST(in_response.head.cells == 3);
    a.shared().record_query_bytes = kAskedQuery + 2;
    a.shared().record_response_bytes = 20;
    const Recorded cut = ask();
    BOOST_TEST(cut.query.size() == kAskedQuery + 2);
    BOOST_TEST(cut.response.size() == 20U);
    BOOST_TEST((cut.response[2] & 0x80) != 0);
    a.shared().record_query_bytes = a.shared().record_response_bytes = UINT16_MAX;
    const Recorded whole = ask();
    BOOST_TEST((whole.query == query.bytes()));
    BOOST_TEST(whole.response.size() == whole.head.response_length);
}

BOOST_AUTO_TEST_CASE(one_query_in_n_is_recorded_over_bursts_of_any_size) {
    RecordsOf t;
    t.appliance.ask_and_answer(kAsked, 300, "203.0.113.7");
    t.want(7);
    std::vector<unsigned> all;
    for (const unsigned n : {1U, 5U, 30U, 2U, 32U, 7U, 3U, 31U, 1U, 14U}) {
        t.ask_some(n);
        for (const unsigned id : t.taken())
            all.push_back(id);
    }
    BOOST_REQUIRE(all.size() == (t.asked + 6) / 7);
    for (std::size_t i = 0; i < all.size(); ++i)
        BOOST_TEST(all[i] == 1 + 7 * i);
    // Fewer are passed by than the last time reported, if more are wanted.
    t.appliance.shared().record_one_in = 2;
    t.ask_some(2);
    BOOST_TEST(t.appliance.records().size() == 1U);
}

BOOST_AUTO_TEST_CASE(the_next_record_counts_records_lost_to_a_full_ring) {
    RecordsOf t({.record_cells = 32});
    Appliance& a = t.appliance;
    a.ask_and_answer(kAsked, 300, "203.0.113.7");
    t.want(1);
    a.shared().record_response_bytes = 0;
    for (unsigned i = 0; i < 20; ++i)  // of 3 cells each; 7 and 31 cells fit into the two rings
        a.ask(kAsked, 1, static_cast<std::uint16_t>(i));
    for (unsigned i = 0; i < 3; ++i)
        a.worker().poll(a.now());
    a.take_records();
    BOOST_TEST(a.records().size() == 12U);
    t.ask_some(2);
    const auto taken = a.records();
    BOOST_REQUIRE(taken.size() == 2U);
    BOOST_TEST(taken[0].head.lost == 8U);
    BOOST_TEST(taken[1].head.lost == 0U);
    BOOST_TEST(a.count(Stat::records_lost) == 8U);
    BOOST_TEST(a.count(Stat::records_written) == 14U);
}

BOOST_AUTO_TEST_CASE(an_answer_that_the_port_refuses_is_recorded_as_dropped) {
    RecordsOf t;
    Appliance& a = t.appliance;
    a.ask_and_answer(kAsked, 300, "203.0.113.7");
    t.want(1);
    unsigned sent = 0;
    while (a.count(Verdict::drop_tx_full) == 0) {  // the test does not take what the port sends
        for (unsigned i = 0; i < 20; ++i)
            a.ask(kAsked, 1, static_cast<std::uint16_t>(++sent));
        a.worker().poll(a.now());
        a.take_records();
        BOOST_REQUIRE(sent < 100'000U);
    }
    const auto taken = a.records();
    BOOST_TEST(taken.size() == sent);
    const auto dropped = std::count_if(taken.begin(), taken.end(), [](const Recorded& r) {
        return r.head.end == EndRow::drop_tx_full;
    });
    BOOST_TEST(static_cast<std::uint64_t>(dropped) == a.count(Verdict::drop_tx_full));
    BOOST_TEST(dropped > 0);
    a.turn();
    (void)a.answers();
}

BOOST_AUTO_TEST_CASE(injected_and_moved_queries_say_how_they_arrived) {
    Appliance a({.workers = 2, .ports = 1, .spread = true});
    a.publish(cache_forward());
    a.ask_and_answer(kAsked, 300, "203.0.113.7");
    a.record_all();
    a.inject(DnsMessage::query(9, kAsked, 1), 7);
    a.inject(DnsMessage::query(9, kAsked, 1), 8, true);
    for (std::uint16_t port = 0; port < 16; ++port)
        a.ask(kAsked, 1, port, {.port = static_cast<std::uint16_t>(40000 + port)});
    a.turn();
    (void)a.answers();
    (void)a.injected_answers();
    std::array<unsigned, 4> by_how{};
    std::array<unsigned, kClientTransports.size()> by_transport{};
    for (const Recorded& r : a.records()) {
        ++by_how.at(r.head.how);
        ++by_transport.at(static_cast<std::size_t>(r.head.transport));
        BOOST_TEST((r.head.worker == 1) == (r.head.how == QueryRecord::kMoved));
    }
    BOOST_TEST(by_how[QueryRecord::kInjected] == 2U);
    BOOST_TEST(by_how[QueryRecord::kMoved] == a.count(Moved::answered));
    BOOST_TEST(by_how[0] + by_how[QueryRecord::kMoved] == 16U);
    BOOST_TEST(by_how[QueryRecord::kMoved] > 0U);
    BOOST_TEST(by_transport[static_cast<std::size_t>(ClientTransport::tcp)] == 1U);
    BOOST_TEST(by_transport[static_cast<std::size_t>(ClientTransport::udp)] == 17U);
}

BOOST_AUTO_TEST_CASE(a_busy_worker_counts_its_ends_after_some_turns_and_when_it_is_idle) {
    RecordsOf t;
    Appliance& a = t.appliance;
    a.ask_and_answer(kAsked, 300, "203.0.113.7");
    const QueryCounters& q = a.worker().query_counters();
    const std::uint64_t before = q.count(dns::counted_as(1), 0);
    for (unsigned i = 0; i < QueryEnds::kTurns; ++i) {
        BOOST_TEST(q.count(dns::counted_as(1), 0) == before);
        a.ask(kAsked, 1, static_cast<std::uint16_t>(i));
        a.worker().poll(a.now());
    }
    BOOST_TEST(q.count(dns::counted_as(1), 0) == before + QueryEnds::kTurns);
    a.ask(kAsked);
    a.worker().poll(a.now());
    BOOST_TEST(q.count(dns::counted_as(1), 0) == before + QueryEnds::kTurns);
    const std::uint64_t busy = q.busy_cycles.get();
    BOOST_TEST(busy > 0U);
    a.turn();
    BOOST_TEST(q.count(dns::counted_as(1), 0) == before + QueryEnds::kTurns + 1);
    (void)a.answers();
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace steer::test
