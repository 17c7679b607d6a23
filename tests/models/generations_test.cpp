// The model of snapshots: no interleaving frees a generation too early or never, and the explorer
// finds every mistake that is planted.
#include "models/generations.h"

#include <boost/test/unit_test.hpp>

#include "models/explorer.h"

namespace steer::models {
namespace {

constexpr std::size_t kMostGenerationStates = 6'000'000;

Exploration explore_generations(const GenerationsModel::Options& options) {
    const GenerationsModel model(options);
    return Explorer(model, kMostGenerationStates).run();
}

void expect_sound_generations(const GenerationsModel::Options& options) {
    const Exploration all = explore_generations(options);
    BOOST_TEST(all.error == "", all.error << "\n" << all.trace);
    BOOST_TEST(all.is_complete);
    BOOST_TEST_MESSAGE(options.slots << " slots: " << all.states << " states, " << all.steps
                                     << " steps, depth " << all.depth);
    BOOST_TEST(all.states > 1'000U);
}

BOOST_AUTO_TEST_SUITE(generations)

BOOST_AUTO_TEST_CASE(no_order_of_steps_frees_a_generation_too_early_or_never) {
    expect_sound_generations({.slots = 2});
}

BOOST_AUTO_TEST_CASE(three_generations_are_freed_in_any_order) {
    expect_sound_generations({.slots = 3, .reloads = 3, .one_piece = true});
}

// Suite slow: three million states.
BOOST_AUTO_TEST_CASE(three_generations_are_freed_in_any_order_of_single_actions,
                     *boost::unit_test::label("long")) {
    expect_sound_generations({.slots = 3, .reloads = 3});
}

BOOST_AUTO_TEST_CASE(every_planted_mistake_is_found) {
    using Mistake = GenerationsModel::Mistake;
    for (auto i = static_cast<unsigned>(Mistake::frees_with_parked);
         i <= static_cast<unsigned>(Mistake::retires_in_grace); ++i) {
        const auto mistake = static_cast<Mistake>(i);
        const Exploration all = explore_generations({.mistake = mistake, .slots = 2});
        BOOST_TEST(all.error != "", "not found: " << label(mistake));
        BOOST_TEST(all.trace != "");
        BOOST_TEST_MESSAGE(label(mistake) << ": " << all.error << "\n" << all.trace);
    }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace steer::models
