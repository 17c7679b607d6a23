#include "dataplane/answer/device_groups.h"

#include <algorithm>
#include <utility>

namespace steer {

bool DeviceGroup::has(const IpAddress& client, const LeaseDevice* lease,
                      std::uint64_t frame_mac) const noexcept {
    return prefixes.contains(client) ||
           std::ranges::binary_search(macs, mac_of_client(lease, frame_mac));
}

DeviceGroups::DeviceGroups(std::vector<Named> all) : all_(std::move(all)) {
    std::ranges::sort(all_, {}, &Named::name);
}

const DeviceGroup* DeviceGroups::find(std::string_view name) const noexcept {
    const auto at = std::ranges::lower_bound(all_, name, {}, &Named::name);
    return at != all_.end() && at->name == name ? at->group.get() : nullptr;
}

}  // namespace steer
