#include "dataplane/policy/frontends.h"

namespace steer {
namespace {

bool leads_to(const IpAddress& frontend, const IpAddress& address) {
    constexpr std::uint8_t kZero[4]{};
    return frontend == address || frontend == IpAddress{} ||
           (address.is_v4() && frontend == IpAddress::from_v4(kZero));
}

}  // namespace

const Frontends::Datagrams* Frontends::find(const IpAddress& address,
                                            std::uint16_t port) const noexcept {
    const Datagrams* same_port = nullptr;
    for (const Datagrams& frontend : datagrams) {
        if (frontend.port != port) continue;
        if (leads_to(frontend.address, address)) return &frontend;
        if (same_port == nullptr) same_port = &frontend;
    }
    return same_port;
}

std::uint8_t Frontends::of_datagram(const IpAddress& address, std::uint16_t port) const noexcept {
    const Datagrams* const found = find(address, port);
    return found != nullptr ? found->entry : std::uint8_t{0};
}

void Frontends::compare_cookies() noexcept {
    if (datagrams.empty()) return;
    cookies = datagrams.front().cookies;
    cookies_differ = require_cookies = false;
    for (const Datagrams& frontend : datagrams) {
        cookies_differ |= frontend.cookies != cookies;
        require_cookies |= frontend.cookies == CookieMode::required_under_load;
    }
}

CookieMode Frontends::cookies_by_address(const IpAddress& address,
                                         std::uint16_t port) const noexcept {
    if (const Datagrams* const found = find(address, port)) return found->cookies;
    for (const Datagrams& frontend : datagrams)
        if (leads_to(frontend.address, address)) return frontend.cookies;
    return cookies;
}

}  // namespace steer
