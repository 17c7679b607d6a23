// Frames of capture files as `steerctl replay` reads them, and the queries that it makes of them.
#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <vector>

#include "captured_frame.h"
#include "captured_queries.h"

using namespace steerctl;

namespace {

using Bytes = std::vector<std::uint8_t>;

Bytes operator+(Bytes a, const Bytes& b) {
    a.insert(a.end(), b.begin(), b.end());
    return a;
}
Bytes be16(std::size_t n) {
    return {static_cast<std::uint8_t>(n >> 8U), static_cast<std::uint8_t>(n)};
}
Bytes name(std::string_view text) {
    Bytes out;
    while (!text.empty()) {
        const auto label = text.substr(0, text.find('.'));
        out.push_back(static_cast<std::uint8_t>(label.size()));
        out.insert(out.end(), label.begin(), label.end());
        text.remove_prefix(std::min(label.size() + 1, text.size()));
    }
    out.push_back(0);
    return out;
}
Bytes message(std::uint16_t id, std::uint16_t flags, std::string_view asked, unsigned records = 0,
              const Bytes& answers = {}) {
    return be16(id) + be16(flags) + be16(1) + be16(records) + be16(0) + be16(0) + name(asked) +
           be16(1) + be16(1) + answers;
}
Bytes record(std::uint16_t type, const Bytes& rdata) {
    return be16(0xc00c) + be16(type) + be16(1) + Bytes{0, 0, 1, 44} + be16(rdata.size()) + rdata;
}
Bytes udp(std::uint16_t from, std::uint16_t to, const Bytes& payload) {
    return be16(from) + be16(to) + be16(8 + payload.size()) + be16(0) + payload;
}
const Bytes kClient{192, 0, 2, 7}, kServer{198, 51, 100, 1}, kUpstream{203, 0, 113, 1};
Bytes ipv4(const Bytes& from, const Bytes& to, const Bytes& payload, std::uint8_t protocol = 17,
           std::uint16_t fragment = 0) {
    return Bytes{0x45, 0} + be16(20 + payload.size()) + be16(0) + be16(fragment) +
           Bytes{64, protocol} + be16(0) + from + to + payload;
}
Bytes ipv6(std::uint8_t next, const Bytes& payload) {
    Bytes client(16, 0x20), server(16, 0x21);
    return Bytes{0x60, 0, 0, 0} + be16(payload.size()) + Bytes{next, 64} + client + server +
           payload;
}
Bytes ethernet(std::uint16_t type, const Bytes& payload) {
    return Bytes(12, 2) + be16(type) + payload;
}
const Bytes kAsked = message(7, 0x0100, "www.Example.com");
const Bytes kQuery = ipv4(kClient, kServer, udp(40000, 53, kAsked));

FrameKind kind_of(LinkType link, const Bytes& frame) {
    CapturedDatagram datagram;
    return read_frame(link, frame, datagram);
}
bool is_query(LinkType link, const Bytes& frame) {
    CapturedDatagram datagram;
    return read_frame(link, frame, datagram) == FrameKind::dns && !datagram.is_cut &&
           std::ranges::equal(datagram.message, kAsked) && datagram.source_port == 40000 &&
           datagram.destination_port == 53;
}

struct Replayed {
    std::vector<std::string> lines;
    CaptureCounts counts;
};
Replayed replayed(const std::vector<Bytes>& packets) {
    CapturedQueries queries;
    for (const Bytes& packet : packets)
        queries.add(LinkType::raw_ip, packet);
    Replayed out;
    for (const CapturedQuery& query : queries.take())
        out.lines.push_back(line_of(query));
    out.counts = queries.counts();
    return out;
}
Bytes from_client(std::string_view asked, std::uint16_t id = 7, std::uint16_t port = 40000) {
    return ipv4(kClient, kServer, udp(port, 53, message(id, 0x0100, asked)));
}
Bytes to_client(const Bytes& payload, std::uint16_t port = 40000) {
    return ipv4(kServer, kClient, udp(53, port, payload));
}

}  // namespace

BOOST_AUTO_TEST_SUITE(steerctl_captured)

BOOST_AUTO_TEST_CASE(frames_of_each_link_type_are_read) {
    BOOST_CHECK(is_query(LinkType::raw_ip, kQuery));
    BOOST_CHECK(is_query(LinkType::ethernet, ethernet(0x0800, kQuery)));
    BOOST_CHECK(is_query(LinkType::ethernet, ethernet(0x0800, kQuery + Bytes(18, 0))));  // padding
    const Bytes tagged = be16(7) + be16(0x0800) + kQuery;
    BOOST_CHECK(is_query(LinkType::ethernet, ethernet(0x8100, tagged)));
    BOOST_CHECK(is_query(LinkType::ethernet, ethernet(0x88a8, be16(3) + be16(0x8100) + tagged)));
    BOOST_CHECK(is_query(LinkType::linux_cooked, Bytes(14, 0) + be16(0x0800) + kQuery));
    BOOST_CHECK(is_query(LinkType::linux_cooked2, be16(0x0800) + Bytes(18, 0) + kQuery));
    const Bytes datagram = udp(40000, 53, kAsked);
    BOOST_CHECK(is_query(LinkType::ethernet, ethernet(0x86dd, ipv6(17, datagram))));
    BOOST_CHECK(is_query(LinkType::raw_ip, ipv6(0, Bytes{60, 0, 1, 4, 0, 0, 0, 0} + Bytes{17, 1} +
                                                       Bytes(14, 0) + datagram)));
    BOOST_CHECK(is_query(LinkType::raw_ip, ipv6(51, Bytes{17, 4} + Bytes(22, 0) + datagram)));
    // A fragment header of a whole datagram (RFC 6946).
    BOOST_CHECK(is_query(LinkType::raw_ip, ipv6(44, Bytes{17, 0} + Bytes(6, 0) + datagram)));
}

BOOST_AUTO_TEST_CASE(other_frames_have_a_kind) {
    using enum FrameKind;
    BOOST_CHECK(kind_of(LinkType::ethernet, ethernet(0x0806, Bytes(28, 0))) == other);
    BOOST_CHECK(kind_of(LinkType::ethernet, ethernet(0x0026, Bytes(38, 0))) == other);
    BOOST_CHECK(kind_of(LinkType::raw_ip, Bytes{0x50}) == other);
    BOOST_CHECK(kind_of(LinkType::raw_ip, ipv4(kClient, kServer, udp(5, 443, kAsked))) == other);
    BOOST_CHECK(kind_of(LinkType::raw_ip, ipv4(kClient, kServer, Bytes(8, 0), 1)) == other);
    const Bytes segment = be16(40000) + be16(53) + Bytes(16, 0);
    BOOST_CHECK(kind_of(LinkType::raw_ip, ipv4(kClient, kServer, segment, 6)) == tcp);
    BOOST_CHECK(kind_of(LinkType::raw_ip, ipv6(6, segment)) == tcp);
    for (const std::uint16_t bits : std::initializer_list<std::uint16_t>{0x2000, 1, 0x1fff})
        BOOST_CHECK(kind_of(LinkType::raw_ip, ipv4(kClient, kServer, segment, 17, bits)) ==
                    fragment);
    BOOST_CHECK(kind_of(LinkType::raw_ip, ipv4(kClient, kServer, segment, 6, 1)) == other);
    BOOST_CHECK(kind_of(LinkType::raw_ip, ipv6(44, Bytes{17, 0, 0, 1} + Bytes(20, 0))) == fragment);
    // (Don't-fragment is no fragment.)
    BOOST_CHECK(kind_of(LinkType::raw_ip,
                        ipv4(kClient, kServer, udp(40000, 53, kAsked), 17, 0x4000)) == dns);
}

BOOST_AUTO_TEST_CASE(each_prefix_of_a_frame_is_cut) {
    const std::vector<std::pair<LinkType, Bytes>> all{
        {LinkType::raw_ip, kQuery},
        {LinkType::ethernet, ethernet(0x8100, be16(7) + be16(0x0800) + kQuery)},
        {LinkType::linux_cooked2,
         be16(0x86dd) + Bytes(18, 0) +
             ipv6(0, Bytes{17, 0, 1, 4, 0, 0, 0, 0} + udp(40000, 53, kAsked))}};
    for (const auto& [link, frame] : all) {
        for (std::size_t size = 0; size < frame.size(); ++size) {
            CapturedDatagram datagram;
            const FrameKind kind = read_frame(
                link, Bytes(frame.begin(), frame.begin() + static_cast<std::ptrdiff_t>(size)),
                datagram);
            BOOST_TEST((kind == FrameKind::cut || (kind == FrameKind::dns && datagram.is_cut)),
                       size);
        }
        BOOST_CHECK(kind_of(link, frame) == FrameKind::dns);
    }
}

BOOST_AUTO_TEST_CASE(wrong_lengths_are_cut) {
    const auto with = [](std::size_t at, std::uint8_t value) {
        Bytes frame = kQuery;
        frame[at] = value;
        return kind_of(LinkType::raw_ip, frame);
    };
    BOOST_CHECK(with(0, 0x44) == FrameKind::cut);  // header of 16 bytes
    BOOST_CHECK(with(3, 19) == FrameKind::cut);    // total length below the header's
    BOOST_CHECK(with(25, 7) == FrameKind::cut);    // UDP length below its header's
    BOOST_CHECK(with(25, 200) == FrameKind::cut);  // and above that of IP
}

BOOST_AUTO_TEST_CASE(equal_queries_are_one_and_the_most_frequent_come_first) {
    const auto got = replayed({from_client("rare.example"), from_client("WWW.example"),
                               from_client("www.example", 8, 40001),
                               ipv6(17, udp(40000, 53, message(1, 0, "six.example")))});
    BOOST_REQUIRE_EQUAL(got.lines.size(), 3U);
    BOOST_CHECK_EQUAL(got.lines[0], "2 192.0.2.7 198.51.100.1 1 1 www.example");
    BOOST_CHECK_EQUAL(got.lines[1], "1 192.0.2.7 198.51.100.1 1 1 rare.example");
    BOOST_CHECK_EQUAL(got.lines[2].substr(0, 4), "1 20");
    BOOST_CHECK_EQUAL(got.counts.queries, 4U);
    BOOST_CHECK_EQUAL(got.counts.frames, 4U);
}

BOOST_AUTO_TEST_CASE(an_answer_belongs_to_its_flow_id_and_question) {
    const Bytes address = record(1, {203, 0, 113, 9});
    const auto answered = [&](const Bytes& response, std::uint16_t port = 40000) {
        return replayed({from_client("www.example"), to_client(response, port)})
            .lines.at(0)
            .substr(29);
    };
    const std::string none = "www.example";
    BOOST_CHECK_EQUAL(answered(message(7, 0x8180, "www.example", 1, address)),
                      none + " 0 203.0.113.9");
    BOOST_CHECK_EQUAL(answered(message(7, 0x8180, "WWW.EXAMPLE", 1, address)),
                      none + " 0 203.0.113.9");
    BOOST_CHECK_EQUAL(answered(message(7, 0x8183, "www.example")), none + " 3");
    BOOST_CHECK_EQUAL(answered(message(8, 0x8180, "www.example", 1, address)), none);
    BOOST_CHECK_EQUAL(answered(message(7, 0x8180, "www.example", 1, address), 40001), none);
    BOOST_CHECK_EQUAL(answered(message(7, 0x8180, "other.example", 1, address)), none);
    // Not the whole answer: TC, an error, and fewer records than the header counts.
    BOOST_CHECK_EQUAL(answered(message(7, 0x8380, "www.example", 1, address)), none);
    BOOST_CHECK_EQUAL(answered(message(7, 0x8182, "www.example")), none);
    BOOST_CHECK_EQUAL(answered(message(7, 0x8180, "www.example", 2, address)), none);
    // Aliases, IPv6, other types.
    const Bytes v6 = Bytes{0x20, 1, 0xd, 0xb8} + Bytes(11, 0) + Bytes{1};
    BOOST_CHECK_EQUAL(answered(message(7, 0x8180, "www.example", 3,
                                       record(5, name("Cdn.Example")) + record(28, v6) +
                                           record(16, Bytes{1, 'x'}))),
                      none + " 0 cdn.example 2001:db8::1 TYPE16");
}

BOOST_AUTO_TEST_CASE(queries_of_servers_are_left_out) {
    const auto upstream = [](const Bytes& from) {
        return ipv4(from, kUpstream, udp(5000, 53, message(9, 0x0100, "www.example")));
    };
    const auto got = replayed(
        {upstream(kServer), from_client("www.example"), upstream(kServer), upstream(kClient),
         ipv4(kServer, kServer, udp(5001, 53, message(9, 0, "self.example")))});
    BOOST_CHECK_EQUAL(got.counts.servers, 2U);
    BOOST_CHECK_EQUAL(got.counts.queries, 3U);
    BOOST_REQUIRE_EQUAL(got.lines.size(), 3U);
    BOOST_CHECK_EQUAL(got.lines[0], "1 192.0.2.7 198.51.100.1 1 1 www.example");
    BOOST_CHECK_EQUAL(got.lines[1], "1 192.0.2.7 203.0.113.1 1 1 www.example");
    BOOST_CHECK_EQUAL(got.lines[2], "1 198.51.100.1 198.51.100.1 1 1 self.example");
}

BOOST_AUTO_TEST_CASE(messages_that_are_no_queries_are_counted) {
    const Bytes junk = ipv4(kClient, kServer, udp(40000, 53, {1, 2, 3}));
    const Bytes pointer =
        ipv4(kClient, kServer,
             udp(40000, 53,
                 be16(7) + be16(0) + be16(1) + Bytes(6, 0) + be16(0xc00c) + be16(1) + be16(1)));
    const Bytes wrong_direction =
        ipv4(kClient, kServer, udp(40000, 53, message(7, 0x8180, "a.example")));
    BOOST_CHECK_EQUAL(replayed({junk, pointer, wrong_direction}).counts.malformed, 3U);
    // A question that the file has whole is enough.
    Bytes cut = ipv4(kClient, kServer, udp(40000, 53, kAsked + Bytes(11, 0)));
    cut.resize(cut.size() - 5);
    BOOST_CHECK_EQUAL(replayed({cut}).lines.size(), 1U);
    cut.resize(cut.size() - 8);
    BOOST_CHECK_EQUAL(replayed({cut}).counts.cut, 1U);
}

BOOST_AUTO_TEST_CASE(answers_are_awaited_within_bounds) {
    CapturedQueries queries;
    const auto answer_to = [](std::uint16_t id) {
        return to_client(message(id, 0x8183, "www.example"));
    };
    for (std::size_t i = 0; i < 2 * kMostAwaited + 2; ++i) {
        const auto port = static_cast<std::uint16_t>(30000 + i / 60000);
        queries.add(LinkType::raw_ip,
                    from_client("www.example", static_cast<std::uint16_t>(i % 60000), port));
    }
    queries.add(LinkType::raw_ip,
                to_client(message(1, 0x8183, "www.example"), 30000));  // forgotten
    queries.add(LinkType::raw_ip, to_client(message(1, 0x8183, "www.example"), 30002));
    queries.add(LinkType::raw_ip, answer_to(1));  // never asked
    BOOST_CHECK_EQUAL(queries.take().size(), 1U);
    BOOST_CHECK_EQUAL(queries.counts().answered, 1U);
}

BOOST_AUTO_TEST_CASE(records_have_the_first_queries_that_fit) {
    CapturedQueries captured;
    for (const std::string_view asked : {"a.example", "b.example", "a.example"})
        captured.add(LinkType::raw_ip, from_client(asked));
    const auto queries = captured.take();
    const std::string first = line_of(queries[0]) + "\n";
    BOOST_CHECK_EQUAL(records_of(queries, 10000).omitted_distinct, 0U);
    const auto one = records_of(queries, first.size() + 1);  // the line's end is two bytes of JSON
    BOOST_CHECK_EQUAL(one.lines, first);
    BOOST_CHECK_EQUAL(one.omitted_distinct, 1U);
    BOOST_CHECK_EQUAL(one.omitted_queries, 1U);
    BOOST_CHECK_EQUAL(records_of(queries, first.size()).lines, "");
    BOOST_CHECK_EQUAL(records_of(queries, first.size()).omitted_queries, 3U);
}

BOOST_AUTO_TEST_SUITE_END()
