// What a port's settings say of its side towards the kernel: addresses, the exception interface and its rates,
// ARP and neighbours.
#pragma once

#include <string>

#include "control/config/sections/sections.h"
#include "control/config/setting.h"

namespace steer::config {

void read_port_addresses(Reading& in, const Node& node, const Place& place, PortSettings& out);
void read_exception_rates(Reading& in, const Node& node, const Place& place, PortSettings& out);
void read_neighbours(Reading& in, const Node& node, const Place& place, PortSettings& out);

// What these say together with the rest of the port. `owner` is the port, for messages.
void check_port_kernel_side(Reading& in, const PortSettings& port, const std::string& owner);

}  // namespace steer::config
