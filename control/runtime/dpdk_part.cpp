#include "control/runtime/dpdk_part.h"

#include <spdlog/spdlog.h>

#include <boost/json/object.hpp>
#include <utility>

#include "control/host/process/process_limits.h"
#include "control/parts.h"
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
    auto cpus = plan_cpus(settings.dataplane, allowed_cpus());
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
    if (auto good = check_ports(settings, read_host()); !good) return good;
    auto eal = Eal::start(options());
    if (!eal) return eal.error();
    eal_ = std::move(*eal);
    bind_to(cpus_.control);
    return {};
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
