// One neighbour at a time: what the kernel knows of it, and the poke that makes it find out.
//
// The kernel does ARP and ND; we only say that an entry is in use (NTF_USE), as its own traffic would.
#pragma once

#include <cstdint>
#include <optional>
#include <utility>

#include "control/kernel/netlink.h"
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
        missing,  // no entry, or the kernel is still asking
        failed,   // asked, no answer
        ageing,   // known, but not confirmed lately (STALE): usable, to be poked
        fresh,    // known, or being confirmed
        fixed,    // by an administrator; a poke would take that from it
    };
    State state = State::missing;
    MacAddress mac{};
    [[nodiscard]] bool usable() const { return state >= State::ageing; }
    bool operator==(const Neighbour&) const = default;
};

Neighbour ask_neighbour(Netlink& netlink, const NeighbourKey& key);

// Not for State::fixed. Makes the entry if there is none; the kernel then asks the wire.
void poke_neighbour(Netlink& netlink, const NeighbourKey& key);

// An event's content; nothing if it is not of ARP or ND.
std::optional<std::pair<NeighbourKey, Neighbour>> read_neighbour(const nlmsghdr& message);

}  // namespace steer::kernel
