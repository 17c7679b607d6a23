#include "control/program/reload/numa_plan.h"

#include <algorithm>
#include <map>
#include <utility>

#include "control/program/reload/port_check.h"
#include "control/program/reload/sizing.h"
#include "dataplane/port/folder.h"
#include "dataplane/port/pci_device.h"

namespace steer {
namespace {

using config::PortSettings;

// "2, 3"
std::string listed(const std::vector<unsigned>& numbers) {
    std::string text;
    for (const unsigned number : numbers)
        text += (text.empty() ? "" : ", ") + std::to_string(number);
    return text;
}

// What the port of the daemon is without `ports`.
std::vector<PortSettings> ports_of(const config::Settings& settings,
                                   const std::string& default_interface) {
    if (!settings.dataplane.ports.empty() || default_interface.empty())
        return settings.dataplane.ports;
    PortSettings port;
    port.device = default_interface;
    port.line = settings.dataplane.line;
    return {port};
}

int node_of(const PortSettings& port, const std::string& root) {
    if (port.pci.empty())
        return port.kernel_backed() ? node_of_interface(port.device, root) : kAnyNode;
    const auto device = find_pci_device(port.pci, root);
    return device ? device->numa_node : kAnyNode;
}

// "CPUs of node 1 (2, 3)"
std::string cpus_text(const NumaNodes& nodes, int node) {
    return "CPUs of node " + std::to_string(node) + " (" + listed(nodes.cpus_of(node)) + ")";
}

std::map<int, std::vector<unsigned>> cpus_by_node(const std::vector<unsigned>& worker_cpus,
                                                  const NumaNodes& nodes) {
    std::map<int, std::vector<unsigned>> all;
    for (const unsigned cpu : worker_cpus)
        all[nodes.of_cpu(cpu)].push_back(cpu);
    return all;
}

std::string about_split(const std::map<int, std::vector<unsigned>>& workers,
                        const NumaNodes& nodes) {
    std::string where;
    for (const auto& [node, cpus] : workers) {
        where += (where.empty() ? "" : ", ") + std::string("CPUs ") + listed(cpus) + " on node " +
                 std::to_string(node);
    }
    const int node = workers.begin()->first;
    return "the workers are on several NUMA nodes (" + where +
           "), so answers of the cache cross nodes: name " + cpus_text(nodes, node) +
           " in `workers` of dataplane, or run a daemon on each node";
}

}  // namespace

std::vector<unsigned> cpus_near_ports(const config::Settings& settings, const NumaNodes& nodes,
                                      const std::vector<unsigned>& allowed,
                                      const std::string& default_interface,
                                      const std::string& root) {
    if (!nodes.several() || allowed.empty()) return {};
    int near = kAnyNode;
    for (const PortSettings& port : ports_of(settings, default_interface)) {
        const int node = node_of(port, root);
        if (near != kAnyNode && node != kAnyNode && node != near) return {};
        if (node != kAnyNode) near = node;
    }
    return nodes.cpus_of(near != kAnyNode ? near : nodes.of_cpu(allowed.back()));
}

std::vector<int> nodes_of_workers(const std::vector<unsigned>& worker_cpus,
                                  const NumaNodes& nodes) {
    std::vector<int> all;
    if (!nodes.several()) return all;
    for (const unsigned cpu : worker_cpus)
        all.push_back(nodes.of_cpu(cpu));
    return all;
}

std::vector<Error> numa_advice(const config::Settings& settings, const NumaNodes& nodes,
                               const std::vector<unsigned>& worker_cpus,
                               const std::string& default_interface,
                               const std::vector<NodeShortage>& shortages, std::uint64_t page_bytes,
                               const std::string& root) {
    std::vector<Error> out;
    const auto workers = cpus_by_node(worker_cpus, nodes);
    if (!nodes.several() || workers.empty() || workers.contains(kAnyNode)) return out;
    const auto add = [&](const config::Line& line, std::string text) {
        out.push_back(settings.error(line, std::move(text)));
    };
    if (workers.size() > 1) add(settings.dataplane.line, about_split(workers, nodes));
    for (const PortSettings& port : ports_of(settings, default_interface)) {
        const int node = node_of(port, root);
        if (node == kAnyNode || (workers.size() == 1 && workers.contains(node))) continue;
        const std::string name = port.pci.empty() ? port.device : port.pci;
        std::string text = "port " + name;
        text.append(" is on NUMA node ").append(std::to_string(node));
        text.append(workers.contains(node) ? ", and some of its workers are on another"
                                           : ", and its workers are on another");
        text.append(", so its packets cross nodes: name ").append(cpus_text(nodes, node));
        add(port.line, text.append(" in `workers` of dataplane"));
    }
    for (const NodeShortage& one : shortages) {
        std::string text = "NUMA node " + std::to_string(one.node);
        text.append(" has ").append(std::to_string(one.free_bytes >> 20));
        text.append(" MiB in free hugepages and its workers need ");
        text.append(std::to_string(one.wanted_bytes >> 20));
        text.append(" MiB, so memory is on any node: 'steerctl setup --apply' allocates them, or ");
        text.append("'echo ").append(std::to_string(one.pages)).append(" > ");
        text.append(huge_page_folder(one.node, page_bytes));
        add(settings.dataplane.line, text.append("/nr_hugepages'"));
    }
    return out;
}

std::vector<NodeShortage> node_shortages(const NumaNodes& nodes, const EalOptions& options,
                                         const MemoryFacts& memory, const std::string& root) {
    const std::uint64_t page = memory.huge_page_bytes;
    const auto below = [&](const EalPlan& plan) {
        std::vector<NodeShortage> out;
        if (!plan.huge_pages) return out;
        for (const auto& [node, wanted] :
             bytes_by_node(nodes, options.worker_cpus, plan.memory_bytes)) {
            const HugePageCounts there = read_huge_pages(node, page, root);
            const std::uint64_t needed = (wanted + page - 1) / page;
            if (there.free < needed)
                out.push_back({node, there.free * page, wanted, there.total + needed - there.free});
        }
        return out;
    };
    const auto now = below(plan_eal(options, memory, options.worker_cpus));
    return now.empty()
               ? now
               : below(plan_eal(options, with_enough_huge_pages(memory), options.worker_cpus));
}

std::vector<Error> numa_advice(const config::Settings& settings) {
    const NumaNodes nodes = NumaNodes::read();
    const auto allowed = allowed_cpus();
    const std::string default_interface = read_host().default_interface;
    const auto cpus = plan_cpus(settings.dataplane, allowed,
                                cpus_near_ports(settings, nodes, allowed, default_interface));
    if (!cpus || !nodes.several()) return {};
    const MemoryFacts facts = read_memory_facts();
    std::vector<NodeShortage> shortages;
    if (!runs_elsewhere("steerdnsd", "/proc"))
        shortages = node_shortages(nodes,
                                   {.worker_cpus = cpus->workers,
                                    .memory_bytes = settings.dataplane.memory_bytes,
                                    .pci = {},
                                    .shares_memory = false},
                                   facts);
    return numa_advice(settings, nodes, cpus->workers, default_interface, shortages,
                       facts.huge_page_bytes);
}

}  // namespace steer
