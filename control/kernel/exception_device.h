// The kernel's interface of a device that the kernel does not see: a TAP with the device's MAC and MTU. Its frames
// go by its descriptor, or by vhost-net where that has it (dataplane/port/exception.h).
//
// To the kernel, and to everything that configures networks, it is an Ethernet interface like any other:
// addresses, routes, VLAN children, VRFs and firewalls go on it. It is gone when this object, or our process,
// is. Checksums of what it sends are complete, and no frame is longer than its MTU: it has no offloads.
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
    std::uint8_t length = 0;  // of the prefix, as its family counts: 24, 64
};

struct ExceptionDeviceOptions {
    std::string name;
    MacAddress mac{};
    unsigned mtu = 1500;
    std::vector<AddressOnInterface> addresses = {};  // that it is given; others may come
};

class ExceptionDevice {
  public:
    // Made, up, and with its addresses; needs CAP_NET_ADMIN. Errors: not permitted, no /dev/net/tun, the name
    // is taken, an address that the kernel refuses.
    static Result<std::unique_ptr<ExceptionDevice>> make(const ExceptionDeviceOptions& options);
    // The one of that name that virtio-user made for vhost-net, brought to the same state; it goes with virtio-user.
    static Result<std::unique_ptr<ExceptionDevice>> adopt(const ExceptionDeviceOptions& options);
    // Errors: there is an interface of that name.
    static Result<void> check_free(const std::string& name);
    ExceptionDevice(const ExceptionDevice&) = delete;
    ExceptionDevice& operator=(const ExceptionDevice&) = delete;

    // Whether it is there; somebody may have removed it.
    [[nodiscard]] bool is_there() const;
    // After somebody removed it: as make() made it, with the same index. Errors as make(), or another interface has
    // its index, or it is virtio-user's; may be tried again. fd() is another one then.
    Result<void> make_again();

    // Non-blocking; what the interface sends is read from it, what is written there it has received, a frame
    // each. -1: it is virtio-user's.
    [[nodiscard]] int fd() const { return fd_.get(); }
    [[nodiscard]] int if_index() const { return if_index_; }
    [[nodiscard]] const std::string& name() const { return options_.name; }
    // Whether the wire is there: routes over it come and go with that.
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
