#include "dataplane/policy/client_device.h"

#include "matchers/prefix/mac_address.h"

namespace steer {

const LeaseDevice* lease_of_client(const QueryContext& c) noexcept {
    for (const auto& live : c.snapshot.lease_tables) {
        const LiveTable* const table = live->table.load(std::memory_order_acquire);
        const LeaseDevice* const lease =
            table == nullptr ? nullptr : table->devices.find(c.client.address);
        if (lease != nullptr) return lease;
    }
    return nullptr;
}

bool is_client_in(const DeviceSet& set, const QueryContext& c) noexcept {
    return set.has(lease_of_client(c), mac_number(c.client.mac.data()));
}

}  // namespace steer
