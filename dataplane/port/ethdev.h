// Ports on any DPDK ethdev: ring, pcap, tap and memif virtual devices, PCI NICs.
//
// One Port is one queue pair with its own mempool. Several queues share a device by RSS over
// addresses and UDP ports of both families, if the device supports it. A physical device verifies
// checksums on receipt if it can. This saves a sum and changes no verdict. Everything else is
// software, so a packet is handled the same on every device. VLAN tags stay in the frame.
//
// A device whose driver has receive interrupts has descriptors to sleep on (Port::wake_fd). The
// others are polled.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "dataplane/port/port.h"
#include "matchers/result.h"

namespace steer {

struct EthdevOptions {
    // 0: as many as the device has and distributes packets over, up to `most_queues`
    std::uint16_t queues = 0;
    std::uint16_t most_queues = 1;
    std::uint16_t descriptors = 1024;  // per queue and direction, limited to the device's maximum
    unsigned mbufs = 8191;             // per queue; 2^n - 1 suits a mempool best
    // Pools of other devices, one per queue, to receive into instead of own pools; they must
    // outlive the device.
    std::vector<rte_mempool*> pools = {};
    std::string interface = {};      // kernel interface with the same traffic; "": none
    bool partial_checksums = false;  // see Port::partial_checksums
    bool follows_link = false;       // Port::link_is_up() is the device's link state
    bool interrupts = false;         // on receipt, if the driver has them
    std::uint16_t mtu = 0;           // 0: the device's own, which is 1500 as a rule
};

using Ports = std::vector<std::unique_ptr<Port>>;

// Configures and starts an ethdev that EAL has. The destruction of the last returned port closes
// it. EAL must be initialized. Errors: more queues than it has or uses, an MTU that it does not
// support, no memory, VLAN stripping that cannot be turned off, a refusal by the device.
Result<Ports> open_ethdev(std::uint16_t ethdev_id, const EthdevOptions& options);

// The device that EAL found at this PCI address, by its DPDK name. Error: EAL does not have it.
Result<std::uint16_t> find_ethdev(const std::string& name);

// Creates the virtual device `driver` ("net_pcap", "net_ring", "net_tap", "net_memif", ...) with
// these arguments ("rx_pcap=in.pcap,tx_pcap=out.pcap") and opens it. It is removed with its last
// port. net_tap sets `interface` and `partial_checksums` itself, net_memif sets `follows_link`.
// Errors: the driver is not installed, or the driver's own error.
Result<Ports> open_vdev(const std::string& driver, const std::string& arguments,
                        EthdevOptions options);

// "net_ixgbe, 4 queues by RSS, verifies IPv4 and UDP checksums, receive interrupts" for a port made
// here; else "".
std::string describe_ethdev(const Port& port);

}  // namespace steer
