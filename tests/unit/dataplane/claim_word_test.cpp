// The arithmetic of claims, with the examples of docs/explanation/architecture.md.
#include "dataplane/event/claim_word.h"

#include <boost/test/unit_test.hpp>

#include "dataplane/event/row_board.h"
#include "packet/programs.h"

namespace steer {
namespace {

using test::policy_list;

struct Lives {
    std::uint32_t leaves, row;
    bool operator==(const Lives&) const = default;
};
std::ostream& operator<<(std::ostream& o, const Lives& l) {
    return o << l.leaves << '/' << l.row;
}

Lives lives(const PolicyList& list, std::uint32_t ttl_s) {
    const std::uint32_t s = std::min(ttl_s, ttl_limit_s(list));
    return {s, row_life_s(list, ttl_s, s)};
}

}  // namespace

BOOST_AUTO_TEST_SUITE(claim_word)

BOOST_AUTO_TEST_CASE(a_row_lives_for_the_ttl_and_extra_time) {
    const PolicyList l = policy_list(1);  // 60, 1800, 30
    BOOST_CHECK_EQUAL(lives(l, 30), (Lives{30, 60}));
    BOOST_CHECK_EQUAL(lives(l, 300), (Lives{300, 330}));
    BOOST_CHECK_EQUAL(lives(l, 86400), (Lives{1770, 1800}));
    BOOST_CHECK_EQUAL(lives(l, 0), (Lives{0, 60}));
    BOOST_CHECK_EQUAL(lives(l, 31), (Lives{31, 61}));
    BOOST_CHECK_EQUAL(lives(l, 1770), (Lives{1770, 1800}));
    BOOST_CHECK_EQUAL(lives(l, 1790), (Lives{1770, 1800}));
    BOOST_CHECK_EQUAL(lives(l, UINT32_MAX), (Lives{1770, 1800}));
}

BOOST_AUTO_TEST_CASE(a_fixed_lifetime_ignores_the_ttl) {
    PolicyList l = policy_list(1);
    l.fixed = true;
    l.fixed_ttl_s = 600;
    BOOST_CHECK_EQUAL(lives(l, 5), (Lives{5, 600}));
    BOOST_CHECK_EQUAL(lives(l, 86400), (Lives{570, 600}));
    l.fixed_ttl_s = 0;
    BOOST_CHECK_EQUAL(lives(l, 86400), (Lives{86400, 0}));
}

BOOST_AUTO_TEST_CASE(a_row_never_outlives_max_ttl_and_overflow_gives_no_endless_row) {
    PolicyList l = policy_list(1);
    l.cap_answer_ttl = false;
    BOOST_CHECK_EQUAL(row_life_s(l, 86400, 86400), 1800U);
    l.min_ttl_s = l.max_ttl_s = l.extra_time_s = 0;
    BOOST_CHECK_EQUAL(row_life_s(l, 0, 0), 1U);
}

BOOST_AUTO_TEST_CASE(a_row_allows_the_ttl_until_its_end_less_extra_time) {
    const PolicyList l = policy_list(1);
    BOOST_CHECK_EQUAL(ttl_until_s(l, 1000), 970U);
    BOOST_CHECK_EQUAL(ttl_until_s(l, 10), 0U);
    BOOST_CHECK_EQUAL(ttl_until_s(l, 0), 0U);
    BOOST_CHECK_EQUAL(ttl_until_s(l, kForever), kNoLimit);
}

BOOST_AUTO_TEST_CASE(coverage_is_right_at_its_limits) {
    const auto is = [](Coverage c, Cover cover, std::uint32_t ttl_s) {
        return c.cover == cover && c.ttl_s == ttl_s;
    };
    BOOST_CHECK(is(coverage(300, 1000, 1300, true), Cover::covered, 300));
    BOOST_CHECK(is(coverage(300, 1000, 1299, true), Cover::lowered, 299));
    BOOST_CHECK(is(coverage(300, 1000, 1150, true), Cover::lowered, 150));
    BOOST_CHECK(is(coverage(300, 1000, 1149, true), Cover::ending, 149));
    BOOST_CHECK(is(coverage(300, 1000, 1299, false), Cover::ending, 299));
    BOOST_CHECK(is(coverage(300, 1000, 1000, true), Cover::none, 300));
    BOOST_CHECK(is(coverage(300, 1000, 0, true), Cover::none, 300));
    BOOST_CHECK(is(coverage(0, 1000, 1000, true), Cover::covered, 0));
    BOOST_CHECK(is(coverage(0, 1000, 999, true), Cover::none, 0));
    BOOST_CHECK(is(coverage(1, 1000, 1001, true), Cover::covered, 1));
    BOOST_CHECK(is(coverage(UINT32_MAX, 1000, kNoLimit, true), Cover::covered, UINT32_MAX));
}

BOOST_AUTO_TEST_CASE(a_claim_word_is_unpacked_as_packed) {
    for (const bool is_pending : {false, true}) {
        const ClaimWord w{.ttl_until_s = 0xdeadbeef,
                          .stamp = kStampMask - 5,
                          .raised = 0x5a,
                          .is_pending = is_pending};
        const ClaimWord r = ClaimWord::unpack(w.pack());
        BOOST_CHECK_EQUAL(r.ttl_until_s, w.ttl_until_s);
        BOOST_CHECK_EQUAL(r.stamp, w.stamp);
        BOOST_CHECK_EQUAL(r.raised, w.raised);
        BOOST_CHECK_EQUAL(r.is_pending, is_pending);
    }
}

BOOST_AUTO_TEST_CASE(a_stamp_depends_on_the_lists_and_their_epochs) {
    const auto stamp = [](std::initializer_list<std::pair<ListId, std::uint32_t>> lists) {
        std::uint64_t s = 0;
        for (const auto& [id, epoch] : lists)
            s = mix_stamp(s, id, epoch);
        return finish_stamp(s);
    };
    BOOST_CHECK_EQUAL(stamp({{1, 1}, {2, 1}}), stamp({{2, 1}, {1, 1}}));
    BOOST_CHECK(stamp({{1, 1}}) != stamp({{1, 2}}));
    BOOST_CHECK(stamp({{1, 1}}) != stamp({{2, 1}}));
    BOOST_CHECK(stamp({{1, 1}}) != stamp({{1, 1}, {2, 1}}));
    BOOST_CHECK(stamp({{1, 2}, {2, 1}}) != stamp({{1, 1}, {2, 2}}));
    for (ListId id = 0; id < 300; ++id)
        BOOST_REQUIRE(stamp({{id, id}}) != 0);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace steer
