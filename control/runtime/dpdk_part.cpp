#include "control/runtime/dpdk_part.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <boost/json/object.hpp>
#include <utility>

#include "control/host/process/process_limits.h"
#include "control/parts.h"
#include "control/program/reload/numa_plan.h"
#include "control/program/reload/port_check.h"

namespace steer {
namespace {

// DPDK's two, the watchdog, routers, the process of the sets, cache, exception, a reload, why or hits, a history; the
// recorder, and one for each of its sinks; the answers to denied calls.
constexpr unsigned kOtherThreads = 16;

}  // namespace

Parts::Maker dpdk_part() {
    return Parts::maker<DpdkPart>();
}

Result<void> DpdkPart::start() {
    const config::Settings& settings = settings_.get();
    const NumaNodes nodes = NumaNodes::read();
    const HostFacts host = read_host();
    auto cpus = plan_cpus(settings.dataplane, allowed_cpus(),
                          cpus_near_ports(settings, nodes, allowed_cpus(), host.default_interface));
    if (!cpus) return Error{cpus.error().text, settings.file, settings.dataplane.line};
    cpus_ = std::move(*cpus);
    if (const auto there = allowed_cpus().size(); workers() > there) {
        spdlog::warn(
            "{} workers share {} CPUs and slow each other down: lower `workers` of "
            "`dataplane` to {} or less",
            workers(), there, there);
    }
    if (auto good =
            check_process_limits(workers() + settings.control.stream_threads + kOtherThreads);
        !good)
        return good;
    if (auto good = check_ports(settings, host); !good) return good;
    plan_memory(nodes, host.default_interface);
    const OnNode memory(first_node());
    EalOptions eal_options = options();
    if (first_node() != kAnyNode) eal_options.main_cpus = nodes.cpus_of(first_node());
    auto eal = Eal::start(eal_options);
    if (!eal) return eal.error();
    eal_ = std::move(*eal);
    check_nodes();
    bind_to(cpus_.control);
    return {};
}

// Before the start of DPDK, which takes hugepages.
void DpdkPart::plan_memory(const NumaNodes& nodes, const std::string& default_interface) {
    const auto facts = read_memory_facts();
    const auto shortages = node_shortages(nodes, options(), facts);
    advice_ = numa_advice(settings_.get(), nodes, cpus_.workers, default_interface, shortages,
                          facts.huge_page_bytes);
    for (const Error& one : advice_)
        spdlog::warn("{}", one.sentence());
    // DPDK gives memory of a named node or none. If one has too little, DPDK chooses for all.
    if (shortages.empty()) nodes_ = nodes_of_workers(cpus_.workers, nodes);
}

void DpdkPart::check_nodes() {
    const auto bad = std::ranges::find_if_not(nodes_, Eal::can_allocate_on);
    if (bad == nodes_.end()) return;
    advice_.push_back(settings_.get().error(
        settings_.get().dataplane.line,
        "DPDK has no memory on NUMA node " + std::to_string(*bad) +
            " of the workers, and takes it from any node: allow the node in `cpuset.mems` and "
            "hugetlb limits, or change `workers` of dataplane"));
    spdlog::warn("{}", advice_.back().sentence());
    nodes_.clear();
}

void DpdkPart::add_problems(Problems& problems) {
    for (const Error& one : advice_)
        problems.push_back({"memory", one.text});
}

EalOptions DpdkPart::options() const {
    EalOptions options{.worker_cpus = cpus_.workers,
                       .memory_bytes = settings_.get().dataplane.memory_bytes};
    for (const auto& port : settings_.get().dataplane.ports) {
        if (!port.pci.empty()) options.pci.push_back(port.pci);
        if (port.driver == config::Driver::memif || port.driver == config::Driver::vdev)
            options.shares_memory = true;
    }
    return options;
}

void DpdkPart::add_status(boost::json::object& all) {
    all["memory"] = eal_->summary();
}

}  // namespace steer
