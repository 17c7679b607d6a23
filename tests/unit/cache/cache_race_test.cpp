// Readers and the cache writer at the same time: whatever a reader finds is whole and is what it asked for, until the
// reader is quiescent.
#include <boost/test/unit_test.hpp>
#include <thread>

#include "dataplane/cache/cache.h"
#include "readers.h"
#include "stored_answer.h"
#include "support/random.h"

using namespace steer;
using namespace steer::test;

namespace {

constexpr unsigned kNames = 300;
constexpr unsigned kInserts = 60000;
constexpr unsigned kReaders = 2;

// The size of an answer follows from its tag, so that an entry checks itself.
std::uint16_t length_of(std::uint8_t tag) {
    return static_cast<std::uint16_t>(tag * 7U);
}

// One burst as a worker takes it. Returns how many hits it had; adds what was wrong to `faults`.
unsigned read_burst(const cache::Cache& cache, const std::vector<Question>& questions,
                    const std::vector<cache::Key>& all_keys, Random& random, unsigned& faults) {
    constexpr unsigned n = cache::Cache::kBulk;
    std::array<cache::Key, n> keys;
    std::array<cache::KeyFacts, n> facts;
    std::array<const cache::Entry*, n> found;
    for (unsigned i = 0; i < n; ++i) {
        const unsigned which = random() % kNames;
        keys[i] = all_keys[which];
        facts[i] = questions[which].facts();
    }
    cache.lookup(keys.data(), facts.data(), n, 1, found.data());
    unsigned hits = 0;
    for (unsigned i = 0; i < n; ++i) {
        if (found[i] == nullptr) continue;
        ++hits;
        const auto tag = static_cast<std::uint8_t>(found[i]->answer().min_ttl_s);
        const auto name = found[i]->qname();
        const bool right =
            std::equal(name.begin(), name.end(), facts[i].qname.begin(), facts[i].qname.end()) &&
            is_whole(found[i]->answer(), tag, length_of(tag)) && found[i]->ttl_cap_s == tag;
        faults += right ? 0U : 1U;
    }
    return hits;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(cache_race)

BOOST_AUTO_TEST_CASE(readers_see_whole_answers_while_the_cache_writer_works) {
    Readers readers;
    BufferPools pools{64, 4};
    const std::uint32_t sizes[] = {200};
    cache::Cache cache{{std::size_t{1} << 20, sizes}, readers.get()};
    Filler filler{cache, pools};
    const cache::KeyHasher hasher{kSecret};
    std::vector<Question> questions;
    std::vector<cache::Key> keys;
    for (unsigned i = 0; i < kNames; ++i) {
        questions.push_back(question(i));
        keys.push_back(hasher(questions.back().facts()));
    }

    std::atomic<bool> done{false};
    std::atomic<unsigned> started{0};
    std::atomic<std::uint64_t> hits{0};
    std::atomic<unsigned> faults{0};
    std::vector<std::thread> threads;
    for (unsigned id = 0; id < kReaders; ++id) {
        threads.emplace_back([&, id] {
            const Reader reader{readers, id};
            steer::test::Random random{id};
            unsigned wrong = 0;
            ++started;
            while (!done.load(std::memory_order_relaxed)) {
                hits += read_burst(cache, questions, keys, random, wrong);
                reader.quiescent();
            }
            faults += wrong;
        });
    }
    while (started.load() != kReaders)
        std::this_thread::yield();
    steer::test::Random random{99};
    // How far the readers get depends on the machine.
    for (unsigned i = 0; i < kInserts || (i < 100 * kInserts && hits.load() == 0); ++i) {
        const auto tag = static_cast<std::uint8_t>(random());
        filler.insert(questions[random() % kNames], tag, length_of(tag), Now{1000}, 60, i + 1,
                      {.ttl_cap_s = tag});
        if (i % 8 == 0) cache.reclaim();
        if (i % 20000 == 19999) cache.flush();
    }
    done = true;
    for (auto& t : threads)
        t.join();
    BOOST_TEST(faults.load() == 0U);
    BOOST_TEST(hits.load() > 0U);
    cache.flush();
    while (cache.reclaim()) {
    }
    BOOST_TEST(cache.bytes_used() == 0U);
    BOOST_TEST(filler.counters.get(Stat::cache_inserts) > kNames);
    BOOST_TEST_MESSAGE("inserted " << filler.counters.get(Stat::cache_inserts) << ", dropped "
                                   << filler.counters.get(Stat::cache_insert_no_room) << ", hits "
                                   << hits.load());
}

BOOST_AUTO_TEST_SUITE_END()
