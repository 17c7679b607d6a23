// Traces (dataplane/policy/trace.h): what they show, that the query is answered as without, and that all of them end.
#include <boost/test/unit_test.hpp>
#include <cstring>
#include <map>

#include "packet/appliance.h"
#include "packet/programs.h"

namespace steer::test {
namespace {

struct ReadTrace {
    TraceHead head{};
    std::vector<TraceEvent> events;
    std::vector<std::string> words;  // "step 3", "cache hit" ...
    std::vector<Bytes> payloads;     // by event

    [[nodiscard]] unsigned count(TraceWhat what) const {
        unsigned n = 0;
        for (const TraceEvent& e : events)
            n += e.what == what ? 1U : 0U;
        return n;
    }
    [[nodiscard]] const TraceEvent& first(TraceWhat what) const {
        for (const TraceEvent& e : events) {
            if (e.what == what) return e;
        }
        BOOST_REQUIRE_MESSAGE(false, "no event " << kTraceLabels[static_cast<std::size_t>(what)]);
        return events.front();
    }
    [[nodiscard]] std::string shown() const {
        std::string out;
        for (const std::string& word : words)
            out += (out.empty() ? "" : " ") + word;
        return out;
    }
};

ReadTrace read_trace(Buffer* buffer) {
    ReadTrace out;
    std::memcpy(&out.head, buffer->data(), sizeof out.head);
    for (std::size_t at = 0; at < out.head.used;) {
        TraceEvent e;
        std::memcpy(&e, buffer->data() + sizeof out.head + at, sizeof e);
        const std::uint8_t* const payload = buffer->data() + sizeof out.head + at + sizeof e;
        out.payloads.emplace_back(payload, payload + sizeof e * e.cells);
        at += sizeof e * (1U + e.cells);
        out.events.push_back(e);
        out.words.emplace_back(kTraceLabels[static_cast<std::size_t>(e.what)]);
    }
    release(buffer);
    return out;
}

std::vector<ReadTrace> read_traces(Appliance& appliance) {
    std::vector<ReadTrace> all;
    for (Buffer* const b : appliance.traces())
        all.push_back(read_trace(b));
    return all;
}

ReadTrace only_trace(Appliance& appliance) {
    auto all = read_traces(appliance);
    BOOST_REQUIRE_EQUAL(all.size(), 1U);
    return std::move(all.front());
}

void put_name(TraceFilter& filter, const std::string& text, bool below) {
    const Bytes name = wire_name(text);
    std::copy(name.begin(), name.end(), filter.name.begin());
    filter.name_len = static_cast<std::uint8_t>(name.size());
    filter.below = below;
}

struct Traced {
    explicit Traced(const ApplianceOptions& options = {}) : appliance(options) {}
    ~Traced() {
        appliance.shared().trace_filter = nullptr;
        (void)read_traces(appliance);
    }
    Traced(const Traced&) = delete;
    Traced& operator=(const Traced&) = delete;

    void trace_all() { appliance.shared().trace_filter = &filter; }

    TraceFilter filter;
    Appliance appliance;
};

}  // namespace

BOOST_AUTO_TEST_SUITE(traces)

BOOST_AUTO_TEST_CASE(without_a_filter_no_query_is_traced) {
    Traced t;
    t.appliance.publish(cache_forward());
    t.appliance.ask_and_answer("www.example.org", 300, "203.0.113.7");
    BOOST_TEST(t.appliance.traces().empty());
}

BOOST_AUTO_TEST_CASE(a_miss_shows_its_steps_the_upstream_and_the_answer) {
    Traced t;
    t.appliance.publish(cache_forward());
    t.trace_all();
    t.appliance.ask("www.example.org");
    t.appliance.turn();
    BOOST_TEST(t.appliance.traces().empty());  // it waits
    t.appliance.advance_ms(7);
    t.appliance.reply(t.appliance.upstream_query(), 300, {"203.0.113.7", "203.0.113.8"});
    t.appliance.turn();
    (void)t.appliance.answer();
    const ReadTrace trace = only_trace(t.appliance);
    BOOST_TEST(trace.shown() ==
               "plan step cache step waits asked replied upstream_end response step "
               "left step decided answer end");
    BOOST_TEST(trace.first(TraceWhat::cache).flags == static_cast<unsigned>(TraceCache::miss));
    BOOST_TEST(trace.first(TraceWhat::asked).pc == 0U);
    BOOST_TEST(trace.first(TraceWhat::replied).b == 7U);
    BOOST_TEST(trace.first(TraceWhat::replied).at_ms == 7U);
    BOOST_TEST(trace.first(TraceWhat::answer).cells == 2U);
    BOOST_TEST(trace.first(TraceWhat::answer).b == 300U);
    BOOST_TEST(trace.first(TraceWhat::end).flags ==
               static_cast<unsigned>(TraceEnd::pending_outcome));
    BOOST_TEST(trace.first(TraceWhat::end).pc == static_cast<unsigned>(PendingOutcome::answered));
    BOOST_TEST(trace.head.client.to_string() == "192.0.2.10");
    BOOST_TEST(trace.head.qtype == 1U);
    BOOST_TEST(trace.head.lost == 0U);
}

BOOST_AUTO_TEST_CASE(a_plain_hit_and_the_packet_cache_say_so) {
    Traced t;
    t.appliance.publish(cache_forward());
    t.appliance.ask_and_answer("www.example.org", 300, "203.0.113.7");
    t.trace_all();
    t.appliance.ask("www.example.org", 1, 5);  // parsed and looked up
    t.appliance.advance_ms(2000);
    BOOST_TEST(t.appliance.answer().last_address() == "203.0.113.7");
    const ReadTrace from_lookup = only_trace(t.appliance);
    BOOST_TEST(from_lookup.shown() == "plan cache decided answer end");
    BOOST_TEST(from_lookup.first(TraceWhat::cache).flags == static_cast<unsigned>(TraceCache::hit));
    const std::uint64_t before = t.appliance.count(Stat::packet_cache_hits);
    t.appliance.ask("www.example.org", 1, 6);
    t.appliance.turn();
    BOOST_TEST(t.appliance.answer().last_address() == "203.0.113.7");
    BOOST_TEST(t.appliance.count(Stat::packet_cache_hits) == before + 1);  // not sent around it
    const ReadTrace by_bytes = only_trace(t.appliance);
    BOOST_TEST(by_bytes.shown() == "packet_cache plan cache decided answer end");
    BOOST_TEST(by_bytes.first(TraceWhat::packet_cache).b == 2U);
    BOOST_TEST(by_bytes.first(TraceWhat::packet_cache).c == 298U);
}

BOOST_AUTO_TEST_CASE(the_name_that_an_ad_list_denies_is_shown) {
    SnapshotMaker m;
    AdList ads;
    ads.tag = "ads";
    ads.all = {m.domains({"domain:tracker.example"})};
    ads.lists.push_back({"list", 1, ads.all, std::make_shared<ListMatches>(1U)});
    ads.watch = m.snapshot().watch_bits = std::uint64_t{1} << 63;
    ads.black_hole = m.black_hole("0.0.0.0");
    ads.paused_until_s = std::make_shared<std::atomic<std::uint32_t>>(0U);
    m.snapshot().ad_lists.push_back(ads);
    const std::uint16_t watch = m.add(Op::watch_targets, 0);
    m.add(Op::forward, m.group({static_cast<std::uint16_t>(m.upstream("198.51.100.53", 0))}));
    m.add(Op::end);
    Traced t;
    t.appliance.publish(m.finish());
    t.trace_all();
    t.appliance.ask("www.example.org");
    t.appliance.turn();
    auto reply = DnsMessage::response(1, "www.example.org", dns::kA);
    reply.record(DnsMessage::kAnswer, wire_name("www.example.org"), dns::kCname, 300,
                 wire_name("a.Tracker.example"));
    reply.record(DnsMessage::kAnswer, wire_name("a.Tracker.example"), dns::kA, 300, {192, 0, 2, 1});
    t.appliance.reply(t.appliance.upstream_query(), reply);
    t.appliance.turn();
    BOOST_TEST(t.appliance.answer().last_address() == "0.0.0.0");
    const ReadTrace trace = only_trace(t.appliance);
    const TraceEvent& denied = trace.first(TraceWhat::denied_target);
    BOOST_TEST(denied.pc == watch);
    BOOST_TEST(trace.count(TraceWhat::marks) == 0U);  // its bit is not a mark of a rule
    const Bytes name = wire_name("a.tracker.example");
    BOOST_TEST_REQUIRE(denied.b == name.size());
    const Bytes& shown = trace.payloads[static_cast<std::size_t>(&denied - trace.events.data())];
    BOOST_TEST(std::equal(name.begin(), name.end(), shown.begin()));
    BOOST_TEST(ads.lists[0].matches->total() == 1U);
    BOOST_TEST(t.appliance.count(Stat::ad_list_targets_denied) == 1U);
}

BOOST_AUTO_TEST_CASE(the_record_of_a_query_has_the_id_of_its_trace) {
    Traced t;
    Appliance& a = t.appliance;
    a.publish(cache_forward());
    a.record_all();
    (void)a.records();
    t.trace_all();
    a.ask("www.example.org");  // waits, and ends in another turn
    a.turn();
    a.reply(a.upstream_query(), 300, {"203.0.113.7"});
    a.turn();
    (void)a.answer();
    const auto check = [&] {
        const std::uint64_t id = only_trace(a).head.id;
        BOOST_TEST(id != 0U);
        BOOST_TEST(a.record().head.trace_id == id);
    };
    check();
    for (std::uint16_t i = 5; i < 7; ++i) {  // from the cache, then from the packet cache
        a.ask("www.example.org", 1, i);
        a.turn();
        (void)a.answer();
        check();
    }
    a.shared().trace_filter = nullptr;
    a.ask("www.example.org", 1, 8);
    a.turn();
    (void)a.answer();
    BOOST_TEST(a.record().head.trace_id == 0U);
}

BOOST_AUTO_TEST_CASE(ids_of_a_later_process_are_others) {
    constexpr std::uint64_t kStart = 1'795'500'000'000;  // ms
    const auto first = [](unsigned worker, std::uint64_t start_ms) {
        return (std::uint64_t{worker + 1} << kTraceWorkerShift) + first_trace_id(start_ms);
    };
    // 16,384 traces fit between two milliseconds, and no worker has the ids of another.
    BOOST_TEST(first_trace_id(kStart + 1) - first_trace_id(kStart) == 16'384U);
    for (const std::uint64_t start : {kStart, std::uint64_t{1} << 42, ~std::uint64_t{0}}) {
        BOOST_TEST(first_trace_id(start) >> kTraceWorkerShift == 0U);
        BOOST_TEST(first(0, start) >> kTraceWorkerShift == 1U);
        BOOST_TEST(first(31, start) >> kTraceWorkerShift == 32U);
    }
}

BOOST_AUTO_TEST_CASE(the_rules_of_a_plan_are_shown_again_and_marked) {
    Traced t;
    SnapshotMaker maker;
    const auto miss = maker.test(Op::if_tags, maker.domains({"domain:other.example"}));
    maker.add(Op::reject, 5);
    maker.land(miss);
    const auto cached = maker.test(Op::if_tags, maker.domains({"domain:example.org"}));
    maker.add(Op::enter_cache, maker.cache(), true);
    maker.land(cached);
    maker.add(Op::forward,
              maker.group({static_cast<std::uint16_t>(maker.upstream("198.51.100.53", 0))}));
    maker.add(Op::sequence_end);
    maker.add(Op::end);
    maker.snapshot().program[3].target = 5;
    t.appliance.publish(maker.finish());
    t.appliance.ask_and_answer("www.example.org", 300, "203.0.113.7");
    t.trace_all();
    t.appliance.ask("www.example.org", 1, 5);
    t.appliance.turn();
    (void)t.appliance.answer();
    const ReadTrace trace = only_trace(t.appliance);
    BOOST_REQUIRE_EQUAL(trace.count(TraceWhat::step), 2U);
    std::map<unsigned, unsigned> flags;
    for (const TraceEvent& e : trace.events) {
        if (e.what == TraceWhat::step) flags[e.pc] = e.flags;
    }
    BOOST_TEST(flags.at(0) == unsigned{trace_flags::kPlan | trace_flags::kTest});
    BOOST_TEST(flags.at(2) ==
               unsigned{trace_flags::kPlan | trace_flags::kTest | trace_flags::kHeld});
}

BOOST_AUTO_TEST_CASE(a_plan_shows_the_steps_that_the_query_skips_and_no_others) {
    Traced t;
    SnapshotMaker
        maker;  // without a cache no plan depends on the name: the program runs from its first test
    const auto miss = maker.test(Op::if_tags, maker.domains({"domain:example.org"}));
    maker.add(Op::reject, 5);
    maker.land(miss);
    maker.add(Op::reject, 3);
    maker.add(Op::end);
    t.appliance.publish(maker.finish());
    t.trace_all();
    t.appliance.ask("www.example.org");
    t.appliance.turn();
    BOOST_TEST(t.appliance.answer().rcode() == 5U);
    const ReadTrace trace = only_trace(t.appliance);
    BOOST_TEST(trace.shown() == "plan step step response decided answer end");
    BOOST_TEST(trace.first(TraceWhat::step).flags ==
               unsigned{trace_flags::kTest | trace_flags::kHeld});
}

BOOST_AUTO_TEST_CASE(an_injected_hit_says_what_the_packet_cache_would_do) {
    Traced t;
    Appliance& a = t.appliance;
    a.publish(cache_forward());
    a.ask_and_answer("www.example.org", 300, "203.0.113.7");
    const auto explained = [&](const DnsMessage& query, bool udp) {
        a.inject(query, 77, udp, 0, "192.0.2.99", {.trace_id = 4242});
        a.turn();
        BOOST_TEST(a.injected_answers().size() == 1U);
        const ReadTrace trace = only_trace(a);
        BOOST_TEST(trace.shown() == "plan cache packet_cache decided answer end");
        return static_cast<TracePacketCache>(trace.first(TraceWhat::packet_cache).flags);
    };
    const auto query = DnsMessage::query(1, "www.example.org", 1);
    BOOST_CHECK(explained(query, true) == TracePacketCache::would_learn);
    a.ask("www.example.org", 1, 5);  // brings the line
    a.turn();
    (void)a.answer();
    BOOST_CHECK(explained(query, true) == TracePacketCache::would_answer);
    BOOST_CHECK(explained(query, false) == TracePacketCache::not_udp);
    auto padded = query;
    padded.opt(1232, false, 0, 0, Bytes{0, 12, 0, 60} + Bytes(60));
    BOOST_CHECK(explained(padded, true) == TracePacketCache::too_long);
}

BOOST_AUTO_TEST_CASE(extended_errors_of_upstreams_are_shown_with_their_text) {
    Traced t;
    t.appliance.publish(cache_forward());
    t.trace_all();
    t.appliance.ask("www.example.org");
    t.appliance.turn();
    const Seen query = t.appliance.upstream_query();
    const std::string text = "signature expired on 2026-11-01";
    Bytes ede{0, 15, 0, static_cast<std::uint8_t>(2 + text.size()), 0, 7};
    ede.insert(ede.end(), text.begin(), text.end());
    auto failure = DnsMessage::response(query.id(), "www.example.org", 1, 0x8182);
    failure.opt(1232, false, 0, 0, Bytes{0, 15, 0, 2, 0, 9} + ede);
    t.appliance.reply(query, failure);
    t.appliance.turn();
    t.appliance.advance_ms(6000);
    (void)t.appliance.answers();
    const ReadTrace trace = only_trace(t.appliance);
    BOOST_REQUIRE_EQUAL(trace.count(TraceWhat::upstream_ede), 2U);
    BOOST_TEST(trace.first(TraceWhat::upstream_ede).b == 9U);
    for (std::size_t i = 0; i < trace.events.size(); ++i) {
        const TraceEvent& e = trace.events[i];
        if (e.what != TraceWhat::upstream_ede || e.b == 9) continue;
        BOOST_TEST(e.b == 7U);
        BOOST_TEST(e.c == text.size());
        BOOST_REQUIRE(trace.payloads[i].size() >= e.c);
        BOOST_TEST(std::string(trace.payloads[i].begin(), trace.payloads[i].begin() + e.c) == text);
    }
}

// RFC 8914 2: only a client that sends EDNS gets one.
BOOST_AUTO_TEST_CASE(the_answer_shows_the_extended_error_that_was_sent) {
    Traced t;
    t.appliance.publish(forward_only());
    t.trace_all();
    const auto shown = [&](bool with_edns) {
        auto query = DnsMessage::query(1, "www.example.org", 1);
        if (with_edns) query.opt(1232);
        t.appliance.ask(query);
        t.appliance.turn();
        (void)t.appliance.upstream_queries();
        t.appliance.advance_ms(20'000);
        (void)t.appliance.upstream_queries();
        (void)t.appliance.answer();
        return only_trace(t.appliance).first(TraceWhat::answer).pc;
    };
    BOOST_TEST(shown(true) == static_cast<unsigned>(dns::Ede::no_reachable));
    BOOST_TEST(shown(false) == unsigned{kTraceNone});
}

BOOST_AUTO_TEST_CASE(a_refused_client_is_shown_its_rcode_and_extended_error) {
    Traced t;
    auto snapshot = cache_forward();
    snapshot->allow = matchers::PrefixSet({*matchers::Prefix::parse("198.51.100.0/24")});
    t.appliance.publish(std::move(snapshot));
    t.trace_all();
    t.appliance.ask(DnsMessage::query(1, "www.example.org", 1).opt(1232));
    t.appliance.turn();
    (void)t.appliance.answer();
    const ReadTrace trace = only_trace(t.appliance);
    BOOST_TEST(trace.shown() == "answer end");
    BOOST_TEST(trace.first(TraceWhat::answer).flags == unsigned{dns::kRefused});
    BOOST_TEST(trace.first(TraceWhat::answer).pc == static_cast<unsigned>(dns::Ede::prohibited));
}

BOOST_AUTO_TEST_CASE(a_filter_selects_by_name_client_and_sample) {
    Traced t;
    t.appliance.publish(cache_forward());
    put_name(t.filter, "example.org", true);
    t.filter.clients = matchers::PrefixSet({*matchers::Prefix::parse("192.0.2.11/32")});
    t.trace_all();
    const auto asked = [&](const std::string& name, const std::string& client) {
        t.appliance.ask(name, 1, 9, {.address = client});
        t.appliance.turn();
        for (const Seen& q : t.appliance.upstream_queries())
            t.appliance.reply(q, 300, {"203.0.113.7"});
        t.appliance.turn();
        (void)t.appliance.answers();
        return read_traces(t.appliance).size();
    };
    BOOST_TEST(asked("www.example.org", "192.0.2.10") == 0U);
    BOOST_TEST(asked("www.example.org", "192.0.2.11") == 1U);
    BOOST_TEST(asked("WWW.Example.ORG", "192.0.2.11") == 1U);
    BOOST_TEST(asked("example.org", "192.0.2.11") == 1U);
    BOOST_TEST(asked("anexample.org", "192.0.2.11") == 0U);
    BOOST_TEST(asked("example.com", "192.0.2.11") == 0U);
    TraceFilter exact;
    put_name(exact, "example.org", false);
    exact.one_in = 3;
    t.appliance.shared().trace_filter = &exact;
    BOOST_TEST(asked("www.example.org", "192.0.2.10") == 0U);
    std::size_t traced = 0;
    for (unsigned i = 0; i < 9; ++i)
        traced += asked("example.org", "192.0.2.10");
    BOOST_TEST(traced == 3U);
    BOOST_TEST(asked("example.org", "192.0.2.10") == 1U);
    // The next filter with this number does not inherit what the one before had to skip.
    TraceFilter next;
    put_name(next, "example.org", false);
    t.appliance.shared().trace_filter = &next;
    BOOST_TEST(asked("example.org", "192.0.2.10") == 1U);
}

BOOST_AUTO_TEST_CASE(each_filter_of_a_chain_selects_and_samples_by_itself) {
    Traced t;
    t.appliance.publish(cache_forward());
    const auto other = std::make_shared<TraceFilter>();
    put_name(*other, "example.com", true);
    other->number = 5;
    other->one_in = 2;
    put_name(t.filter, "www.example.com", true);
    t.filter.next = other;
    t.trace_all();
    const auto filters = [&](const std::string& name) {
        t.appliance.ask(name);
        t.appliance.turn();
        for (const Seen& q : t.appliance.upstream_queries())
            t.appliance.reply(q, 300, {"203.0.113.7"});
        t.appliance.turn();
        (void)t.appliance.answers();
        std::string all;
        for (const ReadTrace& trace : read_traces(t.appliance))
            all += std::to_string(unsigned{trace.head.filters}) + " ";
        return all;
    };
    BOOST_TEST(filters("a.example.com") == "32 ");
    BOOST_TEST(filters("b.example.com").empty());  // the second of two
    BOOST_TEST(filters("www.example.com") == "33 ");
    BOOST_TEST(filters("www.example.com") == "1 ");
    BOOST_TEST(filters("www.example.org").empty());
}

BOOST_AUTO_TEST_CASE(a_trace_has_the_transport_of_its_query) {
    Traced t;
    t.appliance.publish(cache_forward());
    const auto transport = [&](ClientTransport kind) {
        t.appliance.inject(DnsMessage::query(1, "www.example.org", 252), 77, kind, 0, "192.0.2.99",
                           {.trace_id = 4242});
        t.appliance.turn();
        (void)t.appliance.injected_answers();
        return unsigned{only_trace(t.appliance).head.transport};
    };
    for (unsigned i = 0; i < kClientTransports.size(); ++i)
        BOOST_TEST(transport(static_cast<ClientTransport>(i)) == i);
    t.trace_all();
    t.appliance.ask("www.example.org", 252);
    t.appliance.turn();
    (void)t.appliance.answers();
    BOOST_TEST(unsigned{only_trace(t.appliance).head.transport} ==
               static_cast<unsigned>(ClientTransport::udp));
}

BOOST_AUTO_TEST_CASE(an_injected_query_is_traced_by_its_id) {
    Traced t;
    t.appliance.publish(cache_forward());
    t.appliance.inject(DnsMessage::query(1, "www.example.org", 1), 77, true, 0, "192.0.2.99",
                       {.trace_id = 4242});
    t.appliance.turn();
    t.appliance.reply(t.appliance.upstream_query(), 300, {"203.0.113.7"});
    t.appliance.turn();
    BOOST_TEST(t.appliance.injected_answers().size() == 1U);
    const ReadTrace trace = only_trace(t.appliance);
    BOOST_TEST(trace.head.id == 4242U);
    BOOST_TEST(trace.head.is_injected == 1U);
    BOOST_TEST(trace.head.client.to_string() == "192.0.2.99");
    BOOST_TEST(trace.words.back() == "end");
}

BOOST_AUTO_TEST_CASE(a_refused_or_malformed_query_ends_with_its_verdict) {
    Traced t;
    t.appliance.publish(cache_forward());
    t.trace_all();
    t.appliance.ask("www.example.org", 252);  // AXFR
    t.appliance.turn();
    (void)t.appliance.answers();
    const ReadTrace trace = only_trace(t.appliance);
    BOOST_TEST(trace.shown() == "answer end");
    BOOST_TEST(trace.first(TraceWhat::answer).flags == unsigned{dns::kNotImp});
    BOOST_TEST(trace.first(TraceWhat::end).pc == static_cast<unsigned>(Verdict::answered_error));
}

BOOST_AUTO_TEST_CASE(a_held_answer_shows_its_row_and_the_acknowledgement) {
    Traced t;
    t.appliance.publish(list_forward(policy_list(3, true)));
    t.trace_all();
    t.appliance.ask("stream.example");
    t.appliance.turn();
    t.appliance.reply(t.appliance.upstream_query(), 300, {"203.0.113.7"});
    t.appliance.turn();
    const Event event = t.appliance.event();
    BOOST_TEST(t.appliance.answers().empty());
    t.appliance.advance_ms(12);
    t.appliance.acknowledge(event);
    t.appliance.turn();
    (void)t.appliance.answer();
    const ReadTrace trace = only_trace(t.appliance);
    BOOST_TEST(trace.first(TraceWhat::row).flags == static_cast<unsigned>(TraceRow::awaited));
    BOOST_TEST(trace.first(TraceWhat::row).b == 3U);
    BOOST_TEST(trace.first(TraceWhat::acknowledged).at_ms == 12U);
    BOOST_TEST(trace.count(TraceWhat::claimed) == 1U);
}

BOOST_AUTO_TEST_CASE(the_upstreams_of_another_worker_are_shown) {
    Traced t({.workers = 2});
    t.appliance.publish(forward_only());
    t.trace_all();
    unsigned elsewhere = 0;
    for (unsigned i = 0; i < 12; ++i) {
        t.appliance.ask("n" + std::to_string(i) + ".example");
        t.appliance.turn();
        const Seen query = t.appliance.upstream_query();
        elsewhere += query.worker != 0 ? 1U : 0U;
        t.appliance.reply(query, 300, {"203.0.113.7"});
        t.appliance.turn();
        (void)t.appliance.answer();
        const ReadTrace trace = only_trace(t.appliance);
        BOOST_TEST(trace.count(TraceWhat::asked) == 1U);
        BOOST_TEST(trace.count(TraceWhat::replied) == 1U);
    }
    BOOST_TEST(elsewhere > 0U);
}

BOOST_AUTO_TEST_CASE(one_who_joins_sees_the_query_that_is_in_flight) {
    Traced t;
    t.appliance.publish(forward_only());
    t.appliance.ask("www.example.org", 1, 1);
    t.appliance.turn();
    const Seen query = t.appliance.upstream_query();
    t.appliance.advance_ms(9);
    t.trace_all();
    t.appliance.ask("www.example.org", 1, 2, {.address = "192.0.2.11"});
    t.appliance.turn();
    t.appliance.reply(query, 300, {"203.0.113.7"});
    t.appliance.turn();
    (void)t.appliance.answers();
    const ReadTrace trace = only_trace(t.appliance);
    BOOST_TEST(trace.first(TraceWhat::joined).b == 9U);
    BOOST_TEST(trace.first(TraceWhat::replied).b == 9U);
}

BOOST_AUTO_TEST_CASE(queries_beyond_the_table_and_the_ring_are_counted) {
    Traced t;
    t.appliance.publish(forward_only());
    t.trace_all();
    constexpr unsigned kAsked = Tracer::kMost + 6;
    for (unsigned i = 0; i < kAsked; ++i) {
        t.appliance.ask("n" + std::to_string(i) + ".example", 1, static_cast<std::uint16_t>(i));
        t.appliance.turn();
    }
    for (const Seen& q : t.appliance.upstream_queries())
        t.appliance.reply(q, 300, {"203.0.113.7"});
    t.appliance.turn();
    BOOST_TEST(t.appliance.answers().size() == kAsked);
    const auto some = read_traces(t.appliance);  // the ring has 7 places
    BOOST_TEST(some.size() == 7U);
    t.appliance.ask("last.example");
    t.appliance.turn();
    t.appliance.reply(t.appliance.upstream_query(), 300, {"203.0.113.7"});
    t.appliance.turn();
    (void)t.appliance.answers();
    BOOST_TEST(only_trace(t.appliance).head.passed_by == kAsked - 7U);
}

// A long program moves to a large buffer.
BOOST_AUTO_TEST_CASE(a_long_program_is_shown_in_full) {
    Traced t;
    SnapshotMaker maker;
    constexpr unsigned kTests = 400;
    for (unsigned i = 0; i < kTests; ++i)
        maker.land(maker.test(Op::if_has_resp));
    maker.add(Op::reject, 3);
    maker.add(Op::end);
    t.appliance.publish(maker.finish());
    t.trace_all();
    t.appliance.ask("www.example.org");
    t.appliance.turn();
    BOOST_TEST(t.appliance.answer().rcode() == 3U);
    const ReadTrace trace = only_trace(t.appliance);
    BOOST_TEST(trace.count(TraceWhat::step) == kTests + 1);
    BOOST_TEST(trace.head.lost == 0U);
}

BOOST_AUTO_TEST_CASE(a_stale_answer_ends_the_trace_and_its_refresh_has_none) {
    Traced t;
    auto snapshot = cache_forward();
    snapshot->caches[0].stale = {
        .most_s = 3600, .wait_ms = 200, .recheck_s = 5, .ttl_s = 5, .positive_only = false};
    t.appliance.publish(std::move(snapshot));
    t.appliance.ask_and_answer("www.example.org", 10, "203.0.113.7");
    t.appliance.advance_ms(20'000);
    t.trace_all();
    t.appliance.ask("www.example.org", 1, 5);
    t.appliance.turn();
    (void)t.appliance.upstream_query();
    t.appliance.advance_ms(250);
    BOOST_TEST(t.appliance.answer().last_address() == "203.0.113.7");
    const ReadTrace trace = only_trace(t.appliance);
    BOOST_TEST(trace.count(TraceWhat::late) == 1U);
    BOOST_TEST(trace.first(TraceWhat::cache).flags == static_cast<unsigned>(TraceCache::expired));
    BOOST_TEST(trace.words.back() == "end");
    t.appliance.advance_ms(6000);
    BOOST_TEST(t.appliance.traces().empty());
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace steer::test
