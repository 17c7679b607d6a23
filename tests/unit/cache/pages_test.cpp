// Pages that move between size classes: a cache whose answers change in size serves as well as one that never held
// others.
#include <algorithm>
#include <boost/test/unit_test.hpp>

#include "dataplane/cache/arena.h"
#include "dataplane/cache/cache.h"
#include "readers.h"
#include "stored_answer.h"
#include "support/random.h"

using namespace steer;
using namespace steer::test;

namespace {

constexpr std::size_t kBudget = std::size_t{8} << 20;
constexpr unsigned kPageNames = 60'000;

// Few are asked for often, many seldom.
unsigned skewed(Random& random, unsigned names) {
    const double x = random() / 4294967296.0;
    return static_cast<unsigned>(static_cast<double>(names) * x * x * x * x);
}

// A cache that a client uses: what is not found is fetched and kept; the cache writer has its turn after each burst.
struct InUse {
    explicit InUse(std::vector<std::uint32_t> sizes = {1'000'000})
        : cache({kBudget, sizes}, readers.get()) {}

    // The share of hits.
    template <class Length>
    double ask(unsigned queries, unsigned first, Length length_of, std::uint32_t seed) {
        Random random{seed};
        unsigned hits = 0;
        for (unsigned i = 0; i < queries; ++i) {
            const unsigned which = first + skewed(random, kPageNames);
            const Question q = question(which);
            const Entry* found = filler.find(q, now.s());
            const auto tag = static_cast<std::uint8_t>(which);
            const auto length = static_cast<std::uint16_t>(length_of(which));
            if (found != nullptr) {
                ++hits;
                BOOST_REQUIRE(is_whole(found->answer(), tag, length));
            } else {
                filler.insert(q, tag, length, now, 100'000, ++serial);
            }
            if (i % Cache::kBulk == 0) turn();
        }
        BOOST_TEST(cache.bytes_used() <= kBudget);
        return static_cast<double>(hits) / queries;
    }

    void turn() {
        cache.turn(now, filler.counters);
        reader.quiescent();
    }

    using Entry = cache::Entry;
    using Cache = cache::Cache;
    Now now{1'000'000};
    Readers readers;
    BufferPools pools{64, 16};
    Cache cache;
    Filler filler{cache, pools};
    Reader reader{readers, 0};
    std::uint32_t serial = 0;
};

unsigned small(unsigned) {
    return 60;
}
unsigned large(unsigned) {
    return 700;
}
unsigned mixed(unsigned which) {
    return which % 3 == 0 ? 700 : 60;
}

template <class From, class To>
void compare(From from, To to, const char* what) {
    InUse shifted;
    shifted.ask(150'000, 0, from, 1);
    shifted.ask(400'000, kPageNames, to, 2);
    const double after = shifted.ask(100'000, kPageNames, to, 3);
    InUse fresh;
    fresh.ask(400'000, kPageNames, to, 2);
    const double expected = fresh.ask(100'000, kPageNames, to, 3);
    BOOST_TEST_MESSAGE(what << ": hit rate " << after << ", of a fresh cache " << expected
                            << ", pages moved "
                            << shifted.filler.counters.get(Stat::cache_pages_moved));
    BOOST_TEST(after > 0.2);
    BOOST_TEST(after > expected - 0.02);
}

}  // namespace

BOOST_AUTO_TEST_SUITE(cache_pages)

BOOST_AUTO_TEST_CASE(pages_move_from_small_to_large_answers) {
    compare(small, large, "small to large");
}

BOOST_AUTO_TEST_CASE(pages_move_from_large_to_small_answers) {
    compare(large, small, "large to small");
}

BOOST_AUTO_TEST_CASE(pages_are_shared_when_both_sizes_come) {
    compare(small, mixed, "small to mixed");
}

// A class whose answers are asked for keeps its pages while others pass through another.
BOOST_AUTO_TEST_CASE(popular_answers_keep_their_pages) {
    InUse use;
    constexpr unsigned kHot = 15'000;  // about half of the cache
    const auto hot_is_there = [&] {
        unsigned found = 0;
        for (unsigned i = 0; i < kHot; ++i) {
            if (i % 32 == 0) use.turn();
            const Question q = question(i);
            if (use.filler.find(q, use.now.s()) != nullptr) {
                ++found;
            } else {
                use.filler.insert(q, 1, 60, use.now, 100'000, ++use.serial);
            }
        }
        return found;
    };
    for (unsigned i = 0; i < 3; ++i)
        hot_is_there();
    BOOST_TEST(hot_is_there() == kHot);
    unsigned least = kHot;
    for (unsigned round = 0; round < 30; ++round) {
        for (unsigned i = 0; i < 3000; ++i) {  // these are never asked for again
            use.filler.insert(question(1'000'000 + round * 3000 + i), 1, 700, use.now, 100'000,
                              ++use.serial);
            if (i % 32 == 0) use.turn();
        }
        least = std::min(least, hot_is_there());
    }
    BOOST_TEST_MESSAGE("of " << kHot << " at least " << least << " were always there");
    BOOST_TEST(least > kHot * 9 / 10);
}

// Two size classes share one page: the class that is asked for more often has it, and both are served now and then.
BOOST_AUTO_TEST_CASE(two_size_classes_take_turns_with_a_single_page) {
    Readers readers;
    BufferPools pools{64, 16};
    const std::uint32_t sizes[] = {1000};
    cache::Cache cache{{65536, sizes}, readers.get()};
    Filler filler{cache, pools};
    const Now now{1000};
    for (unsigned i = 0; i < 1000; ++i) {
        filler.insert(question(i), 1, 60, now, 60);
        cache.turn(now, filler.counters);
    }
    bool found = false;
    for (unsigned i = 0; i < 20'000 && !found; ++i) {
        filler.insert(question(5000 + i), 1, 1000, now, 60);
        cache.turn(now, filler.counters);
        found = filler.find(question(5000 + i), 2) != nullptr;
    }
    BOOST_TEST(found);
}

BOOST_AUTO_TEST_SUITE_END()
