#include "dataplane/port/packet_device.h"

namespace steer {

Result<std::unique_ptr<PacketDevice>> PacketDevice::open(const std::string& interface,
                                                         const AfPacketOptions& options) {
    std::unique_ptr<PacketDevice> opened(new PacketDevice(interface, options));
    auto ports = open_af_packet(interface, options);
    if (!ports) return ports.error();
    opened->set_ports(std::move(*ports));
    return opened;
}

std::string PacketDevice::describe() const {
    return std::to_string(options_.queues) +
           (options_.queues == 1 ? " queue" : " queues by the kernel's flow hash") +
           ", checksums in software";
}

}  // namespace steer
