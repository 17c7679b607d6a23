// The model of a fleet's writers: no interleaving breaks a promise or the fence, and the explorer
// finds every mistake that is planted.
#include "models/writers.h"

#include <boost/test/unit_test.hpp>

#include "models/explorer.h"

namespace steer::models {
namespace {

constexpr std::size_t kMostWriterStates = 8'000'000;

Exploration explore_writers(const WritersModel::Options& options) {
    const WritersModel model(options);
    return Explorer(model, kMostWriterStates).run();
}

void expect_sound_writers(const WritersModel::Options& options) {
    const Exploration all = explore_writers(options);
    BOOST_TEST(all.error == "", all.error << "\n" << all.trace);
    BOOST_TEST(all.is_complete);
    BOOST_TEST_MESSAGE(all.states << " states, " << all.steps << " steps, depth " << all.depth);
    BOOST_TEST(all.states > 1'000U);
}

BOOST_AUTO_TEST_SUITE(writers)

BOOST_AUTO_TEST_CASE(two_writers_keep_their_promises_over_a_reboot) {
    expect_sound_writers({.cuts = 0, .reboots = 1});
}

BOOST_AUTO_TEST_CASE(two_writers_keep_their_promises_over_a_cut_with_a_late_command) {
    expect_sound_writers({.cuts = 1, .reboots = 0});
}

BOOST_AUTO_TEST_CASE(a_persons_row_in_the_place_is_no_acknowledgement) {
    expect_sound_writers({.elections = 1, .cuts = 0, .reboots = 0, .people = 2});
}

// Suite slow: millions of states.
BOOST_AUTO_TEST_CASE(three_terms_keep_promises_over_a_cut, *boost::unit_test::label("long")) {
    expect_sound_writers({.elections = 3, .cuts = 1, .reboots = 0});
}
BOOST_AUTO_TEST_CASE(a_cut_and_a_reboot_break_no_promise, *boost::unit_test::label("long")) {
    expect_sound_writers({.elections = 2, .cuts = 1, .reboots = 1, .people = 1});
}

BOOST_AUTO_TEST_CASE(every_planted_mistake_of_a_writer_is_found) {
    using Mistake = WritersModel::Mistake;
    for (auto i = static_cast<unsigned>(Mistake::acknowledges_on_send);
         i <= static_cast<unsigned>(Mistake::forgets_waiters); ++i) {
        const auto mistake = static_cast<Mistake>(i);
        const bool has_person = mistake == Mistake::duplicate_is_success;
        const bool reboots = mistake == Mistake::keeps_rows_over_reconnect;
        const Exploration all = explore_writers({.mistake = mistake,
                                                 .cuts = 0,
                                                 .reboots = static_cast<std::uint8_t>(reboots),
                                                 .people = static_cast<std::uint8_t>(has_person)});
        BOOST_TEST(all.error != "", "not found: " << label(mistake));
        BOOST_TEST(all.trace != "");
        BOOST_TEST_MESSAGE(label(mistake) << ": " << all.error << "\n" << all.trace);
    }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace steer::models
