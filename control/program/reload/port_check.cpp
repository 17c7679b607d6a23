#include "control/program/reload/port_check.h"

#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>

#include <algorithm>
#include <array>
#include <cstring>
#include <map>
#include <memory>
#include <optional>

#include "control/host/kernel/next_hops.h"
#include "control/streams/base/socket_address.h"
#include "dataplane/port/memif_socket.h"

namespace steer {
namespace {

using config::Driver;
using config::PortSettings;

bool contains(const std::vector<std::string>& names, const std::string& name) {
    return std::find(names.begin(), names.end(), name) != names.end();
}

// The interface's first name, if `name` is another one of it.
std::string first_name(const std::string& name) {
    std::array<char, IF_NAMESIZE> first{};
    const unsigned index = ::if_nametoindex(name.c_str());
    return index != 0 && ::if_indextoname(index, first.data()) != nullptr ? first.data() : name;
}

Result<void> check_pci(const PortSettings& port, const HostFacts& host, const std::string& root) {
    const auto device = find_pci_device(port.pci, root);
    if (!device) return device.error();
    if (const std::string path = management_path(*device, host); !path.empty() && !port.force) {
        return Error{port.pci + " is " + path +
                     ": without it this machine is unreachable; serve it as `device: " +
                     device->interfaces.front() + "`, or set `force: true`"};
    }
    return check_for_dpdk(*device, root);
}

Result<void> check_addresses(const PortSettings& port, const HostFacts& host) {
    for (const std::string& name : port.address_links) {
        if (::if_nametoindex(name.c_str()) != 0) continue;
        return Error{"there is no interface " + name + ", which `addresses` of " + port.device +
                     " names (`ip link` lists them)"};
    }
    for (const IpAddress& address : port.addresses) {
        if (std::find(host.addresses.begin(), host.addresses.end(), address) !=
            host.addresses.end())
            continue;
        const std::string name = address.to_string();
        std::string text =
            name + " in `addresses` is not an address of this machine: `ip address add ";
        text.append(name).append(address.is_v4() ? "/32" : "/128");
        text.append(" dev ").append(port.device).append("` gives it, or remove it");
        return Error{text};
    }
    return {};
}

// The devices of a port: interfaces by their first name, NICs by address and interfaces.
std::vector<std::string> devices_of(const PortSettings& port, const std::string& root) {
    if (port.kernel_backed()) return {first_name(port.device)};
    if (port.driver == Driver::memif) {
        const std::string id = device_argument(port.device, "id");
        return {"memif socket " + device_argument(port.device, "socket") + ", id " +
                (id.empty() ? "0" : id) + ","};
    }
    if (port.pci.empty()) return {port.device};
    std::vector<std::string> all{port.pci};
    if (const auto device = find_pci_device(port.pci, root))
        all.insert(all.end(), device->interfaces.begin(), device->interfaces.end());
    return all;
}

Result<void> check_one(const PortSettings& port, const HostFacts& host, const std::string& root) {
    if (!port.pci.empty()) return check_pci(port, host, root);
    if (port.kernel_backed()) return check_addresses(port, host);
    if (port.driver == Driver::memif) return prepare_memif_socket(port.device);
    return {};
}

}  // namespace

HostFacts read_host() {
    HostFacts host;
    if (const auto name = kernel::find_default_interface()) host.default_interface = *name;
    ifaddrs* list = nullptr;
    if (::getifaddrs(&list) != 0) return host;
    const std::unique_ptr<ifaddrs, decltype(&::freeifaddrs)> owner(list, ::freeifaddrs);
    for (const ifaddrs* one = list; one != nullptr; one = one->ifa_next) {
        const auto address = stream::read_address(one->ifa_addr);
        if (!address) continue;
        host.addresses.push_back(*address);
        const bool leads_out = (one->ifa_flags & IFF_UP) != 0 &&
                               (one->ifa_flags & IFF_LOOPBACK) == 0 && !address->is_link_local();
        if (leads_out && !contains(host.interfaces, one->ifa_name))
            host.interfaces.emplace_back(one->ifa_name);
    }
    return host;
}

std::string management_path(const PciDevice& device, const HostFacts& host) {
    for (const std::string& name : device.interfaces) {
        if (name == host.default_interface) return name + ", the interface of the default route";
        if (host.interfaces.size() == 1 && host.interfaces.front() == name)
            return name + ", the only interface that is up and has an address";
    }
    return {};
}

Result<void> check_ports(const config::Settings& settings, const HostFacts& host,
                         const std::string& root) {
    std::map<std::string, int> taken;  // device: the line of its port
    for (const PortSettings& port : settings.dataplane.ports) {
        if (const auto good = check_one(port, host, root); !good)
            return Error{good.error().text, settings.file, port.line};
        for (const std::string& device : devices_of(port, root)) {
            const auto [before, is_new] = taken.emplace(device, port.line);
            if (is_new) continue;
            return Error{device + " is the device of the port in line " +
                             std::to_string(before->second) + " as well: remove one of the two",
                         settings.file, port.line};
        }
    }
    return {};
}

}  // namespace steer
