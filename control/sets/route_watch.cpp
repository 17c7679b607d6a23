#include "control/sets/route_watch.h"

#include <arpa/inet.h>
#include <libmnl/libmnl.h>
#include <linux/filter.h>
#include <linux/rtnetlink.h>
#include <sys/socket.h>

#include <array>
#include <cerrno>
#include <cstddef>
#include <cstring>
#include <optional>
#include <string>

#include "control/sets/route_marks.h"

namespace steer::sets {
namespace {

// A flush of a table is an event per route: these are lost at once, and the table is read.
constexpr int kReceiveBytes = 1 << 20;

// Passes DELROUTE of our protocol that another socket sent. Loads of the filter are big-endian.
bool attach_filter(int fd, std::uint32_t own_port) {
    constexpr unsigned kType = offsetof(nlmsghdr, nlmsg_type);
    constexpr unsigned kPort = offsetof(nlmsghdr, nlmsg_pid);
    constexpr unsigned kProtocol = NLMSG_HDRLEN + offsetof(rtmsg, rtm_protocol);
    std::array<sock_filter, 8> code{{
        BPF_STMT(BPF_LD | BPF_H | BPF_ABS, kType),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, htons(RTM_DELROUTE), 0, 5),
        BPF_STMT(BPF_LD | BPF_B | BPF_ABS, kProtocol),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, kRouteProtocol, 0, 3),
        BPF_STMT(BPF_LD | BPF_W | BPF_ABS, kPort),
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, htonl(own_port), 1, 0),
        BPF_STMT(BPF_RET | BPF_K, 0xffffffff),
        BPF_STMT(BPF_RET | BPF_K, 0),
    }};
    const sock_fprog program{static_cast<unsigned short>(code.size()), code.data()};
    return ::setsockopt(fd, SOL_SOCKET, SO_ATTACH_FILTER, &program, sizeof program) == 0;
}

std::optional<SetName> table_in(const nlmsghdr& message) {
    if (message.nlmsg_type != RTM_DELROUTE) return std::nullopt;
    const auto* const route = static_cast<const rtmsg*>(mnl_nlmsg_get_payload(&message));
    if (route->rtm_family != AF_INET && route->rtm_family != AF_INET6) return std::nullopt;
    std::uint32_t table = route->rtm_table;
    mnl_attr_parse(
        &message, sizeof(rtmsg),
        [](const nlattr* attribute, void* to) {
            if (mnl_attr_get_type(attribute) == RTA_TABLE &&
                mnl_attr_validate(attribute, MNL_TYPE_U32) == 0)
                *static_cast<std::uint32_t*>(to) = mnl_attr_get_u32(attribute);
            return MNL_CB_OK;
        },
        &table);
    return SetName{SetName::kRoutes, std::to_string(table), {}, route->rtm_family == AF_INET6};
}

}  // namespace

Result<std::unique_ptr<RouteWatch>> RouteWatch::open(std::uint32_t own_port) {
    mnl_socket* const socket = mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC | SOCK_NONBLOCK);
    if (socket == nullptr)
        return Error{std::string("netlink of routes cannot be opened: ") + std::strerror(errno)};
    std::unique_ptr<RouteWatch> watch(new RouteWatch(socket));
    if (!attach_filter(mnl_socket_get_fd(socket), own_port) ||
        mnl_socket_bind(socket, RTMGRP_IPV4_ROUTE | RTMGRP_IPV6_ROUTE, MNL_SOCKET_AUTOPID) < 0) {
        return Error{std::string("changes of routes cannot be followed: ") + std::strerror(errno)};
    }
    ::setsockopt(mnl_socket_get_fd(socket), SOL_SOCKET, SO_RCVBUFFORCE, &kReceiveBytes,
                 sizeof kReceiveBytes);
    return {boost::system::in_place_value, std::move(watch)};
}

RouteWatch::~RouteWatch() {
    mnl_socket_close(socket_);
}

int RouteWatch::fd() const {
    return mnl_socket_get_fd(socket_);
}

bool RouteWatch::read(const OnChange& on_change) {
    alignas(nlmsghdr) std::array<char, 32 * 1024> buffer{};
    bool complete = true;
    std::optional<SetName> last;
    for (;;) {
        const auto bytes = mnl_socket_recvfrom(socket_, buffer.data(), buffer.size());
        if (bytes < 0 && errno == EINTR) continue;
        if (bytes < 0 && (errno == ENOBUFS || errno == ENOSPC)) {
            complete = false;
            continue;
        }
        if (bytes <= 0) return complete;
        int left = static_cast<int>(bytes);
        const auto* message = reinterpret_cast<const nlmsghdr*>(buffer.data());
        for (; mnl_nlmsg_ok(message, left); message = mnl_nlmsg_next(message, &left)) {
            const auto table = table_in(*message);
            if (!table || table == last) continue;  // one report of many routes
            last = table;
            on_change(*table);
        }
    }
}

}  // namespace steer::sets
