// Answers as a stub resolver walks them: what it would not find is put in order, or refused.
#include "dataplane/dns/walk.h"

#include <boost/test/unit_test.hpp>

#include "built_answer.h"
#include "dataplane/dns/alias.h"
#include "support/dns_message.h"
#include "support/stub_walk.h"

namespace walk_cases {

using namespace steer::dns;
using steer::test::AnswerBlock;
using steer::test::Bytes;
using steer::test::DnsMessage;
using steer::test::walk_as_stub;
using steer::test::wire_name;

namespace {

constexpr std::string_view kAsked = "www.example.com";
const Bytes kName = wire_name(kAsked);

DnsMessage response(std::uint16_t type = kA, std::uint16_t flags = 0x8180) {
    return DnsMessage::response(9, kAsked, type, flags);
}
DnsMessage& dname(DnsMessage& m, std::string_view owner, std::uint32_t ttl_s,
                  std::string_view target) {
    return m.record(DnsMessage::kAnswer, wire_name(owner), kDname, ttl_s, wire_name(target));
}
// As an upstream's response.
std::unique_ptr<AnswerBlock> read(const DnsMessage& m, std::uint16_t qtype = kA) {
    auto block = std::make_unique<AnswerBlock>();
    UpstreamFacts facts;
    BOOST_TEST_REQUIRE((build_answer(m.bytes(), kName, qtype, kIn, false, block->bytes, facts) ==
                        AnswerError::none));
    return block;
}
// As a client gets it.
Bytes sent(const Answer& a, std::uint16_t qtype = kA, std::string_view name = kAsked) {
    DnsMessage m =
        DnsMessage::response(9, name, qtype, static_cast<std::uint16_t>(0x8180 | a.rcode));
    m.set(6, a.ancount).set(8, a.nscount).set(10, a.arcount);
    m.raw(Bytes(a.body(), a.body() + a.body_len));
    return m.bytes();
}
// `m` is out of order; what write_in_order() makes of it is found by a stub.
std::unique_ptr<AnswerBlock> ordered(const DnsMessage& m, std::uint16_t qtype = kA) {
    const auto before = read(m, qtype);
    BOOST_TEST((walk_of(before->answer(), kName, qtype) == Walk::disordered));
    BOOST_TEST(!walk_as_stub(sent(before->answer(), qtype))->is_whole());
    auto after = std::make_unique<AnswerBlock>();
    const std::size_t size = write_in_order(before->answer(), kName, qtype, after->bytes);
    BOOST_TEST_REQUIRE(size == after->answer().size());
    BOOST_TEST((walk_of(after->answer(), kName, qtype) == Walk::whole));
    BOOST_TEST(walk_as_stub(sent(after->answer(), qtype))->is_whole());
    return after;
}
DnsMessage chain(unsigned links) {
    auto m = response();
    std::string owner(kAsked);
    for (unsigned i = 1; i <= links; ++i) {
        const std::string target = "n" + std::to_string(i) + ".example";
        m.cname(owner, 300, target);
        owner = target;
    }
    return m.a(owner, 300, {192, 0, 2, 1});
}

}  // namespace

BOOST_AUTO_TEST_SUITE(walk_test)

BOOST_AUTO_TEST_CASE(a_chain_in_order_is_whole) {
    for (unsigned links = 0; links <= 16; ++links) {
        const auto block = read(chain(links));
        BOOST_TEST((walk_of(block->answer(), kName, kA) == Walk::whole));
        const auto seen = walk_as_stub(sent(block->answer()));
        BOOST_TEST(seen->is_whole());
        BOOST_TEST(seen->links == links);
    }
}

BOOST_AUTO_TEST_CASE(seventeen_links_or_more_are_too_long) {
    for (const unsigned links : {17U, 18U, 40U, 64U}) {
        const auto block = read(chain(links));
        BOOST_TEST((walk_of(block->answer(), kName, kA) == Walk::too_long));
        AnswerBlock room;
        BOOST_TEST(write_in_order(block->answer(), kName, kA, room.bytes) == 0U);
    }
    // More aliases than are checked: the answer is a failure.
    BOOST_TEST(read(chain(65))->answer().rcode == kServFail);
    BOOST_TEST(read(chain(65))->answer().ancount == 0U);
}

BOOST_AUTO_TEST_CASE(addresses_before_their_cnames_come_behind_them) {
    auto m = response();
    m.a("Edge.cdn.example", 30, {192, 0, 2, 77}).cname("lb.example", 200, "edge.cdn.example");
    m.cname(kAsked, 300, "LB.example").soa("example", 60, 60);
    const auto after = ordered(m);
    const Answer& a = after->answer();
    BOOST_TEST(a.ancount == 3U);
    BOOST_TEST(a.nscount == 1U);
    BOOST_TEST(a.address_count == 1U);
    BOOST_TEST(a.min_ttl_s == 30U);
    BOOST_TEST(a.address_ttl_s == 30U);
    BOOST_TEST(!a.negative);
}

BOOST_AUTO_TEST_CASE(a_negative_answers_chain_is_put_in_order) {
    auto m = response(kA, 0x8183);
    m.cname("b.example", 200, "c.example").cname(kAsked, 300, "b.example").soa("example", 60, 20);
    const auto before = read(m), after = ordered(m);
    BOOST_TEST(after->answer().rcode == kNxDomain);
    BOOST_TEST(after->answer().has_soa);
    BOOST_TEST(after->answer().min_ttl_s == before->answer().min_ttl_s);
}

BOOST_AUTO_TEST_CASE(a_dname_gets_the_cname_that_it_stands_for) {
    auto m = response();
    dname(m, "example.com", 90, "example.net").a("www.example.net", 300, {192, 0, 2, 1});
    const auto after = ordered(m);
    const Answer& a = after->answer();
    BOOST_TEST(a.ancount == 3U);
    BOOST_TEST(a.ttl_count == 3U);
    BOOST_TEST(load_be32(a.body() + a.ttl_offsets()[1]) == 90U);  // RFC 6672 3.1
    // One that has it stays as it is.
    auto both = response();
    dname(both, "example.com", 90, "example.net").cname(kAsked, 0, "www.example.net");
    both.a("www.example.net", 300, {192, 0, 2, 1});
    BOOST_TEST((walk_of(read(both)->answer(), kName, kA) == Walk::whole));
    // Two of them, the first without, in a chain that comes backwards.
    auto two = response();
    two.a("www.example.org", 300, {192, 0, 2, 1});
    dname(two, "example.net", 90, "example.org").cname("www.example.net", 90, "www.example.org");
    dname(two, "example.com", 90, "example.net");
    BOOST_TEST(ordered(two)->answer().ancount == 5U);
}

BOOST_AUTO_TEST_CASE(a_dname_without_an_end_is_refused) {
    for (const std::string_view target : {"more.example.com", "example.com"}) {
        auto m = response();
        dname(m, "example.com", 90, target);
        const auto block = read(m);
        AnswerBlock room;
        BOOST_TEST((walk_of(block->answer(), kName, kA) == Walk::disordered));
        BOOST_TEST(write_in_order(block->answer(), kName, kA, room.bytes) == 0U);
    }
    // A name that would be too long: only with YXDOMAIN (RFC 6672 2.2).
    const std::string label(62, 'x');
    const std::string longest = label + "." + label + "." + label + "." + label;
    for (const std::uint16_t flags : {std::uint16_t{0x8180}, std::uint16_t{0x8186}}) {
        auto m = response(kA, flags);
        dname(m, "example.com", 90, longest);
        const auto block = read(m);
        AnswerBlock room;
        if ((flags & 15) != 0) {
            BOOST_TEST((walk_of(block->answer(), kName, kA) == Walk::whole));
        } else {
            BOOST_TEST(write_in_order(block->answer(), kName, kA, room.bytes) == 0U);
        }
    }
}

BOOST_AUTO_TEST_CASE(a_loop_of_cnames_is_passed_on_in_order) {
    auto m = response();
    m.cname("b.example", 300, kAsked).cname(kAsked, 300, "b.example");
    BOOST_TEST(ordered(m)->answer().ancount == 2U);
}

BOOST_AUTO_TEST_CASE(questions_for_cname_and_all_types_have_no_chain) {
    for (const std::uint16_t qtype : {kCname, kAny}) {
        auto m = response(qtype);
        m.cname(kAsked, 300, "b.example");
        BOOST_TEST((walk_of(read(m, qtype)->answer(), kName, qtype) == Walk::whole));
    }
}

BOOST_AUTO_TEST_CASE(an_alias_is_one_more_link) {
    const Bytes alias = wire_name("old.example");
    for (const unsigned links : {15U, 16U}) {
        const auto block = read(chain(links));
        AnswerBlock made;
        BOOST_TEST_REQUIRE(write_alias_answer(block->answer(), {.asked = kName, .alias = alias},
                                              made.bytes) != 0U);
        const bool fits = links < 16;
        BOOST_TEST((walk_of(made.answer(), alias, kA) == (fits ? Walk::whole : Walk::too_long)));
        BOOST_TEST(walk_as_stub(sent(made.answer(), kA, "old.example"))->is_whole() == fits);
    }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace walk_cases
