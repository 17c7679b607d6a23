// Keeps the kernel from handing out our upstream source ports: net.ipv4.ip_local_reserved_ports of the
// calling thread's network namespace. Merged with what is reserved there; what we added goes with the object.
#pragma once

#include <bitset>
#include <cstdint>
#include <memory>
#include <string>

#include "matchers/result.h"

namespace steer::kernel {

using PortBits = std::bitset<65536>;

// "8080,10240-26623" and back. What is not a port or a range is skipped.
PortBits parse_port_list(const std::string& text);
std::string format_port_list(const PortBits& ports);

class ReservedPorts {
  public:
    // Both included. Error (serving works without: the kernel may then give one of these ports to another
    // program, whose packets we would take): not permitted, a read-only /proc/sys.
    static Result<std::unique_ptr<ReservedPorts>> reserve(std::uint16_t first, std::uint16_t last);
    ~ReservedPorts();
    ReservedPorts(const ReservedPorts&) = delete;
    ReservedPorts& operator=(const ReservedPorts&) = delete;

  private:
    ReservedPorts(int fd, const PortBits& added) : fd_(fd), added_(added) {}
    int fd_;          // of the sysctl in the namespace where we reserved
    PortBits added_;  // ours that were not there before
};

}  // namespace steer::kernel
