// Answers with fewer addresses.
#include "dataplane/dns/shorten.h"

#include <algorithm>
#include <boost/test/unit_test.hpp>

#include "dataplane/dns/checksum.h"
#include "support/dns_message.h"
#include "unit/dns/built_answer.h"

using namespace steer::dns;
using steer::test::AnswerBlock;
using steer::test::built_answer;
using steer::test::DnsMessage;
using steer::test::wire_name;

namespace {

BOOST_AUTO_TEST_SUITE(shorten)

BOOST_AUTO_TEST_CASE(the_first_addresses_and_their_chain_are_kept) {
    DnsMessage response = DnsMessage::response(7, "a.example", kA);
    response.cname("a.example", 300, "b.example");
    for (unsigned i = 1; i <= 40; ++i)
        response.a("b.example", 60 + i, {192, 0, 2, static_cast<std::uint8_t>(i)});
    const auto block = built_answer(response, wire_name("a.example"), kA);
    const Answer& whole = block->answer();
    BOOST_TEST(has_more_addresses(whole, 39));
    BOOST_TEST(!has_more_addresses(whole, 40));
    AnswerBlock out;
    const std::size_t size = write_shortened(whole, 16, out.bytes);
    const Answer& cut = out.answer();
    BOOST_TEST(size == cut.size());
    BOOST_TEST(cut.ancount == 17U);
    BOOST_TEST(cut.ttl_count == 17U);
    BOOST_TEST(cut.address_count == 16U);
    BOOST_TEST(cut.nscount + cut.arcount == 0U);
    BOOST_TEST(!has_more_addresses(cut, 16));
    BOOST_TEST((cut.body()[cut.addresses()[15].rdata_offset + 3] == 16));
    BOOST_TEST(std::equal(cut.body(), cut.body() + cut.body_len, whole.body()));
    const auto sum = steer::checksum_fold(steer::checksum_add(0, cut.body(), cut.body_len));
    BOOST_TEST(cut.body_sum == sum);
}

BOOST_AUTO_TEST_CASE(additional_addresses_count_and_leave_first) {
    DnsMessage response = DnsMessage::response(7, "a.example", kMx);
    steer::test::Bytes exchange{0, 10};
    const auto target = wire_name("mx.example");
    exchange.insert(exchange.end(), target.begin(), target.end());
    response.record(DnsMessage::kAnswer, wire_name("a.example"), kMx, 60, exchange);
    for (std::uint8_t i = 1; i <= 3; ++i)
        response.record(DnsMessage::kAdditional, target, kA, 60, {192, 0, 2, i});
    const auto block = built_answer(response, wire_name("a.example"), kMx);
    BOOST_TEST(block->answer().has_additional);
    BOOST_TEST(has_more_addresses(block->answer(), 2));
    BOOST_TEST(!has_more_addresses(block->answer(), 3));
    AnswerBlock out;
    BOOST_TEST(write_shortened(block->answer(), 2, out.bytes) != 0U);
    BOOST_TEST(out.answer().ancount == 1U);
    BOOST_TEST(out.answer().arcount == 0U);
    BOOST_TEST(!out.answer().has_additional);
    BOOST_TEST(!has_more_addresses(out.answer(), 2));
}

BOOST_AUTO_TEST_CASE(a_small_buffer_is_not_written) {
    DnsMessage response = DnsMessage::response(7, "a.example", kA);
    for (unsigned i = 1; i <= 40; ++i)
        response.a("a.example", 60, {192, 0, 2, static_cast<std::uint8_t>(i)});
    const auto block = built_answer(response, wire_name("a.example"), kA);
    AnswerBlock out;
    BOOST_TEST(write_shortened(block->answer(), 16, std::span(out.bytes).first(100)) == 0U);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
