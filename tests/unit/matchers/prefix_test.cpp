// Addresses, prefixes and sets of them; sets against a bit-by-bit comparison on random prefixes.
#include "matchers/prefix/prefix_set.h"

#include <bit>
#include <boost/test/unit_test.hpp>
#include <random>
#include <vector>

using steer::IpAddress;
using steer::matchers::Prefix;
using steer::matchers::PrefixSet;

namespace {

PrefixSet set_of(const std::vector<const char*>& texts) {
    std::vector<Prefix> prefixes;
    for (const char* text : texts)
        prefixes.push_back(Prefix::parse(text).value());
    return PrefixSet(prefixes);
}

bool has(const PrefixSet& set, const char* address) {
    return set.contains(*IpAddress::parse(address));
}

// Few distinct bits, so that prefixes nest and touch.
IpAddress random_address(std::mt19937& random) {
    IpAddress address;
    if (random() % 2 == 0) {
        const std::uint8_t four[4] = {10, static_cast<std::uint8_t>(random() % 3), 0,
                                      static_cast<std::uint8_t>(random() % 256)};
        return IpAddress::from_v4(four);
    }
    address.bytes[0] = static_cast<std::uint8_t>(random() % 2 ? 0x20 : 0);
    address.bytes[9] = static_cast<std::uint8_t>(random() % 3);
    address.bytes[15] = static_cast<std::uint8_t>(random() % 256);
    return address;
}

bool holds(const Prefix& prefix, const IpAddress& address) {
    if (prefix.length < 96 && address.is_v4()) return false;
    for (unsigned bit = 0; bit < prefix.length; ++bit) {
        const unsigned differs = prefix.address.bytes[bit / 8] ^ address.bytes[bit / 8];
        if ((differs >> (7 - bit % 8)) & 1) return false;
    }
    return true;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(prefix)

BOOST_AUTO_TEST_CASE(addresses_are_parsed_and_written) {
    for (const char* text : {"192.0.2.1", "0.0.0.0", "255.255.255.255", "::", "::1", "2001:db8::1",
                             "fe80::1:0:0:1", "2001:db8:1:2:3:4:5:6"}) {
        const auto address = IpAddress::parse(text);
        BOOST_REQUIRE(address);
        BOOST_CHECK_EQUAL(address->to_string(), text);
    }
    BOOST_CHECK_EQUAL(IpAddress::parse("::ffff:192.0.2.1")->to_string(), "192.0.2.1");
    BOOST_CHECK_EQUAL(IpAddress::parse("2001:DB8:0:0::A")->to_string(), "2001:db8::a");
    BOOST_CHECK(*IpAddress::parse("::ffff:c000:201") == *IpAddress::parse("192.0.2.1"));
}

BOOST_AUTO_TEST_CASE(invalid_addresses_are_refused) {
    for (const char* text : {"", "1.2.3", "1.2.3.4.5", "01.2.3.4", "256.1.1.1", "1.2.3.4 ", "[::1]",
                             "fe80::1%eth0", "1.2.3.4:53", ":::", "g::", "1::2::3",
                             "0000000000000000000000000000000000000000000000000000000000001"}) {
        BOOST_CHECK_MESSAGE(!IpAddress::parse(text), text);
    }
    BOOST_CHECK(!IpAddress::parse(std::string_view("1.2.3.4\0", 8)));
}

BOOST_AUTO_TEST_CASE(prefixes_are_parsed_and_written) {
    const auto round = [](const char* text) { return Prefix::parse(text)->to_string(); };
    BOOST_CHECK_EQUAL(round("192.0.2.77/24"), "192.0.2.0/24");
    BOOST_CHECK_EQUAL(round("192.0.2.77"), "192.0.2.77/32");
    BOOST_CHECK_EQUAL(round("0.0.0.0/0"), "0.0.0.0/0");
    BOOST_CHECK_EQUAL(round("2001:db8:ffff::1/33"), "2001:db8:8000::/33");
    BOOST_CHECK_EQUAL(round("::/0"), "::/0");
    BOOST_CHECK_EQUAL(round("::ffff:192.0.2.0/120"), "192.0.2.0/24");
    for (const char* text : {"192.0.2.0/33", "2001:db8::/129", "192.0.2.0/", "192.0.2.0/-1",
                             "192.0.2.0/8x", "/8", "", "x/8", "1.2.3.4/ 8", "1.2.3.4/+8"}) {
        BOOST_CHECK_MESSAGE(!Prefix::parse(text), text);
    }
    BOOST_CHECK(Prefix::parse("192.0.2.0/33").error().text.find("0 to 32") != std::string::npos);
}

BOOST_AUTO_TEST_CASE(the_first_and_last_address_of_a_prefix_match) {
    const auto set = set_of({"10.0.0.0/8", "192.0.2.1", "2001:db8::/32"});
    BOOST_CHECK(has(set, "10.0.0.0") && has(set, "10.255.255.255") && has(set, "192.0.2.1"));
    BOOST_CHECK(!has(set, "9.255.255.255") && !has(set, "11.0.0.0") && !has(set, "192.0.2.2"));
    BOOST_CHECK(has(set, "2001:db8::") && has(set, "2001:db8:ffff:ffff:ffff:ffff:ffff:ffff"));
    BOOST_CHECK(!has(set, "2001:db7:ffff::") && !has(set, "2001:db9::"));
    BOOST_CHECK(!PrefixSet().contains(*IpAddress::parse("::")) && PrefixSet().empty());
}

BOOST_AUTO_TEST_CASE(an_ipv6_prefix_contains_no_ipv4_address) {
    for (const char* text : {"::/0", "::/80", "::/64", "::/1"}) {
        BOOST_CHECK(!has(set_of({text}), "192.0.2.1"));
        BOOST_CHECK(has(set_of({text}), "::1"));
    }
    BOOST_CHECK(has(set_of({"::/0"}), "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff"));
    BOOST_CHECK(has(set_of({"::/0"}), "::1:0:0:0") && has(set_of({"::/0"}), "::fffe:ffff:ffff"));
    BOOST_CHECK(has(set_of({"0.0.0.0/0"}), "255.255.255.255") &&
                !has(set_of({"0.0.0.0/0"}), "::1"));
}

BOOST_AUTO_TEST_CASE(random_sets_equal_the_naive_ones) {
    std::mt19937 random{42};
    for (int round = 0; round < 300; ++round) {
        std::vector<Prefix> prefixes;
        for (auto n = 1 + random() % 8; n > 0; --n) {
            const IpAddress address = random_address(random);
            const auto length =
                static_cast<unsigned>(address.is_v4() ? 96 + random() % 33 : random() % 129);
            const auto text =
                address.to_string() + "/" + std::to_string(length - (address.is_v4() ? 96 : 0));
            prefixes.push_back(Prefix::parse(text).value());
        }
        const PrefixSet set(prefixes);
        for (int i = 0; i < 100; ++i) {
            const IpAddress address = random_address(random);
            const bool expected =
                std::ranges::any_of(prefixes, [&](const Prefix& p) { return holds(p, address); });
            BOOST_REQUIRE_EQUAL(set.contains(address), expected);
        }
    }
}

BOOST_AUTO_TEST_CASE(large_sets_equal_the_naive_ones) {
    std::mt19937_64 random{43};
    const auto address = [&](bool v4, bool crowded) {
        const std::array<std::uint64_t, 2> words{random(), random()};
        auto bytes = std::bit_cast<std::array<std::uint8_t, 16>>(words);
        if (crowded) bytes[0] = 0x2a, bytes[1] = 0;
        return v4 ? IpAddress::from_v4(bytes.data()) : IpAddress::from_v6(bytes.data());
    };
    // Of IPv6 whole /64s, and shorter ranges among them, are kept in two forms.
    for (const unsigned kind : {0U, 1U, 4U, 5U, 8U}) {
        const unsigned v4_of_8 = kind & ~1U, lengths = kind % 2 == 0 ? 105 : 41;
        std::vector<Prefix> prefixes;
        for (int i = 0; i < 12'000; ++i) {
            const bool v4 = random() % 8 < v4_of_8;
            const auto length =
                static_cast<std::uint8_t>(v4 ? 96 + 18 + random() % 15 : 24 + random() % lengths);
            prefixes.push_back(Prefix::parse(address(v4, i % 3 == 0).to_string() + "/" +
                                             std::to_string(length - (v4 ? 96 : 0)))
                                   .value());
        }
        if (kind == 4) prefixes.push_back(Prefix::parse("::/70").value());
        const PrefixSet set(prefixes);
        for (int i = 0; i < 1'500; ++i) {
            IpAddress a = address(random() % 2 == 0, i % 2 == 0);
            if (i % 4 == 0) a = prefixes[random() % prefixes.size()].address;
            if (i % 8 == 0) --a.bytes[15];
            const bool expected =
                std::ranges::any_of(prefixes, [&](const Prefix& p) { return holds(p, a); });
            BOOST_REQUIRE_EQUAL(set.contains(a), expected);
        }
        BOOST_CHECK(!set.contains(*IpAddress::parse("ffff::")));
        BOOST_CHECK(!set.contains(*IpAddress::parse("255.255.255.255")));
        // The ends of both spaces, behind which there is nothing to check.
        const char* const highest = "ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff";
        prefixes.push_back(Prefix::parse("255.255.255.255").value());
        prefixes.push_back(Prefix::parse(highest).value());
        const PrefixSet with_ends(prefixes);
        BOOST_CHECK(has(with_ends, "255.255.255.255") && !has(with_ends, "255.255.255.254"));
        BOOST_CHECK(has(with_ends, highest) &&
                    !has(with_ends, "ffff:ffff:ffff:ffff:ffff:ffff:ffff:fffe"));
    }
}

BOOST_AUTO_TEST_SUITE_END()
