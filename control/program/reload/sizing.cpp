#include "control/program/reload/sizing.h"

#include <sched.h>

#include <algorithm>

#include "dataplane/event/row_board.h"

namespace steer {
namespace {

constexpr std::uint64_t kMiB = 1U << 20;
constexpr std::uint64_t kBytesPerEntry = 512;  // of a cache whose size is given in entries
constexpr std::uint64_t kSmallestCache = 4 * kMiB;
// Each worker writes a shard of the cache, unless shards would be smaller: pages that are not full,
// one a size of answers, are then at most a sixteenth of it.
constexpr std::uint64_t kLeastCacheShard = 16 * kMiB;
constexpr std::uint64_t kRoomy = 512 * kMiB;  // from here on tables have their full size

constexpr std::uint64_t kBoardShare = 8;  // the row board has at most an eighth of the memory

WorkerOptions worker_options(const config::Dataplane& written, unsigned workers) {
    return {.workers = workers,
            .idle = static_cast<Idle>(written.idle),
            .spread = written.spread == config::SpreadMode::automatic,
            .max_parked = written.max_parked,
            .max_parked_per_client = written.max_parked_per_client,
            .max_in_flight = written.max_in_flight,
            .suffix_percent = written.suffix_percent,
            .over_quota = static_cast<OverQuota>(written.over_quota),
            .first_upstream_port = written.first_upstream_port,
            .last_upstream_port = written.last_upstream_port,
            .random_case = static_cast<RandomCase>(written.random_case)};
}

static_assert(static_cast<int>(OverQuota::truncate) ==
              static_cast<int>(config::OverQuota::truncate));
static_assert(static_cast<int>(RandomCase::always) == static_cast<int>(config::RandomCase::always));

}  // namespace

void bind_to(const std::vector<unsigned>& cpus) {
    cpu_set_t set;
    CPU_ZERO(&set);
    for (const unsigned cpu : cpus)
        CPU_SET(cpu, &set);
    // No effect in a container that forbids it: the kernel then places the threads.
    [[maybe_unused]] const int done = ::sched_setaffinity(0, sizeof set, &set);
}

Result<CpuPlan> plan_cpus(const config::Dataplane& settings, const std::vector<unsigned>& allowed,
                          const std::vector<unsigned>& near) {
    CpuPlan plan;
    std::vector<unsigned> order = allowed;  // workers get the last ones
    std::stable_partition(order.begin(), order.end(), [&near](unsigned cpu) {
        return std::find(near.begin(), near.end(), cpu) == near.end();
    });
    if (!settings.cores.empty()) {
        plan.workers.assign(settings.cores.begin(), settings.cores.end());
        for (const unsigned cpu : plan.workers) {
            if (std::find(allowed.begin(), allowed.end(), cpu) == allowed.end()) {
                return Error{"`workers` names CPU " + std::to_string(cpu) +
                             ", which this machine or this process does not have (`taskset -p $$` "
                             "lists those "
                             "that it has)"};
            }
        }
    } else {
        for (unsigned i = 0; i < settings.workers; ++i) {
            plan.workers.push_back(order[order.size() - 1 - i % order.size()]);
        }
    }
    for (const unsigned cpu : allowed) {
        if (std::find(plan.workers.begin(), plan.workers.end(), cpu) == plan.workers.end()) {
            plan.control.push_back(cpu);
        }
    }
    if (plan.control.empty()) plan.control = allowed;
    return plan;
}

// The rows that the lists may have, and marks of refused addresses (an eighth of the board).
// Skipped addresses count as rows.
std::uint64_t wanted_board_rows(const Snapshot& snapshot) {
    std::uint64_t rows = 0;
    for (const PolicyList& list : snapshot.lists)
        rows += list.all_rows();
    return rows + rows / 7;
}

Result<RuntimeOptions> plan_tables(const config::Settings& settings, const Snapshot& snapshot,
                                   std::uint64_t memory_bytes, unsigned workers) {
    RuntimeOptions options;
    options.worker = worker_options(settings.dataplane, workers);
    options.streams = settings.control.stream_threads;
    if (memory_bytes < kRoomy) {
        options.small_buffers = 4096;
        options.large_buffers = 64;
        options.board_rows = 65'536;
    }
    options.board_rows = static_cast<unsigned>(std::max<std::uint64_t>(
        options.board_rows, std::min(wanted_board_rows(snapshot),
                                     memory_bytes / kBoardShare / RowBoard::kBytesPerRow)));
    for (const auto& instance : snapshot.caches) {
        options.cache_entries.resize(
            std::max<std::size_t>(options.cache_entries.size(), instance.id + 1U));
        options.cache_entries[instance.id] = instance.size;
    }
    std::uint64_t wanted = 0;
    for (const auto& plugin : settings.plugins) {
        if (const auto* const cache = std::get_if<config::Cache>(&plugin.args)) {
            wanted += cache->size_in_bytes ? cache->size
                                           : std::max(cache->size * kBytesPerEntry, kSmallestCache);
            if (wanted > memory_bytes / 2) {
                return settings.error(
                    plugin.line,
                    "cache '" + plugin.tag + "': " + std::to_string(wanted / kMiB) +
                        " MiB of cache do not fit into half of the " +
                        std::to_string(memory_bytes / kMiB) +
                        " MiB of memory (dataplane.memory): make it smaller or give more memory");
            }
        }
    }
    options.cache_bytes = wanted;
    options.cache_shards =
        static_cast<unsigned>(std::clamp<std::uint64_t>(wanted / kLeastCacheShard, 1, workers));
    return options;
}

}  // namespace steer
