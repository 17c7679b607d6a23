// Values by prefix, against a naive search for the longest one.
#include "matchers/prefix/prefix_values.h"

#include <boost/test/unit_test.hpp>
#include <random>
#include <vector>

using steer::IpAddress;
using steer::matchers::Prefix;
using steer::matchers::PrefixValues;

namespace {

PrefixValues::Rule entry(const char* text, std::uint32_t value) {
    const Prefix prefix = Prefix::parse(text).value();
    return {prefix, prefix.address.is_v4() && prefix.length >= 96, value};
}

std::uint32_t value_of(const PrefixValues& values, const char* address) {
    return values.find(*IpAddress::parse(address)).value;
}

bool is_in(const PrefixValues::Rule& rule, const IpAddress& address) {
    return rule.is_v4 == address.is_v4() &&
           Prefix::masked(address, rule.prefix.length).address == rule.prefix.address;
}

IpAddress any_of_few_addresses(std::mt19937& random) {
    IpAddress address;
    if (random() % 2 == 0) {
        const std::uint8_t four[4] = {static_cast<std::uint8_t>(random() % 2 == 0 ? 0 : 255),
                                      static_cast<std::uint8_t>(random() % 3), 0,
                                      static_cast<std::uint8_t>(random() % 8)};
        return IpAddress::from_v4(four);
    }
    address.bytes[0] = static_cast<std::uint8_t>(random() % 2 ? 0xff : 0);
    address.bytes[8] = static_cast<std::uint8_t>(random() % 3);
    address.bytes[15] = static_cast<std::uint8_t>(random() % 8);
    return address;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(prefix_values)

BOOST_AUTO_TEST_CASE(the_longest_prefix_decides) {
    const PrefixValues values({entry("10.0.0.0/8", 1), entry("10.1.0.0/16", 2),
                               entry("10.1.0.7/32", 3), entry("10.1.0.7/32", 4),
                               entry("2001:db8::/32", 5), entry("::/0", 6)});
    BOOST_TEST(value_of(values, "10.9.0.1") == 1U);
    BOOST_TEST(value_of(values, "10.1.0.6") == 2U);
    BOOST_TEST(value_of(values, "10.1.0.7") == 3U);
    BOOST_TEST(value_of(values, "10.1.0.8") == 2U);
    BOOST_TEST(value_of(values, "10.2.0.0") == 1U);
    BOOST_TEST(value_of(values, "11.0.0.0") == PrefixValues::kNone);
    BOOST_TEST(value_of(values, "2001:db8::1") == 5U);
    BOOST_TEST(value_of(values, "2001:db9::1") == 6U);
    BOOST_TEST(values.find(*IpAddress::parse("10.1.0.6")).length == 112);
    BOOST_TEST(PrefixValues().empty());
    BOOST_TEST(value_of(PrefixValues(), "192.0.2.1") == PrefixValues::kNone);
}

BOOST_AUTO_TEST_CASE(random_prefixes_agree_with_a_naive_search) {
    std::mt19937 random(20261122);
    for (int round = 0; round < 300; ++round) {
        std::vector<PrefixValues::Rule> rules;
        for (unsigned i = 0; i < random() % 12; ++i) {
            const IpAddress address = any_of_few_addresses(random);
            const bool is_v4 = address.is_v4();
            const auto length = is_v4 ? 96 + random() % 33 : random() % 129;
            const Prefix prefix = Prefix::masked(address, static_cast<unsigned>(length));
            if (!is_v4 && prefix.address.is_v4()) continue;
            rules.push_back({prefix, is_v4, i});
        }
        const PrefixValues values(rules);
        for (int i = 0; i < 60; ++i) {
            const IpAddress address = any_of_few_addresses(random);
            std::uint32_t expected = PrefixValues::kNone;
            int longest = -1;
            for (const auto& r : rules) {
                if (!is_in(r, address) || r.prefix.length <= longest) continue;
                longest = r.prefix.length;
                expected = r.value;
            }
            BOOST_REQUIRE_EQUAL(values.find(address).value, expected);
        }
    }
}

BOOST_AUTO_TEST_SUITE_END()
