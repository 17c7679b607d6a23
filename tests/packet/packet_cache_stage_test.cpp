// Queries that come again byte for byte: answered as the first time, and never with what the cache has no more.
#include <rte_mbuf.h>

#include <boost/test/unit_test.hpp>
#include <cstring>

#include "dataplane/cache/cache.h"
#include "dataplane/dns/checksum.h"
#include "dataplane/dns/query.h"
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

// So often in one second that its reply is ready.
void make_ready(Appliance& a, const std::string& name) {
    for (unsigned i = 0; i < 4; ++i)
        (void)ask_again(a, name);
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

namespace {

// Everything but the ID.
Bytes behind_id(const Seen& answer) {
    return {answer.dns.begin() + 2, answer.dns.end()};
}

// Asks five times, and compares each answer with the first one.
void check_equal_answers(Appliance& a, const DnsMessage& query, const Client& from,
                         const std::vector<std::string>& addresses) {
    std::optional<Bytes> first;
    for (unsigned i = 0; i < 5; ++i) {
        const auto id = static_cast<std::uint16_t>(i * 0x101 + 1);
        a.ask(DnsMessage(query).set(0, id), from);
        a.turn();
        for (const Seen& q : a.upstream_queries())
            a.reply(q, 300, addresses);
        a.turn();
        const Seen answer = a.answer();
        BOOST_CHECK_EQUAL(answer.id(), id);
        if (!first) first = behind_id(answer);
        BOOST_CHECK(behind_id(answer) == *first);
    }
}

}  // namespace

// The first answer comes from lookup, the next two from the entry by the packet cache, the last two
// are ready (instr_test.py notices if none is).
BOOST_AUTO_TEST_CASE(ready_replies_are_those_of_the_entry) {
    for (const unsigned addresses : {1U, 2U, 4U, 6U, 7U, 8U, 20U}) {
        Appliance a;
        a.publish(cache_forward());
        std::vector<std::string> all;
        for (unsigned i = 0; i < addresses; ++i)
            all.push_back("203.0.113." + std::to_string(i));
        for (const std::string client : {"192.0.2.10", "2001:db8::10"}) {
            const DnsMessage plain = DnsMessage::query(1, "www.other.example", kTypeA);
            check_equal_answers(a, plain, {.address = client}, all);
            check_equal_answers(a, DnsMessage(plain).opt(1232), {.address = client}, all);
            check_equal_answers(a, DnsMessage(plain).opt(4096, true), {.address = client}, all);
            a.advance_ms(1000);
            check_equal_answers(a, plain, {.address = client}, all);
        }
        BOOST_CHECK_GT(a.count(Stat::packet_cache_hits), 25U);
        a.check_sums();
    }
}

namespace {

// A name whose letters are upper or lower case by chance.
std::string in_random_case(std::string name, Random& random) {
    for (char& c : name) {
        if (c >= 'a' && c <= 'z' && random.below(2) == 0) c = static_cast<char>(c - 0x20);
    }
    return name;
}

// The answer with its question in lower case, without the ID.
Bytes in_lower_case(const Seen& answer) {
    Bytes bytes = behind_id(answer);
    constexpr std::size_t kName = dns::kHeaderSize - 2;
    dns::lower_case(&bytes[kName], &bytes[kName], answer.qname().size() + 2);
    return bytes;
}

}  // namespace

// The reply has the case of its own question, and the records of the line's ready reply.
BOOST_AUTO_TEST_CASE(a_query_in_random_case_hits_the_line_of_its_name) {
    Random random(20261130);
    const std::string name = "a-1.longer[@`{z.other.example";
    for (const std::string client : {"192.0.2.10", "2001:db8::10"}) {
        Appliance a;
        a.publish(cache_forward());
        make_known(a, in_random_case(name, random), 300, "203.0.113.7");
        for (const std::uint16_t size : {std::uint16_t{0}, std::uint16_t{1232}}) {
            std::optional<Bytes> first;
            for (std::uint16_t i = 0; i < 40; ++i) {
                const std::string asked = in_random_case(name, random);
                DnsMessage query = DnsMessage::query(i, asked, kTypeA);
                if (size != 0) query.opt(size);
                a.ask(query, {.address = client});
                a.turn();
                const Seen answer = a.answer();
                BOOST_CHECK_EQUAL(answer.id(), i);
                BOOST_CHECK_EQUAL(answer.qname(), asked);
                if (!first) first = in_lower_case(answer);
                BOOST_CHECK(in_lower_case(answer) == *first);
            }
        }
        BOOST_CHECK_EQUAL(a.count(Stat::packet_cache_hits), 79U);  // all except the first with EDNS
        BOOST_CHECK_EQUAL(a.upstream_queries().size(), 0U);
        a.check_sums();
    }
}

// Only letters of the name have two cases: no other bytes of the name, and no bytes behind it.
BOOST_AUTO_TEST_CASE(a_query_that_differs_in_more_than_case_has_its_own_line) {
    constexpr std::uint16_t kHttps = 'A', kOther = 'a';
    Appliance a;
    a.publish(cache_forward());
    const auto answer_of = [&](const DnsMessage& query, const std::string& address) {
        a.ask(query);
        a.turn();
        for (const Seen& q : a.upstream_queries())
            a.reply(q, 300, {address});
        a.turn();
        return a.answer();
    };
    unsigned upstream = 0;
    for (const std::string name : {"@.example", "`.example", "[.example", "{.example"}) {
        const std::string address = "203.0.113." + std::to_string(++upstream);
        for (unsigned i = 0; i < 5; ++i) {
            const DnsMessage query = DnsMessage::query(1, name, kTypeA);
            BOOST_CHECK_EQUAL(answer_of(query, address).last_address(), address);
        }
    }
    for (unsigned i = 0; i < 5; ++i) {
        for (const std::uint16_t type : {kHttps, kOther}) {
            const DnsMessage query = DnsMessage::query(1, "W.example", type);
            const Seen answer = answer_of(query, "203.0.113.7");
            BOOST_CHECK_EQUAL(answer.qname(), "W.example");
            BOOST_CHECK_EQUAL(answer.qtype(), type);
        }
    }
    a.check_sums();
}

namespace {

// A query for www.other.example over IPv4.
Bytes query_frame(Appliance& a) {
    return make_udp_frame({.from_mac = {2, 0, 0, 0, 0, 9},
                           .to_mac = a.port().port().mac(),
                           .from = *IpAddress::parse("192.0.2.10"),
                           .to = *IpAddress::parse("10.0.0.1"),
                           .from_port = 40000,
                           .to_port = 53,
                           .payload = DnsMessage::query(1, "www.other.example", 1).bytes()});
}

}  // namespace

// The frame keeps the checksum of the lower-case name, which is wrong for its bytes.
BOOST_AUTO_TEST_CASE(a_query_in_random_case_with_a_wrong_checksum_is_dropped) {
    Appliance a;
    a.publish(cache_forward());
    make_known(a, "www.other.example", 300, "203.0.113.7");
    make_ready(a, "www.other.example");
    const std::uint64_t hits = a.count(Stat::packet_cache_hits);
    Bytes frame = query_frame(a);
    constexpr std::size_t kName = 14 + 20 + 8 + dns::kHeaderSize;
    frame[kName + 1] ^= 0x20U;  // the sum is the lower-case name's
    BOOST_REQUIRE(a.port().send(frame));
    a.turn();
    BOOST_CHECK_EQUAL(a.count(Verdict::drop_bad_checksum), 1U);
    BOOST_CHECK_EQUAL(a.count(Stat::packet_cache_hits), hits);
}

// A virtual switch may not complete the checksum of a neighbour's packet, and call it good.
BOOST_AUTO_TEST_CASE(a_query_with_a_partial_checksum_gets_a_right_one) {
    Appliance a;
    a.publish(cache_forward());
    make_known(a, "www.other.example", 300, "203.0.113.7");
    Bytes frame = query_frame(a);
    constexpr std::size_t kIp = 14, kUdp = kIp + 20;
    const auto length = static_cast<std::uint16_t>(frame.size() - kUdp);
    const std::uint16_t partial = checksum_fold(checksum_pseudo(&frame[kIp + 12], 8, length));
    std::memcpy(&frame[kUdp + 6], &partial, sizeof partial);
    for (unsigned i = 0; i < 6; ++i) {
        BOOST_REQUIRE(a.port().send(frame, RTE_MBUF_F_RX_L4_CKSUM_GOOD));
        a.turn();
        BOOST_CHECK_EQUAL(a.answer().last_address(), "203.0.113.7");  // turn() checks the sums
    }
}

BOOST_AUTO_TEST_CASE(a_ready_reply_has_the_ttl_of_its_second) {
    Appliance a;
    a.publish(cache_forward());
    make_known(a, "www.other.example", 5, "203.0.113.7");
    for (unsigned left = 5; left > 0; --left) {
        for (unsigned i = 0; i < 4; ++i)
            BOOST_CHECK_EQUAL(ask_again(a, "www.other.example").ttls().at(0), left);
        a.advance_ms(1000);
    }
    a.ask("www.other.example");
    a.turn();
    (void)a.upstream_query();
}

BOOST_AUTO_TEST_CASE(a_ready_reply_ends_with_its_entry_and_its_snapshot) {
    Appliance a;
    a.publish(cache_forward());
    make_known(a, "www.other.example", 300, "203.0.113.7");
    make_ready(a, "www.other.example");
    a.publish(cache_forward());
    make_ready(a, "www.other.example");
    a.shared().cache->flush();
    a.ask("www.other.example");
    a.turn();
    a.reply(a.upstream_query(), 300, {"203.0.113.8"});
    a.turn();
    BOOST_CHECK_EQUAL(a.answer().last_address(), "203.0.113.8");
    BOOST_CHECK_EQUAL(ask_again(a, "www.other.example").last_address(), "203.0.113.8");
    a.publish(forward_only());
    a.ask("www.other.example");
    a.turn();
    (void)a.upstream_query();
}

BOOST_AUTO_TEST_CASE(a_query_whose_turn_for_a_record_has_come_gets_one_beside_ready_replies) {
    Appliance a;
    a.publish(cache_forward());
    make_known(a, "www.other.example", 300, "203.0.113.7");
    make_ready(a, "www.other.example");
    a.record_all();
    a.turn();
    (void)ask_again(a, "www.other.example", 7);
    const auto recorded = a.record();
    BOOST_CHECK(recorded.head.path == AnswerPath::packet_cache);
    BOOST_CHECK_EQUAL(recorded.response.at(1), 7);
}

// Changes a byte of the cached answer: replies that are not ready get wrong checksums.
void change_answer(Appliance& a, const std::string& name) {
    const Bytes wire = wire_name(name);
    const cache::KeyFacts facts{wire, kTypeA, dns::kIn, 0, 0};
    const cache::Key key = (*a.shared().hasher)(facts);
    const cache::Entry* entry = nullptr;
    a.shared().cache->lookup(&key, &facts, 1, a.now().s(), &entry);
    BOOST_REQUIRE(entry != nullptr);
    const dns::Answer& answer = entry->answer();
    const_cast<std::uint8_t*>(answer.body())[answer.body_len - 1] ^= 1U;
}

// The record of a query, without its times.
Appliance::Recorded record_of(Appliance& a, const DnsMessage& query) {
    a.ask(query);
    a.turn();
    (void)a.answer();
    Appliance::Recorded recorded = a.record();
    recorded.head.ended_ns = recorded.head.duration_us = 0;
    return recorded;
}

// Publishes `list`, installs the row of www.stream.example and makes a covered reply for it.
void make_covered(Appliance& a, const PolicyList& list) {
    a.publish(cache_list_forward(list));
    a.ask_and_answer("www.stream.example", 300, "203.0.113.7");
    const Event claimed = a.event();
    const std::uint32_t until_s = a.now().s() + 10'000;
    BOOST_REQUIRE(a.board().put(claimed.list, claimed.addresses[0], until_s,
                                a.lists()[claimed.list].epoch()));
    for (unsigned i = 0; i < 5; ++i)
        (void)ask_again(a, "www.stream.example");
    (void)a.events();
}

// For an answer with lists; with the whole query in the record, and with none of it.
BOOST_AUTO_TEST_CASE(the_record_of_a_ready_reply_is_that_of_a_reply_from_the_entry) {
    for (const std::uint16_t query_bytes : {std::uint16_t{0}, std::uint16_t{UINT16_MAX}}) {
        Appliance a;
        a.advance_ms(1);
        make_covered(a, policy_list(3));
        a.advance_ms(1000);
        a.record_all();
        a.shared().record_query_bytes = query_bytes;
        a.turn();
        DnsMessage query = DnsMessage::query(7, "WWW.stream.example", kTypeA);
        query.opt(1232);
        (void)record_of(a, query);  // found by lookup
        const Appliance::Recorded from_entry = record_of(a, query);
        BOOST_CHECK(from_entry.head.path == AnswerPath::packet_cache);
        BOOST_CHECK_EQUAL(from_entry.head.list_count, 1U);
        BOOST_CHECK_EQUAL(from_entry.query.empty(), query_bytes == 0);
        for (unsigned i = 0; i < 4; ++i) {
            if (i == 2) change_answer(a, "www.stream.example");  // the reply is ready
            const Appliance::Recorded next = record_of(a, query);
            BOOST_CHECK(std::memcmp(&next.head, &from_entry.head, sizeof next.head) == 0);
            BOOST_CHECK(next.query == from_entry.query);
            BOOST_CHECK(next.response == from_entry.response);
        }
        a.check_sums();
    }
}

// A router that loses its rows makes the next answer claim its address again, in the same second.
BOOST_AUTO_TEST_CASE(ready_answers_of_lists_end_with_their_rows) {
    constexpr unsigned kEachChecked = 0, kCheckedOnce = 1;
    for (const unsigned after_ms : {kEachChecked, kCheckedOnce}) {
        Appliance a;
        a.advance_ms(1000 - a.now().ms % 1000 + after_ms);
        make_covered(a, policy_list(3));
        const std::uint64_t covered = a.count(Stat::claims_covered);
        for (unsigned i = 0; i < 5; ++i)
            (void)ask_again(a, "www.stream.example");
        BOOST_CHECK_EQUAL(a.count(Stat::claims_covered), covered + 5);
        BOOST_CHECK(a.events().empty());
        a.lists().begin_epoch(3);
        (void)ask_again(a, "www.stream.example");
        BOOST_CHECK_EQUAL(a.events().size(), 1U);
    }
}

BOOST_AUTO_TEST_CASE(a_client_of_other_routers_gets_no_covered_reply) {
    Appliance a;
    a.advance_ms(1);  // a reply that is checked now holds for the second
    PolicyList list = policy_list(3);
    list.served = {{*IpAddress::parse("192.0.2.20"), *IpAddress::parse("192.0.2.29"), 4}};
    make_covered(a, list);
    a.ask("www.stream.example", kTypeA, 1, {.address = "192.0.2.20"});
    a.turn();
    (void)a.answer();
    BOOST_CHECK_EQUAL(a.event().list, 4U);
}

// The row ends with the answer of x.000. At x.001 the same TTL would end later.
BOOST_AUTO_TEST_CASE(a_reply_of_the_first_millisecond_is_checked_again_in_its_second) {
    Appliance a;
    a.advance_ms(1000 - a.now().ms % 1000);
    const PolicyList list = policy_list(3);
    a.publish(cache_list_forward(list));
    a.ask_and_answer("www.stream.example", 300, "203.0.113.7");
    const Event claimed = a.event();
    BOOST_REQUIRE(a.board().put(3, claimed.addresses[0], a.now().s() + 300 + list.extra_time_s,
                                a.lists()[3].epoch()));
    a.lists().begin_epoch(4);  // of another list
    for (unsigned i = 0; i < 5; ++i)
        BOOST_CHECK_EQUAL(ask_again(a, "www.stream.example").ttls().at(0), 300U);
    a.advance_ms(1);
    BOOST_CHECK_EQUAL(ask_again(a, "www.stream.example").ttls().at(0), 299U);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace steer::test
