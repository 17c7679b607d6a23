// `steerdnsd --ports`: the interfaces and NICs of this machine, the port that each could be, and
// what is missing. Only reads; a note replaces facts that need a missing permission.
#pragma once

#include <functional>
#include <iosfwd>
#include <string>
#include <vector>

#include "control/program/reload/port_check.h"
#include "dataplane/port/pci_device.h"

namespace steer {

// Facts about an interface that only the running kernel has.
struct LiveFacts {
    bool ethernet = false;
    unsigned rx_queues = 0;    // 0: unknown
    std::string driver;        // "": unknown
    std::string xdp_program;   // attached now; "": none
    bool strips_vlan = false;  // would be turned off
};
using AskKernel = std::function<LiveFacts(const std::string& interface)>;
LiveFacts ask_kernel(const std::string& interface);

struct InterfaceSeen {
    std::string name;
    bool up = false;
    unsigned mtu = 0;
    LiveFacts live;
};

struct HugePages {
    unsigned page_kib = 0;
    unsigned long total = 0, free = 0;
};

struct PortSurvey {
    std::vector<InterfaceSeen> interfaces;  // by name
    std::vector<PciDevice> nics;
    std::vector<std::string> refusals;  // per NIC: why DPDK cannot use it now; "": it can
    std::vector<HugePages> huge_pages;  // by size
    HostFacts host;
    bool tun = false, vhost_net = false, iommu = false, root = false;
};

// `root`: see pci_device.h.
PortSurvey survey_ports(const HostFacts& host, const AskKernel& ask = ask_kernel,
                        const std::string& root = {});
void write_survey(const PortSurvey& survey, std::ostream& out);

}  // namespace steer
