// Damaged queries and responses: each is refused by name or accepted, and what leaves is always within its size.
#include <boost/test/unit_test.hpp>

#include "dataplane/dns/answer.h"
#include "support/dns_message.h"
#include "support/mutator.h"

using namespace steer::dns;
using steer::test::Bytes;
using steer::test::DnsMessage;
using steer::test::Random;
using steer::test::wire_name;

BOOST_AUTO_TEST_SUITE(mutation)

BOOST_AUTO_TEST_CASE(mutated_queries_are_parsed_without_a_fault) {
    const Bytes good = DnsMessage::query(7, "www.example.com", kA).opt(1232, true).bytes();
    Random random{1};
    unsigned accepted = 0;
    for (int i = 0; i < 10000; ++i) {
        Bytes m = good;
        steer::test::mutate(m, random);
        Query query;
        const auto error = parse_query(m, query);
        const auto rcode = rcode_for(error);
        if (rcode == kNoReply) continue;
        m.resize(std::max<std::size_t>(m.size(), 512));
        bool truncated = false;
        const auto length = error == QueryError::none
                                ? write_reply(m, query, empty_answer(kServFail), {}, truncated)
                                : write_error_reply(m, query, rcode);
        BOOST_REQUIRE(length >= kHeaderSize);
        BOOST_REQUIRE(length <= 512U);
        accepted += error == QueryError::none ? 1U : 0U;
    }
    BOOST_TEST(accepted > 1000U);
    BOOST_TEST(accepted < 9000U);
}

BOOST_AUTO_TEST_CASE(mutated_responses_are_parsed_without_a_fault) {
    const Bytes good = DnsMessage::response(7, "www.example.com", kA)
                           .cname("www.example.com", 60, "edge.example.com")
                           .a("edge.example.com", 30, {192, 0, 2, 1})
                           .opt(1232)
                           .bytes();
    const Bytes qname = wire_name("www.example.com");
    Random random{2};
    std::array<unsigned, 4> seen{};
    for (int i = 0; i < 10000; ++i) {
        Bytes m = good;
        steer::test::mutate(m, random);
        alignas(8) std::array<std::uint8_t, 2048> block;
        UpstreamFacts facts;
        const auto error = build_answer(m, qname, kA, kIn, false, block, facts);
        ++seen[static_cast<std::size_t>(error)];
    }
    BOOST_TEST(seen[static_cast<std::size_t>(AnswerError::none)] > 1000U);
    BOOST_TEST(seen[static_cast<std::size_t>(AnswerError::malformed)] > 1000U);
    BOOST_TEST(seen[static_cast<std::size_t>(AnswerError::wrong_question)] > 100U);
    BOOST_TEST(seen[static_cast<std::size_t>(AnswerError::no_room)] == 0U);
}

BOOST_AUTO_TEST_SUITE_END()
