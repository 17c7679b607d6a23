#include "control/host/kernel/static_neighbours.h"

#include <linux/neighbour.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cstring>

#include "control/host/kernel/neighbours.h"

namespace steer::kernel {
namespace {

void identify(NetlinkRequest& request, int if_index, const StaticNeighbour& entry) {
    auto& fixed = request.fixed<ndmsg>();
    fixed.ndm_family = family_of(entry.ip);
    fixed.ndm_ifindex = if_index;
    fixed.ndm_state = NUD_PERMANENT;
    fixed.ndm_flags = entry.published ? NTF_PROXY : 0;
    request.put_address(NDA_DST, entry.ip);
}

}  // namespace

Result<std::unique_ptr<StaticNeighbours>> StaticNeighbours::add(
    int if_index, const std::vector<StaticNeighbour>& entries) {
    auto netlink = Netlink::open();
    if (!netlink) return netlink.error();
    std::unique_ptr<StaticNeighbours> all(new StaticNeighbours(std::move(*netlink), if_index));
    for (const StaticNeighbour& entry : entries) {
        NetlinkRequest request(RTM_NEWNEIGH, NLM_F_CREATE | NLM_F_REPLACE);
        identify(request, if_index, entry);
        if (!entry.published) request.put_bytes(NDA_LLADDR, entry.mac);
        if (const int code = all->netlink_->ask(request, [](const nlmsghdr&) {}); code != 0) {
            return Error{"the kernel refuses the neighbour " + entry.ip.to_string() + ": " +
                         std::strerror(code)};
        }
        all->added_.push_back(entry);
    }
    return all;
}

StaticNeighbours::~StaticNeighbours() {
    for (const StaticNeighbour& entry : added_) {
        NetlinkRequest request(RTM_DELNEIGH, 0);
        identify(request, if_index_, entry);
        netlink_->ask(request, [](const nlmsghdr&) {});
    }
}

Result<std::unique_ptr<LearnedNeighbours>> LearnedNeighbours::open(std::vector<int> if_indices) {
    constexpr std::array kGroups{static_cast<int>(RTNLGRP_NEIGH)};
    auto events = Netlink::open(kGroups);
    if (!events) return events.error();
    auto requests = Netlink::open();
    if (!requests) return requests.error();
    return std::unique_ptr<LearnedNeighbours>(
        new LearnedNeighbours(std::move(*events), std::move(*requests), std::move(if_indices)));
}

// IPv4 alone, as ARP is.
bool LearnedNeighbours::is_learned(const nlmsghdr& message) const {
    if (message.nlmsg_type != RTM_NEWNEIGH) return false;
    const auto entry = read_neighbour(message);
    return entry && entry->first.ip.is_v4() && entry->second.usable() &&
           entry->second.state != Neighbour::State::fixed &&
           std::find(if_indices_.begin(), if_indices_.end(), entry->first.if_index) !=
               if_indices_.end();
}

void LearnedNeighbours::remove_one(const NeighbourKey& key) {
    NetlinkRequest request(RTM_DELNEIGH, 0);
    auto& fixed = request.fixed<ndmsg>();
    fixed.ndm_family = AF_INET;
    fixed.ndm_ifindex = key.if_index;
    request.put_address(NDA_DST, key.ip);
    requests_->ask(request, [](const nlmsghdr&) {});
}

void LearnedNeighbours::remove() {
    const bool complete = events_->read_events([this](const nlmsghdr& message) {
        if (is_learned(message)) remove_one(read_neighbour(message)->first);
    });
    if (!complete) forget();
}

void LearnedNeighbours::forget() {
    NetlinkRequest request(RTM_GETNEIGH, NLM_F_DUMP);
    request.fixed<ndmsg>().ndm_family = AF_INET;
    std::vector<NeighbourKey> learned;
    requests_->ask(
        request,
        [&](const nlmsghdr& message) {
            if (is_learned(message)) learned.push_back(read_neighbour(message)->first);
        },
        [&] { learned.clear(); });
    for (const NeighbourKey& key : learned)
        remove_one(key);
}

}  // namespace steer::kernel
