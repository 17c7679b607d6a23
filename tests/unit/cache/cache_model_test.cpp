// The cache against a plain map, under random inserts, lookups, expiries, evictions and flushes.
#include <boost/test/unit_test.hpp>
#include <map>

#include "dataplane/cache/cache.h"
#include "readers.h"
#include "stored_answer.h"
#include "support/random.h"

using namespace steer;
using namespace steer::test;

namespace {

struct Stored {
    std::uint8_t tag;
    std::uint16_t body_len;
    std::uint32_t expires_s;
    std::uint32_t serial;
};

class Model {
  public:
    Model(std::size_t budget, std::vector<std::uint32_t> sizes, unsigned names, std::uint32_t seed)
        : sizes_(std::move(sizes)),
          names_(names),
          random_(seed),
          cache_({budget, sizes_}, readers_.get()) {}

    // `complete`: there is room for everything, so every stored answer must be found.
    void run(unsigned rounds, bool complete) {
        for (unsigned round = 0; round < rounds; ++round) {
            const unsigned what = random_() % 1000;
            if (what == 0) {
                cache_.flush();
                map_.clear();
            } else if (what < 10) {
                now_.ms += random_() % 20000;
            } else if (what < 400) {
                insert();
            } else if (what < 420) {
                cache_.reclaim();
            } else {
                check(complete);
            }
            check_counts(complete);
        }
        cache_.flush();
        while (cache_.reclaim()) {
        }
        BOOST_TEST(cache_.bytes_used() == 0U);
        BOOST_TEST(pools_.in_use() == 0U);
        BOOST_TEST(hits_ > rounds / 100);
    }
    [[nodiscard]] std::uint64_t evictions() const {
        return filler_.counters.get(Stat::cache_evictions);
    }

  private:
    using Id = std::pair<unsigned, std::uint16_t>;

    Id pick() {
        return {random_() % names_, static_cast<std::uint16_t>(random_() % sizes_.size())};
    }
    std::uint16_t body_len() {
        const unsigned shift = random_() % 11;
        return static_cast<std::uint16_t>(random_() % (64U << shift) % 65000);
    }

    void insert() {
        const Id id = pick();
        auto known = map_.find(id);
        const bool again = known != map_.end() && random_() % 8 == 0;
        Stored s{static_cast<std::uint8_t>(random_()), body_len(), now_.s() + 1 + random_() % 60,
                 ++serial_};
        if (again) s.serial = known->second.serial;
        const auto before = filler_.counters.get(Stat::cache_inserts);
        filler_.insert(question(id.first, id.second), s.tag, s.body_len, now_,
                       s.expires_s - now_.s(), s.serial);
        const bool inserted = filler_.counters.get(Stat::cache_inserts) != before;
        // The same serial is not inserted again, unless the entry was evicted in between.
        if (inserted) map_[id] = s;
    }

    void check(bool complete) {
        const Id id = pick();
        const cache::Entry* e = filler_.find(question(id.first, id.second), now_.s());
        const auto known = map_.find(id);
        const bool alive = known != map_.end() && known->second.expires_s > now_.s();
        if (e == nullptr) {
            BOOST_REQUIRE(!complete || !alive);
            return;
        }
        ++hits_;
        BOOST_REQUIRE(alive);
        BOOST_REQUIRE(e->expires_s == known->second.expires_s);
        BOOST_REQUIRE(e->instance == id.second);
        BOOST_REQUIRE(is_whole(e->answer(), known->second.tag, known->second.body_len));
    }

    void check_counts(bool complete) {
        if (complete) {
            BOOST_REQUIRE(cache_.entries() == map_.size());
            BOOST_REQUIRE(evictions() == 0U);
        }
        std::size_t most = 0;
        for (const auto size : sizes_)
            most += size;
        BOOST_REQUIRE(cache_.entries() <= most);
    }

    std::vector<std::uint32_t> sizes_;
    unsigned names_;
    Random random_;
    Readers readers_;
    BufferPools pools_{64, 16};
    cache::Cache cache_;
    Filler filler_{cache_, pools_};
    std::map<Id, Stored> map_;
    Now now_{1'000'000};
    std::uint32_t serial_ = 0;
    std::uint64_t hits_ = 0;
};

}  // namespace

BOOST_AUTO_TEST_SUITE(cache_model)

BOOST_AUTO_TEST_CASE(a_large_cache_agrees_with_a_map) {
    Model model{std::size_t{256} << 20, {400, 400}, 400, 1};
    model.run(60000, true);
}

BOOST_AUTO_TEST_CASE(a_cache_with_few_entries_agrees_with_a_map) {
    Model model{std::size_t{64} << 20, {50, 20, 1}, 400, 2};
    model.run(60000, false);
    BOOST_TEST(model.evictions() > 1000U);
}

BOOST_AUTO_TEST_CASE(a_cache_with_few_bytes_agrees_with_a_map) {
    Model model{std::size_t{5} << 20, {10000, 10000}, 2000, 3};
    model.run(60000, false);
    BOOST_TEST(model.evictions() > 1000U);
}

BOOST_AUTO_TEST_CASE(a_tiny_cache_agrees_with_a_map) {
    Model model{3 * 65536, {10000}, 200, 4};
    model.run(30000, false);
}

BOOST_AUTO_TEST_SUITE_END()
