#include "control/runtime/network_part.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <chrono>
#include <cstddef>
#include <iterator>
#include <span>
#include <string>
#include <utility>

#include "control/api/http/health_check.h"
#include "control/api/metrics/metrics.h"
#include "control/parts.h"

namespace steer {
namespace {

using namespace std::chrono_literals;
using boost::json::array;
using boost::json::object;

constexpr auto kNeighbourPatience = 1500ms;

std::vector<std::uint16_t> service_ports(const std::vector<build::Listener>& listeners) {
    std::vector<std::uint16_t> ports;
    for (const auto& l : listeners) {
        if (l.udp && std::find(ports.begin(), ports.end(), l.endpoint.port) == ports.end()) {
            ports.push_back(l.endpoint.port);
        }
    }
    return ports;
}

// Service addresses that the kernel has: those that a socket can be bound to. A port without a kernel side
// has addresses of its own.
std::vector<ServiceAddress> of_kernel(const NextHopTable& table,
                                      std::span<const kernel::DeviceState> devices) {
    std::vector<IpAddress> both;
    std::set_intersection(table.service_addresses.begin(), table.service_addresses.end(),
                          table.own_addresses.begin(), table.own_addresses.end(),
                          std::back_inserter(both));
    std::vector<ServiceAddress> all;
    for (const IpAddress& ip : both) {
        const std::size_t count = all.size();
        for (const auto& device : devices) {
            for (const auto* list : {&device.addresses, &device.without_link}) {
                for (const auto& there : *list) {
                    if (ip.is_link_local() && there.ip == ip) all.push_back({ip, there.if_index});
                }
            }
        }
        if (all.size() == count) all.push_back({ip});
    }
    return all;
}

}  // namespace

Parts::Maker network_part() {
    return Parts::maker<NetworkPart>();
}

NetworkPart::NetworkPart(const Needs& needs)
    : main_(needs.get<MainLoop>()),
      settings_(needs.get<StartSettings>()),
      configuration_(needs.get<Configuration>()),
      ports_(needs.get<PortsPart>()),
      workers_(needs.get<WorkersPart>()) {}

Result<void> NetworkPart::start() {
    const auto& dataplane = settings_.get().dataplane;
    service_ports_ = service_ports(configuration_.built().listeners);
    dropped_ports_ = dataplane.drop_source_ports;
    upstreams_ = workers_.snapshot().upstreams;
    if (ports_.set().any_frames()) {
        auto reserved = kernel::ReservedPorts::reserve(dataplane.first_upstream_port,
                                                       dataplane.last_upstream_port);
        if (reserved) {
            reserved_ = std::move(*reserved);
        } else {
            spdlog::warn("{}", reserved.error().sentence());
        }
    }
    if (auto done = set_upstreams(); !done) return done;
    auto side = KernelSide::apply(main_.io(), settings_.get(), ports_.set());
    if (!side) return side.error();
    kernel_side_ = std::move(*side);
    for (const auto& warning : kernel_side_->warnings())
        spdlog::warn("{}", warning);
    watcher_ = std::make_unique<kernel::NextHops>(
        main_.io(), ports_.set().devices(),
        [this](kernel::NextHopView view) { take(std::move(view)); },
        [](const std::string& sentence) { spdlog::warn("{}", sentence); },
        dataplane.reply == config::Reply::route);
    watcher_->on_change([this] {
        for (const auto& changed : any_changed_)
            changed();
    });
    // Behind a port that the kernel does not see, ARP is answered only when the workers run.
    return watcher_->start(upstream_addresses(),
                           ports_.set().any_on_kernels_wire() ? kNeighbourPatience : 0ms);
}

// Addresses, routes or neighbours changed: workers, XDP programs and listeners follow.
void NetworkPart::take(kernel::NextHopView view) {
    auto table = std::make_unique<NextHopTable>(*view.table);
    table->service_ports = service_ports_;
    table->dropped_ports = dropped_ports_;
    for (const auto& done :
         {ports_.set().set_addresses(table->service_addresses, table->own_addresses),
          ports_.set().set_devices(view.devices)}) {
        if (!done) spdlog::error("{}", done.error().sentence());
    }
    copying_.clear();
    for (const auto& device : view.devices)
        copying_.insert(copying_.end(), device.copying.begin(), device.copying.end());
    std::sort(copying_.begin(), copying_.end());
    service_addresses_ = of_kernel(*table, view.devices);
    devices_ = view.devices;
    vrfs_ = std::move(view.vrfs);
    for (const auto& changed : changed_)
        changed();
    kernel_side_->follow(view.devices);
    workers_.hops().put(std::move(table));
}

void NetworkPart::poll() {
    for (const auto& sentence : kernel_side_->follow_interfaces())
        spdlog::warn("{}", sentence);
}

// ---- upstreams

// The upstream addresses by which workers and XDP programs recognize replies.
Result<void> NetworkPart::set_upstreams() {
    const auto& dataplane = settings_.get().dataplane;
    std::vector<UpstreamEndpoint> endpoints;
    for (const auto& upstream : upstreams_) {
        if (upstream.channel == Channel::none)
            endpoints.push_back({upstream.address, upstream.port});
    }
    return ports_.set().set_upstreams(endpoints, service_ports_, dataplane.first_upstream_port,
                                      dataplane.last_upstream_port);
}

// By Upstream::id. An upstream with a name has no address.
std::vector<IpAddress> NetworkPart::upstream_addresses() const {
    std::vector<IpAddress> addresses;
    for (const auto& upstream : upstreams_) {
        if (addresses.size() <= upstream.id) addresses.resize(upstream.id + 1U);
        addresses[upstream.id] = upstream.address;
    }
    return addresses;
}

void NetworkPart::prepare(const build::Built& built) {
    for (const auto& upstream : built.snapshot->upstreams) {
        if (std::ranges::find(upstreams_, upstream.id, &Upstream::id) == upstreams_.end())
            upstreams_.push_back(upstream);
    }
    if (auto done = set_upstreams(); !done) spdlog::error("{}", done.error().sentence());
    watcher_->set_upstreams(upstream_addresses());
}

void NetworkPart::follow(const config::Settings& settings, build::Built& /*built*/) {
    if (dropped_ports_ == settings.dataplane.drop_source_ports) return;
    dropped_ports_ = settings.dataplane.drop_source_ports;
    auto table = std::make_unique<NextHopTable>(workers_.hop_table());
    table->dropped_ports = dropped_ports_;
    workers_.hops().put(std::move(table));
}

void NetworkPart::forget_earlier() {
    upstreams_ = workers_.snapshot().upstreams;
    if (auto done = set_upstreams(); !done) spdlog::error("{}", done.error().sentence());
    watcher_->set_upstreams(upstream_addresses());
}

NextHop::Via NetworkPart::route_of(std::uint16_t upstream) const {
    const auto& hops = workers_.hop_table().by_upstream;
    return upstream < hops.size() ? hops[upstream].via : NextHop::Via::nothing;
}

bool NetworkPart::reaches(const Snapshot& snapshot) const {
    return std::ranges::all_of(snapshot.upstreams, [&](const Upstream& upstream) {
        return upstream.channel != Channel::none || route_of(upstream.id) != NextHop::Via::nothing;
    });
}

// ---- reports

void NetworkPart::add_status(object& all) {
    array addresses;
    for (const auto& address : workers_.hop_table().service_addresses)
        addresses.emplace_back(address.to_string());
    all["addresses"] = std::move(addresses);
}

void NetworkPart::add_counters(object& all) {
    const kernel::Announcer& announcer = kernel_side_->announcer();
    all["announcements"] = object{{"arp", announcer.arp_sent.get()},
                                  {"neighbour", announcer.advertisements_sent.get()}};
}

void NetworkPart::write_metrics(ops::MetricWriter& writer) {
    const kernel::Announcer& announcer = kernel_side_->announcer();
    writer.family("steerdns_announcements");
    writer.sample({{"by", "arp"}}, announcer.arp_sent.get());
    writer.sample({{"by", "neighbour"}}, announcer.advertisements_sent.get());
}

void NetworkPart::add_conditions(std::vector<ops::HealthCheck>& checks) {
    std::string error;
    const auto add = [&error](const std::string& one) {
        error += (error.empty() ? "" : ", ") + one;
    };
    for (const auto& device : ports_.set().devices()) {
        if (device.name.empty()) continue;
        const auto state = std::ranges::find_if(
            devices_, [&](const auto& d) { return d.if_index == device.if_index; });
        if (state == devices_.end()) {
            add(device.name + " was removed");
        } else if (!state->up) {
            add(device.name + " is down");
        }
    }
    for (const auto& sentence : ports_.set().not_served())
        add(sentence);
    for (const auto& name : ports_.set().without_link())
        add(name + " has no link");
    if (workers_.hop_table().service_addresses.empty()) add("there is no address to answer on");
    checks.push_back({"ports", std::move(error)});
}

}  // namespace steer
