// Notes as log lines: summaries, responses as text, and foreign bytes that stay on their line.
#include "control/api/log/notes.h"

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <random>
#include <string>
#include <vector>

#include "control/api/log/mnemonics.h"
#include "control/api/log/response_text.h"
#include "support/dns_message.h"

using steer::Note;
using steer::NoteKind;
using steer::test::Bytes;
using steer::test::DnsMessage;

namespace {

Note note_of(NoteKind kind, const Bytes& qname, const Bytes& response = {}) {
    Note note{};
    note.kind = kind;
    note.qname_len = static_cast<std::uint8_t>(qname.size());
    std::copy(qname.begin(), qname.end(), note.qname.begin());
    note.qtype = 1;
    note.qclass = 1;
    note.client = *steer::IpAddress::parse("192.0.2.10");
    note.client_port = 5353;
    note.elapsed_ms = 3;
    note.has_response = response.empty() ? 0 : 1;
    note.response_bytes = static_cast<std::uint16_t>(response.size());
    std::copy_n(response.begin(), std::min(response.size(), note.response.size()),
                note.response.begin());
    return note;
}

void check_lines(const std::vector<std::string>& lines, const std::vector<std::string>& expected) {
    BOOST_CHECK_EQUAL_COLLECTIONS(lines.begin(), lines.end(), expected.begin(), expected.end());
}

}  // namespace

BOOST_AUTO_TEST_SUITE(notes)

BOOST_AUTO_TEST_CASE(a_summary_is_one_line) {
    Note note = note_of(NoteKind::summary, steer::test::wire_name("Stream.example"));
    check_lines(steer::ops::note_lines(note, "query summary"),
                {"query summary: qname=Stream.example qtype=A client=192.0.2.10 rcode=- ms=3"});
    note.has_response = 1;
    note.rcode = 3;
    note.qtype = 65;
    note.qclass = 3;
    check_lines(
        steer::ops::note_lines(note, ""),
        {"qname=Stream.example qtype=HTTPS qclass=CH client=192.0.2.10 rcode=NXDOMAIN ms=3"});
}

BOOST_AUTO_TEST_CASE(foreign_text_cannot_begin_a_line) {
    const Note note = note_of(NoteKind::summary, {5, 'a', '\n', '<', '3', '>', 0});
    const auto lines = steer::ops::note_lines(note, "two\nlines");
    BOOST_REQUIRE_EQUAL(lines.size(), 1U);
    BOOST_CHECK(lines[0].starts_with("two lines: qname=a\\010<3> "));
}

BOOST_AUTO_TEST_CASE(a_debug_print_shows_both_messages) {
    const auto name = steer::test::wire_name("www.example.org");
    DnsMessage response = DnsMessage::response(77, "www.example.org", 1);
    response.cname("www.example.org", 300, "w.example.net")
        .a("w.example.net", 60, {203, 0, 113, 7})
        .opt(1232);
    check_lines(
        steer::ops::note_lines(note_of(NoteKind::debug, name, response.bytes()), "dbg"),
        {"dbg: request www.example.org IN A from 192.0.2.10 port 5353, 3 ms ago",
         "dbg: response of " + std::to_string(response.bytes().size()) + " bytes",
         "dbg: ;; status NOERROR, id 77, flags qr rd ra; question 1, answer 2, authority 0, "
         "additional 1",
         "dbg: www.example.org. 300 IN CNAME w.example.net.",
         "dbg: w.example.net. 60 IN A 203.0.113.7", "dbg: ;; EDNS: version 0, flags; udp 1232"});
    const auto without = steer::ops::note_lines(note_of(NoteKind::debug, name), "dbg");
    BOOST_REQUIRE_EQUAL(without.size(), 2U);
    BOOST_CHECK_EQUAL(without[1], "dbg: no response yet");
}

BOOST_AUTO_TEST_CASE(a_long_response_is_cut_and_says_so) {
    DnsMessage response = DnsMessage::response(1, "a.org", 1);
    for (int i = 0; i < 100; ++i)
        response.a("a.org", 60, {192, 0, 2, 1});
    const auto lines = steer::ops::note_lines(
        note_of(NoteKind::debug, steer::test::wire_name("a.org"), response.bytes()), "");
    BOOST_CHECK(lines[1].ends_with(", the first 1232"));
    BOOST_CHECK_EQUAL(lines.back(), ";; cut off or malformed in the answer section");
}

BOOST_AUTO_TEST_CASE(common_types_are_written_as_text) {
    using steer::test::wire_name;
    DnsMessage m = DnsMessage::response(9, "x.org", 255, 0x8583);
    const Bytes owner = wire_name("x.org");
    const auto joined = [](Bytes head, const Bytes& tail) {
        head.insert(head.end(), tail.begin(), tail.end());
        return head;
    };
    m.record(DnsMessage::kAnswer, {0xc0, 12}, 28, 5,
             {0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1});
    m.record(DnsMessage::kAnswer, owner, 15, 5, joined({0, 10}, {2, 'm', 'x', 0xc0, 12}));
    m.record(DnsMessage::kAnswer, owner, 33, 5, joined({0, 1, 0, 2, 0, 53}, wire_name("s.org")));
    m.record(DnsMessage::kAnswer, owner, 16, 5, {3, 'a', '"', '\n', 1, '\\'});
    m.record(DnsMessage::kAnswer, owner, 99, 5, {5, 2});
    m.record(DnsMessage::kAnswer, owner, 4711, 5, {});
    m.record(DnsMessage::kAnswer, {0}, 2, 5, {0});
    m.soa("org", 7, 60);
    m.opt(4096, true, 0, 0, {0, 10, 0, 2, 0xab, 0xcd});
    check_lines(steer::ops::response_lines(m.bytes()),
                {";; status NXDOMAIN, id 9, flags qr aa rd ra; question 1, answer 7, authority 1, "
                 "additional 1",
                 "x.org. 5 IN AAAA 2001:db8::1", "x.org. 5 IN MX 10 mx.x.org.",
                 "x.org. 5 IN SRV 1 2 53 s.org.", "x.org. 5 IN TXT \"a\\\"\\010\" \"\\\\\"",
                 "x.org. 5 IN SPF \\# 2 0502", "x.org. 5 IN TYPE4711 \\# 0", ". 5 IN NS .",
                 "org. 7 IN SOA ns.org. root.org. 1 7200 3600 1209600 60",
                 ";; EDNS: version 0, flags do; udp 4096; options 000a0002abcd"});
}

BOOST_AUTO_TEST_CASE(other_types_are_readable_and_invalid_rdata_is_written_as_bytes) {
    using steer::test::wire_name;
    const Bytes owner = wire_name("x.org");
    DnsMessage m = DnsMessage::response(9, "x.org", 255);
    const auto add = [&](std::uint16_t type, const Bytes& rdata) {
        m.record(DnsMessage::kAnswer, owner, type, 5, rdata);
    };
    add(65, {0, 1, 0, 0, 1, 0, 3, 2, 'h', '2', 0, 3, 0, 2, 1, 0xbb});
    add(257, {0, 5, 'i', 's', 's', 'u', 'e', 'c', 'a'});
    add(43, {1, 2, 13, 2, 0xab, 0xcd});
    add(51, {1, 0, 0, 0, 0});
    add(47, {1, 'a', 0, 0, 1, 0x40});
    add(13, {1, 9, 1, 0xe5});
    add(11, {192, 0, 2, 1, 6, 255});       // WKS: never handed to ldns
    add(44, {1});                          // ends early
    add(108, {0, 0, 94, 0, 83, 42, 9});    // has a byte too many
    add(65, {0, 1, 0, 0, 3, 0, 9, 1, 1});  // a value that is longer than the record
    auto lines = steer::ops::response_lines(m.bytes());
    lines.erase(lines.begin());
    check_lines(lines, {"x.org. 5 IN HTTPS 1 . alpn=h2 port=443", "x.org. 5 IN CAA 0 issue \"ca\"",
                        "x.org. 5 IN DS 258 13 2 abcd", "x.org. 5 IN NSEC3PARAM 1 0 0 -",
                        "x.org. 5 IN NSEC a. A", "x.org. 5 IN HINFO \"\\009\" \"\\229\"",
                        "x.org. 5 IN WKS \\# 6 c000020106ff", "x.org. 5 IN SSHFP \\# 1 01",
                        "x.org. 5 IN EUI48 \\# 7 00005e00532a09",
                        "x.org. 5 IN HTTPS \\# 9 000100000300090101"});
}

BOOST_AUTO_TEST_CASE(any_bytes_give_valid_lines) {
    DnsMessage m = DnsMessage::response(9, "x.org", 1);
    m.cname("x.org", 5, "y.org").a("y.org", 5, {192, 0, 2, 1}).soa("org", 7, 60).opt(1232);
    std::mt19937 random{11};
    for (int i = 0; i < 20000; ++i) {
        Bytes bytes = m.bytes();
        for (int edits = 0; edits < 3; ++edits) {
            bytes[random() % bytes.size()] = static_cast<std::uint8_t>(random());
        }
        bytes.resize(random() % (bytes.size() + 1));
        for (const auto& line : steer::ops::response_lines(bytes)) {
            BOOST_REQUIRE(std::ranges::none_of(
                line, [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; }));
        }
    }
}

BOOST_AUTO_TEST_CASE(types_classes_and_rcodes_have_mnemonics) {
    using namespace steer::ops;
    BOOST_CHECK_EQUAL(type_name(28), "AAAA");
    BOOST_CHECK_EQUAL(type_name(4711), "TYPE4711");
    BOOST_CHECK_EQUAL(class_name(1), "IN");
    BOOST_CHECK_EQUAL(class_name(9), "CLASS9");
    BOOST_CHECK_EQUAL(rcode_name(2), "SERVFAIL");
    BOOST_CHECK_EQUAL(rcode_name(13), "RCODE13");
}

BOOST_AUTO_TEST_SUITE_END()
