#include "control/stream/listen_socket.h"

#include <ifaddrs.h>
#include <net/if.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string>

#include "control/stream/arrival.h"
#include "control/stream/port_owner.h"
#include "control/stream/socket_address.h"

namespace steer::stream {
namespace {

constexpr int kBacklog = 512;
constexpr int kUdpBytes = 4 << 20;  // what a burst may wait in

Error explain(const ListenAddress& where, int error) {
    const std::string what = "port " + std::to_string(where.port) + " on " +
                             where.address.to_string() + " (" +
                             std::string(where.transport_name()) + ")";
    switch (error) {
        case EADDRINUSE: {
            const auto owner = find_port_owner(where);
            const std::string who =
                owner ? " (pid " + std::to_string(owner->pid) + ", " + owner->name + ")"
                      : " (which one is not visible to us; as root, `ss -lnp` shows it)";
            return {what + " is taken by another process" + who +
                    ": stop it, or let one of the two listen on another address"};
        }
        case EACCES:
            return {what +
                    " may be bound by root only: start as root, or with CAP_NET_BIND_SERVICE"};
        case EADDRNOTAVAIL:
            return {what +
                    " cannot be bound: no interface of this machine has that address; see `ip "
                    "address`"};
        default:
            return {what + " cannot be bound: " + std::strerror(error)};
    }
}

void set(int socket, int level, int option, int value) {
    // Each is an improvement only: without it the socket works, too.
    (void)::setsockopt(socket, level, option, &value, sizeof value);
}

}  // namespace

unsigned interface_of(const IpAddress& link_local) {
    ifaddrs* all = nullptr;
    if (::getifaddrs(&all) != 0) return 0;
    unsigned found = 0;
    for (const ifaddrs* i = all; i != nullptr && found == 0; i = i->ifa_next) {
        if (i->ifa_addr == nullptr || i->ifa_addr->sa_family != AF_INET6) continue;
        sockaddr_in6 v6;
        std::memcpy(&v6, i->ifa_addr, sizeof v6);
        if (IpAddress::from_v6(v6.sin6_addr.s6_addr) == link_local)
            found = ::if_nametoindex(i->ifa_name);
    }
    ::freeifaddrs(all);
    return found;
}

Result<int> open_listen_socket(const ListenAddress& where) {
    const bool is_tcp = where.transport == Transport::tcp;
    const unsigned scope = is_link_local(where.address) ? interface_of(where.address) : 0;
    const SocketAddress address(where.address, where.port, scope);
    const int socket = ::socket(
        address.family(), (is_tcp ? SOCK_STREAM : SOCK_DGRAM) | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (socket < 0) return explain(where, errno);
    if (address.family() == AF_INET6) {
        set(socket, IPPROTO_IPV6, IPV6_V6ONLY, 1);
        set(socket, IPPROTO_IPV6, IPV6_FREEBIND, 1);
    }
    if (is_tcp) {
        set(socket, SOL_SOCKET, SO_REUSEADDR, 1);  // connections of our last life may linger
    } else {
        ask_for_arrival(socket, address.family());
        set(socket, SOL_SOCKET, SO_RCVBUF, kUdpBytes);  // as much as net.core.rmem_max lets us
        set(socket, SOL_SOCKET, SO_SNDBUF, kUdpBytes);
        set(socket, SOL_SOCKET, SO_RCVBUFFORCE, kUdpBytes);  // all of it, with CAP_NET_ADMIN
        set(socket, SOL_SOCKET, SO_SNDBUFFORCE, kUdpBytes);
    }
    if (::bind(socket, address.get(), address.length) != 0 ||
        (is_tcp && ::listen(socket, kBacklog) != 0)) {
        const int error = errno;
        ::close(socket);
        return explain(where, error);
    }
    return socket;
}

}  // namespace steer::stream
