// Ports on any DPDK ethdev: ring, pcap, tap and memif virtual devices, PCI NICs.
//
// One Port is one queue pair with a mempool of its own. Several queues share a device by RSS over addresses
// and UDP ports of both families, if the device supports it. A physical device is asked to verify checksums
// on receipt, which saves a sum and changes no verdict. All else is software, so a packet is handled the same
// way on every device. VLAN tags stay in the frame.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "dataplane/port/port.h"
#include "matchers/result.h"

namespace steer {

struct EthdevOptions {
    std::uint16_t queues = 0;  // 0: as many as the device has, up to `most_queues`
    std::uint16_t most_queues = 1;
    std::uint16_t descriptors = 1024;  // per queue and direction, limited to the device's maximum
    unsigned mbufs = 8191;             // per queue; 2^n - 1 suits a mempool best
    // Pools of other devices, one per queue, to receive into instead of own pools; they outlive it.
    std::vector<rte_mempool*> pools = {};
    std::string interface = {};      // kernel interface whose traffic this is; "": none
    bool partial_checksums = false;  // see Port::partial_checksums
    bool follows_link = false;       // Port::link_is_up() is the device's link state
};

using Ports = std::vector<std::unique_ptr<Port>>;

// Configures and starts an ethdev that EAL has. The last returned port that is destroyed closes it.
// EAL must be up. Errors: more queues than it has, no memory, VLAN stripping that cannot be turned off, the
// device's own refusal.
Result<Ports> open_ethdev(std::uint16_t ethdev_id, const EthdevOptions& options);

// The device that EAL found at this PCI address, by its DPDK name. Errors: EAL has none.
Result<std::uint16_t> find_ethdev(const std::string& name);

// Creates the virtual device `driver` ("net_pcap", "net_ring", "net_tap", "net_memif", ...) with these
// arguments ("rx_pcap=in.pcap,tx_pcap=out.pcap") and opens it; it is removed with its last port. net_tap sets
// `interface` and `partial_checksums` itself, net_memif `follows_link`. Errors: the driver is not
// installed, the driver's own error.
Result<Ports> open_vdev(const std::string& driver, const std::string& arguments,
                        EthdevOptions options);

// "net_ixgbe, 4 queues by RSS, verifies IPv4 and UDP checksums", of the device of a port made here; else "".
std::string describe_ethdev(const Port& port);

}  // namespace steer
