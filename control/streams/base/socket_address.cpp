#include "control/streams/base/socket_address.h"

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

std::optional<IpAddress> read_address(const sockaddr* from) {
    if (from == nullptr || (from->sa_family != AF_INET && from->sa_family != AF_INET6)) return {};
    SocketAddress address;
    std::memcpy(&address.storage, from,
                from->sa_family == AF_INET ? sizeof(sockaddr_in) : sizeof(sockaddr_in6));
    return address.address();
}

}  // namespace steer::stream
