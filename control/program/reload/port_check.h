// Checks `dataplane.ports` before any change: NICs that DPDK cannot or must not use, addresses that
// the kernel does not have, two ports on one device. (Exception: it removes a memif server's stale
// socket.)
#pragma once

#include <string>
#include <vector>

#include "control/config/settings.h"
#include "dataplane/port/pci_device.h"
#include "matchers/prefix/ip_address.h"
#include "matchers/result.h"

namespace steer {

// The connections to this machine, in the network namespace of the calling thread.
struct HostFacts {
    std::string default_interface;        // of the default route; "": none
    std::vector<std::string> interfaces;  // up, with an address that is not link-local; without lo
    std::vector<IpAddress> addresses;     // all
};
HostFacts read_host();

// Why this NIC must stay with the kernel: a phrase such as "eth0, the interface of the default
// route". "": it may be taken.
std::string management_path(const PciDevice& device, const HostFacts& host);

// `root`: see pci_device.h. Errors name file and line.
Result<void> check_ports(const config::Settings& settings, const HostFacts& host,
                         const std::string& root = {});

}  // namespace steer
