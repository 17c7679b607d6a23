#include "dataplane/port/numa.h"

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <utility>

#include "dataplane/port/folder.h"

namespace steer {
namespace {

namespace fs = std::filesystem;

constexpr const char* kNodes = "/sys/devices/system/node";

template <class T>
T number_in(const std::string& word, T otherwise) {
    T value = otherwise;
    std::from_chars(word.data(), word.data() + word.size(), value);
    return value;
}

}  // namespace

std::vector<unsigned> parse_cpu_list(const std::string& text) {
    std::vector<unsigned> cpus;
    const char* at = text.data();
    const char* const end = at + text.size();
    while (at < end) {
        unsigned first = 0;
        const auto [rest, bad] = std::from_chars(at, end, first);
        if (bad != std::errc{}) break;
        unsigned last = first;
        at = rest;
        if (at < end && *at == '-') at = std::from_chars(at + 1, end, last).ptr;
        for (unsigned cpu = first; cpu <= last && cpu < 4096; ++cpu)
            cpus.push_back(cpu);
        if (at == end || *at != ',') break;
        ++at;
    }
    return cpus;
}

NumaNodes::NumaNodes(std::vector<NumaNode> nodes) : nodes_(std::move(nodes)) {}

NumaNodes NumaNodes::read(const std::string& root) {
    std::vector<NumaNode> nodes;
    for (const std::string& name : names_in(root + kNodes)) {
        if (!name.starts_with("node") || name.find_first_not_of("0123456789", 4) != name.npos)
            continue;
        NumaNode node{.number = number_in(name.substr(4), -1), .cpus = {}};
        if (node.number < 0) continue;
        node.cpus = parse_cpu_list(read_word(fs::path(root + kNodes) / name / "cpulist"));
        nodes.push_back(std::move(node));
    }
    return NumaNodes(std::move(nodes));
}

int NumaNodes::of_cpu(unsigned cpu) const {
    if (!several()) return kAnyNode;
    for (const NumaNode& node : nodes_) {
        if (std::find(node.cpus.begin(), node.cpus.end(), cpu) != node.cpus.end())
            return node.number;
    }
    return kAnyNode;
}

std::vector<unsigned> NumaNodes::cpus_of(int node) const {
    for (const NumaNode& one : nodes_) {
        if (one.number == node) return one.cpus;
    }
    return {};
}

int node_of_interface(const std::string& name, const std::string& root) {
    std::error_code error;
    const fs::path network = root + "/sys/class/net";
    fs::path folder = fs::canonical(network / name / "device", error);
    // A virtio device has it one folder above, at its PCI function.
    for (unsigned up = 0; !error && up < 3 && folder.has_relative_path(); ++up) {
        if (fs::exists(folder / "numa_node", error))
            return number_in(read_word(folder / "numa_node"), kAnyNode);
        folder = folder.parent_path();
    }
    return kAnyNode;
}

std::map<int, std::uint64_t> bytes_by_node(const NumaNodes& nodes,
                                           const std::vector<unsigned>& worker_cpus,
                                           std::uint64_t bytes) {
    std::map<int, std::uint64_t> workers;
    if (!nodes.several() || worker_cpus.empty()) return workers;
    for (const unsigned cpu : worker_cpus)
        ++workers[nodes.of_cpu(cpu)];
    for (auto& [node, count] : workers)
        count =
            node == nodes.of_cpu(worker_cpus.front()) ? bytes : bytes * count / worker_cpus.size();
    workers.erase(kAnyNode);
    return workers;
}

std::string huge_page_folder(int node, std::uint64_t page_bytes) {
    std::string folder = "/sys/kernel/mm";
    if (node != kAnyNode) folder = kNodes + ("/node" + std::to_string(node));
    return folder + "/hugepages/hugepages-" + std::to_string(page_bytes / 1024) + "kB";
}

HugePageCounts read_huge_pages(int node, std::uint64_t page_bytes, const std::string& root) {
    const fs::path folder = root + huge_page_folder(node, page_bytes);
    return {.total = number_in<std::uint64_t>(read_word(folder / "nr_hugepages"), 0),
            .free = number_in<std::uint64_t>(read_word(folder / "free_hugepages"), 0)};
}

}  // namespace steer
