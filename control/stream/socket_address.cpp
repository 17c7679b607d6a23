#include "control/stream/socket_address.h"

#include <arpa/inet.h>

#include <cstring>

namespace steer::stream {

SocketAddress::SocketAddress(const IpAddress& address, std::uint16_t port, std::uint32_t scope) {
    if (address.is_v4()) {
        sockaddr_in v4{};
        v4.sin_family = AF_INET;
        v4.sin_port = htons(port);
        std::memcpy(&v4.sin_addr, address.v4(), 4);
        std::memcpy(&storage, &v4, sizeof v4);
        length = sizeof v4;
    } else {
        sockaddr_in6 v6{};
        v6.sin6_family = AF_INET6;
        v6.sin6_port = htons(port);
        v6.sin6_scope_id = scope;
        std::memcpy(&v6.sin6_addr, address.bytes.data(), 16);
        std::memcpy(&storage, &v6, sizeof v6);
        length = sizeof v6;
    }
}

IpAddress SocketAddress::address() const {
    if (family() == AF_INET) {
        sockaddr_in v4;
        std::memcpy(&v4, &storage, sizeof v4);
        return IpAddress::from_v4(reinterpret_cast<const std::uint8_t*>(&v4.sin_addr));
    }
    sockaddr_in6 v6;
    std::memcpy(&v6, &storage, sizeof v6);
    return IpAddress::from_v6(v6.sin6_addr.s6_addr);
}

std::uint16_t SocketAddress::port() const {
    // At the same place in both families.
    sockaddr_in any;
    std::memcpy(&any, &storage, sizeof any);
    return ntohs(any.sin_port);
}

bool is_link_local(const IpAddress& address) {
    return address.bytes[0] == 0xfe && (address.bytes[1] & 0xc0) == 0x80;
}

bool is_loopback(const IpAddress& address) {
    IpAddress one;
    one.bytes[15] = 1;
    return address.is_v4() ? address.v4()[0] == 127 : address == one;
}

}  // namespace steer::stream
