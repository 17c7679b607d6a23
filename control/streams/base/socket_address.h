// Converts between IpAddress and the kernel's sockaddr. An IPv4 address becomes a sockaddr_in.
#pragma once

#include <netinet/in.h>
#include <sys/socket.h>

#include <cstdint>
#include <cstring>
#include <optional>
#include <string>

#include "matchers/prefix/ip_address.h"

namespace steer::stream {

struct SocketAddress {
    sockaddr_storage storage{};
    socklen_t length = sizeof(sockaddr_storage);

    SocketAddress() = default;
    // `scope`: the interface of a link-local address (sin6_scope_id).
    SocketAddress(const IpAddress& address, std::uint16_t port, std::uint32_t scope = 0);

    [[nodiscard]] IpAddress address() const;
    [[nodiscard]] std::uint16_t port() const;  // host order
    [[nodiscard]] int family() const { return storage.ss_family; }
    // With the interface of a link-local address.
    friend bool operator==(const SocketAddress& a, const SocketAddress& b) {
        return a.length == b.length && std::memcmp(&a.storage, &b.storage, a.length) == 0;
    }
    [[nodiscard]] sockaddr* get() { return reinterpret_cast<sockaddr*>(&storage); }
    [[nodiscard]] const sockaddr* get() const {
        return reinterpret_cast<const sockaddr*>(&storage);
    }
};

// The address in a sockaddr from the kernel (getifaddrs). No value: another family, or none.
std::optional<IpAddress> read_address(const sockaddr* from);

}  // namespace steer::stream
