#include "dataplane/cache/cache.h"

#include <boost/test/unit_test.hpp>

#include "readers.h"
#include "stored_answer.h"

using namespace steer;
using namespace steer::test;
using cache::Entry;

namespace {

constexpr Now at(std::uint32_t s) {
    return {std::uint64_t{s} * 1000};
}

struct CacheFixture {
    explicit CacheFixture(std::size_t budget = std::size_t{8} << 20,
                          std::vector<std::uint32_t> sizes = {1000, 1000})
        : cache({budget, sizes}, readers.get()) {}

    void settle() {
        while (cache.reclaim()) {
        }
    }
    Readers readers;
    BufferPools pools{64, 16};
    cache::Cache cache;
    Filler filler{cache, pools};
};

struct Small : CacheFixture {
    Small() : CacheFixture(std::size_t{8} << 20, {10, 10}) {}
};
struct OnePage : CacheFixture {
    OnePage() : CacheFixture(65536, {1000, 1000}) {}
};

}  // namespace

BOOST_FIXTURE_TEST_SUITE(cache_table, CacheFixture)

BOOST_AUTO_TEST_CASE(an_inserted_answer_is_found) {
    const Question q = question(1);
    BOOST_TEST(filler.find(q, 100) == nullptr);
    const ListId lists[] = {7, 9};
    filler.insert(q, 42, 100, at(100), 60, 1,
                  {.lists = lists, .ttl_cap_s = 1770, .tag_generation = 3, .tag_set = 5});
    const Entry* e = filler.find(q, 100);
    BOOST_REQUIRE(e != nullptr);
    BOOST_TEST(is_whole(e->answer(), 42, 100));
    BOOST_TEST(e->born.age_s(100) == 0U);
    BOOST_TEST(e->expires_s == 160U);
    BOOST_TEST(e->tags.load() == (std::uint64_t{3} << 32 | 5));
    BOOST_TEST(e->claim.load() == 0U);
    BOOST_TEST(e->list_count == 2);
    BOOST_TEST(e->lists[1] == 9);
    BOOST_TEST(e->ttl_cap_s == 1770U);
    BOOST_TEST(e->visited.load() == 1U);
    BOOST_TEST(filler.find(q, 159) == e);
    BOOST_TEST(filler.find(q, 160) == nullptr);
    BOOST_TEST(cache.entries() == 1U);
    BOOST_TEST(pools.in_use() == 0U);
}

BOOST_AUTO_TEST_CASE(a_stale_answer_is_found_as_long_as_it_may_be_served) {
    const Question q = question(1);
    filler.insert(q, 42, 100, at(100), 60, 1, {.stale_s = 40, .refresh_check_after_s = 50});
    const Entry* e = filler.find(q, 199);
    BOOST_REQUIRE(e != nullptr);
    BOOST_TEST(e->expires_s == 160U);
    BOOST_TEST(e->usable_until_s == 200U);
    BOOST_TEST(e->refresh_check_s.load() == 150U);
    BOOST_TEST(filler.find(q, 200) == nullptr);
    filler.insert(question(2), 42, 100, at(100), 60);
    BOOST_TEST(filler.find(question(2), 100)->refresh_check_s.load() == cache::kNoRefreshCheck);
}

BOOST_AUTO_TEST_CASE(a_lookup_compares_every_part_of_the_key) {
    const Question q = question(4);
    filler.insert(q, 1, 10, at(0), 60);
    for (int i = 0; i < 4; ++i) {
        Question other = q;
        if (i == 0) other.name[1] ^= 1;
        if (i == 1) other.type = 99;
        if (i == 2) other.instance = 1;
        if (i == 3) other.flags = 3;
        BOOST_TEST(filler.find(other, 1) == nullptr);
        // Even if the keys were equal.
        const cache::KeyHasher hasher{kSecret};
        const cache::Key key = hasher(q.facts());
        const cache::KeyFacts facts = other.facts();
        const Entry* found = nullptr;
        cache.lookup(&key, &facts, 1, 1, &found);
        BOOST_TEST(found == nullptr);
    }
}

BOOST_AUTO_TEST_CASE(a_burst_is_looked_up_at_once) {
    const cache::KeyHasher hasher{kSecret};
    std::vector<Question> questions;
    std::vector<cache::Key> keys;
    std::vector<cache::KeyFacts> facts;
    for (unsigned i = 0; i < cache::Cache::kBulk; ++i)
        questions.push_back(question(i));
    for (unsigned i = 0; i < cache::Cache::kBulk; ++i) {
        if (i % 3 != 0) filler.insert(questions[i], static_cast<std::uint8_t>(i), 20, at(0), 60);
        facts.push_back(questions[i].facts());
        keys.push_back(hasher(facts[i]));
    }
    const Entry* found[cache::Cache::kBulk];
    cache.lookup(keys.data(), facts.data(), cache::Cache::kBulk, 1, found);
    for (unsigned i = 0; i < cache::Cache::kBulk; ++i) {
        BOOST_TEST((found[i] != nullptr) == (i % 3 != 0));
        if (found[i] != nullptr)
            BOOST_TEST(is_whole(found[i]->answer(), static_cast<std::uint8_t>(i), 20));
    }
}

BOOST_AUTO_TEST_CASE(the_same_answer_is_inserted_once) {
    const Question q = question(1);
    filler.insert(q, 1, 10, at(0), 60, 77);
    const Entry* first = filler.find(q, 1);
    filler.insert(q, 1, 10, at(0), 60, 77);
    BOOST_TEST(filler.find(q, 1) == first);
    filler.insert(q, 2, 10, at(1), 60, 78);
    BOOST_TEST(is_whole(filler.find(q, 1)->answer(), 2, 10));
    BOOST_TEST(filler.counters.get(Stat::cache_inserts) == 2U);
    BOOST_TEST(cache.entries() == 1U);
    filler.insert(q, 3, 10, at(1), 60, 0);
    filler.insert(q, 4, 10, at(1), 60, 0);
    BOOST_TEST(is_whole(filler.find(q, 1)->answer(), 4, 10));
}

BOOST_AUTO_TEST_CASE(invalid_inserts_change_nothing) {
    filler.insert(question(1), 1, 10, at(0), 60);
    Buffer* b = pools.take(2048);
    for (std::uint32_t length : {0U, 63U, 64U}) {
        std::memset(b->data(), 0xff, 2048);
        b->length = length;
        cache.insert(*b, at(1), filler.counters);
    }
    release(b);
    filler.insert(question(2, 63), 1, 10, at(0), 60);  // an instance of size 0
    BOOST_TEST(cache.entries() == 1U);
    cache.set_instance_size(63, 5);
    filler.insert(question(2, 63), 1, 10, at(0), 60);
    BOOST_TEST(cache.entries() == 2U);
}

BOOST_AUTO_TEST_CASE(an_answer_too_large_for_the_cache_is_counted) {
    filler.insert(question(1), 1, 65000, at(0), 60);
    BOOST_TEST(filler.find(question(1), 1) != nullptr);
    filler.insert(question(2), 1, 65400, at(0), 60);
    BOOST_TEST(filler.find(question(2), 1) == nullptr);
    BOOST_TEST(filler.counters.get(Stat::cache_too_big) == 1U);
}

BOOST_FIXTURE_TEST_CASE(an_instance_stays_within_its_size, Small) {
    for (unsigned i = 0; i < 100; ++i) {
        filler.insert(question(i, 0), 1, static_cast<std::uint16_t>(10 + 20 * (i % 7)), at(0), 60);
        BOOST_TEST(cache.entries() == std::min(i + 1, 10U));
    }
    BOOST_TEST(filler.counters.get(Stat::cache_evictions) == 90U);
    for (unsigned i = 0; i < 5; ++i)
        filler.insert(question(i, 1), 1, 10, at(0), 60);
    BOOST_TEST(cache.entries() == 15U);
    for (unsigned i = 0; i < 5; ++i)
        BOOST_TEST(filler.find(question(i, 1), 1) != nullptr);
}

BOOST_FIXTURE_TEST_CASE(popular_entries_survive_eviction, Small) {
    for (unsigned i = 0; i < 5; ++i)
        filler.insert(question(i), 1, 10, at(0), 60);
    for (unsigned i = 100; i < 1000; ++i) {
        filler.insert(question(i), 1, 10, at(0), 60);
        for (unsigned k = 0; k < 5; ++k)
            BOOST_REQUIRE(filler.find(question(k), 1) != nullptr);
    }
}

BOOST_FIXTURE_TEST_CASE(unvisited_entries_of_another_size_class_are_evicted, CacheFixture) {
    for (unsigned i = 0; i < 300; ++i)
        filler.insert(question(10'000 + i), 1, 200, at(0), 60);
    unsigned misses = 0;
    for (unsigned round = 0; round < 100; ++round) {
        misses = 0;
        for (unsigned i = 0; i < 950; ++i) {
            if (filler.find(question(i), 1) != nullptr) continue;
            ++misses;
            filler.insert(question(i), 1, 10, at(0), 60);
        }
    }
    BOOST_TEST(misses == 0U);
}

BOOST_FIXTURE_TEST_CASE(visited_entries_survive_inserts_of_another_size_class, CacheFixture) {
    constexpr unsigned kVisited = 900;
    for (unsigned i = 0; i < kVisited; ++i) {
        filler.insert(question(i), 1, 10, at(0), 60);
        BOOST_REQUIRE(filler.find(question(i), 1) != nullptr);
    }
    unsigned misses = 0;
    constexpr unsigned kAsked = 50 * kVisited;
    for (unsigned i = 0; i < kAsked; ++i) {
        filler.insert(question(10'000 + i), 1, 200, at(0), 60);
        if (filler.find(question(i % kVisited), 1) != nullptr) continue;
        ++misses;
        filler.insert(question(i % kVisited), 1, 10, at(0), 60);
    }
    BOOST_TEST(misses < kAsked / 20);
}

BOOST_FIXTURE_TEST_CASE(a_full_page_evicts_without_losing_slots, OnePage) {
    for (unsigned i = 0; i < 5000; ++i) {
        filler.insert(question(i), 1, 10, at(0), 60);
        BOOST_REQUIRE(filler.find(question(i), 1) != nullptr);
        BOOST_TEST(cache.bytes_used() <= 65536U);
    }
    // A size class without a page has no entry to evict.
    filler.insert(question(1), 1, 1000, at(0), 60);
    BOOST_TEST(filler.counters.get(Stat::cache_insert_no_room) == 1U);
    BOOST_TEST(filler.find(question(4999), 1) != nullptr);
}

BOOST_FIXTURE_TEST_CASE(a_found_entry_stays_valid_until_its_reader_is_quiescent, OnePage) {
    const Reader reader{readers, 0};
    filler.insert(question(0), 200, 10, at(0), 60);
    const Entry* mine = filler.find(question(0), 1);
    BOOST_REQUIRE(mine != nullptr);
    filler.insert(question(0), 201, 10, at(0), 60);
    BOOST_TEST(is_whole(mine->answer(), 200, 10));
    for (unsigned i = 1; i < 3000; ++i)
        filler.insert(question(i), 1, 10, at(0), 60);
    // The arena is full of entries that the reader may still hold: inserts are dropped, and the entry is whole.
    BOOST_TEST(filler.counters.get(Stat::cache_insert_no_room) > 0U);
    BOOST_TEST(is_whole(mine->answer(), 200, 10));
    const auto inserted = filler.counters.get(Stat::cache_inserts);
    do {
        reader.quiescent();
    } while (cache.reclaim());
    filler.insert(question(3000), 1, 10, at(0), 60);
    BOOST_TEST(filler.counters.get(Stat::cache_inserts) == inserted + 1);
}

BOOST_AUTO_TEST_CASE(inserts_and_evictions_leak_nothing) {
    std::size_t used = 0;
    for (unsigned round = 0; round < 20; ++round) {
        for (unsigned i = 0; i < 900; ++i) {
            filler.insert(question(i), 1, static_cast<std::uint16_t>(1 + i), at(0), 60);
            filler.insert(question(i, 1), 1, static_cast<std::uint16_t>(1 + i % 50), at(0), 60);
            if (i % 2 == 0) filler.insert(question(i), 2, 40, at(1), 60);
            cache.reclaim();
        }
        settle();
        BOOST_TEST(cache.entries() == 1800U);
        if (round == 0) used = cache.bytes_used();
        BOOST_TEST(cache.bytes_used() == used);
        cache.flush();
        settle();
        BOOST_TEST(cache.entries() == 0U);
        BOOST_TEST(cache.bytes_used() == 0U);
    }
    BOOST_TEST(filler.counters.get(Stat::cache_insert_no_room) == 0U);
    BOOST_TEST(filler.counters.get(Stat::cache_insert_table_full) == 0U);
    BOOST_TEST(filler.counters.get(Stat::cache_evictions) == 0U);
    BOOST_TEST(pools.in_use() == 0U);
}

BOOST_AUTO_TEST_CASE(places_in_the_key_table_are_used_again) {
    // Many more keys than places, each evicted again.
    for (unsigned i = 0; i < 40000; ++i) {
        filler.insert(question(i), 1, 10, at(0), 60);
        cache.reclaim();
    }
    BOOST_TEST(filler.counters.get(Stat::cache_insert_no_room) == 0U);
    BOOST_TEST(filler.counters.get(Stat::cache_insert_table_full) == 0U);
    BOOST_TEST(cache.entries() == 1000U);
}

BOOST_AUTO_TEST_CASE(the_builder_refuses_an_empty_lifetime_and_too_many_lists) {
    Buffer* answer = pools.take(2048);
    write_answer(*answer, 1, 10);
    const Question q = question(1);
    const ListId five[5] = {};
    BOOST_TEST(cache::build_insert(pools, {}, q.facts(), *answer, {.life_s = 0}) == nullptr);
    BOOST_TEST(cache::build_insert(pools, {}, q.facts(), *answer, {.life_s = 1, .lists = five}) ==
               nullptr);
    release(answer);
    BOOST_TEST(pools.in_use() == 0U);
}

BOOST_AUTO_TEST_SUITE_END()
