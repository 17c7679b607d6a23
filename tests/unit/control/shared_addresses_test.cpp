#include "control/sinks/routers/shared_addresses.h"

#include <boost/test/unit_test.hpp>

namespace steer {
namespace {

constexpr ListId kList = 3;
constexpr unsigned kAbove = 3;
constexpr std::uint32_t kStart = 10'000;
constexpr std::uint32_t kStep = SharedAddresses::kWholeS;

IpAddress address(unsigned n = 7) {
    const std::uint8_t bytes[4]{203, 0, static_cast<std::uint8_t>(n >> 8),
                                static_cast<std::uint8_t>(n)};
    return IpAddress::from_v4(bytes);
}
std::string name(unsigned n) {
    return "www" + std::to_string(n) + ".other.example";
}

// Entry under `names` names in one second.
SharedAddresses::Verdict tell(SharedAddresses& all, unsigned names, std::uint32_t now_s,
                              unsigned above = kAbove) {
    SharedAddresses::Verdict last;
    for (unsigned n = 0; n < names; ++n)
        last = all.record(kList, address(), name(n), above, now_s);
    return last;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(shared_addresses)

BOOST_AUTO_TEST_CASE(an_address_is_shared_when_enough_names_have_it) {
    SharedAddresses all;
    BOOST_TEST(tell(all, 2, kStart).until_s == 0U);
    for (int i = 0; i < 10; ++i)
        BOOST_TEST(all.record(kList, address(), name(1), kAbove, kStart).until_s == 0U);
    const auto third = all.record(kList, address(), name(2), kAbove, kStart);
    BOOST_TEST(third.until_s > kStart);
    BOOST_TEST(third.is_new);
    BOOST_TEST(!all.record(kList, address(), name(3), kAbove, kStart).is_new);
    BOOST_TEST(all.shared(kStart) == 1U);
    BOOST_TEST(all.shared(kStart, kList) == 1U);
    BOOST_TEST(all.shared(kStart, ListId{4}) == 0U);
    // Another list, another address: of their own.
    BOOST_TEST(all.record(4, address(), name(4), kAbove, kStart).until_s == 0U);
    BOOST_TEST(all.record(kList, address(8), name(4), kAbove, kStart).until_s == 0U);
}

BOOST_AUTO_TEST_CASE(names_count_less_with_time) {
    SharedAddresses all;
    tell(all, 4, kStart);
    const auto names_at = [&](std::uint32_t after_s) {
        const auto shown = all.show(kStart + after_s);
        return shown.empty() ? 0.0 : shown.at(0).names;
    };
    BOOST_TEST(names_at(0) == 4.0);
    BOOST_TEST(names_at(kStep - 1) == 4.0);
    BOOST_TEST(names_at(kStep) == 2.0);
    BOOST_TEST(names_at(2 * kStep) == 1.0);
    BOOST_TEST(names_at(3 * kStep - 1) == 1.0);
    BOOST_TEST(names_at(3 * kStep) == 0.0);
    // One that is entry again counts whole again.
    all.record(kList, address(), name(0), kAbove, kStart + 2 * kStep);
    BOOST_TEST(names_at(2 * kStep) == 1.75);
}

// It begins at three names and ends below one and a half.
BOOST_AUTO_TEST_CASE(sharing_ends_at_half_of_its_threshold) {
    SharedAddresses all;
    const auto verdict = tell(all, 3, kStart);
    BOOST_TEST(verdict.until_s == kStart + 2 * kStep);
    BOOST_TEST(all.show(kStart + 2 * kStep - 1).at(0).shared);
    BOOST_TEST(!all.show(kStart + 2 * kStep).at(0).shared);

    // Put off by those that still come, though they would be too few to begin it ...
    const auto again = all.record(kList, address(), name(0), kAbove, kStart + kStep);
    BOOST_TEST(again.until_s == kStart + 2 * kStep);
    BOOST_TEST(!again.is_new);
    const std::uint32_t late_s = kStart + 2 * kStep - 1;
    all.record(kList, address(), name(0), kAbove, late_s);
    const auto two = all.record(kList, address(), name(1), kAbove, late_s);
    BOOST_TEST(two.until_s == late_s + kStep);
    // ... and once it has ended it takes three again.
    const std::uint32_t ended_s = late_s + 3 * kStep;
    BOOST_TEST(all.record(kList, address(), name(0), kAbove, ended_s).until_s == 0U);
    BOOST_TEST(all.record(kList, address(), name(7), kAbove, ended_s).until_s == 0U);
    BOOST_TEST(all.record(kList, address(), name(8), kAbove, ended_s).is_new);
}

BOOST_AUTO_TEST_CASE(one_name_may_be_enough) {
    SharedAddresses all;
    BOOST_TEST(tell(all, 1, kStart, 1).until_s == kStart + 2 * kStep);
    SharedAddresses most;
    BOOST_TEST(tell(most, 15, kStart, 16).until_s == 0U);
    BOOST_TEST(tell(most, 16, kStart, 16).is_new);
}

BOOST_AUTO_TEST_CASE(watched_addresses_and_names_are_limited) {
    SharedAddresses all;
    tell(all, 1000, kStart);
    BOOST_TEST(all.show(kStart).at(0).names == double{SharedAddresses::kMaxNames});
    for (unsigned n = 0; n < SharedAddresses::kMaxAddresses + 10; ++n)
        all.record(kList, address(n), name(0), 1, kStart);
    BOOST_TEST(all.size() == SharedAddresses::kMaxAddresses);
    const IpAddress more = address(SharedAddresses::kMaxAddresses + 1);
    BOOST_TEST(all.record(kList, more, name(0), 1, kStart).until_s == 0U);
    BOOST_TEST(all.record(kList, address(1), name(1), 1, kStart).until_s > kStart);

    std::size_t gone = 0;
    const auto count = [&](ListId list, const IpAddress&) { gone += list == kList ? 1U : 0U; };
    all.forget_old(kStart + 3 * kStep - 1, count);
    BOOST_TEST(gone == 0U);
    all.forget_old(kStart + 3 * kStep, count);
    BOOST_TEST(gone == SharedAddresses::kMaxAddresses);
    BOOST_TEST(all.size() == 0U);
    BOOST_TEST(all.record(kList, more, name(0), 1, kStart + 3 * kStep).is_new);
}

BOOST_AUTO_TEST_CASE(the_last_two_names_are_examples_and_rows_are_sorted) {
    SharedAddresses all;
    tell(all, 3, kStart);
    for (unsigned n = 0; n < 5; ++n)
        all.record(kList, address(8), name(n), kAbove, kStart);
    all.record(kList, address(), name(1), kAbove, kStart);
    const auto shown = all.show(kStart);
    BOOST_TEST_REQUIRE(shown.size() == 2U);
    BOOST_CHECK(shown[0].address == address(8));
    BOOST_TEST(shown[0].names == 5.0);
    BOOST_TEST(shown[0].list == kList);
    BOOST_TEST(shown[1].examples == (std::vector<std::string>{name(1), name(2)}),
               boost::test_tools::per_element());
}

BOOST_AUTO_TEST_SUITE_END()
}  // namespace steer
