// dataplane.memory: whether the machine has that much, and in hugepages.
#include <algorithm>
#include <set>

#include "control/operator/machine/checks.h"
#include "control/operator/machine/steps.h"

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
    MemoryFacts memory = subject.memory;
    memory.huge_pages_free = std::uint64_t{1} << 30;
    return plan_for(subject, memory).memory_bytes;
}

bool is_running(const Subject& subject) {
    return std::ranges::any_of(subject.names("/proc"), [&](const std::string& name) {
        return name.find_first_not_of("0123456789") == name.npos &&
               subject.word("/proc/" + name + "/comm") == "steerdnsd";
    });
}

std::string pages_folder(const Subject& subject) {
    return "/hugepages/hugepages-" + std::to_string(subject.memory.huge_page_bytes / 1024) + "kB/";
}

// The memory nodes of the workers' CPUs; none: the machine has one.
std::vector<std::string> nodes_of_workers(const Subject& subject) {
    std::vector<std::string> nodes, all;
    for (const std::string& name : subject.names("/sys/devices/system/node")) {
        if (!name.starts_with("node") || name.find_first_of("0123456789") != 4) continue;
        const std::string folder = "/sys/devices/system/node/" + name;
        all.push_back(folder);
        const auto cpus = parse_cpu_list(subject.word(folder + "/cpulist"));
        if (std::ranges::any_of(subject.worker_cpus, [&](unsigned cpu) {
                return std::ranges::find(cpus, cpu) != cpus.end();
            }))
            nodes.push_back(folder);
    }
    return all.size() > 1 ? nodes : std::vector<std::string>{};
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
    const std::uint64_t wanted = (wanted_bytes(subject) + page - 1) / page;
    const bool running = is_running(subject);
    const auto nodes = nodes_of_workers(subject);
    Findings found;
    // On a machine with several nodes each node of a worker has its part, as near as pages are to be.
    const std::vector<std::string> folders =
        nodes.empty() ? std::vector<std::string>{"/sys/kernel/mm"} : nodes;
    const std::uint64_t each = (wanted + folders.size() - 1) / folders.size();
    for (const std::string& folder : folders) {
        const std::string file = folder + pages_folder(subject) + "nr_hugepages";
        const auto total = subject.number(file).value_or(0);
        const auto free =
            subject.number(folder + pages_folder(subject) + "free_hugepages").value_or(0);
        // A daemon that runs has its own.
        const std::uint64_t usable = running ? total : free;
        if (usable >= each) continue;
        const std::string where =
            nodes.empty() ? "" : " on " + folder.substr(folder.rfind('/') + 1);
        Finding finding = missing_pages(subject, each - usable, each, where);
        const std::string goal = std::to_string(total + each - usable);
        finding.steps = {write_step(file, goal, std::to_string(total))};
        // tmpfiles.d(5) writes it at each boot, to a node as well, which sysctl.d(5) cannot.
        std::string kept = "/etc/tmpfiles.d/steerdns-hugepages";
        if (!nodes.empty()) kept.append("-").append(where.substr(4));
        kept += ".conf";
        const std::vector<std::string> lines{"w " + file + " - - - - " + goal};
        if (!has_lines(subject, kept, lines))
            finding.steps.push_back(file_step(subject, kept, lines));
        found.push_back(std::move(finding));
    }
    if (!found.empty()) return found;
    return {{Level::ok,
             std::to_string(wanted) + " hugepages of " + in_mib(page) + " are there",
             {},
             {}}};
}

}  // namespace steer::machine
