#include "dataplane/dns/answer.h"

#include <boost/test/unit_test.hpp>
#include <map>

#include "dataplane/dns/checksum.h"
#include "dataplane/dns/name.h"
#include "support/dns_message.h"

using namespace steer::dns;
using steer::test::Bytes;
using steer::test::DnsMessage;
using steer::test::wire_name;

namespace {

struct Built {
    AnswerError error = AnswerError::none;
    UpstreamFacts facts;
    alignas(8) std::array<std::uint8_t, 65536 + 28 * 1024> block{};

    [[nodiscard]] const Answer& answer() const {
        return *reinterpret_cast<const Answer*>(block.data());
    }
    [[nodiscard]] Bytes body() const {
        return {answer().body(), answer().body() + answer().body_len};
    }
    [[nodiscard]] std::uint32_t ttl(unsigned i) const {
        return load_be32(answer().body() + answer().ttl_offsets()[i]);
    }
    [[nodiscard]] Bytes address(unsigned i) const {
        const AddressRef r = answer().addresses()[i];
        const std::uint8_t* at = answer().body() + r.rdata_offset;
        return {at, at + (r.is_v6 != 0 ? 16 : 4)};
    }
};

std::unique_ptr<Built> build(const Bytes& response, std::string_view qname = "www.example.com",
                             std::uint16_t qtype = kA, bool exact = false,
                             Records of = Records::of_question) {
    auto b = std::make_unique<Built>();
    b->error = build_answer(response, wire_name(qname), qtype, kIn, exact, b->block, b->facts, of);
    return b;
}
AnswerError error_of(const Bytes& response) {
    return build(response)->error;
}
DnsMessage response(std::uint16_t type = kA, std::uint16_t flags = 0x8180) {
    return DnsMessage::response(9, "www.example.com", type, flags);
}
constexpr std::size_t kBase = 12 + 17 + 4;
const Bytes kToQname = {0xc0, 12};

Bytes tail(const Bytes& m, std::size_t from, std::size_t to) {
    return {m.begin() + static_cast<std::ptrdiff_t>(from),
            m.begin() + static_cast<std::ptrdiff_t>(to)};
}

}  // namespace

BOOST_TEST_DONT_PRINT_LOG_VALUE(AnswerError)
BOOST_AUTO_TEST_SUITE(answer)

BOOST_AUTO_TEST_CASE(the_body_is_copied_unchanged) {
    auto m = response();
    m.record(DnsMessage::kAnswer, kToQname, kCname, 600, {4, 'e', 'd', 'g', 'e', 0xc0, 16});
    m.record(DnsMessage::kAnswer, {0xc0, kBase + 12}, kA, 60, {192, 0, 2, 1});
    m.record(DnsMessage::kAnswer, {0xc0, kBase + 12}, kA, 300, {192, 0, 2, 2});
    const std::size_t end = m.size();
    m.opt(1232);
    const auto b = build(m.bytes());
    BOOST_TEST((b->error == AnswerError::none));
    BOOST_TEST(b->body() == tail(m.bytes(), kBase, end));
    BOOST_TEST(b->facts.has_opt);
    const Answer& a = b->answer();
    BOOST_TEST(a.ancount == 3);
    BOOST_TEST(a.arcount == 0);
    BOOST_TEST(a.ttl_count == 3);
    BOOST_TEST(a.min_ttl_s == 60U);
    BOOST_TEST(a.address_ttl_s == 300U);
    BOOST_TEST(a.address_count == 2);
    BOOST_TEST(!a.negative);
    BOOST_TEST(b->ttl(0) == 600U);
    BOOST_TEST(b->ttl(2) == 300U);
    BOOST_TEST(b->address(1) == (Bytes{192, 0, 2, 2}));
    BOOST_TEST(a.size() == sizeof(Answer) + 3 * 2 + 2 * 4 + b->body().size());
}

BOOST_AUTO_TEST_CASE(addresses_come_from_the_answer_section) {
    auto m = response(kAaaa);
    const Bytes v6(16, 0x20);
    m.record(DnsMessage::kAnswer, kToQname, kAaaa, 60, v6);
    m.record(DnsMessage::kAuthority, kToQname, kNs, 60, {2, 'n', 's', 0xc0, 12});
    m.record(DnsMessage::kAdditional, {2, 'n', 's', 0xc0, 12}, kA, 60, {192, 0, 2, 53});
    const auto b = build(m.bytes(), "www.example.com", kAaaa);
    BOOST_TEST((b->error == AnswerError::none));
    BOOST_TEST(b->answer().address_count == 1);
    BOOST_TEST(b->answer().addresses()[0].is_v6 == 1);
    BOOST_TEST(b->address(0) == v6);
    BOOST_TEST(b->answer().nscount == 1);
    BOOST_TEST(b->answer().arcount == 1);
}

BOOST_AUTO_TEST_CASE(names_are_rewritten_when_opt_is_in_the_middle) {
    auto m = response(kMx);
    m.record(DnsMessage::kAnswer, kToQname, kMx, 70, {0, 10, 4, 'm', 'a', 'i', 'l', 0xc0, 16});
    const auto mail = static_cast<std::uint8_t>(m.size() - 7);
    const std::size_t opt_at = m.size();
    m.opt(1232);
    const auto after = static_cast<std::uint8_t>(m.size());
    m.record(DnsMessage::kAdditional, {4, 'h', 'o', 's', 't', 0xc0, 12}, kA, 80, {192, 0, 2, 1});
    m.record(DnsMessage::kAdditional, {0xc0, mail}, kA, 90, {192, 0, 2, 2});
    m.record(DnsMessage::kAdditional, {0xc0, after}, kA, 100, {192, 0, 2, 3});
    const auto b = build(m.bytes(), "www.example.com", kMx, false, Records::all);
    BOOST_REQUIRE((b->error == AnswerError::none));
    const Answer& a = b->answer();
    BOOST_TEST(a.ancount == 1);
    BOOST_TEST(a.arcount == 3);
    BOOST_TEST(a.ttl_count == 4);
    for (unsigned i = 0; i < 4; ++i)
        BOOST_TEST(b->ttl(i) == 70 + 10 * i);
    // The third additional record's owner was written as a pointer behind the OPT: it moved by its 11 bytes.
    auto expected = tail(m.bytes(), kBase, opt_at);
    const auto rest = tail(m.bytes(), opt_at + 11, m.size());
    expected.insert(expected.end(), rest.begin(), rest.end());
    expected[expected.size() - 15] = static_cast<std::uint8_t>(after - 11);
    BOOST_TEST(b->body() == expected);
}

BOOST_AUTO_TEST_CASE(rewritten_names_of_all_kinds_read_the_same) {
    auto m = response(kAny);
    const Bytes www = wire_name("www.example.com");
    Bytes soa = www;
    const Bytes root = wire_name("root.example.com");
    soa.insert(soa.end(), root.begin(), root.end());
    soa.insert(soa.end(), 20, 0);
    Bytes srv{0, 1, 0, 2, 0, 53, 0xc0, 12};
    Bytes rrsig(18, 1);
    rrsig.insert(rrsig.end(), www.begin(), www.end());
    rrsig.insert(rrsig.end(), 64, 0xab);
    m.opt(1232);
    m.record(DnsMessage::kAdditional, www, kSoa, 1, soa);
    m.record(DnsMessage::kAdditional, www, kSrv, 1, srv);
    m.record(DnsMessage::kAdditional, www, kRrsig, 1, rrsig);
    m.record(DnsMessage::kAdditional, {0}, kTxt, 1, {3, 'a', 'b', 'c'});
    const auto b = build(m.bytes(), "www.example.com", kAny, false, Records::all);
    BOOST_REQUIRE((b->error == AnswerError::none));
    BOOST_TEST(b->answer().arcount == 4);
    // SOA: owner and the first name become pointers to the question, the second "root" and a pointer.
    const Bytes body = b->body();
    BOOST_TEST(tail(body, 0, 2) == kToQname);
    BOOST_TEST(load_be16(&body[10]) == 2 + 7 + 20);
    BOOST_TEST(tail(body, 12, 14) == kToQname);
    // SRV's target is decompressed (RFC 2782); RRSIG is as it was.
    const std::size_t srv_at = 12 + 29;
    BOOST_TEST(load_be16(&body[srv_at + 10]) == 6 + 17);
    BOOST_TEST(tail(body, srv_at + 18, srv_at + 18 + 17) == www);
    const std::size_t rrsig_at = srv_at + 12 + 23;
    BOOST_TEST(tail(body, rrsig_at + 12, rrsig_at + 12 + rrsig.size()) == rrsig);
    BOOST_TEST(b->body().size() == rrsig_at + 12 + rrsig.size() + 11 + 4);
}

BOOST_AUTO_TEST_CASE(ttls_with_the_top_bit_are_zero) {
    auto m = response();
    m.a("www.example.com", 0x80000001, {192, 0, 2, 1})
        .a("www.example.com", 0x7fffffff, {192, 0, 2, 2});
    const auto b = build(m.bytes());
    BOOST_TEST(b->ttl(0) == 0U);
    BOOST_TEST(b->ttl(1) == 0x7fffffffU);
    BOOST_TEST(b->answer().min_ttl_s == 0U);
    BOOST_TEST(b->answer().address_ttl_s == 0x7fffffffU);
}

BOOST_AUTO_TEST_CASE(negative_answers_are_recognised) {
    const auto nxdomain = build(response(kA, 0x8183).soa("example.com", 900, 60).bytes());
    BOOST_TEST(nxdomain->answer().rcode == kNxDomain);
    BOOST_TEST(nxdomain->answer().negative);
    BOOST_TEST(nxdomain->answer().has_soa);
    BOOST_TEST(nxdomain->answer().min_ttl_s == 60U);
    BOOST_TEST(nxdomain->ttl(0) == 60U);
    const auto short_soa = build(response().soa("example.com", 30, 60).bytes());
    BOOST_TEST(short_soa->answer().negative);
    BOOST_TEST(short_soa->answer().min_ttl_s == 30U);
    BOOST_TEST(short_soa->ttl(0) == 30U);
    const auto alias = build(response().cname("www.example.com", 300, "x.example.com").bytes());
    BOOST_TEST(alias->answer().negative);
    BOOST_TEST(!alias->answer().has_soa);
    const auto found = build(
        response().a("www.example.com", 300, {1, 2, 3, 4}).soa("example.com", 900, 60).bytes());
    BOOST_TEST(!found->answer().negative);
    BOOST_TEST(!found->answer().has_soa);
    BOOST_TEST(found->ttl(1) == 900U);
}

BOOST_AUTO_TEST_CASE(an_answer_to_another_question_is_refused) {
    const auto m = response().a("www.example.com", 300, {192, 0, 2, 1}).bytes();
    const auto wrong = [&](std::string_view qname, std::uint16_t qtype, bool exact) {
        return build(m, qname, qtype, exact)->error == AnswerError::wrong_question;
    };
    BOOST_TEST(!wrong("www.example.com", kA, true));
    BOOST_TEST(!wrong("WWW.example.com", kA, false));
    BOOST_TEST((build(m, "WWW.example.com", kA, true)->error == AnswerError::other_case));
    BOOST_TEST(wrong("www.example.com", kAaaa, false));
    BOOST_TEST(wrong("www.example.org", kA, false));
    BOOST_TEST(wrong("example.com", kA, false));
    BOOST_TEST((error_of(DnsMessage(9, 0x8180).bytes()) == AnswerError::wrong_question));
    BOOST_TEST((error_of(DnsMessage(9, 0x0180).question("www.example.com", 1).bytes()) ==
                AnswerError::malformed));
    BOOST_TEST((error_of(response(kA, 0xa800).bytes()) == AnswerError::malformed));
}

BOOST_AUTO_TEST_CASE(errors_may_come_without_a_question) {
    const auto b = build(DnsMessage(9, 0x8181).bytes());
    BOOST_TEST((b->error == AnswerError::none));
    BOOST_TEST(b->facts.no_question);
    BOOST_TEST(b->facts.rcode == kFormErr);
    BOOST_TEST(b->answer().rcode == kFormErr);
    BOOST_TEST(b->answer().body_len == 0);
}

BOOST_AUTO_TEST_CASE(extended_rcodes_are_read) {
    BOOST_TEST(build(response().opt(1232, false, 1).bytes())->facts.rcode == kFormErr);  // BADVERS
    BOOST_TEST(build(response(kA, 0x8187).opt(1232, false, 1).bytes())->facts.rcode ==
               kServFail);  // BADCOOKIE
    BOOST_TEST(build(response().opt(1232, false, 0xff).bytes())->facts.rcode == kServFail);
    BOOST_TEST(build(response(kA, 0x8183).opt(1232).bytes())->facts.rcode == kNxDomain);
}

BOOST_AUTO_TEST_CASE(malformed_answers_are_refused) {
    const auto bad = [](const DnsMessage& m) {
        return error_of(m.bytes()) == AnswerError::malformed;
    };
    const Bytes www = wire_name("www.example.com");
    BOOST_TEST(bad(response().record(DnsMessage::kAnswer, www, kA, 1, {1, 2, 3})));
    BOOST_TEST(bad(response().record(DnsMessage::kAnswer, www, kAaaa, 1, {1, 2, 3, 4})));
    BOOST_TEST(bad(response().record(DnsMessage::kAnswer, www, kCname, 1, {1, 'a', 0, 0})));
    BOOST_TEST(bad(response().record(DnsMessage::kAnswer, www, kCname, 1, {})));
    BOOST_TEST(bad(response().record(DnsMessage::kAnswer, www, kMx, 1, {0, 1})));
    BOOST_TEST(bad(response().record(DnsMessage::kAnswer, www, kSoa, 1, {0, 0, 1})));
    BOOST_TEST(bad(response().record(DnsMessage::kAnswer, www, kHttps, 1, {0, 1, 0xc0, 12})));
    BOOST_TEST(bad(response().record(DnsMessage::kAnswer, {0xc0, 0}, kA, 1, {1, 2, 3, 4})));
    BOOST_TEST(bad(response().record(DnsMessage::kAnswer, {0xc0, kBase}, kA, 1, {1, 2, 3, 4})));
    BOOST_TEST(bad(response().record(DnsMessage::kAnswer, {0}, kOpt, 0, {})));
    BOOST_TEST(bad(response().opt(1232).opt(1232)));
    BOOST_TEST(bad(response().record(DnsMessage::kAdditional, www, kOpt, 0, {})));
    // A pointer into a TTL, which changes later.
    auto into_ttl = response();
    into_ttl.record(DnsMessage::kAnswer, kToQname, kA, 0, {1, 2, 3, 4});
    into_ttl.record(DnsMessage::kAnswer, {0xc0, kBase + 6}, kA, 0, {1, 2, 3, 4});
    BOOST_TEST(bad(into_ttl));
    BOOST_TEST(bad(response().set(6, 1)));
    BOOST_TEST(bad(response().set(10, 0xffff)));
}

BOOST_AUTO_TEST_CASE(every_shortened_message_is_malformed_or_truncated) {
    auto m = response();
    m.a("www.example.com", 60, {192, 0, 2, 1}).a("www.example.com", 60, {192, 0, 2, 2}).opt(1232);
    for (std::size_t n = 0; n < m.size(); ++n) {
        auto cut = tail(m.bytes(), 0, n);
        BOOST_TEST((error_of(cut) == AnswerError::malformed), "cut at " << n);
        if (n < kBase) continue;
        cut[2] |= 0x02;
        const auto b = build(cut);
        BOOST_TEST((b->error == AnswerError::none), "TC, cut at " << n);
        BOOST_TEST((b->answer().flags & kTc) != 0);
        BOOST_TEST(b->answer().ancount == std::min<std::size_t>(2, (n - kBase) / 31));
        BOOST_TEST(b->answer().body_len == b->answer().ancount * 31);
    }
}

BOOST_AUTO_TEST_CASE(bytes_after_the_last_record_are_ignored) {
    auto m = response().a("www.example.com", 60, {192, 0, 2, 1});
    const auto clean = build(m.bytes())->body();
    BOOST_TEST(build(m.raw({1, 2, 3}).bytes())->body() == clean);
}

BOOST_AUTO_TEST_CASE(pointers_into_rdata_of_other_types_are_resolved) {
    auto m = response(kSrv);
    Bytes unknown{9, 9};
    const Bytes name = wire_name("host.example.com");
    unknown.insert(unknown.end(), name.begin(), name.end());
    m.record(DnsMessage::kAnswer, kToQname, 65280, 60, unknown);
    m.record(DnsMessage::kAdditional, {0xc0, kBase + 14}, kA, 60, {192, 0, 2, 1});
    BOOST_TEST((error_of(DnsMessage(m).set(kBase - 4, kA).bytes()) == AnswerError::none));
}

BOOST_AUTO_TEST_CASE(pointers_into_the_question_lead_to_a_label) {
    const auto error_with = [](std::uint8_t target, bool behind_a_plain_owner) {
        auto m = response();
        if (behind_a_plain_owner) m.record(DnsMessage::kAnswer, kToQname, kA, 60, {192, 0, 2, 1});
        m.record(DnsMessage::kAuthority, {0xc0, target}, kNs, 60, {2, 'n', 's', 0xc0, target});
        return error_of(m.bytes());
    };
    for (const bool behind : {false, true}) {
        for (const std::uint8_t label : Bytes{12, 16, 24, 28})
            BOOST_TEST((error_with(label, behind) == AnswerError::none), "label at " << +label);
        for (const std::uint8_t inside : Bytes{0, 11, 13, 17, 27, 29, 32})
            BOOST_TEST((error_with(inside, behind) == AnswerError::malformed), "at " << +inside);
    }
}

BOOST_AUTO_TEST_CASE(few_and_many_records_are_kept_alike) {
    for (const unsigned count : {1U, 63U, 64U, 65U, 66U, 500U}) {
        auto m = response();
        for (unsigned i = 0; i < count; ++i)
            m.record(DnsMessage::kAnswer, kToQname, kA, 60 + i, {192, 0, 2, 1});
        m.opt(1232);
        const auto b = build(m.bytes());
        BOOST_TEST((b->error == AnswerError::none));
        BOOST_TEST(b->answer().ancount == count);
        BOOST_TEST(b->answer().address_count == count);
        BOOST_TEST(b->answer().body_len == 16 * count);
        BOOST_TEST(b->ttl(count - 1) == 60 + count - 1);
    }
}

BOOST_AUTO_TEST_CASE(ttls_are_brought_within_limits) {
    auto m = response();
    m.record(DnsMessage::kAnswer, kToQname, kA, 5, {192, 0, 2, 1});
    m.record(DnsMessage::kAnswer, kToQname, kTxt, 50, {1, 'x'});
    m.record(DnsMessage::kAnswer, kToQname, kA, 5000, {192, 0, 2, 2});
    const auto b = build(m.bytes(), "www.example.com", kA, false, Records::all);
    BOOST_TEST(is_within(b->answer(), {}));
    BOOST_TEST(is_within(b->answer(), {5, 5000}));
    BOOST_TEST(!is_within(b->answer(), {6, UINT32_MAX}));
    BOOST_TEST(!is_within(b->answer(), {0, 4999}));
    limit_ttls(b->block.data(), {10, 300});
    BOOST_TEST(b->ttl(0) == 10U);
    BOOST_TEST(b->ttl(1) == 50U);
    BOOST_TEST(b->ttl(2) == 300U);
    BOOST_TEST(b->answer().min_ttl_s == 10U);
    BOOST_TEST(b->answer().address_ttl_s == 300U);
    const Bytes body = b->body();
    BOOST_TEST(b->answer().body_sum ==
               steer::checksum_fold(steer::checksum_add(0, body.data(), body.size())));
}

BOOST_AUTO_TEST_CASE(a_small_buffer_is_refused) {
    const auto m = response().a("www.example.com", 60, {192, 0, 2, 1}).bytes();
    alignas(8) std::array<std::uint8_t, 256> block{};
    const std::size_t need = sizeof(Answer) + 2 + 4 + 31;
    for (std::size_t n = 0; n <= need; ++n) {
        UpstreamFacts facts;
        const auto e = build_answer(m, wire_name("www.example.com"), kA, kIn, false,
                                    std::span(block).first(n), facts);
        BOOST_TEST((e == (n < need ? AnswerError::no_room : AnswerError::none)), "room " << n);
    }
}

BOOST_AUTO_TEST_CASE(the_largest_message_is_built) {
    auto m = response(kTxt);
    while (m.size() + 12 + 4 <= 65535)
        m.record(DnsMessage::kAnswer, kToQname, kA, 60, {1, 2, 3, 4});
    const auto b = build(m.bytes(), "www.example.com", kTxt, false, Records::all);
    BOOST_TEST((b->error == AnswerError::none));
    BOOST_TEST(b->answer().address_count == b->answer().ancount);
    BOOST_TEST(b->answer().ancount == (65535 - kBase) / 16);
    auto longer = m;
    longer.raw(Bytes(65536 - m.size()));
    BOOST_TEST((error_of(longer.bytes()) == AnswerError::malformed));
}

BOOST_AUTO_TEST_CASE(a_message_may_be_full_of_records_of_the_root) {
    auto m = response(kTxt);
    while (m.size() + 15 <= 65535)
        m.record(DnsMessage::kAnswer, {0}, kA, 60, {1, 2, 3, 4});
    BOOST_TEST((build(m.bytes(), "www.example.com", kTxt)->error == AnswerError::none));
    auto empty = response(kTxt);
    while (empty.size() + 11 <= 65535)
        empty.record(DnsMessage::kAnswer, {0}, kTxt, 60, {});
    BOOST_TEST((build(empty.bytes(), "www.example.com", kTxt)->error == AnswerError::none));
}

BOOST_AUTO_TEST_SUITE_END()
