#include "control/runtime/ports/port_set.h"

#include <net/if.h>

#include <algorithm>
#include <cstdlib>
#include <set>
#include <utility>

#include "dataplane/port/pci_device.h"

namespace steer {
namespace {

// "net_pcap0,rx_pcap=in.pcap" or just "rx_pcap=in.pcap" → "rx_pcap=in.pcap".
std::string device_arguments(const std::string& device) {
    if (!device.starts_with("net_")) return device;
    const auto comma = device.find(',');
    return comma == std::string::npos ? std::string{} : device.substr(comma + 1);
}

// "net_vhost0,iface=/run/vhost.sock" → "net_vhost".
std::string device_driver(const std::string& device) {
    const std::string name = device.substr(0, device.find(','));
    return name.substr(0, name.find_last_not_of("0123456789") + 1);
}

void append(std::vector<std::unique_ptr<Port>>& to, std::vector<std::unique_ptr<Port>> from) {
    std::move(from.begin(), from.end(), std::back_inserter(to));
}

// A device whose interface the kernel keeps.
kernel::PortDevice as_device(const config::PortSettings& port, int if_index) {
    return {.if_index = if_index,
            .name = port.device,
            .addresses = port.addresses,
            .links = port.address_links,
            .own_too = port.own_addresses};
}

}  // namespace

Result<std::unique_ptr<PortSet>> PortSet::open(const config::Settings& settings) {
    std::unique_ptr<PortSet> set(new PortSet(settings.dataplane.workers));
    auto wanted = settings.dataplane.ports;
    if (wanted.empty()) {
        auto device = kernel::find_default_interface();
        if (!device) return device.error();
        config::PortSettings port;
        port.device = *device;
        wanted.push_back(std::move(port));
    }
    for (const auto& port : wanted) {
        if (auto opened = set->open_one(port); !opened) {
            Error error = opened.error();
            if (error.file.empty() && port.line > 0) {
                error.file = settings.file;
                error.line = port.line;
            }
            return error;
        }
    }
    return set;
}

Result<void> PortSet::open_one(const config::PortSettings& port) {
    using config::Driver;
    switch (port.driver) {
        case Driver::automatic: {
            if (!port.pci.empty()) return open_pci(port);
            auto opened = open_af_xdp_port(port, "AF_XDP works there");
            if (opened) return {};
            if (::if_nametoindex(port.device.c_str()) == 0) return opened.error();
            return open_sockets(port, "AF_XDP does not: " + opened.error().sentence());
        }
        case Driver::af_xdp:
            return open_af_xdp_port(port, "the configuration says so");
        case Driver::socket:
            return open_sockets(port, "the configuration says so");
        case Driver::pcap:
            return open_virtual(port, "net_pcap", device_arguments(port.device));
        case Driver::ring:
            return open_virtual(port, "net_ring", device_arguments(port.device));
        case Driver::tap:
            return open_virtual(port, "net_tap",
                                port.device.find('=') == std::string::npos
                                    ? "iface=" + port.device
                                    : device_arguments(port.device));
        case Driver::memif:
            return open_virtual(port, "net_memif", device_arguments(port.device));
        case Driver::vdev:
            return open_virtual(port, device_driver(port.device), device_arguments(port.device),
                                {.most_queues = static_cast<std::uint16_t>(workers_)});
        case Driver::af_packet:
            return open_af_packet_port(port);
        case Driver::pci:
            return open_pci(port);
    }
    std::abort();
}

Result<void> PortSet::open_af_xdp_port(const config::PortSettings& port, std::string why) {
    auto device =
        XdpDevice::open(port.device, {.queues = port.queues, .busy_poll = port.busy_poll});
    if (!device) return device.error();
    const int if_index = (*device)->if_index();
    append(queues_, (*device)->take_ports());
    devices_.push_back(as_device(port, if_index));
    reports_.push_back({port.device, "af_xdp", std::move(why), (*device)->describe(), if_index});
    xdp_devices_.push_back(std::move(*device));
    return {};
}

Result<void> PortSet::open_virtual(const config::PortSettings& port, const std::string& driver,
                                   const std::string& arguments, EthdevOptions options) {
    if (port.queues > 0) options.queues = static_cast<std::uint16_t>(port.queues);
    auto queues = open_vdev(driver, arguments, options);
    if (!queues) return queues.error();
    return add_ethdev(port, driver.substr(std::string_view("net_").size()), std::move(*queues));
}

// The kernel keeps the interface and sees every packet as well.
Result<void> PortSet::open_af_packet_port(const config::PortSettings& port) {
    AfPacketOptions options;
    options.queues = port.queues != 0 ? port.queues : workers_;
    auto device = PacketDevice::open(port.device, options);
    if (!device) return device.error();
    const int if_index = (*device)->if_index();
    append(queues_, (*device)->take_ports());
    devices_.push_back(as_device(port, if_index));
    devices_.back().copies = true;
    reports_.push_back(
        {port.device, "af_packet", "the configuration says so", (*device)->describe(), if_index});
    packet_devices_.push_back(std::move(*device));
    return {};
}

Result<void> PortSet::open_pci(const config::PortSettings& port) {
    const auto ethdev = find_ethdev(port.pci);
    if (!ethdev) return ethdev.error();
    EthdevOptions options;
    options.queues = static_cast<std::uint16_t>(port.queues);
    options.most_queues = static_cast<std::uint16_t>(workers_);
    options.follows_link = true;
    options.mtu = static_cast<std::uint16_t>(port.mtu);
    // INTx is one interrupt for all causes, and DPDK's own thread takes it. With uio, a worker would also have to
    // write to the configuration of the PCI device, which it may not do.
    const auto device = find_pci_device(port.pci);
    if (!device) return device.error();
    const std::string without = device->no_interrupts();
    options.interrupts = without.empty();
    auto queues = open_ethdev(*ethdev, options);
    if (!queues) return queues.error();
    return add_ethdev(port, "pci", std::move(*queues),
                      without.empty() ? "" : ", no receive interrupts " + without);
}

// A device without a kernel side has the addresses that the configuration gives it and no others.
Result<void> PortSet::add_ethdev(const config::PortSettings& port, std::string driver, Ports queues,
                                 const std::string& more) {
    std::string offers = describe_ethdev(*queues.front()) + more;
    const std::size_t exceptions = exceptions_.size();
    auto all = add_exception(port, std::move(queues));
    if (!all) return all.error();
    if (exceptions_.size() > exceptions)
        offers += "; the kernel's side is " + exceptions_.back()->describe();
    const int if_index = all->front()->if_index();
    devices_.push_back(as_device(port, if_index));
    devices_.back().name.clear();
    reports_.push_back({port.pci.empty() ? port.device : port.pci, std::move(driver),
                        "the configuration says so", offers, if_index});
    append(queues_, std::move(*all));
    return {};
}

// If an automatic exception interface is impossible, the port has no kernel side.
Result<Ports> PortSet::add_exception(const config::PortSettings& port, Ports queues) {
    const bool automatic = port.exception == "auto";
    if (port.exception == "none" || (automatic && !port.beside_kernel())) return queues;
    const std::string name = automatic ? "steer" + std::to_string(reports_.size()) : port.exception;
    auto path = ExceptionPath::open(name, port, queues);
    if (path) {
        if (!(*path)->warning().empty()) warnings_.push_back((*path)->warning());
        exceptions_.push_back(std::move(*path));
        return exceptions_.back()->add_to(std::move(queues));
    }
    if (!automatic || !port.interface_addresses.empty()) return path.error();
    warnings_.push_back(queues.front()->name() +
                        " does not answer ARP, ping or TCP: " + path.error().text);
    return queues;
}

Result<void> PortSet::open_sockets(const config::PortSettings& port, std::string why) {
    const unsigned if_index = ::if_nametoindex(port.device.c_str());
    if (if_index == 0) {
        return Error{"there is no interface '" + port.device + "' (`ip link` lists them)"};
    }
    devices_.push_back(as_device(port, static_cast<int>(if_index)));
    devices_.back().sockets = true;
    reports_.push_back({port.device, "socket", std::move(why), {}, static_cast<int>(if_index)});
    return {};
}

std::vector<Port*> PortSet::of_worker(unsigned index, unsigned workers) const {
    std::vector<Port*> mine;
    for (std::size_t q = index; q < queues_.size(); q += workers)
        mine.push_back(queues_[q].get());
    return mine;
}

std::vector<FollowedDevice*> PortSet::followed() const {
    std::vector<FollowedDevice*> all;
    for (const auto& device : xdp_devices_)
        all.push_back(device.get());
    for (const auto& device : packet_devices_)
        all.push_back(device.get());
    return all;
}

std::vector<std::string> PortSet::follow_devices() {
    std::vector<std::string> sentences;
    for (FollowedDevice* const device : followed()) {
        if (auto sentence = device->follow()) sentences.push_back(std::move(*sentence));
    }
    return sentences;
}

std::vector<std::string> PortSet::not_served() const {
    std::vector<std::string> sentences;
    for (const FollowedDevice* const device : followed()) {
        if (!device->error().empty()) sentences.push_back(device->error());
    }
    return sentences;
}

std::vector<PortSet::QueueWakeups> PortSet::queue_wakeups() const {
    std::vector<QueueWakeups> all;
    for (std::size_t q = 0; q < queues_.size(); ++q)
        all.push_back({queues_[q]->name(), static_cast<unsigned>(q % workers_),
                       queues_[q]->wakeups_without_work()});
    return all;
}

std::map<std::string, PortLosses> PortSet::losses() const {
    std::map<std::string, PortLosses> all;
    for (const auto& queue : queues_)
        all[queue->name()] += queue->losses();
    return all;
}

std::vector<ExceptionPath*> PortSet::exceptions() const {
    std::vector<ExceptionPath*> all;
    for (const auto& path : exceptions_)
        all.push_back(path.get());
    return all;
}

std::string_view PortSet::interrupts_of(const std::string& device) const {
    for (const auto& queue : queues_) {
        if (queue->name() != device || queue->wake_fd() < 0) continue;
        return queue->wakes() ? "working" : "not seen yet";
    }
    return "none";
}

std::vector<std::string> PortSet::without_link() const {
    std::set<std::string> names;
    for (const auto& queue : queues_) {
        if (!queue->link_is_up()) names.insert(queue->name());
    }
    return {names.begin(), names.end()};
}

bool PortSet::any_on_kernels_wire() const {
    return std::any_of(queues_.begin(), queues_.end(), [&](const auto& queue) {
        return std::none_of(exceptions_.begin(), exceptions_.end(), [&](const auto& path) {
            return path->device().if_index() == queue->if_index();
        });
    });
}

Result<void> PortSet::set_addresses(std::span<const IpAddress> service,
                                    std::span<const IpAddress> own) {
    for (const auto& xdp : xdp_devices_) {
        if (auto done = xdp->steering().set_addresses(service, own); !done) return done;
    }
    return {};
}

Result<void> PortSet::set_devices(std::span<const kernel::DeviceState> devices) {
    for (const auto& xdp : xdp_devices_) {
        for (const auto& device : devices) {
            if (device.if_index != xdp->if_index()) continue;
            xdp->steering().set_mac(device.mac);
            if (auto done = xdp->steering().set_vlans(device.vlans); !done) return done;
        }
    }
    return {};
}

Result<void> PortSet::set_upstreams(std::span<const UpstreamEndpoint> upstreams,
                                    std::span<const std::uint16_t> service_ports,
                                    std::uint16_t first_port, std::uint16_t last_port) {
    for (const auto& xdp : xdp_devices_) {
        xdp->steering().set_port_range(first_port, last_port);
        if (auto done = xdp->steering().set_service_ports(service_ports); !done) return done;
        if (auto done = xdp->steering().set_upstreams(upstreams); !done) return done;
    }
    return {};
}

Result<void> PortSet::set_bans(std::span<const XdpBan> bans, std::span<const XdpPrefix> exempt) {
    for (const auto& xdp : xdp_devices_) {
        if (auto done = xdp->steering().set_bans(bans, exempt); !done) return done;
    }
    return {};
}

void PortSet::renew_ban(std::uint32_t place, std::chrono::milliseconds lifetime) {
    for (const auto& xdp : xdp_devices_)
        xdp->steering().renew_ban(place, lifetime);
}

XdpBanCounts PortSet::ban_counts(std::uint32_t place) const {
    XdpBanCounts sum;
    for (const auto& xdp : xdp_devices_) {
        const XdpBanCounts one = xdp->steering().ban_counts(place);
        sum.dropped += one.dropped;
        sum.passed += one.passed;
        sum.bytes += one.bytes;
    }
    return sum;
}

}  // namespace steer
