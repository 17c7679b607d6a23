// Where the memory of workers is on a machine with several NUMA nodes, and what an operator should change.
#pragma once

#include <string>
#include <vector>

#include "control/config/settings.h"
#include "dataplane/port/eal.h"
#include "dataplane/port/numa.h"

namespace steer {

// The CPUs on the node of the ports, if they have one node; else on the node of the last of `allowed`. Workers whose CPUs the
// configuration does not name get these first. Empty: the machine has one node. `default_interface`: without `ports`, the port.
std::vector<unsigned> cpus_near_ports(const config::Settings& settings, const NumaNodes& nodes,
                                      const std::vector<unsigned>& allowed,
                                      const std::string& default_interface,
                                      const std::string& root = {});

// The node of each worker. Empty: the machine has one node.
std::vector<int> nodes_of_workers(const std::vector<unsigned>& worker_cpus, const NumaNodes& nodes);

// A node of workers with fewer free hugepages than bytes_by_node().
struct NodeShortage {
    int node = kAnyNode;
    std::uint64_t free_bytes = 0, wanted_bytes = 0;
    std::uint64_t pages = 0;  // that the node needs in all, with those that others use
};
// Before DPDK takes its memory. Empty: each node has enough, or there are no hugepages to use. Else with what a start needs that
// has enough hugepages, because an automatic size grows with them.
std::vector<NodeShortage> node_shortages(const NumaNodes& nodes, const EalOptions& options,
                                         const MemoryFacts& memory, const std::string& root = {});

// Workers on several nodes, ports on another node than a worker, hugepages that are on other nodes than the workers.
// A sentence each: what is wrong; what to write. `default_interface`: without `ports`, the port.
std::vector<Error> numa_advice(const config::Settings& settings, const NumaNodes& nodes,
                               const std::vector<unsigned>& worker_cpus,
                               const std::string& default_interface,
                               const std::vector<NodeShortage>& shortages, std::uint64_t page_bytes,
                               const std::string& root = {});
// The same of this machine for `--check`. While a daemon runs, without hugepages, because it has its own.
std::vector<Error> numa_advice(const config::Settings& settings);

}  // namespace steer
