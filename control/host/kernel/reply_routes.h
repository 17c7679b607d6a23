// The kernel's routes as next hops of answers (`dataplane.reply: route`).
//
// Unlike the routes of upstreams, these are a copy: a client's address is known only when its query
// arrives. So the main tables are dumped after each change. The functions except dump_routes() are
// pure.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <vector>

#include "control/host/kernel/hop_table.h"
#include "dataplane/port/next_hop.h"
#include "matchers/prefix/prefix_values.h"

namespace steer::kernel {

// More are not copied: 24 bytes each, and a dump that delays the main thread by 0.1 s.
inline constexpr std::size_t kMaxReplyRoutes = 100'000;

// A route of a main table, with its first next hop.
struct RouteEntry {
    matchers::Prefix prefix;
    bool is_v4 = true;
    std::uint32_t metric = 0;
    int if_index = 0;                  // 0: it leads nowhere (blackhole, unreachable)
    std::optional<IpAddress> gateway;  // no value: its destinations are neighbours
};

// No value: there are more than kMaxReplyRoutes, or the kernel gives none.
std::optional<std::vector<RouteEntry>> dump_routes(Netlink& netlink);

// What the routes need: gateways, and the rules that lead to them.
struct ReplyPlan {
    std::vector<matchers::PrefixValues::Rule> rules;  // value: index of `targets`, or kBack
    std::vector<HopTarget> targets;
};
ReplyPlan plan_replies(std::vector<RouteEntry> routes, const Interfaces& interfaces,
                       std::span<const PortDevice> devices);

}  // namespace steer::kernel
