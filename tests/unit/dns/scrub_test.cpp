// What of an upstream's response leaves and is kept: what belongs to the question.
#include "dataplane/dns/scrub.h"

#include <boost/test/unit_test.hpp>
#include <set>

#include "built_answer.h"
#include "dataplane/dns/records.h"
#include "support/random.h"

// A namespace of its own, because other tests of this module have functions of the same names.
namespace scrub_cases {

using namespace steer::dns;
using steer::test::AnswerBlock;
using steer::test::Bytes;
using steer::test::DnsMessage;
using steer::test::wire_name;
using steer::test::operator+;

namespace {

constexpr std::string_view kAsked = "www.example.com";

DnsMessage response(std::uint16_t type = kA, std::uint16_t flags = 0x8180,
                    std::string_view name = kAsked) {
    return DnsMessage::response(9, name, type, flags);
}

struct Seen {
    std::vector<std::string> records;  // "an www.example.com 1"
    std::uint16_t addresses = 0;
    bool negative = false, has_soa = false, ad = false;
    std::uint16_t scrubbed = 0;
};

// Asks, and reads the answer by what a client gets.
Seen see(const DnsMessage& m, std::uint16_t qtype = kA, std::string_view qname = kAsked,
         std::uint16_t qclass = kIn) {
    AnswerBlock block;
    UpstreamFacts facts;
    const Bytes name = wire_name(qname);
    BOOST_TEST_REQUIRE((build_answer(m.bytes(), name, qtype, qclass, false, block.bytes, facts) ==
                        AnswerError::none));
    const Answer& a = block.answer();
    Bytes sent(m.bytes().begin(),
               m.bytes().begin() + static_cast<std::ptrdiff_t>(kHeaderSize + name.size() + 4));
    sent.insert(sent.end(), a.body(), a.body() + a.body_len);
    Seen seen{.addresses = a.address_count,
              .negative = a.negative,
              .has_soa = a.has_soa,
              .ad = (a.flags & kAd) != 0,
              .scrubbed = facts.scrubbed};
    RecordReader reader(sent, kHeaderSize + name.size() + 4);
    reader.name(kHeaderSize, nullptr);
    const std::pair<const char*, unsigned> sections[] = {
        {"an ", a.ancount}, {"ns ", a.nscount}, {"ar ", a.arcount}};
    for (const auto& [section, count] : sections) {
        for (unsigned i = 0; i < count; ++i) {
            Record r;
            BOOST_TEST_REQUIRE(reader.next(r));
            Name owner;
            reader.name(r.start, &owner);
            seen.records.push_back(section + name_to_text(owner.bytes()) + " " +
                                   std::to_string(r.type));
        }
    }
    BOOST_TEST(a.ttl_count == a.ancount + a.nscount + a.arcount);
    return seen;
}

using Kept = std::vector<std::string>;

Bytes rrsig(std::uint16_t covered, std::string_view signer = "example.com") {
    Bytes b(18, 1);
    store_be16(b.data(), covered);
    return b + wire_name(signer) + Bytes(16, 0xab);
}
Bytes mx(std::string_view host) {
    return Bytes{0, 10} + wire_name(host);
}
const Bytes kAddress = {192, 0, 2, 66};

DnsMessage& add(DnsMessage& m, DnsMessage::Section section, std::string_view owner,
                std::uint16_t type, const Bytes& rdata) {
    return m.record(section, wire_name(owner), type, 300, rdata);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(scrub_test)

BOOST_AUTO_TEST_CASE(an_address_of_another_name_is_left_out) {
    auto m = response();
    m.a("www.example.com", 300, {192, 0, 2, 1}).a("victim.other", 300, {192, 0, 2, 66});
    const Seen seen = see(m);
    BOOST_TEST(seen.records == (Kept{"an www.example.com 1"}));
    BOOST_TEST(seen.addresses == 1);
    BOOST_TEST(seen.scrubbed == 1);
}

BOOST_AUTO_TEST_CASE(an_answer_with_only_other_names_is_nodata) {
    const Seen seen = see(response().a("victim.other", 300, {192, 0, 2, 66}));
    BOOST_TEST(seen.records.empty());
    BOOST_TEST(seen.negative);
    BOOST_TEST(seen.addresses == 0);
}

BOOST_AUTO_TEST_CASE(an_address_that_a_cname_does_not_lead_to_is_left_out) {
    auto m = response();
    m.cname("www.example.com", 300, "edge.cdn.example").a("victim.other", 300, {192, 0, 2, 66});
    BOOST_TEST(see(m).records == (Kept{"an www.example.com 5"}));
    m.a("www.example.com", 300, {192, 0, 2, 67}).a("EDGE.cdn.example", 300, {192, 0, 2, 1});
    const Seen seen = see(m);
    BOOST_TEST(seen.records == (Kept{"an www.example.com 5", "an EDGE.cdn.example 1"}));
    BOOST_TEST(seen.addresses == 1);
    BOOST_TEST(!seen.negative);
}

BOOST_AUTO_TEST_CASE(addresses_in_an_answer_to_another_type_are_left_out) {
    auto m = response(kTxt);
    add(m, DnsMessage::kAnswer, kAsked, kTxt, {1, 'x'});
    m.a(kAsked, 300, {192, 0, 2, 66});
    const Seen seen = see(m, kTxt);
    BOOST_TEST(seen.records == (Kept{"an www.example.com 16"}));
    BOOST_TEST(seen.addresses == 0);
    auto six = response();
    six.a(kAsked, 300, {192, 0, 2, 1});
    add(six, DnsMessage::kAnswer, kAsked, kAaaa, Bytes(16, 0x20));
    BOOST_TEST(see(six).records == (Kept{"an www.example.com 1"}));
}

BOOST_AUTO_TEST_CASE(addresses_under_an_error_are_left_out) {
    auto nxdomain = response(kA, 0x8183);
    nxdomain.cname(kAsked, 300, "gone.example.com").a("gone.example.com", 300, {192, 0, 2, 66});
    nxdomain.soa("example.com", 300, 300);
    const Seen seen = see(nxdomain);
    BOOST_TEST(seen.records == (Kept{"an www.example.com 5", "ns example.com 6"}));
    BOOST_TEST(seen.addresses == 0);
    BOOST_TEST(seen.has_soa);
    for (const std::uint16_t flags : {std::uint16_t{0x8182}, std::uint16_t{0x8185}}) {
        auto m = response(kA, flags);
        m.a(kAsked, 300, {192, 0, 2, 66}).soa("example.com", 300, 300);
        BOOST_TEST(see(m).records.empty());
    }
}

BOOST_AUTO_TEST_CASE(a_chain_in_any_order_is_followed) {
    auto m = response();
    m.a("c.example", 300, {192, 0, 2, 1}).cname("b.example", 300, "c.example");
    m.cname(kAsked, 300, "b.example").cname("d.example", 300, "e.example");
    BOOST_TEST(see(m).records ==
               (Kept{"an c.example 1", "an b.example 5", "an www.example.com 5"}));
}

// One link more than walk.h allows is kept, so that it sees that the chain is too long.
BOOST_AUTO_TEST_CASE(loops_and_long_chains_are_cut) {
    auto loop = response();
    loop.cname(kAsked, 300, "b.example").cname("b.example", 300, kAsked);
    loop.cname(kAsked, 300, "c.example").a("c.example", 300, {192, 0, 2, 66});
    BOOST_TEST(see(loop).records == (Kept{"an www.example.com 5", "an b.example 5"}));
    auto forever = response();
    forever.cname(kAsked, 300, "n0.example");
    for (unsigned i = 0; i < 50; ++i)
        forever.cname("n" + std::to_string(i) + ".example", 300,
                      "n" + std::to_string(i + 1) + ".example");
    BOOST_TEST(see(forever).records.size() == 17U);
}

BOOST_AUTO_TEST_CASE(a_dname_above_the_chain_stays_with_its_cname) {
    auto m = response();
    add(m, DnsMessage::kAnswer, "example.com", kDname, wire_name("example.net"));
    m.cname(kAsked, 300, "www.example.net").a("www.example.net", 300, {192, 0, 2, 1});
    add(m, DnsMessage::kAnswer, "other.com", kDname, wire_name("example.net"));
    add(m, DnsMessage::kAnswer, "www.example.com", kDname, wire_name("example.net"));
    const Kept kept{"an example.com 39", "an www.example.com 5", "an www.example.net 1"};
    BOOST_TEST(see(m).records == kept);
    // The CNAME that it stands for is missing.
    auto bare = response();
    add(bare, DnsMessage::kAnswer, "example.com", kDname, wire_name("example.net"));
    bare.a("www.example.net", 300, {192, 0, 2, 1}).a("www.example.org", 300, {192, 0, 2, 66});
    BOOST_TEST(see(bare).records == (Kept{"an example.com 39", "an www.example.net 1"}));
}

BOOST_AUTO_TEST_CASE(signatures_of_kept_records_are_kept) {
    auto m = response();
    m.cname(kAsked, 300, "edge.example");
    add(m, DnsMessage::kAnswer, kAsked, kRrsig, rrsig(kCname));
    m.a("edge.example", 300, {192, 0, 2, 1});
    add(m, DnsMessage::kAnswer, "edge.example", kRrsig, rrsig(kA));
    add(m, DnsMessage::kAnswer, "edge.example", kRrsig, rrsig(kTxt));
    add(m, DnsMessage::kAnswer, "victim.other", kRrsig, rrsig(kA));
    add(m, DnsMessage::kAuthority, "example", kNsec, wire_name("z.example") + Bytes{0, 1, 64});
    add(m, DnsMessage::kAuthority, "example", kRrsig, rrsig(kNsec));
    const Kept kept{"an www.example.com 5", "an www.example.com 46", "an edge.example 1",
                    "an edge.example 46",   "ns example 47",         "ns example 46"};
    BOOST_TEST(see(m).records == kept);
}

BOOST_AUTO_TEST_CASE(any_keeps_all_records_of_the_chain) {
    auto m = response(kAny);
    m.a(kAsked, 300, {192, 0, 2, 1});
    add(m, DnsMessage::kAnswer, kAsked, kTxt, {1, 'x'});
    add(m, DnsMessage::kAnswer, kAsked, kRrsig, rrsig(kTxt));
    m.a("victim.other", 300, {192, 0, 2, 66});
    const Kept kept{"an www.example.com 1", "an www.example.com 16", "an www.example.com 46"};
    BOOST_TEST(see(m, kAny).records == kept);
}

BOOST_AUTO_TEST_CASE(a_cname_query_does_not_follow_the_chain) {
    auto m = response(kCname);
    m.cname(kAsked, 300, "b.example").cname("b.example", 300, "c.example");
    const Seen seen = see(m, kCname);
    BOOST_TEST(seen.records == (Kept{"an www.example.com 5"}));
    BOOST_TEST(!seen.negative);
}

BOOST_AUTO_TEST_CASE(another_class_is_left_out) {
    auto m = response();
    m.record(DnsMessage::kAnswer, wire_name(kAsked), kA, 300, kAddress, kChaos);
    BOOST_TEST(see(m).records.empty());
}

BOOST_AUTO_TEST_CASE(authority_records_have_to_concern_the_chain) {
    auto nodata = response();
    nodata.soa("example.com", 300, 300).soa("victim.other", 300, 10);
    add(nodata, DnsMessage::kAuthority, "example.com", kNs, wire_name("ns.victim.other"));
    nodata.record(DnsMessage::kAuthority, wire_name("example.com"), kA, 300, kAddress);
    const Seen seen = see(nodata);
    BOOST_TEST(seen.records == (Kept{"ns example.com 6"}));
    BOOST_TEST(seen.has_soa);
    // A referral, and an answer with its name servers.
    auto referral = response();
    add(referral, DnsMessage::kAuthority, "com", kNs, wire_name("a.gtld.example"));
    add(referral, DnsMessage::kAuthority, "org", kNs, wire_name("a.gtld.example"));
    add(referral, DnsMessage::kAdditional, "a.gtld.example", kA, kAddress);
    add(referral, DnsMessage::kAdditional, "victim.other", kA, kAddress);
    BOOST_TEST(see(referral).records == (Kept{"ns com 2", "ar a.gtld.example 1"}));
}

BOOST_AUTO_TEST_CASE(additional_records_have_to_concern_names_in_the_answer) {
    auto m = response(kMx);
    add(m, DnsMessage::kAnswer, kAsked, kMx, mx("mail.example.com"));
    add(m, DnsMessage::kAdditional, "mail.example.com", kA, kAddress);
    add(m, DnsMessage::kAdditional, "mail.example.com", kRrsig, rrsig(kA));
    add(m, DnsMessage::kAdditional, "victim.other", kA, kAddress);
    add(m, DnsMessage::kAdditional, "mail.example.com", kCname, wire_name("victim.other"));
    const Kept kept{"an www.example.com 15", "ar mail.example.com 1", "ar mail.example.com 46"};
    BOOST_TEST(see(m, kMx).records == kept);
    auto https = response(kHttps);
    add(https, DnsMessage::kAnswer, kAsked, kHttps, {0, 1, 0});  // itself
    add(https, DnsMessage::kAdditional, kAsked, kA, kAddress);
    add(https, DnsMessage::kAdditional, "example.com", kA, kAddress);
    BOOST_TEST(see(https, kHttps).records ==
               (Kept{"an www.example.com 65", "ar www.example.com 1"}));
}

// No claim covers them, and a client has no use for them.
BOOST_AUTO_TEST_CASE(a_response_that_is_an_error_has_no_additional_records) {
    auto nxdomain = response(kMx, 0x8183);
    add(nxdomain, DnsMessage::kAuthority, "example.com", kNs, wire_name("ns.example.com"));
    add(nxdomain, DnsMessage::kAdditional, "ns.example.com", kA, kAddress);
    BOOST_TEST(see(nxdomain, kMx).records == (Kept{"ns example.com 2"}));
    auto none = response(kMx);
    add(none, DnsMessage::kAuthority, "example.com", kNs, wire_name("ns.example.com"));
    add(none, DnsMessage::kAdditional, "ns.example.com", kA, kAddress);
    BOOST_TEST(see(none, kMx).records == (Kept{"ns example.com 2", "ar ns.example.com 1"}));
}

BOOST_AUTO_TEST_CASE(ad_is_cleared_when_a_record_is_left_out) {
    auto m = response(kA, 0x81a0);
    m.a(kAsked, 300, {192, 0, 2, 1});
    BOOST_TEST(see(m).ad);
    add(m, DnsMessage::kAdditional, "victim.other", kA, kAddress);
    BOOST_TEST(see(m).ad);
    m = response(kA, 0x81a0);
    m.a(kAsked, 300, {192, 0, 2, 1}).a("victim.other", 300, {192, 0, 2, 66});
    BOOST_TEST(!see(m).ad);
}

// Names that only a dropped record holds are written whole where kept records point to them.
BOOST_AUTO_TEST_CASE(pointers_into_left_out_records_are_resolved) {
    auto m = response();
    constexpr std::uint8_t kBase = 12 + 17 + 4;
    m.cname("victim.other", 300, "edge.example");
    const auto edge = static_cast<std::uint8_t>(kBase + 14 + 10);
    m.record(DnsMessage::kAnswer, {0xc0, 12}, kCname, 300, {0xc0, edge});
    m.record(DnsMessage::kAnswer, {0xc0, edge}, kA, 300, kAddress);
    const Seen seen = see(m);
    BOOST_TEST(seen.records == (Kept{"an www.example.com 5", "an edge.example 1"}));
    BOOST_TEST(seen.addresses == 1);
}

// Random responses of few names: what is kept is judged by rules written down without the product's code.
BOOST_AUTO_TEST_CASE(random_responses_agree_with_a_plain_implementation) {
    steer::test::Random random(5);
    const std::array<std::string, 6> names{"www.example.com", "example.com", "a.example",
                                           "b.example",       "com",         "victim.other"};
    for (unsigned round = 0; round < 3000; ++round) {
        struct Of {
            std::string owner;
            std::uint16_t type;
            std::string target;
        };
        std::vector<Of> records;
        auto m = response();
        for (unsigned n = random.below(7); n > 0; --n) {
            const std::string owner = names[random.below(6)];
            if (random.below(2) == 0) {
                const std::string target = names[random.below(6)];
                m.cname(owner, 300, target);
                records.push_back({owner, kCname, target});
            } else {
                m.a(owner, 300, {192, 0, 2, 1});
                records.push_back({owner, kA, ""});
            }
        }
        std::set<std::size_t> used;
        std::set<std::string> visited;
        std::string last(kAsked);
        for (bool more = true; more && visited.insert(last).second;) {
            more = false;
            for (std::size_t i = 0; i < records.size() && !more; ++i) {
                if (records[i].type != kCname || records[i].owner != last) continue;
                used.insert(i);
                last = records[i].target;
                more = true;
            }
        }
        Kept expected;
        for (std::size_t i = 0; i < records.size(); ++i) {
            if (used.contains(i) || (records[i].type == kA && records[i].owner == last))
                expected.push_back("an " + records[i].owner + " " +
                                   std::to_string(records[i].type));
        }
        BOOST_TEST_REQUIRE(see(m).records == expected, "round " << round);
    }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace scrub_cases
