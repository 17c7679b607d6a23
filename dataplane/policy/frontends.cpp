#include "dataplane/policy/frontends.h"

namespace steer {
namespace {

bool leads_to(const IpAddress& frontend, const IpAddress& address) {
    constexpr std::uint8_t kZero[4]{};
    return frontend == address || frontend == IpAddress{} ||
           (address.is_v4() && frontend == IpAddress::from_v4(kZero));
}

}  // namespace

std::uint8_t Frontends::of_datagram(const IpAddress& address, std::uint16_t port) const noexcept {
    const Datagrams* same_port = nullptr;
    for (const Datagrams& frontend : datagrams) {
        if (frontend.port != port) continue;
        if (leads_to(frontend.address, address)) return frontend.entry;
        if (same_port == nullptr) same_port = &frontend;
    }
    return same_port != nullptr ? same_port->entry : std::uint8_t{0};
}

}  // namespace steer
