// DPDK's environment (EAL), started once per process.
//
// Hugepages are looked for before EAL starts, because EAL ends the process that it cannot serve: with
// enough free ones it runs `--in-memory`, otherwise `--no-huge --no-shconf`; never a file that outlives
// us, never a secondary process. The affinity of the calling thread is what it was afterwards (EAL pins
// its caller, and threads made later would inherit that).
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
    std::vector<std::string> pci;       // devices to probe; none: no bus is looked at
    bool shares_memory = false;         // with another process, over memif or vhost-user
};

// CPUs that the calling thread may run on.
std::vector<unsigned> allowed_cpus();

// What /proc/meminfo says of one moment. Hugepages are those of the default size.
struct MemoryFacts {
    std::uint64_t total_bytes = 0;
    std::uint64_t huge_page_bytes = 0;
    std::uint64_t huge_pages_free = 0;
};

// `text` as /proc/meminfo writes it; what it does not have stays 0.
MemoryFacts parse_meminfo(const std::string& text);

// What the control groups (version 2) below `root` leave this process of the memory, by `membership` as /proc/self/cgroup
// writes it: the least `memory.max` of its group and those above it. Bytes; 0: no limit.
std::uint64_t memory_limit(const std::filesystem::path& root, const std::string& membership);

// Now, with what control groups leave of it.
MemoryFacts look_at_memory();

// How EAL is to be started on a machine like that.
struct EalPlan {
    bool huge_pages = false;
    std::uint64_t memory_bytes = 0;
    std::string why;                     // for the line at start
    std::string refusal;                 // why it cannot be started so; "": it can
    std::vector<std::string> arguments;  // argv of rte_eal_init, program name first
};
EalPlan plan_eal(const EalOptions& options, const MemoryFacts& memory,
                 const std::vector<unsigned>& allowed_cpus);

class Eal {
  public:
    // Once per process. Errors: a CPU that this process may not use, no memory, EAL's own last words.
    static Result<std::unique_ptr<Eal>> start(const EalOptions& options);
    ~Eal();
    Eal(const Eal&) = delete;
    Eal& operator=(const Eal&) = delete;

    // For rte_eal_remote_launch. The caller of start() is lcore 0, worker i is lcore i + 1.
    static unsigned lcore_of_worker(unsigned index) { return index + 1; }
    // "256 MiB without hugepages (none are free: `sysctl -w vm.nr_hugepages=128` gives them)".
    [[nodiscard]] const std::string& summary() const { return plan_.why; }
    [[nodiscard]] bool huge_pages() const { return plan_.huge_pages; }
    // What tables and buffers may take in all.
    [[nodiscard]] std::uint64_t memory_bytes() const { return plan_.memory_bytes; }

  private:
    explicit Eal(EalPlan plan) : plan_(std::move(plan)) {}
    EalPlan plan_;
};

}  // namespace steer
