// Devices by address, from DHCP leases, and sets of devices (client_mac, client_host).
//
// Control builds both; workers only read. find() costs a hash and a compare. A test costs at most
// four binary searches, and one more for each address list of the lease. Neither allocates.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "matchers/prefix/ip_address.h"

namespace steer {

struct LeaseDevice {
    IpAddress address;
    std::uint64_t mac = 0;           // matchers/prefix/mac_address.h; 0: not known
    std::string label, name;         // "laptop" and "laptop.lan"; empty: no name
    std::string server, comment;     // DHCP server, lease's comment; lower case; empty: none
    std::vector<std::string> lists;  // the lease's address lists, in lower case
};

class LeaseDevices {
  public:
    LeaseDevices() = default;
    // If several leases have the same address, the first one is used.
    explicit LeaseDevices(std::vector<LeaseDevice> all);
    // Returns nullptr if no lease has this address.
    [[nodiscard]] const LeaseDevice* find(const IpAddress& address) const noexcept;

  private:
    std::vector<LeaseDevice> all_;
    std::vector<std::uint32_t> slots_;  // size is a power of two; index in `all_` + 1; 0: empty
};

// The MAC address of a client; 0: not known. `lease`: of its address, or nullptr. `frame_mac`: the
// source of the query's frame, or 0. The lease's takes precedence, because the frame's may be a
// router's.
[[nodiscard]] inline std::uint64_t mac_of_client(const LeaseDevice* lease,
                                                 std::uint64_t frame_mac) noexcept {
    return lease != nullptr && lease->mac != 0 ? lease->mac : frame_mac;
}

// A set of devices. Each vector is sorted. One matching element puts a device into the set.
struct DeviceSet {
    std::vector<std::uint64_t> macs;
    std::vector<std::string> names;   // labels and whole names
    std::vector<std::string> groups;  // DHCP servers, comments and address lists of leases
    std::vector<std::string> made;  // groups that people made (device_groups.h); has() passes them

    // `lease`, `frame_mac`: as for mac_of_client().
    [[nodiscard]] bool has(const LeaseDevice* lease, std::uint64_t frame_mac) const noexcept;
};

}  // namespace steer
