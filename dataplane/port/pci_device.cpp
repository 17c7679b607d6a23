#include "dataplane/port/pci_device.h"

#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string_view>

#include "dataplane/port/folder.h"

namespace steer {
namespace {

namespace fs = std::filesystem;

// The last part of what a symbolic link points to; "": there is no such link.
std::string link_name(const fs::path& link) {
    std::error_code failed;
    return fs::read_symlink(link, failed).filename().string();
}

std::string without_0x(const std::string& hex) {
    return hex.starts_with("0x") ? hex.substr(2) : hex;
}

fs::path devices_of(const std::string& root) {
    return root + "/sys/bus/pci/devices";
}

// A virtio device has its interface one level deeper, on the virtio bus.
std::vector<std::string> interfaces_of(const fs::path& device) {
    std::vector<std::string> names = names_in(device / "net");
    for (const std::string& child : names_in(device)) {
        if (!child.starts_with("virtio")) continue;
        for (std::string& name : names_in(device / child / "net"))
            names.push_back(std::move(name));
    }
    return names;
}

// Whether the configuration space has the capability (PCI 3.0, 6.7).
bool has_msix(const fs::path& device) {
    constexpr unsigned kStatus = 6, kHasList = 0x10, kFirst = 0x34, kMsix = 0x11, kMostSteps = 48;
    std::ifstream file(device / "config", std::ios::binary);
    const std::string bytes(std::istreambuf_iterator<char>(file), {});
    const auto byte = [&](unsigned at) {
        return at < bytes.size() ? static_cast<unsigned char>(bytes[at]) : 0U;
    };
    if ((byte(kStatus) & kHasList) == 0) return false;
    unsigned at = byte(kFirst);
    for (unsigned step = 0; at != 0 && step < kMostSteps; ++step) {
        if (byte(at) == kMsix) return true;
        at = byte(at + 1);
    }
    return false;
}

PciDevice read_device(const std::string& address, const std::string& root) {
    const fs::path path = devices_of(root) / address;
    PciDevice device;
    device.address = address;
    device.id =
        without_0x(read_word(path / "vendor")) + ":" + without_0x(read_word(path / "device"));
    device.driver = link_name(path / "driver");
    device.interfaces = interfaces_of(path);
    const std::string node = read_word(path / "numa_node");
    if (!node.empty() && node[0] != '-') device.numa_node = std::stoi(node);
    device.iommu_group = link_name(path / "iommu_group");
    if (const auto uio = names_in(path / "uio"); !uio.empty()) device.uio = uio.front();
    device.msix = has_msix(path);
    device.network = read_word(path / "class").starts_with("0x02");
    return device;
}

// "steerdnsd (pid 7)": the first process that has `path` open, if it is visible to us.
std::string process_that_has(const std::string& path, const std::string& root) {
    const fs::path processes = root + "/proc";
    for (const std::string& pid : other_processes(processes)) {
        const fs::path process = processes / pid;
        for (const std::string& fd : names_in(process / "fd")) {
            std::error_code failed;
            if (fs::read_symlink(process / "fd" / fd, failed) == path)
                return read_word(process / "comm") + " (pid " + pid + ")";
        }
    }
    return {};
}

// Whether DPDK may open the device's file, and no other process has it open.
Result<void> check_node(const PciDevice& device, const std::string& path, const std::string& root) {
    if (const std::string who = process_that_has(path, root); !who.empty()) {
        return Error{device.address + " is served by another process, " + who + ": stop that one"};
    }
    if (::access((root + path).c_str(), R_OK | W_OK) != 0) {
        return Error{device.address + ": " + path + " cannot be opened (" + std::strerror(errno) +
                     "): start as root"};
    }
    return {};
}

Result<void> check_vfio(const PciDevice& device, const std::string& root) {
    if (device.iommu_group.empty()) {
        return Error{
            device.address +
            " is bound to vfio-pci and there is no IOMMU: turn it on (`intel_iommu=on` or "
            "`amd_iommu=on` on the kernel's command line, VT-d in the firmware), or bind it to "
            "uio_pci_generic"};
    }
    const fs::path group = root + "/sys/kernel/iommu_groups/" + device.iommu_group + "/devices";
    for (const std::string& other : names_in(group)) {
        const PciDevice beside = read_device(other, root);
        constexpr std::array<std::string_view, 4> kHarmless{"", "vfio-pci", "pci-stub", "pcieport"};
        if (std::find(kHarmless.begin(), kHarmless.end(), beside.driver) != kHarmless.end())
            continue;
        std::string text = device.address + " is in IOMMU group " + device.iommu_group + " with ";
        text.append(other).append(", which the driver ").append(beside.driver);
        text.append(" has: all of a group goes together; `driverctl set-override ");
        text.append(other).append(" vfio-pci`");
        return Error{text};
    }
    const bool without_iommu =
        read_word(root + "/sys/module/vfio/parameters/enable_unsafe_noiommu_mode") == "Y";
    const std::string node =
        without_iommu &&
                ::access((root + "/dev/vfio/noiommu-" + device.iommu_group).c_str(), F_OK) == 0
            ? "/dev/vfio/noiommu-" + device.iommu_group
            : "/dev/vfio/" + device.iommu_group;
    return check_node(device, node, root);
}

}  // namespace

bool PciDevice::shared_driver() const {
    return driver == "mlx5_core" || driver == "mlx4_core";
}

bool PciDevice::handed_over() const {
    return driver == "vfio-pci" || driver == "uio_pci_generic" || driver == "igb_uio";
}

std::string PciDevice::no_interrupts() const {
    if (driver != "vfio-pci" && !shared_driver()) return "by " + driver;
    return msix ? "" : "without MSI-X";
}

std::string PciDevice::how_to_hand_over() const {
    const std::string to = iommu_group.empty() ? "uio_pci_generic" : "vfio-pci";
    return "`modprobe " + to + "`, then `driverctl set-override " + address + " " + to +
           "` or `dpdk-devbind.py --bind=" + to + " " + address + "`";
}

std::vector<PciDevice> pci_network_devices(const std::string& root) {
    std::vector<PciDevice> found;
    for (const std::string& address : names_in(devices_of(root))) {
        PciDevice device = read_device(address, root);
        if (device.network) found.push_back(std::move(device));
    }
    return found;
}

Result<PciDevice> find_pci_device(const std::string& address, const std::string& root) {
    std::error_code failed;
    if (fs::exists(devices_of(root) / address, failed)) return read_device(address, root);
    std::string others;
    for (const PciDevice& device : pci_network_devices(root))
        others += (others.empty() ? "" : ", ") + device.address;
    return Error{
        "there is no PCI device " + address + " here (" +
        (others.empty() ? "no network device is on a PCI bus" : "network devices: " + others) +
        "; `steerdnsd --ports` shows them)"};
}

Result<void> check_for_dpdk(const PciDevice& device, const std::string& root) {
    if (!device.network) return Error{device.address + " is not a network device"};
    if (device.shared_driver()) return {};
    if (device.driver.empty()) {
        return Error{device.address +
                     " has no driver that DPDK can use: " + device.how_to_hand_over()};
    }
    if (!device.handed_over()) {
        std::string text = device.address + " is bound to the kernel's driver " + device.driver;
        if (!device.interfaces.empty()) text += " as " + device.interfaces.front();
        text += ": hand it over with " + device.how_to_hand_over();
        if (!device.interfaces.empty())
            text += "; or serve it as `device: " + device.interfaces.front() + "`";
        return Error{text};
    }
    if (device.driver == "vfio-pci") return check_vfio(device, root);
    if (device.uio.empty()) return {};
    return check_node(device, "/dev/" + device.uio, root);
}

}  // namespace steer
