// Sections that have their own file.
#pragma once

#include <string>
#include <vector>

#include "control/config/sections/sections.h"
#include "control/config/setting.h"

namespace steer::config {

void read_dataplane(Reading& in, const Node& node, int line);
std::vector<RowText> dataplane_row_texts();
void read_cookies(Reading& in, const Node& node, int line);
std::vector<RowText> cookie_row_texts();
void read_quic(Reading& in, const Node& node, int line);
std::vector<RowText> quic_row_texts();
void read_limits(Reading& in, const Node& node, int line);
std::vector<RowText> limit_row_texts();
void read_mdns(Reading& in, const Node& node, int line);
std::vector<RowText> mdns_row_texts();
void read_policy(Reading& in, const Node& node, int line);
std::vector<RowText> policy_row_texts();
void read_routers(Reading& in, const Node& node, int line);
std::vector<RowText> router_row_texts();
void read_fleet(Reading& in, const Node& node, int line);
std::vector<RowText> fleet_row_texts();
void read_opnsense(Reading& in, const Node& node, int line);
std::vector<RowText> opnsense_row_texts();
std::vector<RowText> opnsense_tls_row_texts();

// `http` and `roles` of `control` (section_http.cpp).
void read_http(Reading& in, const Node& node, const Place& place, Control& out);
void read_roles(Reading& in, const Node& node, const Place& place, Control& out);

// The settings of a port towards the kernel: addresses, the exception interface and its rates, ARP
// and neighbours.
void read_port_addresses(Reading& in, const Node& node, const Place& place, PortSettings& out);
void read_exception_rates(Reading& in, const Node& node, const Place& place, PortSettings& out);
void read_neighbours(Reading& in, const Node& node, const Place& place, PortSettings& out);

// Checks these settings together with the rest of the port. `owner`: the port, for messages.
void check_port_kernel_side(Reading& in, const PortSettings& port, const std::string& owner);

}  // namespace steer::config
