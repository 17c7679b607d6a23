// dataplane.memory: whether the machine has that much, and in hugepages.
#include <utility>

#include "control/operator/machine/checks.h"
#include "control/operator/machine/steps.h"
#include "dataplane/port/folder.h"

namespace steer::machine {
namespace {

constexpr std::uint64_t kMiB = std::uint64_t{1} << 20;

std::string in_mib(std::uint64_t bytes) {
    return std::to_string(bytes / kMiB) + " MiB";
}

EalPlan plan_for(const Subject& subject, MemoryFacts memory) {
    std::vector<std::string> pci;
    for (const auto* port : subject.pci_ports())
        pci.push_back(port->pci);
    return plan_eal({.worker_cpus = {},
                     .memory_bytes = subject.settings.dataplane.memory_bytes,
                     .pci = pci,
                     .shares_memory = false},
                    memory, {0});
}

// As if there were enough hugepages: what it would take of them.
std::uint64_t wanted_bytes(const Subject& subject) {
    return plan_for(subject, with_enough_huge_pages(subject.memory)).memory_bytes;
}

Finding missing_pages(const Subject& subject, std::uint64_t missing, std::uint64_t wanted,
                      const std::string& where) {
    Finding finding;
    const bool needed = !subject.pci_ports().empty();
    finding.level = needed ? Level::problem : Level::advice;
    finding.text = "hugepages of " + in_mib(subject.memory.huge_page_bytes) + where + ": " +
                   std::to_string(wanted - missing) + " can be used, " + std::to_string(wanted) +
                   " wanted (" + in_mib(wanted * subject.memory.huge_page_bytes) + ")";
    finding.why = needed ? "a `pci` port does not start without them"
                         : "the cache's tables are read by random access: with small pages each "
                           "read is a TLB miss as well";
    return finding;
}

}  // namespace

Findings check_memory(const Subject& subject) {
    const auto wanted = subject.settings.dataplane.memory_bytes;
    const std::string total = in_mib(subject.memory.total_bytes);
    if (wanted > subject.memory.total_bytes)
        return {{Level::problem,
                 "`dataplane.memory` is " + in_mib(wanted) + ", this machine has " + total +
                     ": lower it, or leave it out",
                 "the daemon refuses to start",
                 {}}};
    return {
        {Level::ok, in_mib(wanted_bytes(subject)) + " of " + total + " for the dataplane", {}, {}}};
}

Findings check_huge_pages(const Subject& subject) {
    const std::uint64_t page = subject.memory.huge_page_bytes;
    if (page == 0) {
        const bool needed = !subject.pci_ports().empty();
        return {{needed ? Level::problem : Level::ok,
                 "this kernel has no hugepages",
                 "a `pci` port does not start without them",
                 {}}};
    }
    const std::uint64_t wanted = wanted_bytes(subject);
    const bool running = runs_elsewhere("steerdnsd", subject.root + "/proc");
    auto nodes = bytes_by_node(NumaNodes::read(subject.root), subject.worker_cpus, wanted);
    if (nodes.empty()) nodes = {{kAnyNode, wanted}};
    Findings found;
    for (const auto& [node, bytes] : nodes) {
        const std::uint64_t each = (bytes + page - 1) / page;
        const std::string file = huge_page_folder(node, page) + "/nr_hugepages";
        const auto [total, free] = read_huge_pages(node, page, subject.root);
        // A daemon that runs has its own.
        const std::uint64_t usable = running ? total : free;
        if (usable >= each) continue;
        std::string name, where;
        if (node != kAnyNode) {
            name.append("node").append(std::to_string(node));
            where.append(" on ").append(name);
        }
        Finding finding = missing_pages(subject, each - usable, each, where);
        const std::string goal = std::to_string(total + each - usable);
        finding.steps = {write_step(file, goal, std::to_string(total))};
        // tmpfiles.d(5) writes it at each boot, to a node as well, which sysctl.d(5) cannot.
        std::string kept = "/etc/tmpfiles.d/steerdns-hugepages";
        if (!name.empty()) kept.append("-").append(name);
        kept += ".conf";
        std::string line = "w ";
        line.append(file).append(" - - - - ").append(goal);
        const std::vector<std::string> lines{std::move(line)};
        if (!has_lines(subject, kept, lines))
            finding.steps.push_back(file_step(subject, kept, lines));
        found.push_back(std::move(finding));
    }
    if (!found.empty()) return found;
    return {{Level::ok,
             std::to_string((wanted + page - 1) / page) + " hugepages of " + in_mib(page) +
                 " are there",
             {},
             {}}};
}

}  // namespace steer::machine
