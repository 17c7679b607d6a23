#include "control/host/kernel/announce.h"

#include <algorithm>
#include <boost/test/unit_test.hpp>

#include "control/host/kernel/arp.h"

namespace steer::kernel {
namespace {

using namespace std::chrono_literals;

constexpr MacAddress kMac{0x02, 0x00, 0x5e, 0x00, 0x00, 0x01};

PortAddress on(int if_index, const char* ip) {
    return {if_index, if_index, kMac, *IpAddress::parse(ip)};
}

BOOST_AUTO_TEST_SUITE(announce)

BOOST_AUTO_TEST_CASE(a_gratuitous_arp_has_the_bytes_of_rfc_5227) {
    const ArpFrame frame = gratuitous_arp(kMac, *IpAddress::parse("192.0.2.53"));
    const ArpFrame expected{0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x02, 0x00, 0x5e, 0x00, 0x00,
                            0x01, 0x08, 0x06, 0x00, 0x01, 0x08, 0x00, 0x06, 0x04, 0x00, 0x01,
                            0x02, 0x00, 0x5e, 0x00, 0x00, 0x01, 192,  0,    2,    53,   0,
                            0,    0,    0,    0,    0,    192,  0,    2,    53};
    BOOST_CHECK(frame == expected);
}

BOOST_AUTO_TEST_CASE(an_unsolicited_advertisement_goes_to_all_nodes_with_override) {
    const IpAddress address = *IpAddress::parse("2001:db8::53");
    const auto f = unsolicited_advertisement(kMac, address);
    const std::array<std::uint8_t, 6> to{0x33, 0x33, 0, 0, 0, 1};
    BOOST_CHECK(std::equal(to.begin(), to.end(), f.begin()));
    BOOST_CHECK(std::equal(kMac.begin(), kMac.end(), f.begin() + 6));
    BOOST_CHECK(f[12] == 0x86 && f[13] == 0xdd && f[14] == 0x60);
    BOOST_CHECK(f[18] == 0 && f[19] == 32 && f[20] == 58 && f[21] == 255);  // RFC 4861 7.1.2
    BOOST_CHECK(std::equal(address.bytes.begin(), address.bytes.end(), f.begin() + 22));
    BOOST_CHECK(f[38] == 0xff && f[39] == 0x02 && f[53] == 1);
    BOOST_CHECK(f[54] == 136 && f[55] == 0 && f[58] == 0x20);  // not a router's, not solicited
    BOOST_CHECK(std::equal(address.bytes.begin(), address.bytes.end(), f.begin() + 62));
    BOOST_CHECK(f[78] == 2 && f[79] == 1);
    BOOST_CHECK(std::equal(kMac.begin(), kMac.end(), f.begin() + 80));
    // RFC 8200 8.1: the sum over pseudo-header and message, its own field in it, is all ones.
    std::uint32_t sum = 32 + 58;
    for (std::size_t i = 22; i < f.size(); i += 2)
        sum += static_cast<std::uint32_t>(f[i] << 8 | f[i + 1]);
    while (sum >> 16 != 0)
        sum = (sum & 0xffff) + (sum >> 16);
    BOOST_CHECK_EQUAL(sum, 0xffff);
}

BOOST_AUTO_TEST_CASE(a_new_address_is_announced_as_often_as_its_rfc_says) {
    Announcements a;
    const Announcements::Time t0{};
    a.assume({on(1, "192.0.2.1")});
    a.follow({on(1, "192.0.2.1"), on(1, "192.0.2.2"), on(1, "2001:db8::2")}, t0);
    BOOST_CHECK_EQUAL(a.take_due(t0).size(), 2);
    BOOST_CHECK_EQUAL(a.take_due(t0).size(), 0);
    BOOST_CHECK(a.next() == t0 + 1s);
    BOOST_CHECK_EQUAL(a.take_due(t0 + 999ms).size(), 0);
    BOOST_CHECK(a.take_due(t0 + 1s) == std::vector{on(1, "2001:db8::2")});
    BOOST_CHECK_EQUAL(a.take_due(t0 + 2s).size(), 2);  // the second ARP, the third advertisement
    BOOST_CHECK(!a.next());
    // The same once more is nothing new.
    a.follow({on(1, "192.0.2.1"), on(1, "192.0.2.2"), on(1, "2001:db8::2")}, t0 + 3s);
    BOOST_CHECK(!a.next());
}

BOOST_AUTO_TEST_CASE(a_removed_address_is_announced_again_only_when_it_is_back) {
    Announcements a;
    const Announcements::Time t0{};
    a.follow({on(1, "192.0.2.1"), on(2, "192.0.2.1")}, t0);
    BOOST_CHECK_EQUAL(a.take_due(t0).size(), 2);
    a.follow({on(2, "192.0.2.1")}, t0 + 1s);  // the link of 1 went down
    BOOST_CHECK(a.take_due(t0 + 2s) == std::vector{on(2, "192.0.2.1")});
    a.follow({on(1, "192.0.2.1"), on(2, "192.0.2.1")}, t0 + 3s);
    BOOST_CHECK(a.take_due(t0 + 3s) == std::vector{on(1, "192.0.2.1")});
    // Another MAC is another announcement.
    PortAddress moved = on(2, "192.0.2.1");
    moved.mac[5] = 9;
    a.follow({moved}, t0 + 4s);
    BOOST_CHECK(a.take_due(t0 + 9s) == std::vector{moved});
}

BOOST_AUTO_TEST_CASE(each_arp_mode_sets_every_sysctl_of_the_others) {
    const auto value = [](ArpMode mode, const std::string& path) {
        for (const ArpKnob& k : arp_knobs(mode, "eth0")) {
            if (k.path == path) return k.value;
        }
        return -1;
    };
    struct Expected {
        ArpMode mode;
        int ignore, proxy, local, asks, redirects;
    };
    for (const Expected& e :
         {Expected{ArpMode::enabled, 0, 0, 0, 3, -1}, Expected{ArpMode::disabled, 8, 0, 0, 0, -1},
          Expected{ArpMode::reply_only, 0, 0, 0, 0, -1},
          Expected{ArpMode::proxy_arp, 0, 1, 0, 3, -1},
          Expected{ArpMode::local_proxy_arp, 0, 0, 1, 3, 0}}) {
        BOOST_CHECK_EQUAL(value(e.mode, "conf/eth0/arp_ignore"), e.ignore);
        BOOST_CHECK_EQUAL(value(e.mode, "conf/eth0/proxy_arp"), e.proxy);
        BOOST_CHECK_EQUAL(value(e.mode, "conf/eth0/proxy_arp_pvlan"), e.local);
        BOOST_CHECK_EQUAL(value(e.mode, "neigh/eth0/mcast_solicit"), e.asks);
        BOOST_CHECK_EQUAL(value(e.mode, "neigh/eth0/ucast_solicit"), e.asks);
        BOOST_CHECK_EQUAL(value(e.mode, "conf/eth0/send_redirects"), e.redirects);
    }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace steer::kernel
