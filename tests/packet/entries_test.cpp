// Several entries of the program: each query takes that of the frontend it arrived, whatever another's was sent before it.
#include <boost/test/unit_test.hpp>

#include "packet/appliance.h"
#include "packet/programs.h"

namespace steer::test {
namespace {

constexpr const char* kEntryName = "www.other.example";
constexpr const char* kV6 = "2001:db8:1::1";  // the appliance's
const Client kByV4{}, kByV6{.address = "2001:db8::10"};

// A program's first instruction after the `end` of the one before; IPv6's address is the frontend of the last entry.
std::uint16_t begin_entry(SnapshotMaker& m) {
    Snapshot& s = m.snapshot();
    const auto pc = static_cast<std::uint16_t>(s.program.size());
    if (pc == 0) return pc;
    s.entries.push_back(pc);
    const auto entry = static_cast<std::uint8_t>(s.entries.size() - 1);
    s.frontends.datagrams = {{*IpAddress::parse(kV6), 53, entry}, {IpAddress{}, 53, 0}};
    return pc;
}

void end_entry(SnapshotMaker& m) {
    m.add(Op::sequence_end);
    m.add(Op::end);
}

// cache ; forward, with a cache and upstreams of its own.
void add_cache_forward(SnapshotMaker& m, std::uint16_t number) {
    begin_entry(m);
    m.add(Op::enter_cache, m.cache(number), true);
    m.add(Op::forward, m.group({static_cast<std::uint16_t>(
                           m.upstream("198.51.100." + std::to_string(53 + number), number))}));
    end_entry(m);
}

std::string ask_again(Appliance& a, const Client& client) {
    a.ask(kEntryName, kTypeA, 1, client);
    a.turn();
    return a.answer().last_address();
}

void fill(Appliance& a, const Client& client, const std::string& address) {
    a.ask(kEntryName, kTypeA, 1, client);
    a.turn();
    a.reply(a.upstream_query(), 300, {address});
    a.turn();
    BOOST_CHECK_EQUAL(a.answer().last_address(), address);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(entries)

// The packet cache finds a query by its bytes, which are the same by both frontends.
BOOST_AUTO_TEST_CASE(the_same_bytes_by_two_frontends_get_two_answers) {
    Appliance a;
    SnapshotMaker m;
    add_cache_forward(m, 0);
    add_cache_forward(m, 1);
    a.publish(m.finish());
    fill(a, kByV4, "203.0.113.4");
    fill(a, kByV6, "203.0.113.6");
    for (unsigned i = 0; i < 4; ++i) {
        BOOST_CHECK_EQUAL(ask_again(a, kByV4), "203.0.113.4");
        BOOST_CHECK_EQUAL(ask_again(a, kByV6), "203.0.113.6");
    }
    BOOST_CHECK_EQUAL(a.count(Stat::packet_cache_hits), 6U);
    BOOST_CHECK_EQUAL(a.count(Stat::upstream_queries), 2U);
    a.check_sums();
}

// [set] note, then the one cache: plans are by sets and by entry.
BOOST_AUTO_TEST_CASE(plans_are_kept_by_tag_set_and_entry) {
    Appliance a;
    SnapshotMaker m;
    const auto in_set = m.domains({"domain:other.example"});
    const auto group = m.group({static_cast<std::uint16_t>(m.upstream("198.51.100.53", 0))});
    const std::array caches{m.cache(0), m.cache(1)};
    for (const bool of_set : {true, false}) {
        begin_entry(m);
        const auto test = m.test(Op::if_tags, in_set);
        m.add(Op::enter_cache, caches[of_set ? 0 : 1], true);
        m.land(test);
        m.add(Op::enter_cache, caches[of_set ? 1 : 0], true);
        m.add(Op::forward, group);
        end_entry(m);
    }
    const Snapshot& snapshot = a.publish(m.finish());
    BOOST_CHECK(snapshot.plans_by_name);
    fill(a, kByV4, "203.0.113.4");
    // The other entry reads the other cache first, and finds the same answer in its second.
    for (unsigned i = 0; i < 3; ++i) {
        BOOST_CHECK_EQUAL(ask_again(a, kByV4), "203.0.113.4");
        BOOST_CHECK_EQUAL(ask_again(a, kByV6), "203.0.113.4");
    }
    BOOST_CHECK_EQUAL(a.count(Stat::plans_made), 2U);
    BOOST_CHECK_EQUAL(a.count(Stat::upstream_queries), 1U);
}

// cache ; list ; forward beside cache ; forward, with one cache: who stored the answer does not decide who claims it.
BOOST_AUTO_TEST_CASE(a_hit_is_claimed_by_the_lists_of_its_entry) {
    Appliance a;
    SnapshotMaker m;
    const auto cache = m.cache(0);
    const auto list = m.list(policy_list(1));
    const auto group = m.group({static_cast<std::uint16_t>(m.upstream("198.51.100.53", 0))});
    for (const bool claims : {true, false}) {
        begin_entry(m);
        m.add(Op::enter_cache, cache, true);
        if (claims) m.add(Op::enter_list, list);
        m.add(Op::forward, group);
        end_entry(m);
    }
    a.publish(m.finish());
    fill(a, kByV6, "203.0.113.6");
    BOOST_CHECK(a.events().empty());
    BOOST_CHECK_EQUAL(ask_again(a, kByV4), "203.0.113.6");
    BOOST_CHECK_EQUAL(a.events().size(), 1U);
    BOOST_CHECK_EQUAL(ask_again(a, kByV6), "203.0.113.6");
    BOOST_CHECK(a.events().empty());
}

// Two programs with a cache of their own each need no guard.
BOOST_AUTO_TEST_CASE(separate_caches_of_entries_have_plain_hits) {
    SnapshotMaker m;
    const auto list = m.list(policy_list(1));
    for (const std::uint16_t number : {std::uint16_t{0}, std::uint16_t{1}}) {
        begin_entry(m);
        m.add(Op::enter_cache, m.cache(number), true);
        m.add(Op::enter_list, list);
        m.add(Op::forward, m.group({}));
        end_entry(m);
    }
    const auto snapshot = m.finish();
    BOOST_CHECK(snapshot->plans[0].hit_is_plain && snapshot->plans[1].hit_is_plain);
    BOOST_CHECK_EQUAL(snapshot->plans[1].cache, 1);
}

BOOST_AUTO_TEST_CASE(a_stream_query_brings_its_frontend_and_the_snapshot_maps_it_to_an_entry) {
    Appliance a;
    SnapshotMaker m;
    add_cache_forward(m, 0);
    begin_entry(m);
    m.add(Op::black_hole, m.black_hole("192.0.2.98"), true);
    end_entry(m);
    m.snapshot().frontends.streams = {0, 0, 1};
    a.publish(m.finish());
    const DnsMessage query = DnsMessage::query(7, kEntryName, kTypeA);
    a.inject(query, 1, false, 0, "192.0.2.10", {.frontend = 2, .server_name = {}, .url_path = {}});
    a.turn();
    const auto answers = a.injected_answers();
    BOOST_REQUIRE(answers.size() == 1 && answers[0].answer);
    BOOST_CHECK_EQUAL(answers[0].answer->last_address(), "192.0.2.98");
    // Of a frontend that the snapshot does not know any more, and over the kernel's UDP by the address that was asked.
    a.inject(query, 2, false, 0, "192.0.2.10", {.frontend = 9, .server_name = {}, .url_path = {}});
    a.turn();
    a.reply(a.upstream_query(), 300, {"203.0.113.4"});
    a.turn();
    a.inject(query, 3, true, 0, "192.0.2.10", {.frontend = 2, .server_name = {}, .url_path = {}});
    a.turn();
    for (const auto& answer : a.injected_answers())
        BOOST_CHECK_EQUAL(answer.answer.value().last_address(), "203.0.113.4");
}

// forward ; [server_name, url_path] another answer: known when the upstream's has come, too.
BOOST_AUTO_TEST_CASE(a_parked_query_keeps_its_server_name_and_path) {
    Appliance a;
    SnapshotMaker m;
    const auto add_text = [&](TextMatch::Of of, const char* word) {
        m.snapshot().text_matches.push_back(
            {of, std::move(*matchers::TextTest::build(matchers::TextOperation::eq, {word}))});
        return static_cast<std::uint32_t>(m.snapshot().text_matches.size() - 1);
    };
    m.snapshot().reads_texts = true;
    m.add(Op::forward, m.group({static_cast<std::uint16_t>(m.upstream("198.51.100.53", 0))}));
    for (const auto& [of, word, address] :
         {std::tuple(TextMatch::Of::server_name, "dns.example", "192.0.2.97"),
          std::tuple(TextMatch::Of::url_path, "/dns-query", "192.0.2.98")}) {
        const auto test = m.test(Op::if_text, add_text(of, word));
        m.add(Op::black_hole, m.black_hole(address), true);
        m.land(test);
    }
    end_entry(m);
    a.publish(m.finish());
    const auto answer_to = [&](const QueryMetadata& metadata) {
        a.inject(DnsMessage::query(7, kEntryName, kTypeA), 1, false, 0, "192.0.2.10", metadata);
        a.turn();
        a.reply(a.upstream_query(), 300, {"203.0.113.4"});
        a.turn();
        const auto answers = a.injected_answers();
        BOOST_REQUIRE(answers.size() == 1 && answers[0].answer);
        return answers[0].answer->last_address();
    };
    BOOST_CHECK_EQUAL(answer_to({0, "dns.example", "/other"}), "192.0.2.97");
    BOOST_CHECK_EQUAL(answer_to({0, "", "/dns-query"}), "192.0.2.98");
    BOOST_CHECK_EQUAL(answer_to({0, "dns.exampl", "e/dns-query"}), "203.0.113.4");
    a.ask(kEntryName);  // by a port there is none
    a.turn();
    a.reply(a.upstream_query(), 300, {"203.0.113.4"});
    a.turn();
    BOOST_CHECK_EQUAL(a.answer().last_address(), "203.0.113.4");
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace steer::test
