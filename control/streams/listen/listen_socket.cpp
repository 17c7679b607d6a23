#include "control/streams/listen/listen_socket.h"

#include <ifaddrs.h>
#include <linux/ethtool.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <memory>
#include <string>

#include "control/streams/base/socket_address.h"
#include "control/streams/listen/arrival.h"
#include "control/streams/listen/port_owner.h"

namespace steer::stream {
namespace {

constexpr int kBacklog = 4096;      // clients that come back all at once
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

// The name of the interface that has this address; "": none.
std::string interface_name(const IpAddress& address) {
    ifaddrs* all = nullptr;
    if (::getifaddrs(&all) != 0) return {};
    const std::unique_ptr<ifaddrs, decltype(&::freeifaddrs)> owner(all, ::freeifaddrs);
    for (const ifaddrs* i = all; i != nullptr; i = i->ifa_next) {
        if (read_address(i->ifa_addr) == address) return i->ifa_name;
    }
    return {};
}

// The VRF that an interface is in; "": none. Its addresses and packets are for sockets that are bound to it.
std::string vrf_of(const std::string& interface, int any_socket) {
    std::error_code none;
    const auto link =
        std::filesystem::read_symlink("/sys/class/net/" + interface + "/master", none);
    const std::string master = link.filename();
    ethtool_drvinfo driver{};
    driver.cmd = ETHTOOL_GDRVINFO;
    ifreq request{};
    request.ifr_data = reinterpret_cast<char*>(&driver);
    if (none || master.size() >= sizeof request.ifr_name) return {};
    std::memcpy(request.ifr_name, master.data(), master.size());
    const bool known = ::ioctl(any_socket, SIOCETHTOOL, &request) == 0;
    return known && std::string_view(driver.driver) == "vrf" ? master : std::string{};
}

}  // namespace

Result<int> open_listen_socket(const ListenAddress& where) {
    const bool is_tcp = where.transport == Transport::tcp;
    const std::string interface = interface_name(where.address);
    unsigned scope = 0;  // VRFs included
    if (where.address.is_link_local()) {
        scope = where.scope != 0 ? static_cast<unsigned>(where.scope)
                                 : ::if_nametoindex(interface.c_str());
    }
    const SocketAddress address(where.address, where.port, scope);
    const int socket = ::socket(
        address.family(), (is_tcp ? SOCK_STREAM : SOCK_DGRAM) | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (socket < 0) return explain(where, errno);
    if (address.family() == AF_INET6) {
        set(socket, IPPROTO_IPV6, IPV6_V6ONLY, 1);
        set(socket, IPPROTO_IPV6, IPV6_FREEBIND, 1);
    }
    if (is_tcp) {
        set(socket, SOL_SOCKET, SO_REUSEADDR, 1);  // connections of the previous process may linger
    } else {
        if (where.transport == Transport::doq) {
            set(socket, SOL_SOCKET, SO_REUSEPORT, 1);
        } else {
            ask_for_arrival(socket, address.family());
        }
        set(socket, SOL_SOCKET, SO_RCVBUF, kUdpBytes);  // as much as net.core.rmem_max lets us
        set(socket, SOL_SOCKET, SO_SNDBUF, kUdpBytes);
        set(socket, SOL_SOCKET, SO_RCVBUFFORCE, kUdpBytes);  // all of it, with CAP_NET_ADMIN
        set(socket, SOL_SOCKET, SO_SNDBUFFORCE, kUdpBytes);
    }
    if (const std::string vrf = scope == 0 ? vrf_of(interface, socket) : ""; !vrf.empty()) {
        (void)::setsockopt(socket, SOL_SOCKET, SO_BINDTODEVICE, vrf.data(),
                           static_cast<socklen_t>(vrf.size()));
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
