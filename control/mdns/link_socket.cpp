#include "control/mdns/link_socket.h"

#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>

namespace steer::mdns {
namespace {

constexpr std::array<std::uint8_t, 4> kGroup4{224, 0, 0, 251};
constexpr std::array<std::uint8_t, 16> kGroup6{0xff, 0x02, 0, 0, 0, 0, 0, 0,
                                               0,    0,    0, 0, 0, 0, 0, 0xfb};

struct Address {
    sockaddr_storage storage{};
    socklen_t length = 0;
    [[nodiscard]] const sockaddr* get() const {
        return reinterpret_cast<const sockaddr*>(&storage);
    }
};

Address address_of(const IpAddress& ip, std::uint16_t port, int if_index) {
    Address out;
    if (ip.is_v4()) {
        sockaddr_in v4{};
        v4.sin_family = AF_INET;
        v4.sin_port = htons(port);
        std::memcpy(&v4.sin_addr, ip.v4(), 4);
        std::memcpy(&out.storage, &v4, sizeof v4);
        out.length = sizeof v4;
    } else {
        sockaddr_in6 v6{};
        v6.sin6_family = AF_INET6;
        v6.sin6_port = htons(port);
        v6.sin6_scope_id = static_cast<std::uint32_t>(if_index);
        std::memcpy(&v6.sin6_addr, ip.bytes.data(), 16);
        std::memcpy(&out.storage, &v6, sizeof v6);
        out.length = sizeof v6;
    }
    return out;
}

IpAddress group(bool v6) {
    return v6 ? IpAddress::from_v6(kGroup6.data()) : IpAddress::from_v4(kGroup4.data());
}

template <class Value>
bool set(int socket, int level, int option, const Value& value) {
    return ::setsockopt(socket, level, option, &value, sizeof value) == 0;
}

bool prepare_v4(int socket, int if_index) {
    ip_mreqn member{};
    std::memcpy(&member.imr_multiaddr, kGroup4.data(), kGroup4.size());
    member.imr_ifindex = if_index;
    return set(socket, IPPROTO_IP, IP_MULTICAST_TTL, kHopLimit) &&
           set(socket, IPPROTO_IP, IP_TTL, kHopLimit) &&
           set(socket, IPPROTO_IP, IP_MULTICAST_LOOP, 0) &&
           set(socket, IPPROTO_IP, IP_MULTICAST_ALL, 0) &&
           set(socket, IPPROTO_IP, IP_MULTICAST_IF, member) &&
           set(socket, IPPROTO_IP, IP_RECVTTL, 1) &&
           set(socket, IPPROTO_IP, IP_ADD_MEMBERSHIP, member);
}

bool prepare_v6(int socket, int if_index) {
    ipv6_mreq member{};
    std::memcpy(&member.ipv6mr_multiaddr, kGroup6.data(), kGroup6.size());
    member.ipv6mr_interface = static_cast<unsigned>(if_index);
    return set(socket, IPPROTO_IPV6, IPV6_MULTICAST_HOPS, kHopLimit) &&
           set(socket, IPPROTO_IPV6, IPV6_UNICAST_HOPS, kHopLimit) &&
           set(socket, IPPROTO_IPV6, IPV6_MULTICAST_LOOP, 0) &&
           set(socket, IPPROTO_IPV6, IPV6_MULTICAST_IF, if_index) &&
           set(socket, IPPROTO_IPV6, IPV6_RECVHOPLIMIT, 1) &&
           set(socket, IPPROTO_IPV6, IPV6_JOIN_GROUP, member);
}

bool prepare(int socket, int if_index, const std::string& name, bool v6) {
    const Address local = address_of(group(v6), kPort, if_index);
    return set(socket, SOL_SOCKET, SO_REUSEADDR, 1) &&
           (!v6 || set(socket, IPPROTO_IPV6, IPV6_V6ONLY, 1)) &&
           ::setsockopt(socket, SOL_SOCKET, SO_BINDTODEVICE, name.c_str(),
                        static_cast<socklen_t>(name.size() + 1)) == 0 &&
           ::bind(socket, local.get(), local.length) == 0 &&
           (v6 ? prepare_v6(socket, if_index) : prepare_v4(socket, if_index));
}

int hop_limit_of(msghdr& message) {
    for (cmsghdr* part = CMSG_FIRSTHDR(&message); part != nullptr;
         part = CMSG_NXTHDR(&message, part)) {
        const bool is_ttl = part->cmsg_level == IPPROTO_IP && part->cmsg_type == IP_TTL;
        const bool is_limit = part->cmsg_level == IPPROTO_IPV6 && part->cmsg_type == IPV6_HOPLIMIT;
        if (!is_ttl && !is_limit) continue;
        int value = -1;
        std::memcpy(&value, CMSG_DATA(part), sizeof value);
        return value;
    }
    return -1;
}

void read_source(const sockaddr_storage& from, Arrival& arrival) {
    if (from.ss_family == AF_INET) {
        sockaddr_in v4;
        std::memcpy(&v4, &from, sizeof v4);
        arrival.source = IpAddress::from_v4(reinterpret_cast<const std::uint8_t*>(&v4.sin_addr));
        arrival.port = ntohs(v4.sin_port);
    } else {
        sockaddr_in6 v6;
        std::memcpy(&v6, &from, sizeof v6);
        arrival.source = IpAddress::from_v6(v6.sin6_addr.s6_addr);
        arrival.port = ntohs(v6.sin6_port);
    }
}

}  // namespace

Result<int> open_link_socket(int if_index, const std::string& name, bool v6) {
    const int socket =
        ::socket(v6 ? AF_INET6 : AF_INET, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (socket >= 0 && prepare(socket, if_index, name, v6)) return socket;
    const int why = errno;
    if (socket >= 0) ::close(socket);
    std::string text = "no " + std::string(v6 ? "IPv6" : "IPv4") + " socket for mDNS on " + name +
                       ": " + std::strerror(why);
    if (why == EADDRINUSE) text += "; another program holds port 5353 exclusively";
    return Error{std::move(text)};
}

bool read_packet(int socket, std::span<std::uint8_t> room, Arrival& arrival) {
    sockaddr_storage from{};
    iovec piece{room.data(), room.size()};
    alignas(cmsghdr) std::array<std::uint8_t, CMSG_SPACE(sizeof(int))> parts;
    msghdr message{};
    message.msg_name = &from;
    message.msg_namelen = sizeof from;
    message.msg_iov = &piece;
    message.msg_iovlen = 1;
    message.msg_control = parts.data();
    message.msg_controllen = parts.size();
    ssize_t got = 0;
    do {
        got = ::recvmsg(socket, &message, 0);
    } while (got < 0 && errno == EINTR);
    if (got < 0) return false;
    read_source(from, arrival);
    arrival.hop_limit = hop_limit_of(message);
    arrival.cut = (message.msg_flags & MSG_TRUNC) != 0;
    arrival.bytes = room.first(static_cast<std::size_t>(got));
    return true;
}

bool write_to_group(int socket, int if_index, bool v6, std::span<const std::uint8_t> bytes) {
    return write_to(socket, {if_index, group(v6), kPort}, bytes);
}

bool write_to(int socket, const LegacyQuerier& querier, std::span<const std::uint8_t> bytes) {
    const Address to = address_of(querier.address, querier.port, querier.if_index);
    return ::sendto(socket, bytes.data(), bytes.size(), MSG_NOSIGNAL, to.get(), to.length) ==
           static_cast<ssize_t>(bytes.size());
}

}  // namespace steer::mdns
