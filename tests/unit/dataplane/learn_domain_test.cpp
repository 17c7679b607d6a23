// Whose names a learn_domain hands over, and how often.
#include "dataplane/policy/learn_domain.h"

#include <array>
#include <boost/test/unit_test.hpp>

namespace steer {

BOOST_AUTO_TEST_SUITE(learn_domain)

BOOST_AUTO_TEST_CASE(a_name_is_recent_for_a_minute) {
    RecentNames recent;
    constexpr std::uint64_t kName = 0x1234'5678'9abc'def0;
    BOOST_TEST(!recent.has(kName, 0));
    BOOST_TEST(!recent.has(0, 0), "an empty place is no name");
    recent.put(kName, 60);
    BOOST_TEST(recent.has(kName, 60));
    BOOST_TEST(recent.has(kName, 119));
    BOOST_TEST(!recent.has(kName, 120));
    BOOST_TEST(!recent.has(kName ^ (std::uint64_t{1} << 40), 60), "the same place, another name");
    recent.put(kName ^ (std::uint64_t{1} << 40), 60);
    BOOST_TEST(!recent.has(kName, 60), "it has the place now");
}

BOOST_AUTO_TEST_CASE(answers_are_selected_by_rcode_and_records) {
    dns::Answer good{}, empty{}, failed{};
    good.ancount = 1;
    failed.rcode = dns::kServFail;
    failed.ancount = 1;
    const auto learns = [&](bool success_only, bool answer_required) {
        const LearnDomain l{.success_only = success_only, .answer_required = answer_required};
        return std::array{l.learns_answer(good), l.learns_answer(empty), l.learns_answer(failed)};
    };
    BOOST_TEST((learns(true, true) == std::array{true, false, false}));
    BOOST_TEST((learns(true, false) == std::array{true, true, false}));
    BOOST_TEST((learns(false, true) == std::array{true, false, true}));
    BOOST_TEST((learns(false, false) == std::array{true, true, true}));
}

BOOST_AUTO_TEST_CASE(query_types_are_selected_by_the_setting) {
    const LearnDomain l{.qtypes = {1, 28, 65}};
    BOOST_TEST((l.learns_type(1) && l.learns_type(28) && l.learns_type(65)));
    BOOST_TEST((!l.learns_type(2) && !l.learns_type(0) && !l.learns_type(255)));
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace steer
