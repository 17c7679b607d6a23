// Sections that have a file of their own.
#pragma once

#include <vector>

#include "control/config/sections/sections.h"

namespace steer::config {

void read_dataplane(Reading& in, const Node& node, int line);
std::vector<RowText> dataplane_row_texts();
void read_mdns(Reading& in, const Node& node, int line);
std::vector<RowText> mdns_row_texts();
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

}  // namespace steer::config
