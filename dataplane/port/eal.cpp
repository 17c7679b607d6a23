#include "dataplane/port/eal.h"

#include <pthread.h>
#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_lcore.h>
#include <rte_malloc.h>
#include <sched.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <fstream>
#include <iterator>
#include <sstream>
#include <string_view>

#include "dataplane/base/memory_node.h"
#include "dataplane/port/dpdk_log.h"

namespace steer {
namespace {

constexpr std::uint64_t kMiB = std::uint64_t{1} << 20;
constexpr std::uint64_t kMinAuto = 128 * kMiB;
constexpr std::uint64_t kMaxAuto = 4096 * kMiB;

// The number after `key:` in /proc/meminfo's text; 0 if there is none.
std::uint64_t meminfo_number(std::string_view text, std::string_view key) {
    for (std::size_t at = text.find(key); at != text.npos; at = text.find(key, at + 1)) {
        if (at != 0 && text[at - 1] != '\n') continue;
        std::string_view rest = text.substr(at + key.size());
        rest.remove_prefix(std::min(rest.find_first_of("0123456789"), rest.size()));
        std::uint64_t value = 0;
        std::from_chars(rest.data(), rest.data() + rest.size(), value);
        return value;
    }
    return 0;
}

std::string in_mib(std::uint64_t bytes) {
    return std::to_string(bytes / kMiB) + " MiB";
}

std::string join(const std::vector<unsigned>& cpus) {
    std::string s;
    for (const unsigned cpu : cpus) {
        if (!s.empty()) s += ',';
        s += std::to_string(cpu);
    }
    return s;
}

// Lcore 0 is the caller; lcore i + 1 is worker i. DPDK allocates near lcore 0 what names no node, such as its tables.
std::string lcore_map(const std::vector<unsigned>& workers, const std::vector<unsigned>& allowed) {
    std::string s = "--lcores=0@(" + join(allowed) + ")";
    for (unsigned i = 0; i < workers.size(); ++i) {
        s += "," + std::to_string(Eal::lcore_of_worker(i)) + "@" + std::to_string(workers[i]);
    }
    return s;
}

std::string read_file(const std::filesystem::path& path) {
    std::ostringstream text;
    text << std::ifstream(path).rdbuf();
    return text.str();
}

}  // namespace

std::vector<unsigned> allowed_cpus() {
    std::vector<unsigned> cpus;
    cpu_set_t set;
    CPU_ZERO(&set);
    if (::sched_getaffinity(0, sizeof set, &set) == 0) {
        for (unsigned i = 0; i < CPU_SETSIZE; ++i) {
            if (CPU_ISSET(i, &set)) cpus.push_back(i);
        }
    }
    if (cpus.empty()) cpus.push_back(0);
    return cpus;
}

MemoryFacts parse_meminfo(const std::string& text) {
    MemoryFacts m;
    m.total_bytes = meminfo_number(text, "MemTotal:") * 1024;
    m.huge_page_bytes = meminfo_number(text, "Hugepagesize:") * 1024;
    m.huge_pages_free = meminfo_number(text, "HugePages_Free:");
    return m;
}

std::uint64_t memory_limit(const std::filesystem::path& root, const std::string& membership) {
    constexpr std::string_view kVersion2 = "0::/";
    const auto at = membership.find(kVersion2);
    if (at != 0 && (at == std::string::npos || membership[at - 1] != '\n')) return 0;
    const auto begin = at + kVersion2.size();
    const std::filesystem::path group =
        membership.substr(begin, membership.find('\n', begin) - begin);
    std::uint64_t least = 0;
    const auto hold = [&least](const std::string& text) {  // "max" is not a number
        std::uint64_t bytes = 0;
        std::from_chars(text.data(), text.data() + text.size(), bytes);
        if (bytes != 0 && (least == 0 || bytes < least)) least = bytes;
    };
    std::filesystem::path folder = root;
    hold(read_file(folder / "memory.max"));
    for (const auto& name : group)
        hold(read_file((folder /= name) / "memory.max"));
    return least;
}

MemoryFacts read_memory_facts() {
    MemoryFacts memory = parse_meminfo(read_file("/proc/meminfo"));
    if (const auto limit = memory_limit("/sys/fs/cgroup", read_file("/proc/self/cgroup"));
        limit != 0)
        memory.total_bytes = std::min(memory.total_bytes, limit);
    return memory;
}

MemoryFacts with_enough_huge_pages(MemoryFacts memory) {
    memory.huge_pages_free = std::uint64_t{1} << 30;
    return memory;
}

EalPlan plan_eal(const EalOptions& options, const MemoryFacts& memory,
                 const std::vector<unsigned>& allowed) {
    EalPlan plan;
    const std::uint64_t wanted = options.memory_bytes != 0
                                     ? options.memory_bytes
                                     : std::clamp(memory.total_bytes / 4, kMinAuto, kMaxAuto);
    const std::uint64_t free_bytes = memory.huge_pages_free * memory.huge_page_bytes;
    // An automatic size uses the free hugepages; a configured size uses hugepages completely or not at all.
    const std::uint64_t least = options.memory_bytes != 0 ? options.memory_bytes : kMinAuto;
    plan.huge_pages = memory.huge_page_bytes != 0 && free_bytes >= least;
    plan.memory_bytes = plan.huge_pages ? std::min(wanted, free_bytes) : wanted;

    std::vector<unsigned> main;
    std::copy_if(allowed.begin(), allowed.end(), std::back_inserter(main), [&](unsigned cpu) {
        return std::find(options.main_cpus.begin(), options.main_cpus.end(), cpu) !=
               options.main_cpus.end();
    });
    plan.arguments = {"steerdnsd", lcore_map(options.worker_cpus, main.empty() ? allowed : main),
                      "--no-telemetry", "--log-level=*:warning"};
    if (plan.huge_pages) {
        plan.arguments.emplace_back("--in-memory");
        plan.why = "up to " + in_mib(plan.memory_bytes) + " in hugepages of " +
                   in_mib(memory.huge_page_bytes);
    } else {
        plan.arguments.insert(plan.arguments.end(), {"--no-huge", "--no-shconf", "-m",
                                                     std::to_string(plan.memory_bytes / kMiB)});
        const std::uint64_t page = memory.huge_page_bytes != 0 ? memory.huge_page_bytes : 2 * kMiB;
        plan.why = in_mib(plan.memory_bytes) + " without hugepages (" +
                   (free_bytes == 0 ? "none are" : "only " + in_mib(free_bytes) + " is") +
                   " free; `sysctl -w vm.nr_hugepages=" +
                   std::to_string((plan.memory_bytes + page - 1) / page) + "` gives them)";
    }
    if (!options.pci.empty() && !plan.huge_pages) {
        plan.refusal =
            "a `pci` port needs memory in hugepages, which its NIC can reach; now it would be " +
            plan.why;
    }
    if (memory.total_bytes != 0 && options.memory_bytes > memory.total_bytes) {
        plan.refusal = "`dataplane.memory` is " + in_mib(options.memory_bytes) + " and there are " +
                       in_mib(memory.total_bytes) + " for this process: lower it, or leave it out";
    }
    if (options.pci.empty()) {
        plan.arguments.insert(plan.arguments.end(), {"--no-pci", "--iova-mode=va"});
    }
    // A memif peer maps our memory segment by segment, each by a descriptor of its own.
    if (options.shares_memory && plan.huge_pages)
        plan.arguments.emplace_back("--single-file-segments");
    for (const std::string& address : options.pci) {
        plan.arguments.insert(plan.arguments.end(), {"-a", address});
    }
    return plan;
}

Result<std::unique_ptr<Eal>> Eal::start(const EalOptions& options) {
    const std::vector<unsigned> allowed = allowed_cpus();
    for (const unsigned cpu : options.worker_cpus) {
        if (std::find(allowed.begin(), allowed.end(), cpu) == allowed.end()) {
            return Error{"worker core " + std::to_string(cpu) +
                         " is not a CPU that this process may use (" + join(allowed) +
                         "); change dataplane.workers"};
        }
    }
    EalPlan plan = plan_eal(options, read_memory_facts(), allowed);
    if (!plan.refusal.empty()) return Error{plan.refusal};

    std::vector<std::string> words = plan.arguments;
    std::vector<char*> argv;
    argv.reserve(words.size() + 1);
    for (std::string& word : words)
        argv.push_back(word.data());

    cpu_set_t affinity;
    CPU_ZERO(&affinity);
    const pthread_t self = pthread_self();
    const bool known = pthread_getaffinity_np(self, sizeof affinity, &affinity) == 0;
    DpdkLog log;
    const int started = rte_eal_init(static_cast<int>(words.size()), argv.data());
    if (known) pthread_setaffinity_np(self, sizeof affinity, &affinity);
    if (started < 0) {
        return Error{"DPDK does not start with " + plan.why + ": " + rte_strerror(rte_errno) +
                     log.in_brackets()};
    }
    return std::unique_ptr<Eal>(new Eal(std::move(plan)));
}

bool Eal::can_allocate_on(int node) {
    if (node == kAnyNode) return true;
    bool known = false;
    for (unsigned i = 0; i < rte_socket_count(); ++i)
        known |= rte_socket_id_by_idx(i) == node;
    if (!known) return false;
    void* const tried = rte_malloc_socket("steer_node", kMiB, 0, node);
    rte_free(tried);
    return tried != nullptr;
}

Eal::~Eal() {
    rte_eal_cleanup();
}

}  // namespace steer
