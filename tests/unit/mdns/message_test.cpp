#include "control/mdns/message.h"

#include <boost/test/unit_test.hpp>

#include "control/mdns/message_writer.h"
#include "packet.h"

using namespace steer;
using namespace steer::mdns;

namespace {

const std::string kBrowse =
    "! _ipp._tcp.local PTR 4500 -> Laser 7._ipp._tcp.local\n"
    "+ Laser 7._ipp._tcp.local SRV flush 120 -> laser.local\n"
    "+ Laser 7._ipp._tcp.local TXT flush 120\n"
    "+ laser.local A flush 120\n"
    "+ laser.local NSEC flush 120 -> laser.local\n";

Packet browse_answer() {
    Bytes nsec = wire("laser.local");
    nsec.insert(nsec.end(), {0, 4, 0x40, 0, 0, 8});
    return Packet::response()
        .answer("_ipp._tcp.local", dns::kPtr, wire("Laser\\0327._ipp._tcp.local"), kIn, 4500)
        .additional("Laser\\0327._ipp._tcp.local", dns::kSrv, srv("laser.local"))
        .additional("Laser\\0327._ipp._tcp.local", dns::kTxt, text("rp=ipp"))
        .additional("laser.local", dns::kA, address("192.0.2.7"))
        .additional("laser.local", dns::kNsec, nsec);
}

Bytes written(std::span<const std::uint8_t> packet, Reader reader) {
    const auto message = read_message(packet);
    BOOST_REQUIRE(message);
    MessageWriter writer(message->id, message->flags, reader);
    for (const auto& q : message->questions)
        writer.question(q.name, q.type, q.klass);
    for (const auto& r : message->records)
        writer.record(r);
    return writer.take();
}

std::string without_escapes(std::string text) {
    for (std::size_t at; (at = text.find("\\032")) != std::string::npos;)
        text.replace(at, 4, " ");
    return text;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(message)

BOOST_AUTO_TEST_CASE(a_message_is_read_whole) {
    const auto message = read_message(Packet::query()
                                          .id(7)
                                          .question("_ipp._tcp.local", dns::kPtr, kQuIn)
                                          .question("LASER.local", dns::kA)
                                          .bytes());
    BOOST_REQUIRE(message);
    BOOST_TEST(message->id == 7);
    BOOST_TEST(!message->is_response());
    BOOST_REQUIRE(message->questions.size() == 2U);
    BOOST_TEST(message->questions[0].klass == kQuIn);
    BOOST_TEST(message->questions[1].key == std::string("\5laser\5local\0", 13));
    BOOST_TEST(without_escapes(text_of(browse_answer().bytes())) == kBrowse);
}

BOOST_AUTO_TEST_CASE(a_written_message_is_compressed_and_equivalent) {
    const Bytes plain = browse_answer().bytes();
    const Bytes multicast = written(plain, Reader::multicast);
    const Bytes legacy = written(plain, Reader::legacy);
    BOOST_TEST(without_escapes(text_of(multicast)) == kBrowse);
    BOOST_TEST(without_escapes(text_of(legacy)) == kBrowse);
    // laser.local, eight times less four: once whole, then two bytes each; SRV and NSEC are whole for who knows DNS alone.
    BOOST_TEST(multicast.size() < legacy.size());
    BOOST_TEST(legacy.size() < plain.size());
    BOOST_TEST(written(multicast, Reader::multicast) == multicast,
               boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(a_record_that_is_taken_back_leaves_no_byte) {
    const auto message = read_message(browse_answer().bytes());
    MessageWriter writer(0, dns::kQr);
    writer.record(message->records[0]);
    const auto size = writer.size();
    writer.record(message->records[3]);
    writer.undo_record(Section::additional, size);
    writer.record(message->records[3]);
    BOOST_TEST(
        without_escapes(text_of(writer.take())) ==
        "! _ipp._tcp.local PTR 4500 -> Laser 7._ipp._tcp.local\n+ laser.local A flush 120\n");
}

BOOST_AUTO_TEST_CASE(every_shortened_message_is_malformed) {
    for (const Bytes& packet :
         {browse_answer().bytes(), written(browse_answer().bytes(), Reader::multicast)}) {
        for (std::size_t n = 0; n < packet.size(); ++n)
            BOOST_TEST(text_of(std::span(packet).first(n)) == "malformed", n);
        Bytes longer = packet;
        longer.push_back(0);
        BOOST_TEST(text_of(longer) == "malformed");
    }
}

BOOST_AUTO_TEST_CASE(other_dns_messages_are_refused) {
    const auto asked = [](std::uint16_t flags) {
        return text_of(Packet::query().flags(flags).question("a.local", dns::kA).bytes());
    };
    BOOST_TEST(asked(0x0000) != "malformed");
    BOOST_TEST(asked(0x0800) == "malformed");  // opcode (RFC 6762 18.3)
    BOOST_TEST(asked(0x8003) == "malformed");  // rcode (18.11)
    BOOST_TEST(text_of(Packet::response().answer("a.local", dns::kA, {1, 2, 3}).bytes()) ==
               "malformed");
    BOOST_TEST(text_of(Packet::response().answer("a.local", dns::kAaaa, {1, 2, 3, 4}).bytes()) ==
               "malformed");
    BOOST_TEST(text_of(Packet::response().answer("a.local", dns::kPtr, {}).bytes()) == "malformed");
    Bytes loop = Packet::query().question("a.local", dns::kA).bytes();
    loop[12] = 0xc0;  // a name that points to itself
    loop[13] = 12;
    BOOST_TEST(text_of(loop) == "malformed");
}

BOOST_AUTO_TEST_CASE(parsing_any_packet_takes_bounded_work) {
    std::string deep;
    for (int i = 0; i < 100; ++i)
        deep += "a.";
    Packet packet = Packet::query();
    packet.question(deep + "local", dns::kA);
    Bytes bytes = packet.bytes();
    const auto ask_again = [&] {
        for (const std::uint8_t byte : Bytes{0xc0, 12, 0, 1, 0, 1})
            bytes.push_back(byte);
        dns::store_be16(&bytes[4], static_cast<std::uint16_t>(dns::load_be16(&bytes[4]) + 1));
    };
    for (std::size_t labels = 101; labels + 101 <= kMaxLabels; labels += 101)
        ask_again();
    BOOST_TEST(text_of(bytes) != "malformed");
    ask_again();
    BOOST_TEST(text_of(bytes) == "malformed");
}

BOOST_AUTO_TEST_SUITE_END()
