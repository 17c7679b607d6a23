#include "dataplane/port/xdp_device.h"

namespace steer {

Result<std::unique_ptr<XdpDevice>> XdpDevice::open(const std::string& device,
                                                   const AfXdpOptions& options) {
    auto steering = XdpSteering::attach(device);
    if (!steering) return steering.error();
    std::unique_ptr<XdpDevice> opened(new XdpDevice(std::move(*steering), options));
    auto ports = open_af_xdp(*opened->steering_, options);
    if (!ports) return ports.error();
    opened->set_ports(std::move(*ports));
    return opened;
}

Result<void> XdpDevice::reopen() {
    if (auto done = steering_->reattach(); !done) return done;
    return reopen_af_xdp(*steering_, ports(), options_);
}

}  // namespace steer
