// Copies of frames (dataplane/stages/capture.h): what a filter selects, and what is in the ring afterwards.
#include "dataplane/stages/capture.h"

#include <rte_mbuf.h>

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <string>
#include <vector>

#include "support/dns_message.h"
#include "support/ring_port.h"
#include "support/udp_frame.h"

namespace steer::test::capture_cases {
namespace {

const IpAddress kClient = *IpAddress::parse("192.0.2.7"), kOurs = *IpAddress::parse("10.0.0.1");
const IpAddress kClient6 = *IpAddress::parse("2001:db8::7"),
                kOurs6 = *IpAddress::parse("2001:db8:1::1");
const IpAddress kUpstream = *IpAddress::parse("198.51.100.53");
constexpr std::size_t kMacs = 14, kIpv6 = 40;

struct Asked {
    std::string name = "www.example.com";
    std::vector<std::uint16_t> vlans{};
    bool is_v6 = false;
};
Bytes query(const Asked& asked) {
    return make_udp_frame({.vlans = asked.vlans,
                           .from = asked.is_v6 ? kClient6 : kClient,
                           .to = asked.is_v6 ? kOurs6 : kOurs,
                           .from_port = 40'000,
                           .to_port = 53,
                           .payload = DnsMessage::query(7, asked.name, 1).bytes()});
}
Bytes datagram(const Bytes& payload) {
    return make_udp_frame(
        {.from = kClient, .to = kOurs, .from_port = 40'000, .to_port = 53, .payload = payload});
}

CaptureFilter by_wire_name(const Bytes& wire) {
    CaptureFilter filter;
    std::ranges::copy(wire, filter.name.begin());
    filter.name_len = static_cast<std::uint8_t>(wire.size());
    return filter;
}
CaptureFilter by_name(const std::string& name) {
    return by_wire_name(wire_name(name));
}
CaptureFilter by_client(const char* prefix) {
    CaptureFilter filter;
    filter.hosts = matchers::PrefixSet({*matchers::Prefix::parse(prefix)});
    return filter;
}
CaptureFilter by_port(std::uint16_t port) {
    CaptureFilter filter;
    filter.transport_port = port;
    return filter;
}

// IPv6 with these extension headers before UDP.
Bytes extended(std::uint8_t first, const Bytes& headers) {
    Bytes frame = query({.is_v6 = true});
    frame[kMacs + 6] = first;
    const std::size_t length = frame.size() - kMacs - kIpv6 + headers.size();
    frame[kMacs + 4] = static_cast<std::uint8_t>(length >> 8U);
    frame[kMacs + 5] = static_cast<std::uint8_t>(length);
    frame.insert(frame.begin() + kMacs + kIpv6, headers.begin(), headers.end());
    return frame;
}

// A worker's part, with a ring that the test reads.
struct OneWorker {
    explicit OneWorker(unsigned cells = 256) : ring(cells) {}
    ~OneWorker() {
        for (rte_mbuf* m : mbufs)
            rte_pktmbuf_free(m);
    }
    // In segments of these sizes; the last one has the rest.
    rte_mbuf* mbuf(const Bytes& frame, const std::vector<std::size_t>& sizes = {}) {
        rte_mbuf* head = nullptr;
        std::size_t at = 0;
        for (std::size_t i = 0; i <= sizes.size(); ++i) {
            rte_mbuf* const one = rte_pktmbuf_alloc(port.port().pool());
            BOOST_REQUIRE(one != nullptr);
            const std::size_t n =
                i < sizes.size() ? std::min(sizes[i], frame.size() - at) : frame.size() - at;
            std::copy_n(frame.begin() + static_cast<std::ptrdiff_t>(at), n,
                        rte_pktmbuf_mtod(one, std::uint8_t*));
            one->data_len = static_cast<std::uint16_t>(n);
            one->pkt_len = static_cast<std::uint32_t>(n);
            at += n;
            if (head == nullptr) {
                head = one;
            } else {
                BOOST_REQUIRE(rte_pktmbuf_chain(head, one) == 0);
            }
        }
        return mbufs.emplace_back(head);
    }
    void inspect(rte_mbuf* m, bool is_sent = false) {
        const std::array all{m};
        capture.inspect(all, port.port(), 1, is_sent);
    }

    struct Got {
        CapturedFrame head;
        Bytes bytes;
    };
    std::vector<Got> got() {
        std::vector<Got> all;
        ring.for_each([&](std::span<const std::uint8_t> cells) {
            const auto& head = *reinterpret_cast<const CapturedFrame*>(cells.data());
            const auto bytes = head.bytes();
            BOOST_REQUIRE(sizeof head + bytes.size() <= cells.size());
            all.push_back({head, {bytes.begin(), bytes.end()}});
        });
        return all;
    }

    RingPort port{"capture0"};
    CellRing ring;
    std::atomic<const CaptureFilter*> place{nullptr};
    Counters counters;
    Capture capture{3, &ring, place, counters};
    std::vector<rte_mbuf*> mbufs;
};

}  // namespace

BOOST_AUTO_TEST_SUITE(capture)

BOOST_AUTO_TEST_CASE(without_a_condition_all_frames_are_selected) {
    const CaptureFilter filter;
    BOOST_TEST(filter.selects(query({})));
    BOOST_TEST(filter.selects(Bytes{}));
    BOOST_TEST(filter.selects(Bytes(60, 0xff)));
}

BOOST_AUTO_TEST_CASE(a_name_selects_itself_and_names_below_it_in_any_case) {
    for (const bool is_v6 : {false, true}) {
        const auto asks = [&](const char* name) { return query({.name = name, .is_v6 = is_v6}); };
        const CaptureFilter filter = by_name("example.com");
        BOOST_TEST(filter.selects(asks("example.com")));
        BOOST_TEST(filter.selects(asks("eXAMPLE.Com")));
        BOOST_TEST(filter.selects(asks("a.b.example.com")));
        for (const char* other : {"com", "", "notexample.com", "example.org", "example.com.org"})
            BOOST_TEST(!filter.selects(asks(other)), other);
    }
    // The end of a label is not a label.
    BOOST_TEST(!by_name("c.d").selects(datagram(
        DnsMessage(1, 0x100).set(4, 1).raw({4, 'b', 1, 'c', 1, 'd', 0}).u16(1).u16(1).bytes())));
}

BOOST_AUTO_TEST_CASE(a_client_is_one_of_the_two_addresses) {
    BOOST_TEST(by_client("192.0.2.7").selects(query({})));
    BOOST_TEST(by_client("10.0.0.0/8").selects(query({})));
    BOOST_TEST(!by_client("192.0.2.8").selects(query({})));
    BOOST_TEST(by_client("2001:db8::/64").selects(query({.is_v6 = true})));
    BOOST_TEST(!by_client("2001:db8:2::/64").selects(query({.is_v6 = true})));
    BOOST_TEST(!by_client("192.0.2.0/24").selects(query({.is_v6 = true})));
    BOOST_TEST(!by_client("0.0.0.0/0").selects(Bytes(60, 0)));  // it has no address
}

BOOST_AUTO_TEST_CASE(a_port_is_one_of_the_two_of_udp_or_tcp) {
    BOOST_TEST(by_port(53).selects(query({})));
    BOOST_TEST(by_port(40'000).selects(query({.is_v6 = true})));
    BOOST_TEST(!by_port(54).selects(query({})));
    Bytes tcp = query({});
    tcp[kMacs + 9] = 6;
    BOOST_TEST(by_port(53).selects(tcp));
    BOOST_TEST(!by_name("example.com").selects(tcp));
    tcp[kMacs + 9] = 1;  // ICMP
    BOOST_TEST(!by_port(53).selects(tcp));
}

BOOST_AUTO_TEST_CASE(all_conditions_count) {
    CaptureFilter filter = by_name("example.com");
    filter.transport_port = 53;
    filter.hosts = by_client("192.0.2.0/24").hosts;
    BOOST_TEST(filter.selects(query({})));
    BOOST_TEST(!filter.selects(query({.name = "example.org"})));
    BOOST_TEST(!filter.selects(query({.is_v6 = true})));
    filter.transport_port = 54;
    BOOST_TEST(!filter.selects(query({})));
}

BOOST_AUTO_TEST_CASE(queries_to_upstreams_and_their_answers_are_selected) {
    const auto message = DnsMessage::response(9, "wWw.Example.com", 1)
                             .record(DnsMessage::kAnswer, {0xc0, 12}, 1, 60, {203, 0, 113, 7});
    const Bytes asked =
        make_udp_frame({.from = kOurs,
                        .to = kUpstream,
                        .from_port = 21'000,
                        .to_port = 53,
                        .payload = DnsMessage::query(9, "wWw.Example.com", 1).opt(1232).bytes()});
    const Bytes answered = make_udp_frame({.from = kUpstream,
                                           .to = kOurs,
                                           .from_port = 53,
                                           .to_port = 21'000,
                                           .payload = message.bytes()});
    for (const Bytes& frame : {asked, answered}) {
        BOOST_TEST(by_name("example.com").selects(frame));
        BOOST_TEST(by_client("198.51.100.53").selects(frame));
        BOOST_TEST(by_port(21'000).selects(frame));
        BOOST_TEST(!by_client("192.0.2.7").selects(frame));
    }
}

BOOST_AUTO_TEST_CASE(tags_are_read_up_to_two) {
    const CaptureFilter filter = by_name("example.com");
    BOOST_TEST(filter.selects(query({.vlans = {7}})));
    Bytes qinq = query({.vlans = {7, 8}, .is_v6 = true});
    qinq[12] = 0x88;
    qinq[13] = 0xa8;
    BOOST_TEST(filter.selects(qinq));
    const Bytes three = query({.vlans = {7, 8, 9}});
    for (std::size_t n = 0; n <= three.size(); ++n)
        BOOST_TEST(!filter.selects(std::span(three).first(n)));
}

BOOST_AUTO_TEST_CASE(ipv6_is_read_behind_extension_headers) {
    const CaptureFilter filter = by_name("example.com");
    BOOST_TEST(filter.selects(extended(0, {17, 0, 1, 4, 0, 0, 0, 0})));
    BOOST_TEST(filter.selects(
        extended(43, {60, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 17, 0, 1, 4, 0, 0, 0, 0})));
    BOOST_TEST(filter.selects(extended(44, {17, 0, 0, 1, 0, 0, 0, 9})));   // the first fragment
    BOOST_TEST(!filter.selects(extended(44, {17, 0, 0, 9, 0, 0, 0, 9})));  // a later one
    BOOST_TEST(by_client("2001:db8::7").selects(extended(44, {17, 0, 0, 9, 0, 0, 0, 9})));
    BOOST_TEST(!filter.selects(extended(0, {17, 200, 1, 4, 0, 0, 0, 0})));  // longer than the frame
}

BOOST_AUTO_TEST_CASE(a_later_fragment_has_only_addresses) {
    Bytes frame = query({});
    frame[kMacs + 6] = 0x20;
    BOOST_TEST(by_name("example.com").selects(frame));  // the first one
    frame[kMacs + 7] = 3;
    BOOST_TEST(!by_name("example.com").selects(frame));
    BOOST_TEST(!by_port(53).selects(frame));
    BOOST_TEST(by_client("192.0.2.7").selects(frame));
}

BOOST_AUTO_TEST_CASE(padding_behind_the_packet_is_not_read) {
    // The question is cut off by the datagram's end, and padding resembles the rest.
    Bytes whole = DnsMessage::query(7, "www.example.com", 1).bytes();
    const Bytes cut(whole.begin(), whole.begin() + 16);
    Bytes frame = datagram(cut);
    frame.insert(frame.end(), whole.begin() + 16, whole.end());
    BOOST_TEST(!by_name("example.com").selects(frame));
    Bytes bare = make_udp_frame({.from = kClient, .to = kOurs});
    bare[kMacs + 3] = 20;  // IP has no payload: ports are padding
    bare[kMacs + 23] = 53;
    BOOST_TEST(!by_port(53).selects(bare));
}

BOOST_AUTO_TEST_CASE(a_cut_frame_has_what_is_whole) {
    for (const bool is_v6 : {false, true}) {
        const Bytes frame = query({.is_v6 = is_v6});
        const std::size_t ip = kMacs + (is_v6 ? 40U : 20U), name_end = ip + 8 + 12 + 17;
        const char* const client = is_v6 ? "2001:db8::7" : "192.0.2.7";
        for (std::size_t n = 0; n <= frame.size(); ++n) {
            const Bytes cut(frame.begin(), frame.begin() + static_cast<std::ptrdiff_t>(n));
            BOOST_TEST(by_client(client).selects(cut) == (n >= ip), n);
            BOOST_TEST(by_port(53).selects(cut) == (n >= ip + 8), n);
            BOOST_TEST(by_name("example.com").selects(cut) == (n >= name_end), n);
        }
    }
}

BOOST_AUTO_TEST_CASE(names_of_255_bytes_and_compressed_names) {
    Bytes longest;
    for (const std::uint8_t label : Bytes{63, 63, 63, 61}) {
        longest.push_back(label);
        longest.insert(longest.end(), label, 'a');
    }
    longest.push_back(0);
    BOOST_REQUIRE(longest.size() == 255);
    const auto asks = [](const Bytes& wire) {
        return datagram(DnsMessage(7, 0x100).set(4, 1).raw(wire).u16(1).u16(1).bytes());
    };
    BOOST_TEST(by_wire_name(longest).selects(asks(longest)));
    BOOST_TEST(by_wire_name({longest.end() - 63, longest.end()}).selects(asks(longest)));
    BOOST_TEST(!by_wire_name(longest).selects(asks({longest.begin() + 64, longest.end()})));
    Bytes longer = longest;
    longer.insert(longer.end() - 1, {1, 'a'});
    BOOST_TEST(!by_wire_name({1, 'a', 0}).selects(asks(longer)));
    BOOST_TEST(!by_name("www.example.com").selects(asks({3, 'w', 'w', 'w', 0xc0, 12})));
    Bytes no_question = DnsMessage::query(7, "www.example.com", 1).set(4, 0).bytes();
    BOOST_TEST(!by_name("example.com").selects(datagram(no_question)));
}

BOOST_AUTO_TEST_CASE(frames_are_in_the_ring_when_the_turn_ends) {
    OneWorker worker;
    worker.capture.begin_turn({.ms = 5000, .us = 7});
    BOOST_TEST(!worker.capture.is_on());
    worker.capture.end_turn();
    CaptureFilter filter = by_name("example.com");
    filter.most_bytes = 64;
    filter.port = "capture0";
    worker.place = &filter;
    BOOST_TEST(!worker.capture.is_on());  // until the next turn
    worker.capture.begin_turn({.ms = 5000, .us = 7});
    BOOST_REQUIRE(worker.capture.is_on());
    const Bytes frame = query({});
    worker.inspect(worker.mbuf(frame));
    worker.inspect(worker.mbuf(query({.name = "other.org"})));
    worker.inspect(worker.mbuf(query({.name = "example.com"})), true);
    BOOST_TEST(worker.got().empty());
    worker.capture.end_turn();
    const auto got = worker.got();
    BOOST_REQUIRE(got.size() == 2);
    BOOST_TEST(got[0].head.at_ns == 5'000'007'000U);
    BOOST_TEST(got[0].head.length == frame.size());
    BOOST_TEST(int{got[0].head.worker} == 3);
    BOOST_TEST(int{got[0].head.port} == 1);
    BOOST_TEST(int{got[0].head.is_sent} == 0);
    BOOST_TEST((got[0].bytes == Bytes(frame.begin(), frame.begin() + 64)));
    BOOST_TEST(int{got[1].head.is_sent} == 1);
    BOOST_TEST(worker.counters.get(Stat::capture_frames) == 2U);
    // Another port's frames are not asked for.
    filter.port = "capture1";
    worker.capture.begin_turn({.ms = 5001});
    worker.inspect(worker.mbuf(frame));
    worker.capture.end_turn();
    BOOST_TEST(worker.got().empty());
    // Without a ring it stays off.
    Capture none{0, nullptr, worker.place, worker.counters};
    none.begin_turn({.ms = 1});
    BOOST_TEST(!none.is_on());
    none.end_turn();
}

BOOST_AUTO_TEST_CASE(a_frame_in_segments_is_selected_and_copied_as_a_whole) {
    OneWorker worker;
    CaptureFilter filter = by_name("example.com");
    filter.most_bytes = 2048;
    worker.place = &filter;
    worker.capture.begin_turn({.ms = 1});
    const Bytes frame = query({.is_v6 = true});
    worker.inspect(worker.mbuf(frame, {10, 30, 40}));
    worker.inspect(worker.mbuf(frame, {1}));
    Bytes large = DnsMessage::query(7, "www.example.com", 1).bytes();
    large.resize(1400, 0x55);
    worker.inspect(worker.mbuf(datagram(large), {100, 700}));
    worker.capture.end_turn();
    const auto got = worker.got();
    BOOST_REQUIRE(got.size() == 3);
    BOOST_TEST((got[0].bytes == frame));
    BOOST_TEST((got[1].bytes == frame));
    BOOST_TEST((got[2].bytes == datagram(large)));
}

BOOST_AUTO_TEST_CASE(a_full_ring_loses_frames_which_are_counted) {
    OneWorker worker(16);  // 15 cells fit
    CaptureFilter filter;
    filter.most_bytes = 64;  // 2 cells with the head
    worker.place = &filter;
    rte_mbuf* const frame = worker.mbuf(query({}));
    for (unsigned turn = 0; turn < 2; ++turn) {
        worker.capture.begin_turn({.ms = 1});
        for (unsigned i = 0; i < 5; ++i)
            worker.inspect(frame);
        worker.capture.end_turn();
    }
    BOOST_TEST(worker.counters.get(Stat::capture_frames) == 7U);
    BOOST_TEST(worker.counters.get(Stat::capture_lost) == 3U);
    BOOST_TEST(worker.got().size() == 7U);
    worker.capture.begin_turn({.ms = 2});
    worker.inspect(frame);
    worker.capture.end_turn();
    BOOST_TEST(worker.got().size() == 1U);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace steer::test::capture_cases
