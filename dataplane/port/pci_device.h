// PCI network devices in sysfs, and whether DPDK can drive one. Reads files, changes nothing.
//
// `root`: the folder with /sys, /dev and /proc; "" on a real machine, a folder in tests.
#pragma once

#include <string>
#include <vector>

#include "matchers/result.h"

namespace steer {

struct PciDevice {
    std::string address;                  // "0000:03:00.0"
    std::string id;                       // "8086:1572"
    std::string driver;                   // bound driver; "": none
    std::vector<std::string> interfaces;  // in the kernel, in this network namespace
    int numa_node = -1;                   // -1: only one node, or unknown
    std::string iommu_group;              // "5"; "": not in an IOMMU group
    std::string uio;                      // "uio0" if a uio driver is bound
    bool msix = false;                    // has interrupts by messages, one for each queue
    bool network = false;                 // its class is network controller

    // Whether its kernel driver shares the device with DPDK (mlx5).
    [[nodiscard]] bool shared_driver() const;
    // Whether its driver is vfio-pci or one for uio.
    [[nodiscard]] bool handed_over() const;
    // Why no worker can sleep until its queue interrupts; "": it can, as far as the PCI device and
    // its kernel driver decide. Needs a descriptor for each queue.
    [[nodiscard]] std::string no_interrupts() const;
    // The commands that bind it to a driver for DPDK.
    [[nodiscard]] std::string how_to_hand_over() const;
};

// Sorted by address.
std::vector<PciDevice> pci_network_devices(const std::string& root = {});

// Error: no device has that address (the sentence lists the existing ones).
Result<PciDevice> find_pci_device(const std::string& address, const std::string& root = {});

// Checks whether DPDK can use it now. Errors: not a network device, its driver, its IOMMU group, no
// permission to open it, open in another process; each with the remedy.
Result<void> check_for_dpdk(const PciDevice& device, const std::string& root = {});

}  // namespace steer
