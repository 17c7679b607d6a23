// What an answer costs in memory, all of it: its slot, its record, and its share of the table.
#include <rte_malloc.h>

#include <boost/test/unit_test.hpp>

#include "dataplane/cache/arena.h"
#include "dataplane/cache/cache.h"
#include "readers.h"
#include "stored_answer.h"
#include "support/random.h"

using namespace steer;
using namespace steer::test;

namespace {

std::size_t allocated() {
    rte_malloc_socket_stats stats{};
    rte_malloc_get_socket_stats(0, &stats);
    return stats.heap_allocsz_bytes;
}

// "www.", a label of 4 to 18 letters, one of a few domains: 15 to 40 bytes, as names in a resolver's log are.
std::string typical_name(Random& random, unsigned i) {
    static constexpr std::array kFirst{"www.", "", "api.", "cdn-3.", "mail."};
    static constexpr std::array kLast{".com", ".net", ".example", ".co.uk", ".cloudhost.net"};
    std::string middle;
    for (unsigned length = 4 + random.below(9); length > 0; --length)
        middle += static_cast<char>('a' + random.below(26));
    return kFirst[random.below(5)] + middle + std::to_string(i) + kLast[random.below(5)];
}

}  // namespace

BOOST_AUTO_TEST_SUITE(cache_cost)

BOOST_AUTO_TEST_CASE(an_address_of_a_typical_name_costs_at_most_240_bytes) {
    constexpr std::uint32_t kAnswers = 1'000'000;
    // The answer `name A 192.0.2.1`, as build_answer() lays it out.
    BufferPools pools{64, 4};
    Buffer* const answer = pools.take(kSmallBuffer);
    auto response = DnsMessage::response(1, "www.example", dns::kA);
    response.record(DnsMessage::kAnswer, {0xc0, 0x0c}, dns::kA, 300, {192, 0, 2, 1});
    dns::UpstreamFacts facts;
    BOOST_REQUIRE((dns::build_answer(response.bytes(), wire_name("www.example"), dns::kA, dns::kIn,
                                     false, answer->room(), facts) == dns::AnswerError::none));
    answer->length = static_cast<std::uint32_t>(answer->answer().size());

    const std::size_t before = allocated();
    Readers readers;
    const std::uint32_t sizes[] = {kAnswers};
    // As many pages as that takes.
    const unsigned size_class = cache::Arena::class_for(sizeof(cache::Entry) + 40 + answer->length);
    const std::size_t pages = kAnswers / cache::Arena::slots_per_page(size_class) + 2;
    cache::Cache cache{{pages * cache::kPageSize, sizes}, readers.get()};
    const cache::KeyHasher hasher{kSecret};
    Counters counters;
    Random random{1};
    const Now now{1000};
    std::size_t name_bytes = 0;
    for (std::uint32_t i = 0; i < kAnswers; ++i) {
        const Bytes name = wire_name(typical_name(random, i));
        name_bytes += name.size();
        const cache::KeyFacts key{name, dns::kA, dns::kIn, 0, 0};
        answer->born_ms = static_cast<std::int64_t>(now.ms);
        Buffer* const message =
            cache::build_insert(pools, hasher(key), key, *answer, {.life_s = 300});
        cache.insert(*message, now, counters);
        release(message);
    }
    release(answer);
    BOOST_TEST(cache.entries() == kAnswers);
    BOOST_TEST(counters.get(Stat::cache_evictions) == 0U);
    const double each = static_cast<double>(allocated() - before) / kAnswers;
    BOOST_TEST_MESSAGE("an A answer costs " << each << " bytes, with names of "
                                            << static_cast<double>(name_bytes) / kAnswers
                                            << " bytes");
    // DPDK takes the cache lines of arm64 for 128 bytes, and aligns to them.
    BOOST_TEST(each <= (RTE_CACHE_LINE_SIZE > 64 ? 272.0 : 240.0));
    BOOST_TEST(each > 128.0);  // the counting counts
}

BOOST_AUTO_TEST_SUITE_END()
