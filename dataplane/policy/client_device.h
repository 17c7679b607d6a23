// Whether a query's client is one of these devices, by the current DHCP leases and the frame's MAC.
#pragma once

#include "dataplane/policy/query_context.h"

namespace steer {

// The lease of the client's address; nullptr: none is known. The first dhcp_leases that has one wins.
[[nodiscard]] const LeaseDevice* lease_of_client(const QueryContext& c) noexcept;
// Searches the tables of all dhcp_leases; uses the first lease with the client's address.
[[nodiscard]] bool is_client_in(const DeviceSet& set, const QueryContext& c) noexcept;

}  // namespace steer
