#include "dataplane/policy/client_device.h"

#include "matchers/prefix/mac_address.h"

namespace steer {

bool is_client_in(const DeviceSet& set, const QueryContext& c) noexcept {
    const std::uint64_t frame_mac = mac_number(c.client.mac.data());
    for (const auto& live : c.snapshot.lease_tables) {
        const LiveTable* const table = live->table.load(std::memory_order_acquire);
        const LeaseDevice* const lease =
            table == nullptr ? nullptr : table->devices.find(c.client.address);
        if (lease != nullptr) return set.has(lease, frame_mac);
    }
    return set.has(nullptr, frame_mac);
}

}  // namespace steer
