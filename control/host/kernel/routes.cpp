#include "control/host/kernel/hop_table.h"

#include <libmnl/libmnl.h>
#include <sys/socket.h>

#include <array>
#include <bit>
#include <limits>

namespace steer::kernel {
namespace {

IpAddress address_in(const nlattr& a) {
    return address_from(mnl_attr_get_payload(&a), mnl_attr_get_payload_len(&a));
}

Route::Kind kind_of(unsigned char type) {
    switch (type) {
        case RTN_UNICAST:
            return Route::Kind::unicast;
        case RTN_LOCAL:
            return Route::Kind::local;
        default:
            return Route::Kind::none;
    }
}

Route read_route(const nlmsghdr& message) {
    const auto* fixed = static_cast<const rtmsg*>(mnl_nlmsg_get_payload(&message));
    Route route;
    route.kind = kind_of(fixed->rtm_type);
    for_each_attribute(message, sizeof *fixed, [&](const nlattr& a) {
        switch (mnl_attr_get_type(&a)) {
            case RTA_OIF:
                route.if_index = static_cast<int>(mnl_attr_get_u32(&a));
                break;
            case RTA_GATEWAY:
                route.gateway = address_in(a);
                break;
            case RTA_VIA: {  // a gateway of the other family (RFC 8950)
                const auto* via = static_cast<const rtvia*>(mnl_attr_get_payload(&a));
                route.gateway = address_from(
                    via->rtvia_addr, mnl_attr_get_payload_len(&a) - sizeof via->rtvia_family);
                break;
            }
            case RTA_PREFSRC:
                route.source = address_in(a);
                break;
            default:
                break;
        }
    });
    return route;
}

struct DefaultRoute {
    int if_index = 0;
    std::uint32_t metric = std::numeric_limits<std::uint32_t>::max();
};

// Keeps the better one of `best` and the route in the message, if that is a default route.
void prefer_default(const nlmsghdr& message, DefaultRoute& best) {
    const auto* fixed = static_cast<const rtmsg*>(mnl_nlmsg_get_payload(&message));
    if (fixed->rtm_dst_len != 0 || fixed->rtm_type != RTN_UNICAST ||
        fixed->rtm_table != RT_TABLE_MAIN) {
        return;
    }
    DefaultRoute route;
    route.metric = 0;
    for_each_attribute(message, sizeof *fixed, [&](const nlattr& a) {
        const std::uint16_t type = mnl_attr_get_type(&a);
        if (type == RTA_OIF) route.if_index = static_cast<int>(mnl_attr_get_u32(&a));
        if (type == RTA_PRIORITY) route.metric = mnl_attr_get_u32(&a);
        if (type == RTA_MULTIPATH && mnl_attr_get_payload_len(&a) >= sizeof(rtnexthop)) {
            route.if_index = static_cast<const rtnexthop*>(mnl_attr_get_payload(&a))->rtnh_ifindex;
        }
    });
    if (route.if_index != 0 && route.metric < best.metric) best = route;
}

}  // namespace

Route ask_route(Netlink& netlink, const IpAddress& destination, int vrf) {
    NetlinkRequest request(RTM_GETROUTE, 0);
    auto& fixed = request.fixed<rtmsg>();
    fixed.rtm_family = family_of(destination);
    fixed.rtm_dst_len = destination.is_v4() ? 32 : 128;
    request.put_address(RTA_DST, destination);
    if (vrf != 0)
        request.put_bytes(RTA_OIF, std::bit_cast<std::array<std::uint8_t, sizeof vrf>>(vrf));
    Route route;
    const int failed = netlink.ask(request, [&](const nlmsghdr& m) {
        if (m.nlmsg_type == RTM_NEWROUTE) route = read_route(m);
    });
    return failed != 0 ? Route{} : route;
}

std::optional<int> find_default_route_interface(Netlink& netlink) {
    for (const std::uint8_t family : {std::uint8_t{AF_INET}, std::uint8_t{AF_INET6}}) {
        NetlinkRequest request(RTM_GETROUTE, NLM_F_DUMP);
        request.fixed<rtmsg>().rtm_family = family;
        DefaultRoute best;
        netlink.ask(request, [&](const nlmsghdr& m) {
            if (m.nlmsg_type == RTM_NEWROUTE) prefer_default(m, best);
        });
        if (best.if_index != 0) return best.if_index;
    }
    return std::nullopt;
}

}  // namespace steer::kernel
