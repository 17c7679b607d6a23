// The cache against a plain map while everything goes on at once: a cache writer that inserts, replaces, lets expire, evicts and
// moves pages; three readers; and a control thread that walks and flushes.
//
// Each answer carries its serial. A reader may see an answer only if it was the last of its name at some time during
// the lookup, had not expired, and was not flushed before the lookup began. It also runs under -Db_sanitize=thread. A race that the
// sanitizer does not see shows here as an answer whose bytes are not all its own.
#include <boost/test/unit_test.hpp>
#include <chrono>
#include <thread>

#include "dataplane/cache/cache.h"
#include "dataplane/cache/walk.h"
#include "readers.h"
#include "stored_answer.h"
#include "support/random.h"

using namespace steer;
using namespace steer::test;

namespace {

constexpr unsigned kFlushNames = 600;
constexpr unsigned kFlushInserts = 40'000;
constexpr unsigned kMostInserts = 100 * kFlushInserts;  // until all that the test is about was seen
constexpr unsigned kFlushReaders = 3;
constexpr unsigned kFlusher = kFlushReaders;  // its number as a reader
constexpr unsigned kGroups = 5;  // a flush removes the names whose number has one remainder

// Sizes drift, so that pages move.
std::uint16_t length_of(std::uint32_t serial) {
    const unsigned drift = serial / 4000 % 3;
    return static_cast<std::uint16_t>(40 + serial % 7 * 20 + drift * 300);
}

// The body: the serial over and over.
void write_body(Buffer& out, std::uint32_t serial) {
    const std::uint16_t length = length_of(serial);
    dns::Answer answer{};
    answer.min_ttl_s = serial;
    answer.body_len = length;
    std::memcpy(out.data(), &answer, sizeof answer);
    for (unsigned i = 0; i < length; ++i)
        out.data()[sizeof answer + i] = static_cast<std::uint8_t>(serial >> i % 4 * 8);
    out.length = static_cast<std::uint32_t>(answer.size());
}
bool is_its_own(const dns::Answer& answer) {
    const std::uint32_t serial = answer.min_ttl_s;
    if (answer.body_len != length_of(serial)) return false;
    for (unsigned i = 0; i < answer.body_len; ++i) {
        if (answer.body()[i] != static_cast<std::uint8_t>(serial >> i % 4 * 8)) return false;
    }
    return true;
}

struct World {
    World() {
        for (unsigned i = 0; i < kFlushNames; ++i) {
            questions.push_back(question(i));
            keys.push_back(hasher(questions.back().facts()));
        }
    }

    void insert(unsigned which, std::uint32_t serial, std::uint32_t life_s, Now now) {
        Buffer* const answer = pools.take(2048);
        write_body(*answer, serial);
        answer->serial = serial;
        answer->born_ms = static_cast<std::int64_t>(now.ms);
        Buffer* const message = cache::build_insert(pools, keys[which], questions[which].facts(),
                                                    *answer, {.life_s = life_s});
        about_to[which].store(serial, std::memory_order_release);
        const auto before = counters.get(Stat::cache_inserts);
        cache.insert(*message, now, counters);
        if (counters.get(Stat::cache_inserts) != before)
            last[which].store(serial, std::memory_order_release);
        release(message);
        release(answer);
    }

    // One lookup of one name. True: a hit.
    bool read_one(unsigned which, unsigned& faults) {
        const std::uint32_t after = flushed_until[which % kGroups].load(std::memory_order_acquire);
        const std::uint32_t at_least = last[which].load(std::memory_order_acquire);
        const std::uint32_t now = now_s.load(std::memory_order_acquire);
        const cache::KeyFacts facts = questions[which].facts();
        const cache::Entry* found = nullptr;
        cache.lookup(&keys[which], &facts, 1, now, &found);
        if (found == nullptr) return false;
        const std::uint32_t serial = found->answer().min_ttl_s;
        const std::uint32_t newest = about_to[which].load(std::memory_order_acquire);
        const auto name = found->qname();
        const bool right =
            std::equal(name.begin(), name.end(), facts.qname.begin(), facts.qname.end()) &&
            is_its_own(found->answer()) && serial > after && serial >= at_least &&
            serial <= newest && found->usable_until_s > now;
        faults += right ? 0U : 1U;
        return true;
    }

    // As control does: find, order, wait. Afterwards no reader sees an entry from before.
    void flush(unsigned group) {
        const std::uint32_t before = newest_serial.load(std::memory_order_acquire);
        cache.refuse_born_until(now_ms.load(std::memory_order_acquire), UINT64_MAX);
        cache::Walk::wait_for_readers(cache);
        {
            cache::Walk walk(cache, kFlusher);
            std::vector<cache::SlotId> wanted;
            for (auto page = walk.next(); !page.empty(); page = walk.next()) {
                wanted.clear();
                for (const auto& [slot, entry] : page) {
                    faults_of_walk += is_its_own(entry->answer()) ? 0U : 1U;
                    if (number_of(*entry) % kGroups == group) wanted.push_back(slot);
                }
                if (wanted.empty()) continue;
                cache.ask_to_drop(walk.shard(), wanted);
                while (cache.orders_pending())
                    std::this_thread::yield();
            }
        }
        cache::Walk::wait_for_readers(cache);
        flushed_until[group].store(before, std::memory_order_release);
    }
    static unsigned number_of(const cache::Entry& e) {
        unsigned n = 0;  // "name123.example"
        for (std::size_t i = 5; i < 1U + e.qname()[0]; ++i)
            n = n * 10 + (e.qname()[i] - '0');
        return n;
    }

    Readers readers;
    BufferPools pools{64, 4};
    const std::uint32_t sizes[1] = {500};
    cache::Cache cache{{std::size_t{6} * 65536, sizes}, readers.get()};
    const cache::KeyHasher hasher{kSecret};
    std::vector<Question> questions;
    std::vector<cache::Key> keys;
    Counters counters;

    std::array<std::atomic<std::uint32_t>, kFlushNames> about_to{}, last{};
    std::array<std::atomic<std::uint32_t>, kGroups> flushed_until{};
    std::atomic<std::uint32_t> now_s{1000}, newest_serial{0};
    std::atomic<std::uint64_t> now_ms{1'000'000};
    unsigned faults_of_walk = 0;
};

}  // namespace

BOOST_AUTO_TEST_SUITE(cache_flush_race)

BOOST_AUTO_TEST_CASE(readers_see_no_flushed_entry_while_the_cache_writer_works) {
    const auto owned = std::make_unique<World>();
    World& w = *owned;
    std::atomic<bool> done{false}, flusher_done{false};
    std::atomic<unsigned> faults{0}, started{0};
    std::atomic<std::uint64_t> hits{0}, flushes{0};
    std::vector<std::thread> threads;
    for (unsigned id = 0; id < kFlushReaders; ++id) {
        threads.emplace_back([&, id] {
            const Reader reader{w.readers, id};
            Random random{id};
            unsigned wrong = 0;
            ++started;
            while (!done.load(std::memory_order_relaxed)) {
                std::uint64_t found = 0;
                for (unsigned i = 0; i < 32; ++i)
                    found += w.read_one(random() % kFlushNames, wrong) ? 1U : 0U;
                hits += found;
                reader.quiescent();
                std::this_thread::yield();
            }
            faults += wrong;
        });
    }
    threads.emplace_back([&] {
        Random random{77};
        ++started;
        while (!done.load(std::memory_order_relaxed)) {
            w.flush(random() % kGroups);
            ++flushes;
        }
        flusher_done = true;
    });
    while (started.load() != kFlushReaders + 1)
        std::this_thread::yield();

    // How far the threads get depends on the machine.
    const auto seen_enough = [&] {
        return flushes.load() >= 20 && hits.load() > 100 &&
               w.counters.get(Stat::cache_flushed) > 100 &&
               w.counters.get(Stat::cache_evictions) > 100 &&
               w.counters.get(Stat::cache_pages_moved) > 0;
    };
    // The cache writer, a reader as worker 0 is.
    const Reader cache_writer{w.readers, kFlusher + 1};
    Random random{99};
    std::uint32_t serial = 0;
    for (unsigned i = 0; i < kFlushInserts || (i < kMostInserts && !seen_enough()); ++i) {
        const Now now{w.now_ms.fetch_add(1 + random() % 20, std::memory_order_acq_rel) + 1};
        w.now_s.store(now.s(), std::memory_order_release);
        w.newest_serial.store(++serial, std::memory_order_release);
        w.insert(random() % kFlushNames, serial, 1 + random() % 30, now);
        w.cache.turn(now, w.counters);
        if (i % 16 == 0) cache_writer.quiescent();
        if (i % 32 == 0) std::this_thread::yield();
    }
    done = true;
    while (!flusher_done.load()) {
        w.cache.turn(Now{w.now_ms.load()}, w.counters);
        cache_writer.quiescent();
        std::this_thread::yield();
    }
    for (auto& t : threads)
        t.join();

    BOOST_TEST(faults.load() == 0U);
    BOOST_TEST(w.faults_of_walk == 0U);
    BOOST_TEST(seen_enough());
    // Alone again: what is there is the last of its name.
    const auto check_what_is_there = [&w] {
        unsigned there = 0;
        for (unsigned i = 0; i < kFlushNames; ++i) {
            const cache::KeyFacts facts = w.questions[i].facts();
            const cache::Entry* found = nullptr;
            w.cache.lookup(&w.keys[i], &facts, 1, w.now_s.load(), &found);
            if (found == nullptr) continue;
            ++there;
            BOOST_TEST(found->answer().min_ttl_s == w.last[i].load());
        }
        return there;
    };
    // May be none: a reader that got no time for a while kept memory from being freed, and all that was there expired.
    (void)check_what_is_there();
    const Now end{w.now_ms.load() + 1};
    for (unsigned i = 0; i < kFlushNames; ++i) {
        w.insert(i, ++serial, 30, end);
        w.cache.turn(end, w.counters);
        cache_writer.quiescent();
    }
    BOOST_TEST(check_what_is_there() > 0U);
    BOOST_TEST_MESSAGE(w.counters.get(Stat::cache_inserts)
                       << " inserts, " << hits.load() << " hits, " << flushes.load()
                       << " flushes of " << w.counters.get(Stat::cache_flushed) << " answers, "
                       << w.counters.get(Stat::cache_evictions) << " evictions, "
                       << w.counters.get(Stat::cache_pages_moved) << " pages moved, "
                       << w.counters.get(Stat::cache_insert_no_room) << " inserts without room");
    w.cache.flush();
    while (w.cache.reclaim())
        cache_writer.quiescent();
    BOOST_TEST(w.cache.bytes_used() == 0U);
}

BOOST_AUTO_TEST_SUITE_END()
