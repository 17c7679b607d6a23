// One neighbour entry of the kernel: its state, and a request to resolve it.
//
// The kernel does ARP and ND. We only report the use of an entry (NTF_USE), as the kernel's own
// traffic would.
#pragma once

#include <cstdint>
#include <optional>
#include <utility>

#include "control/host/kernel/netlink.h"
#include "dataplane/port/port.h"
#include "matchers/prefix/ip_address.h"

namespace steer::kernel {

struct NeighbourKey {
    int if_index = 0;
    IpAddress ip;
    auto operator<=>(const NeighbourKey&) const = default;
};

struct Neighbour {
    enum class State : std::uint8_t {
        missing,  // no entry, or resolution is in progress
        failed,   // resolution failed
        ageing,   // known, but not confirmed recently (STALE): usable, to be probed
        fresh,    // known, or being confirmed
        fixed,    // set by an administrator; a probe would undo that
    };
    State state = State::missing;
    MacAddress mac{};
    [[nodiscard]] bool usable() const { return state >= State::ageing; }
    bool operator==(const Neighbour&) const = default;
};

Neighbour ask_neighbour(Netlink& netlink, const NeighbourKey& key);

// Not for State::fixed. Creates the entry if it is missing; the kernel then sends ARP or ND.
void poke_neighbour(Netlink& netlink, const NeighbourKey& key);

// An event's content; no value if it is not about ARP or ND.
std::optional<std::pair<NeighbourKey, Neighbour>> read_neighbour(const nlmsghdr& message);

}  // namespace steer::kernel
