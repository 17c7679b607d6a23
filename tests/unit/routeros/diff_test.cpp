#include "routeros/diff.h"

#include <boost/test/unit_test.hpp>

#include "routeros/time_text.h"

namespace steer::routeros {
namespace {

constexpr std::uint64_t kNow = 1'000'000;
constexpr std::uint64_t kLongMs = std::uint64_t{kMaxTimeoutS} * 1000;

Row row(RowId id, Owner owner, std::uint64_t until_ms) {
    Row r;
    r.id = id;
    r.owner = owner;
    r.until_ms = until_ms;
    r.gone_ms = until_ms == kForever ? kForever : until_ms + 2000;
    return r;
}
Row ours(RowId id, std::uint64_t until_ms) {
    return row(id, Owner::ours, until_ms);
}
Row foreign(RowId id, std::uint64_t until_ms) {
    return row(id, Owner::foreign, until_ms);
}
template <class F>
Row with(Row r, F&& change) {
    change(r);
    return r;
}

Want claim(std::uint64_t until_ms, bool permanent = false) {
    Want want;
    want.claimed = true;
    want.permanent = permanent;
    want.until_ms = until_ms;
    want.row_until_ms = until_ms + 30'000;
    return want;
}
Want persistent() {
    Want want;
    want.persistent = true;
    return want;
}
Want ended(bool permanent = false) {
    Want want;
    want.just_ended = true;
    want.permanent = permanent;
    return want;
}

Want with_respect(Want want) {
    want.respects = true;
    return want;
}
Want single(Want want) {
    want.is_single = true;
    return want;
}

struct Case {
    const char* what;
    std::vector<Row> rows;
    Want want;
    Need need;
    RowId id = 0;
    std::uint64_t cover_ms = 0;
};

const Row kDisabled = with(ours(3, kForever), [](Row& r) { r.disabled = true; });
const Row kForeignDisabled = with(foreign(4, kForever), [](Row& r) { r.disabled = true; });
const Row kUnclear = with(foreign(5, 0), [](Row& r) { r.unclear = true, r.gone_ms = kForever; });
const Row kPersistent = with(ours(6, kForever), [](Row& r) { r.kind = RowKind::persistent; });

const Case kCases[] = {
    {"nothing there", {}, claim(kNow + 60'000), Need::add},
    {"nothing wanted", {}, Want{}, Need::nothing},
    {"ours covers",
     {ours(1, kNow + 60'000)},
     claim(kNow + 60'000),
     Need::nothing,
     0,
     kNow + 60'000},
    {"ours ends early",
     {ours(1, kNow + 59'999)},
     claim(kNow + 60'000),
     Need::extend,
     1,
     kNow + 59'999},
    {"ours ended by the lower bound only",
     {ours(1, kNow - 1)},
     claim(kNow + 60'000),
     Need::extend,
     1},
    {"ours is gone", {ours(1, kNow - 2000)}, claim(kNow + 60'000), Need::add},
    {"the longest of two of ours",
     {ours(1, kNow + 1000), ours(2, kNow + 5000)},
     claim(kNow + 60'000),
     Need::extend,
     2,
     kNow + 5000},
    {"ours is left to expire", {ours(1, kNow + 5000)}, Want{}, Need::nothing},
    {"ours of a claim that ended", {ours(1, kNow + 5000)}, ended(), Need::nothing},
    {"static foreign covers",
     {foreign(1, kForever)},
     claim(kNow + 60'000),
     Need::nothing,
     0,
     kForever},
    {"long foreign covers",
     {foreign(1, kNow + 70'000)},
     claim(kNow + 60'000),
     Need::nothing,
     0,
     kNow + 70'000},
    {"short foreign blocks",
     {foreign(1, kNow + 50'000)},
     claim(kNow + 60'000),
     Need::blocked,
     0,
     kNow + 50'000},
    {"an orphan is as foreign",
     {row(1, Owner::orphan, kNow + 50'000)},
     claim(kNow + 60'000),
     Need::blocked,
     0,
     kNow + 50'000},
    {"disabled foreign blocks", {kForeignDisabled}, claim(kNow + 60'000), Need::blocked, 4},
    {"ours disabled by hand is enabled", {kDisabled}, claim(kNow + 60'000), Need::enable, 3},
    {"ours disabled by hand is respected",
     {kDisabled},
     with_respect(claim(kNow + 60'000)),
     Need::left_alone},
    {"another gateway first, then it is enabled",
     {with(kDisabled, [](Row& r) { r.is_outdated = true; })},
     claim(kNow + 60'000),
     Need::extend,
     3},
    {"a route of others that is disabled is not in the way",
     {kForeignDisabled},
     single(claim(kNow + 60'000)),
     Need::add},
    {"persistent disabled", {kDisabled}, persistent(), Need::enable, 3},
    {"ours beside a disabled one",
     {kDisabled, ours(1, kNow + 5000)},
     claim(kNow + 60'000),
     Need::extend,
     1,
     kNow + 5000},
    {"a child of a name says nothing", {kUnclear}, claim(kNow + 60'000), Need::add},
    {"foreign is gone", {foreign(1, kNow - 5000)}, claim(kNow + 60'000), Need::add},
    {"persistent missing", {}, persistent(), Need::add},
    {"persistent there", {kPersistent}, persistent(), Need::nothing, 0, kForever},
    {"persistent by a static D of ours",
     {ours(1, kForever)},
     persistent(),
     Need::nothing,
     0,
     kForever},
    {"persistent over a timed one",
     {ours(1, kNow + 5000)},
     persistent(),
     Need::extend,
     1,
     kNow + 5000},
    {"persistent over a very long one",
     {ours(1, kNow + kLongMs)},
     persistent(),
     Need::nothing,
     0,
     kNow + kLongMs},
    {"persistent over a timed foreign one",
     {foreign(1, kNow + kLongMs)},
     persistent(),
     Need::blocked,
     0,
     kNow + kLongMs},
    {"persistent no longer configured", {kPersistent}, Want{}, Need::remove, 6},
    {"persistent still covers a lease",
     {kPersistent},
     claim(kNow + 60'000),
     Need::nothing,
     0,
     kForever},
    {"permanent claim, nothing there", {}, claim(kNow + 60'000, true), Need::add},
    {"permanent claim over a timed one",
     {ours(1, kNow + 90'000)},
     claim(kNow + 60'000, true),
     Need::extend,
     1,
     kNow + 90'000},
    {"timed claim over a static one",
     {ours(1, kForever)},
     claim(kNow + 60'000),
     Need::nothing,
     0,
     kForever},
    {"static of a timed list, no claim known", {ours(1, kForever)}, Want{}, Need::nothing},
    {"static of a timed list, last claim ended", {ours(1, kForever)}, ended(), Need::remove, 1},
    {"foreign static is never removed", {foreign(1, kForever)}, ended(), Need::nothing},
    {"disabled static of ours is left", {kDisabled}, ended(), Need::nothing},
};

BOOST_AUTO_TEST_SUITE(diff)

BOOST_AUTO_TEST_CASE(each_claim_and_row_give_the_expected_write) {
    for (const auto& c : kCases) {
        BOOST_TEST_CONTEXT(c.what) {
            std::vector<Row> rows = c.rows;
            std::vector<Row*> pointers;
            for (auto& r : rows)
                pointers.push_back(&r);
            const auto difference = compare(pointers, c.want, kNow);
            BOOST_TEST((difference.need == c.need));
            BOOST_TEST(difference.row == c.id);
            BOOST_TEST(difference.cover_ms == c.cover_ms);
        }
    }
}

BOOST_AUTO_TEST_CASE(a_blocked_claim_is_checked_again_when_the_foreign_row_is_removed) {
    Row r = foreign(1, kNow + 5000);
    Row* const rows[] = {&r};
    BOOST_TEST(compare(rows, claim(kNow + 60'000), kNow).retry_ms == r.gone_ms);
}

BOOST_AUTO_TEST_CASE(the_timeout_of_a_renewal_is_shared_and_long_enough) {
    BOOST_TEST(renewal_timeout(60, 600, 1800) == 660U);
    BOOST_TEST(renewal_timeout(75, 600, 1800) == 660U);  // shared with the one above
    BOOST_TEST(renewal_timeout(1300, 600, 1800) == 1800U);
    BOOST_TEST(renewal_timeout(1801, 600, 1800) == 1801U);  // needed is needed
    BOOST_TEST(renewal_timeout(65, 30, 1800) == 95U);       // the grid would be too short
    BOOST_TEST(renewal_timeout(65, 0, 1800) == 65U);
    BOOST_TEST(renewal_timeout(100, 600, 100) == 100U);
    BOOST_TEST(renewal_timeout(0, 0, 0) == 1U);
    BOOST_TEST(renewal_timeout(std::uint64_t{1} << 40, 600, 1800) == kMaxTimeoutS);
    for (std::uint64_t needed = 1; needed < 4000; needed += 7) {
        const auto t = renewal_timeout(needed, 600, 1800);
        BOOST_TEST(t >= needed);
        BOOST_TEST(t <=
                   std::max<std::uint64_t>(needed, std::min<std::uint64_t>(needed + 600, 1800)));
    }
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace steer::routeros
