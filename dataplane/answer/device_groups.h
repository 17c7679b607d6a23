// Groups of devices that people make while the daemon serves (`steerctl clients group`).
//
// Control publishes a new table after each change (control/host/process/published.h). Workers load
// the pointer, and keep none across a quiescent state. find() costs a binary search over the names,
// and a test two more over the devices. Neither allocates.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "dataplane/answer/lease_devices.h"
#include "matchers/prefix/prefix_set.h"

namespace steer {

struct DeviceGroup {
    std::vector<std::uint64_t> macs;  // sorted
    matchers::PrefixSet prefixes;

    // `lease`, `frame_mac`: as for DeviceSet::has().
    [[nodiscard]] bool has(const IpAddress& client, const LeaseDevice* lease,
                           std::uint64_t frame_mac) const noexcept;
};

class DeviceGroups {
  public:
    struct Named {
        std::string name;
        std::shared_ptr<const DeviceGroup> group;
    };
    // `all`: each name once.
    explicit DeviceGroups(std::vector<Named> all);
    // nullptr: there is no such group.
    [[nodiscard]] const DeviceGroup* find(std::string_view name) const noexcept;

  private:
    std::vector<Named> all_;  // by name
};

struct LiveGroups {
    std::atomic<const DeviceGroups*> table{nullptr};  // nullptr before the first publication
};

}  // namespace steer
