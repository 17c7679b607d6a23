#define BOOST_TEST_MODULE doctor
#include "control/operator/doctor/advertisement.h"

#include <boost/test/unit_test.hpp>
#include <random>

using namespace steer;
using namespace steer::doctor;

namespace {

using Bytes = std::vector<std::uint8_t>;

IpAddress address(std::string_view text) {
    return *IpAddress::parse(text);
}

const IpAddress kRouter = address("fe80::1");

Bytes message(std::uint16_t lifetime_s, const std::vector<Bytes>& options) {
    Bytes out{134,
              0,
              0,
              0,
              64,
              0,
              static_cast<std::uint8_t>(lifetime_s >> 8),
              static_cast<std::uint8_t>(lifetime_s),
              0,
              0,
              0,
              0,
              0,
              0,
              0,
              0};
    for (const Bytes& option : options)
        out.insert(out.end(), option.begin(), option.end());
    return out;
}

// `code` of RFC 8781 4: 0 is /96, 1 is /64.
Bytes pref64(std::uint16_t lifetime_s, std::uint8_t code, std::string_view prefix) {
    const std::uint16_t both = static_cast<std::uint16_t>((lifetime_s & ~7U) | code);
    Bytes out{38, 2, static_cast<std::uint8_t>(both >> 8), static_cast<std::uint8_t>(both)};
    const IpAddress bytes = address(prefix);
    out.insert(out.end(), bytes.bytes.begin(), bytes.bytes.begin() + 12);
    return out;
}

Bytes rdnss(std::uint8_t lifetime_s, const std::vector<std::string_view>& servers) {
    Bytes out{25, static_cast<std::uint8_t>(1 + 2 * servers.size()), 0, 0, 0, 0, 0, lifetime_s};
    for (const std::string_view server : servers) {
        const IpAddress bytes = address(server);
        out.insert(out.end(), bytes.bytes.begin(), bytes.bytes.end());
    }
    return out;
}

const Announced kWanted{{"64:ff9b::/96"}, {address("2001:db8::53")}, 100, "eth0"};

// The checks that it finds, and the end of the step.
std::string judged(const std::vector<Bytes>& messages, const Announced& wanted = kWanted) {
    std::vector<Advertisement> received;
    for (const Bytes& one : messages) {
        auto read = read_advertisement(one, kRouter);
        BOOST_REQUIRE(read.has_value());
        add(received, std::move(*read));
    }
    Findings findings;
    Steps steps;
    judge_advertisements(received, wanted, findings, steps);
    BOOST_REQUIRE(steps.size() == 1);
    std::string all(text_of(steps[0].end));
    for (const Finding& finding : findings)
        all += " " + finding.check;
    return all;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(advertisement)

BOOST_AUTO_TEST_CASE(an_advertisement_is_read) {
    const auto read = read_advertisement(
        message(1800, {pref64(1800, 0, "64:ff9b::"), rdnss(200, {"2001:db8::53", "2001:db8::54"})}),
        kRouter);
    BOOST_REQUIRE(read.has_value());
    BOOST_TEST(read->lifetime_s == 1800);
    BOOST_REQUIRE(read->nat64.size() == 1);
    BOOST_TEST(read->nat64[0].lifetime_s == 1800);
    BOOST_TEST(read->nat64[0].prefix.length == 96);
    BOOST_REQUIRE(read->servers.size() == 2);
    BOOST_TEST(read->servers[1].address.to_string() == "2001:db8::54");
    BOOST_TEST(read->servers[1].lifetime_s == 200);
    const auto other = read_advertisement(message(0, {pref64(65'528, 5, "2001:db8::")}), kRouter);
    BOOST_TEST(other->nat64[0].prefix.length == 32);
    BOOST_TEST(other->nat64[0].lifetime_s == 65'528);
}

BOOST_AUTO_TEST_CASE(invalid_messages_are_refused) {
    const Bytes good = message(1800, {pref64(1800, 0, "64:ff9b::")});
    BOOST_TEST(!read_advertisement(good, address("2001:db8::1")).has_value());  // not link-local
    for (std::size_t length = 0; length < good.size(); ++length) {
        const std::span<const std::uint8_t> cut(good.data(), length);
        BOOST_TEST(read_advertisement(cut, kRouter).has_value() == (length == 16));
    }
    Bytes zero = good;
    zero[17] = 0;  // an option of length 0
    BOOST_TEST(!read_advertisement(zero, kRouter).has_value());
    Bytes other = good;
    other[0] = 133;
    BOOST_TEST(!read_advertisement(other, kRouter).has_value());
    other[0] = 134, other[1] = 1;
    BOOST_TEST(!read_advertisement(other, kRouter).has_value());
}

BOOST_AUTO_TEST_CASE(options_of_a_wrong_length_or_code_are_skipped) {
    Bytes wrong_code = pref64(1800, 6, "64:ff9b::"), even = rdnss(200, {"2001:db8::53"});
    even[1] = 4;
    even.resize(32);
    const auto read =
        read_advertisement(message(1800, {wrong_code, even, {1, 1, 2, 3, 4, 5, 6, 7}}), kRouter);
    BOOST_REQUIRE(read.has_value());
    BOOST_TEST(read->nat64.empty());
    BOOST_TEST(read->servers.empty());
}

BOOST_AUTO_TEST_CASE(any_bytes_are_read_within_their_bounds) {
    std::mt19937 dice(1);
    const Bytes good = message(1800, {pref64(1800, 0, "64:ff9b::"), rdnss(200, {"2001:db8::53"})});
    unsigned read_ones = 0;
    for (int i = 0; i < 20'000; ++i) {
        // (A copy of its own size: a reader behind its end meets the sanitizer.)
        Bytes bytes(good.begin(),
                    good.begin() + static_cast<std::ptrdiff_t>(dice() % (good.size() + 1)));
        for (unsigned change = 0; change < 3 && bytes.size() > 2; ++change)
            bytes[2 + dice() % (bytes.size() - 2)] = static_cast<std::uint8_t>(dice());
        const auto read = read_advertisement(bytes, kRouter);
        if (!read) continue;
        ++read_ones;
        for (const auto& one : read->nat64)
            BOOST_REQUIRE(dns::Pref64::is_length(one.prefix.length));
    }
    BOOST_TEST(read_ones > 100U);
}

BOOST_AUTO_TEST_CASE(each_mistake_is_named_alone) {
    const Bytes p = pref64(1800, 0, "64:ff9b::"), s = rdnss(200, {"2001:db8::53"});
    BOOST_TEST(judged({message(1800, {p, s})}) == "ok");
    BOOST_TEST(judged({message(1800, {s}), message(0, {p})}) == "ok");  // two messages of a router
    BOOST_TEST(judged({}) == "failed ra-none");
    BOOST_TEST(judged({message(1800, {s})}) == "failed ra-pref64");
    BOOST_TEST(judged({message(1800, {s, pref64(1800, 0, "2001:db8:64::")})}) ==
               "failed ra-pref64");
    BOOST_TEST(judged({message(1800, {s, pref64(1800, 1, "64:ff9b::")})}) == "failed ra-pref64");
    BOOST_TEST(judged({message(1800, {p, s, pref64(1800, 0, "2001:db8:64::")})}) ==
               "failed ra-pref64");
    BOOST_TEST(judged({message(1800, {p})}) == "failed ra-rdnss");
    BOOST_TEST(judged({message(1800, {p, rdnss(200, {"2001:db8::53", "2001:db8::99"})})}) ==
               "failed ra-rdnss");
    BOOST_TEST(judged({message(0, {p, s})}) == "failed ra-lifetime");
    BOOST_TEST(judged({message(1800, {pref64(0, 0, "64:ff9b::"), s})}) == "failed ra-lifetime");
    BOOST_TEST(judged({message(1800, {p, rdnss(0, {"2001:db8::53"})})}) == "failed ra-lifetime");
}

BOOST_AUTO_TEST_CASE(lifetimes_last_to_the_next_advertisement) {
    const Bytes p = pref64(1800, 0, "64:ff9b::");
    BOOST_TEST(judged({message(1800, {p, rdnss(99, {"2001:db8::53"})})}) == "failed ra-lifetime");
    BOOST_TEST(judged({message(1800, {p, rdnss(100, {"2001:db8::53"})})}) == "ok");
    Announced unknown = kWanted;
    unknown.interval_s = 0;
    BOOST_TEST(judged({message(1800, {p, rdnss(1, {"2001:db8::53"})})}, unknown) == "ok");
}

BOOST_AUTO_TEST_CASE(the_last_word_of_a_router_counts) {
    const Bytes s = rdnss(200, {"2001:db8::53"});
    BOOST_TEST(judged({message(1800, {s, pref64(1800, 0, "64:ff9b::")}),
                       message(1800, {pref64(0, 0, "64:ff9b::")})}) == "failed ra-lifetime");
}

BOOST_AUTO_TEST_SUITE_END()
