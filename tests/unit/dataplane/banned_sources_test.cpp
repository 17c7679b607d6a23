// The table of banned prefixes that workers and streams read.
#include "dataplane/limits/banned_sources.h"

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <string>
#include <vector>

namespace steer::test {
namespace {

matchers::Prefix prefix(const std::string& text) {
    const auto parsed = matchers::Prefix::parse(text);
    BOOST_REQUIRE_MESSAGE(parsed, text);
    return *parsed;
}

// Distinct IPv4 networks of 24 bits.
std::vector<matchers::Prefix> networks(unsigned first, unsigned count) {
    std::vector<matchers::Prefix> out;
    for (unsigned i = first; i < first + count; ++i) {
        out.push_back(prefix(std::to_string(1 + i / 65536) + "." + std::to_string(i / 256 % 256) +
                             "." + std::to_string(i % 256) + ".0/24"));
    }
    return out;
}

std::ptrdiff_t contained(const BannedSources& banned, const std::vector<matchers::Prefix>& of) {
    return std::ranges::count_if(of, [&](const auto& one) { return banned.contains(one); });
}

}  // namespace

BOOST_AUTO_TEST_SUITE(banned_sources)

BOOST_AUTO_TEST_CASE(contains_what_was_set_last) {
    BannedSources banned;
    BOOST_CHECK(banned.empty());
    BOOST_CHECK(!banned.contains(prefix("192.0.2.0/24")));

    banned.set(std::vector{prefix("192.0.2.0/24"), prefix("2001:db8::/56")});
    BOOST_CHECK(!banned.empty());
    BOOST_CHECK(banned.contains(prefix("192.0.2.0/24")));
    BOOST_CHECK(banned.contains(prefix("2001:db8::/56")));
    // Another length or another address is another ban.
    BOOST_CHECK(!banned.contains(prefix("192.0.2.0/25")));
    BOOST_CHECK(!banned.contains(prefix("192.0.3.0/24")));
    BOOST_CHECK(!banned.contains(prefix("2001:db8::/48")));
    BOOST_CHECK(!banned.contains(prefix("2001:db8:0:100::/56")));

    banned.set(std::vector{prefix("198.51.100.7")});
    BOOST_CHECK(!banned.contains(prefix("192.0.2.0/24")));
    BOOST_CHECK(banned.contains(prefix("198.51.100.7")));

    banned.set({});
    BOOST_CHECK(banned.empty());
    BOOST_CHECK(!banned.contains(prefix("198.51.100.7")));
}

// A thousand in 1,024 sets of eight places: two of them in one set are usual; nine are in one table of
// a thousand. Networks that follow each other spread as well as others, with every secret.
BOOST_AUTO_TEST_CASE(finds_a_thousand_and_no_other) {
    const auto given = networks(0, 1000), others = networks(1000, 1'000);
    for (unsigned table = 0; table < 300; ++table) {
        BannedSources banned;
        banned.set(given);
        BOOST_CHECK_GE(contained(banned, given), 998);
        BOOST_CHECK_EQUAL(contained(banned, others), 0);
    }
}

BOOST_AUTO_TEST_CASE(leaves_out_what_finds_no_place) {
    BannedSources banned;
    const auto given = networks(0, 20'000);
    banned.set(given);
    BOOST_CHECK_GT(contained(banned, given), 7'000);
    BOOST_CHECK_LE(contained(banned, given), 8'192);  // the places
    BOOST_CHECK_EQUAL(contained(banned, networks(20'000, 10'000)), 0);
}

// Hashes have a secret of the table, so what collides in one does not collide in the next.
BOOST_AUTO_TEST_CASE(tables_have_their_own_hashes) {
    const auto given = networks(0, 20'000);
    BannedSources one, other;
    one.set(given);
    other.set(given);
    BOOST_CHECK(std::ranges::any_of(
        given, [&](const auto& prefix) { return one.contains(prefix) != other.contains(prefix); }));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace steer::test
