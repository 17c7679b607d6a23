#include "matchers/prefix/address_steps.h"

#include <algorithm>

namespace steer::matchers {

IpAddress filled(IpAddress address, unsigned length, bool ones) {
    for (unsigned i = 0; i < address.bytes.size(); ++i) {
        const unsigned kept = std::clamp(length, i * 8, i * 8 + 8) - i * 8;
        const auto host = static_cast<std::uint8_t>(0xffU >> kept);
        address.bytes[i] =
            static_cast<std::uint8_t>(ones ? address.bytes[i] | host : address.bytes[i] & ~host);
    }
    return address;
}

IpAddress next(IpAddress address) {
    for (auto byte = address.bytes.rbegin(); byte != address.bytes.rend() && ++*byte == 0; ++byte) {
    }
    return address;
}

IpAddress previous(IpAddress address) {
    for (auto byte = address.bytes.rbegin(); byte != address.bytes.rend() && (*byte)-- == 0;
         ++byte) {
    }
    return address;
}

}  // namespace steer::matchers
