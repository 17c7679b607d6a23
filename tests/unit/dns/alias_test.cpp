// The answer to a name made into the answer to an alias of it.
#include "dataplane/dns/alias.h"

#include <array>
#include <boost/test/unit_test.hpp>

#include "dataplane/dns/checksum.h"
#include "support/dns_message.h"
#include "unit/dns/built_answer.h"

using namespace steer::dns;
using steer::test::AnswerBlock;
using steer::test::built_answer;
using steer::test::Bytes;
using steer::test::DnsMessage;
using steer::test::wire_name;

namespace {

const Bytes kAsked = wire_name("new.target.example"), kAlias = wire_name("old.example");

// What a client that asked for the alias gets, read again.
std::unique_ptr<AnswerBlock> as_alias(const Answer& answer, AliasTerms terms) {
    terms.asked = kAsked;
    terms.alias = kAlias;
    const auto made = std::make_unique<AnswerBlock>();
    const std::size_t size = write_alias_answer(answer, terms, made->bytes);
    BOOST_TEST_REQUIRE(size == made->answer().size());
    const Answer& a = made->answer();
    BOOST_TEST(a.body_sum == steer::checksum_fold(steer::checksum_add(0, a.body(), a.body_len)));
    DnsMessage m = DnsMessage::response(1, "old.example", terms.qtype,
                                        static_cast<std::uint16_t>(0x8180 | a.rcode));
    m.set(6, a.ancount).set(8, a.nscount).set(10, a.arcount);
    m.raw(Bytes(a.body(), a.body() + a.body_len));
    auto again = built_answer(m, kAlias, terms.qtype);
    const Answer& b = again->answer();
    BOOST_TEST(b.ttl_count == a.ttl_count);
    BOOST_TEST(std::equal(a.ttl_offsets(), a.ttl_offsets() + a.ttl_count, b.ttl_offsets()));
    BOOST_TEST(b.address_count == a.address_count);
    for (unsigned i = 0; i < a.address_count; ++i) {
        BOOST_TEST(b.addresses()[i].rdata_offset == a.addresses()[i].rdata_offset);
        BOOST_TEST(b.addresses()[i].is_v6 == a.addresses()[i].is_v6);
    }
    BOOST_TEST(b.min_ttl_s == a.min_ttl_s);
    BOOST_TEST(b.address_ttl_s == a.address_ttl_s);
    BOOST_TEST(b.negative == a.negative);
    return again;
}

Bytes body(const Answer& a) {
    return {a.body(), a.body() + a.body_len};
}

DnsMessage target_response(std::uint16_t type = kA, std::uint16_t flags = 0x8180) {
    return DnsMessage::response(9, "new.target.example", type, flags);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(alias)

BOOST_AUTO_TEST_CASE(the_alias_comes_first_and_the_records_belong_to_its_target) {
    auto m = target_response();
    m.record(DnsMessage::kAnswer, {0xc0, 12}, kA, 300, {192, 0, 2, 1});
    m.record(DnsMessage::kAnswer, {0xc0, 12}, kA, 200, {192, 0, 2, 2});
    const auto b = as_alias(built_answer(m, kAsked, kA)->answer(), {.age_s = 50});
    auto wanted = DnsMessage::response(1, "old.example", kA);
    const std::size_t base = wanted.size();
    // "new.target" and a pointer to "example" of the question
    Bytes target = wire_name("new.target");
    target.back() = 0xc0;
    target.push_back(12 + 4);
    wanted.record(DnsMessage::kAnswer, {0xc0, 12}, kCname, 1, target);
    const auto at = static_cast<std::uint8_t>(base + 12);
    wanted.record(DnsMessage::kAnswer, {0xc0, at}, kA, 250, {192, 0, 2, 1});
    wanted.record(DnsMessage::kAnswer, {0xc0, at}, kA, 150, {192, 0, 2, 2});
    BOOST_TEST(
        body(b->answer()) ==
        Bytes(wanted.bytes().begin() + static_cast<std::ptrdiff_t>(base), wanted.bytes().end()));
    BOOST_TEST(b->answer().min_ttl_s == 1U);
    BOOST_TEST(b->answer().address_ttl_s == 250U);
}

BOOST_AUTO_TEST_CASE(names_in_rdata_are_rewritten) {
    auto m = target_response(15);
    const std::size_t base = m.size();
    m.record(DnsMessage::kAnswer, {0xc0, 12}, 15, 300, {0, 10, 4, 'm', 'a', 'i', 'l', 0xc0, 16});
    m.record(DnsMessage::kAnswer, {0xc0, 12}, kSrv, 300, {0, 1, 0, 2, 0, 53, 1, 's', 0xc0, 12});
    m.record(DnsMessage::kAdditional, {0xc0, static_cast<std::uint8_t>(base + 14)}, kA, 60,
             {192, 0, 2, 9});
    const auto b = as_alias(built_answer(m, kAsked, 15)->answer(), {.qtype = 15});
    const Answer& a = b->answer();
    BOOST_TEST(a.ancount == 3);
    BOOST_TEST(a.arcount == 1);
    BOOST_TEST(a.address_count == 0);  // glue is no answer
    // SRV has its name whole.
    const std::string text(a.body(), a.body() + a.body_len);
    BOOST_TEST(text.find(std::string("\1s\3new\6target\7example\0", 22)) != std::string::npos);
}

BOOST_AUTO_TEST_CASE(an_answer_without_records_becomes_the_alias) {
    auto m = target_response(kAaaa);
    m.soa("target.example", 600, 30);
    const auto original = built_answer(m, kAsked, kAaaa);
    const auto b = as_alias(original->answer(), {.qtype = kAaaa});
    BOOST_TEST(b->answer().ancount == 1);
    BOOST_TEST(b->answer().nscount == 1);
    BOOST_TEST(b->answer().negative);
    BOOST_TEST(b->answer().has_soa);
    BOOST_TEST(b->answer().min_ttl_s == 1U);
    // who asked for the CNAME has it
    const auto c = as_alias(original->answer(), {.qtype = kCname});
    BOOST_TEST(!c->answer().negative);
    const auto plain = as_alias(original->answer(), {.qtype = kAaaa, .with_cname = false});
    BOOST_TEST(plain->answer().ancount == 0);
    BOOST_TEST(plain->answer().min_ttl_s == 30U);
}

BOOST_AUTO_TEST_CASE(header_flags_stay_except_ad) {
    auto m = target_response(kA, 0x83a3);  // TC, AD, NXDOMAIN
    const auto original = built_answer(m, kAsked, kA);
    AnswerBlock out;
    const AliasTerms terms{.asked = kAsked, .alias = kAlias};
    BOOST_TEST_REQUIRE(write_alias_answer(original->answer(), terms, out.bytes) != 0U);
    BOOST_TEST(out.answer().rcode == kNxDomain);
    BOOST_TEST((out.answer().flags & kTc) != 0);
    BOOST_TEST((out.answer().flags & kAd) == 0);
}

// A table that says that the record's owner takes no byte, as a dump of a cache may have it, is not believed.
BOOST_AUTO_TEST_CASE(a_record_without_an_owner_is_refused) {
    auto m = target_response(kTxt);
    m.record(DnsMessage::kAnswer, {0xc0, 12}, kTxt, 300, {3, 'a', 'b', 'c'});
    const auto b = built_answer(m, kAsked, kTxt);
    AnswerBlock room;
    BOOST_TEST(write_alias_answer(b->answer(), {.asked = kAsked, .alias = kAlias}, room.bytes) >
               0U);
    auto& ttls = *reinterpret_cast<std::uint16_t*>(b->bytes.data() + sizeof(Answer));
    auto* const owner = const_cast<std::uint8_t*>(b->answer().body());
    BOOST_TEST(ttls == 6U);
    ttls = 4;
    owner[0] = owner[1] = 0xff;  // and no name is where it should begin
    owner[8] = 0;                // but the rest is a record
    owner[9] = 4;
    BOOST_TEST(write_alias_answer(b->answer(), {.asked = kAsked, .alias = kAlias}, room.bytes) ==
               0U);
}

BOOST_AUTO_TEST_CASE(a_small_buffer_is_refused_without_a_write_beyond_it) {
    auto m = target_response();
    for (std::uint8_t i = 0; i < 20; ++i)
        m.record(DnsMessage::kAnswer, {0xc0, 12}, kA, 300, {192, 0, 2, i});
    const auto original = built_answer(m, kAsked, kA);
    const AliasTerms terms{.asked = kAsked, .alias = kAlias};
    AnswerBlock out;
    const std::size_t size = write_alias_answer(original->answer(), terms, out.bytes);
    for (std::size_t room = 0; room < size; room += 4) {
        AnswerBlock small;
        small.bytes.fill(0xee);
        BOOST_TEST(write_alias_answer(original->answer(), terms,
                                      std::span(small.bytes).first(room)) == 0U);
        BOOST_TEST(std::all_of(small.bytes.begin() + static_cast<std::ptrdiff_t>(room),
                               small.bytes.begin() + static_cast<std::ptrdiff_t>(size),
                               [](std::uint8_t b) { return b == 0xee; }));
    }
}

BOOST_AUTO_TEST_SUITE_END()
