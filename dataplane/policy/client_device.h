// Whether the client of a query is one of these devices: by the leases that are known at this moment, and by the frame.
#pragma once

#include "dataplane/policy/query_context.h"

namespace steer {

// Looks into the tables of all dhcp_leases, the first that knows the client's address.
[[nodiscard]] bool is_client_in(const DeviceSet& set, const QueryContext& c) noexcept;

}  // namespace steer
