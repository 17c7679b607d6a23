// A configured port (`dataplane.ports`): the device, its addresses, and its path to the kernel.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <vector>

#include "control/config/settings/lines.h"
#include "matchers/prefix/ip_address.h"

namespace steer::config {

enum class Driver : std::uint8_t {
    automatic,
    af_xdp,
    af_packet,
    tap,
    memif,
    pcap,
    ring,
    pci,
    socket,
    vdev
};

// An address that we add to a port's exception interface.
struct InterfaceAddress {
    IpAddress ip;
    std::uint8_t length = 0;  // of the prefix, for its family: 24, 64
    bool operator==(const InterfaceAddress&) const = default;
};

// How frames of an exception interface are moved: by vhost-net if available, else by our thread and
// a TAP.
enum class ExceptionDriver : std::uint8_t { automatic, tap, vhost };

// Maximum frames per second from a queue to the kernel, by kind; 0: none.
struct ExceptionRates {
    std::uint32_t arp = 1'000, nd = 1'000, icmp = 1'000, icmp6 = 1'000, tcp = 100'000,
                  quic = 100'000, udp = 10'000, fragment = 1'000, other = 1'000;
    bool operator==(const ExceptionRates&) const = default;
};

// How the port's interface takes part in ARP, with RouterOS's modes (control/host/kernel/arp.h).
enum class Arp : std::uint8_t {
    enabled,
    disabled,
    reply_only,
    proxy_arp,
    local_proxy_arp,
    as_it_is
};

// An entry of the kernel's neighbour table.
struct NeighbourSettings {
    IpAddress ip;
    std::array<std::uint8_t, 6> mac{};  // unused if published
    bool published = false;             // the kernel answers on its behalf
    bool operator==(const NeighbourSettings&) const = default;
};

struct PortSettings {
    std::string device;  // interface, or a DPDK device ("net_pcap0,rx_pcap=in.pcap"); empty: pci
    std::string pci;     // "0000:03:00.0"
    Driver driver = Driver::automatic;  // af_xdp if possible, else socket; pci if `pci` is given
    std::uint32_t queues = 0;           // 0: all
    std::uint32_t mtu = 0;              // pci: of the NIC; 0: the driver's own
    std::uint32_t busy_poll = 0;        // af_xdp: packets per call; 0: off
    // Addresses to answer on: these, those of `address_links` (interfaces), and with
    // `own_addresses` those of the interface. If all three are empty: those of the interface.
    std::vector<IpAddress> addresses;
    std::vector<std::string> address_links;
    bool own_addresses = false;
    std::vector<InterfaceAddress> interface_addresses;  // those that we add
    std::string exception = "auto";  // name of its exception interface, "none", or by driver
    ExceptionDriver exception_driver = ExceptionDriver::automatic;
    ExceptionRates exception_rates;
    Arp arp = Arp::as_it_is;
    std::vector<NeighbourSettings> neighbours;
    bool force = false;  // pci: even if it is the only connection to this machine
    Line line;
    bool operator==(const PortSettings&) const = default;

    // Whether the kernel keeps the interface and its addresses.
    [[nodiscard]] bool kernel_backed() const {
        return pci.empty() && (driver == Driver::automatic || driver == Driver::af_xdp ||
                               driver == Driver::af_packet || driver == Driver::socket);
    }
    // Whether the kernel sees the device only through an exception interface.
    [[nodiscard]] bool beside_kernel() const {
        return !pci.empty() || driver == Driver::pci || driver == Driver::memif ||
               driver == Driver::vdev;
    }
};

// Devices whose packets bypass netfilter, by name or PCI address. Without ports: `standard` (the
// interface of the default route), unless it is empty.
std::vector<std::string> devices_beside_firewall(const std::vector<PortSettings>& ports,
                                                 const std::string& standard);

}  // namespace steer::config
