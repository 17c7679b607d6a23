#include "control/host/kernel/reply_routes.h"

#include <libmnl/libmnl.h>
#include <sys/socket.h>

#include <algorithm>
#include <utility>

namespace steer::kernel {
namespace {

constexpr unsigned kV4Shift = 96;  // from an IPv4 prefix's length to that of its 128-bit form

IpAddress gateway_in(const nlattr& a) {
    return address_from(mnl_attr_get_payload(&a), mnl_attr_get_payload_len(&a));
}

void read_next_hop(std::uint16_t type, const nlattr& a, RouteEntry& route) {
    if (type == RTA_GATEWAY) route.gateway = gateway_in(a);
    if (type == RTA_VIA) {  // a gateway of the other family (RFC 8950)
        const auto* via = static_cast<const rtvia*>(mnl_attr_get_payload(&a));
        route.gateway =
            address_from(via->rtvia_addr, mnl_attr_get_payload_len(&a) - sizeof via->rtvia_family);
    }
}

// The first next hop of several.
void read_multipath(const nlattr& a, RouteEntry& route) {
    if (mnl_attr_get_payload_len(&a) < sizeof(rtnexthop)) return;
    const auto* first = static_cast<const rtnexthop*>(mnl_attr_get_payload(&a));
    route.if_index = first->rtnh_ifindex;
    const std::size_t end = std::min<std::size_t>(first->rtnh_len, mnl_attr_get_payload_len(&a));
    constexpr std::size_t kAlign = 4;
    for (std::size_t at = sizeof *first; at + sizeof(nlattr) <= end;) {
        const auto* inner =
            reinterpret_cast<const nlattr*>(reinterpret_cast<const char*>(first) + at);
        if (inner->nla_len < sizeof(nlattr) || at + inner->nla_len > end) return;
        read_next_hop(mnl_attr_get_type(inner), *inner, route);
        at += (inner->nla_len + kAlign - 1) / kAlign * kAlign;
    }
}

std::optional<RouteEntry> read_entry(const nlmsghdr& message) {
    const auto* fixed = static_cast<const rtmsg*>(mnl_nlmsg_get_payload(&message));
    std::uint32_t table = fixed->rtm_table;
    RouteEntry route;
    route.is_v4 = fixed->rtm_family == AF_INET;
    IpAddress destination =
        route.is_v4 ? IpAddress::from_v4(std::array<std::uint8_t, 4>{}.data()) : IpAddress{};
    for_each_attribute(message, sizeof *fixed, [&](const nlattr& a) {
        const std::uint16_t type = mnl_attr_get_type(&a);
        if (type == RTA_TABLE) table = mnl_attr_get_u32(&a);
        if (type == RTA_DST) destination = gateway_in(a);
        if (type == RTA_OIF) route.if_index = static_cast<int>(mnl_attr_get_u32(&a));
        if (type == RTA_PRIORITY) route.metric = mnl_attr_get_u32(&a);
        if (type == RTA_MULTIPATH) read_multipath(a, route);
        read_next_hop(type, a, route);
    });
    if (table != RT_TABLE_MAIN || (fixed->rtm_flags & RTM_F_CLONED) != 0) return std::nullopt;
    if (fixed->rtm_type != RTN_UNICAST) route.if_index = 0;
    route.prefix =
        matchers::Prefix::masked(destination, fixed->rtm_dst_len + (route.is_v4 ? kV4Shift : 0));
    return route;
}

}  // namespace

std::optional<std::vector<RouteEntry>> dump_routes(Netlink& netlink) {
    std::vector<RouteEntry> all;
    for (const std::uint8_t family : {std::uint8_t{AF_INET}, std::uint8_t{AF_INET6}}) {
        NetlinkRequest request(RTM_GETROUTE, NLM_F_DUMP);
        request.fixed<rtmsg>().rtm_family = family;
        const std::size_t before = all.size();
        const int failed = netlink.ask(
            request,
            [&](const nlmsghdr& m) {
                if (m.nlmsg_type != RTM_NEWROUTE || all.size() > kMaxReplyRoutes) return;
                if (const auto route = read_entry(m)) all.push_back(*route);
            },
            [&] { all.resize(before); });
        if (failed != 0 || all.size() > kMaxReplyRoutes) return std::nullopt;
    }
    return all;
}

ReplyPlan plan_replies(std::vector<RouteEntry> routes, const Interfaces& interfaces,
                       std::span<const PortDevice> devices) {
    std::stable_sort(routes.begin(), routes.end(),
                     [](const RouteEntry& a, const RouteEntry& b) { return a.metric < b.metric; });
    ReplyPlan plan;
    std::map<std::pair<int, IpAddress>, std::uint32_t> known;
    for (const RouteEntry& route : routes) {
        std::uint32_t value = ReplyRoutes::kBack;
        if (route.if_index != 0 && route.gateway) {
            const auto [at, is_new] = known.try_emplace({route.if_index, *route.gateway}, value);
            if (is_new) {
                // (The source is the query's destination: any stands for it.)
                const HopTarget target = resolve(*route.gateway,
                                                 {.kind = Route::Kind::unicast,
                                                  .if_index = route.if_index,
                                                  .gateway = route.gateway,
                                                  .source = route.gateway},
                                                 interfaces, devices);
                if (target.hop.via == NextHop::Via::port) {
                    at->second = static_cast<std::uint32_t>(plan.targets.size());
                    plan.targets.push_back(target);
                }
            }
            value = at->second;
        }
        plan.rules.push_back({route.prefix, route.is_v4, value});
    }
    return plan;
}

}  // namespace steer::kernel
