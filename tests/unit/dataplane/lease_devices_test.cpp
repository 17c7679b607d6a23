// Devices by address against a plain map, and link-layer addresses as text.
#include "dataplane/answer/lease_devices.h"

#include <boost/test/unit_test.hpp>
#include <map>
#include <random>

#include "matchers/prefix/mac_address.h"

namespace steer {
namespace {

BOOST_AUTO_TEST_SUITE(lease_devices)

BOOST_AUTO_TEST_CASE(lookups_agree_with_a_map_and_the_first_lease_of_an_address_counts) {
    std::mt19937 random{5};
    for (const unsigned count : {0U, 1U, 2U, 3U, 64U, 1000U}) {
        std::map<decltype(IpAddress::bytes), std::uint64_t> plain;
        std::vector<LeaseDevice> all;
        for (unsigned i = 0; i < count; ++i) {
            LeaseDevice device;
            const std::uint8_t v4[] = {10, 0, static_cast<std::uint8_t>(random() % 4),
                                       static_cast<std::uint8_t>(random())};
            device.address = IpAddress::from_v4(v4);
            if (random() % 2 == 0) device.address.bytes[3] = static_cast<std::uint8_t>(random());
            device.mac = i + 1;
            plain.emplace(device.address.bytes, device.mac);
            all.push_back(device);
        }
        const LeaseDevices devices(all);
        for (const auto& [bytes, mac] : plain) {
            const auto* const found = devices.find({bytes});
            BOOST_REQUIRE(found != nullptr);
            BOOST_TEST(found->mac == mac);
        }
        for (unsigned i = 0; i < 1000; ++i) {
            IpAddress other;
            other.bytes[15] = static_cast<std::uint8_t>(i);
            other.bytes[9] = static_cast<std::uint8_t>(i >> 8);
            BOOST_TEST((devices.find(other) != nullptr) == plain.contains(other.bytes));
        }
    }
}

BOOST_AUTO_TEST_CASE(an_empty_set_contains_no_device) {
    const LeaseDevice nameless;
    BOOST_TEST(!DeviceSet{}.has(nullptr, 0));
    BOOST_TEST(!DeviceSet{}.has(&nameless, 1));
    const DeviceSet set{{1}, {"a"}, {"b"}};
    BOOST_TEST(!set.has(&nameless, 0));
    BOOST_TEST(set.has(&nameless, 1));
}

BOOST_AUTO_TEST_CASE(mac_addresses_are_parsed_and_written) {
    BOOST_TEST(parse_mac("00:1d:AA:bb:0c:Dd").value() == 0x001daabb0cddU);
    BOOST_TEST(parse_mac("ff-ff-ff-ff-ff-ff").value() == 0xffffffffffffU);
    for (const char* bad :
         {"", "00:1d:aa:bb:cc", "00:1d:aa:bb:cc:dd:", "00:1d:aa:bb:cc:dg", "00:1d-aa:bb:cc:dd",
          "001d.aabb.ccdd....", "00:00:00:00:00:00", "00 1d aa bb cc dd"})
        BOOST_TEST(!parse_mac(bad).has_value(), bad);
    const std::uint8_t frame[] = {0, 0x1d, 0xaa, 0xbb, 0xc, 0xdd};
    BOOST_TEST(mac_number(frame) == 0x001daabb0cddU);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace steer
