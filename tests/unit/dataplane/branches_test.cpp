// What is to be done next, for every state of two branches.
#include "dataplane/policy/branches.h"

#include <boost/test/unit_test.hpp>

namespace steer {
namespace {

using Is = Branches::Is;
using Next = NextOfBranches;

Branches of(Is first, Is second, bool late = false) {
    Branches b;
    b.is = {first, second};
    b.late = late;
    return b;
}

Next next_of_fallback(const Branches& b, bool standby) {
    return steer::next_of_fallback(b, FallbackTerms{.always_standby = standby});
}

constexpr std::array kAll{Is::not_begun, Is::running, Is::answered, Is::without_answer, Is::failed};
constexpr std::array kBegun{Is::running, Is::answered, Is::without_answer, Is::failed};

}  // namespace

BOOST_AUTO_TEST_SUITE(branches)

BOOST_AUTO_TEST_CASE(any_response_of_the_primary_is_taken_at_any_time) {
    for (const Is second : kAll) {
        for (const bool late : {false, true}) {
            for (const bool standby : {false, true})
                BOOST_CHECK(next_of_fallback(of(Is::answered, second, late), standby) ==
                            Next::take_first);
        }
    }
}

BOOST_AUTO_TEST_CASE(the_secondary_begins_after_a_failure_a_delay_or_as_standby) {
    for (const bool standby : {false, true}) {
        BOOST_CHECK(next_of_fallback({}, standby) == Next::begin_first);
        BOOST_CHECK(next_of_fallback(of(Is::running, Is::not_begun), standby) ==
                    (standby ? Next::begin_second : Next::wait));
        BOOST_CHECK(next_of_fallback(of(Is::running, Is::not_begun, true), standby) ==
                    Next::begin_second);
        for (const Is first : {Is::failed, Is::without_answer})
            BOOST_CHECK(next_of_fallback(of(first, Is::not_begun), standby) == Next::begin_second);
    }
}

BOOST_AUTO_TEST_CASE(a_standby_answer_is_kept_until_the_primary_failed_or_is_late) {
    BOOST_CHECK(next_of_fallback(of(Is::running, Is::answered), true) == Next::wait);
    BOOST_CHECK(next_of_fallback(of(Is::running, Is::answered, true), true) == Next::take_second);
    for (const Is first : {Is::failed, Is::without_answer})
        BOOST_CHECK(next_of_fallback(of(first, Is::answered), true) == Next::take_second);
    // One that has nothing is not waited for, the primary is.
    for (const Is second : {Is::failed, Is::without_answer, Is::running})
        BOOST_CHECK(next_of_fallback(of(Is::running, second, true), true) == Next::wait);
}

BOOST_AUTO_TEST_CASE(the_error_of_either_branch_is_taken_if_both_fail) {
    for (const Is first : {Is::failed, Is::without_answer}) {
        for (const Is second : {Is::failed, Is::without_answer}) {
            const bool error = first == Is::failed || second == Is::failed;
            BOOST_CHECK(next_of_fallback(of(first, second), false) ==
                        (error ? Next::fail : Next::none));
        }
        BOOST_CHECK(next_of_fallback(of(first, Is::running), false) == Next::wait);
    }
}

BOOST_AUTO_TEST_CASE(a_late_primary_is_waited_for_if_that_is_no_reason) {
    for (const bool standby : {false, true}) {
        const FallbackTerms terms{.always_standby = standby, .on_timeout = false};
        BOOST_CHECK(steer::next_of_fallback(of(Is::running, Is::not_begun, true), terms) ==
                    (standby ? Next::begin_second : Next::wait));
        BOOST_CHECK(steer::next_of_fallback(of(Is::running, Is::answered, true), terms) ==
                    Next::wait);
        for (const Is first : {Is::failed, Is::without_answer}) {
            BOOST_CHECK(steer::next_of_fallback(of(first, Is::not_begun, true), terms) ==
                        Next::begin_second);
            BOOST_CHECK(steer::next_of_fallback(of(first, Is::answered), terms) ==
                        Next::take_second);
        }
    }
}

BOOST_AUTO_TEST_CASE(the_end_of_the_primary_is_the_end_if_it_is_no_reason) {
    for (const Is second : kAll) {
        const FallbackTerms no_error{.always_standby = true, .on_error = false};
        BOOST_CHECK(steer::next_of_fallback(of(Is::failed, second), no_error) == Next::fail);
        const FallbackTerms no_response{.always_standby = true, .on_no_response = false};
        BOOST_CHECK(steer::next_of_fallback(of(Is::without_answer, second), no_response) ==
                    Next::none);
    }
    const FallbackTerms no_error{.on_error = false}, no_response{.on_no_response = false};
    BOOST_CHECK(steer::next_of_fallback(of(Is::without_answer, Is::not_begun), no_error) ==
                Next::begin_second);
    BOOST_CHECK(steer::next_of_fallback(of(Is::failed, Is::not_begun), no_response) ==
                Next::begin_second);
}

BOOST_AUTO_TEST_CASE(a_secondary_that_began_because_of_a_late_primary_stays_in_the_race) {
    const FallbackTerms terms{.on_error = false, .on_no_response = false};
    for (const Is first : {Is::failed, Is::without_answer}) {
        BOOST_CHECK(steer::next_of_fallback(of(first, Is::running, true), terms) == Next::wait);
        BOOST_CHECK(steer::next_of_fallback(of(first, Is::answered, true), terms) ==
                    Next::take_second);
    }
    BOOST_CHECK(steer::next_of_fallback(of(Is::failed, Is::without_answer, true), terms) ==
                Next::fail);
}

BOOST_AUTO_TEST_CASE(a_branch_begins_at_most_once) {
    for (const Is first : kBegun) {
        for (const Is second : kBegun) {
            for (const bool late : {false, true}) {
                for (unsigned bits = 0; bits < 16; ++bits) {
                    const auto bit = [bits](unsigned n) { return (bits >> n & 1) != 0; };
                    const Next next = steer::next_of_fallback(of(first, second, late),
                                                              {bit(0), bit(1), bit(2), bit(3)});
                    BOOST_CHECK(next != Next::begin_first && next != Next::begin_second);
                    if (next == Next::wait)
                        BOOST_CHECK(first == Is::running || second == Is::running);
                }
            }
        }
    }
}

BOOST_AUTO_TEST_CASE(an_answer_of_the_preferred_family_is_taken_at_any_time) {
    BOOST_CHECK(next_of_prefer({}) == Next::begin_first);
    for (const Is first : kBegun) {
        BOOST_CHECK(next_of_prefer(of(first, Is::not_begun)) == Next::begin_second);
        for (const bool late : {false, true})
            BOOST_CHECK(next_of_prefer(of(first, Is::answered, late)) == Next::take_second);
    }
}

BOOST_AUTO_TEST_CASE(the_probe_is_waited_for_until_it_is_late) {
    for (const Is probe : {Is::running, Is::without_answer, Is::failed}) {
        for (const bool late : {false, true})
            BOOST_CHECK(next_of_prefer(of(Is::running, probe, late)) == Next::wait);
        const bool waits = probe == Is::running;
        BOOST_CHECK(next_of_prefer(of(Is::answered, probe)) ==
                    (waits ? Next::wait : Next::take_first));
        BOOST_CHECK(next_of_prefer(of(Is::failed, probe)) == (waits ? Next::wait : Next::fail));
        BOOST_CHECK(next_of_prefer(of(Is::answered, probe, true)) == Next::take_first);
        BOOST_CHECK(next_of_prefer(of(Is::failed, probe, true)) == Next::fail);
    }
}

BOOST_AUTO_TEST_CASE(an_aaaa_answer_is_enough_for_dns64) {
    for (const bool all : {false, true}) {
        BOOST_CHECK(next_of_dns64({}, all) == Next::begin_first);
        BOOST_CHECK(next_of_dns64(of(Is::running, Is::not_begun), all) == Next::begin_second);
        for (const Is second : kAll)
            BOOST_CHECK(next_of_dns64(of(Is::answered, second), all) == Next::take_first);
    }
}

BOOST_AUTO_TEST_CASE(a_records_are_translated_when_aaaa_is_missing) {
    BOOST_CHECK(next_of_dns64(of(Is::running, Is::answered), false) == Next::wait);
    BOOST_CHECK(next_of_dns64(of(Is::running, Is::answered), true) == Next::take_second);
    for (const Is first : {Is::lacking, Is::without_answer, Is::failed}) {
        for (const bool all : {false, true}) {
            BOOST_CHECK(next_of_dns64(of(first, Is::answered), all) == Next::take_second);
            BOOST_CHECK(next_of_dns64(of(first, Is::running), all) == Next::wait);
        }
    }
}

BOOST_AUTO_TEST_CASE(without_a_records_the_aaaa_result_is_taken_unless_a_failed) {
    for (const bool all : {false, true}) {
        for (const Is first : {Is::lacking, Is::without_answer, Is::failed})
            BOOST_CHECK(next_of_dns64(of(first, Is::failed), all) == Next::fail);
        for (const Is second : {Is::lacking, Is::without_answer})
            BOOST_CHECK(next_of_dns64(of(Is::lacking, second), all) == Next::take_first);
        for (const Is first : {Is::without_answer, Is::failed})
            BOOST_CHECK(next_of_dns64(of(first, Is::lacking), all) == Next::take_second);
        BOOST_CHECK(next_of_dns64(of(Is::failed, Is::without_answer), all) == Next::fail);
        BOOST_CHECK(next_of_dns64(of(Is::without_answer, Is::without_answer), all) == Next::none);
        for (const Is first : {Is::lacking, Is::without_answer, Is::failed, Is::running})
            BOOST_CHECK(next_of_dns64(of(Is::running, first), all) ==
                        (first == Is::answered && all ? Next::take_second : Next::wait));
    }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace steer
