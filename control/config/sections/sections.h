// The sections of a configuration except `plugins`.
#pragma once

#include <string_view>
#include <vector>

#include "control/config/reading.h"

namespace steer::config {

struct Section {
    std::string_view name;
    std::string_view text;  // its meaning, for the documentation
    std::vector<RowText> (*rows)();
    // `node` is an empty map if the section is missing or empty.
    void (*read)(Reading& in, const Node& node, int line);
};

// log, dataplane, control, policy, cookies, quic, limits, routers, fleet, opnsense, mdns, plugins, include,
// runtime; and api, network of predecessors. `plugins` and `include` have no `read`: load() reads
// them last.
std::span<const Section> sections();

// Resolves the names of plugins in `limits:`. Call it after all plugins are read.
void finish_limits(Reading& in);

// Rows inside rows, for the documentation.
std::vector<RowText> rotation_row_texts();
std::vector<RowText> fetch_row_texts();
std::vector<RowText> role_row_texts();
std::vector<RowText> http_row_texts();
std::vector<RowText> http_tls_row_texts();
std::vector<RowText> token_row_texts();
std::vector<RowText> client_certificate_row_texts();
std::vector<RowText> fleet_tls_row_texts();
std::vector<RowText> port_row_texts();
std::vector<RowText> exception_rate_row_texts();
std::vector<RowText> neighbour_row_texts();

}  // namespace steer::config
