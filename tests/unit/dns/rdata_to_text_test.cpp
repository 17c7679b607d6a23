// RDATA as text, against ldns: it prints the same text, and reads the same bytes out of it.
#include "dataplane/dns/rdata_to_text.h"

#include <stdbool.h>  // otherwise ldns makes macros of bool, true and false

#include <ldns/ldns.h>

#include <algorithm>
#include <array>
#include <boost/test/unit_test.hpp>
#include <cstdlib>
#include <memory>
#include <random>

#include "dataplane/dns/type_names.h"
#include "support/dns_message.h"

using namespace steer;
using steer::test::Bytes;
using steer::test::DnsMessage;
using steer::test::operator+;
using steer::test::wire_name;

namespace {

using Rr = std::unique_ptr<ldns_rr, void (*)(ldns_rr*)>;

// The bytes that ldns reads out of a record's text; empty: it does not.
Bytes rdata_by_ldns(std::uint16_t type, const std::string& text) {
    ldns_rr* read = nullptr;
    const std::string line = "a.org. 5 IN " + dns::type_to_text(type) + " " + text;
    if (ldns_rr_new_frm_str(&read, line.c_str(), 0, nullptr, nullptr) != LDNS_STATUS_OK) return {};
    const Rr rr(read, ldns_rr_free);
    Bytes out;
    for (std::size_t i = 0; i < ldns_rr_rd_count(rr.get()); ++i) {
        const ldns_rdf* const field = ldns_rr_rdf(rr.get(), i);
        const std::uint8_t* const bytes = ldns_rdf_data(field);
        out.insert(out.end(), bytes, bytes + ldns_rdf_size(field));
    }
    return out;
}
Bytes rdata_of(std::uint16_t type, const std::string& text) {
    Bytes rdata = rdata_by_ldns(type, text);
    BOOST_TEST_REQUIRE(!rdata.empty(), dns::type_to_text(type) << " " << text);
    return rdata;
}

DnsMessage message_with(std::uint16_t type, const Bytes& rdata) {
    return DnsMessage::response(0, "a.org", type)
        .record(DnsMessage::kAnswer, wire_name("a.org"), type, 5, rdata);
}

// Of the only record.
std::string text_of(const Bytes& message) {
    dns::RecordReader reader(message, 12 + 7 + 4);
    reader.name(12, nullptr);
    dns::Record record{};
    if (!reader.next(record)) return "malformed";
    return dns::rdata_to_text(message, reader, record);
}
std::string text_by_ldns(const Bytes& message) {
    ldns_rr* read = nullptr;
    std::size_t at = 12 + 7 + 4;
    if (ldns_wire2rr(&read, message.data(), message.size(), &at, LDNS_SECTION_ANSWER) !=
        LDNS_STATUS_OK)
        return "malformed";
    const Rr rr(read, ldns_rr_free);
    const std::unique_ptr<char, void (*)(void*)> line(ldns_rr2str(rr.get()), std::free);
    std::string text = line.get();
    for (int i = 0; i < 4; ++i)
        text.erase(0, text.find('\t') + 1);
    text.erase(std::min(text.find(" ;{"), text.size()));  // ldns adds the id of a key
    if (const auto two = text.find("  "); two != std::string::npos) text.erase(two, 1);
    while (text.ends_with('\n') || text.ends_with(' '))
        text.pop_back();
    return text;
}

// ldns 1.8.3 takes an escaped @ for the origin, a mandatory keyN for another one, and names of some
// types for others.
bool is_misread_by_ldns(std::string_view text) {
    constexpr std::string_view kMisread[] = {"\\@",       "mandatory=key", " AVC",   " DOA",
                                             " AMTRELAY", " RESINFO",      " WALLET"};
    return std::ranges::any_of(
        kMisread, [&](auto part) { return text.find(part) != std::string_view::npos; });
}

struct Case {
    const char *type, *text;
};
constexpr Case kCases[] = {
    {"A", "192.0.2.1"},
    {"AAAA", "2001:db8::1"},
    {"AAAA", "::ffff:192.0.2.1"},
    {"CNAME", "a\\.b.example."},
    {"NS", "."},
    {"SOA", "ns.a.org. root.a.org. 4294967295 7200 3600 1209600 60"},
    {"TXT", "\"a\\\"b\\\\\" \"\" \"\\000\\255 ;\""},
    {"MX", "65535 mx.a.org."},
    {"SRV", "1 2 3 ."},
    {"NAPTR", "100 10 \"S\" \"SIP+D2U\" \"!^.*$!\" _sip._udp.a.org."},
    {"DS", "12345 13 2 0123ab"},
    {"DNSKEY", "257 3 13 mdsswUyr3DPW132mOi8V9xESWE8jTo0d"},
    {"DNSKEY", "257 3 13 mdsswUyr3DPW132mOi8V9xESWE8jTo0="},
    {"RRSIG", "A 13 2 3600 20300101000000 20260101000000 12345 a.org. mdss"},
    {"RRSIG", "TYPE65280 13 2 3600 20280229235959 19700101000000 12345 a.org. mQ=="},
    {"NSEC", "n.a.org. A MX RRSIG NSEC CAA TYPE65535"},
    {"NSEC3", "1 1 10 ab12 2t7b4g4vsa5smi47k61mv5bv1a22bojr A RRSIG"},
    {"NSEC3", "1 1 10 - 2t7b4g4vsa5smi47k61mv5bv1a22bojr"},
    {"NSEC3PARAM", "1 0 0 -"},
    {"TLSA", "3 1 1 0123ab"},
    {"SSHFP", "4 2 0123ab"},
    {"CAA", "128 issue \"ca.a.org; a=b\""},
    {"URI", "10 1 \"https://a.org/\""},
    {"EUI48", "00-00-5e-00-53-2a"},
    {"EUI64", "00-00-5e-ef-10-00-00-2a"},
    {"NID", "10 0014:4fff:ff20:ee64"},
    {"L64", "10 2001:0db8:1140:1000"},
    {"ZONEMD", "2026010100 1 1 0123ab"},
    {"CSYNC", "66 3 A NS AAAA"},
    {"HTTPS", "0 svc.a.org."},
    {"HTTPS",
     "1 . alpn=h2,h3 no-default-alpn port=8443 ipv4hint=192.0.2.1,192.0.2.2 "
     "ipv6hint=2001:db8::1"},
    {"SVCB", "1 . mandatory=alpn,port alpn=h2 port=53"},
    {"MD", "a.org."},
    {"MF", "a.org."},
    {"MB", "a.org."},
    {"MG", "a.org."},
    {"MR", "a.org."},
    {"PTR", "a.org."},
    {"DNAME", "a.org."},
    {"HINFO", "\"PC\" \"Linux\""},
    {"MINFO", "a.org. b.org."},
    {"RP", "a.org. ."},
    {"AFSDB", "1 a.org."},
    {"X25", "\"311061700956\""},
    {"ISDN", "\"150862028003217\" \"004\""},
    {"RT", "10 a.org."},
    {"PX", "10 a.org. b.org."},
    {"KX", "10 a.org."},
    {"KEY", "256 3 13 mdsswUyr3DPW132mOi8V9xESWE8jTo0d"},
    {"GPOS", "\"-32.6882\" \"116.8652\" \"10.0\""},
    {"DHCID", "AAIBY2/AuCccgoJbsaxcQc9TUapptP69lOjxfNuVAA2kjEA="},
    {"SMIMEA", "3 1 1 0123ab"},
    {"TALINK", "a.org. b.org."},
    {"CDS", "0 0 0 00"},
    {"CDNSKEY", "0 3 0 AA=="},
    {"OPENPGPKEY", "mdsswUyr3DPW132mOi8V9xESWE8jTo0d"},
    {"SPF", "\"v=spf1 -all\""},
    {"L32", "10 192.0.2.1"},
    {"LP", "10 a.org."},
    {"DLV", "12345 13 2 0123ab"},
};

}  // namespace

BOOST_AUTO_TEST_SUITE(rdata_to_text)

BOOST_AUTO_TEST_CASE(texts_are_as_ldns_prints_them) {
    for (const auto& [name, text] : kCases) {
        const std::uint16_t type = *dns::type_from_text(name);
        const Bytes message = message_with(type, rdata_of(type, text)).bytes();
        BOOST_TEST(text_of(message) == text);
        BOOST_TEST(text_by_ldns(message) == text,
                   name << ": ldns prints " << text_by_ldns(message));
    }
}

// RFC 9460 2.1 and its appendix D.2.
BOOST_AUTO_TEST_CASE(parameters_of_services_are_printed_as_in_rfc_9460) {
    const auto svcb = [](const Bytes& parameters) {
        return text_of(message_with(64, Bytes{0, 1, 0} + parameters).bytes());
    };
    BOOST_TEST(svcb({}) == "1 .");
    BOOST_TEST(svcb(Bytes{2, 0x9b, 0, 9} + Bytes{'h', 'e', 'l', 'l', 'o', 0xd2, 'q', 'o', 'o'}) ==
               "1 . key667=\"hello\\210qoo\"");
    BOOST_TEST(svcb({2, 0x9b, 0, 0}) == "1 . key667");
    BOOST_TEST(svcb(Bytes{0, 1, 0, 12, 8} + Bytes{'f', '\\', 'o', 'o', ',', 'b', 'a', 'r', 2, 'h',
                                                  '2'}) == "1 . alpn=\"f\\\\\\\\oo\\\\,bar,h2\"");
    BOOST_TEST(svcb({0, 5, 0, 2, 1, 2}) == "1 . ech=AQI=");
    BOOST_TEST(svcb({0, 7, 0, 6, '/', '{', '?', 'd', 'n', '}'}) == "1 . dohpath=\"/{?dn}\"");
    for (const Bytes& bad : {Bytes{0, 1, 0, 0}, Bytes{0, 1, 0, 2, 2, 'h'}, Bytes{0, 2, 0, 1, 1},
                             Bytes{0, 3, 0, 1, 1}, Bytes{0, 4, 0, 3, 1, 2, 3}, Bytes{0, 3, 0, 2, 0},
                             Bytes{0, 3, 0, 2, 0, 1, 0, 3, 0, 2, 0, 1}, Bytes{0, 3, 0}})
        BOOST_TEST(svcb(bad).starts_with("\\# "));
}

BOOST_AUTO_TEST_CASE(other_types_and_wrong_data_are_printed_as_bytes) {
    const auto text = [](std::uint16_t type, const Bytes& rdata) {
        return text_of(message_with(type, rdata).bytes());
    };
    BOOST_TEST(text(4711, {}) == "\\# 0");
    BOOST_TEST(text(4711, {1, 0xab}) == "\\# 2 01ab");
    BOOST_TEST(text(44, {1, 2}) == "\\# 2 0102");
    BOOST_TEST(text(105, {0, 1, 1, 2, 3}) == "\\# 5 0001010203");
    BOOST_TEST(text(16, {}) == "\\# 0");
    BOOST_TEST(text(16, {2, 1}) == "\\# 2 0201");
    BOOST_TEST(text(43, {1, 2, 3, 4}) == "\\# 4 01020304");
    BOOST_TEST(text(47, {0, 0, 0}) == "\\# 3 000000");
    BOOST_TEST(text(47, {0, 1, 1, 1, 0, 1, 1}) == "\\# 7 00010101000101");
    BOOST_TEST(text(108, {1, 2, 3, 4, 5}) == "\\# 5 0102030405");
    BOOST_TEST(text(257, {0, 2, 'a', '"'}) == "\\# 4 00026122");
    const Bytes chaos = DnsMessage::response(0, "a.org", 1)
                            .record(DnsMessage::kAnswer, wire_name("a.org"), 1, 5, {1, 2, 3, 4}, 3)
                            .bytes();
    BOOST_TEST(text_of(chaos) == "\\# 4 01020304");
}

BOOST_AUTO_TEST_CASE(types_that_ldns_lacks_are_printed) {
    const auto text = [](std::uint16_t type, const Bytes& rdata) {
        return text_of(message_with(type, rdata).bytes());
    };
    for (const std::uint16_t type : std::array<std::uint16_t, 4>{56, 258, 261, 262})
        BOOST_TEST(text(type, {1, 'a', 0}) == "\"a\" \"\"");
    BOOST_TEST(text(23, {1, 'a', 0}) == "a.");
    BOOST_TEST(text(57, {1, 0, 3, 13, 255}) == "256 3 13 /w==");
    BOOST_TEST(text(37, {0, 1, 0, 2, 3, 255}) == "1 2 3 /w==");  // ldns prints names of CERT
    BOOST_TEST(text(32768, {0, 1, 2, 3, 0xab}) == "1 2 3 ab");
}

// What is printed of changed bytes gives these bytes when ldns reads it.
BOOST_AUTO_TEST_CASE(texts_of_changed_bytes_have_all_of_them) {
    std::mt19937 random{3};
    unsigned printed = 0;
    for (const auto& [name, example] : kCases) {
        const std::uint16_t type = *dns::type_from_text(name);
        const Bytes rdata = rdata_of(type, example);
        for (int i = 0; i < 200; ++i) {
            Bytes changed = rdata;
            changed[random() % changed.size()] = static_cast<std::uint8_t>(random());
            if (i % 3 == 0) changed.resize(random() % (changed.size() + 1));
            const std::string ours = text_of(message_with(type, changed).bytes());
            if (ours == "malformed" || ours.starts_with("\\#")) continue;
            ++printed;
            if (is_misread_by_ldns(ours)) continue;
            const Bytes back = rdata_by_ldns(type, ours);
            BOOST_TEST((back == changed || back.empty()), name << " " << ours);
        }
    }
    BOOST_TEST(printed > 1000U);
}

BOOST_AUTO_TEST_SUITE_END()
