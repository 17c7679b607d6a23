// What checks look at: a configuration, and the machine that shall run it.
//
// Files are read below `root` ("" on a machine, a folder in tests). What only a system call tells is a function or a value
// here, so that a test can say it.
#pragma once

#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "control/config/settings.h"
#include "control/program/reload/port_check.h"
#include "control/runtime/ports/port_survey.h"
#include "dataplane/port/eal.h"

namespace steer::machine {

// Of an interface, beside LiveFacts.
struct InterfaceFacts {
    std::vector<IpAddress> addresses;
    bool merges_frames = false;              // large receive offload
    unsigned rx_ring = 0, most_rx_ring = 0;  // descriptors; 0: it does not say
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
    std::function<InterfaceFacts(const std::string& interface)> look;
    // control/program/reload/port_check.h.
    std::function<std::string(const PciDevice&)> way_in;
    // Who has a socket on that address, or on all, and port.
    std::function<std::optional<SocketOwner>(const IpAddress&, std::uint16_t port, bool udp)> owner;
    std::vector<unsigned> worker_cpus;
    MemoryFacts memory;
    bool has_af_xdp = false;                      // the kernel makes such sockets
    bool clock_is_set = false;                    // by NTP
    bool has_user = false;                        // that the daemon becomes
    std::vector<std::string> input_filters = {};  // kernel/packet_filter.h
    bool has_landlock = true;

    // Text of a file; empty: it is not there.
    [[nodiscard]] std::string read(const std::string& path) const;
    [[nodiscard]] std::string word(const std::string& path) const;
    // The first number; nothing: there is none.
    [[nodiscard]] std::optional<std::uint64_t> number(const std::string& path) const;
    [[nodiscard]] bool exists(const std::string& path) const;
    [[nodiscard]] std::vector<std::string> names(const std::string& folder) const;

    // Interfaces whose packets workers take from the kernel (af_xdp, or auto).
    [[nodiscard]] std::vector<std::string> xdp_interfaces() const;
    // Interfaces of all ports that the kernel keeps.
    [[nodiscard]] std::vector<std::string> kernel_interfaces() const;
    [[nodiscard]] std::vector<const config::PortSettings*> pci_ports() const;
    [[nodiscard]] bool names_cores() const { return !settings.dataplane.cores.empty(); }
    // Clients, upstreams, routers or lists by TLS: certificates have times.
    [[nodiscard]] bool uses_tls() const;
    // Connections of clients that may be open at one time.
    [[nodiscard]] std::uint64_t most_connections() const;
};

// "0-3,8" and back.
std::vector<unsigned> parse_cpu_list(const std::string& text);
std::string format_cpu_list(const std::vector<unsigned>& cpus);

}  // namespace steer::machine
