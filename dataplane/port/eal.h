// DPDK's environment (EAL), started once per process.
//
// Checks hugepages before EAL starts, because EAL ends the process if it cannot start. With enough
// free hugepages EAL runs `--in-memory`, otherwise `--no-huge --no-shconf`. It leaves no file
// behind and has no secondary process. The calling thread's affinity is restored afterwards,
// because EAL pins its caller, and later threads would inherit that.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "matchers/result.h"

namespace steer {

struct EalOptions {
    std::vector<unsigned> worker_cpus;  // one lcore each
    std::uint64_t memory_bytes = 0;     // 0: a quarter of RAM within 128 MiB .. 4 GiB
    std::vector<std::string> pci;       // devices to probe; empty: no bus is scanned
    std::vector<unsigned> main_cpus{};  // of the node that DPDK's own structures go to; empty: any
    bool shares_memory = false;         // another process uses it, over memif or vhost-user
};

// The CPUs that the calling thread may run on.
std::vector<unsigned> allowed_cpus();

// Values of /proc/meminfo. Hugepages have the default size.
struct MemoryFacts {
    std::uint64_t total_bytes = 0;
    std::uint64_t huge_page_bytes = 0;
    std::uint64_t huge_pages_free = 0;
};

// Parses `text` in the format of /proc/meminfo; missing values stay 0.
MemoryFacts parse_meminfo(const std::string& text);

// The memory that the control groups (version 2) below `root` allow this process. `membership` is
// in the format of /proc/self/cgroup. The result is the smallest `memory.max` of its group and
// those above, in bytes; 0: no limit.
std::uint64_t memory_limit(const std::filesystem::path& root, const std::string& membership);

// The present values, limited by control groups.
MemoryFacts read_memory_facts();

// As if there were enough hugepages.
MemoryFacts with_enough_huge_pages(MemoryFacts memory);

// How to start EAL on this machine.
struct EalPlan {
    bool huge_pages = false;
    std::uint64_t memory_bytes = 0;
    std::string why;                     // for the log line at start
    std::string refusal;                 // why EAL cannot start; "": it can
    std::vector<std::string> arguments;  // argv of rte_eal_init, program name first
};
EalPlan plan_eal(const EalOptions& options, const MemoryFacts& memory,
                 const std::vector<unsigned>& allowed_cpus);

class Eal {
  public:
    // Once per process. Errors: a CPU that this process may not use, no memory, the last line of
    // EAL's log.
    static Result<std::unique_ptr<Eal>> start(const EalOptions& options);
    ~Eal();
    Eal(const Eal&) = delete;
    Eal& operator=(const Eal&) = delete;

    // For rte_eal_remote_launch. The caller of start() is lcore 0, worker i is lcore i + 1.
    static unsigned lcore_of_worker(unsigned index) { return index + 1; }
    // Whether DPDK finds memory when it is asked for this NUMA node's: a node may be forbidden to this process, or have no CPU
    // that DPDK knows. kAnyNode: true. Tries it.
    static bool can_allocate_on(int node);
    // "256 MiB without hugepages (none are free: `sysctl -w vm.nr_hugepages=128` gives them)".
    [[nodiscard]] const std::string& summary() const { return plan_.why; }
    [[nodiscard]] bool huge_pages() const { return plan_.huge_pages; }
    // The total memory for tables and buffers.
    [[nodiscard]] std::uint64_t memory_bytes() const { return plan_.memory_bytes; }

  private:
    explicit Eal(EalPlan plan) : plan_(std::move(plan)) {}
    EalPlan plan_;
};

}  // namespace steer
