// The program's rules (dataplane/policy/program.h) on programs made by hand; the test plays the
// upstream.
#include "dataplane/policy/executor.h"

#include <boost/test/unit_test.hpp>

#include "dataplane/dns/name.h"
#include "packet/programs.h"
#include "support/dns_message.h"

namespace steer {
namespace {

using test::DnsMessage;
using test::policy_list;
using test::SnapshotMaker;

// An executor and one query that walks through a program.
struct Walk {
    explicit Walk(std::unique_ptr<Snapshot> s, const std::string& name = "www.stream.example",
                  std::uint16_t type = 1, Ring<Note>* with_notes = nullptr)
        : snapshot(std::move(s)),
          notes(with_notes),
          message(DnsMessage::query(7, name, type).bytes()) {
        snapshot->generation = 1;
        BOOST_REQUIRE(dns::parse_query(message, query) == dns::QueryError::none);
        context.emplace(*snapshot, query);
        context->qname_as_sent = message.data() + 12;
        context->state.pc = snapshot->entries[0];
    }
    Step run() { return executor.run(*context, now); }
    // The upstream's answer.
    Step resume(std::uint8_t rcode = 0, const std::string& address = "203.0.113.7") {
        DnsMessage m = DnsMessage::response(7, "www.stream.example", query.qtype,
                                            static_cast<std::uint16_t>(0x8180 | rcode));
        if (rcode == 0) {
            const IpAddress a = *IpAddress::parse(address);
            const auto rdata = a.is_v4() ? test::Bytes(a.v4(), a.v4() + 4)
                                         : test::Bytes(a.bytes.begin(), a.bytes.end());
            m.record(DnsMessage::kAnswer, {0xc0, 12}, a.is_v4() ? 1 : 28, 300, rdata);
        }
        Buffer* const b = pools.take(1000);
        dns::UpstreamFacts facts;
        BOOST_REQUIRE(dns::build_answer(m.bytes(), query.name(), query.qtype, 1, false, b->room(),
                                        facts) == dns::AnswerError::none);
        b->born_ms = static_cast<std::int64_t>(now.ms);
        return executor.resume(*context, b, dns::Ede::other, now);
    }
    Step fail() { return executor.resume(*context, nullptr, dns::Ede::no_reachable, now); }
    [[nodiscard]] unsigned rcode() const { return context->response.answer().rcode; }
    [[nodiscard]] std::vector<unsigned> lists() const {
        const auto& s = context->state;
        return {s.lists.begin(), s.lists.begin() + s.list_count};
    }

    std::unique_ptr<Snapshot> snapshot;
    Ring<Note>* notes;  // nullptr: none
    test::Bytes message;
    dns::Query query;
    BufferPools pools{63, 7};
    std::array<std::uint8_t, 16> secret{2};
    cache::KeyHasher hasher{secret};
    Counters counters;
    CacheWriter cache_writer{0, nullptr, {}, counters};
    Executor executor{0, nullptr, hasher, pools, cache_writer, notes, counters};
    Now now{1'000'000};
    std::optional<QueryContext> context;
};

std::uint32_t any_group(SnapshotMaker& m) {
    if (m.snapshot().upstreams.empty()) m.upstream("198.51.100.53", 0);
    return m.group({0});
}

void end(SnapshotMaker& m) {
    m.add(Op::sequence_end);
    m.add(Op::end);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(executor)

BOOST_AUTO_TEST_CASE(a_test_that_fails_goes_to_its_target) {
    for (const bool negate : {false, true}) {
        SnapshotMaker m;
        const auto t = m.test(Op::if_tags, m.domains({"domain:stream.example"}), negate);
        m.add(Op::reject, dns::kRefused);
        m.land(t);
        m.add(Op::reject, dns::kNxDomain);
        end(m);
        Walk w(m.finish());
        BOOST_CHECK(w.run() == Step::answered);
        BOOST_CHECK_EQUAL(w.rcode(), negate ? 3U : 5U);
    }
}

BOOST_AUTO_TEST_CASE(a_name_is_matched_once) {
    SnapshotMaker m;
    const auto mask = m.domains({"keyword:stream"});
    for (int i = 0; i < 3; ++i)
        m.land(m.test(Op::if_tags, mask, i == 1));
    end(m);
    Walk w(m.finish());
    BOOST_CHECK(w.run() == Step::answered);
    BOOST_CHECK_EQUAL(w.counters.get(Stat::name_matches), 1U);
    w.context.emplace(*w.snapshot, w.query);
    w.context->qname_as_sent = w.message.data() + 12;
    BOOST_CHECK(w.run() == Step::answered);
    BOOST_CHECK_EQUAL(w.counters.get(Stat::name_matches), 1U);
    BOOST_CHECK_EQUAL(w.counters.get(Stat::name_memo_hits), 1U);
}

BOOST_AUTO_TEST_CASE(a_program_without_an_answer_gives_an_empty_noerror_with_ede_0) {
    SnapshotMaker m;
    end(m);
    Walk w(m.finish());
    BOOST_CHECK(w.run() == Step::answered);
    BOOST_CHECK_EQUAL(w.rcode(), 0U);
    BOOST_CHECK(w.context->response.ede() == dns::Ede::other);
    BOOST_CHECK_EQUAL(w.counters.get(Stat::end_without_answer), 1U);
}

BOOST_AUTO_TEST_CASE(forward_parks_the_query_and_the_program_goes_on) {
    SnapshotMaker m;
    m.add(Op::forward, any_group(m));
    m.land(m.test(Op::if_has_resp));
    m.add(Op::forward, any_group(m));
    end(m);
    Walk w(m.finish());
    BOOST_CHECK(w.run() == Step::asks);
    BOOST_CHECK_EQUAL(w.context->group, 0);
    BOOST_CHECK(w.resume() == Step::asks);  // nothing stops by itself
    BOOST_CHECK_EQUAL(w.context->group, 1);
    BOOST_CHECK(w.resume() == Step::answered);
    BOOST_CHECK_EQUAL(w.context->response.answer().address_count, 1);
}

BOOST_AUTO_TEST_CASE(forward_with_short_circuit_ends_the_program) {
    SnapshotMaker m;
    m.add(Op::forward, any_group(m), true);
    m.add(Op::reject, dns::kRefused);
    end(m);
    Walk w(m.finish());
    BOOST_CHECK(w.run() == Step::asks);
    BOOST_CHECK(w.resume() == Step::answered);
    BOOST_CHECK_EQUAL(w.rcode(), 0U);
}

BOOST_AUTO_TEST_CASE(a_failed_forward_ends_the_program_as_servfail) {
    SnapshotMaker m;
    m.add(Op::enter_list, m.list(policy_list(1)));
    m.add(Op::forward, any_group(m));
    m.add(Op::reject, dns::kNxDomain);
    end(m);
    Walk w(m.finish());
    BOOST_CHECK(w.run() == Step::asks);
    BOOST_CHECK(w.fail() == Step::answered);
    BOOST_CHECK_EQUAL(w.rcode(), 2U);
    BOOST_CHECK(w.context->response.ede() == dns::Ede::no_reachable);
    BOOST_CHECK(w.lists().empty());
    BOOST_CHECK(!w.context->response.answer().is_brief);
}

BOOST_AUTO_TEST_CASE(a_failure_of_upstreams_that_live_is_brief) {
    SnapshotMaker m;
    m.add(Op::forward, any_group(m));
    end(m);
    Walk w(m.finish());
    BOOST_CHECK(w.run() == Step::asks);
    BOOST_CHECK(w.executor.resume(*w.context, nullptr, dns::Ede::no_reachable, w.now,
                                  {.is_brief = true}) == Step::answered);
    BOOST_CHECK_EQUAL(w.rcode(), 2U);
    BOOST_CHECK(w.context->response.answer().is_brief);
}

BOOST_AUTO_TEST_CASE(a_list_before_and_after_forward_claims_the_same) {
    for (const bool before : {true, false}) {
        SnapshotMaker m;
        const auto list = m.list(policy_list(1));
        if (before) m.add(Op::enter_list, list);
        m.add(Op::forward, any_group(m));
        if (!before) m.add(Op::enter_list, list);
        end(m);
        Walk w(m.finish());
        BOOST_CHECK(w.run() == Step::asks);
        BOOST_CHECK(w.resume() == Step::answered);
        BOOST_CHECK(w.lists() == (std::vector<unsigned>{0}));
    }
}

BOOST_AUTO_TEST_CASE(a_set_claims_only_the_present_response) {
    SnapshotMaker m;
    m.add(Op::claim_list, m.list(policy_list(1)));  // in front of forward: there is none
    m.add(Op::forward, any_group(m));
    m.add(Op::claim_list, m.list(policy_list(2)));
    m.add(Op::mark, m.mark_mask(1));
    end(m);
    Walk w(m.finish());
    BOOST_CHECK(w.run() == Step::asks);
    BOOST_CHECK(w.resume() == Step::answered);
    BOOST_CHECK(w.lists() == (std::vector<unsigned>{1}));
}

BOOST_AUTO_TEST_CASE(a_set_makes_no_claims_for_an_answer_that_is_replaced) {
    SnapshotMaker m;
    m.add(Op::forward, any_group(m));
    m.add(Op::claim_list, m.list(policy_list(1)));
    m.add(Op::reject, dns::kRefused);
    end(m);
    Walk w(m.finish());
    BOOST_CHECK(w.run() == Step::asks);
    BOOST_CHECK(w.resume() == Step::answered);
    BOOST_CHECK(w.lists().empty());
}

BOOST_AUTO_TEST_CASE(a_list_claims_only_noerror_with_addresses_of_its_families) {
    PolicyList v6_only = policy_list(1);
    v6_only.has_v4 = false;
    const auto claimed = [&](std::uint16_t type, std::uint8_t rcode, const std::string& address) {
        SnapshotMaker m;
        m.add(Op::enter_list, m.list(v6_only));
        m.add(Op::forward, any_group(m));
        end(m);
        Walk w(m.finish(), "www.stream.example", type);
        BOOST_CHECK(w.run() == Step::asks);
        BOOST_CHECK(w.resume(rcode, address) == Step::answered);
        return !w.lists().empty();
    };
    BOOST_CHECK(claimed(28, 0, "2001:db8::7"));
    BOOST_CHECK(!claimed(1, 0, "203.0.113.7"));
    BOOST_CHECK(!claimed(28, 3, ""));
}

// outer: list 0 ; exec $inner ; reject.   inner: list 1 ; forward ; (accept)
BOOST_AUTO_TEST_CASE(the_end_of_a_sequence_runs_only_its_own_wrappers) {
    SnapshotMaker m;
    m.add(Op::enter_list, m.list(policy_list(1)), false, 0);
    m.add(Op::enter_list, m.list(policy_list(2)), false, 1);
    m.add(Op::forward, any_group(m), false, 1);
    m.add(Op::sequence_end, 0, false, 1);
    m.add(Op::reject, dns::kRefused, false, 0);
    m.add(Op::sequence_end, 0, false, 0);
    m.add(Op::end);
    Walk w(m.finish());
    BOOST_CHECK(w.run() == Step::asks);
    BOOST_CHECK_EQUAL(w.context->state.depth, 2);
    BOOST_CHECK(w.resume() == Step::answered);
    BOOST_CHECK_EQUAL(w.rcode(), 5U);
    BOOST_CHECK(w.lists().empty());  // what list 1 claimed was never reported to anybody
}

BOOST_AUTO_TEST_CASE(accept_in_an_inner_sequence_runs_all_wrappers) {
    SnapshotMaker m;
    m.add(Op::enter_list, m.list(policy_list(1)), false, 0);
    m.add(Op::enter_list, m.list(policy_list(2)), false, 1);
    m.add(Op::forward, any_group(m), false, 1);
    m.add(Op::stop, 0, false, 1);
    m.add(Op::sequence_end, 0, false, 1);
    m.add(Op::reject, dns::kRefused, false, 0);
    m.add(Op::sequence_end, 0, false, 0);
    m.add(Op::end);
    Walk w(m.finish());
    BOOST_CHECK(w.run() == Step::asks);
    BOOST_CHECK(w.resume() == Step::answered);
    BOOST_CHECK(w.lists() == (std::vector<unsigned>{1, 0}));  // last entered, first left
}

// outer: list 0 ; jump inner ; list 3.   inner: list 1 ; exec $deep ; reject.   deep: list 2 ; forward ; return
BOOST_AUTO_TEST_CASE(a_return_runs_the_wrappers_of_the_sequence_jumped_to) {
    SnapshotMaker m;
    m.add(Op::enter_list, m.list(policy_list(1)), false, 0);
    m.add(Op::enter_list, m.list(policy_list(2)), false, 1);
    m.add(Op::enter_list, m.list(policy_list(3)), false, 2);
    m.add(Op::forward, any_group(m), false, 2);
    const auto return_pc = m.add(Op::go_to, 0, false, 2);
    m.add(Op::sequence_end, 0, false, 2);
    m.add(Op::reject, dns::kRefused, false, 1);
    m.land(return_pc);
    m.add(Op::sequence_end, 0, false, 1);
    m.add(Op::enter_list, m.list(policy_list(4)), false, 0);
    m.add(Op::sequence_end, 0, false, 0);
    m.add(Op::end);
    Walk w(m.finish());
    BOOST_CHECK(w.run() == Step::asks);
    BOOST_CHECK_EQUAL(w.context->state.depth, 3);
    BOOST_CHECK(w.resume() == Step::answered);
    BOOST_CHECK_EQUAL(w.rcode(), 0U);
    BOOST_CHECK(w.lists() == (std::vector<unsigned>{2, 1, 3, 0}));
}

// collector ; forward
BOOST_AUTO_TEST_CASE(a_collector_counts_finished_and_abandoned_queries) {
    SnapshotMaker m;
    m.add(Op::enter_collector, m.collector("all"));
    m.add(Op::forward, any_group(m));
    end(m);
    Walk w(m.finish());
    const Collector::Counts& counts = w.snapshot->collectors[0]->of_worker(0);
    const auto counted = [&] {
        return std::vector<std::uint64_t>{counts.entered.get(), counts.left.get(),
                                          counts.errors.get(), counts.latency_ms.get()};
    };
    const auto again = [&](bool refresh) {
        w.context.emplace(*w.snapshot, w.query);
        w.context->qname_as_sent = w.message.data() + 12;
        w.context->started_us = w.now.micros();
        w.context->state.refresh = refresh;
        BOOST_CHECK(w.run() == Step::asks);
    };
    again(false);
    BOOST_CHECK((counted() == std::vector<std::uint64_t>{1, 0, 0, 0}));
    w.now.ms += 7;
    BOOST_CHECK(w.resume() == Step::answered);
    BOOST_CHECK((counted() == std::vector<std::uint64_t>{1, 1, 0, 7}));
    BOOST_CHECK_EQUAL(counts.by_latency[3].get(), 1U);  // 6..10 ms
    again(false);
    BOOST_CHECK(w.fail() == Step::answered);
    BOOST_CHECK((counted() == std::vector<std::uint64_t>{2, 2, 1, 7}));
    again(false);
    w.executor.abandon(*w.snapshot, w.context->state);
    BOOST_CHECK((counted() == std::vector<std::uint64_t>{3, 3, 2, 7}));
    again(true);  // no client waits for it
    BOOST_CHECK(w.resume() == Step::answered);
    BOOST_CHECK((counted() == std::vector<std::uint64_t>{3, 3, 2, 7}));
}

// The names that a learner hands over, as text.
std::vector<std::string> learned(Ring<Note>& notes) {
    std::vector<std::string> names;
    Note note;
    while (notes.pop(&note, 1) == 1) {
        BOOST_CHECK(note.kind == NoteKind::learned && note.generation == 1 && note.text == 0);
        names.push_back(dns::name_to_text(std::span(note.qname).first(note.qname_len)));
    }
    return names;
}

// learn ; forward
std::unique_ptr<Snapshot> learning(const std::string& known, LearnDomain learner) {
    SnapshotMaker m;
    learner.known = m.domains({known});
    m.add(Op::enter_learn, m.learner(std::move(learner)));
    m.add(Op::forward, any_group(m));
    end(m);
    return m.finish();
}

BOOST_AUTO_TEST_CASE(a_learner_reports_an_answered_name_once_a_minute) {
    using Names = std::vector<std::string>;
    const Names one{"www.stream.example"};
    Ring<Note> notes(8, nullptr);
    Walk w(learning("full:known.example", {.tag = "l", .qtypes = {1, 28}}), "WWW.stream.example", 1,
           &notes);
    const auto ask = [&](std::uint8_t rcode, bool refresh = false) {
        w.context.emplace(*w.snapshot, w.query);
        w.context->qname_as_sent = w.message.data() + 12;
        w.context->state.refresh = refresh;
        BOOST_CHECK(w.run() == Step::asks);
        BOOST_CHECK((learned(notes) == Names{}));
        BOOST_CHECK(w.resume(rcode) == Step::answered);
    };
    ask(dns::kNxDomain);
    BOOST_CHECK((learned(notes) == Names{}));
    ask(0, true);  // a prefetch: no client asked for it
    BOOST_CHECK((learned(notes) == Names{}));
    ask(0);
    BOOST_CHECK(learned(notes) == one);
    ask(0);
    BOOST_CHECK((learned(notes) == Names{}));
    w.now.ms += 60'000;
    ask(0);
    BOOST_CHECK(learned(notes) == one);
}

BOOST_AUTO_TEST_CASE(a_learner_ignores_known_names_and_other_types) {
    Ring<Note> notes(8, nullptr);
    for (const std::uint16_t type : {std::uint16_t{1}, std::uint16_t{16}}) {
        const std::string known = type == 1 ? "domain:stream.example" : "full:known.example";
        Walk w(learning(known, {.tag = "l", .answer_required = false, .qtypes = {1, 28}}),
               "www.stream.example", type, &notes);
        BOOST_CHECK(w.run() == Step::asks);
        BOOST_CHECK(w.resume(0) == Step::answered);
        BOOST_CHECK(learned(notes).empty());
    }
}

BOOST_AUTO_TEST_CASE(learning_before_the_answer_needs_none_and_a_half_full_ring_is_counted) {
    Ring<Note> notes(4, nullptr);  // three fit; of learned ones, none once there are two
    Walk w(learning("full:known.example", {.tag = "l", .before = true, .qtypes = {1}}), "a.example",
           1, &notes);
    BOOST_CHECK(w.run() == Step::asks);
    const auto other = DnsMessage::query(8, "b.example", 1).bytes();
    dns::Query query;
    BOOST_REQUIRE(dns::parse_query(other, query) == dns::QueryError::none);
    const auto ask_other = [&] {
        w.context.emplace(*w.snapshot, query);
        w.context->qname_as_sent = other.data() + 12;
        BOOST_CHECK(w.run() == Step::asks);
    };
    BOOST_REQUIRE(notes.push(Note{.kind = NoteKind::summary}));
    ask_other();
    BOOST_CHECK_EQUAL(w.counters.get(Stat::learned_dropped), 1U);
    BOOST_CHECK_EQUAL(w.counters.get(Stat::notes_dropped), 0U);
    BOOST_CHECK_EQUAL(notes.room(), 1U);
    BOOST_CHECK_EQUAL(w.counters.get(Stat::notes_sent), 1U);
    std::array<Note, 2> taken{};
    BOOST_REQUIRE(notes.pop(taken.data(), 2) == 2);
    BOOST_CHECK(taken[0].kind == NoteKind::learned && taken[1].kind == NoteKind::summary);
    ask_other();  // what was dropped is no recent name
    BOOST_CHECK(learned(notes) == std::vector<std::string>{"b.example"});
    BOOST_CHECK_EQUAL(w.counters.get(Stat::notes_sent), 2U);
}

BOOST_AUTO_TEST_CASE(an_answer_without_space_for_the_alias_is_a_failure) {
    for (const bool fits : {true, false}) {
        SnapshotMaker m;
        m.redirect({"www.stream.example"}, "t.example");
        m.add(Op::enter_list, m.list(policy_list(1)));
        m.add(Op::enter_redirect);
        m.add(Op::forward, any_group(m));
        end(m);
        Walk w(m.finish());
        BOOST_CHECK(w.run() == Step::asks);
        BOOST_CHECK(w.context->asked().name_and_ecs().size() == 11);
        DnsMessage answer = DnsMessage::response(7, "t.example", 1);
        answer.record(DnsMessage::kAnswer, {0xc0, 12}, 1, 300, {203, 0, 113, 7});
        // The alias: its owner (2), 10, "t" and a pointer (4); its question: 9 bytes more.
        const std::size_t most = dns::kMaxMessage - 16 - 9;
        const std::size_t rest = (fits ? most : most + 1) - answer.size() - 12;
        answer.record(DnsMessage::kAnswer, {0xc0, 12}, 99, 300, test::Bytes(rest));
        Buffer* const b = w.pools.take(kLargeBuffer);
        dns::UpstreamFacts facts;
        BOOST_REQUIRE(dns::build_answer(answer.bytes(), w.context->asked().name(), 1, 1, false,
                                        b->room(), facts,
                                        dns::Records::all) == dns::AnswerError::none);
        b->born_ms = static_cast<std::int64_t>(w.now.ms);
        BOOST_CHECK(w.executor.resume(*w.context, b, dns::Ede::other, w.now) == Step::answered);
        BOOST_CHECK_EQUAL(w.rcode(), fits ? 0U : 2U);
        BOOST_CHECK_EQUAL(w.lists().size(), fits ? 1U : 0U);
        BOOST_CHECK_EQUAL(w.counters.get(Stat::rewrite_failed), fits ? 0U : 1U);
        w.context->response.clear();
        BOOST_CHECK_EQUAL(w.pools.in_use(), 0U);
    }
}

BOOST_AUTO_TEST_CASE(an_answer_before_a_redirect_stays_the_answer_to_the_original_name) {
    SnapshotMaker m;
    m.redirect({"www.stream.example"}, "t.example");
    m.add(Op::black_hole, m.black_hole("203.0.113.1"));
    m.add(Op::enter_redirect);
    m.land(m.test(Op::if_tags, m.domains({"full:t.example"})));
    m.add(Op::limit_ttls, m.ttl(7, 7));
    end(m);
    Walk w(m.finish());
    BOOST_CHECK(w.run() == Step::answered);
    BOOST_CHECK_EQUAL(w.context->response.answer().ancount, 1);
    BOOST_CHECK_EQUAL(w.context->response.answer().address_ttl_s, 7U);
}

BOOST_AUTO_TEST_CASE(marks_are_kept_while_a_query_is_parked) {
    SnapshotMaker m;
    m.add(Op::mark, m.mark_mask(5));
    m.add(Op::forward, any_group(m));
    m.add(Op::mark, m.mark_mask(2));
    end(m);
    Walk w(m.finish());
    BOOST_CHECK(w.run() == Step::asks);
    const ProgramState parked = w.context->state;
    w.context.emplace(*w.snapshot, w.query);
    w.context->qname_as_sent = w.message.data() + 12;
    w.context->state = parked;
    BOOST_CHECK(w.resume() == Step::answered);
    BOOST_CHECK_EQUAL(w.context->state.marks, 7U);
}

BOOST_AUTO_TEST_CASE(a_missing_family_is_answered_empty_if_the_list_says_so) {
    PolicyList v4_only = policy_list(1);
    v4_only.has_v6 = false;
    for (const auto missing : {MissingFamily::answer, MissingFamily::nodata}) {
        v4_only.missing_family = missing;
        SnapshotMaker m;
        m.add(Op::enter_list, m.list(v4_only));
        m.add(Op::forward, any_group(m));
        end(m);
        Walk w(m.finish(), "www.stream.example", 28);
        BOOST_CHECK(w.run() == Step::asks);
        BOOST_CHECK(w.resume(0, "2001:db8::7") == Step::answered);
        BOOST_CHECK_EQUAL(w.context->response.answer().ancount,
                          missing == MissingFamily::nodata ? 0 : 1);
    }
}

BOOST_AUTO_TEST_CASE(buffers_are_freed) {
    SnapshotMaker m;
    m.add(Op::forward, any_group(m));
    m.add(Op::forward, any_group(m));
    end(m);
    Walk w(m.finish());
    BOOST_CHECK(w.run() == Step::asks);
    BOOST_CHECK(w.resume() == Step::asks);
    BOOST_CHECK(w.resume() == Step::answered);
    BOOST_CHECK_EQUAL(w.pools.in_use(), 1U);
    w.context.reset();
    BOOST_CHECK_EQUAL(w.pools.in_use(), 0U);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace steer
