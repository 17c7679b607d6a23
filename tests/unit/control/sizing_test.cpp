// Caches and the memory that there is: what does not fit is refused before anything is started.
#include "control/program/reload/sizing.h"

#include <boost/test/unit_test.hpp>
#include <string>

#include "control/config/load.h"

using namespace steer;

namespace {

constexpr std::uint64_t kGiB = std::uint64_t{1} << 30;

// The sentence; empty: it fits.
std::string sentence(const std::string& caches, std::uint64_t memory_bytes) {
    const auto outcome = config::load_text(
        "plugins:\n"
        "  - { tag: fwd, type: forward, args: { upstreams: [{ addr: \"udp://192.0.2.1\" }] } }\n"
        "  - { tag: main, type: sequence, args: [{ exec: $fwd }] }\n" +
            caches,
        "test.yaml");
    BOOST_TEST_REQUIRE(outcome.ok());
    const auto options = plan_tables(outcome.settings, Snapshot{}, memory_bytes, 1);
    return options ? std::string{} : options.error().sentence();
}

}  // namespace

BOOST_AUTO_TEST_SUITE(sizing)

BOOST_AUTO_TEST_CASE(workers_get_the_configured_sizes) {
    const auto outcome = config::load_text(
        "dataplane: { idle: spin, spread: off, max_parked: 64, max_in_flight: 65,\n"
        "  max_parked_per_client: 66, max_per_suffix: 67%, over_quota: servfail,\n"
        "  upstream_ports: 2000-4000, random_case: true }\n"
        "plugins:\n"
        "  - { tag: main, type: sequence, args: [{ exec: reject }] }\n",
        "test.yaml");
    BOOST_TEST_REQUIRE(outcome.ok());
    const auto options = plan_tables(outcome.settings, Snapshot{}, kGiB, 3);
    BOOST_TEST_REQUIRE(options.has_value());
    const WorkerOptions& of = options->worker;
    BOOST_TEST(of.workers == 3U);
    BOOST_TEST((of.idle == Idle::spin && !of.spread));
    BOOST_TEST(of.max_parked == 64U);
    BOOST_TEST(of.max_in_flight == 65U);
    BOOST_TEST(of.max_parked_per_client == 66U);
    BOOST_TEST(of.suffix_percent == 67U);
    BOOST_TEST((of.over_quota == OverQuota::servfail && of.random_case == RandomCase::always));
    BOOST_TEST(of.first_upstream_port == 2000U);
    BOOST_TEST(of.last_upstream_port == 4000U);
}

BOOST_AUTO_TEST_CASE(the_row_board_has_room_for_all_lists) {
    const auto outcome = config::load_text(
        "plugins:\n  - { tag: main, type: sequence, args: [{ exec: reject }] }\n", "test.yaml");
    BOOST_TEST_REQUIRE(outcome.ok());
    const auto rows = [&](std::uint32_t max_rows, std::uint64_t memory_bytes) {
        Snapshot snapshot;
        for (const ListId id : {ListId{1}, ListId{2}}) {
            PolicyList list{.id = id, .tag = "list"};
            list.max_rows = max_rows;
            snapshot.lists.push_back(std::move(list));
        }
        // Both ranges are behind the same routers: one id more.
        const auto address = [](const char* text) { return *IpAddress::parse(text); };
        snapshot.lists[1].served = {{address("10.0.0.0"), address("10.0.0.255"), ListId{3}},
                                    {address("10.2.0.0"), address("10.2.0.255"), ListId{3}}};
        return plan_tables(outcome.settings, snapshot, memory_bytes, 1)->board_rows;
    };
    BOOST_TEST(rows(10'000, kGiB / 4) == 65'536U);
    BOOST_TEST(rows(10'000, kGiB) == 262'144U);
    BOOST_TEST(rows(300'000, kGiB) == 1'028'571U);
    BOOST_TEST(rows(4'000'000, kGiB) == kGiB / 8 / RowBoard::kBytesPerRow);
}

BOOST_AUTO_TEST_CASE(each_worker_writes_a_shard_of_a_large_cache) {
    const auto shards = [](const std::string& size, unsigned workers) {
        const auto outcome = config::load_text(
            "plugins:\n  - { tag: c, type: cache, args: { size: " + size +
                " } }\n  - { tag: main, type: sequence, args: [{ exec: $c }, { exec: reject }] }\n",
            "test.yaml");
        BOOST_TEST_REQUIRE(outcome.ok());
        return plan_tables(outcome.settings, Snapshot{}, kGiB, workers)->cache_shards;
    };
    BOOST_TEST(shards("256MiB", 1) == 1U);
    BOOST_TEST(shards("256MiB", 8) == 8U);
    BOOST_TEST(shards("64MiB", 8) == 4U);
    BOOST_TEST(shards("100000", 8) == 3U);
    BOOST_TEST(shards("1024", 8) == 1U);
}

BOOST_AUTO_TEST_CASE(caches_larger_than_memory_are_refused) {
    const std::string large = "  - { tag: c, type: cache, args: { size: 4GiB } }\n";
    const std::string many = "  - { tag: c, type: cache, args: { size: 100000000 } }\n";
    const std::string two =
        "  - { tag: a, type: cache, args: { size: 300MiB } }\n"
        "  - { tag: b, type: cache, args: { size: 300MiB } }\n";
    BOOST_TEST(sentence(large, kGiB) ==
               "test.yaml:4: cache 'c': 4096 MiB of cache do not fit into half of the 1024 MiB of "
               "memory (dataplane.memory): make it smaller or give more memory");
    BOOST_TEST(sentence(large, 8 * kGiB).empty());
    BOOST_TEST(sentence(many, 4 * kGiB).find("do not fit") != std::string::npos);
    BOOST_TEST(sentence(two, kGiB).find("cache 'b': 600 MiB") != std::string::npos);
    BOOST_TEST(sentence(two, 2 * kGiB).empty());
    BOOST_TEST(sentence("", kGiB).empty());
}

BOOST_AUTO_TEST_SUITE_END()
