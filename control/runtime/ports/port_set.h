// The opened ports of the configuration: device, driver, and the reason for the driver.
//
// Opening needs EAL. A port without a configured driver uses AF_XDP if that works, else kernel
// sockets; the report has the reason. A configured driver that does not work is an Error.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "control/config/settings.h"
#include "control/host/kernel/next_hops.h"
#include "control/runtime/ports/exception_path.h"
#include "dataplane/port/ethdev.h"
#include "dataplane/port/packet_device.h"
#include "dataplane/port/port.h"
#include "dataplane/port/xdp_device.h"
#include "matchers/result.h"

namespace steer {

struct PortReport {
    std::string device;
    std::string driver;  // "af_xdp", "socket", "pcap", ...
    std::string why;     // in words, for the line at start
    std::string offers;  // queues and offloads of a DPDK device that are in use
    int if_index = 0;
};

class PortSet {
  public:
    static Result<std::unique_ptr<PortSet>> open(const config::Settings& settings);

    // Queue pairs of worker `index` of `workers`: every `workers`-th one.
    [[nodiscard]] std::vector<Port*> of_worker(unsigned index, unsigned workers) const;
    // The interfaces served by ports or by sockets; their addresses are the service addresses.
    [[nodiscard]] const std::vector<kernel::PortDevice>& devices() const { return devices_; }
    [[nodiscard]] const std::vector<PortReport>& reports() const { return reports_; }
    // By device. `ss -u` and /proc/net/udp have losses of kernel sockets.
    [[nodiscard]] std::map<std::string, PortLosses> losses() const;
    // A queue's wake-ups without work (Port::wakeups_without_work), in an order that stays.
    struct QueueWakeups {
        std::string device;
        unsigned worker = 0;
        std::uint64_t without_work = 0;
    };
    [[nodiscard]] std::vector<QueueWakeups> queue_wakeups() const;
    [[nodiscard]] bool any_frames() const { return !queues_.empty(); }
    // A descriptor of a map of an XDP program; -1: no port has one.
    [[nodiscard]] int xdp_map() const {
        return xdp_devices_.empty() ? -1 : xdp_devices_.front()->steering().sockets_fd();
    }
    // The exception interfaces of ports that the kernel does not see, and the errors of creating
    // them.
    [[nodiscard]] std::vector<ExceptionPath*> exceptions() const;
    [[nodiscard]] const std::vector<std::string>& warnings() const { return warnings_; }
    // Devices outside the kernel without a link.
    [[nodiscard]] std::vector<std::string> without_link() const;
    // Whether workers sleep until a packet arrives there: "working", "not seen yet" (naps until the
    // first interrupt), "none" (naps).
    [[nodiscard]] std::string_view interrupts_of(const std::string& device) const;
    // Whether the kernel resolves some port's neighbours without a worker.
    [[nodiscard]] bool any_on_kernels_wire() const;

    // Devices that were removed or returned since the last call, and other events, as sentences for
    // the log. Call it periodically.
    std::vector<std::string> follow_devices();
    // Devices that are back and cannot be served, as sentences.
    [[nodiscard]] std::vector<std::string> not_served() const;

    // Updates the XDP programs' maps from these.
    Result<void> set_addresses(std::span<const IpAddress> service, std::span<const IpAddress> own);
    Result<void> set_devices(std::span<const kernel::DeviceState> devices);
    Result<void> set_upstreams(std::span<const UpstreamEndpoint> upstreams,
                               std::span<const std::uint16_t> service_ports,
                               std::uint16_t first_port, std::uint16_t last_port);

    // Bans of the XDP programs, as in XdpSteering; counts are sums of all programs.
    [[nodiscard]] bool has_xdp() const { return !xdp_devices_.empty(); }
    Result<void> set_bans(std::span<const XdpBan> bans, std::span<const XdpPrefix> exempt);
    void renew_ban(std::uint32_t place, std::chrono::milliseconds lifetime);
    [[nodiscard]] XdpBanCounts ban_counts(std::uint32_t place) const;

  private:
    explicit PortSet(unsigned workers) : workers_(workers) {}
    Result<void> open_one(const config::PortSettings& port);
    Result<void> open_af_xdp_port(const config::PortSettings& port, std::string why);
    Result<void> open_virtual(const config::PortSettings& port, const std::string& driver,
                              const std::string& arguments, EthdevOptions options = {});
    Result<void> open_af_packet_port(const config::PortSettings& port);
    Result<void> open_pci(const config::PortSettings& port);
    // `more`: further text for the report.
    Result<void> add_ethdev(const config::PortSettings& port, std::string driver, Ports queues,
                            const std::string& more = {});
    Result<Ports> add_exception(const config::PortSettings& port, Ports queues);
    Result<void> open_sockets(const config::PortSettings& port, std::string why);

    unsigned workers_;  // a port gets a queue for each, if possible and `queues` is not set
    [[nodiscard]] std::vector<FollowedDevice*> followed() const;

    std::vector<std::unique_ptr<XdpDevice>> xdp_devices_;        // before queues_: freed after them
    std::vector<std::unique_ptr<PacketDevice>> packet_devices_;  // as well
    std::vector<std::unique_ptr<ExceptionPath>> exceptions_;     // as well
    std::vector<std::unique_ptr<Port>> queues_;
    std::vector<kernel::PortDevice> devices_;
    std::vector<PortReport> reports_;
    std::vector<std::string> warnings_;
};

}  // namespace steer
