// From an answer to an event and back: what is claimed, for how long, what waits for it, and what
// happens when the rings are full or routers away. The test plays `routers`.
#include <algorithm>
#include <boost/test/unit_test.hpp>

#include "dataplane/event/row_board.h"
#include "packet/appliance.h"

namespace steer::test {
namespace {

constexpr const char* kName = "www.stream.example";
constexpr const char* kRow = "203.0.113.7";

IpAddress row() {
    return *IpAddress::parse(kRow);
}

PolicyList held_list(OnTimeout on_timeout = OnTimeout::answer) {
    PolicyList l = policy_list(3, true);
    l.sync_timeout_ms = 100;
    l.on_timeout = on_timeout;
    return l;
}

// The upstream's answer is there; whether the client's leaves is what the test checks.
void let_upstream_answer(Appliance& a, std::uint32_t ttl_s, const char* name = kName) {
    a.ask(name);
    a.turn();
    a.reply(a.upstream_query(), ttl_s, {kRow});
    a.turn();
}

// As routers: the row is written.
void install(Appliance& a, const Event& e, Outcome outcome = Outcome::installed) {
    const auto until_s = e.row_life_s == 0
                             ? kForever
                             : static_cast<std::uint32_t>(e.raised_ms / 1000 + e.row_life_s);
    for (unsigned i = 0; i < e.count; ++i) {
        BOOST_REQUIRE(a.board().put(e.list, e.addresses[i], until_s, a.lists()[e.list].epoch()));
    }
    if (e.hold_token != 0) a.acknowledge(e, outcome);
}

// As routers: the list has no room for the address.
void refuse(Appliance& a, ListId list, const IpAddress& address, RefusedFor whom = RefusedFor::all,
            const char* name = kName, const char* client = "192.0.2.10") {
    const std::uint32_t holder = a.board().holder(whom, wire_name(name), *IpAddress::parse(client));
    BOOST_REQUIRE(a.board().refuse(list, address, holder, a.now().s()) != RowBoard::Marked::full);
    a.lists()[list].marked_until_s = a.now().s() + kRefusalLastsS;
    a.lists().count_failure(list);
}

PolicyList full_list(OnFull on_full, bool synchronous = false) {
    PolicyList l = policy_list(3, synchronous);
    l.on_full = on_full;
    l.sync_timeout_ms = 100;
    return l;
}

// Every answer belongs to both lists; the second has the id 5.
void publish_two_lists(Appliance& a, const PolicyList& one, PolicyList two) {
    two.id = 5;
    SnapshotMaker m;
    m.upstream("198.51.100.53", 0);
    m.add(Op::enter_list, m.list(one));
    m.add(Op::enter_list, m.list(two));
    m.add(Op::forward, m.group({0}));
    m.add(Op::sequence_end);
    m.add(Op::end);
    a.publish(m.finish());
}

// The upstream's answer to MX: one host with these addresses.
void let_upstream_answer_mx(Appliance& a, const std::vector<std::array<std::uint8_t, 4>>& hosts) {
    a.ask(kName, dns::kMx);
    a.turn();
    const Seen query = a.upstream_query();
    DnsMessage m = DnsMessage::response(0, query.qname(), query.qtype());
    const Bytes host = wire_name("mx.stream.example");
    Bytes exchange{0, 10};
    exchange.insert(exchange.end(), host.begin(), host.end());
    m.record(DnsMessage::kAnswer, {0xc0, 12}, dns::kMx, 300, exchange);
    for (const auto& four : hosts)
        m.record(DnsMessage::kAdditional, host, dns::kA, 300, Bytes(four.begin(), four.end()));
    a.reply(query, m);
    a.turn();
}

}  // namespace

BOOST_AUTO_TEST_SUITE(claims)

BOOST_AUTO_TEST_CASE(an_answer_of_the_policy_raises_an_event) {
    Appliance a;
    a.publish(cache_list_forward(policy_list(3)));
    let_upstream_answer(a, 300);
    BOOST_CHECK_EQUAL(a.answer().ttls().at(0), 300U);
    const Event e = a.event();
    BOOST_CHECK_EQUAL(e.list, 3);
    BOOST_CHECK_EQUAL(e.count, 1);
    BOOST_CHECK(e.addresses[0] == row());
    BOOST_CHECK_EQUAL(e.row_life_s, 330U);
    BOOST_CHECK_EQUAL(e.lease_end_ms, a.now().ms + 330'000);
    BOOST_CHECK_EQUAL(e.hold_token, 0U);
    const Bytes name = wire_name(kName);
    BOOST_CHECK_EQUAL_COLLECTIONS(e.name.begin(), e.name.begin() + e.name_len, name.begin(),
                                  name.end());

    let_upstream_answer(a, 300, "www.other.example");  // not of the policy
    (void)a.answer();
    BOOST_CHECK(a.events().empty());
}

BOOST_AUTO_TEST_CASE(a_hit_extends_the_claims_of_its_entry_without_asking_twice) {
    Appliance a;
    a.publish(cache_list_forward(policy_list(3)));
    let_upstream_answer(a, 300);
    (void)a.answer();
    install(a, a.event());
    for (int i = 0; i < 10; ++i) {
        a.advance_ms(20'000);
        a.ask(kName);
        a.turn();
        (void)a.answer();
    }
    BOOST_CHECK(a.events().empty());  // TTL and row count down together
    BOOST_CHECK_EQUAL(a.count(Stat::claims_covered), 10U);

    a.lists().begin_epoch(3);  // the router was rebooted: what was known is void
    a.ask(kName);
    a.turn();
    BOOST_CHECK_EQUAL(a.answer().ttls().at(0), 100U);
    const Event e = a.event();
    BOOST_CHECK_EQUAL(e.row_life_s, 130U);
    a.ask(kName);
    a.turn();
    (void)a.answer();
    BOOST_CHECK(a.events().empty());
}

BOOST_AUTO_TEST_CASE(no_lease_outlives_its_row_by_a_part_of_a_second) {
    Appliance a;
    a.publish(cache_list_forward(policy_list(3)));
    let_upstream_answer(a, 300);
    (void)a.answer();
    const Event e = a.event();
    install(a, e);
    for (const unsigned ms : {5U, 900U, 94U, 1U, 999U, 500U}) {
        a.advance_ms(ms);
        a.ask(kName);
        a.turn();
        const std::uint64_t lease_end_ms = a.now().ms + (a.answer().ttls().at(0) + 30) * 1000ULL;
        BOOST_CHECK_LE(lease_end_ms, e.raised_ms + e.row_life_s * 1000ULL);
    }
    BOOST_CHECK(a.events().empty());
}

BOOST_AUTO_TEST_CASE(a_long_ttl_is_lowered_below_the_rows_lifetime_and_renewed_at_half) {
    Appliance a;
    a.publish(cache_list_forward(policy_list(3)));
    let_upstream_answer(a, 86400);
    BOOST_CHECK_EQUAL(a.answer().ttls().at(0), 1770U);
    const Event first = a.event();
    BOOST_CHECK_EQUAL(first.row_life_s, 1800U);
    install(a, first);
    std::uint32_t row_until_s = static_cast<std::uint32_t>(a.now().s() + 1800);
    unsigned renewals = 0;
    for (int second = 0; second < 4 * 3600; second += 10) {
        a.advance_ms(10'000);
        a.ask(kName);
        a.turn();
        const std::uint32_t ttl_s = a.answer().ttls().at(0);
        for (const Event& e : a.events()) {
            ++renewals;
            install(a, e);
            row_until_s = static_cast<std::uint32_t>(e.raised_ms / 1000 + e.row_life_s);
        }
        BOOST_REQUIRE_LE(a.now().s() + ttl_s + 30, row_until_s);
        BOOST_REQUIRE_GE(ttl_s, 800U);
    }
    BOOST_CHECK_LE(renewals, 20U);
    BOOST_CHECK_GE(renewals, 10U);
}

BOOST_AUTO_TEST_CASE(lists_outside_the_cache_are_claimed_on_hits_too) {
    Appliance a;
    a.publish(list_cache_forward(policy_list(3)));
    let_upstream_answer(a, 300);
    (void)a.answer();
    (void)a.event();  // lost: its row is not installed
    a.ask(kName);
    a.turn();
    (void)a.answer();
    (void)a.event();  // the entry was never claimed for: raised
    a.ask(kName);
    a.turn();
    (void)a.answer();
    BOOST_CHECK(a.events().empty());  // the claim word says that it was
}

BOOST_AUTO_TEST_CASE(without_a_cache_the_row_board_shows_what_is_covered) {
    Appliance a;
    a.publish(list_forward(policy_list(3)));
    let_upstream_answer(a, 300);
    (void)a.answer();
    install(a, a.event());
    a.advance_ms(1000);
    let_upstream_answer(a, 300);
    BOOST_CHECK_EQUAL(a.answer().ttls().at(0), 299U);  // what the row allows
    BOOST_CHECK(a.events().empty());
    a.advance_ms(200'000);
    let_upstream_answer(a, 300);
    BOOST_CHECK_EQUAL(a.answer().ttls().at(0), 300U);
    BOOST_CHECK_EQUAL(a.event().row_life_s, 330U);
}

BOOST_AUTO_TEST_CASE(rows_may_have_a_fixed_lifetime_or_none) {
    Appliance a;
    PolicyList l = policy_list(3);
    l.fixed = true;
    l.fixed_ttl_s = 600;
    a.publish(list_forward(l));
    let_upstream_answer(a, 86400);
    BOOST_CHECK_EQUAL(a.answer().ttls().at(0), 570U);
    BOOST_CHECK_EQUAL(a.event().row_life_s, 600U);
    l.fixed_ttl_s = 0;
    l.id = 4;
    a.publish(list_forward(l));
    let_upstream_answer(a, 86400);
    BOOST_CHECK_EQUAL(a.answer().ttls().at(0), 86400U);
    const Event e = a.event();
    BOOST_CHECK_EQUAL(e.row_life_s, 0U);
    install(a, e);
    a.advance_ms(100'000'000);
    let_upstream_answer(a, 86400);
    (void)a.answer();
    BOOST_CHECK(a.events().empty());
}

BOOST_AUTO_TEST_CASE(never_claimed_addresses_raise_no_event) {
    Appliance a;
    PolicyList l = policy_list(3);
    l.has_v6 = false;
    l.never_claim = matchers::PrefixSet({*matchers::Prefix::parse("10.0.0.0/8")});
    a.publish(list_forward(l));
    a.ask(kName);
    a.turn();
    a.reply(a.upstream_query(), 300, {"10.1.2.3", kRow, "2001:db8::5"});
    a.turn();
    (void)a.answer();
    const Event e = a.event();
    BOOST_CHECK_EQUAL(e.count, 1);
    BOOST_CHECK(e.addresses[0] == row());
    a.ask(kName, 28);
    a.turn();
    a.reply(a.upstream_query(), 300, {"2001:db8::5"});
    a.turn();
    BOOST_CHECK_EQUAL(a.answer().answers(), 1U);
    BOOST_CHECK(a.events().empty());
}

BOOST_AUTO_TEST_CASE(a_family_without_a_list_can_be_left_out_of_answers) {
    Appliance a;
    PolicyList l = policy_list(3);
    l.has_v6 = false;
    l.missing_family = MissingFamily::nodata;
    a.publish(list_forward(l));
    a.ask(kName, 28);
    a.turn();
    a.reply(a.upstream_query(), 300, {"2001:db8::5"});
    a.turn();
    const Seen answer = a.answer();
    BOOST_CHECK_EQUAL(answer.rcode(), 0U);
    BOOST_CHECK_EQUAL(answer.answers(), 0U);
}

// Additional records that no list claims are left out by themselves.
BOOST_AUTO_TEST_CASE(a_foreign_additional_address_does_not_remove_hints_of_a_nat64) {
    Appliance a;
    PolicyList l = policy_list(3);
    l.has_v6 = false;
    l.missing_family = MissingFamily::nodata;
    l.translated = {{dns::kWellKnownPref64, false, true}};
    a.publish(list_forward(l));
    a.ask(kName, dns::kHttps);
    a.turn();
    const Seen query = a.upstream_query();
    DnsMessage m = DnsMessage::response(0, query.qname(), query.qtype());
    const Bytes host = wire_name("edge.stream.example");
    Bytes rdata{0, 1};  // its priority
    rdata.insert(rdata.end(), host.begin(), host.end());
    const Bytes hint{0, 6, 0, 16, 0, 0x64, 0xff, 0x9b, 0, 0, 0, 0, 0, 0, 0, 0, 203, 0, 113, 7};
    rdata.insert(rdata.end(), hint.begin(), hint.end());  // ipv6hint=64:ff9b::203.0.113.7
    m.record(DnsMessage::kAnswer, {0xc0, 12}, dns::kHttps, 300, rdata);
    m.record(DnsMessage::kAdditional, host, dns::kAaaa, 300,
             {0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 9});
    a.reply(query, m);
    a.turn();
    const Seen answer = a.answer();
    BOOST_CHECK_EQUAL(answer.answers(), 1U);
    BOOST_CHECK_EQUAL(answer.additional(), 0U);
    BOOST_CHECK(!std::ranges::search(answer.dns, hint).empty());
    const auto events = a.events();
    BOOST_REQUIRE_EQUAL(events.size(), 1U);
    BOOST_CHECK_EQUAL(events[0].count, 1U);
    BOOST_CHECK(events[0].addresses[0] == row());
}

BOOST_AUTO_TEST_CASE(more_addresses_than_one_event_holds_raise_more_events) {
    Appliance a;
    a.publish(list_forward(policy_list(3)));
    a.ask(DnsMessage::query(1, kName, 1).opt(1232));
    a.turn();
    std::vector<std::string> many;
    for (int i = 1; i <= 40; ++i)
        many.push_back("203.0.113." + std::to_string(i));
    a.reply(a.upstream_query(), 300, many);
    a.turn();
    (void)a.answer();
    const auto events = a.events();
    BOOST_REQUIRE_EQUAL(events.size(), 3U);
    BOOST_CHECK_EQUAL(events[0].count + events[1].count + events[2].count, 40);
}

std::vector<std::string> seventy() {
    std::vector<std::string> many;
    for (int i = 1; i <= 70; ++i)
        many.push_back("203.0.113." + std::to_string(i));
    return many;
}

PolicyList at_most(unsigned addresses) {
    PolicyList l = policy_list(3);
    l.max_addresses = static_cast<std::uint16_t>(addresses);
    return l;
}

// What the client was sent and what is claimed are the same addresses.
BOOST_AUTO_TEST_CASE(addresses_above_the_limit_are_not_claimed_and_not_sent) {
    Appliance a;
    a.publish(list_forward(at_most(32)));
    a.ask(DnsMessage::query(1, kName, 1).opt(1232));
    a.turn();
    a.reply(a.upstream_query(), 300, seventy());
    a.turn();
    BOOST_CHECK_EQUAL(a.answer().answers(), 32U);
    unsigned claimed = 0, shortened = 0;
    for (const Event& e : a.events()) {
        if (e.kind == EventKind::claim) claimed += e.count;
        if (e.kind == EventKind::shortened) ++shortened;
    }
    BOOST_CHECK_EQUAL(claimed, 32U);
    BOOST_CHECK_EQUAL(shortened, 1U);
    BOOST_CHECK_EQUAL(a.count(Stat::answers_shortened), 1U);
}

BOOST_AUTO_TEST_CASE(a_cached_answer_has_the_same_limit_of_addresses) {
    for (const bool inside : {true, false}) {
        Appliance a;
        a.publish(inside ? cache_list_forward(at_most(8)) : list_cache_forward(at_most(8)));
        a.ask(DnsMessage::query(1, kName, 1).opt(1232));
        a.turn();
        a.reply(a.upstream_query(), 300, seventy());
        a.turn();
        BOOST_CHECK_EQUAL(a.answer().answers(), 8U);
        for (int i = 0; i < 3; ++i) {
            a.advance_ms(10'000);
            a.ask(DnsMessage::query(1, kName, 1).opt(1232));
            a.turn();
            const Seen hit = a.answer();
            BOOST_CHECK_EQUAL(hit.answers(), 8U);
            BOOST_CHECK_EQUAL(hit.ttls().at(0), 300U - 10 * (static_cast<unsigned>(i) + 1));
        }
        for (const Event& e : a.events())
            BOOST_CHECK_LE(e.count, 8);
    }
}

BOOST_AUTO_TEST_CASE(an_answer_at_the_limit_of_addresses_is_sent_whole) {
    Appliance a;
    a.publish(list_forward(at_most(70)));
    a.ask(DnsMessage::query(1, kName, 1).opt(1232));
    a.turn();
    a.reply(a.upstream_query(), 300, seventy());
    a.turn();
    BOOST_CHECK_EQUAL(a.answer().answers(), 70U);
    BOOST_CHECK_EQUAL(a.count(Stat::answers_shortened), 0U);
}

BOOST_AUTO_TEST_CASE(an_ipv4_mapped_aaaa_is_claimed_as_ipv4) {
    Appliance a;
    a.publish(list_forward(policy_list(3)));
    a.ask(kName, 28);
    a.turn();
    const Seen query = a.upstream_query();
    DnsMessage m = DnsMessage::response(0, query.qname(), query.qtype());
    const IpAddress mapped = *IpAddress::parse("203.0.113.9");
    m.record(DnsMessage::kAnswer, {0xc0, 12}, 28, 300,
             Bytes(mapped.bytes.begin(), mapped.bytes.end()));
    a.reply(query, m);
    a.turn();
    (void)a.answer();
    const Event e = a.event();
    BOOST_CHECK_EQUAL(e.count, 1U);
    BOOST_CHECK_EQUAL(e.addresses[0].to_string(), "203.0.113.9");
}

// The record that no row can cover leaves no answer, and hits still need neither event nor row board.
BOOST_AUTO_TEST_CASE(hits_without_one_additional_record_keep_their_claim_word) {
    for (const bool is_inside : {false, true}) {
        Appliance a;
        PolicyList list = policy_list(3);
        list.never_claim = matchers::PrefixSet({*matchers::Prefix::parse("10.0.0.0/8")});
        a.publish(is_inside ? cache_list_forward(list) : list_cache_forward(list));
        let_upstream_answer_mx(a, {{10, 0, 0, 7}, {203, 0, 113, 7}});
        BOOST_CHECK_EQUAL(a.answer().additional(), 1U);
        const Event e = a.event();
        BOOST_CHECK_EQUAL(e.count, 1U);
        BOOST_CHECK(e.addresses[0] == row());
        // Its row is expected. Behind the cache the first hit claims it, because the entry is known only then.
        for (int i = 0; i < 3; ++i) {
            a.ask(kName, dns::kMx);
            a.turn();
            BOOST_CHECK_EQUAL(a.answer().additional(), 1U);
            if (i == 0) (void)a.events();
        }
        BOOST_CHECK(a.events().empty());
        BOOST_CHECK_EQUAL(a.count(Stat::claims_covered), 2U);
        a.check_sums();
    }
}

BOOST_AUTO_TEST_CASE(a_claim_carries_its_client) {
    Appliance a;
    a.publish(list_forward(policy_list(3)));
    let_upstream_answer(a, 300);
    (void)a.answer();
    const Event e = a.event();
    BOOST_CHECK(e.has_client);
    BOOST_CHECK(e.client != IpAddress{});
}

BOOST_AUTO_TEST_CASE(a_held_answer_is_sent_when_its_row_is_acknowledged) {
    Appliance a;
    a.publish(cache_list_forward(held_list()));
    let_upstream_answer(a, 300);
    BOOST_CHECK(a.answers().empty());
    const Event e = a.event();
    BOOST_CHECK(e.hold_token != 0);
    a.advance_ms(20);
    BOOST_CHECK(a.answers().empty());
    install(a, e);
    a.turn();
    BOOST_CHECK_EQUAL(a.answer().ttls().at(0), 300U);
    BOOST_CHECK_EQUAL(a.count(Stat::hold_released), 1U);
    a.ask(kName);  // a repeated name waits for nothing
    a.turn();
    (void)a.answer();
    BOOST_CHECK(a.events().empty());
    a.acknowledge(e);  // too late a second one does no harm
    a.turn();
    BOOST_CHECK(a.answers().empty());
}

BOOST_AUTO_TEST_CASE(a_cached_answer_is_held_when_its_row_was_removed) {
    Appliance a;
    a.publish(cache_list_forward(held_list()));
    let_upstream_answer(a, 300);
    install(a, a.event());
    a.turn();
    (void)a.answer();
    a.lists().begin_epoch(3);
    a.advance_ms(10'000);
    a.ask(kName);
    a.turn();
    BOOST_CHECK(a.answers().empty());
    BOOST_CHECK_EQUAL(a.count(Verdict::held), 1U);
    install(a, a.event());
    a.turn();
    BOOST_CHECK_EQUAL(a.answer().ttls().at(0), 290U);
}

BOOST_AUTO_TEST_CASE(held_answers_are_released_in_the_order_of_acknowledgements) {
    Appliance a;
    a.publish(list_forward(held_list()));
    let_upstream_answer(a, 300, "a.stream.example");
    let_upstream_answer(a, 300, "b.stream.example");
    const auto events = a.events();
    BOOST_REQUIRE_EQUAL(events.size(), 2U);
    a.acknowledge(events[1]);
    a.turn();
    BOOST_CHECK_EQUAL(a.answer().qname(), "b.stream.example");
    a.acknowledge(events[0]);
    a.turn();
    BOOST_CHECK_EQUAL(a.answer().qname(), "a.stream.example");
}

BOOST_AUTO_TEST_CASE(without_an_acknowledgement_the_answer_is_sent_at_the_timeout) {
    Appliance a;
    a.publish(list_forward(held_list()));
    let_upstream_answer(a, 300);
    a.advance_ms(99);
    BOOST_CHECK(a.answers().empty());
    a.advance_ms(5);
    BOOST_CHECK_EQUAL(a.answer().rcode(), 0U);
    BOOST_CHECK_EQUAL(a.count(Stat::hold_late), 1U);
}

BOOST_AUTO_TEST_CASE(on_timeout_chooses_the_answer_at_the_timeout) {
    Appliance a;
    a.publish(list_forward(held_list(OnTimeout::servfail)));
    let_upstream_answer(a, 300);
    a.advance_ms(104);
    BOOST_CHECK_EQUAL(a.answer().rcode(), 2U);
    a.publish(list_forward(held_list(OnTimeout::drop)));
    let_upstream_answer(a, 300);
    a.advance_ms(104);
    BOOST_CHECK(a.answers().empty());
    BOOST_CHECK_EQUAL(a.count(PendingOutcome::servfail), 1U);
    BOOST_CHECK_EQUAL(a.count(PendingOutcome::dropped_on_timeout), 1U);
}

BOOST_AUTO_TEST_CASE(a_router_that_refuses_the_row_counts_as_no_row) {
    Appliance a;
    a.publish(list_forward(held_list(OnTimeout::servfail)));
    let_upstream_answer(a, 300);
    a.acknowledge(a.event(), Outcome::failed);
    a.turn();
    BOOST_CHECK_EQUAL(a.answer().rcode(), 2U);
    a.publish(list_forward(held_list(OnTimeout::answer)));
    let_upstream_answer(a, 300);
    a.acknowledge(a.event(), Outcome::failed);
    a.turn();
    BOOST_CHECK_EQUAL(a.answer().rcode(), 0U);
}

// A slow router says so at once; on_timeout does not wait for sync_timeout then.
BOOST_AUTO_TEST_CASE(an_answer_whose_row_comes_too_late_obeys_on_timeout_and_is_counted_once) {
    Appliance a;
    a.publish(list_forward(held_list(OnTimeout::servfail)));
    let_upstream_answer(a, 300);
    a.acknowledge(a.event(), Outcome::late);
    a.turn();
    BOOST_CHECK_EQUAL(a.answer().rcode(), 2U);
    BOOST_CHECK_EQUAL(a.count(Stat::hold_late), 1U);
    BOOST_CHECK_EQUAL(a.count(Stat::hold_router_away), 0U);

    publish_two_lists(a, held_list(), held_list());  // the second one says nothing
    let_upstream_answer(a, 300);
    const auto events = a.events();
    BOOST_REQUIRE_EQUAL(events.size(), 2U);
    a.acknowledge(events[0], Outcome::late);
    a.turn();
    BOOST_CHECK(a.answers().empty());
    a.advance_ms(104);
    BOOST_CHECK_EQUAL(a.answer().rcode(), 0U);
    BOOST_CHECK_EQUAL(a.count(Stat::hold_late), 2U);
    a.check_sums();
}

BOOST_AUTO_TEST_CASE(an_unreachable_router_is_not_waited_for) {
    Appliance a;
    a.publish(list_forward(held_list()));
    a.lists()[3].away = true;
    let_upstream_answer(a, 300);
    BOOST_CHECK_EQUAL(a.answer().rcode(), 0U);
    BOOST_CHECK_EQUAL(a.event().hold_token, 0U);  // claimed all the same
    BOOST_CHECK_EQUAL(a.count(Stat::hold_router_away), 1U);
    a.publish(list_forward(held_list(OnTimeout::servfail)));
    let_upstream_answer(a, 300);
    BOOST_CHECK_EQUAL(a.answer().rcode(), 2U);
    a.publish(list_forward(held_list(OnTimeout::drop)));
    let_upstream_answer(a, 300);
    BOOST_CHECK(a.answers().empty());
}

BOOST_AUTO_TEST_CASE(a_cached_answer_without_its_row_is_refused_on_each_hit) {
    Appliance a;
    a.publish(cache_list_forward(held_list(OnTimeout::servfail)));
    a.lists()[3].away = true;
    let_upstream_answer(a, 300);
    BOOST_CHECK_EQUAL(a.answer().rcode(), 2U);
    for (int i = 0; i < 3; ++i) {
        a.ask(kName);
        a.turn();
        BOOST_CHECK_EQUAL(a.answer().rcode(), 2U);
    }
    a.lists()[3].away = false;
    a.lists().begin_epoch(3);
    (void)a.events();
    a.ask(kName);
    a.turn();
    install(a, a.event());
    a.turn();
    BOOST_CHECK_EQUAL(a.answer().rcode(), 0U);
}

BOOST_AUTO_TEST_CASE(a_refused_claim_is_taken_back_from_its_entry) {
    Appliance a;
    a.publish(cache_list_forward(full_list(OnFull::cap_ttl)));
    let_upstream_answer(a, 300);
    BOOST_CHECK_EQUAL(a.answer().ttls().at(0), 300U);  // it was not known yet
    (void)a.event();
    for (int i = 0; i < 2; ++i) {
        a.ask(kName);
        a.turn();
        BOOST_CHECK_EQUAL(a.answer().ttls().at(0), 300U);  // its row is expected
    }
    (void)a.event();
    BOOST_CHECK_EQUAL(a.count(Stat::claims_covered), 1U);
    refuse(a, 3, row());
    for (int i = 0; i < 4; ++i) {
        a.ask(kName);
        a.turn();
        BOOST_CHECK_EQUAL(a.answer().ttls().at(0), 5U);
        a.advance_ms(1'000);
    }
    BOOST_CHECK(a.events().empty());
    BOOST_CHECK_EQUAL(a.count(Stat::claims_covered), 1U);
    BOOST_CHECK_EQUAL(a.count(Stat::full_capped), 4U);
    a.advance_ms(1'000);
    a.ask(kName);
    a.turn();
    BOOST_CHECK_EQUAL(a.answer().ttls().at(0), 5U);
    install(a, a.event());  // now there is room
    a.board().lift_refusal(3, row());
    a.ask(kName);
    a.turn();
    BOOST_CHECK_EQUAL(a.answer().ttls().at(0), 295U);
    BOOST_CHECK(a.events().empty());
    BOOST_CHECK_EQUAL(a.count(Stat::claims_covered), 2U);
    a.check_sums();
}

// As routers: the row was evicted for another client's.
BOOST_AUTO_TEST_CASE(a_row_that_ends_early_is_claimed_again_by_the_next_hit) {
    for (const unsigned hits : {0U, 6U}) {  // 6: there is a ready reply
        Appliance a;
        a.advance_ms(1);
        a.publish(cache_list_forward(policy_list(3)));
        let_upstream_answer(a, 300);
        (void)a.answer();
        install(a, a.event());
        const auto ask = [&a] {
            a.ask(kName);
            a.turn();
            (void)a.answer();
        };
        for (unsigned i = 0; i < hits; ++i)
            ask();
        (void)a.events();
        a.board().remove(3, row());
        a.lists().count_loss(3);
        ask();
        BOOST_CHECK_EQUAL(a.events().size(), 1U);
    }
}

BOOST_AUTO_TEST_CASE(a_refusal_ends_the_ready_reply_of_a_requested_row) {
    Appliance a;
    a.advance_ms(1);  // a reply that is checked now holds for the second
    a.publish(cache_list_forward(full_list(OnFull::cap_ttl)));
    let_upstream_answer(a, 300);
    (void)a.answer();
    (void)a.event();
    const auto ttl_of_answer = [&a] {
        a.ask(kName);
        a.turn();
        return a.answer().ttls().at(0);
    };
    for (int i = 0; i < 6; ++i)
        BOOST_CHECK_GE(ttl_of_answer(), 299U);
    (void)a.events();
    refuse(a, 3, row());
    BOOST_CHECK_EQUAL(ttl_of_answer(), 5U);
}

// Others' refusals cost an answer with rows neither TTL nor event; one whose row is only expected asks again.
BOOST_AUTO_TEST_CASE(a_refusal_of_another_address_takes_back_no_row_that_is_there) {
    Appliance a;
    a.publish(cache_list_forward(full_list(OnFull::servfail)));
    let_upstream_answer(a, 300);
    (void)a.answer();
    const Event e = a.event();
    refuse(a, 3, *IpAddress::parse("203.0.113.99"));
    a.ask(kName);
    a.turn();
    BOOST_CHECK_EQUAL(a.answer().ttls().at(0), 300U);
    (void)a.event();  // it could have been this one
    install(a, e);
    for (int i = 0; i < 10; ++i) {
        refuse(a, 3, *IpAddress::parse("203.0.113.99"));
        a.ask(kName);
        a.turn();
        BOOST_CHECK_EQUAL(a.answer().ttls().at(0), 300U);
    }
    BOOST_CHECK(a.events().empty());
    BOOST_CHECK_EQUAL(a.count(Stat::full_servfail), 0U);
    BOOST_CHECK_EQUAL(a.count(Stat::claims_covered), 10U);
}

BOOST_AUTO_TEST_CASE(on_full_chooses_the_answer_without_room_for_its_row) {
    const struct {
        OnFull on_full;
        std::uint8_t rcode;
        std::uint32_t ttl_s;
        Stat stat;
    } kCases[] = {{OnFull::answer, 0, 300, Stat::full_answered},
                  {OnFull::cap_ttl, 0, 5, Stat::full_capped},
                  {OnFull::servfail, 2, 0, Stat::full_servfail}};
    for (const auto& one : kCases) {
        for (const bool is_held : {false, true}) {
            Appliance a;
            PolicyList list = full_list(one.on_full, is_held);
            list.on_timeout = OnTimeout::drop;  // not asked
            a.publish(list_forward(list));
            if (is_held) {  // it learns from the router
                let_upstream_answer(a, 300);
                BOOST_CHECK(a.answers().empty());
                a.acknowledge(a.event(), Outcome::refused);
                a.turn();
                const Seen first = a.answer();
                BOOST_CHECK_EQUAL(first.rcode(), one.rcode);
                if (one.rcode == 0) BOOST_CHECK_EQUAL(first.ttls().at(0), one.ttl_s);
            }
            refuse(a, 3, row());
            let_upstream_answer(a, 300);
            const Seen next = a.answer();  // not held
            BOOST_CHECK_EQUAL(next.rcode(), one.rcode);
            if (one.rcode == 0) BOOST_CHECK_EQUAL(next.ttls().at(0), one.ttl_s);
            BOOST_CHECK(a.events().empty());
            BOOST_CHECK_EQUAL(a.count(one.stat), is_held ? 2U : 1U);
            a.check_sums();
        }
    }
}

BOOST_AUTO_TEST_CASE(a_refusal_and_a_late_router_obey_both_settings) {
    for (const bool is_late : {false, true}) {
        Appliance a;
        publish_two_lists(a, held_list(OnTimeout::servfail), held_list(OnTimeout::servfail));
        let_upstream_answer(a, 300);
        const auto events = a.events();
        BOOST_REQUIRE_EQUAL(events.size(), 2U);
        a.acknowledge(events[0], Outcome::refused);
        if (is_late) {
            a.advance_ms(104);
        } else {
            install(a, events[1]);
            a.turn();
        }
        const Seen answer = a.answer();
        BOOST_CHECK_EQUAL(answer.rcode(), is_late ? 2U : 0U);
        if (!is_late) BOOST_CHECK_EQUAL(answer.ttls().at(0), 5U);
        BOOST_CHECK_EQUAL(a.count(Stat::full_capped), 1U);
    }
}

// Not a third time: each answer is counted once, as it leaves.
BOOST_AUTO_TEST_CASE(an_answer_that_two_full_lists_refuse_is_counted_once) {
    const struct {
        OnFull known, later;
        std::uint8_t rcode;
        Stat stat;
    } kCases[] = {{OnFull::cap_ttl, OnFull::cap_ttl, 0, Stat::full_capped},
                  {OnFull::answer, OnFull::cap_ttl, 0, Stat::full_capped},
                  {OnFull::cap_ttl, OnFull::answer, 0, Stat::full_capped},
                  {OnFull::cap_ttl, OnFull::servfail, 2, Stat::full_servfail}};
    for (const auto& one : kCases) {
        for (const bool is_late : {false, true}) {
            Appliance a;
            publish_two_lists(a, full_list(one.known, true), full_list(one.later, true));
            refuse(a, 3, row());
            let_upstream_answer(a, 300);
            BOOST_CHECK(a.answers().empty());  // the second list is asked
            a.acknowledge(a.event(), is_late ? Outcome::installed : Outcome::refused);
            a.turn();
            const Seen answer = a.answer();
            const bool is_known_alone = is_late;
            BOOST_CHECK_EQUAL(answer.rcode(), is_known_alone ? 0U : one.rcode);
            const Stat stat = !is_known_alone                ? one.stat
                              : one.known == OnFull::cap_ttl ? Stat::full_capped
                                                             : Stat::full_answered;
            std::uint64_t all = 0;
            for (const Stat s : {Stat::full_answered, Stat::full_capped, Stat::full_servfail})
                all += a.count(s);
            BOOST_CHECK_EQUAL(all, 1U);
            BOOST_CHECK_EQUAL(a.count(stat), 1U);
            a.check_sums();
        }
    }
}

// The list may have room again: what it says to this claim is not known yet.
BOOST_AUTO_TEST_CASE(a_refusal_that_no_longer_stands_only_shortens_the_ttl) {
    for (const OnFull on_full : {OnFull::answer, OnFull::cap_ttl, OnFull::servfail}) {
        Appliance a;
        a.publish(list_forward(full_list(on_full)));
        refuse(a, 3, row());
        a.advance_ms(kRefusalStandsS * 1'000);
        let_upstream_answer(a, 300);
        const Seen answer = a.answer();
        BOOST_CHECK_EQUAL(answer.rcode(), 0U);
        BOOST_CHECK_EQUAL(answer.ttls().at(0), on_full == OnFull::answer ? 300U : 5U);
        BOOST_CHECK_EQUAL(a.event().count, 1U);
        BOOST_CHECK_EQUAL(a.count(Stat::full_servfail), 0U);
        a.check_sums();
    }
}

// Where marks were lost, an address without a row may have been refused.
BOOST_AUTO_TEST_CASE(answers_of_a_list_that_lost_marks_have_a_short_ttl_until_their_row_is_there) {
    Appliance a;
    a.publish(cache_list_forward(full_list(OnFull::servfail)));
    refuse(a, 3, *IpAddress::parse("203.0.113.99"));
    a.lists()[3].evicted_until_s = a.now().s() + 10;
    let_upstream_answer(a, 300);
    BOOST_CHECK_EQUAL(a.answer().ttls().at(0), 5U);
    install(a, a.event());
    a.ask(kName);
    a.turn();
    BOOST_CHECK_EQUAL(a.answer().ttls().at(0), 300U);
    a.advance_ms(10'000);
    let_upstream_answer(a, 300, "other.stream.example");
    BOOST_CHECK_EQUAL(a.answer().ttls().at(0), 290U);  // the row is there
    a.check_sums();
}

// A name or client that has used its share may have an address that others need: theirs is claimed at once.
BOOST_AUTO_TEST_CASE(a_refusal_for_one_name_or_client_keeps_no_other_from_claiming_the_address) {
    const struct {
        RefusedFor whom;
        const char *name, *client;
        bool is_claimed;
    } kCases[] = {{RefusedFor::all, "www.evil.example", "192.0.2.66", false},
                  {RefusedFor::name, "www.evil.example", "192.0.2.66", true},
                  {RefusedFor::name, kName, "192.0.2.66", false},
                  {RefusedFor::client, kName, "192.0.2.66", true},
                  {RefusedFor::client, "www.evil.example", "192.0.2.10", true},
                  {RefusedFor::client, kName, "192.0.2.10", false},
                  {RefusedFor::others, kName, "192.0.2.10", true}};
    for (const auto& one : kCases) {
        Appliance a;
        a.publish(list_forward(full_list(OnFull::cap_ttl)));
        refuse(a, 3, row(), one.whom, one.name, one.client);
        let_upstream_answer(a, 300);
        BOOST_CHECK_EQUAL(a.answer().ttls().at(0), 5U);  // it has no row yet
        BOOST_CHECK_EQUAL(a.events().size(), one.is_claimed ? 1U : 0U);
    }
}

BOOST_AUTO_TEST_CASE(only_the_refused_address_of_an_answer_is_left_out_of_the_claim) {
    Appliance a;
    a.publish(list_forward(full_list(OnFull::cap_ttl)));
    refuse(a, 3, row());
    a.ask(kName);
    a.turn();
    a.reply(a.upstream_query(), 300, {kRow, "203.0.113.8"});
    a.turn();
    BOOST_CHECK_EQUAL(a.answer().ttls().at(0), 5U);
    const Event e = a.event();
    BOOST_CHECK_EQUAL(e.count, 1U);
    BOOST_CHECK((e.addresses[0] == *IpAddress::parse("203.0.113.8")));
}

BOOST_AUTO_TEST_CASE(a_row_that_ends_too_soon_is_renewed_without_holding_the_answer) {
    Appliance a;
    a.publish(list_forward(held_list()));
    let_upstream_answer(a, 300);
    install(a, a.event());
    a.turn();
    (void)a.answer();
    a.advance_ms(250'000);  // 80 s of the row are left, 50 s of TTL
    let_upstream_answer(a, 300);
    BOOST_CHECK_EQUAL(a.answer().ttls().at(0), 50U);
    const Event e = a.event();
    BOOST_CHECK_EQUAL(e.hold_token, 0U);
    BOOST_CHECK_EQUAL(e.row_life_s, 330U);
}

BOOST_AUTO_TEST_CASE(two_lists_are_both_waited_for) {
    Appliance a;
    PolicyList two = held_list();
    two.max_ttl_s = 600;
    publish_two_lists(a, held_list(), two);
    let_upstream_answer(a, 86400);
    const auto events = a.events();
    BOOST_REQUIRE_EQUAL(events.size(), 2U);
    install(a, events[0]);
    a.turn();
    BOOST_CHECK(a.answers().empty());
    install(a, events[1]);
    a.turn();
    BOOST_CHECK_EQUAL(a.answer().ttls().at(0), 570U);  // the smaller of the two caps
}

BOOST_AUTO_TEST_CASE(a_full_ring_delays_claims_and_loses_none) {
    Appliance a({.events = 4});  // three fit
    a.publish(list_forward(policy_list(3)));
    for (const char* name : {"a.stream.example", "b.stream.example", "c.stream.example"}) {
        let_upstream_answer(a, 300, name);
        (void)a.answer();
    }
    let_upstream_answer(a, 300, "d.stream.example");
    BOOST_CHECK(a.answers().empty());  // waits for room
    BOOST_CHECK_EQUAL(a.count(Stat::events_ring_full), 1U);
    BOOST_CHECK_EQUAL(a.events().size(), 3U);
    a.turn();
    BOOST_CHECK_EQUAL(a.answer().qname(), "d.stream.example");
    (void)a.event();
}

BOOST_AUTO_TEST_CASE(a_query_that_waits_for_a_full_ring_is_answered_after_the_timeout) {
    Appliance a({.events = 2});
    a.publish(list_forward(policy_list(3)));
    let_upstream_answer(a, 300, "a.stream.example");
    (void)a.answer();
    let_upstream_answer(a, 86400, "b.stream.example");
    let_upstream_answer(a, 86400, "c.stream.example");
    BOOST_CHECK(a.answers().empty());
    a.advance_ms(104);
    const auto answers = a.answers();
    BOOST_REQUIRE_EQUAL(answers.size(), 2U);
    BOOST_CHECK_EQUAL(answers[0].ttls().at(0), 1770U);
    BOOST_CHECK_EQUAL(a.count(Stat::hold_late), 2U);
}

// Neither the ring nor the pool has room: the answer leaves at once, as the refusal before wants it.
BOOST_AUTO_TEST_CASE(an_answer_that_cannot_wait_for_a_full_ring_is_counted_as_capped) {
    Appliance a({.max_parked = 64, .events = 2});  // one event fits
    SnapshotMaker m;
    m.upstream("198.51.100.53", 0);
    const auto test = m.test(Op::if_tags, m.domains({"domain:stream.example"}));
    m.add(Op::enter_list, m.list(full_list(OnFull::cap_ttl)));
    m.add(Op::black_hole, m.black_hole(kRow), true);
    m.land(test);
    m.add(Op::forward, m.group({0}));
    m.add(Op::sequence_end);
    m.add(Op::end);
    a.publish(m.finish());
    refuse(a, 3, row());
    a.advance_ms(kRefusalStandsS * 1'000);
    a.ask("a.stream.example");
    a.turn();
    BOOST_CHECK_EQUAL(a.answer().ttls().at(0), 5U);
    BOOST_CHECK_EQUAL(a.count(Stat::full_capped), 1U);
    for (unsigned i = 0; i < 80; ++i) {
        a.ask("www.n" + std::to_string(i) + ".example", 1, 1,
              {.address = "192.0.2." + std::to_string(20 + i)});
    }
    a.ask("b.stream.example");
    a.turn();
    BOOST_CHECK_EQUAL(a.answer().ttls().at(0), 5U);
    BOOST_CHECK_EQUAL(a.count(Stat::events_ring_full), 1U);
    BOOST_CHECK_EQUAL(a.count(Stat::full_capped), 2U);
    a.check_sums();
    (void)a.event();
}

BOOST_AUTO_TEST_CASE(a_hit_does_not_wait_for_a_full_ring_and_the_next_hit_claims) {
    Appliance a({.events = 2});
    a.publish(list_cache_forward(policy_list(3)));
    let_upstream_answer(a, 300);
    (void)a.answer();
    a.ask(kName);
    a.turn();
    (void)a.answer();  // the ring is full
    BOOST_CHECK_EQUAL(a.count(Stat::events_ring_full), 1U);
    (void)a.event();
    a.ask(kName);
    a.turn();
    (void)a.answer();
    (void)a.event();
}

BOOST_AUTO_TEST_CASE(a_new_generation_claims_cached_answers_with_its_own_program) {
    Appliance a;
    a.publish(cache_forward());  // no list yet
    let_upstream_answer(a, 300);
    (void)a.answer();
    a.publish(cache_list_forward(policy_list(3)));
    a.advance_ms(10'000);
    a.ask(kName);
    a.turn();
    BOOST_CHECK_EQUAL(a.answer().ttls().at(0), 290U);
    BOOST_CHECK(a.upstream_queries().empty());
    BOOST_CHECK_EQUAL(a.event().row_life_s, 320U);
    const auto matched = a.count(Stat::name_matches);
    a.ask(kName);
    a.turn();
    BOOST_CHECK_EQUAL(a.answer().ttls().at(0), 290U);
    (void)a.event();  // the entry was stored again; its claim word is new as well
    a.ask(kName);
    a.turn();
    (void)a.answer();
    BOOST_CHECK(a.events().empty());
    BOOST_CHECK_EQUAL(a.count(Stat::name_matches), matched);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace steer::test
