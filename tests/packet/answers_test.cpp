// From a query's bytes to an answer's bytes: miss, hit, both families, VLANs, sizes, errors, who
// may ask.
#include <boost/test/unit_test.hpp>

#include "dataplane/stages/reply.h"
#include "packet/appliance.h"

namespace steer::test {
namespace {

DnsMessage long_answer(const Seen& q, unsigned records) {
    DnsMessage m = DnsMessage::response(0, q.qname(), q.qtype());
    for (unsigned i = 0; i < records; ++i) {
        m.record(DnsMessage::kAnswer, {0xc0, 12}, kTypeA, 300,
                 {10, 1, static_cast<std::uint8_t>(i >> 8), static_cast<std::uint8_t>(i)});
    }
    return m;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(answers)

BOOST_AUTO_TEST_CASE(a_miss_is_asked_upstream_and_answered) {
    Appliance a;
    a.publish(forward_only());
    a.ask("www.Other.example", kTypeA, 4711);
    a.turn();
    BOOST_CHECK_EQUAL(a.parked(), 1U);
    const Seen q = a.upstream_query();
    BOOST_CHECK_EQUAL(q.qname(), "www.other.example");
    BOOST_CHECK(q.frame.to == *IpAddress::parse("198.51.100.53"));
    a.reply(q, 300, {"203.0.113.7"});
    a.turn();
    const Seen answer = a.answer();
    BOOST_CHECK_EQUAL(answer.id(), 4711);
    BOOST_CHECK_EQUAL(answer.qname(), "www.Other.example");  // in the client's case
    BOOST_CHECK_EQUAL(answer.flags(), 0x8180);
    BOOST_CHECK_EQUAL(answer.ttls().at(0), 300U);
    BOOST_CHECK(answer.frame.to == *IpAddress::parse("192.0.2.10"));
    BOOST_CHECK_EQUAL(answer.frame.to_port, 40000);
    BOOST_CHECK_EQUAL(a.count(Verdict::forwarded), 1U);
    BOOST_CHECK_EQUAL(a.count(Verdict::upstream_reply), 1U);
    BOOST_CHECK_EQUAL(a.count(PendingOutcome::answered), 1U);
}

BOOST_AUTO_TEST_CASE(upstreams_are_asked_in_random_case_if_configured) {
    Appliance a({.random_case = RandomCase::learned});
    a.publish(cache_forward());
    a.ask("www.A-Name-With-Many-Letters.example");
    a.turn();
    const Seen q = a.upstream_query();
    BOOST_CHECK_NE(q.qname(), "www.a-name-with-many-letters.example");
    BOOST_CHECK_NE(q.qname(), "www.A-Name-With-Many-Letters.example");
    const auto answered = [&](const std::string& name) {
        return DnsMessage::response(0, name, kTypeA)
            .record(DnsMessage::kAnswer, {0xc0, 12}, kTypeA, 300, {203, 0, 113, 7});
    };
    a.reply(q, answered(q.qname()));
    a.turn();
    BOOST_CHECK_EQUAL(a.answer().qname(), "www.A-Name-With-Many-Letters.example");
    a.ask("www.a-name-with-many-letters.example");
    a.turn();
    BOOST_CHECK_EQUAL(a.answer().qname(), "www.a-name-with-many-letters.example");
    BOOST_CHECK_EQUAL(a.count(Stat::cache_hits), 1U);
    // In another case: a forgery, or an upstream that changes it. The question is repeated over TCP.
    a.ask("www.another-name-with-many-letters.example");
    a.turn();
    a.reply(a.upstream_query(), answered("www.another-name-with-many-letters.example"));
    a.turn();
    BOOST_CHECK(a.answers().empty());
    BOOST_CHECK_EQUAL(a.count(Verdict::drop_upstream_malformed), 1U);
    BOOST_CHECK_EQUAL(a.count(Stat::upstream_case_mismatches), 1U);
    BOOST_CHECK_EQUAL(a.count(Stat::upstream_suspected), 1U);
}

// Any driver's port: the upstream's address is no proof, and who scans our ports learns nothing.
BOOST_AUTO_TEST_CASE(every_upstream_port_treats_unexpected_packets_alike) {
    Appliance a;
    a.publish(cache_forward());
    a.ask("pending.example");
    a.turn();
    const Seen q = a.upstream_query();
    const UdpFrame& sent = q.frame;
    const Bytes other =
        DnsMessage::response(static_cast<std::uint16_t>(q.id() + 1), "other.example", kTypeA)
            .a("other.example", 300, {203, 0, 113, 66})
            .bytes();
    const std::uint64_t before = a.count(Verdict::drop_upstream_unknown);
    std::uint64_t packets = 0;
    for (const IpAddress& from : {sent.to, *IpAddress::parse("198.51.100.99")}) {
        for (unsigned port = 10'240; port <= 26'623; ++port) {
            a.send(0, make_udp_frame({.from_mac = sent.to_mac,
                                      .to_mac = sent.from_mac,
                                      .from = from,
                                      .to = sent.from,
                                      .from_port = 53,
                                      .to_port = static_cast<std::uint16_t>(port),
                                      .payload = other}));
            if (++packets % 64 == 0) a.turn();
        }
    }
    a.turn();
    BOOST_CHECK_EQUAL(a.count(Verdict::drop_upstream_unknown) - before, packets);
    BOOST_CHECK(a.answers().empty());
    BOOST_CHECK(a.upstream_queries().empty());
    BOOST_CHECK_EQUAL(a.count(Stat::upstream_near_misses), 0U);
    a.reply(q, 300, {"203.0.113.7"});
    a.turn();
    BOOST_CHECK_EQUAL(a.answer().last_address(), "203.0.113.7");
}

BOOST_AUTO_TEST_CASE(a_fragment_of_a_reply_is_no_reply) {
    Appliance a;
    a.publish(cache_forward());
    a.ask("pending.example");
    a.turn();
    const Seen q = a.upstream_query();
    const Bytes forged = DnsMessage::response(q.id(), "pending.example", kTypeA)
                             .a("pending.example", 300, {203, 0, 113, 66})
                             .bytes();
    constexpr std::size_t kFragment = 14 + 6, kChecksum = 14 + 10;
    for (const unsigned bits : {0x2000U, 0x2001U, 0x0001U}) {  // the first, a middle, the last one
        Bytes frame = make_udp_frame({.from_mac = q.frame.to_mac,
                                      .to_mac = q.frame.from_mac,
                                      .from = q.frame.to,
                                      .to = q.frame.from,
                                      .from_port = 53,
                                      .to_port = q.frame.from_port,
                                      .payload = forged});
        // The header's checksum goes down as the word goes up (RFC 1624).
        const unsigned sum = frame[kChecksum] * 256U + frame[kChecksum + 1];
        const unsigned lower = sum >= bits ? sum - bits : sum + 0xffff - bits;
        frame[kChecksum] = static_cast<std::uint8_t>(lower >> 8);
        frame[kChecksum + 1] = static_cast<std::uint8_t>(lower);
        frame[kFragment] = static_cast<std::uint8_t>(bits >> 8);
        frame[kFragment + 1] = static_cast<std::uint8_t>(bits);
        a.send(0, frame);
        a.turn();
    }
    BOOST_CHECK(a.answers().empty());
    BOOST_CHECK_EQUAL(a.count(Verdict::drop_no_kernel), 3U);  // a ring port has no kernel side
    a.reply(q, 300, {"203.0.113.7"});
    a.turn();
    BOOST_CHECK_EQUAL(a.answer().last_address(), "203.0.113.7");
}

BOOST_AUTO_TEST_CASE(a_hit_is_answered_at_once_and_counts_down) {
    Appliance a;
    a.publish(cache_forward());
    a.ask_and_answer("www.other.example", 300, "203.0.113.7");
    a.advance_ms(100'000);
    a.ask("WWW.other.example", kTypeA, 99);
    a.turn();
    const Seen answer = a.answer();
    BOOST_CHECK_EQUAL(answer.id(), 99);
    BOOST_CHECK_EQUAL(answer.qname(), "WWW.other.example");
    BOOST_CHECK_EQUAL(answer.ttls().at(0), 200U);
    BOOST_CHECK(a.upstream_queries().empty());
    BOOST_CHECK_EQUAL(a.count(Verdict::answered), 1U);
    BOOST_CHECK_EQUAL(a.count(Stat::cache_hits), 1U);
    a.advance_ms(200'000);
    a.ask("www.other.example");
    a.turn();
    (void)a.upstream_query();  // it has expired
}

BOOST_AUTO_TEST_CASE(queries_for_the_same_question_share_one_upstream_query) {
    Appliance a;
    a.publish(cache_forward());
    for (std::uint16_t i = 0; i < 20; ++i) {
        a.ask("www.other.example", kTypeA, i, {.port = static_cast<std::uint16_t>(40000 + i)});
    }
    a.turn();
    a.reply(a.upstream_query(), 60, {"203.0.113.7"});
    a.turn();
    const auto answers = a.answers();
    BOOST_CHECK_EQUAL(answers.size(), 20U);
    for (const Seen& s : answers)
        BOOST_CHECK_EQUAL(s.frame.to_port, 40000 + s.id());
    BOOST_CHECK_EQUAL(a.count(Stat::upstream_coalesced), 19U);
}

BOOST_AUTO_TEST_CASE(a_cname_chain_is_cached_and_each_ttl_counts_down) {
    Appliance a;
    a.publish(cache_forward());
    a.ask("www.other.example");
    a.turn();
    a.reply(a.upstream_query(), DnsMessage::response(0, "www.other.example", kTypeA)
                                    .cname("www.other.example", 500, "edge.cdn.example")
                                    .a("edge.cdn.example", 90, {203, 0, 113, 9}));
    a.turn();
    BOOST_CHECK(a.answer().ttls() == (std::vector<std::uint32_t>{500, 90}));
    a.advance_ms(40'000);
    a.ask("www.other.example");
    a.turn();
    BOOST_CHECK(a.answer().ttls() == (std::vector<std::uint32_t>{460, 50}));
}

BOOST_AUTO_TEST_CASE(ipv6_clients_get_answers_with_ipv6_addresses) {
    Appliance a;
    a.publish(cache_forward());
    const Client six{.address = "2001:db8::10"};
    a.ask("www.other.example", kTypeAaaa, 5, six);
    a.turn();
    a.reply(a.upstream_query(), 300, {"2001:db8:9::7"});
    a.turn();
    BOOST_CHECK(a.answer().frame.to == *IpAddress::parse("2001:db8::10"));
    a.ask("www.other.example", kTypeAaaa, 6, six);
    a.turn();
    const Seen hit = a.answer();  // its checksum was checked when it was sent
    BOOST_CHECK(hit.frame.from == *IpAddress::parse("2001:db8:1::1"));
    BOOST_CHECK_EQUAL(hit.answers(), 1U);
}

BOOST_AUTO_TEST_CASE(answers_have_the_vlan_tags_of_their_queries) {
    Appliance a;
    a.publish(cache_forward());
    const Client one{.vlans = {100}}, two{.vlans = {200, 300}};
    for (const Client& c : {one, two}) {
        a.ask("www." + std::to_string(c.vlans.size()) + ".example", kTypeA, 1, c);
        a.turn();
        a.reply(a.upstream_query(), 300, {"203.0.113.7"});
        a.turn();
        BOOST_CHECK(a.answer().frame.vlans == c.vlans);  // from the parked record
        a.ask("www." + std::to_string(c.vlans.size()) + ".example", kTypeA, 1, c);
        a.turn();
        BOOST_CHECK(a.answer().frame.vlans == c.vlans);  // in place
    }
}

BOOST_AUTO_TEST_CASE(an_answer_above_the_clients_size_is_truncated) {
    Appliance a;
    a.publish(cache_forward());
    a.ask("big.example");
    a.turn();
    const Seen q = a.upstream_query();
    a.reply(q, long_answer(q, 60));
    a.turn();
    BOOST_CHECK(a.answer().truncated());
    BOOST_CHECK_EQUAL(a.count(PendingOutcome::answered_truncated), 1U);
    a.ask("big.example");
    a.turn();
    const Seen hit = a.answer();
    BOOST_CHECK(hit.truncated());
    BOOST_CHECK_EQUAL(hit.answers(), 0U);
    BOOST_CHECK_EQUAL(a.count(Verdict::answered_truncated), 1U);
    a.ask(DnsMessage::query(1, "big.example", kTypeA).opt(1232));
    a.turn();
    const Seen whole = a.answer();
    BOOST_CHECK(!whole.truncated());
    BOOST_CHECK_EQUAL(whole.answers(), 60U);
    BOOST_CHECK_EQUAL(whole.additional(), 1U);
}

BOOST_AUTO_TEST_CASE(no_datagram_is_larger_than_1232_bytes) {
    Appliance a;
    a.publish(cache_forward());
    a.ask(DnsMessage::query(1, "huge.example", kTypeA).opt(4096));
    a.turn();
    const Seen q = a.upstream_query();
    a.reply(q, long_answer(q, 80));  // 1,310 bytes
    a.turn();
    const Seen answer = a.answer();
    BOOST_CHECK(answer.truncated());
    BOOST_CHECK_LE(answer.dns.size(), 1232U);
}

BOOST_AUTO_TEST_CASE(malformed_queries_get_formerr) {
    Appliance a;
    a.publish(forward_only());
    const auto rcode_of = [&](const DnsMessage& m) {
        a.ask(m);
        a.turn();
        return a.answer().rcode();
    };
    BOOST_CHECK_EQUAL(rcode_of(DnsMessage(1, 0x0100)), 1U);  // no question
    BOOST_CHECK_EQUAL(rcode_of(DnsMessage::query(1, "a.example", kTypeA, 0x2100)), 4U);  // opcode 4
    using Types = std::initializer_list<std::uint16_t>;
    // Types that no record has: a transfer is not implemented, no question asks for OPT.
    for (const auto type : Types{251, 252, 253, 254})
        BOOST_CHECK_EQUAL(rcode_of(DnsMessage::query(1, "a.example", type)), 4U);
    for (const auto type : Types{0, 41, 128, 248, 249, 250})
        BOOST_CHECK_EQUAL(rcode_of(DnsMessage::query(1, "a.example", type)), 1U);
    BOOST_CHECK_EQUAL(rcode_of(DnsMessage::query(1, "a.example", kTypeA).opt(1232, false, 0, 1)),
                      0U);  // BADVERS: 16
    BOOST_CHECK_EQUAL(rcode_of(DnsMessage::query(1, "a.example", kTypeA).raw({1, 2, 3})), 1U);
    BOOST_CHECK_EQUAL(a.count(Verdict::answered_error), 14U);
    BOOST_CHECK(a.upstream_queries().empty());
}

BOOST_AUTO_TEST_CASE(a_notify_of_a_primary_goes_to_streams_and_others_are_not_implemented) {
    Appliance a;
    auto snapshot = forward_only();
    snapshot->notify_from =
        matchers::PrefixSet({matchers::Prefix::masked(*IpAddress::parse("2001:db9::1"), 128)});
    a.publish(std::move(snapshot));
    const DnsMessage notify = DnsMessage::query(1, "rpz.example", 6, 0x2400);
    a.ask(notify, {.address = "2001:db9::1"});  // it need not be a client that may ask
    a.turn();
    const auto passed = a.notifies();
    BOOST_REQUIRE_EQUAL(passed.size(), 1U);
    BOOST_CHECK(passed.front() == notify.bytes());
    BOOST_CHECK(a.answers().empty());
    BOOST_CHECK_EQUAL(a.count(Verdict::notify_passed), 1U);
    a.ask(notify);
    a.turn();
    BOOST_CHECK_EQUAL(a.answer().rcode(), 4U);
    BOOST_CHECK_EQUAL(a.count(Verdict::answered_error), 1U);
    // A flood with the primary's address takes a bounded share of control. (The second may end.)
    for (unsigned i = 0; i < 3 * Replier::kMostNotifies; ++i) {
        a.ask(notify, {.address = "2001:db9::1"});
        if (i % 16 == 15) a.turn();
    }
    const auto more = a.count(Verdict::notify_passed);
    BOOST_CHECK_GE(more, Replier::kMostNotifies);
    BOOST_CHECK_LE(more, 2 * Replier::kMostNotifies);
    BOOST_CHECK_EQUAL(more + a.count(Verdict::drop_notify_rate), 3 * Replier::kMostNotifies + 1);
    // Other opcodes of the same sender are as before.
    a.ask(DnsMessage::query(1, "rpz.example", 6, 0x2800), {.address = "2001:db9::1"});
    a.turn();
    BOOST_CHECK_EQUAL(a.answer().rcode(), 5U);
}

BOOST_AUTO_TEST_CASE(responses_and_short_messages_get_no_answer) {
    Appliance a;
    a.publish(forward_only());
    a.ask(DnsMessage::response(1, "a.example", kTypeA));
    DnsMessage short_one(1, 0x0100);
    const Bytes cut(short_one.bytes().begin(), short_one.bytes().begin() + 11);
    a.send(0, make_udp_frame({.from_mac = {2, 0, 0, 0, 0, 9},
                              .to_mac = a.port().port().mac(),
                              .from = *IpAddress::parse("192.0.2.10"),
                              .to = *IpAddress::parse("10.0.0.1"),
                              .from_port = 40000,
                              .to_port = 53,
                              .payload = cut}));
    a.turn();
    BOOST_CHECK(a.answers().empty());
    BOOST_CHECK_EQUAL(a.count(Verdict::drop_response), 1U);
    BOOST_CHECK_EQUAL(a.count(Verdict::drop_short_header), 1U);
}

BOOST_AUTO_TEST_CASE(clients_outside_allow_are_refused) {
    Appliance a;
    a.publish(forward_only());
    a.ask(DnsMessage::query(1, "a.example", kTypeA).opt(1232), {.address = "2001:db9::1"});
    a.turn();
    const Seen answer = a.answer();
    BOOST_CHECK_EQUAL(answer.rcode(), 5U);
    BOOST_CHECK_EQUAL(answer.dns.back(), 18);  // EDE 18, prohibited
    BOOST_CHECK_EQUAL(a.count(Verdict::refused_client), 1U);
}

BOOST_AUTO_TEST_CASE(negative_answers_are_cached_for_the_time_of_their_soa) {
    Appliance a;
    a.publish(cache_forward());
    a.ask("nothing.example");
    a.turn();
    a.reply(a.upstream_query(),
            DnsMessage::response(0, "nothing.example", kTypeA, 0x8183).soa("example", 900, 20));
    a.turn();
    BOOST_CHECK_EQUAL(a.answer().rcode(), 3U);
    a.advance_ms(19'000);
    a.ask("nothing.example");
    a.turn();
    BOOST_CHECK_EQUAL(a.answer().rcode(), 3U);
    a.advance_ms(1'000);
    a.ask("nothing.example");
    a.turn();
    (void)a.upstream_query();
}

BOOST_AUTO_TEST_CASE(when_no_upstream_answers_the_client_gets_servfail_with_the_reason) {
    Appliance a;
    a.publish(forward_only());
    a.ask(DnsMessage::query(7, "a.example", kTypeA).opt(1232));
    for (unsigned i = 0; i < 60; ++i)
        a.advance_ms(100);
    const Seen answer = a.answer();
    BOOST_CHECK_EQUAL(answer.rcode(), 2U);
    BOOST_CHECK_EQUAL(answer.dns.back(), 22);
    BOOST_CHECK_EQUAL(a.count(PendingOutcome::servfail), 1U);
}

BOOST_AUTO_TEST_CASE(a_program_that_ends_without_an_answer_gives_an_empty_noerror) {
    Appliance a;
    SnapshotMaker m;
    m.add(Op::sequence_end);
    m.add(Op::end);
    a.publish(m.finish());
    a.ask(DnsMessage::query(7, "a.example", kTypeA).opt(1232));
    a.turn();
    const Seen answer = a.answer();
    BOOST_CHECK_EQUAL(answer.rcode(), 0U);
    BOOST_CHECK_EQUAL(answer.answers(), 0U);
    BOOST_CHECK_EQUAL(answer.dns.back(), 0);
    BOOST_CHECK_EQUAL(a.count(Stat::end_without_answer), 1U);
}

BOOST_AUTO_TEST_CASE(query_summary_emits_a_note) {
    Appliance a;
    SnapshotMaker m;
    const auto title = m.text("queries");
    m.upstream("198.51.100.53", 0);
    m.add(Op::enter_summary, title);
    m.add(Op::forward, m.group({0}));
    m.add(Op::debug_print, title);
    m.add(Op::sequence_end);
    m.add(Op::end);
    a.publish(m.finish());
    a.ask("Www.other.example");
    a.turn();
    a.advance_ms(12);
    a.reply(a.upstream_query(), 300, {"203.0.113.7"});
    a.turn();
    const auto notes = a.notes();
    BOOST_REQUIRE_EQUAL(notes.size(), 2U);
    BOOST_CHECK(notes[0].kind == NoteKind::debug);
    BOOST_CHECK_GT(notes[0].response_bytes, 12U);
    BOOST_CHECK(notes[1].kind == NoteKind::summary);
    BOOST_CHECK_EQUAL(notes[1].elapsed_ms, 12U);
    BOOST_CHECK_EQUAL(notes[1].rcode, 0);
    BOOST_CHECK_EQUAL(notes[1].qname[1], 'W');
    (void)a.answer();
}

BOOST_AUTO_TEST_CASE(a_block_tells_the_public_name_of_its_list) {
    SnapshotMaker m;
    AdList ads;
    ads.tag = "ads";
    ads.all = {m.domains({"domain:tracker.example"})};
    ads.lists.push_back({"list", 1, ads.all, std::make_shared<ListMatches>(1U)});
    ads.lists[0].notice = {dns::Ede::filtered, "Trackers"};
    ads.watch = m.snapshot().watch_bits = std::uint64_t{1} << 63;
    ads.black_hole = m.black_hole("0.0.0.0");
    ads.paused_until_s = std::make_shared<std::atomic<std::uint32_t>>(0U);
    m.snapshot().ad_lists.push_back(ads);
    const std::uint16_t test = m.test(Op::if_tags, ads.all.mask);
    m.add(Op::ad_list, 0);
    m.land(test);
    m.snapshot().ad_lists[0].watch_pc = m.add(Op::watch_targets, 0);
    m.add(Op::forward, m.group({static_cast<std::uint16_t>(m.upstream("198.51.100.53", 0))}));
    m.add(Op::end);
    Appliance a;
    a.publish(m.finish());
    a.record_all();
    (void)a.records();
    const Bytes error{0, 15, 0, 10, 0, 17, 'T', 'r', 'a', 'c', 'k', 'e', 'r', 's'};
    const auto ends_with_error = [&](const Bytes& dns) {
        return dns.size() > error.size() &&
               std::equal(error.begin(), error.end(), dns.end() - std::ptrdiff_t(error.size()));
    };
    a.ask(DnsMessage::query(1, "a.tracker.example", kTypeA).opt(1232));
    a.turn();
    const Seen named = a.answer();
    BOOST_TEST(ends_with_error(named.dns));
    BOOST_TEST(a.records().at(0).head.ede == static_cast<std::uint16_t>(dns::Ede::filtered));
    // Without EDNS there is no place for it.
    a.ask("a.tracker.example");
    a.turn();
    BOOST_TEST(a.answer().additional() == 0U);
    // A query that was parked: its answer points to the name.
    a.ask(DnsMessage::query(2, "www.example.org", kTypeA).opt(1232));
    a.turn();
    auto reply = DnsMessage::response(1, "www.example.org", dns::kA);
    reply.record(DnsMessage::kAnswer, wire_name("www.example.org"), dns::kCname, 300,
                 wire_name("a.tracker.example"));
    a.reply(a.upstream_query(), reply);
    a.turn();
    BOOST_TEST(ends_with_error(a.answer().dns));
    // Over TCP.
    a.inject(DnsMessage::query(3, "a.tracker.example", kTypeA).opt(1232), 7);
    a.turn();
    const auto injected = a.injected_answers();
    BOOST_TEST_REQUIRE((injected.size() == 1U && injected[0].answer.has_value()));
    BOOST_TEST(ends_with_error(injected[0].answer->dns));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace steer::test
