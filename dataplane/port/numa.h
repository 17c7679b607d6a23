// The machine's NUMA nodes, from /sys: which node a CPU, a NIC or a free hugepage belongs to. Reads files, changes nothing.
//
// `root`: see pci_device.h.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "dataplane/base/memory_node.h"

namespace steer {

// Converts "0-3,8" to numbers.
std::vector<unsigned> parse_cpu_list(const std::string& text);

struct NumaNode {
    int number = 0;
    std::vector<unsigned> cpus;
};

class NumaNodes {
  public:
    NumaNodes() = default;  // one node
    explicit NumaNodes(std::vector<NumaNode> nodes);
    static NumaNodes read(const std::string& root = {});

    // Whether there is more than one; else no function below knows a node.
    [[nodiscard]] bool several() const { return nodes_.size() > 1; }
    [[nodiscard]] int of_cpu(unsigned cpu) const;  // kAnyNode: unknown
    [[nodiscard]] std::vector<unsigned> cpus_of(int node) const;

  private:
    std::vector<NumaNode> nodes_;
};

// Of the NIC behind a kernel interface; kAnyNode: unknown, or not a NIC.
int node_of_interface(const std::string& name, const std::string& root = {});

// How many of `bytes` for all workers the workers of each node need: all on the node of the first worker, which has the shared
// tables, and its workers' part on each other node. Empty: the machine has one node.
std::map<int, std::uint64_t> bytes_by_node(const NumaNodes& nodes,
                                           const std::vector<unsigned>& worker_cpus,
                                           std::uint64_t bytes);

// The folder with the counts of hugepages of this size on a node; kAnyNode: on the machine.
std::string huge_page_folder(int node, std::uint64_t page_bytes);

struct HugePageCounts {
    std::uint64_t total = 0, free = 0;
};
HugePageCounts read_huge_pages(int node, std::uint64_t page_bytes, const std::string& root = {});

}  // namespace steer
