// The kernel's interface of a device that the kernel does not see: a TAP with the device's MAC and MTU. What it
// sends is read from fd(), what is written there it has received (dataplane/port/exception.h).
//
// To the kernel, and to everything that configures networks, it is an Ethernet interface like any other:
// addresses, routes, VLAN children, VRFs and firewalls go on it. It is gone when this object, or our process,
// is. Checksums of what it sends are complete, and no frame is longer than its MTU: it has no offloads.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

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
    ~ExceptionDevice();
    ExceptionDevice(const ExceptionDevice&) = delete;
    ExceptionDevice& operator=(const ExceptionDevice&) = delete;

    [[nodiscard]] int fd() const { return fd_; }  // non-blocking; one frame a read or write
    [[nodiscard]] int if_index() const { return if_index_; }
    [[nodiscard]] const std::string& name() const { return name_; }
    // Whether the wire is there: routes over it come and go with that.
    void set_carrier(bool up) const;

  private:
    ExceptionDevice(int fd, std::string name, int if_index)
        : fd_(fd), name_(std::move(name)), if_index_(if_index) {}
    int fd_;
    std::string name_;
    int if_index_;
};

}  // namespace steer::kernel
