// Which frames are ours, which are the kernel's, and what is wrong with the others.
#include <boost/test/unit_test.hpp>
#include <functional>

#include "packet/appliance.h"

namespace steer::test {
namespace {

UdpFrame query_frame(const std::string& from = "192.0.2.10", const std::string& to = "10.0.0.1") {
    return {.from_mac = {2, 0, 0, 0, 0, 9},
            .to_mac = {2, 0, 0, 0, 0, 1},
            .from = *IpAddress::parse(from),
            .to = *IpAddress::parse(to),
            .from_port = 40000,
            .to_port = 53,
            .payload = DnsMessage::query(1, "www.other.example", 1).bytes()};
}

constexpr std::size_t kIp = 14, kUdp4 = 34, kUdp6 = 54;

// The Internet checksum over `bytes`, as for the IPv4 header.
void fix_ipv4(Bytes& frame) {
    frame[kIp + 10] = frame[kIp + 11] = 0;
    unsigned sum = 0;
    for (std::size_t i = 0; i < 20; i += 2)
        sum += frame[kIp + i] * 256U + frame[kIp + i + 1];
    while (sum > 0xffff)
        sum = (sum & 0xffff) + (sum >> 16);
    frame[kIp + 10] = static_cast<std::uint8_t>(~sum >> 8);
    frame[kIp + 11] = static_cast<std::uint8_t>(~sum);
}

// The one verdict that a frame gets.
Verdict verdict_of(const Bytes& frame) {
    Appliance a;
    a.publish(forward_only());
    a.send(0, frame);
    a.turn();
    Verdict found = Verdict::count_;
    for (std::size_t i = 0; i < static_cast<std::size_t>(Verdict::count_); ++i) {
        if (a.count(static_cast<Verdict>(i)) == 0) continue;
        BOOST_CHECK(found == Verdict::count_);
        found = static_cast<Verdict>(i);
    }
    return found;
}

Verdict verdict_after(const UdpFrame& f, const std::function<void(Bytes&)>& change) {
    Bytes frame = make_udp_frame(f);
    change(frame);
    return verdict_of(frame);
}

void check(Verdict is, Verdict should_be) {
    BOOST_CHECK_EQUAL(kVerdicts[is].label, kVerdicts[should_be].label);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(classify)

BOOST_AUTO_TEST_CASE(queries_to_our_addresses_are_forwarded) {
    check(verdict_of(make_udp_frame(query_frame())), Verdict::forwarded);
    check(verdict_of(make_udp_frame(query_frame("2001:db8::5", "2001:db8:1::1"))),
          Verdict::forwarded);
    check(verdict_after(query_frame(), [](Bytes& f) { f[kUdp4 + 6] = f[kUdp4 + 7] = 0; }),
          Verdict::forwarded);
    check(verdict_after(query_frame(), [](Bytes& f) { f.resize(f.size() + 7); }),
          Verdict::forwarded);  // padding
}

// Ring ports have no kernel side: what would be punted is counted as such.
BOOST_AUTO_TEST_CASE(other_traffic_goes_to_the_kernel) {
    const Verdict kernel = Verdict::drop_no_kernel;
    check(verdict_of(make_udp_frame(query_frame("192.0.2.10", "10.0.0.2"))),
          kernel);  // not our address
    UdpFrame other_port = query_frame();
    other_port.to_port = 123;
    check(verdict_of(make_udp_frame(other_port)), kernel);
    check(verdict_after(query_frame(), [](Bytes& f) { f[12] = 8, f[13] = 6; }), kernel);  // ARP
    check(verdict_after(query_frame(), [](Bytes& f) { f[0] = 0xff; }), kernel);     // broadcast
    check(verdict_after(query_frame(), [](Bytes& f) { f[kIp + 9] = 6; }), kernel);  // TCP
    check(verdict_after(query_frame(), [](Bytes& f) { f[kIp + 6] = 0x20, fix_ipv4(f); }),
          kernel);  // fragment
    check(verdict_after(query_frame(), [](Bytes& f) { f[kIp] = 0x46, fix_ipv4(f); }),
          kernel);  // options
    check(verdict_after(query_frame("2001:db8::5", "2001:db8:1::1"),
                        [](Bytes& f) { f[kIp + 6] = 44; }),
          kernel);
    check(verdict_after(query_frame("192.0.2.10", "10.0.0.2"),
                        [](Bytes& f) { f.resize(kUdp4 + 20); }),
          kernel);
    UdpFrame three_tags = query_frame();
    three_tags.vlans = {1, 2, 3};
    check(verdict_of(make_udp_frame(three_tags)), kernel);
}

// An answer would be sent to a group (RFC 1122 3.3.6 forbids that one layer up).
BOOST_AUTO_TEST_CASE(multicast_source_mac_gets_no_answer) {
    for (const int byte : {0x01, 0x33, 0xff}) {
        const auto first = static_cast<std::uint8_t>(byte);
        UdpFrame frame = query_frame();
        frame.from_mac[0] = first;
        check(verdict_of(make_udp_frame(frame)), Verdict::drop_bad_mac);
        frame.vlans = {12};
        check(verdict_of(make_udp_frame(frame)), Verdict::drop_bad_mac);
        UdpFrame v6 = query_frame("2001:db8::5", "2001:db8:1::1");
        v6.from_mac[0] = first;
        check(verdict_of(make_udp_frame(v6)), Verdict::drop_bad_mac);
        UdpFrame not_ours = query_frame("192.0.2.10", "10.0.0.2");
        not_ours.from_mac[0] = first;
        check(verdict_of(make_udp_frame(not_ours)), Verdict::drop_no_kernel);
    }
    // Behind a query of a good client in the same burst.
    Appliance a;
    a.publish(forward_only());
    UdpFrame good = query_frame(), bad = query_frame();
    good.from_port = 40001;
    bad.from_mac[0] = 0xff;
    a.send(0, make_udp_frame(good));
    a.send(0, make_udp_frame(bad));
    a.turn();
    BOOST_TEST(a.count(Verdict::forwarded) == 1U);
    BOOST_TEST(a.count(Verdict::drop_bad_mac) == 1U);
}

// Where the kernel knows the device, its VLAN children say which tags are ours; elsewhere all are.
BOOST_AUTO_TEST_CASE(only_configured_vlans_are_served) {
    Appliance a;
    a.publish(forward_only());
    const auto taken = [&a](std::vector<std::uint16_t> tags) {
        UdpFrame frame = query_frame();
        frame.vlans = std::move(tags);
        const auto before = a.count(Verdict::drop_no_kernel);
        a.send(0, make_udp_frame(frame));
        a.turn();
        return a.count(Verdict::drop_no_kernel) == before;
    };
    BOOST_TEST(taken({12}));
    a.next_hops().devices = {{.if_index = a.port().port().if_index(),
                              .mac = query_frame().to_mac,
                              .vlans = {{10U << 16, {}}, {10U << 16 | 20U, {}}}}};
    BOOST_TEST(taken({}));
    BOOST_TEST(taken({10}));
    BOOST_TEST(taken({10, 20}));
    BOOST_TEST(taken({0}));  // a priority, no VLAN
    BOOST_TEST(!taken({12}));
    BOOST_TEST(!taken({20}));
    BOOST_TEST(!taken({20, 10}));
    BOOST_TEST(!taken({0, 20}));
    a.next_hops().devices.front().vlans.clear();
    BOOST_TEST(!taken({10}));
    BOOST_TEST(taken({}));
}

// Where the kernel knows the device, its MAC address is ours and those of its VLAN children with their tags; elsewhere
// the port takes what it is given. Broadcast and multicast are the kernel's in any case.
BOOST_AUTO_TEST_CASE(only_frames_to_our_macs_are_served) {
    constexpr MacAddress kOwn{2, 0, 0, 0, 0, 1}, kChild{2, 0, 0, 0, 0, 10},
        kOther{2, 0, 0, 0, 1, 1};
    Appliance a;
    a.publish(forward_only());
    const auto end_of = [&a](const MacAddress& to, std::vector<std::uint16_t> tags) {
        UdpFrame frame = query_frame();
        frame.to_mac = to;
        frame.vlans = std::move(tags);
        for (const Verdict v : {Verdict::drop_other_host, Verdict::drop_no_kernel}) {
            const auto before = a.count(v);
            a.send(0, make_udp_frame(frame));
            a.turn();
            if (a.count(v) > before) return kVerdicts[v].label;
        }
        return std::string_view{"ours"};
    };
    BOOST_TEST(end_of(kOther, {}) == "ours");
    BOOST_TEST(end_of({0xff, 0xff, 0xff, 0xff, 0xff, 0xff}, {}) == "drop_no_kernel");

    auto& device = a.next_hops().devices.emplace_back(
        OwnDevice{.if_index = a.port().port().if_index(), .mac = kOwn});
    device.vlans = {{10U << 16, kChild}, {20U << 16, kOwn}};
    BOOST_TEST(end_of(kOwn, {}) == "ours");
    BOOST_TEST(end_of(kOwn, {10}) == "ours");  // as the kernel takes it
    BOOST_TEST(end_of(kChild, {10}) == "ours");
    BOOST_TEST(end_of(kChild, {}) == "drop_other_host");
    BOOST_TEST(end_of(kChild, {20}) == "drop_other_host");
    for (std::size_t byte = 0; byte < kOwn.size(); ++byte) {
        MacAddress to = kOwn;
        to[byte] ^= 4;
        BOOST_TEST(end_of(to, {}) == "drop_other_host");
        BOOST_TEST(end_of(to, {20}) == "drop_other_host");
    }
    BOOST_TEST(end_of({0x33, 0x33, 0, 0, 0, 1}, {}) == "drop_no_kernel");

    // A bridge or a macvlan there: others' frames are the kernel's to judge.
    device.promiscuous = true;
    BOOST_TEST(end_of(kOther, {}) == "drop_no_kernel");
    BOOST_TEST(end_of(kOwn, {}) == "ours");
}

BOOST_AUTO_TEST_CASE(truncated_frames_are_dropped) {
    for (const std::size_t length : {std::size_t{1}, std::size_t{13}, std::size_t{14}, kIp + 19}) {
        check(verdict_after(query_frame(), [&](Bytes& f) { f.resize(length); }),
              Verdict::drop_short_frame);
    }
    UdpFrame tagged = query_frame();
    tagged.vlans = {5};
    check(verdict_after(tagged, [](Bytes& f) { f.resize(17); }), Verdict::drop_short_frame);
    check(verdict_after(query_frame(), [](Bytes& f) { f.resize(kUdp4 + 8); }),
          Verdict::drop_bad_ip);
    check(verdict_after(query_frame(), [](Bytes& f) { f[kUdp4 + 4] = 9; }),
          Verdict::drop_short_frame);
    check(verdict_after(query_frame(), [](Bytes& f) { f[kUdp4 + 5] = 7; }),
          Verdict::drop_short_frame);
}

BOOST_AUTO_TEST_CASE(invalid_ip_headers_are_dropped) {
    check(verdict_after(query_frame(), [](Bytes& f) { f[kIp] = 0x55; }), Verdict::drop_bad_ip);
    check(verdict_after(query_frame(), [](Bytes& f) { f[kIp + 2] = 0x10; }), Verdict::drop_bad_ip);
    check(verdict_after(query_frame(), [](Bytes& f) { f[kIp + 8] ^= 1; }),
          Verdict::drop_bad_checksum);
    check(verdict_after(query_frame("2001:db8::5", "2001:db8:1::1"),
                        [](Bytes& f) { f[kIp + 5] = 255; }),
          Verdict::drop_bad_ip);
}

BOOST_AUTO_TEST_CASE(invalid_udp_headers_are_dropped) {
    check(verdict_after(query_frame(), [](Bytes& f) { f[kUdp4 + 12] ^= 4; }),
          Verdict::drop_bad_checksum);
    check(verdict_after(query_frame("2001:db8::5", "2001:db8:1::1"),
                        [](Bytes& f) { f[kUdp6 + 6] = f[kUdp6 + 7] = 0; }),
          Verdict::drop_bad_checksum);  // IPv6 must have one
}

// Behind a query to us, every bit of the headers means what it means in a frame that comes alone.
BOOST_AUTO_TEST_CASE(a_packet_in_a_burst_does_not_change_the_verdict_of_another) {
    Appliance a;
    a.publish(forward_only());
    a.next_hops().devices.push_back(
        OwnDevice{.if_index = a.port().port().if_index(), .mac = query_frame().to_mac});
    UdpFrame refused = query_frame();  // a zone transfer is answered at once
    refused.payload = DnsMessage::query(1, "www.other.example", 252).bytes();
    const Bytes query = make_udp_frame(refused);
    using Counts = std::array<std::uint64_t, static_cast<std::size_t>(Verdict::count_)>;
    const auto counts = [&a] {
        Counts c;
        for (std::size_t i = 0; i < c.size(); ++i)
            c[i] = a.count(static_cast<Verdict>(i));
        return c;
    };
    const auto added_by = [&](const std::vector<Bytes>& frames) {
        Counts before = counts();
        for (const Bytes& frame : frames)
            a.send(0, frame);
        a.turn();
        Counts after = counts();
        for (std::size_t i = 0; i < after.size(); ++i)
            after[i] -= before[i];
        return after;
    };
    const auto fix_udp = [](Bytes& frame) { frame[kUdp4 + 6] = frame[kUdp4 + 7] = 0; };  // none
    const Counts query_alone = added_by({query});
    for (std::size_t bit = 0; bit < kUdp4 * 8 + 64; ++bit) {
        for (const bool fixed : {false, true}) {
            Bytes changed = query;
            changed[bit / 8] ^= static_cast<std::uint8_t>(1 << (bit % 8));
            if (fixed) {
                fix_ipv4(changed);
                fix_udp(changed);
            }
            const Counts alone = added_by({changed});
            Counts together = added_by({query, changed, query});
            for (std::size_t i = 0; i < together.size(); ++i)
                together[i] -= 2 * query_alone[i];
            BOOST_TEST_CONTEXT("bit " << bit << (fixed ? ", checksums right" : ""))
            BOOST_TEST(together == alone, boost::test_tools::per_element());
        }
    }
}

BOOST_AUTO_TEST_CASE(packets_from_impossible_sources_are_dropped) {
    for (const char* from : {"10.0.0.1", "127.0.0.1", "224.0.0.1", "255.255.255.255", "0.0.0.0"}) {
        check(verdict_of(make_udp_frame(query_frame(from))), Verdict::drop_bad_source);
    }
    // The directed broadcast of our network: its answer would go to every host there.
    check(verdict_of(make_udp_frame(query_frame("10.0.255.255"))), Verdict::drop_bad_source);
    check(verdict_of(make_udp_frame(query_frame("10.1.255.255"))), Verdict::forwarded);
    for (const char* from : {"2001:db8:1::1", "::1", "ff02::1", "::"}) {
        check(verdict_of(make_udp_frame(query_frame(from, "2001:db8:1::1"))),
              Verdict::drop_bad_source);
    }
    UdpFrame no_port = query_frame();
    no_port.from_port = 0;
    check(verdict_of(make_udp_frame(no_port)), Verdict::drop_bad_source);
}

BOOST_AUTO_TEST_CASE(replies_without_an_outstanding_query_are_dropped) {
    UdpFrame f = query_frame("198.51.100.53");
    f.from_port = 53;
    f.to_port = 12345;
    f.payload = DnsMessage::response(1, "www.other.example", 1).bytes();
    check(verdict_of(make_udp_frame(f)), Verdict::drop_upstream_unknown);
}

BOOST_AUTO_TEST_CASE(forged_replies_are_dropped) {
    Appliance a;
    a.publish(cache_forward());
    a.ask("www.other.example");
    a.turn();
    const Seen q = a.upstream_query();
    const auto lie =
        DnsMessage::response(0, "www.other.example", 1).a("www.other.example", 60, {6, 6, 6, 6});
    Seen wrong = q;
    wrong.dns[1] ^= 1;  // id
    a.reply(wrong, lie);
    wrong = q;
    wrong.frame.from_port ^= 1;  // our port
    a.reply(wrong, lie);
    wrong = q;
    wrong.frame.to_port = 54;  // their port
    a.reply(wrong, lie);
    wrong = q;
    wrong.frame.to = *IpAddress::parse("198.51.100.66");  // source
    a.reply(wrong, lie);
    a.reply(q,
            DnsMessage::response(0, "www.evil.example", 1).a("www.evil.example", 60, {6, 6, 6, 6}));
    a.reply(q, DnsMessage::response(0, "www.other.example", 28));
    a.reply(q, DnsMessage::query(0, "www.other.example", 1));
    a.turn();
    BOOST_CHECK(a.answers().empty());
    a.reply(q, 60, {"203.0.113.7"});
    a.turn();
    BOOST_CHECK_EQUAL(a.answer().dns.back(), 7);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace steer::test
