#include "control/sinks/set_process/route_watch.h"

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

#include "control/sinks/set_process/route_marks.h"

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

Result<RouteWatch> RouteWatch::open(std::uint32_t own_port) {
    auto opened = NetlinkSocket::open(NETLINK_ROUTE, SOCK_NONBLOCK);
    if (!opened) return Error{"netlink of routes cannot be opened: " + opened.error().text};
    if (!attach_filter(opened->fd(), own_port))
        return Error{std::string("changes of routes cannot be filtered: ") + std::strerror(errno)};
    if (const auto bound = opened->bind(RTMGRP_IPV4_ROUTE | RTMGRP_IPV6_ROUTE); !bound)
        return Error{"changes of routes cannot be followed: " + bound.error().text};
    opened->enlarge_receive_buffer(kReceiveBytes);
    return {boost::system::in_place_value, RouteWatch(std::move(*opened))};
}

bool RouteWatch::read(const OnChange& on_change) {
    std::optional<SetName> last;
    return socket_.read_waiting([&](const nlmsghdr& message) {
        const auto table = table_in(message);
        if (!table || table == last) return;  // one report of many routes
        last = table;
        on_change(*table);
    });
}

}  // namespace steer::sets
