#include <boost/test/unit_test.hpp>
#include <optional>

#include "dataplane/dns/answer.h"
#include "dataplane/dns/checksum.h"
#include "support/dns_message.h"

using namespace steer::dns;
using steer::test::Bytes;
using steer::test::DnsMessage;
using steer::test::wire_name;

namespace {

// A query, an upstream's response to it, and the reply that comes of both.
struct Exchange {
    Bytes query_bytes;
    Query query;
    alignas(8) std::array<std::uint8_t, 70000> block{};
    bool truncated = false;

    explicit Exchange(const DnsMessage& q) : query_bytes(q.bytes()) {
        BOOST_REQUIRE((parse_query(query_bytes, query) == QueryError::none));
    }
    Exchange& upstream(const DnsMessage& r) {
        UpstreamFacts facts;
        BOOST_REQUIRE((build_answer(r.bytes(), query.name(), query.qtype, query.qclass, false,
                                    block, facts) == AnswerError::none));
        return *this;
    }
    Bytes reply(const ReplyOptions& options = {}) {
        Bytes message(65535);
        std::copy(query_bytes.begin(), query_bytes.end(), message.begin());
        const auto& answer = *reinterpret_cast<const Answer*>(block.data());
        std::uint64_t sum = steer::checksum_narrow(
            steer::checksum_add(0, message.data() + kHeaderSize, query.question_end - kHeaderSize));
        message.resize(write_reply(message, query, answer, options, truncated, &sum));
        // Ones' complement has two zeros.
        BOOST_TEST(sum < (std::uint64_t{1} << 44));
        BOOST_TEST(sum % 0xffff ==
                   steer::checksum_fold(steer::checksum_add(0, message.data(), message.size())) %
                       0xffff);
        return message;
    }
};

Exchange asked(std::string_view name, std::uint16_t flags = 0x0100) {
    return Exchange(DnsMessage::query(0xabcd, name, kA, flags));
}
DnsMessage found(std::uint16_t flags = 0x8580) {
    return DnsMessage::response(1, "www.example.com", kA, flags)
        .a("www.example.com", 300, {192, 0, 2, 1});
}
std::uint16_t flags_of(const Bytes& m) {
    return load_be16(&m[2]);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(reply)

BOOST_AUTO_TEST_CASE(a_reply_has_the_case_of_the_query) {
    auto x = asked("wWw.eXample.com");
    const auto m = x.upstream(found()).reply();
    const auto expected = DnsMessage::response(0xabcd, "wWw.eXample.com", kA, 0x8180)
                              .a("www.example.com", 300, {192, 0, 2, 1});
    BOOST_TEST(m == expected.bytes());
    BOOST_TEST(!x.truncated);
}

BOOST_AUTO_TEST_CASE(ttls_count_down_and_are_capped) {
    auto x = asked("www.example.com");
    x.upstream(found().a("www.example.com", 100, {192, 0, 2, 2}));
    const auto ttls = [&](std::uint32_t age, std::uint32_t cap) {
        const auto m = x.reply({.age_s = age, .ttl_cap_s = cap});
        return std::pair{load_be32(&m[33 + 17 + 4]), load_be32(&m[33 + 31 + 17 + 4])};
    };
    BOOST_TEST((ttls(0, UINT32_MAX) == std::pair{300U, 100U}));
    BOOST_TEST((ttls(40, UINT32_MAX) == std::pair{260U, 60U}));
    BOOST_TEST((ttls(100, UINT32_MAX) == std::pair{200U, 0U}));
    BOOST_TEST((ttls(1000, UINT32_MAX) == std::pair{0U, 0U}));
    BOOST_TEST((ttls(40, 200) == std::pair{200U, 60U}));
    BOOST_TEST((ttls(0, 0) == std::pair{0U, 0U}));
}

BOOST_AUTO_TEST_CASE(flags_follow_the_query_and_the_answer) {
    // AA goes, RD and CD are the client's, AD only for those who asked.
    BOOST_TEST(flags_of(asked("www.example.com", 0).upstream(found(0x85b0)).reply()) == 0x8080);
    BOOST_TEST(flags_of(asked("www.example.com", 0x0110).upstream(found(0x85a0)).reply()) ==
               0x8190);
    BOOST_TEST(flags_of(asked("www.example.com", 0x0120).upstream(found(0x85a0)).reply()) ==
               0x81a0);
    BOOST_TEST(flags_of(asked("www.example.com", 0x0120).upstream(found(0x8580)).reply()) ==
               0x8180);
    Exchange with_do(DnsMessage::query(1, "www.example.com", kA).opt(1232, true));
    BOOST_TEST(flags_of(with_do.upstream(found(0x85a0)).reply()) == 0x81a0);
    // TC of the upstream is passed on with what it sent.
    auto x = asked("www.example.com");
    const auto m = x.upstream(found(0x8380)).reply();
    BOOST_TEST(flags_of(m) == 0x8380);
    BOOST_TEST(m.size() == 33U + 31U);
    BOOST_TEST(!x.truncated);
}

BOOST_AUTO_TEST_CASE(a_reply_has_an_opt_only_if_the_query_has_one) {
    Exchange x(DnsMessage::query(5, "www.example.com", kA).opt(4096, true));
    x.upstream(found().opt(512));
    const auto expected = DnsMessage::response(5, "www.example.com", kA, 0x8180)
                              .a("www.example.com", 300, {192, 0, 2, 1})
                              .opt(1232, true);
    BOOST_TEST(x.reply() == expected.bytes());
    const auto with_ede = DnsMessage::response(5, "www.example.com", kA, 0x8180)
                              .a("www.example.com", 300, {192, 0, 2, 1})
                              .opt(1232, true, 0, 0, {0, 15, 0, 2, 0, 3});
    BOOST_TEST(x.reply({.ede = Ede::stale}) == with_ede.bytes());
    const ReplyExtras named{.ede_text = "Ads"};
    const auto with_text = DnsMessage::response(5, "www.example.com", kA, 0x8180)
                               .a("www.example.com", 300, {192, 0, 2, 1})
                               .opt(1232, true, 0, 0, {0, 15, 0, 5, 0, 17, 'A', 'd', 's'});
    BOOST_TEST(x.reply({.ede = Ede::filtered, .extras = &named}) == with_text.bytes());
    auto plain = asked("www.example.com");
    BOOST_TEST(plain.upstream(found().opt(512)).reply({.ede = Ede::stale}).size() == 33U + 31U);
}

BOOST_AUTO_TEST_CASE(a_reply_above_the_clients_size_is_truncated) {
    Exchange x(DnsMessage::query(5, "www.example.com", kA).opt(4096));
    auto r = found();
    for (int i = 0; i < 20; ++i)
        r.a("www.example.com", 300, {192, 0, 2, 1});
    x.upstream(r);
    const std::size_t whole = 33 + 21 * 31 + 11;
    const auto truncated = DnsMessage::response(5, "www.example.com", kA, 0x8380).opt(1232);
    BOOST_TEST(x.reply({.max_size = static_cast<std::uint16_t>(whole - 1)}) == truncated.bytes());
    BOOST_TEST(x.truncated);
    BOOST_TEST(x.reply({.max_size = whole}).size() == whole);
    BOOST_TEST(!x.truncated);
    // An EDE is not worth a truncation.
    BOOST_TEST(x.reply({.max_size = whole + 5, .ede = Ede::stale}).size() == whole);
    BOOST_TEST(x.reply({.max_size = whole + 6, .ede = Ede::stale}).size() == whole + 6);
    BOOST_TEST(x.reply({.max_size = 512, .ede = Ede::stale}).size() == 33U + 17U);
    BOOST_TEST(x.truncated);
    // Its text is not worth a missing code.
    const ReplyExtras named{.ede_text = "Ads"};
    const ReplyOptions tight{.max_size = whole + 8, .ede = Ede::filtered, .extras = &named};
    BOOST_TEST(x.reply(tight).size() == whole + 6);
    BOOST_TEST(!x.truncated);
    BOOST_TEST(x.reply({.max_size = whole + 9, .ede = Ede::filtered, .extras = &named}).size() ==
               whole + 9);
}

BOOST_AUTO_TEST_CASE(a_reply_never_exceeds_its_buffer) {
    Exchange x(DnsMessage::query(5, "www.example.com", kA));
    x.upstream(found());
    Bytes message(x.query_bytes);
    bool truncated = false;
    const auto& answer = *reinterpret_cast<const Answer*>(x.block.data());
    BOOST_TEST(write_reply(message, x.query, answer, {.max_size = 65535}, truncated) == 33U);
    BOOST_TEST(truncated);
}

BOOST_AUTO_TEST_CASE(a_reply_may_have_no_records) {
    auto x = asked("www.example.com");
    const Answer refused = empty_answer(kRefused);
    std::memcpy(x.block.data(), &refused, sizeof refused);
    BOOST_TEST(x.reply() == DnsMessage::response(0xabcd, "www.example.com", kA, 0x8185).bytes());
}

BOOST_AUTO_TEST_CASE(a_malformed_query_gets_an_error_reply) {
    const auto reply_to = [](const Bytes& query) {
        Query q;
        const auto rcode = rcode_for(parse_query(query, q));
        Bytes message(query);
        message.resize(512);
        message.resize(write_error_reply(message, q, rcode));
        return message;
    };
    const auto bad_version = DnsMessage::query(3, "a.b", kA).opt(4096, true, 0, 1);
    BOOST_TEST(reply_to(bad_version.bytes()) ==
               DnsMessage::response(3, "a.b", kA, 0x8180).opt(1232, true, 1).bytes());
    const auto update = DnsMessage(3, 0x2800).question("a.b", 6);
    BOOST_TEST(reply_to(update.bytes()) == DnsMessage(3, 0xa884).bytes());
    auto two_questions = DnsMessage::query(3, "a.b", kA).question("c.d", kA);
    BOOST_TEST(reply_to(two_questions.bytes()) == DnsMessage(3, 0x8181).bytes());
    auto trailing = DnsMessage::query(3, "a.b", kA).raw({0});
    BOOST_TEST(reply_to(trailing.bytes()) == DnsMessage::response(3, "a.b", kA, 0x8181).bytes());
}

BOOST_AUTO_TEST_CASE(queries_for_upstreams_are_written) {
    Bytes m(12 + 255 + 4 + 11);
    m.resize(
        write_query(m, 0x77, wire_name("wWw.example.com"), kAaaa, kIn, true, true, true, true));
    BOOST_TEST(m ==
               DnsMessage::query(0x77, "wWw.example.com", kAaaa, 0x0110).opt(1232, true).bytes());
    m.resize(512);
    m.resize(write_query(m, 0x77, wire_name("a"), kA, kIn, false, false, false, true));
    BOOST_TEST(m == DnsMessage::query(0x77, "a", kA, 0).bytes());
}

BOOST_AUTO_TEST_SUITE_END()
