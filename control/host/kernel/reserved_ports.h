// Prevents the kernel from using our upstream source ports: net.ipv4.ip_local_reserved_ports of the
// calling thread's network namespace. Keeps existing reservations. The destructor removes ours.
#pragma once

#include <bitset>
#include <cstdint>
#include <memory>
#include <string>

#include "matchers/result.h"

namespace steer::kernel {

using PortBits = std::bitset<65536>;

// Parses and formats "8080,10240-26623". Other text is skipped.
PortBits parse_port_list(const std::string& text);
std::string format_port_list(const PortBits& ports);

class ReservedPorts {
  public:
    // Reserves a range, both ends included. Error: not permitted, or a read-only /proc/sys. Serving
    // works without it, but the kernel may give one of these ports to another program, and we would
    // take its packets.
    static Result<std::unique_ptr<ReservedPorts>> reserve(std::uint16_t first, std::uint16_t last);
    ~ReservedPorts();
    ReservedPorts(const ReservedPorts&) = delete;
    ReservedPorts& operator=(const ReservedPorts&) = delete;

  private:
    ReservedPorts(int fd, const PortBits& added) : fd_(fd), added_(added) {}
    int fd_;          // of the sysctl in the namespace where we reserved
    PortBits added_;  // our reservations that were not there before
};

}  // namespace steer::kernel
