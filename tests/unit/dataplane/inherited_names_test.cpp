// Names that inherit domain sets: until when, how many, and under writers.
#include "dataplane/policy/inherited_names.h"

#include <boost/test/unit_test.hpp>
#include <latch>
#include <thread>
#include <vector>

namespace steer {
namespace {

std::vector<std::uint16_t> sets_of(const InheritedNames& names, std::uint64_t name,
                                   std::uint32_t now_s) {
    std::vector<std::uint16_t> sets;
    names.for_each(name, now_s, [&](std::uint16_t set) { sets.push_back(set); });
    return sets;
}

using Sets = std::vector<std::uint16_t>;

// In one bucket.
std::uint64_t neighbour(std::uint64_t i) {
    return 7ULL << 32 | i;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(inherited_names)

BOOST_AUTO_TEST_CASE(an_inherited_set_holds_until_its_end) {
    InheritedNames names;
    BOOST_TEST(sets_of(names, 0, 0) == Sets{});
    names.learn(5, 3, 100, 10);
    BOOST_TEST(sets_of(names, 5, 99) == Sets{3});
    BOOST_TEST(sets_of(names, 5, 100) == Sets{});
    BOOST_TEST(sets_of(names, 6, 50) == Sets{});
    names.learn(5, 3, 60, 10);  // not shortened
    BOOST_TEST(sets_of(names, 5, 99) == Sets{3});
    names.learn(5, 3, 200, 50);
    BOOST_TEST(sets_of(names, 5, 199) == Sets{3});
    names.learn(8, 1, 10, 10);  // it has ended
    BOOST_TEST(sets_of(names, 8, 9) == Sets{});
}

BOOST_AUTO_TEST_CASE(a_name_may_inherit_several_sets) {
    InheritedNames names;
    names.learn(5, 3, 100, 10);
    names.learn(5, 0, 50, 10);
    BOOST_TEST((sets_of(names, 5, 20) == Sets{3, 0}));
    BOOST_TEST(sets_of(names, 5, 60) == Sets{3});
}

BOOST_AUTO_TEST_CASE(a_full_bucket_forgets_the_name_that_ends_first) {
    InheritedNames names;
    for (std::uint64_t i = 1; i <= 4; ++i)
        names.learn(neighbour(i), 0, static_cast<std::uint32_t>(100 * i), 10);
    names.learn(neighbour(9), 0, 250, 10);
    BOOST_TEST(sets_of(names, neighbour(1), 20) == Sets{});
    for (const std::uint64_t i : {2U, 3U, 4U, 9U})
        BOOST_TEST(sets_of(names, neighbour(i), 20) == Sets{0});
    names.learn(neighbour(10), 0, 999, 260);  // 2 and 9 have ended
    for (const std::uint64_t i : {3U, 4U, 10U})
        BOOST_TEST(sets_of(names, neighbour(i), 261) == Sets{0});
}

// Each name has a set of its own: a reader must never see the set of another name.
BOOST_AUTO_TEST_CASE(readers_never_see_the_set_of_another_name) {
    InheritedNames names;
    constexpr std::uint64_t kNames = 64;
    constexpr unsigned kTurns = 20'000;
    std::latch begin(3);
    std::atomic<unsigned> wrong{0};
    const auto run = [&](bool writes) {
        begin.arrive_and_wait();
        for (unsigned turn = 1; turn <= kTurns; ++turn) {
            const std::uint64_t i = turn * 2654435761U % kNames;
            if (writes) {
                names.learn(neighbour(i), static_cast<std::uint16_t>(i), turn + 1, turn);
            } else {
                names.for_each(neighbour(i), 0, [&](std::uint16_t set) { wrong += set != i; });
            }
        }
    };
    std::thread one(run, true), other(run, true);
    run(false);
    one.join();
    other.join();
    BOOST_TEST(wrong == 0U);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace steer
