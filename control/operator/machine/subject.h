// The input of checks: a configuration, and the machine that will run it.
//
// Files are read below `root` ("" on a real machine, a folder in tests). Facts from system calls
// are functions or values here, so that a test can set them.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "control/config/settings.h"
#include "control/program/reload/port_check.h"
#include "control/runtime/ports/port_survey.h"
#include "dataplane/port/eal.h"
#include "dataplane/port/numa.h"

namespace steer::machine {

// Facts about an interface in addition to LiveFacts.
struct InterfaceFacts {
    std::vector<IpAddress> addresses;
    bool merges_frames = false;              // large receive offload
    unsigned rx_ring = 0, most_rx_ring = 0;  // descriptors; 0: unknown
};
struct SocketOwner {
    int pid = 0;
    std::string name;
};

struct Subject {
    const config::Settings& settings;
    std::string root;
    HostFacts host;
    AskKernel ask;
    std::function<InterfaceFacts(const std::string& interface)> inspect;
    // control/program/reload/port_check.h.
    std::function<std::string(const PciDevice&)> management_path;
    // The owner of a socket on that address, or on all addresses, and port.
    std::function<std::optional<SocketOwner>(const IpAddress&, std::uint16_t port, bool udp)> owner;
    std::vector<unsigned> worker_cpus;
    MemoryFacts memory;
    bool has_af_xdp = false;                      // the kernel supports such sockets
    bool clock_is_set = false;                    // by NTP
    bool has_user = false;                        // the user that the daemon switches to exists
    std::vector<std::string> input_filters = {};  // kernel/packet_filter.h
    bool has_landlock = true;

    // The text of a file; empty: the file is missing.
    [[nodiscard]] std::string read(const std::string& path) const;
    [[nodiscard]] std::string word(const std::string& path) const;
    // The first number in a file. No value: there is none.
    [[nodiscard]] std::optional<std::uint64_t> number(const std::string& path) const;
    [[nodiscard]] bool exists(const std::string& path) const;
    [[nodiscard]] std::vector<std::string> names(const std::string& folder) const;

    // Interfaces with ports that take packets from the kernel (af_xdp, or auto).
    [[nodiscard]] std::vector<std::string> xdp_interfaces() const;
    // Interfaces of all ports, if the kernel keeps them.
    [[nodiscard]] std::vector<std::string> kernel_interfaces() const;
    [[nodiscard]] std::vector<const config::PortSettings*> pci_ports() const;
    [[nodiscard]] bool names_cores() const { return !settings.dataplane.cores.empty(); }
    // Whether it uses TLS for clients, upstreams, routers or lists, so that certificates need the
    // right time.
    [[nodiscard]] bool uses_tls() const;
};

// "0-3,8", as parse_cpu_list() reads it.
std::string format_cpu_list(const std::vector<unsigned>& cpus);

}  // namespace steer::machine
