// PCI network devices as sysfs shows them, and whether DPDK can drive one. Reads files, changes nothing.
//
// `root` is where /sys, /dev and /proc are looked for: "" on a machine, a folder in tests.
#pragma once

#include <string>
#include <vector>

#include "matchers/result.h"

namespace steer {

struct PciDevice {
    std::string address;                  // "0000:03:00.0"
    std::string id;                       // "8086:1572"
    std::string driver;                   // that it is bound to; "": none
    std::vector<std::string> interfaces;  // the kernel's, in this network namespace
    int numa_node = -1;                   // -1: the machine has one, or does not say
    std::string iommu_group;              // "5"; "": no IOMMU has it
    std::string uio;                      // "uio0" if a uio driver has it
    bool network = false;                 // its class is network controller

    // A driver of the kernel's that DPDK drives a device beside (mlx5).
    [[nodiscard]] bool shared_driver() const;
    // vfio-pci, or one for uio.
    [[nodiscard]] bool handed_over() const;
    // The commands that hand it over to DPDK.
    [[nodiscard]] std::string how_to_hand_over() const;
};

// In order of address.
std::vector<PciDevice> pci_network_devices(const std::string& root = {});

// Errors: there is none with that address (the sentence lists those that there are).
Result<PciDevice> find_pci_device(const std::string& address, const std::string& root = {});

// Nothing, if DPDK can have it now. Errors: it is no network device, the driver that has it, its IOMMU group,
// the right to open it, the process that has it open; each with what mends it.
Result<void> check_for_dpdk(const PciDevice& device, const std::string& root = {});

}  // namespace steer
