// Devices by address, from DHCP leases, and sets of devices (client_mac, client_host).
//
// Control builds both; workers only read. A look-up is a hash and a compare, a test at most four binary searches, and one for each address list of the lease. Neither
// allocates.
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
    std::string server, comment;     // of its lease, in lower case; empty: none
    std::vector<std::string> lists;  // address lists of its lease, in lower case
};

class LeaseDevices {
  public:
    LeaseDevices() = default;
    // If several have one address, the first counts.
    explicit LeaseDevices(std::vector<LeaseDevice> all);
    // nullptr: no lease has this address.
    [[nodiscard]] const LeaseDevice* find(const IpAddress& address) const noexcept;

  private:
    std::vector<LeaseDevice> all_;
    std::vector<std::uint32_t> slots_;  // a power of two; index in `all_` + 1; 0: empty
};

// Each sorted; a device is in the set by any of them.
struct DeviceSet {
    std::vector<std::uint64_t> macs;
    std::vector<std::string> names;   // labels and whole names
    std::vector<std::string> groups;  // DHCP servers, comments and address lists of leases

    // `lease`: the lease of the client's address; nullptr: none. `frame_mac`: the source of the query's frame; 0: none.
    // The lease's MAC counts before the frame's, which may be a router's.
    [[nodiscard]] bool has(const LeaseDevice* lease, std::uint64_t frame_mac) const noexcept;
};

}  // namespace steer
