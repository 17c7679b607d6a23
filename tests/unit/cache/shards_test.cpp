// A cache of several shards, each with a writer of its own.
#include <boost/test/unit_test.hpp>
#include <map>
#include <set>
#include <thread>

#include "dataplane/cache/cache.h"
#include "dataplane/cache/walk.h"
#include "readers.h"
#include "stored_answer.h"
#include "support/random.h"

using namespace steer;
using namespace steer::test;

namespace {

constexpr unsigned kShards = 4;
constexpr Now kNow{1'000'000};
constexpr std::uint32_t kLarge = 4096 * kShards;  // in all shards

struct Sharded {
    explicit Sharded(std::vector<std::uint32_t> instance_sizes = {kLarge},
                     unsigned shards = kShards, unsigned workers = kShards)
        : sizes(std::move(instance_sizes)),
          cache({.budget_bytes = std::size_t{8} << 20,
                 .instance_sizes = sizes,
                 .shards = shards,
                 .workers = workers},
                readers.get()) {}

    [[nodiscard]] unsigned shard_of(const Question& q) const {
        return cache.shard_of(hasher(q.facts()).low, q.instance);
    }
    void insert(const Question& q, Now now = kNow) { filler.insert(q, 1, 40, now, 60); }
    // Of `instance`, by shard, as a walk sees them.
    std::array<unsigned, kShards> entries_by_shard() {
        std::array<unsigned, kShards> all{};
        cache::Walk walk(cache, 1);
        for (auto page = walk.next(); !page.empty(); page = walk.next())
            all[walk.shard()] += static_cast<unsigned>(page.size());
        return all;
    }

    Readers readers;
    std::vector<std::uint32_t> sizes;
    cache::Cache cache;
    BufferPools pools{64, 4};
    Filler filler{cache, pools};
    cache::KeyHasher hasher{kSecret};
};

// A place as a cursor keeps it: the walk that was there is over.
cache::WalkPlace behind(const cache::Walk& walk, cache::SlotId slot) {
    return {walk.shard(), slot + 1};
}

struct SmallInstances : Sharded {
    SmallInstances() : Sharded({kLarge, 1, 100, 2 * 4096}) {}
};
struct FewShards : Sharded {
    FewShards() : Sharded({kLarge}, 2, 7) {}
};

}  // namespace

BOOST_AUTO_TEST_SUITE(cache_shards)

BOOST_FIXTURE_TEST_CASE(the_keys_of_a_large_instance_are_spread_evenly, Sharded) {
    for (unsigned i = 0; i < 4000; ++i)
        insert(question(i));
    for (const unsigned n : entries_by_shard())
        BOOST_TEST((n > 850 && n < 1150));
    for (unsigned i = 0; i < 4000; ++i)
        BOOST_REQUIRE(filler.find(question(i), kNow.s()) != nullptr);
    BOOST_TEST(cache.entries() == 4000U);
    BOOST_TEST(cache.instance_stats(0).entries == 4000U);
    BOOST_TEST(cache.instance_stats(0).inserts == 4000U);
}

// A burst crosses shards, with names that are not there between them.
BOOST_FIXTURE_TEST_CASE(a_burst_is_looked_up_in_all_shards, Sharded) {
    std::vector<Question> questions;
    for (unsigned i = 0; i < cache::Cache::kBulk; ++i) {
        questions.push_back(question(i));
        if (i % 3 != 0) insert(questions.back());
    }
    std::vector<cache::Key> keys;
    std::vector<cache::KeyFacts> facts;
    std::set<unsigned> shards;
    for (const Question& q : questions) {
        facts.push_back(q.facts());
        keys.push_back(hasher(q.facts()));
        shards.insert(shard_of(q));
    }
    BOOST_TEST(shards.size() == kShards);
    std::array<const cache::Entry*, cache::Cache::kBulk> found;
    cache.lookup(keys.data(), facts.data(), cache::Cache::kBulk, kNow.s(), found.data());
    for (unsigned i = 0; i < cache::Cache::kBulk; ++i) {
        BOOST_TEST((found[i] != nullptr) == (i % 3 != 0));
        if (found[i] != nullptr) BOOST_TEST((found[i]->qtype == questions[i].type));
    }
}

BOOST_FIXTURE_TEST_CASE(the_parts_of_a_limit_are_the_whole, SmallInstances) {
    const std::uint32_t expected[] = {kLarge, 1, 100, 2 * 4096};
    for (std::uint16_t i = 0; i < 4; ++i)
        BOOST_TEST(cache.instance_stats(i).limit == expected[i]);
    cache.set_instance_size(0, kLarge + 3);
    BOOST_TEST(cache.instance_stats(0).limit == kLarge + 3);
    BOOST_TEST(cache.outgrows(1, kLarge));
    BOOST_TEST(!cache.outgrows(1, 2));
    BOOST_TEST(!cache.outgrows(0, 2 * kLarge));
    // Not known at the start: in all shards, and never without room.
    cache.set_instance_size(9, 2);
    BOOST_TEST(cache.instance_stats(9).limit == kShards);
    for (unsigned i = 0; i < 100; ++i) {
        insert(question(i, 9));
        BOOST_TEST(filler.find(question(i, 9), kNow.s()) != nullptr);
    }
    cache.set_instance_size(9, 0);
    BOOST_TEST(cache.instance_stats(9).limit == 0U);
}

// Small instances are whole in a shard each, so that they have exactly their size.
BOOST_FIXTURE_TEST_CASE(a_small_instance_has_its_whole_size_in_one_shard, SmallInstances) {
    std::set<unsigned> of_one, of_hundred, of_two;
    for (unsigned i = 0; i < 1000; ++i) {
        of_one.insert(shard_of(question(i, 1)));
        of_hundred.insert(shard_of(question(i, 2)));
        of_two.insert(shard_of(question(i, 3)));
    }
    BOOST_TEST(of_one.size() == 1U);
    BOOST_TEST(of_hundred.size() == 1U);
    BOOST_TEST(of_two.size() == 2U);
    BOOST_TEST(*of_one.begin() != *of_hundred.begin());
    for (unsigned i = 0; i < 100; ++i) {
        insert(question(i, 1));
        BOOST_TEST(filler.find(question(i, 1), kNow.s()) != nullptr);
        insert(question(i, 2));
    }
    BOOST_TEST(cache.instance_stats(1).entries == 1U);
    BOOST_TEST(cache.instance_stats(2).entries == 100U);
    BOOST_TEST(cache.instance_stats(2).evictions == 0U);
}

// Filled far beyond its size: each shard holds its part.
BOOST_FIXTURE_TEST_CASE(a_full_instance_has_its_size, Sharded) {
    for (unsigned i = 0; i < 2 * kLarge; ++i)
        insert(question(i));
    BOOST_TEST(cache.instance_stats(0).entries == kLarge);
    for (const unsigned n : entries_by_shard())
        BOOST_TEST(n == kLarge / kShards);
}

BOOST_FIXTURE_TEST_CASE(writers_are_spread_over_the_workers, FewShards) {
    BOOST_TEST(cache.writer_of(0) == 0U);
    BOOST_TEST(cache.writer_of(1) == 3U);
}

// A line of a packet cache depends on the epochs of its own shard alone.
BOOST_FIXTURE_TEST_CASE(a_removal_changes_the_epoch_of_its_key, Sharded) {
    std::set<std::uint16_t> seen;
    std::array<std::set<std::uint16_t>, kShards> by_shard;
    for (unsigned i = 0; i < 5000; ++i) {
        const Question q = question(i);
        const std::uint16_t share = cache.share_of(hasher(q.facts()), 0);
        BOOST_REQUIRE_LT(share, cache::Cache::kShares);
        seen.insert(share);
        by_shard[shard_of(q)].insert(share);
    }
    BOOST_TEST(seen.size() == cache::Cache::kShares);
    std::size_t sum = 0;
    for (const auto& shares : by_shard)
        sum += shares.size();
    BOOST_TEST(sum == seen.size());
    const std::uint16_t share = cache.share_of(hasher(question(1).facts()), 0);
    insert(question(1));
    const std::uint64_t before = cache.epoch(share);
    filler.insert(question(1), 2, 40, kNow, 60);
    BOOST_TEST(cache.epoch(share) == before + 1);
}

BOOST_FIXTURE_TEST_CASE(offers_reach_their_shards, Sharded) {
    constexpr unsigned kOffers = 500, kKnown = 40;
    std::vector<std::vector<std::uint8_t>> messages;
    std::vector<cache::Cache::Offer> offers;
    for (unsigned i = 0; i < kOffers; ++i) {
        const Question q = question(i);
        if (i < kKnown) insert(q);
        Buffer* const answer = pools.take(2048);
        write_answer(*answer, 9, 30);
        Buffer* const message =
            cache::build_insert(pools, hasher(q.facts()), q.facts(), *answer, {.life_s = 500});
        messages.emplace_back(message->bytes().begin(), message->bytes().end());
        offers.push_back({messages.back(), Birth::at_s(kNow.s())});
        release(message);
        release(answer);
    }
    cache.offer(offers);
    // A writer takes those of its shard, and only those.
    for (unsigned shard = 0; shard < kShards; ++shard) {
        const auto before = entries_by_shard();
        BOOST_TEST(cache.offers_pending(shard));
        while (cache.turn(shard, kNow, filler.counters)) {
        }
        BOOST_TEST(!cache.offers_pending(shard));
        const auto after = entries_by_shard();
        for (unsigned other = 0; other < kShards; ++other)
            BOOST_TEST((after[other] > before[other]) == (other == shard));
        BOOST_TEST(cache.offers_pending() == (shard + 1 < kShards));
    }
    BOOST_TEST(cache.offers_known() == kKnown);
    for (unsigned i = 0; i < kOffers; ++i)
        BOOST_REQUIRE(filler.find(question(i), kNow.s()) != nullptr);
    BOOST_TEST(cache.entries() == kOffers);
}

BOOST_FIXTURE_TEST_CASE(a_walk_in_parts_visits_each_entry_that_stays_once, Sharded) {
    constexpr unsigned kEntries = 2'000, kPart = 7;
    for (unsigned i = 0; i < kEntries; ++i)
        insert(question(i));
    std::map<std::vector<std::uint8_t>, unsigned> seen;
    cache::WalkPlace from;
    for (unsigned parts = 0;; ++parts) {
        unsigned taken = 0;
        {
            cache::Walk walk(cache, 1, from);
            for (auto page = walk.next(); !page.empty() && taken < kPart; page = walk.next()) {
                for (const auto& [slot, entry] : page) {
                    if (taken == kPart) break;
                    ++taken;
                    ++seen[{entry->qname().begin(), entry->qname().end()}];
                    from = behind(walk, slot);
                }
            }
        }
        if (taken == 0) break;
        BOOST_REQUIRE(parts < kEntries);
        insert(question(kEntries + parts));  // may come, once
    }
    for (unsigned i = 0; i < kEntries; ++i)
        BOOST_TEST(seen[question(i).name] == 1U, i);
    for (const auto& [name, times] : seen)
        BOOST_TEST(times == 1U);
}

// Two writers, two readers and control's flushes at one time. What a reader finds is whole and its own.
BOOST_AUTO_TEST_CASE(two_writers_insert_and_flush_under_readers) {
    constexpr unsigned kWriters = 2, kReaders = 2, kNames = 4000, kInserts = 8'000;
    constexpr unsigned kControl = kWriters + kReaders;
    Readers readers;
    const std::uint32_t sizes[] = {4096 * kWriters};
    // So few pages that entries are evicted.
    cache::Cache cache{{.budget_bytes = std::size_t{10} * 65536,
                        .instance_sizes = sizes,
                        .shards = kWriters,
                        .workers = kWriters},
                       readers.get()};
    const cache::KeyHasher hasher{kSecret};
    std::vector<Question> questions;
    std::vector<cache::Key> keys;
    std::array<std::vector<unsigned>, kWriters> own;
    for (unsigned i = 0; i < kNames; ++i) {
        questions.push_back(question(i));
        keys.push_back(hasher(questions.back().facts()));
        own[cache.shard_of(keys.back().low, 0)].push_back(i);
    }
    std::atomic<unsigned> started{0}, writing{kWriters}, faults{0}, flushes{0};
    std::atomic<bool> flusher_done{false};
    std::atomic<std::uint64_t> hits{0};
    std::array<Counters, kWriters> counters;
    std::vector<std::thread> threads;
    const auto is_enough = [&](unsigned shard) {
        return hits > 1000 && flushes > 2 && counters[shard].get(Stat::cache_inserts) > kNames &&
               counters[shard].get(Stat::cache_evictions) > 0;
    };
    const auto begin = [&] {
        ++started;
        while (started.load() != kWriters + kReaders + 1)
            std::this_thread::yield();
    };
    for (unsigned shard = 0; shard < kWriters; ++shard) {
        threads.emplace_back([&, shard] {
            const Reader reader{readers, shard};
            Random random{shard};
            BufferPools pools{64, 4};
            begin();
            // How far the others get depends on the machine.
            for (unsigned i = 0; i < kInserts || (i < 100 * kInserts && !is_enough(shard)); ++i) {
                const unsigned which = own[shard][random() % own[shard].size()];
                const auto tag = static_cast<std::uint8_t>(random());
                Buffer* const answer = pools.take(2048);
                write_answer(*answer, tag, static_cast<std::uint16_t>(tag + 40U));
                answer->serial = i + 1;
                answer->born_ms = static_cast<std::int64_t>(kNow.ms);
                Buffer* const message = cache::build_insert(
                    pools, keys[which], questions[which].facts(), *answer, {.life_s = 60});
                cache.insert(*message, kNow, counters[shard]);
                release(message);
                release(answer);
                cache.turn(shard, kNow, counters[shard]);
                reader.quiescent();
                if (i % 32 == 0) std::this_thread::yield();
            }
            --writing;
            while (!flusher_done.load()) {  // it waits for its orders
                cache.turn(shard, kNow, counters[shard]);
                reader.quiescent();
                std::this_thread::yield();
            }
        });
    }
    for (unsigned id = 0; id < kReaders; ++id) {
        threads.emplace_back([&, id] {
            const Reader reader{readers, kWriters + id};
            Random random{77 + id};
            begin();
            while (writing.load() != 0) {
                std::array<cache::Key, 32> wanted;
                std::array<cache::KeyFacts, 32> facts;
                std::array<const cache::Entry*, 32> found;
                for (unsigned i = 0; i < 32; ++i) {
                    const unsigned which = random() % kNames;
                    wanted[i] = keys[which];
                    facts[i] = questions[which].facts();
                }
                cache.lookup(wanted.data(), facts.data(), 32, kNow.s(), found.data());
                for (unsigned i = 0; i < 32; ++i) {
                    if (found[i] == nullptr) continue;
                    ++hits;
                    const auto& answer = found[i]->answer();
                    const auto name = found[i]->qname();
                    const bool right = std::ranges::equal(name, facts[i].qname) &&
                                       is_whole(answer, static_cast<std::uint8_t>(answer.min_ttl_s),
                                                static_cast<std::uint16_t>(answer.min_ttl_s + 40));
                    faults += right ? 0U : 1U;
                }
                reader.quiescent();
                std::this_thread::yield();
            }
        });
    }
    threads.emplace_back([&] {
        begin();
        while (writing.load() == kWriters) {
            cache::Walk walk(cache, kControl);
            std::vector<cache::SlotId> wanted;
            for (auto page = walk.next(); !page.empty(); page = walk.next()) {
                wanted.clear();
                for (const auto& [slot, entry] : page) {
                    const cache::KeyFacts facts{entry->qname(), entry->qtype, 1, 0, entry->flags};
                    const bool is_right = cache.shard_of(hasher(facts).low, 0) == walk.shard();
                    faults += is_right ? 0U : 1U;
                    if (slot % 3 == 0) wanted.push_back(slot);
                }
                cache.ask_to_drop(walk.shard(), wanted);
                while (cache.orders_pending())
                    std::this_thread::yield();
            }
            ++flushes;
        }
        flusher_done = true;
    });
    for (auto& t : threads)
        t.join();
    BOOST_TEST(faults.load() == 0U);
    BOOST_TEST(hits.load() > 0U);
    BOOST_TEST(flushes.load() > 0U);
    std::uint64_t inserts = 0, flushed = 0;
    for (const Counters& c : counters) {
        BOOST_TEST(c.get(Stat::cache_inserts) > kNames);
        BOOST_TEST(c.get(Stat::cache_evictions) > 0U);
        inserts += c.get(Stat::cache_inserts);
        flushed += c.get(Stat::cache_flushed);
    }
    BOOST_TEST(cache.instance_stats(0).inserts == inserts);
    BOOST_TEST(cache.instance_stats(0).flushed == flushed);
    BOOST_TEST(flushed > 0U);
    cache.flush();
    while (cache.reclaim()) {
    }
    BOOST_TEST(cache.bytes_used() == 0U);
    BOOST_TEST(cache.entries() == 0U);
}

BOOST_AUTO_TEST_SUITE_END()
