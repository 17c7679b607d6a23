// The file that keeps leases across restarts: JSON, {"edge1": [{"address": "192.168.88.10",
// "host_name": "laptop", ...}, ...]}.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "matchers/result.h"
#include "routeros/dhcp_leases.h"

namespace steer::leases {

using ByRouter = std::map<std::string, std::vector<routeros::DhcpLease>>;

std::string state_text(const ByRouter& all);
// Empty if there is no file.
Result<ByRouter> load_leases(const std::string& file);
Result<void> save_leases(const std::string& file, const std::string& text);

}  // namespace steer::leases
