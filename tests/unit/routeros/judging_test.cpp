// What is judged in pieces when a router is back: how much at a time, and what may be relied on
// before it is done.
#include <boost/test/unit_test.hpp>

#include "lab.h"
#include "tools/rossim/cost.h"

namespace steer::routeros::test {
namespace {

// Counts what the board is notified, and how much it knew when the router was there again.
struct Board : Lab {
    using Lab::Lab;
    void installed(ListId list, const AddressBytes& address, std::uint32_t until_s) override {
        Lab::installed(list, address, until_s);
        ++notified;
    }
    void away(ListId list, bool value) override {
        Lab::away(list, value);
        if (!value) known_when_back = notified;
    }
    std::size_t notified = 0, known_when_back = 0;
};

constexpr unsigned kClaims = 5'000;
constexpr std::size_t kPiece = 1'000;
constexpr std::size_t kStep = 2 * kPiece;  // a step of the lab lets the router run twice at most

struct Steps {
    std::size_t count = 0, most = 0;
};

// Runs until the router is not away any more; returns how the row board was written.
Steps until_back(Board& lab) {
    Steps steps;
    std::size_t before = lab.notified = 0;
    const auto back = [&] {
        const std::size_t now = lab.notified - before;
        before = lab.notified;
        steps.most = std::max(steps.most, now);
        if (now > 0) ++steps.count;
        return !lab.aways[1];
    };
    BOOST_REQUIRE(lab.run_until(lab.now_us + 60 * kSecond, back));
    return steps;
}

BOOST_AUTO_TEST_SUITE(judging)

BOOST_AUTO_TEST_CASE(many_claims_are_compared_in_pieces_and_no_answer_is_held_before_the_end) {
    Board lab{fast()};
    BOOST_REQUIRE(lab.sync());
    for (unsigned i = 0; i < kClaims; ++i)
        lab.claim(1, {nth(i)}, 1770, 1800);
    lab.run_for(120 * kSecond);
    BOOST_REQUIRE(lab.rows("policy_v4").size() == kClaims);

    lab.close();
    lab.router->closed("by the test", lab.now_ms());
    BOOST_TEST(lab.aways[1]);
    Steps steps = until_back(lab);
    BOOST_TEST(lab.known_when_back == kClaims);
    BOOST_TEST(steps.count >= kClaims / kStep);
    BOOST_TEST(steps.most <= kStep);

    // The end of a pause does the same; a second print does not make the router away.
    lab.router->pause(lab.now_ms());
    BOOST_TEST(lab.aways[1]);
    for (unsigned i = 0; i < kClaims; ++i)
        lab.sim.remove_row(rossim::Family::ipv4, "policy_v4", nth(i), lab.now_us);
    lab.run_for(10 * kSecond);
    lab.router->resume(lab.now_ms());
    BOOST_TEST(lab.aways[1]);
    const auto asked_us = lab.now_us;
    lab.claim(1, {nth(7)}, 1770, 1800, 1);
    BOOST_TEST((lab.outcomes[1] == Outcome::router_away));
    until_back(lab);
    for (unsigned i = 0; i < kClaims; ++i)
        BOOST_REQUIRE(lab.installed_until(1, nth(i)) == 0U);
    BOOST_TEST(lab.now_us - asked_us < 1'000);
    lab.run_for(kSecond);
    lab.router->request_reprint(lab.now_ms());
    const auto seen = [&] { return lab.router->counters().prints == 6; };
    BOOST_REQUIRE(!lab.run_until(lab.now_us + kSecond, [&] { return lab.aways[1] || seen(); }));
}

// What is claimed while the pieces are judged is judged at once, and again with its piece.
BOOST_AUTO_TEST_CASE(claims_during_the_comparison_are_neither_lost_nor_written_twice) {
    Board lab{fast()};
    lab.reachable = false;
    lab.aways[1] = true;  // as it is before anything was reported
    lab.start();
    for (unsigned i = 0; i < kClaims; ++i)
        lab.claim(1, {nth(i)}, 1770, 1800);
    lab.run_for(10 * kSecond);
    lab.reachable = true;
    const auto judging = [&] {
        return lab.router->status().state == RouterState::in_sync && lab.aways[1];
    };
    BOOST_REQUIRE(lab.run_until(lab.now_us + 60 * kSecond, judging));
    lab.claim(1, {nth(kClaims - 1)}, 1770, 1800, 1);
    lab.claim(1, {nth(kClaims)}, 1770, 1800, 2);
    BOOST_TEST((lab.outcomes[1] == Outcome::router_away));
    BOOST_TEST((lab.outcomes[2] == Outcome::router_away));
    lab.run_for(60 * kSecond);
    BOOST_TEST(lab.rows("policy_v4").size() == kClaims + 1);
    BOOST_TEST(lab.adds == kClaims + 1);
    BOOST_TEST(lab.router->status().pending == 0U);
}

// The session ends in the middle: the next one compares all claims again.
BOOST_AUTO_TEST_CASE(a_session_that_ends_during_the_comparison_starts_it_again) {
    Board lab{fast()};
    BOOST_REQUIRE(lab.sync());
    for (unsigned i = 0; i < kClaims; ++i)
        lab.claim(1, {nth(i)}, 1770, 1800);
    lab.run_for(120 * kSecond);
    lab.close();
    lab.router->closed("by the test", lab.now_ms());
    const auto judging = [&] {
        return lab.router->status().state == RouterState::in_sync && lab.aways[1];
    };
    BOOST_REQUIRE(lab.run_until(lab.now_us + 60 * kSecond, judging));
    const auto epoch = lab.epochs[1];
    lab.close();
    lab.router->closed("by the test", lab.now_ms());
    BOOST_TEST(lab.epochs[1] == epoch + 1);
    until_back(lab);
    BOOST_TEST(lab.known_when_back == kClaims);
    BOOST_TEST(lab.adds == kClaims);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace steer::routeros::test
