// Whether a query's client is one of these devices, by the current DHCP leases and the frame's MAC.
#pragma once

#include "dataplane/policy/query_context.h"

namespace steer {

// Searches the tables of all dhcp_leases; uses the first lease with the client's address.
[[nodiscard]] bool is_client_in(const DeviceSet& set, const QueryContext& c) noexcept;

}  // namespace steer
