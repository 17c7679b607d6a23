// Branches of a query whose parent ends first, has no room, or gets something else: every record ends once.
#include <boost/test/unit_test.hpp>

#include "packet/appliance.h"
#include "support/random.h"

namespace steer {
namespace {

using namespace test;

struct Terms {
    bool always_standby = false;
    bool lists = true;
    bool synchronous = false;
    bool cache_before = false;
    std::uint32_t stale_ms = 0;  // serve_stale of that cache
    bool nested = false;
    std::uint32_t sleep_ms = 0;  // inside the primary
    bool prefer = false;         // IPv4, before the rest; not remembered
};

// [cache ;] fallback(primary: [list 1 ;] [sleep ;] forward .53, secondary: [list 2 ;] forward .54), 500 ms
std::unique_ptr<Snapshot> with_fallback(const Terms& t = {}) {
    SnapshotMaker m;
    m.upstream("198.51.100.53", 0);
    m.upstream("198.51.100.54", 1);
    m.group({0});
    m.group({1});
    m.list(policy_list(1, t.synchronous));
    m.list(policy_list(2, t.synchronous));
    if (t.cache_before) {
        m.cache();
        m.snapshot().caches.front().stale = {.most_s = t.stale_ms > 0 ? 3600U : 0,
                                             .wait_ms = t.stale_ms,
                                             .recheck_s = 30,
                                             .ttl_s = 5,
                                             .positive_only = false};
        m.add(Op::enter_cache, 0, true);
    }
    if (t.prefer) {
        m.snapshot().prefers.push_back({.remember_s = 0});
        m.add(Op::enter_prefer, 0);
    }
    m.add(Op::fallback, t.nested ? 1 : 0);
    m.add(Op::sequence_end);
    m.add(Op::end);
    std::uint8_t instance = 0;
    const auto unit = [&](std::uint32_t which, Op op) {
        const auto pc = static_cast<std::uint16_t>(m.snapshot().program.size());
        ++instance;
        if (t.lists && op == Op::forward) m.add(Op::enter_list, which, false, instance);
        if (t.sleep_ms != 0 && which == 0) m.add(Op::sleep, t.sleep_ms, false, instance);
        m.add(op, which, false, instance);
        m.add(Op::sequence_end, 0, false, instance);
        m.add(Op::end);
        return pc;
    };
    Fallback f{.terms = {.always_standby = t.always_standby}};
    f.primary = unit(0, Op::forward);
    f.secondary = unit(1, Op::forward);
    m.snapshot().fallbacks.push_back(f);
    if (t.nested) {
        Fallback outer{.threshold_ms = 700};
        outer.primary = unit(0, Op::fallback);
        outer.secondary = f.secondary;
        m.snapshot().fallbacks.push_back(outer);
    }
    return m.finish();
}

std::vector<Seen> asked(Appliance& a, const std::string& upstream) {
    std::vector<Seen> out;
    for (Seen& q : a.upstream_queries()) {
        if (q.frame.to == *IpAddress::parse(upstream)) out.push_back(std::move(q));
    }
    return out;
}

void let_all_end(Appliance& a) {
    for (int i = 0; i < 80; ++i)
        a.advance_ms(100);
    (void)a.upstream_queries();
    BOOST_CHECK_EQUAL(a.parked(), 0U);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(branches)

BOOST_AUTO_TEST_CASE(a_kept_standby_answer_is_freed_when_the_primary_answers) {
    Appliance a;
    a.publish(with_fallback({.always_standby = true}));
    a.ask("www.example");
    a.turn();
    auto queries = a.upstream_queries();
    BOOST_REQUIRE_EQUAL(queries.size(), 2U);
    a.reply(queries[1], 300, {"203.0.113.2"});
    a.turn();
    BOOST_CHECK(a.answers().empty());
    BOOST_CHECK_EQUAL(a.parked(), 3U);
    a.reply(queries[0], 300, {"203.0.113.1"});
    a.turn();
    BOOST_CHECK_EQUAL(a.answer().answers(), 1U);
    BOOST_CHECK_EQUAL(a.event().list, 1);
    BOOST_CHECK_EQUAL(a.parked(), 0U);
    BOOST_CHECK_EQUAL(a.count(PendingOutcome::branch_over), 2U);
    BOOST_CHECK_EQUAL(a.count(PendingOutcome::answered), 1U);
}

BOOST_AUTO_TEST_CASE(an_ended_generation_ends_queries_branches_and_kept_answers) {
    for (const bool replied : {false, true}) {
        Appliance a;
        const Snapshot& old = a.publish(with_fallback({.always_standby = true, .nested = true}));
        a.ask("www.example");
        a.turn();
        const auto queries = a.upstream_queries();
        BOOST_REQUIRE_EQUAL(queries.size(), 2U);
        if (replied) a.reply(queries[1], 300, {"203.0.113.2"});
        a.turn();
        a.publish(with_fallback());
        a.shared().retire_generation = old.generation;
        a.turn();
        BOOST_CHECK_EQUAL(a.answer().rcode(), 2U);
        BOOST_CHECK_EQUAL(a.count(PendingOutcome::generation_ended), 1U);
        a.reply(queries[0], 300, {"203.0.113.1"});
        a.turn();
        BOOST_CHECK(a.answers().empty());
        BOOST_CHECK(a.events().empty());
        let_all_end(a);
        BOOST_CHECK(a.answers().empty());
    }
}

BOOST_AUTO_TEST_CASE(branches_may_use_half_of_the_parked_records) {
    Appliance a({.max_parked = 8});
    a.publish(with_fallback({.always_standby = true}));
    for (int i = 0; i < 6; ++i)
        a.ask("www.n" + std::to_string(i) + ".example", 1, static_cast<std::uint16_t>(i));
    a.turn();
    // One with both branches, two with the second; those that get none are reported at once.
    BOOST_CHECK_EQUAL(a.parked(), 7U);
    const auto sent = a.answers();
    BOOST_CHECK_EQUAL(sent.size(), 3U);
    for (const Seen& t : sent)
        BOOST_CHECK_EQUAL(t.rcode(), 2U);
    for (const Seen& q : a.upstream_queries())
        a.reply(q, 300, {"203.0.113.1"});
    a.turn();
    BOOST_CHECK_EQUAL(a.answers().size(), 3U);
    (void)a.events();
    let_all_end(a);
}

BOOST_AUTO_TEST_CASE(queries_without_a_waiting_client_do_not_count_in_its_quota) {
    Appliance a({.max_parked_per_client = 4});
    a.publish(with_fallback());
    for (int i = 0; i < 12; ++i) {
        a.ask("www.n" + std::to_string(i) + ".example", 1, static_cast<std::uint16_t>(i));
        a.turn();
        a.advance_ms(504);
        for (const Seen& q : asked(a, "198.51.100.54"))
            a.reply(q, 300, {"203.0.113.2"});
        a.turn();
        BOOST_CHECK_EQUAL(a.answer().answers(), 1U);
        (void)a.events();
    }
    BOOST_CHECK_GT(a.parked(), 0U);
    let_all_end(a);
    BOOST_CHECK_EQUAL(a.count(Verdict::drop_client_quota), 0U);
}

BOOST_AUTO_TEST_CASE(a_query_with_branches_over_the_client_quota_is_dropped) {
    Appliance a({.max_parked_per_client = 1});
    a.publish(with_fallback());
    a.ask("www.example", 1, 1);
    a.ask("ftp.example", 1, 2);
    a.turn();
    BOOST_CHECK_EQUAL(a.count(Verdict::drop_client_quota), 1U);
    BOOST_CHECK_EQUAL(a.count(Verdict::forwarded), 1U);
    for (const Seen& q : a.upstream_queries())
        a.reply(q, 300, {"203.0.113.1"});
    a.turn();
    BOOST_CHECK_EQUAL(a.answer().id(), 1U);
    (void)a.events();
}

BOOST_AUTO_TEST_CASE(a_stale_answer_of_the_primary_is_claimed_by_its_lists) {
    for (const bool timer : {false, true}) {
        Appliance a;
        a.publish(with_fallback({.cache_before = true, .stale_ms = 900}));
        a.ask("www.example");
        a.turn();
        a.reply(a.upstream_query(), 300, {"203.0.113.7"});
        a.turn();
        BOOST_CHECK_EQUAL(a.answer().answers(), 1U);
        BOOST_CHECK_EQUAL(a.event().list, 1);
        a.advance_ms(400'000);
        a.ask("www.example");
        a.turn();
        a.advance_ms(500);
        auto queries = a.upstream_queries();
        a.advance_ms(timer ? 404 : 4);
        for (Seen& q : a.upstream_queries())
            queries.push_back(std::move(q));
        if (!timer) {
            for (const Seen& q : queries)
                a.reply(q, DnsMessage::response(q.id(), "www.example", 1, 0x8182));
            a.turn();
            BOOST_CHECK_EQUAL(a.answer().rcode(), 2U);  // a reply, so it counts
        } else {
            const Seen sent = a.answer();
            BOOST_CHECK(sent.ttls() == (std::vector<std::uint32_t>{5}));
            BOOST_CHECK_EQUAL(a.event().list, 1);
            BOOST_CHECK_EQUAL(a.count(Stat::cache_refreshes), 1U);
            // The query goes on as a refresh, with its branches.
            for (const Seen& q : queries)
                a.reply(q, 300, {"203.0.113.8"});
            a.turn();
            BOOST_CHECK(a.answers().empty());
            (void)a.events();
            a.ask("www.example");
            a.turn();
            BOOST_CHECK(a.answer().ttls() == (std::vector<std::uint32_t>{300}));
        }
        (void)a.events();
        let_all_end(a);
    }
}

BOOST_AUTO_TEST_CASE(a_tcp_query_of_another_worker_is_held_for_a_router) {
    Appliance a({.workers = 2});
    a.publish(with_fallback({.synchronous = true}));
    for (const unsigned worker : {0U, 1U}) {
        for (const char* name : {"a.example", "b.example", "c.example", "d.example"}) {
            a.inject(DnsMessage::query(7, name, 1), 99, false, worker);
            a.turn();
            a.advance_ms(504);
            for (const Seen& q : asked(a, "198.51.100.54"))
                a.reply(q, 300, {"203.0.113.2"});
            a.turn();
            BOOST_CHECK(a.injected_answers().empty());
            const Event e = a.event();
            BOOST_CHECK_EQUAL(e.list, 2);
            a.acknowledge(e);
            a.turn();
            const auto sent = a.injected_answers();
            BOOST_REQUIRE_EQUAL(sent.size(), 1U);
            BOOST_CHECK_EQUAL(sent[0].answer->answers(), 1U);
        }
        let_all_end(a);
    }
}

// Random questions, replies, silences, reloads and a lack of everything; the Appliance checks what is left.
BOOST_AUTO_TEST_CASE(random_orders_of_events_leak_nothing) {
    std::uint64_t by_secondary = 0;
    const TraceFilter all{};
    std::size_t traces = 0;
    for (unsigned seed = 1; seed <= 12; ++seed) {
        Random random(seed);
        Appliance a({.workers = 1 + seed % 2,
                     .max_parked = seed % 3 == 0 ? 24U : 512U,
                     .max_parked_per_client = seed % 4 == 0 ? 6U : 256U,
                     .max_in_flight = seed % 5 == 0 ? 4U : 64U,
                     .small_buffers = seed % 3 == 1 ? 40U : 1024U});
        if (seed % 2 == 1) a.shared().trace_filter = &all;
        const auto terms = [&] {
            return Terms{.always_standby = random.below(2) == 0,
                         .lists = random.below(3) != 0,
                         .synchronous = random.below(3) == 0,
                         .cache_before = random.below(2) == 0,
                         .stale_ms = random.below(2) * 300,
                         .nested = random.below(2) == 0,
                         .sleep_ms = random.below(3) == 0 ? random.below(900) : 0,
                         .prefer = random.below(2) == 0};
        };
        a.publish(with_fallback(terms()));
        std::uint32_t generation = 1;
        std::vector<Seen> open;
        std::uint16_t id = 0;
        for (int step = 0; step < 1500; ++step) {
            const std::string name = "n" + std::to_string(random.below(30)) + ".example";
            const std::uint16_t type = random.below(2) == 0 ? 1 : 28;
            switch (random.below(8)) {
                case 0:
                case 1:
                case 2:
                    a.ask(name, type, ++id, {.worker = seed % 2 * random.below(2)});
                    break;
                case 3:
                    ++id;
                    a.inject(DnsMessage::query(id, name, type), id, false,
                             seed % 2 * random.below(2));
                    break;
                case 4:
                    if (random.below(40) != 0) break;
                    a.publish(with_fallback(terms()));
                    ++generation;
                    a.shared().retire_generation = generation - 1;
                    for (int i = 0; i < 60 && generation % kMaxGenerations == 0; ++i)
                        a.advance_ms(100);  // a slot is free again
                    break;
                default:
                    break;
            }
            a.advance_ms(random.below(120));
            for (Seen& q : a.upstream_queries())
                open.push_back(std::move(q));
            while (!open.empty() && random.below(3) != 0) {
                const std::size_t i = random.below(static_cast<std::uint32_t>(open.size()));
                const Seen q = open[i];
                open.erase(open.begin() + static_cast<std::ptrdiff_t>(i));
                const unsigned kind = random.below(6);
                if (kind == 0) continue;  // lost
                if (kind < 3) {
                    const std::uint16_t flags = kind == 1 ? 0x8182 : 0x8183;
                    a.reply(q, DnsMessage::response(q.id(), q.qname(), q.qtype(), flags));
                } else {
                    const char* prefix = q.qtype() == 1 ? "203.0.113." : "2001:db8::";
                    a.reply(q, random.below(300), {prefix + std::to_string(random.below(9))});
                }
            }
            a.turn();
            for (const Event& e : a.events()) {
                if (random.below(3) != 0) a.acknowledge(e);
            }
            (void)a.answers();
            (void)a.injected_answers();
            for (Buffer* const trace : a.traces()) {
                ++traces;
                release(trace);
            }
        }
        a.shared().trace_filter = nullptr;
        for (int i = 0; i < 100; ++i) {
            a.advance_ms(100);
            (void)a.events();
        }
        (void)a.upstream_queries();
        BOOST_CHECK_EQUAL(a.parked(), 0U);
        for (Buffer* const trace : a.traces())
            release(trace);
        BOOST_CHECK_GT(a.count(PendingOutcome::branch_over), 100U);
        by_secondary += a.count(Stat::fallback_secondary);
    }
    BOOST_CHECK_GT(by_secondary, 100U);
    BOOST_CHECK_GT(traces, 1000U);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace steer
