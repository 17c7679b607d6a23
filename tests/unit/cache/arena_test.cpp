#include "dataplane/cache/arena.h"

#include <algorithm>
#include <boost/test/unit_test.hpp>
#include <set>
#include <vector>

#include "support/random.h"

using namespace steer::cache;

BOOST_AUTO_TEST_SUITE(arena)

BOOST_AUTO_TEST_CASE(each_size_has_the_smallest_class_that_fits) {
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

BOOST_AUTO_TEST_CASE(one_size_class_may_take_all_pages) {
    Arena arena{4 * kPageSize};
    std::size_t taken = 0;
    while (arena.take(1) != kNoSlot)
        ++taken;
    BOOST_TEST(taken == 4 * Arena::slots_per_page(1));
    BOOST_TEST(arena.slots(1) == taken);
    BOOST_TEST(!arena.can_grow());
    for (unsigned c = 0; c < kClasses; ++c)
        BOOST_TEST(arena.take(c) == kNoSlot);
}

BOOST_AUTO_TEST_CASE(a_reclaimed_page_goes_to_another_class) {
    Arena arena{2 * kPageSize};
    std::vector<SlotId> slots;
    for (SlotId id; (id = arena.take(1)) != kNoSlot;)
        slots.push_back(id);
    const PageId page = Arena::page_of(slots.front());
    const auto in_page = [page](SlotId id) { return Arena::page_of(id) == page; };
    const auto middle = std::partition(slots.begin(), slots.end(), in_page);
    arena.ask_back(page);
    BOOST_TEST(arena.slots(1) == Arena::slots_per_page(1));
    // Free slots of the page, and slots that come back, are not given out.
    for (auto at = slots.begin(); at != middle; ++at) {
        BOOST_TEST(!arena.pages_wait());
        BOOST_TEST(arena.view(page).size_class.load() == 1U);
        arena.give_back(*at);
        BOOST_TEST(arena.take(1) == kNoSlot);
    }
    // The walks that may be in it end first.
    BOOST_TEST(arena.pages_wait());
    BOOST_TEST(arena.view(page).size_class.load() == PageView::kNone);
    BOOST_TEST(arena.was_asked_back(page));
    arena.begin_grace();
    BOOST_TEST(!arena.pages_wait());
    BOOST_TEST(!arena.can_grow());
    arena.end_grace();
    BOOST_TEST(!arena.was_asked_back(page));
    const SlotId id = arena.take(9);
    BOOST_TEST(Arena::page_of(id) == page);
    BOOST_TEST(arena.view(page).size_class.load() == 9U);
    BOOST_TEST(arena.id_of(arena.entry(id)) == id);
    arena.give_back(slots.back());
    BOOST_TEST(arena.take(1) == slots.back());
}

BOOST_AUTO_TEST_CASE(an_empty_page_is_given_at_once) {
    Arena arena{2 * kPageSize};
    BOOST_TEST(arena.empty_page(1) == kNoPage);
    const SlotId a = arena.take(1);
    BOOST_TEST(arena.empty_page(1) == kNoPage);
    arena.give_back(a);
    BOOST_TEST(arena.empty_page(1) == Arena::page_of(a));
    arena.ask_back(Arena::page_of(a));
    BOOST_TEST(arena.empty_page(1) == kNoPage);
    BOOST_TEST(arena.slots(1) == 0U);
    BOOST_TEST(arena.pages_wait());
}

// Any order of taking, giving and asking back: the counts agree with a plain list of what is out.
BOOST_AUTO_TEST_CASE(random_operations_agree_with_a_list) {
    steer::test::Random random{5};
    Arena arena{16 * kPageSize};
    std::array<std::vector<SlotId>, kClasses> out;
    std::set<SlotId> all;
    for (unsigned i = 0; i < 200'000; ++i) {
        const unsigned c = random() % 6 * 3;
        if (const unsigned what = random() % 100; what < 52) {
            const SlotId id = arena.take(c);
            if (id == kNoSlot) continue;
            BOOST_REQUIRE(all.insert(id).second);
            BOOST_REQUIRE(arena.size_class_of(Arena::page_of(id)) == c);
            BOOST_REQUIRE(!arena.was_asked_back(Arena::page_of(id)));
            out[c].push_back(id);
        } else if (what < 99) {
            if (out[c].empty()) continue;
            std::swap(out[c][random() % out[c].size()], out[c].back());
            arena.give_back(out[c].back());
            all.erase(out[c].back());
            out[c].pop_back();
        } else if (what < 100 && !out[c].empty()) {
            const PageId page = Arena::page_of(out[c][random() % out[c].size()]);
            if (!arena.was_asked_back(page)) arena.ask_back(page);
        }
        if (i % 64 == 0) {
            arena.begin_grace();
            arena.end_grace();
        }
        std::size_t used = 0;
        for (const SlotId id : out[c])
            used += arena.was_asked_back(Arena::page_of(id)) ? 0U : 1U;
        if (i % 16 == 0) BOOST_REQUIRE(arena.slots(c) - arena.free_slots(c) == used);
    }
    for (const auto& of_class : out) {
        for (const SlotId id : of_class)
            arena.give_back(id);
    }
    for (unsigned c = 0; c < kClasses; ++c) {
        while (arena.empty_page(c) != kNoPage)
            arena.ask_back(arena.empty_page(c));
        BOOST_TEST(arena.slots(c) == 0U);
    }
    arena.begin_grace();
    arena.end_grace();
    std::size_t pages = 0;
    while (arena.take(kClasses - 1) != kNoSlot)
        ++pages;
    BOOST_TEST(pages == 16U);
}

BOOST_AUTO_TEST_CASE(freed_slots_are_used_again) {
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
