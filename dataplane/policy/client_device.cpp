#include "dataplane/policy/client_device.h"

namespace steer {

bool is_client_in(const DeviceSet& set, const QueryContext& c) noexcept {
    for (const auto& live : c.snapshot.lease_tables) {
        const LiveTable* const table = live->table.load(std::memory_order_acquire);
        const LeaseDevice* const lease = table == nullptr ? nullptr : table->devices.find(c.client);
        if (lease != nullptr) return set.has(lease, c.client_mac);
    }
    return set.has(nullptr, c.client_mac);
}

}  // namespace steer
