#include "support/eal_fixture.h"

#include <rte_debug.h>
#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_mempool.h>

#include <array>
#include <string>
#include <string_view>
#include <thread>

#include "support/hand_over.h"

namespace steer::test {
namespace {

// What comes out of a mempool was put back before: ThreadSanitizer is notified.
struct Pools {
    static inline HandOver hand_over;
    static inline rte_mempool_enqueue_t enqueue = nullptr;
    static inline rte_mempool_dequeue_t dequeue = nullptr;

    static void watch() {
        for (unsigned i = 0; i < rte_mempool_ops_table.num_ops; ++i) {
            rte_mempool_ops& ops = rte_mempool_ops_table.ops[i];
            if (std::string_view(static_cast<const char*>(ops.name)) != "ring_mp_mc") continue;
            enqueue = ops.enqueue;
            dequeue = ops.dequeue;
            ops.enqueue = [](rte_mempool* pool, void* const* objects, unsigned n) {
                hand_over.give();
                return enqueue(pool, objects, n);
            };
            ops.dequeue = [](rte_mempool* pool, void** objects, unsigned n) {
                const int failed = dequeue(pool, objects, n);
                hand_over.take();
                return failed;
            };
        }
    }
};

}  // namespace

EalFixture::EalFixture() {
    static bool up = false;
    if (up) return;
    // The lcore is where the kernel puts it: tests that run beside each other would share one CPU.
    const std::string cpus = std::to_string(std::thread::hardware_concurrency() - 1);
    std::array<std::string, 9> words{"test",
                                     "--no-huge",
                                     "--no-shconf",
                                     "--no-pci",
                                     "--no-telemetry",
                                     "-m",
                                     "1024",
                                     "--lcores=0@(0-" + cpus + ")",
                                     "--log-level=*:error"};
    std::array<char*, words.size()> argv{};
    for (std::size_t i = 0; i < words.size(); ++i)
        argv[i] = words[i].data();
    if (rte_eal_init(static_cast<int>(argv.size()), argv.data()) < 0) {
        rte_panic("EAL does not start: %s\n", rte_strerror(rte_errno));
    }
    if constexpr (kThreadSanitizer) Pools::watch();
    up = true;
}

EalFixture::~EalFixture() {
    rte_eal_cleanup();
}

}  // namespace steer::test
