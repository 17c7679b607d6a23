// Answers without some of their additional records.
#include "dataplane/dns/leave_out.h"

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <string>
#include <vector>

#include "dataplane/dns/checksum.h"
#include "dataplane/dns/hints.h"
#include "support/dns_message.h"
#include "unit/dns/built_answer.h"

// A namespace of its own, because other tests of this module have functions of the same names.
namespace leave_out_cases {

using namespace steer::dns;
using steer::test::AnswerBlock;
using steer::test::built_answer;
using steer::test::Bytes;
using steer::test::DnsMessage;
using steer::test::wire_name;

namespace {

const Bytes kHost = wire_name("mx.example");

// Keeps IPv4 addresses whose last byte is even.
struct Even final : AddressFilter {
    bool keeps(const std::uint8_t* bytes, bool is_v6) const noexcept override {
        return !is_v6 && bytes[3] % 2 == 0;
    }
};

DnsMessage mx_response() {
    DnsMessage m = DnsMessage::response(7, "a.example", kMx);
    Bytes exchange{0, 10};
    exchange.insert(exchange.end(), kHost.begin(), kHost.end());
    m.record(DnsMessage::kAnswer, wire_name("a.example"), kMx, 60, exchange);
    return m;
}
Bytes rrsig(std::uint8_t covered) {
    Bytes data{0, covered};
    data.insert(data.end(), 16, 0);
    data.insert(data.end(), kHost.begin(), kHost.end());
    data.push_back(1);
    return data;
}
std::vector<Bytes> additional(const Answer& answer) {
    std::vector<Bytes> all;
    any_additional_address(answer, [&](const std::uint8_t* at, bool is_v6) {
        all.emplace_back(at, at + (is_v6 ? 16 : 4));
        return false;
    });
    return all;
}

BOOST_AUTO_TEST_SUITE(leave_out)

BOOST_AUTO_TEST_CASE(only_records_with_other_addresses_and_signatures_of_addresses_are_left_out) {
    DnsMessage m = mx_response();
    m.record(DnsMessage::kAdditional, kHost, kA, 500, {192, 0, 2, 1});
    m.record(DnsMessage::kAdditional, kHost, kA, 400, {192, 0, 2, 2});
    m.record(DnsMessage::kAdditional, kHost, kRrsig, 400, rrsig(kA));
    m.record(DnsMessage::kAdditional, kHost, kAaaa, 500, Bytes(16, 2));
    m.record(DnsMessage::kAdditional, kHost, kTxt, 300, {1, 'x'});
    const auto block = built_answer(m, wire_name("a.example"), kMx);
    const Answer& whole = block->answer();
    BOOST_TEST(whole.has_additional);
    BOOST_TEST(whole.arcount == 5U);
    BOOST_TEST(has_to_leave_out(whole, Even{}));
    AnswerBlock out;
    const std::size_t size = write_without(whole, Even{}, wire_name("a.example"), 10, out.bytes);
    const Answer& rest = out.answer();
    BOOST_TEST(size == rest.size());
    BOOST_TEST(rest.ancount == 1U);
    BOOST_TEST(rest.arcount == 2U);
    BOOST_TEST(rest.ttl_count == 3U);
    BOOST_TEST(rest.has_additional);
    BOOST_TEST((additional(rest) == std::vector<Bytes>{{192, 0, 2, 2}}));
    BOOST_TEST(rest.address_ttl_s == 390U);
    BOOST_TEST(rest.min_ttl_s == 50U);
    BOOST_TEST(!has_to_leave_out(rest, Even{}));
    const auto sum = steer::checksum_fold(steer::checksum_add(0, rest.body(), rest.body_len));
    BOOST_TEST(rest.body_sum == sum);
    BOOST_TEST(write_without(whole, Even{}, wire_name("a.example"), 10,
                             std::span(out.bytes).first(80)) == 0U);
}

BOOST_AUTO_TEST_CASE(an_answer_whose_last_additional_address_is_left_out_has_none) {
    DnsMessage m = mx_response();
    m.record(DnsMessage::kAdditional, kHost, kA, 500, {192, 0, 2, 1});
    const auto block = built_answer(m, wire_name("a.example"), kMx);
    AnswerBlock out;
    BOOST_TEST(write_without(block->answer(), Even{}, wire_name("a.example"), 0, out.bytes) != 0U);
    BOOST_TEST(out.answer().arcount == 0U);
    BOOST_TEST(!out.answer().has_additional);
    BOOST_TEST(out.answer().address_ttl_s == 0U);
}

BOOST_AUTO_TEST_CASE(addresses_of_the_answer_section_are_not_considered) {
    DnsMessage m = DnsMessage::response(7, "a.example", kA);
    m.a("a.example", 60, {192, 0, 2, 1});
    const auto block = built_answer(m, wire_name("a.example"), kA);
    BOOST_TEST(!block->answer().has_additional);
    BOOST_TEST(!has_to_leave_out(block->answer(), Even{}));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace leave_out_cases
