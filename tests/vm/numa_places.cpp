// Where the memory of workers' structures is, on a machine with nodes 0 and 1 and hugepages on both.
//
//     numa_places -- NODE
//
// Each structure is made with OnNode on each node. DPDK's heap of that node has to grow by it; the other one must not, if NODE,
// that of lcore 0, is the same. At the end the kernel is asked where the pages of each heap are.
#define BOOST_TEST_MODULE numa_places
#include <linux/mempolicy.h>
#include <rte_eal.h>
#include <rte_malloc.h>
#include <rte_mbuf.h>
#include <rte_memory.h>
#include <rte_rcu_qsbr.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <boost/test/unit_test.hpp>
#include <functional>
#include <memory>

#include "dataplane/base/buffer.h"
#include "dataplane/base/memory_node.h"
#include "dataplane/base/message.h"
#include "dataplane/base/record_ring.h"
#include "dataplane/base/ring.h"
#include "dataplane/cache/cache.h"
#include "dataplane/event/row_board.h"
#include "dataplane/port/mbuf_pool.h"
#include "dataplane/stages/packet_cache.h"

namespace steer {
namespace {

constexpr std::size_t kMiB = std::size_t{1} << 20;

// The node of lcore 0, where DPDK has its own structures.
int home() {
    return boost::unit_test::framework::master_test_suite().argv[1] == std::string("1") ? 1 : 0;
}

struct Eal {
    Eal() {
        std::array<std::string, 6> texts{
            "numa_places",    "--in-memory",
            "--no-pci",       home() == 1 ? "--lcores=0@2" : "--lcores=0@0",
            "--no-telemetry", "--log-level=*:error"};
        std::array<char*, texts.size()> words{};
        for (std::size_t i = 0; i < words.size(); ++i)
            words[i] = texts[i].data();
        BOOST_TEST_REQUIRE(rte_eal_init(static_cast<int>(words.size()), words.data()) >= 0);
    }
    ~Eal() { rte_eal_cleanup(); }
};

std::size_t used(int node) {
    rte_malloc_socket_stats stats{};
    return rte_malloc_get_socket_stats(node, &stats) == 0 ? stats.heap_allocsz_bytes : 0;
}

// What it takes of each node's heap.
void check_place(const char* what, std::size_t least,
                 const std::function<std::shared_ptr<void>()>& make) {
    for (const int node : {home(), 1 - home()}) {
        const std::size_t here = used(node), there = used(1 - node);
        const OnNode on(node);
        const std::shared_ptr<void> kept = make();
        BOOST_TEST(used(node) - here >= least, what << " on node " << node);
        // (Entries of DPDK's lists, and its queues of deferred frees, are at home.)
        if (node == home()) BOOST_TEST(used(1 - node) - there == 0U, what << " on node " << node);
        std::printf("%s: %zu KiB on node %d\n", what, (used(node) - here) >> 10, node);
    }
}

int node_of_page(const void* at) {
    int node = -1;
    const long done =
        ::syscall(SYS_get_mempolicy, &node, nullptr, 0UL, at, MPOL_F_NODE | MPOL_F_ADDR);
    return done == 0 ? node : -1;
}

}  // namespace

BOOST_AUTO_TEST_CASE(structures_are_on_the_node_of_their_worker) {
    const Eal eal;
    BOOST_TEST_REQUIRE(rte_socket_count() == 2U);
    const std::size_t size = rte_rcu_qsbr_get_memsize(2);
    auto* const qsbr = static_cast<rte_rcu_qsbr*>(rte_zmalloc(nullptr, size, 64));
    BOOST_TEST_REQUIRE(rte_rcu_qsbr_init(qsbr, 2) == 0);
    const std::array<std::uint32_t, 1> sizes{10'000};

    check_place("ring of messages", 32 * 1024,
                [] { return std::make_shared<Ring<Message>>(1024, nullptr); });
    check_place("ring of records", 64 * 1024, [] { return std::make_shared<RecordRing>(1024); });
    check_place("cache", 8 * kMiB, [&] {
        return std::make_shared<cache::Cache>(
            cache::CacheOptions{.budget_bytes = 8 * kMiB, .instance_sizes = sizes}, qsbr);
    });
    {
        const std::array<std::uint32_t, 1> spread{40'000};
        const std::array<int, 2> nodes{1, 0};
        const std::size_t before[] = {used(0), used(1)};
        const cache::Cache sharded{{.budget_bytes = 8 * kMiB,
                                    .instance_sizes = spread,
                                    .shards = 2,
                                    .workers = 2,
                                    .shard_nodes = nodes},
                                   qsbr};
        for (const int node : nodes) {
            const std::size_t own = used(node) - before[node];
            BOOST_TEST((own >= 4 * kMiB && own < 5 * kMiB), "shard on node " << node);
        }
    }
    check_place("row board", 500 * 1024, [&] { return std::make_shared<RowBoard>(10'000, qsbr); });
    check_place("buffers", 4 * kMiB, [] { return std::make_shared<BufferPools>(2048, 16); });
    check_place("packet cache", kMiB, [] { return std::make_shared<PacketCache>(7); });
    check_place("mbufs", 2 * kMiB, []() -> std::shared_ptr<void> {
        return make_mbuf_pool("places", 1024, RTE_MBUF_DEFAULT_BUF_SIZE, memory_node());
    });
    // Pages of the C++ heap that are new.
    for (const int node : {1, 0}) {
        const OnNode on(node);
        const auto memory = std::make_unique<std::array<char, kMiB>>();
        (*memory)[kMiB / 2] = 1;
        BOOST_TEST(node_of_page(memory->data() + kMiB / 2) == node);
    }
    rte_free(qsbr);
    rte_memseg_walk(
        [](const rte_memseg_list*, const rte_memseg* segment, void*) {
            BOOST_TEST(node_of_page(segment->addr) == segment->socket_id);
            return 0;
        },
        nullptr);
}

}  // namespace steer
