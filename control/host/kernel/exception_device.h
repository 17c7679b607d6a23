// The kernel interface for a device that the kernel does not see: a TAP with the device's MAC and
// MTU. Frames pass through its descriptor or vhost-net (dataplane/port/exception.h).
//
// For the kernel, and for all network configuration, it is an ordinary Ethernet interface:
// addresses, routes, VLAN children, VRFs and firewalls apply to it. It is removed with this object
// or our process. It has no offloads: packets have complete checksums, and no frame exceeds its
// MTU.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "dataplane/port/descriptor.h"
#include "dataplane/port/port.h"
#include "matchers/prefix/ip_address.h"
#include "matchers/result.h"

namespace steer::kernel {

struct AddressOnInterface {
    IpAddress ip;
    std::uint8_t length = 0;  // of the prefix, for its family: 24, 64
};

struct ExceptionDeviceOptions {
    std::string name;
    MacAddress mac{};
    unsigned mtu = 1500;
    std::vector<AddressOnInterface> addresses = {};  // initial addresses; others may be added
};

class ExceptionDevice {
  public:
    // Creates it, up, with its addresses; needs CAP_NET_ADMIN. Errors: not permitted, no
    // /dev/net/tun, the name is in use, the kernel rejects an address.
    static Result<std::unique_ptr<ExceptionDevice>> make(const ExceptionDeviceOptions& options);
    // Brings the interface that virtio-user created for vhost-net to the same state. It is removed
    // with virtio-user.
    static Result<std::unique_ptr<ExceptionDevice>> adopt(const ExceptionDeviceOptions& options);
    // Error: an interface with that name exists.
    static Result<void> check_free(const std::string& name);
    ExceptionDevice(const ExceptionDevice&) = delete;
    ExceptionDevice& operator=(const ExceptionDevice&) = delete;

    // Whether it exists; another program may have removed it.
    [[nodiscard]] bool is_there() const;
    // After another program removed it: creates it as make() did, with the same index. Errors as
    // make(), or another interface has its index, or it belongs to virtio-user. May be tried again.
    // fd() then differs.
    Result<void> make_again();

    // A non-blocking descriptor. A read gets a frame that the interface sends; a write makes it
    // receive a frame; one frame each. -1: it belongs to virtio-user.
    [[nodiscard]] int fd() const { return fd_.get(); }
    [[nodiscard]] int if_index() const { return if_index_; }
    [[nodiscard]] const std::string& name() const { return options_.name; }
    // Sets the carrier; routes over the interface depend on it.
    void set_carrier(bool up) const;

  private:
    explicit ExceptionDevice(const ExceptionDeviceOptions& options) : options_(options) {}
    // Index 0: the kernel chooses one.
    Result<void> attach();
    const ExceptionDeviceOptions options_;
    Descriptor fd_;
    int if_index_ = 0;
};

}  // namespace steer::kernel
