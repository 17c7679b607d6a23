#include "control/sources/transfer/transfer_reader.h"

#include "zone_maker.h"

namespace steer::transfer::test {
namespace {

using Kind = TransferReader::Kind;
using State = TransferReader::State;

const std::string kSent = "rpz.example";
constexpr TransferReader::Limits kLimits{1 << 20, 1000};

Bytes message(const std::string& text) {
    return response(1, kSent, dns::kIxfr, text);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(transfer_reader)

BOOST_AUTO_TEST_CASE(a_whole_zone_over_several_messages) {
    TransferReader reader(wire(kSent), std::nullopt, kLimits);
    BOOST_TEST((reader.take(message(soa(7) + "@ 300 NS localhost.\n")).value() == State::more));
    BOOST_TEST((reader.take(message("bad 300 CNAME .\nother.example. 60 A 192.0.2.1\n")).value() ==
                State::more));
    BOOST_TEST((reader.take(message("*.bad 300 CNAME .\n" + soa(7))).value() == State::complete));
    BOOST_TEST((reader.kind() == Kind::whole));
    BOOST_TEST(reader.left_out() == 1U);
    ZoneContents zone(wire(kSent));
    BOOST_REQUIRE(zone.replace(reader.whole().finish()));
    BOOST_TEST(zone.soa()->serial == 7U);
    BOOST_TEST(zone.records() == 4U);
}

BOOST_AUTO_TEST_CASE(an_ixfr_answer_of_one_soa_says_that_nothing_changed) {
    TransferReader reader(wire(kSent), 7, kLimits);
    BOOST_TEST((reader.take(message(soa(7))).value() == State::complete));
    BOOST_TEST((reader.kind() == Kind::unchanged));
    TransferReader newer(wire(kSent), 6, kLimits);
    BOOST_TEST((newer.take(message(soa(7))).value() == State::more));
}

BOOST_AUTO_TEST_CASE(differences_of_two_versions) {
    TransferReader reader(wire(kSent), 7, kLimits);
    const auto state =
        reader.take(message(soa(9) + soa(7) + "a 60 CNAME .\n" + soa(8) + "b 60 CNAME .\n" +
                            soa(8) + "b 60 CNAME .\n" + soa(9) + "c 60 CNAME .\n" + soa(9)));
    BOOST_REQUIRE_MESSAGE(state, (state ? "" : state.error().text));
    BOOST_TEST((*state == State::complete));
    BOOST_TEST((reader.kind() == Kind::differences));
    BOOST_REQUIRE_EQUAL(reader.differences().size(), 2U);
    BOOST_TEST(reader.differences()[0].from == 7U);
    BOOST_TEST(reader.differences()[1].to == 9U);
    ZoneContents zone = zone_of(soa(7) + "a 60 CNAME .\n", kSent);
    std::vector<Bytes> touched;
    BOOST_REQUIRE(zone.apply(reader.differences(), touched));
    BOOST_TEST(names_of(zone) == (std::vector<std::string>{"rpz.example", "c.rpz.example"}));
}

BOOST_AUTO_TEST_CASE(a_whole_zone_in_answer_to_ixfr) {
    TransferReader reader(wire(kSent), 7, kLimits);
    BOOST_TEST(
        (reader.take(message(soa(9) + "a 60 CNAME .\n" + soa(9))).value() == State::complete));
    BOOST_TEST((reader.kind() == Kind::whole));
}

BOOST_AUTO_TEST_CASE(wrong_streams_are_refused) {
    for (const std::string& text :
         {"a 60 CNAME .\n" + soa(1), soa(7) + "a 60 CNAME .\n" + soa(8),
          soa(9) + soa(6) + soa(9) + soa(9), soa(9) + soa(7) + soa(9) + soa(7),
          soa(9) + "a 60 A 192.0.2.1\n" + soa(9) + "b 60 A 192.0.2.1\n"}) {
        TransferReader reader(wire(kSent), 7, kLimits);
        BOOST_TEST(!reader.take(message(text)), "taken: " << text);
        BOOST_TEST(!reader.is_too_large());
    }
}

BOOST_AUTO_TEST_CASE(limits_end_a_transfer) {
    TransferReader few(wire(kSent), std::nullopt, {1 << 20, 2});
    const auto records = few.take(message(soa(1) + "a 60 CNAME .\nb 60 CNAME .\n" + soa(1)));
    BOOST_REQUIRE(!records);
    BOOST_TEST(records.error().text.find("max_records") != std::string::npos);
    BOOST_TEST(few.is_too_large());
    TransferReader small(wire(kSent), std::nullopt, {100, 100});
    const auto bytes = small.take(message(soa(1) + "a 60 CNAME .\nb 60 CNAME .\n" + soa(1)));
    BOOST_REQUIRE(!bytes);
    BOOST_TEST(bytes.error().text.find("max_size") != std::string::npos);
    BOOST_TEST(small.is_too_large());
}

BOOST_AUTO_TEST_CASE(differences_count_with_their_memory) {
    // Small on the wire, large in memory: a name of 200 bytes that each record points to.
    const std::string label(49, 'a');
    const std::string owner = label + "." + label + "." + label + "." + label;
    Bytes sent = response(1, owner + "." + kSent, dns::kIxfr, "");
    const std::size_t zone_at = dns::kHeaderSize + 4 * 50;
    unsigned count = 0;
    const auto put = [&](std::size_t name, std::uint16_t type, const Bytes& rdata) {
        put16(sent, static_cast<std::uint16_t>(0xc000 | name));
        put16(sent, type);
        put16(sent, dns::kIn);
        put32(sent, 60);
        put16(sent, static_cast<std::uint16_t>(rdata.size()));
        put_bytes(sent, rdata);
        ++count;
    };
    const auto put_soa = [&](std::uint32_t serial) {
        put(zone_at, dns::kSoa, records_of(soa(serial), kSent).front().rdata);
    };
    put_soa(9);
    put_soa(7);
    for (unsigned i = 0; i < 500; ++i)
        put(dns::kHeaderSize, dns::kA,
            {192, 0, static_cast<std::uint8_t>(i / 256), static_cast<std::uint8_t>(i)});
    put_soa(9);
    put_soa(9);
    dns::store_be16(&sent[6], static_cast<std::uint16_t>(count));
    BOOST_REQUIRE_LT(sent.size(), 16'000U);
    TransferReader reader(wire(kSent), 7, {100'000, 1000});
    const auto small = reader.take(sent);
    BOOST_REQUIRE(!small);
    BOOST_TEST(small.error().text.find("max_size") != std::string::npos);
    TransferReader roomy(wire(kSent), 7, {300'000, 1000});
    BOOST_TEST((roomy.take(sent).value() == State::complete));
}

BOOST_AUTO_TEST_CASE(an_older_serial_is_refused) {
    TransferReader by_axfr(wire(kSent), std::nullopt, kLimits, 7);
    BOOST_TEST(!by_axfr.take(message(soa(6) + "a 60 CNAME .\n" + soa(6))));
    TransferReader same(wire(kSent), std::nullopt, kLimits, 7);
    BOOST_TEST(!same.take(message(soa(7))));
    TransferReader newer(wire(kSent), std::nullopt, kLimits, 7);
    BOOST_TEST((newer.take(message(soa(8) + soa(8))).value() == State::complete));
    TransferReader by_ixfr(wire(kSent), 7, kLimits);
    BOOST_TEST(!by_ixfr.take(message(soa(6) + "a 60 CNAME .\n" + soa(6))));
}

BOOST_AUTO_TEST_CASE(differences_that_lead_backwards_or_in_a_circle_are_refused) {
    for (const std::string& text : {soa(9) + soa(7) + soa(6) + soa(6) + soa(9) + soa(9),
                                    soa(9) + soa(7) + soa(7) + soa(7) + soa(9) + soa(9)}) {
        TransferReader reader(wire(kSent), 7, kLimits);
        BOOST_TEST(!reader.take(message(text)), "taken: " << text);
    }
}

BOOST_AUTO_TEST_CASE(compressed_names_become_whole_and_lower_case) {
    Bytes wire_message = response(1, kSent, dns::kAxfr, "");
    dns::store_be16(&wire_message[6], 1);
    // The owner points to the question; the target is "WWW" before it.
    const Bytes rdata{3, 'W', 'W', 'W', 0xc0, 12};
    put16(wire_message, 0xc00c);
    put16(wire_message, dns::kCname);
    put16(wire_message, dns::kIn);
    put32(wire_message, 60);
    put16(wire_message, static_cast<std::uint16_t>(rdata.size()));
    put_bytes(wire_message, rdata);
    Bytes target;
    const auto read = read_records(
        wire_message, [&](Bytes& owner, ZoneRecord record, std::uint16_t) -> Result<void> {
            BOOST_TEST(owner == wire(kSent));
            target.assign(record.rdata.begin(), record.rdata.end());
            return {};
        });
    BOOST_TEST(read.has_value());
    BOOST_TEST(target == wire("www.rpz.example"));
}

BOOST_AUTO_TEST_CASE(an_ixfr_query_has_our_soa) {
    const ZoneContents zone = zone_of(soa(7), kSent);
    const auto record = zone.find(zone.zone()).find(dns::kSoa);
    const Bytes query = transfer_query(AskFor::ixfr, zone.zone(), 5, record->rdata);
    BOOST_TEST(dns::load_be16(query.data()) == 5U);
    BOOST_TEST(dns::load_be16(&query[8]) == 1U);
    const Bytes plain = transfer_query(AskFor::axfr, zone.zone(), 5);
    BOOST_TEST(plain.size() == 12U + zone.zone().size() + 4U);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace steer::transfer::test
