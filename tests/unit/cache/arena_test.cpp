#include "dataplane/cache/arena.h"

#include <boost/test/unit_test.hpp>
#include <set>

using namespace steer::cache;

BOOST_AUTO_TEST_SUITE(arena)

BOOST_AUTO_TEST_CASE(classes) {
    BOOST_TEST(Arena::class_for(1) == 0U);
    BOOST_TEST(Arena::class_for(128) == 0U);
    BOOST_TEST(Arena::class_for(129) == 1U);
    BOOST_TEST(Arena::class_for(65472) == kClasses - 1);
    BOOST_TEST(Arena::class_for(65473) == kClasses);
}

BOOST_AUTO_TEST_CASE(slots_do_not_overlap) {
    Arena arena{64 * kPageSize};
    std::set<std::pair<std::uintptr_t, std::uintptr_t>> ranges;
    for (unsigned c = 0; c < kClasses; ++c) {
        for (int i = 0; i < 40; ++i) {
            const SlotId id = arena.take(c);
            if (id == kNoSlot) break;
            const auto at = reinterpret_cast<std::uintptr_t>(arena.entry(id));
            BOOST_TEST(at % 64 == 0U);
            ranges.emplace(at, at + kSlotSizes[c]);
            BOOST_TEST(arena.id_of(arena.entry(id)) == id);
            const auto record = reinterpret_cast<std::uintptr_t>(&arena.slot(id));
            ranges.emplace(record, record + sizeof(Slot));
        }
    }
    std::uintptr_t end = 0;
    for (const auto& [from, to] : ranges) {
        BOOST_REQUIRE(from >= end);
        end = to;
    }
}

BOOST_AUTO_TEST_CASE(every_class_can_have_a_page) {
    Arena arena{4 * kClasses * kPageSize};
    std::size_t taken = 0;
    while (arena.take(0) != kNoSlot)
        ++taken;
    BOOST_TEST(taken == (4 * kClasses - (kClasses - 1)) * 455);
    BOOST_TEST(!arena.can_grow(0));
    for (unsigned c = 1; c < kClasses; ++c)
        BOOST_TEST(arena.take(c) != kNoSlot);
    for (unsigned c = 0; c < kClasses; ++c)
        BOOST_TEST(!arena.can_grow(c));
}

BOOST_AUTO_TEST_CASE(slots_come_back) {
    Arena arena{kPageSize};
    std::vector<SlotId> taken;
    for (SlotId id; (id = arena.take(3)) != kNoSlot;)
        taken.push_back(id);
    BOOST_TEST(taken.size() == arena.slots(3));
    BOOST_TEST(arena.take(4) == kNoSlot);
    for (const SlotId id : taken)
        arena.give_back(id);
    BOOST_TEST(arena.free_slots(3) == taken.size());
    std::set<SlotId> again;
    for (SlotId id; (id = arena.take(3)) != kNoSlot;)
        again.insert(id);
    BOOST_TEST((again == std::set<SlotId>(taken.begin(), taken.end())));
}

BOOST_AUTO_TEST_SUITE_END()
