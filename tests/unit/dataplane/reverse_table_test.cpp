// Addresses and the names that they were sent for: bounds, ends, and many at the same time.
#include "dataplane/answer/reverse_table.h"

#include <boost/test/unit_test.hpp>
#include <string>
#include <thread>
#include <vector>

#include "support/dns_message.h"

namespace steer {
namespace {

using test::wire_name;

IpAddress address(std::uint32_t n) {
    const std::uint8_t bytes[4]{10, static_cast<std::uint8_t>(n >> 16),
                                static_cast<std::uint8_t>(n >> 8), static_cast<std::uint8_t>(n)};
    return IpAddress::from_v4(bytes);
}

test::Bytes found(const ReverseTable& table, const IpAddress& a, std::uint32_t now_s) {
    ReverseTable::Name name;
    const std::size_t length = table.find(a, now_s, name);
    return {name.begin(), name.begin() + static_cast<std::ptrdiff_t>(length)};
}

BOOST_AUTO_TEST_SUITE(reverse_table)

BOOST_AUTO_TEST_CASE(an_address_is_known_until_its_end) {
    ReverseTable table(16);
    table.learn(address(1), wire_name("a.example"), 110, 100);
    BOOST_CHECK(found(table, address(1), 100) == wire_name("a.example"));
    BOOST_CHECK(found(table, address(1), 109) == wire_name("a.example"));
    BOOST_CHECK(found(table, address(1), 110).empty());
    BOOST_CHECK(found(table, address(2), 100).empty());
}

BOOST_AUTO_TEST_CASE(the_last_name_of_an_address_counts) {
    ReverseTable table(16);
    const std::string longest(63, 'x');
    table.learn(address(1), wire_name(longest + "." + longest + "." + longest), 200, 100);
    table.learn(address(1), wire_name("b"), 200, 100);
    BOOST_CHECK(found(table, address(1), 100) == wire_name("b"));
    const auto whole =
        wire_name(longest + "." + longest + "." + longest + "." + std::string(61, 'y'));
    BOOST_TEST_REQUIRE(whole.size() == 255U);
    table.learn(address(1), whole, 200, 100);
    BOOST_CHECK(found(table, address(1), 100) == whole);
}

BOOST_AUTO_TEST_CASE(a_name_is_written_again_after_half_of_its_time) {
    ReverseTable table(16);
    table.learn(address(1), wire_name("a"), 200, 100);
    table.learn(address(1), wire_name("a"), 220, 120);
    BOOST_CHECK(found(table, address(1), 200).empty());  // 80 of 100 seconds were left
    table.learn(address(1), wire_name("a"), 300, 170);
    BOOST_CHECK(found(table, address(1), 299) == wire_name("a"));
}

BOOST_AUTO_TEST_CASE(the_name_that_ends_first_makes_room) {
    ReverseTable table(4);
    BOOST_TEST(table.size() == 4U);
    for (std::uint32_t i = 0; i < 4; ++i)
        table.learn(address(i), wire_name("a"), 200 + i, 100);
    table.learn(address(9), wire_name("b"), 150, 100);
    BOOST_CHECK(found(table, address(0), 100).empty());
    BOOST_CHECK(found(table, address(9), 100) == wire_name("b"));
    for (std::uint32_t i = 1; i < 4; ++i)
        BOOST_CHECK(found(table, address(i), 100) == wire_name("a"));
}

BOOST_AUTO_TEST_CASE(an_expired_answer_is_not_learned) {
    ReverseTable table(4);
    table.learn(address(1), wire_name("a"), 100, 100);
    BOOST_CHECK(found(table, address(1), 99).empty());
}

// Whatever a reader finds is a name that was written for that address.
BOOST_AUTO_TEST_CASE(concurrent_readers_see_whole_names) {
    ReverseTable table(64);
    constexpr unsigned kNames = 100, kRounds = 20'000;
    std::vector<test::Bytes> names;
    for (unsigned i = 0; i < kNames; ++i)
        names.push_back(wire_name(std::string(1 + i % 60, static_cast<char>('a' + i % 26)) + "." +
                                  std::to_string(i)));
    const auto write = [&](unsigned from) {
        for (unsigned i = 0; i < kRounds; ++i) {
            const unsigned n = (i * 7 + from) % kNames;
            table.learn(address(n), names[n], 1000 + i, i);
        }
    };
    std::vector<std::thread> writers;
    writers.emplace_back(write, 0);
    writers.emplace_back(write, 31);
    unsigned wrong = 0;
    for (unsigned i = 0; i < kRounds; ++i) {
        const auto name = found(table, address(i % kNames), 1);
        wrong += !name.empty() && name != names[i % kNames];
    }
    for (auto& thread : writers)
        thread.join();
    BOOST_TEST(wrong == 0U);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace steer
