#include "dataplane/policy/client_device.h"

#include <algorithm>

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
    const LeaseDevice* const lease = lease_of_client(c);
    const std::uint64_t frame_mac = mac_number(c.client.mac.data());
    if (set.has(lease, frame_mac)) return true;
    if (set.made.empty()) return false;
    const DeviceGroups* const groups =
        c.snapshot.device_groups->table.load(std::memory_order_acquire);
    if (groups == nullptr) return false;
    return std::ranges::any_of(set.made, [&](const std::string& name) {
        const DeviceGroup* const group = groups->find(name);
        return group != nullptr && group->has(c.client.address, lease, frame_mac);
    });
}

}  // namespace steer
