#include "control/operator/doctor/wire.h"

#include <fcntl.h>
#include <netinet/icmp6.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/io_context.hpp>
#include <cerrno>
#include <chrono>
#include <cstring>
#include <exception>

#include "control/host/kernel/addresses.h"
#include "control/host/resolver/stub_resolver.h"

namespace steer::doctor {
namespace {

using std::chrono::milliseconds;
using Clock = std::chrono::steady_clock;
using namespace std::chrono_literals;

constexpr auto kResolvePatience = 8s;
constexpr auto kConnectPatience = 5s;
// RTR_SOLICITATION_INTERVAL; RouterOS lets 3 s pass between two advertisements (ra-delay).
constexpr auto kSolicitEvery = 4s, kSolicitPatience = 9s;

std::string cause() {
    return std::strerror(errno);
}

// A socket address of either family.
struct Endpoint {
    sockaddr_storage storage{};
    socklen_t length = 0;
    sockaddr* get() { return reinterpret_cast<sockaddr*>(&storage); }

    static Endpoint of(const IpAddress& address, std::uint16_t port) {
        Endpoint out;
        if (address.is_v4()) {
            auto& in = reinterpret_cast<sockaddr_in&>(out.storage);
            in.sin_family = AF_INET;
            in.sin_port = htons(port);
            std::memcpy(&in.sin_addr, address.v4(), 4);
            out.length = sizeof in;
        } else {
            auto& in = reinterpret_cast<sockaddr_in6&>(out.storage);
            in.sin6_family = AF_INET6;
            in.sin6_port = htons(port);
            std::memcpy(&in.sin6_addr, address.bytes.data(), address.bytes.size());
            out.length = sizeof in;
        }
        return out;
    }
    [[nodiscard]] IpAddress address() const {
        if (storage.ss_family == AF_INET) {
            std::array<std::uint8_t, 4> four{};
            std::memcpy(four.data(), &reinterpret_cast<const sockaddr_in&>(storage).sin_addr, 4);
            return IpAddress::from_v4(four.data());
        }
        return IpAddress::from_v6(reinterpret_cast<const sockaddr_in6&>(storage).sin6_addr.s6_addr);
    }
    [[nodiscard]] std::uint16_t port() const {
        return ntohs(storage.ss_family == AF_INET
                         ? reinterpret_cast<const sockaddr_in&>(storage).sin_port
                         : reinterpret_cast<const sockaddr_in6&>(storage).sin6_port);
    }
};

bool bind_from(int socket, const std::optional<IpAddress>& from) {
    if (!from) return true;
    Endpoint here = Endpoint::of(*from, 0);
    return ::bind(socket, here.get(), here.length) == 0;
}

// Milliseconds until then, for poll(2); 0: it is over.
int left_until(Clock::time_point end) {
    const auto left = std::chrono::duration_cast<milliseconds>(end - Clock::now()).count();
    return static_cast<int>(std::max<std::int64_t>(left, 0));
}

void await_connection(Connection& out, Endpoint to) {
    if (::connect(out.socket.get(), to.get(), to.length) != 0 && errno != EINPROGRESS) {
        out.is_refused = errno == ECONNREFUSED;
        out.failure = cause();
        return;
    }
    Endpoint here;
    here.length = sizeof here.storage;
    if (::getsockname(out.socket.get(), here.get(), &here.length) == 0) {
        out.source = here.address();
        out.source_port = here.port();
    }
    const auto end = Clock::now() + kConnectPatience;
    pollfd wait{out.socket.get(), POLLOUT, 0};
    int ready = 0;
    do {
        ready = ::poll(&wait, 1, left_until(end));
    } while (ready < 0 && errno == EINTR);
    int error = ETIMEDOUT;
    socklen_t size = sizeof error;
    if (ready > 0) ::getsockopt(out.socket.get(), SOL_SOCKET, SO_ERROR, &error, &size);
    out.is_refused = error == ECONNREFUSED;
    if (error != 0) out.failure = std::strerror(error);
}

// ---- router advertisements

std::string prepare(int socket, const Foot& foot) {
    icmp6_filter filter;
    ICMP6_FILTER_SETBLOCKALL(&filter);
    ICMP6_FILTER_SETPASS(kAdvertisement, &filter);
    constexpr int kHops = 255, kOn = 1;
    const auto set = [socket](int level, int name, const auto& value) {
        return ::setsockopt(socket, level, name, &value, sizeof value) == 0;
    };
    const bool done = ::setsockopt(socket, SOL_SOCKET, SO_BINDTODEVICE, foot.interface.c_str(),
                                   static_cast<socklen_t>(foot.interface.size())) == 0 &&
                      set(IPPROTO_ICMPV6, ICMP6_FILTER, filter) &&
                      set(IPPROTO_IPV6, IPV6_MULTICAST_HOPS, kHops) &&
                      set(IPPROTO_IPV6, IPV6_RECVHOPLIMIT, kOn);
    return done ? std::string() : "the raw socket cannot be prepared: " + cause();
}

bool send_solicitation(int socket, const Foot& foot) {
    constexpr std::array<std::uint8_t, 8> kMessage{kSolicitation};  // the kernel adds the checksum
    Endpoint routers = Endpoint::of(*IpAddress::parse("ff02::2"), 0);
    reinterpret_cast<sockaddr_in6&>(routers.storage).sin6_scope_id =
        static_cast<std::uint32_t>(foot.if_index);
    return ::sendto(socket, kMessage.data(), kMessage.size(), 0, routers.get(), routers.length) ==
           static_cast<ssize_t>(kMessage.size());
}

void receive(int socket, std::vector<Advertisement>& all) {
    std::array<std::uint8_t, 2048> message{};
    alignas(cmsghdr) std::array<char, 256> control{};
    Endpoint from;
    iovec part{message.data(), message.size()};
    msghdr header{};
    header.msg_name = from.get();
    header.msg_namelen = sizeof from.storage;
    header.msg_iov = &part;
    header.msg_iovlen = 1;
    header.msg_control = control.data();
    header.msg_controllen = control.size();
    const ssize_t length = ::recvmsg(socket, &header, MSG_DONTWAIT);
    if (length <= 0) return;
    int hops = 0;
    for (cmsghdr* one = CMSG_FIRSTHDR(&header); one != nullptr; one = CMSG_NXTHDR(&header, one)) {
        if (one->cmsg_level == IPPROTO_IPV6 && one->cmsg_type == IPV6_HOPLIMIT)
            std::memcpy(&hops, CMSG_DATA(one), sizeof hops);
    }
    constexpr int kOnLink = 255;  // no router forwarded it (RFC 4861 6.1.2)
    if (hops != kOnLink) return;
    auto read =
        read_advertisement({message.data(), static_cast<std::size_t>(length)}, from.address());
    if (read) add(all, std::move(*read));
}

}  // namespace

std::optional<Foot> find_foot(const IpAddress& address) {
    auto netlink = kernel::Netlink::open();
    if (!netlink) return std::nullopt;
    const kernel::Interfaces seen = kernel::read_interfaces(**netlink);
    const auto here = std::ranges::find(seen.addresses, address, &kernel::Address::ip);
    if (here == seen.addresses.end()) return std::nullopt;
    const kernel::Link* const link = seen.find(here->if_index);
    if (link == nullptr) return std::nullopt;
    Foot foot{link->name, link->if_index, {}, {}};
    (address.is_v4() ? foot.v4 : foot.v6) = address;
    for (const kernel::Address& one : seen.addresses) {
        if (one.if_index != here->if_index || one.ip.is_link_local()) continue;
        auto& own = one.ip.is_v4() ? foot.v4 : foot.v6;
        if (!own) own = one.ip;
    }
    return foot;
}

Resolved resolve(const std::string& name, bool v4, const IpAddress& server,
                 const std::optional<IpAddress>& from) {
    boost::asio::io_context io(1);
    Resolved out;
    resolver::AskOptions options;
    options.v4 = v4;
    options.v6 = !v4;
    options.prepare = [&](int socket, const IpAddress& to) {
        return !from || from->is_v4() != to.is_v4() || bind_from(socket, from);
    };
    boost::asio::co_spawn(
        io,
        resolver::ask(name, {resolver::Resolver{server}}, Clock::now() + kResolvePatience, options),
        [&](const std::exception_ptr& thrown, resolver::Addresses got) {
            if (thrown) return;
            out.addresses = std::move(got.found);
            out.is_answered = got.answered;
        });
    io.run();
    return out;
}

Connection connect_to(const IpAddress& address, std::uint16_t port,
                      const std::optional<Foot>& foot) {
    Connection out;
    const int family = address.is_v4() ? AF_INET : AF_INET6;
    Descriptor socket(::socket(family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0));
    out.socket = std::move(socket);
    if (foot) {
        const auto& from = address.is_v4() ? foot->v4 : foot->v6;
        if (!from) {
            out.failure =
                foot->interface + " has no " + (address.is_v4() ? "IPv4" : "IPv6") + " address";
            return out;
        }
        const bool is_ready =
            ::setsockopt(out.socket.get(), SOL_SOCKET, SO_BINDTODEVICE, foot->interface.c_str(),
                         static_cast<socklen_t>(foot->interface.size())) == 0 &&
            bind_from(out.socket.get(), from);
        if (!is_ready) {
            out.failure = "the socket cannot be bound to " + foot->interface + ": " + cause();
            return out;
        }
    }
    await_connection(out, Endpoint::of(address, port));
    return out;
}

Solicited solicit(const Foot& foot,
                  const std::function<bool(const std::vector<Advertisement>&)>& is_enough) {
    Solicited received;
    const Descriptor socket(::socket(AF_INET6, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_ICMPV6));
    if (socket.get() < 0) {
        received.error = "no raw socket: " + cause() + "; run it as root, or with CAP_NET_RAW";
        return received;
    }
    received.error = prepare(socket.get(), foot);
    if (!received.error.empty()) return received;
    const auto end = Clock::now() + kSolicitPatience;
    auto next = Clock::now();
    while (Clock::now() < end && !is_enough(received.advertisements)) {
        if (Clock::now() >= next) {
            if (!send_solicitation(socket.get(), foot)) {
                received.error =
                    "a router solicitation cannot be sent on " + foot.interface + ": " + cause();
                return received;
            }
            next += kSolicitEvery;
        }
        pollfd wait{socket.get(), POLLIN, 0};
        if (::poll(&wait, 1, left_until(std::min(next, end))) > 0)
            receive(socket.get(), received.advertisements);
    }
    return received;
}

}  // namespace steer::doctor
