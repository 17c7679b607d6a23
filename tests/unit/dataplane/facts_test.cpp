// What tests of the program see of an answer and of a name (dataplane/policy/facts.h; the names that an answer points to:
// pointed_names_test.cpp).
#include "dataplane/policy/facts.h"

#include <boost/test/unit_test.hpp>
#include <string>
#include <vector>

#include "dataplane/policy/snapshot.h"
#include "support/dns_message.h"

namespace steer {
namespace {

using matchers::Prefix;
using matchers::PrefixSet;
using test::Bytes;
using test::DnsMessage;
using test::wire_name;

constexpr std::uint16_t kTxt = 16, kRrsig = 46;
const Bytes kV6{0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1};

// The answer that the product makes of a message.
class Built {
  public:
    explicit Built(const DnsMessage& message, std::uint16_t type = dns::kA,
                   const std::string& name = "stream.example")
        : Built(message.bytes(), type, name) {}
    explicit Built(const Bytes& message, std::uint16_t type = dns::kA,
                   const std::string& name = "stream.example")
        : block_(std::size_t{1} << 18) {
        dns::UpstreamFacts facts;
        error = dns::build_answer(message, wire_name(name), type, dns::kIn, false, block_, facts,
                                  dns::Records::all);
    }
    const dns::Answer& operator*() const {
        BOOST_TEST_REQUIRE((error == dns::AnswerError::none));
        return *reinterpret_cast<const dns::Answer*>(block_.data());
    }
    dns::AnswerError error;

  private:
    Bytes block_;
};

DnsMessage response(std::uint16_t type = dns::kA, std::uint16_t flags = 0x8180) {
    return DnsMessage::response(1, "stream.example", type, flags);
}

AddressSet prefixes(const std::vector<std::string>& texts) {
    std::vector<Prefix> out;
    out.reserve(texts.size());
    for (const std::string& text : texts)
        out.push_back(*Prefix::parse(text));
    return AddressSet(out);
}

std::string addresses(const Built& answer) {
    TextRoom room;
    return std::string(addresses_text(*answer, room));
}

std::string address_of(const std::string& name) {
    const auto address = address_in_name(wire_name(name));
    return address ? address->to_string() : "none";
}

}  // namespace

BOOST_AUTO_TEST_SUITE(facts)

BOOST_AUTO_TEST_CASE(types_are_found_in_the_answer_section) {
    auto m = response();
    m.cname("stream.example", 60, "cdn.example").a("cdn.example", 60, {192, 0, 2, 1});
    m.record(DnsMessage::kAuthority, wire_name("example"), 2, 60, wire_name("ns.example"));
    m.record(DnsMessage::kAdditional, wire_name("ns.example"), dns::kAaaa, 60, kV6);
    const Built answer(m);
    BOOST_TEST(has_type(*answer, dns::kA));
    BOOST_TEST(has_type(*answer, dns::kCname));
    BOOST_TEST(has_type(*answer, dns::kAny));
    BOOST_TEST(!has_type(*answer, dns::kAaaa));
    BOOST_TEST(!has_type(*answer, 2));
}

// NODATA, NXDOMAIN, and an alias that leads nowhere.
BOOST_AUTO_TEST_CASE(an_answer_without_the_type_does_not_match) {
    for (const std::uint16_t flags : {std::uint16_t{0x8180}, std::uint16_t{0x8183}}) {
        const Built negative(response(dns::kA, flags).soa("example", 60, 60));
        BOOST_TEST((*negative).rcode == (flags & 15));
        BOOST_TEST(!has_type(*negative, dns::kA));
        BOOST_TEST(!has_type(*negative, dns::kAny));
        BOOST_TEST(addresses(negative).empty());
        BOOST_TEST(!has_address_in(*negative, prefixes({"0.0.0.0/0", "::/0"})));
    }
    const Built alias(response().cname("stream.example", 60, "cdn.example"));
    BOOST_TEST(!has_type(*alias, dns::kA));
    BOOST_TEST(has_type(*alias, dns::kAny));
}

BOOST_AUTO_TEST_CASE(only_a_and_aaaa_records_give_addresses) {
    auto m = response();
    m.a("stream.example", 60, {192, 0, 2, 1});
    m.record(DnsMessage::kAnswer, wire_name("stream.example"), dns::kAaaa, 60, kV6);
    m.record(DnsMessage::kAnswer, wire_name("stream.example"), kTxt, 60, {4, 10, 0, 0, 1});
    m.record(DnsMessage::kAnswer, wire_name("stream.example"), dns::kA, 60, {10, 0, 0, 2},
             3);  // CH
    m.record(DnsMessage::kAdditional, wire_name("ns.example"), dns::kA, 60, {10, 0, 0, 3});
    const Built answer(m);
    BOOST_TEST(addresses(answer) == "192.0.2.1,2001:db8::1");
    BOOST_TEST(has_address_in(*answer, prefixes({"192.0.2.0/24"})));
    BOOST_TEST(has_address_in(*answer, prefixes({"198.51.100.0/24", "2001:db8::/32"})));
    BOOST_TEST(!has_address_in(*answer, prefixes({"10.0.0.0/8"})));
    BOOST_TEST(!has_address_in(*answer, prefixes({})));
}

// Behind a chain, whatever its owner is called, and of each record.
BOOST_AUTO_TEST_CASE(addresses_behind_a_cname_keep_their_order) {
    auto m = response();
    m.a("b.example", 60, {192, 0, 2, 2}).cname("stream.example", 60, "a.example");
    m.cname("a.example", 60, "b.example").a("b.example", 60, {192, 0, 2, 1});
    m.a("b.example", 60, {192, 0, 2, 2});
    const Built answer(m);
    BOOST_TEST(addresses(answer) == "192.0.2.2,192.0.2.1,192.0.2.2");
    BOOST_TEST(has_address_in(*answer, prefixes({"192.0.2.1/32"})));
}

BOOST_AUTO_TEST_CASE(a_signature_is_not_the_type_that_it_covers) {
    auto m = response();
    Bytes rdata{0, 1, 8, 2, 0, 0, 0, 60, 0, 0, 0, 1, 0, 0, 0, 0, 0, 7};
    const Bytes signer = wire_name("example");
    rdata.insert(rdata.end(), signer.begin(), signer.end());
    rdata.push_back(1);
    m.record(DnsMessage::kAnswer, wire_name("stream.example"), kRrsig, 60, rdata);
    const Built answer(m);
    BOOST_TEST(has_type(*answer, kRrsig));
    BOOST_TEST(!has_type(*answer, dns::kA));
}

BOOST_AUTO_TEST_CASE(trailing_bytes_and_truncated_records_are_ignored) {
    auto m = response();
    m.a("stream.example", 60, {192, 0, 2, 1});
    Bytes longer = m.bytes();
    longer.insert(longer.end(), {0, 0, 28, 0, 1, 0, 0, 0, 60, 0, 16});
    const Built with_tail(longer);
    BOOST_TEST(addresses(with_tail) == "192.0.2.1");
    BOOST_TEST(!has_type(*with_tail, dns::kAaaa));

    // Cut in its second record: with TC what arrived before it counts, without there is no answer.
    m.a("stream.example", 60, {192, 0, 2, 2});
    for (const bool truncated : {true, false}) {
        auto flagged = m;
        flagged.set(2, truncated ? 0x8380 : 0x8180);
        Bytes cut = flagged.bytes();
        cut.resize(cut.size() - 2);
        const Built answer(cut);
        BOOST_TEST((answer.error == dns::AnswerError::none) == truncated);
        if (truncated) BOOST_TEST(addresses(answer) == "192.0.2.1");
    }

    // An address of five bytes is none.
    auto wrong = response();
    wrong.record(DnsMessage::kAnswer, wire_name("stream.example"), dns::kA, 60, {192, 0, 2, 1, 9});
    BOOST_TEST((Built(wrong).error == dns::AnswerError::malformed));
}

// The text ends behind a whole address.
BOOST_AUTO_TEST_CASE(a_text_holds_a_limited_number_of_addresses) {
    auto m = response(dns::kAaaa);
    Bytes address(16, 0x11);
    for (unsigned i = 0; i < 500; ++i)
        m.record(DnsMessage::kAnswer, wire_name("stream.example"), dns::kAaaa, 60, address);
    const std::string text = addresses(Built(m, dns::kAaaa));
    constexpr std::size_t kOne = sizeof "1111:1111:1111:1111:1111:1111:1111:1111";
    BOOST_TEST(text.size() == kOne * (sizeof(TextRoom) / kOne) - 1);
    BOOST_TEST(text.ends_with(",1111:1111:1111:1111:1111:1111:1111:1111"));
}

BOOST_AUTO_TEST_CASE(addresses_have_their_usual_text) {
    TextRoom room;
    for (const char* text : {"0.0.0.0", "255.255.255.255", "192.0.2.10", "::", "::1",
                             "2001:db8::a:0:0:1", "fe80::1:2:3:4", "64:ff9b::c000:201"})
        BOOST_TEST(address_text(*IpAddress::parse(text), room) == text);
    BOOST_TEST(address_text(*IpAddress::parse("::ffff:192.0.2.1"), room) == "192.0.2.1");
}

BOOST_AUTO_TEST_CASE(marks_are_listed_from_the_lowest) {
    const std::vector<MarkNumber> all{{0, 2}, {7, 0}, {4294967295, 63}};
    TextRoom room;
    BOOST_TEST(marks_text(all, 0, room).empty());
    BOOST_TEST(marks_text(all, 1, room) == "7");
    BOOST_TEST(marks_text(all, 1 | 4 | std::uint64_t{1} << 63, room) == "0,7,4294967295");
}

BOOST_AUTO_TEST_CASE(reverse_names_give_their_address) {
    BOOST_TEST(address_of("1.2.0.192.in-addr.arpa") == "192.0.2.1");
    BOOST_TEST(address_of("255.0.0.10.in-addr.arpa") == "10.0.0.255");
    BOOST_TEST(
        address_of("1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa") ==
        "2001:db8::1");
}

BOOST_AUTO_TEST_CASE(incomplete_reverse_names_give_no_address) {
    for (const char* name :
         {"", "arpa", "in-addr.arpa", "2.0.192.in-addr.arpa", "1.1.2.0.192.in-addr.arpa",
          "256.2.0.192.in-addr.arpa", "01.2.0.192.in-addr.arpa", "0x1.2.0.192.in-addr.arpa",
          "1.2.0.192.in-addr.example", "1.2.0.192.ip6.arpa", "1.2.0.192.in-addr.arpa.example",
          "0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa",
          "g.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa",
          "1.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip5.arpa",
          "10.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa"})
        BOOST_TEST(address_of(name) == "none", name);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace steer
