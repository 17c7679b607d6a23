#include "dataplane/dns/hints.h"

#include <array>
#include <boost/test/unit_test.hpp>
#include <memory>

#include "dataplane/dns/alias.h"
#include "support/dns_message.h"
#include "unit/dns/built_answer.h"

using namespace steer::dns;
using steer::test::AnswerBlock;
using steer::test::Bytes;
using steer::test::DnsMessage;
using steer::test::wire_name;
using steer::test::operator+;

namespace {

enum Key : std::uint16_t { kAlpn = 1, kPort = 3, kV4 = 4, kEch = 5, kV6 = 6 };
struct Param {
    std::uint16_t key;
    Bytes value;
};

const Bytes kFour{203, 0, 113, 7}, kFour2{203, 0, 113, 8};
const Bytes kSixteen{0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 7};

Bytes svcb(const std::vector<Param>& params, std::uint16_t priority = 1,
           std::string_view target = "") {
    Bytes out{static_cast<std::uint8_t>(priority >> 8), static_cast<std::uint8_t>(priority)};
    out = out + wire_name(target);
    for (const Param& p : params) {
        const std::size_t n = p.value.size();
        out = out + Bytes{static_cast<std::uint8_t>(p.key >> 8), static_cast<std::uint8_t>(p.key),
                          static_cast<std::uint8_t>(n >> 8), static_cast<std::uint8_t>(n)};
        out = out + p.value;
    }
    return out;
}

Bytes bytes(std::span<const std::uint8_t> s) {
    return {s.begin(), s.end()};
}

std::unique_ptr<AnswerBlock> with_hints(const DnsMessage& m, std::uint16_t type = kHttps) {
    return steer::test::built_answer(m, wire_name("www.example.com"), type);
}
DnsMessage https_response(std::uint16_t type = kHttps) {
    return DnsMessage::response(9, "www.example.com", type);
}
const Bytes kQname = {0xc0, 12};

std::vector<Bytes> addresses(const Answer& a) {
    std::vector<Bytes> out;
    any_address(a, [&](const std::uint8_t* at, bool is_v6) {
        out.emplace_back(at, at + (is_v6 ? 16 : 4));
        return false;
    });
    return out;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(hints)

BOOST_AUTO_TEST_CASE(hints_of_both_families_are_found) {
    const Bytes rdata = svcb({{kAlpn, {2, 'h', '3'}},
                              {kV4, kFour + kFour2},
                              {kEch, {1, 2, 3}},
                              {kV6, kSixteen},
                              {65280, {}}},
                             1, "edge.example");
    BOOST_TEST(bytes(hints_of(rdata).v4) == kFour + kFour2);
    BOOST_TEST(bytes(hints_of(rdata).v6) == kSixteen);
    BOOST_TEST(!hints_of(svcb({{kAlpn, {2, 'h', '2'}}})).any());
    BOOST_TEST(!hints_of(svcb({})).any());
}

BOOST_AUTO_TEST_CASE(records_in_alias_mode_have_no_hints) {
    BOOST_TEST(!hints_of(svcb({{kV4, kFour}}, 0, "edge.example")).any());
}

BOOST_AUTO_TEST_CASE(malformed_records_have_no_hints) {
    const Bytes good = svcb({{kPort, {1, 187}}, {kV4, kFour}, {kV6, kSixteen}});
    BOOST_TEST(hints_of(good).any());
    const std::size_t ends[] = {3, 3 + 6, 3 + 6 + 8};  // where the parameters might end as well
    for (std::size_t cut = 0; cut < good.size(); ++cut) {
        const Bytes part(good.begin(), good.begin() + static_cast<std::ptrdiff_t>(cut));
        const bool is_whole = std::find(std::begin(ends), std::end(ends), cut) != std::end(ends);
        BOOST_TEST(hints_of(part).any() == (is_whole && cut == ends[2]));
    }
    BOOST_TEST(!hints_of(svcb({{kV4, kFour}, {kV6, {}}})).any());
    BOOST_TEST(!hints_of(svcb({{kV4, {203, 0, 113}}})).any());
    BOOST_TEST(!hints_of(svcb({{kV6, kFour}})).any());
    BOOST_TEST(!hints_of(svcb({{kV4, kFour}, {kV4, kFour2}})).any());
    BOOST_TEST(!hints_of(svcb({{kV6, kSixteen}, {kV4, kFour}})).any());
    BOOST_TEST(!hints_of(svcb({{kV4, kFour}}) + Bytes{0, 9, 0}).any());
}

BOOST_AUTO_TEST_CASE(an_answer_gives_its_addresses_and_hints) {
    auto m = https_response(kAny);
    m.record(DnsMessage::kAnswer, kQname, kHttps, 600, svcb({{kV4, kFour2}, {kV6, kSixteen}}));
    m.record(DnsMessage::kAnswer, kQname, kA, 300, kFour);
    const auto b = with_hints(m, kAny);
    const Answer& a = b->answer();
    BOOST_TEST(a.has_hints);
    BOOST_TEST(a.address_count == 1);  // records of addresses alone
    BOOST_TEST(a.address_ttl_s == 600U);
    BOOST_TEST(a.min_ttl_s == 300U);
    BOOST_TEST((addresses(a) == std::vector<Bytes>{kFour, kFour2, kSixteen}));
    unsigned seen = 0;
    BOOST_TEST(any_address(a, [&](const std::uint8_t*, bool) { return ++seen == 2; }));
    BOOST_TEST(seen == 2U);
}

BOOST_AUTO_TEST_CASE(hints_of_another_class_or_type_do_not_count) {
    auto m = https_response();
    m.record(DnsMessage::kAnswer, kQname, kHttps, 600, svcb({{kAlpn, {2, 'h', '3'}}}));
    m.record(DnsMessage::kAnswer, kQname, kHttps, 700, svcb({{kV4, kFour}}), 3);  // CHAOS
    m.record(DnsMessage::kAnswer, kQname, kTxt, 800, svcb({{kV4, kFour}}));
    const auto b = with_hints(m);
    BOOST_TEST(!b->answer().has_hints);
    BOOST_TEST(b->answer().address_ttl_s == 0U);
    BOOST_TEST(addresses(b->answer()).empty());
}

BOOST_AUTO_TEST_CASE(addresses_behind_the_answer_section_are_found_apart) {
    auto m = https_response();
    m.record(DnsMessage::kAnswer, kQname, kHttps, 600, svcb({{kV4, kFour}}));
    m.record(DnsMessage::kAdditional, kQname, kA, 700, kFour2);
    m.record(DnsMessage::kAdditional, kQname, kA, 800, kFour2, 3);  // CHAOS
    m.record(DnsMessage::kAdditional, kQname, kHttps, 900, svcb({{kV6, kSixteen}}));
    const auto b = with_hints(m);
    const Answer& a = b->answer();
    BOOST_TEST(a.address_count == 0);
    BOOST_TEST(a.address_ttl_s == 900U);
    BOOST_TEST(a.has_additional);
    BOOST_TEST((addresses(a) == std::vector<Bytes>{kFour, kFour2, kSixteen}));
    BOOST_TEST(!any_answer_address(
        a, [](const std::uint8_t* at, bool is_v6) { return is_v6 || Bytes(at, at + 4) != kFour; }));
    BOOST_TEST(any_additional_address(a, [](const std::uint8_t*, bool is_v6) { return is_v6; }));
}

BOOST_AUTO_TEST_CASE(records_of_another_class_add_no_hint) {
    auto m = https_response(kAny);
    m.record(DnsMessage::kAnswer, kQname, kHttps, 700, svcb({{kV4, kFour2}}), 3);
    m.record(DnsMessage::kAnswer, kQname, kHttps, 600, svcb({{kV4, kFour}}));
    const auto b = with_hints(m, kAny);
    BOOST_TEST((addresses(b->answer()) == std::vector<Bytes>{kFour}));
    BOOST_TEST(b->answer().address_ttl_s == 600U);
}

BOOST_AUTO_TEST_CASE(the_ttl_of_hints_is_limited_as_that_of_addresses) {
    auto m = https_response(kSvcb);
    m.record(DnsMessage::kAnswer, kQname, kSvcb, 600, svcb({{kV4, kFour}}));
    const auto b = with_hints(m, kSvcb);
    limit_ttls(b->bytes.data(), {0, 100}, 0);
    BOOST_TEST(b->answer().address_ttl_s == 100U);
}

BOOST_AUTO_TEST_CASE(hints_are_found_after_names_were_rewritten) {
    auto m = https_response();
    m.record(DnsMessage::kAnswer, kQname, kCname, 600, {4, 'e', 'd', 'g', 'e', 0xc0, 16});
    m.record(DnsMessage::kAnswer, {4, 'e', 'd', 'g', 'e', 0xc0, 16}, kHttps, 500,
             svcb({{kV4, kFour}}, 1, "edge.example"));
    m.opt(1232);
    m.record(DnsMessage::kAdditional, {2, 'n', 's', 0xc0, 12}, kA, 60, {192, 0, 2, 53});
    const std::vector<Bytes> wanted{kFour, {192, 0, 2, 53}};
    const auto b = with_hints(m);
    BOOST_TEST((addresses(b->answer()) == wanted));

    const auto alias = std::make_unique<AnswerBlock>();
    const auto asked = wire_name("www.example.com"), name = wire_name("old.example");
    const AliasTerms terms{.asked = asked, .alias = name, .qtype = kHttps, .age_s = 100};
    BOOST_TEST(write_alias_answer(b->answer(), terms, alias->bytes) > 0U);
    BOOST_TEST((addresses(alias->answer()) == wanted));
    BOOST_TEST(alias->answer().address_ttl_s == 400U);
}

// An answer that comes from a file says what it likes of itself.
BOOST_AUTO_TEST_CASE(wrong_tables_are_not_followed) {
    auto m = https_response();
    m.record(DnsMessage::kAnswer, kQname, kHttps, 600, svcb({{kV4, kFour}}));
    const auto b = with_hints(m);
    auto& ttl_at = *reinterpret_cast<std::uint16_t*>(b->bytes.data() + sizeof(Answer));
    const std::uint16_t right = ttl_at;
    for (const unsigned wrong : {0U, 3U, 5U, unsigned{b->answer().body_len}, 65535U}) {
        ttl_at = static_cast<std::uint16_t>(wrong);
        BOOST_TEST(!hints_of_record(b->answer(), 0).any());
    }
    ttl_at = right;
    BOOST_TEST(hints_of_record(b->answer(), 0).any());
    BOOST_TEST(!hints_of_record(b->answer(), 1).any());
    reinterpret_cast<Answer*>(b->bytes.data())->body_len -= 1;
    BOOST_TEST(!hints_of_record(b->answer(), 0).any());
}

BOOST_AUTO_TEST_SUITE_END()
