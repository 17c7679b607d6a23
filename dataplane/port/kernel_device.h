// Facts about a kernel interface, by ioctl, in the network namespace of the calling thread. Set-up
// only.
#pragma once

#include <cstdint>
#include <string>

#include "dataplane/port/port.h"
#include "matchers/result.h"

namespace steer {

struct KernelDevice {
    std::string name;
    int if_index = 0;
    MacAddress mac{};
    unsigned mtu = 0;
    unsigned rx_queues = 1;          // queues in use
    bool combined_channels = false;  // a queue is a channel of both directions
    std::string driver;              // "veth", "virtio_net"; "" if unknown

    // The command that sets its number of receive queues to `n`.
    [[nodiscard]] std::string set_queues_command(unsigned n) const;
};

// Errors: no such interface (the sentence lists the existing ones), not Ethernet.
Result<KernelDevice> find_kernel_device(const std::string& name);

// Returns false only if the kernel says that the interface does not exist. If no descriptor is free
// for the call, it returns true.
bool has_interface(int if_index);

// Whether the device removes VLAN tags from the frame before XDP sees it.
bool strips_vlan_tags(const std::string& name);
// Turns VLAN stripping on or off. Returns true if the device now has this setting.
bool set_vlan_stripping(const std::string& name, bool on);

}  // namespace steer
