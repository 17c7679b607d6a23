// Addresses behind prefixes of a NAT64 (RFC 6052), and the answers that DNS64 makes of others (RFC 6147).
#include "dataplane/dns/translate.h"

#include <arpa/inet.h>

#include <array>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>
#include <cstring>
#include <string>

#include "dataplane/dns/checksum.h"
#include "dataplane/dns/hints.h"
#include "dataplane/dns/pref64.h"
#include "support/dns_message.h"
#include "unit/dns/built_answer.h"

using namespace steer::dns;
using steer::test::AnswerBlock;
using steer::test::Bytes;
using steer::test::DnsMessage;
using steer::test::wire_name;

namespace {

using V4 = std::array<std::uint8_t, 4>;
using V6 = std::array<std::uint8_t, 16>;

V6 v6_of(const char* text) {
    V6 out;
    BOOST_TEST_REQUIRE(inet_pton(AF_INET6, text, out.data()) == 1);
    return out;
}
std::string text_of(const std::uint8_t* v6) {
    std::array<char, INET6_ADDRSTRLEN> text;
    return inet_ntop(AF_INET6, v6, text.data(), text.size());
}
Bytes bytes_of(const V6& v6) {
    return {v6.begin(), v6.end()};
}
Pref64 pref64(const char* text, unsigned length) {
    return {v6_of(text), static_cast<std::uint8_t>(length)};
}

// RFC 6052 2.4, the table and the last paragraph.
struct Vector {
    const char* prefix;
    unsigned length;
    const char* embedded;
};
constexpr Vector kVectors[] = {
    {"2001:db8::", 32, "2001:db8:c000:221::"},
    {"2001:db8:100::", 40, "2001:db8:1c0:2:21::"},
    {"2001:db8:122::", 48, "2001:db8:122:c000:2:2100::"},
    {"2001:db8:122:300::", 56, "2001:db8:122:3c0:0:221::"},
    {"2001:db8:122:344::", 64, "2001:db8:122:344:c0:2:2100::"},
    {"2001:db8:122:344::", 96, "2001:db8:122:344::192.0.2.33"},
    {"64:ff9b::", 96, "64:ff9b::192.0.2.33"},
};
std::ostream& operator<<(std::ostream& out, const Vector& v) {
    return out << v.prefix << '/' << v.length;
}

// 192.0.2.0/24 has no address of its own; 2001:db8:bad::/48 does not count.
class Settings final : public Translation {
  public:
    bool to_v6(const std::uint8_t* v4, std::uint8_t* v6) const noexcept override {
        if (v4[0] == 192 && v4[1] == 0 && v4[2] == 2) return false;
        kWellKnownPref64.embed(v4, v6);
        return true;
    }
    bool counts(const std::uint8_t* v6) const noexcept override {
        constexpr std::uint8_t kBad[] = {0x20, 0x01, 0x0d, 0xb8, 0x0b, 0xad};
        return std::memcmp(v6, kBad, sizeof kBad) != 0;
    }
};
const Settings kSettings;

constexpr const char* kName = "www.example";

std::unique_ptr<AnswerBlock> built(const DnsMessage& m, std::uint16_t qtype) {
    return steer::test::built_answer(m, wire_name(kName), qtype);
}

// The translated answer for a question of type `qtype`, parsed again as its receiver does.
std::unique_ptr<AnswerBlock> translated(const Answer& answer, TranslateTerms terms,
                                        std::uint16_t qtype) {
    const Bytes name = wire_name(kName);
    terms.asked = name;
    const auto made = std::make_unique<AnswerBlock>();
    const std::size_t size = write_translated(answer, terms, kSettings, made->bytes);
    BOOST_TEST_REQUIRE(size != 0U);
    const Answer& a = made->answer();
    BOOST_TEST(size == a.size());
    BOOST_TEST(a.body_sum == steer::checksum_fold(steer::checksum_add(0, a.body(), a.body_len)));
    DnsMessage m = DnsMessage::response(1, kName, qtype,
                                        static_cast<std::uint16_t>(0x8180 | a.flags | a.rcode));
    m.set(6, a.ancount).set(8, a.nscount).set(10, a.arcount);
    m.raw(Bytes(a.body(), a.body() + a.body_len));
    auto again = built(m, qtype);
    const Answer& b = again->answer();
    BOOST_TEST(b.ttl_count == a.ttl_count);
    BOOST_TEST_REQUIRE(b.address_count == a.address_count);
    for (unsigned i = 0; i < a.address_count; ++i) {
        BOOST_TEST(b.addresses()[i].rdata_offset == a.addresses()[i].rdata_offset);
        BOOST_TEST(b.addresses()[i].is_v6 == a.addresses()[i].is_v6);
    }
    BOOST_TEST(b.min_ttl_s == a.min_ttl_s);
    BOOST_TEST(b.address_ttl_s == a.address_ttl_s);
    BOOST_TEST(b.negative == a.negative);
    BOOST_TEST(b.has_hints == a.has_hints);
    BOOST_TEST((a.flags & kAd) == 0);
    return again;
}

std::vector<std::string> addresses_of(const Answer& a) {
    std::vector<std::string> out;
    for (unsigned i = 0; i < a.address_count; ++i)
        out.push_back(text_of(a.body() + a.addresses()[i].rdata_offset));
    return out;
}

constexpr std::uint16_t kWithAd = 0x8180 | kAd;
const Bytes kSignature = [] {
    Bytes rdata(18, 0);
    const Bytes signer = wire_name("example");
    rdata.insert(rdata.end(), signer.begin(), signer.end());
    rdata.push_back(0x55);
    return rdata;
}();
Bytes signature_of(std::uint16_t type) {
    Bytes rdata = kSignature;
    store_be16(rdata.data(), type);
    return rdata;
}

// Of an HTTPS record with these parameters, in their order.
Bytes https(std::initializer_list<std::pair<std::uint16_t, Bytes>> params) {
    Bytes out{0, 1, 0};
    for (const auto& [key, value] : params) {
        Bytes head(4);
        store_be16(head.data(), key);
        store_be16(&head[2], static_cast<std::uint16_t>(value.size()));
        out.insert(out.end(), head.begin(), head.end());
        out.insert(out.end(), value.begin(), value.end());
    }
    return out;
}

Hints hints_in(const Answer& a) {
    return hints_of_record(a, 0);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(translate)

BOOST_DATA_TEST_CASE(the_vectors_of_rfc_6052_hold, kVectors, vector) {
    constexpr V4 kAddress{192, 0, 2, 33};
    const Pref64 prefix = pref64(vector.prefix, vector.length);
    BOOST_TEST(Pref64::is_length(vector.length));
    V6 v6;
    prefix.embed(kAddress.data(), v6.data());
    BOOST_TEST(text_of(v6.data()) == text_of(v6_of(vector.embedded).data()));
    BOOST_TEST(prefix.holds(v6.data()));
    V4 back;
    prefix.extract(v6.data(), back.data());
    BOOST_TEST(back == kAddress, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(every_address_survives_every_prefix) {
    std::uint32_t number = 1;
    for (int round = 0; round < 10'000; ++round) {
        number = number * 1664525 + 1013904223;
        V4 v4, back;
        store_be32(v4.data(), number);
        for (const Vector& vector : kVectors) {
            const Pref64 prefix = pref64(vector.prefix, vector.length);
            V6 v6;
            prefix.embed(v4.data(), v6.data());
            BOOST_TEST_REQUIRE(v6[8] == 0);
            prefix.extract(v6.data(), back.data());
            BOOST_TEST_REQUIRE((back == v4));
        }
    }
}

BOOST_AUTO_TEST_CASE(other_lengths_and_addresses_do_not_match_a_prefix) {
    for (const unsigned bits : {0U, 8U, 31U, 33U, 72U, 80U, 88U, 95U, 97U, 104U, 128U})
        BOOST_TEST(!Pref64::is_length(bits), bits);
    const Pref64 prefix = pref64("2001:db8:122:344::", 64);
    BOOST_TEST(!prefix.holds(v6_of("2001:db8:122:345:c0:2:2100::").data()));
    // Octet 8 is zero in every address that stands for one (RFC 6052 2.2).
    BOOST_TEST(!prefix.holds(v6_of("2001:db8:122:344:1c0:2:2100::").data()));
}

BOOST_AUTO_TEST_CASE(a_records_become_aaaa_and_the_chain_stays) {
    DnsMessage m = DnsMessage::response(1, kName, kA, kWithAd);
    m.record(DnsMessage::kAnswer, wire_name(kName), kCname, 60, wire_name("host.example"))
        .record(DnsMessage::kAnswer, wire_name(kName), kRrsig, 60, signature_of(kCname))
        .record(DnsMessage::kAnswer, wire_name("host.example"), kA, 300, {203, 0, 113, 1})
        .record(DnsMessage::kAnswer, wire_name("host.example"), kA, 300, {192, 0, 2, 1})
        .record(DnsMessage::kAnswer, wire_name("host.example"), kA, 300, {203, 0, 113, 2})
        .record(DnsMessage::kAnswer, wire_name("host.example"), kRrsig, 300, signature_of(kA))
        .record(DnsMessage::kAuthority, wire_name("example"), kNs, 900, wire_name("ns.example"))
        .record(DnsMessage::kAdditional, wire_name("ns.example"), kA, 900, {203, 0, 113, 53});
    const auto from = built(m, kA);
    BOOST_TEST(any_translated(from->answer(), Translate::addresses, kSettings));
    const auto to = translated(from->answer(), {.most_ttl_s = 100}, kAaaa);
    const Answer& a = to->answer();
    BOOST_TEST(a.ancount == 4);  // CNAME, its signature, two addresses
    BOOST_TEST(a.nscount == 1);
    BOOST_TEST(a.arcount == 1);
    BOOST_TEST(!a.negative);
    const std::vector<std::string> wanted{"64:ff9b::cb00:7101", "64:ff9b::cb00:7102"};
    BOOST_TEST(addresses_of(a) == wanted, boost::test_tools::per_element());
    BOOST_TEST(a.address_ttl_s == 900U);  // of the additional address
    BOOST_TEST(a.min_ttl_s == 60U);
}

BOOST_AUTO_TEST_CASE(translated_ttls_are_the_remaining_ones) {
    DnsMessage m = DnsMessage::response(1, kName, kA, 0x8180);
    m.record(DnsMessage::kAnswer, wire_name(kName), kA, 300, {203, 0, 113, 1});
    const auto from = built(m, kA);
    BOOST_TEST(translated(from->answer(), {.age_s = 40, .most_ttl_s = 600}, kAaaa)
                   ->answer()
                   .address_ttl_s == 260U);
    BOOST_TEST(
        translated(from->answer(), {.age_s = 400, .most_ttl_s = 600}, kAaaa)->answer().min_ttl_s ==
        0U);
}

BOOST_AUTO_TEST_CASE(an_answer_without_a_translatable_address_is_empty) {
    DnsMessage m = DnsMessage::response(1, kName, kA, 0x8180);
    m.record(DnsMessage::kAnswer, wire_name(kName), kA, 300, {192, 0, 2, 1});
    BOOST_TEST(!any_translated(built(m, kA)->answer(), Translate::addresses, kSettings));
}

BOOST_AUTO_TEST_CASE(excluded_aaaa_records_are_left_out) {
    DnsMessage m = DnsMessage::response(1, kName, kAaaa, kWithAd);
    m.record(DnsMessage::kAnswer, wire_name(kName), kAaaa, 300, bytes_of(v6_of("2001:db8:bad::1")))
        .record(DnsMessage::kAnswer, wire_name(kName), kAaaa, 300, bytes_of(v6_of("2001:db8::1")))
        .record(DnsMessage::kAnswer, wire_name(kName), kRrsig, 300, signature_of(kAaaa));
    const auto from = built(m, kAaaa);
    BOOST_TEST(would_change(from->answer(), Translate::counted_only, kSettings));
    const auto to = translated(from->answer(), {.what = Translate::counted_only}, kAaaa);
    BOOST_TEST(to->answer().ancount == 1);
    const std::vector<std::string> wanted{"2001:db8::1"};
    BOOST_TEST(addresses_of(to->answer()) == wanted, boost::test_tools::per_element());

    DnsMessage good = DnsMessage::response(1, kName, kAaaa, 0x8180);
    good.record(DnsMessage::kAnswer, wire_name(kName), kAaaa, 300, bytes_of(v6_of("2001:db8::1")))
        .record(DnsMessage::kAnswer, wire_name(kName), kRrsig, 300, signature_of(kAaaa));
    BOOST_TEST(!would_change(built(good, kAaaa)->answer(), Translate::counted_only, kSettings));
}

BOOST_AUTO_TEST_CASE(an_answer_without_a_usable_aaaa_counts_as_negative) {
    DnsMessage m = DnsMessage::response(1, kName, kAaaa, 0x8180);
    m.record(DnsMessage::kAnswer, wire_name(kName), kAaaa, 300, bytes_of(v6_of("2001:db8:bad::1")))
        .record(DnsMessage::kAnswer, wire_name(kName), kA, 300, {203, 0, 113, 1});
    const auto from = built(m, kAaaa);
    BOOST_TEST(!from->answer().negative);
    const auto to = translated(from->answer(), {.what = Translate::counted_only}, kAaaa);
    BOOST_TEST(to->answer().ancount == 1);
    BOOST_TEST(to->answer().address_count == 1);
    BOOST_TEST(to->answer().negative);
}

BOOST_AUTO_TEST_CASE(translated_ipv6_hints_are_placed_in_key_order) {
    const Bytes alpn{2, 'h', '2'}, v4{203, 0, 113, 1, 192, 0, 2, 1}, path{'/', 'x'};
    DnsMessage m = DnsMessage::response(1, kName, kHttps, kWithAd);
    m.record(DnsMessage::kAnswer, wire_name(kName), kHttps, 300,
             https({{1, alpn}, {4, v4}, {7, path}}))
        .record(DnsMessage::kAnswer, wire_name(kName), kRrsig, 300, signature_of(kHttps));
    const auto from = built(m, kHttps);
    BOOST_TEST(would_change(from->answer(), Translate::hints, kSettings));
    const auto to = translated(from->answer(), {.what = Translate::hints}, kHttps);
    BOOST_TEST(to->answer().ancount == 1);
    const Hints hints = hints_in(to->answer());
    BOOST_TEST(hints.v4.size() == v4.size());
    BOOST_TEST_REQUIRE(hints.v6.size() == 16U);  // 192.0.2.1 has none
    BOOST_TEST(text_of(hints.v6.data()) == "64:ff9b::cb00:7101");
}

BOOST_AUTO_TEST_CASE(ipv6_hints_stay_unless_all_are_translated) {
    const Bytes v4{203, 0, 113, 1}, v6 = bytes_of(v6_of("2001:db8::1"));
    DnsMessage m = DnsMessage::response(1, kName, kHttps, 0x8180);
    m.record(DnsMessage::kAnswer, wire_name(kName), kHttps, 300, https({{4, v4}, {6, v6}}));
    const auto from = built(m, kHttps);
    BOOST_TEST(!would_change(from->answer(), Translate::hints, kSettings));
    BOOST_TEST(would_change(from->answer(), Translate::all_hints, kSettings));
    const auto to = translated(from->answer(), {.what = Translate::all_hints}, kHttps);
    BOOST_TEST_REQUIRE(hints_in(to->answer()).v6.size() == 16U);
    BOOST_TEST(text_of(hints_in(to->answer()).v6.data()) == "64:ff9b::cb00:7101");
}

BOOST_AUTO_TEST_CASE(a_record_without_an_ipv4_hint_is_unchanged) {
    DnsMessage m = DnsMessage::response(1, kName, kHttps, 0x8180);
    m.record(DnsMessage::kAnswer, wire_name(kName), kHttps, 300,
             https({{6, bytes_of(v6_of("2001:db8::1"))}}))
        .record(DnsMessage::kAnswer, wire_name(kName), kHttps, 300, https({{4, {192, 0, 2, 1}}}));
    const auto from = built(m, kHttps);
    BOOST_TEST(!would_change(from->answer(), Translate::hints, kSettings));
    BOOST_TEST(!would_change(from->answer(), Translate::all_hints, kSettings));
}

BOOST_AUTO_TEST_CASE(a_small_buffer_is_reported) {
    DnsMessage m = DnsMessage::response(1, kName, kA, 0x8180);
    for (std::uint8_t i = 0; i < 20; ++i)
        m.record(DnsMessage::kAnswer, wire_name(kName), kA, 300, {203, 0, 113, i});
    const auto from = built(m, kA);
    const Bytes name = wire_name(kName);
    AnswerBlock block;
    const std::span<std::uint8_t> all(block.bytes);
    const std::size_t whole = write_translated(from->answer(), {.asked = name}, kSettings, all);
    BOOST_TEST_REQUIRE(whole != 0U);
    for (std::size_t size = 0; size < whole; ++size)
        BOOST_TEST_REQUIRE(
            write_translated(from->answer(), {.asked = name}, kSettings, all.first(size)) == 0U);
}

// RFC 9460 8: a key that `mandatory` names must be there.
BOOST_AUTO_TEST_CASE(hints_of_a_family_are_removed_and_the_record_stays_valid) {
    const Bytes v4{203, 0, 113, 1}, v6{0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1};
    const Bytes alpn{2, 'h', '2'}, other{9};
    const auto answered = [&](const Bytes& rdata, Translate what) {
        DnsMessage m = DnsMessage::response(1, kName, kHttps, kWithAd);
        m.record(DnsMessage::kAnswer, wire_name(kName), kHttps, 300, rdata);
        const auto from = built(m, kHttps);
        BOOST_TEST_REQUIRE(would_change(from->answer(), what, no_translation()));
        const auto to = translated(from->answer(), {.what = what}, kHttps);
        const Answer& a = to->answer();
        BOOST_TEST(a.ancount == 1U);
        const std::uint8_t* const fields = a.body() + a.ttl_offsets()[0];
        BOOST_TEST(!would_change(a, what, no_translation()));
        return Bytes(fields + 6, fields + 6 + load_be16(fields + 4));
    };
    const auto all = [&](const Bytes& mandatory) {
        return https({{0, mandatory}, {1, alpn}, {4, v4}, {6, v6}, {7, other}});
    };
    BOOST_TEST(answered(all({0, 1}), Translate::without_v6) ==
               https({{0, {0, 1}}, {1, alpn}, {4, v4}, {7, other}}));
    BOOST_TEST(answered(all({0, 1, 0, 6}), Translate::without_v6) ==
               https({{0, {0, 1}}, {1, alpn}, {4, v4}, {7, other}}));
    BOOST_TEST(answered(all({0, 6}), Translate::without_v6) ==
               https({{1, alpn}, {4, v4}, {7, other}}));
    BOOST_TEST(answered(all({0, 4, 0, 6}), Translate::without_v4) ==
               https({{0, {0, 6}}, {1, alpn}, {6, v6}, {7, other}}));
    BOOST_TEST(answered(https({{6, v6}}), Translate::without_v6) == https({}));
    BOOST_TEST(answered(https({{4, v4}}), Translate::without_v4) == https({}));
    // IPv4 in an ipv6hint goes with IPv4.
    const Bytes mapped{0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 255, 255, 203, 0, 113, 2};
    Bytes both = mapped;
    both.insert(both.end(), v6.begin(), v6.end());
    BOOST_TEST(answered(https({{0, {0, 6}}, {6, both}, {7, other}}), Translate::without_v6) ==
               https({{0, {0, 6}}, {6, mapped}, {7, other}}));
    BOOST_TEST(answered(https({{0, {0, 4, 0, 6}}, {4, v4}, {6, both}}), Translate::without_v4) ==
               https({{0, {0, 6}}, {6, v6}}));
    BOOST_TEST(answered(https({{0, {0, 6}}, {6, mapped}}), Translate::without_v4) == https({}));
}

BOOST_AUTO_TEST_CASE(additional_addresses_of_a_family_are_removed_with_its_hints) {
    const Bytes v4{203, 0, 113, 1}, v6{0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1};
    DnsMessage m = DnsMessage::response(1, kName, kHttps, kWithAd);
    m.record(DnsMessage::kAnswer, wire_name(kName), kHttps, 300, https({{1, {2, 'h', '2'}}}))
        .record(DnsMessage::kAnswer, wire_name(kName), kRrsig, 300, signature_of(kHttps))
        .record(DnsMessage::kAuthority, wire_name("example"), kNs, 900, wire_name("ns.example"))
        .record(DnsMessage::kAdditional, wire_name(kName), kA, 300, v4)
        .record(DnsMessage::kAdditional, wire_name(kName), kAaaa, 300, v6)
        .record(DnsMessage::kAdditional, wire_name(kName), kRrsig, 300, signature_of(kAaaa));
    const auto from = built(m, kHttps);
    BOOST_TEST_REQUIRE(would_change(from->answer(), Translate::without_v6, no_translation()));
    const auto to = translated(from->answer(), {.what = Translate::without_v6}, kHttps);
    BOOST_TEST(to->answer().nscount == 1U);
    BOOST_TEST(to->answer().arcount == 1U);
    BOOST_TEST(!would_change(to->answer(), Translate::without_v6, no_translation()));
    // Without hints of that family there is nothing to change.
    DnsMessage plain = DnsMessage::response(1, kName, kHttps, kWithAd);
    plain.record(DnsMessage::kAnswer, wire_name(kName), kHttps, 300, https({{4, v4}}));
    const auto without = built(plain, kHttps);
    BOOST_TEST(!would_change(without->answer(), Translate::without_v6, no_translation()));
}

BOOST_AUTO_TEST_SUITE_END()
