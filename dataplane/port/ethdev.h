// Ports on any DPDK ethdev: ring, pcap, tap and memif virtual devices, PCI NICs.
//
// One Port is one queue pair with a mempool of its own. Several queues share a device by RSS over addresses
// and UDP ports of both families, where the device has that. A physical device is asked to verify checksums
// on receipt, which spares us a sum and changes no verdict; all else is software, so a packet means the same
// on every device. VLAN tags stay in the frame.
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
    std::uint16_t descriptors = 1024;  // per queue and direction, cut to what the device takes
    unsigned mbufs = 8191;             // per queue; 2^n - 1 is what a mempool holds best
    // Of others, one a queue, that it receives into instead of pools of its own; they outlive it.
    std::vector<rte_mempool*> pools = {};
    std::string interface = {};      // kernel interface whose traffic this is; "": none
    bool partial_checksums = false;  // see Port::partial_checksums
    bool follows_link = false;       // Port::link_is_up() is what the device says
};

using Ports = std::vector<std::unique_ptr<Port>>;

// Configures and starts an ethdev that EAL knows. The last of the returned ports to go closes it.
// EAL must be up. Errors: more queues than it has, no memory, VLAN tags that it strips in any case, the
// device's own refusal.
Result<Ports> open_ethdev(std::uint16_t ethdev_id, const EthdevOptions& options);

// The device that EAL found at this PCI address, by its DPDK name. Errors: EAL has none.
Result<std::uint16_t> find_ethdev(const std::string& name);

// Makes the virtual device `driver` ("net_pcap", "net_ring", "net_tap", "net_memif", ...) with these
// arguments ("rx_pcap=in.pcap,tx_pcap=out.pcap") and opens it; it goes with its last port. net_tap sets
// `interface` and `partial_checksums` itself, net_memif `follows_link`. Errors: that driver is not
// installed, what the driver says.
Result<Ports> open_vdev(const std::string& driver, const std::string& arguments,
                        EthdevOptions options);

// "net_ixgbe, 4 queues by RSS, verifies IPv4 and UDP checksums", of the device of a port made here; else "".
std::string describe_ethdev(const Port& port);

}  // namespace steer
