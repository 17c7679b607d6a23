#include "dataplane/cache/sieve.h"
#include "support/random.h"

#include <boost/test/unit_test.hpp>
#include <new>
#include <vector>

using namespace steer::cache;

namespace {

struct SieveFixture {
    Arena arena{4 * kPageSize};
    Sieve<&Slot::of_instance> sieve;

    SlotId add(std::uint32_t expires_s = 100) {
        const SlotId id = arena.take(0);
        auto* entry = new (arena.entry(id)) Entry{};
        entry->usable_until_s = expires_s;
        sieve.push(arena, id);
        return id;
    }
    void visit(SlotId id) { arena.entry(id)->visited.store(1); }
    SlotId evict(std::uint32_t now_s = 0) {
        const SlotId id = sieve.victim(arena, now_s);
        if (id != kNoSlot) sieve.remove(arena, id);
        return id;
    }
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(sieve, SieveFixture)

BOOST_AUTO_TEST_CASE(without_visits_the_oldest_entry_is_evicted) {
    const SlotId a = add();
    const SlotId b = add();
    BOOST_TEST(evict() == a);
    const SlotId c = add();
    BOOST_TEST(evict() == b);
    BOOST_TEST(evict() == c);
    BOOST_TEST(evict() == kNoSlot);
    BOOST_TEST(sieve.size() == 0U);
}

// The example of the paper's figure 5: the hand keeps its place, new entries do not move it.
BOOST_AUTO_TEST_CASE(a_visited_entry_is_spared_once) {
    const SlotId a = add();
    const SlotId b = add();
    const SlotId c = add();
    visit(a);
    visit(b);
    BOOST_TEST(evict() == c);
    const SlotId d = add();
    const SlotId e = add();
    visit(e);
    BOOST_TEST(evict() == a);  // the hand wrapped before d arrived
    BOOST_TEST(evict() == b);
    BOOST_TEST(evict() == d);
    BOOST_TEST(evict() == e);
}

BOOST_AUTO_TEST_CASE(expired_entries_are_evicted_even_if_visited) {
    add(100);
    const SlotId expired = add(10);
    const SlotId a = sieve.victim(arena, 0);
    visit(a);
    visit(expired);
    BOOST_TEST(evict(10) == expired);
}

BOOST_AUTO_TEST_CASE(a_walk_is_bounded) {
    std::vector<SlotId> all;
    for (int i = 0; i < 1000; ++i) {
        all.push_back(add());
        visit(all.back());
    }
    BOOST_TEST(evict() != kNoSlot);
    unsigned cleared = 0;
    for (const SlotId id : all)
        cleared += arena.entry(id)->visited.load() == 0 ? 1U : 0U;
    BOOST_TEST(cleared == 64U);
}

// Each eviction is followed by an insert, so the hand never reaches the newest entry.
BOOST_AUTO_TEST_CASE(the_hand_comes_back_to_entries_that_it_spared) {
    std::vector<SlotId> spared;
    for (int i = 0; i < 10; ++i) {
        spared.push_back(add());
        visit(spared.back());
    }
    for (int i = 0; i < 10; ++i)
        add();
    for (int i = 0; i < 300 && !spared.empty(); ++i) {
        const SlotId id = evict();
        std::erase(spared, id);
        arena.give_back(id);
        add();
    }
    BOOST_TEST(spared.empty());
}

BOOST_AUTO_TEST_CASE(random_removals_keep_the_queue_consistent) {
    steer::test::Random random{5};
    std::vector<SlotId> in;
    for (int round = 0; round < 20000; ++round) {
        if (in.size() < 50 || (in.size() < 1000 && random() % 2 == 0)) {
            in.push_back(add());
        } else if (random() % 2 == 0) {
            const std::size_t i = random() % in.size();
            sieve.remove(arena, in[i]);
            arena.give_back(in[i]);
            in.erase(in.begin() + static_cast<std::ptrdiff_t>(i));
        } else {
            visit(in[random() % in.size()]);
            const SlotId id = evict();
            BOOST_REQUIRE(std::erase(in, id) == 1U);
            arena.give_back(id);
        }
        BOOST_REQUIRE(sieve.size() == in.size());
    }
    while (!in.empty())
        BOOST_REQUIRE(std::erase(in, evict()) == 1U);
}

BOOST_AUTO_TEST_SUITE_END()
