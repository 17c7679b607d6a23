#include "control/runtime/ports/ports_part.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>

#include "control/api/metrics/report_table.h"
#include "control/parts.h"

namespace steer {
namespace {

using boost::json::array;
using boost::json::object;

// Results of frames for the kernel ("arp_given") and from the kernel ("kernel_sent").
object counters_of(const ExceptionPath& path) {
    const ExceptionCounters& counters = path.counters();
    object all{{"name", path.device().name()}};
    const auto name = [](std::string_view what, std::string_view end) {
        return std::string(what) + "_" + std::string(end);
    };
    for (const auto& kind : kExceptionKinds) {
        for (const auto& end : kExceptionEnds)
            all[name(kind.label, end.label)] = counters.get(kind.which, end.which);
    }
    for (const auto& send : kExceptionSends)
        all[name("kernel", send.label)] = counters.get(send.which);
    return all;
}

void write_links(ops::MetricWriter& writer, const PortSet& ports) {
    const auto down = ports.without_link();
    writer.family("steerdns_port_link_up");
    for (const auto& [device, losses] : ports.losses())
        writer.sample({{"device", device}},
                      std::uint64_t{std::find(down.begin(), down.end(), device) == down.end()});
}

// Of all queues of the device.
std::uint64_t wakeups_of(const PortSet& ports, const std::string& device) {
    std::uint64_t sum = 0;
    for (const PortSet::QueueWakeups& queue : ports.queue_wakeups())
        sum += queue.device == device ? queue.without_work : 0;
    return sum;
}

void write_losses(ops::MetricWriter& writer, const PortSet& ports) {
    const auto all = ports.losses();
    if (all.empty()) return;  // a family has samples
    write_links(writer, ports);
    writer.family("steerdns_port_lost");
    for (const auto& [device, losses] : all) {
        for (const auto& loss : kPortLosses)
            writer.sample({{"device", device}, {"why", loss.label}}, losses.*loss.which);
    }
    writer.family("steerdns_port_wakeups_without_work");
    for (const auto& [device, losses] : all)
        writer.sample({{"device", device}}, wakeups_of(ports, device));
}

void write_exceptions(ops::MetricWriter& writer, const std::vector<ExceptionPath*>& paths) {
    writer.family("steerdns_exception_frames");
    for (const ExceptionPath* path : paths) {
        for (const auto& kind : kExceptionKinds) {
            for (const auto& end : kExceptionEnds) {
                writer.sample({{"interface", path->device().name()},
                               {"kind", kind.label},
                               {"end", end.label}},
                              path->counters().get(kind.which, end.which));
            }
        }
    }
    writer.family("steerdns_exception_kernel_frames");
    for (const ExceptionPath* path : paths) {
        for (const auto& send : kExceptionSends)
            writer.sample({{"interface", path->device().name()}, {"end", send.label}},
                          path->counters().get(send.which));
    }
}

}  // namespace

Parts::Maker ports_part() {
    return Parts::maker<PortsPart>();
}

Result<void> PortsPart::start() {
    const OnNode packet_memory(dpdk_.first_node());
    auto ports = PortSet::open(settings_.get());
    if (!ports) return ports.error();
    ports_ = std::move(*ports);
    for (const auto& warning : ports_->warnings())
        spdlog::warn("{}", warning);
    exceptions_ = std::make_unique<ExceptionThread>(
        ports_->exceptions(), [](const std::string& s) { spdlog::error("{}", s); });
    return {};
}

void PortsPart::serve() {
    exceptions_->start();
}

void PortsPart::poll() {
    for (const auto& sentence : ports_->follow_devices())
        spdlog::warn("{}", sentence);
    const auto queues = ports_->queue_wakeups();
    for (std::size_t i = 0; i < queues.size(); ++i)
        wakeups_.check(main_.now_ms(), i, queues[i].without_work);
}

void PortsPart::add_problems(Problems& problems) {
    for (std::string& sentence : ports_->not_served())
        problems.push_back({"ports", std::move(sentence)});
    const auto queues = ports_->queue_wakeups();
    for (std::size_t i = 0; i < queues.size(); ++i) {
        const std::uint64_t per_second = wakeups_.restless_per_second(i);
        if (per_second == 0) continue;
        problems.push_back(
            {"ports", "port " + queues[i].device + " wakes worker " +
                          std::to_string(queues[i].worker) + " " + std::to_string(per_second) +
                          " times a second without a packet, which uses a whole CPU: restart "
                          "steerdnsd, and report it with the driver of the interface"});
    }
}

void PortsPart::add_status(object& all) {
    array ports;
    for (const auto& port : ports_->reports()) {
        ports.push_back(object{{"device", port.device},
                               {"driver", port.driver},
                               {"why", port.why},
                               {"offers", port.offers},
                               {"interrupts", ports_->interrupts_of(port.device)}});
    }
    all["ports"] = std::move(ports);
}

void PortsPart::add_counters(object& all) {
    array ports;
    for (const auto& [device, losses] : ports_->losses()) {
        object one{{"name", device}};
        ops::add_counts(one, kPortLosses, losses);
        one["wakeups_without_work"] = wakeups_of(*ports_, device);
        ports.push_back(std::move(one));
    }
    all["ports"] = std::move(ports);
    array exceptions;
    for (const ExceptionPath* path : ports_->exceptions())
        exceptions.push_back(counters_of(*path));
    all["exceptions"] = std::move(exceptions);
}

void PortsPart::write_metrics(ops::MetricWriter& writer) {
    write_losses(writer, *ports_);
    write_exceptions(writer, ports_->exceptions());
}

void PortsPart::finish() {
    if (exceptions_) exceptions_->stop();
}

}  // namespace steer
