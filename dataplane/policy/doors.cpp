#include "dataplane/policy/doors.h"

namespace steer {
namespace {

bool leads_to(const IpAddress& door, const IpAddress& address) {
    constexpr std::uint8_t kZero[4]{};
    return door == address || door == IpAddress{} ||
           (address.is_v4() && door == IpAddress::from_v4(kZero));
}

}  // namespace

std::uint8_t Doors::of_datagram(const IpAddress& address, std::uint16_t port) const noexcept {
    const Datagrams* same_port = nullptr;
    for (const Datagrams& door : datagrams) {
        if (door.port != port) continue;
        if (leads_to(door.address, address)) return door.entry;
        if (same_port == nullptr) same_port = &door;
    }
    return same_port != nullptr ? same_port->entry : std::uint8_t{0};
}

}  // namespace steer
