#include "control/host/kernel/neighbours.h"

#include <libmnl/libmnl.h>
#include <linux/neighbour.h>
#include <sys/socket.h>

#include <algorithm>

namespace steer::kernel {
namespace {

Neighbour::State state_of(unsigned nud) {
    if ((nud & (NUD_PERMANENT | NUD_NOARP)) != 0) return Neighbour::State::fixed;
    if ((nud & (NUD_REACHABLE | NUD_DELAY | NUD_PROBE)) != 0) return Neighbour::State::fresh;
    if ((nud & NUD_STALE) != 0) return Neighbour::State::ageing;
    if ((nud & NUD_FAILED) != 0) return Neighbour::State::failed;
    return Neighbour::State::missing;
}

void identify(NetlinkRequest& request, ndmsg& fixed, const NeighbourKey& key) {
    fixed.ndm_family = family_of(key.ip);
    fixed.ndm_ifindex = key.if_index;
    request.put_address(NDA_DST, key.ip);
}

}  // namespace

std::optional<std::pair<NeighbourKey, Neighbour>> read_neighbour(const nlmsghdr& message) {
    const auto* fixed = static_cast<const ndmsg*>(mnl_nlmsg_get_payload(&message));
    if (fixed->ndm_family != AF_INET && fixed->ndm_family != AF_INET6) return std::nullopt;
    NeighbourKey key;
    key.if_index = fixed->ndm_ifindex;
    Neighbour neighbour;
    if (message.nlmsg_type == RTM_NEWNEIGH) neighbour.state = state_of(fixed->ndm_state);
    bool has_mac = false;
    for_each_attribute(message, sizeof *fixed, [&](const nlattr& a) {
        if (mnl_attr_get_type(&a) == NDA_DST) {
            key.ip = address_from(mnl_attr_get_payload(&a), mnl_attr_get_payload_len(&a));
        } else if (mnl_attr_get_type(&a) == NDA_LLADDR &&
                   mnl_attr_get_payload_len(&a) == neighbour.mac.size()) {
            has_mac = true;
            std::copy_n(static_cast<const std::uint8_t*>(mnl_attr_get_payload(&a)),
                        neighbour.mac.size(), neighbour.mac.begin());
        }
    });
    if (!has_mac && neighbour.usable()) neighbour.state = Neighbour::State::missing;
    if (!neighbour.usable()) neighbour.mac = {};  // of an earlier life
    return std::pair(key, neighbour);
}

Neighbour ask_neighbour(Netlink& netlink, const NeighbourKey& key) {
    NetlinkRequest request(RTM_GETNEIGH, 0);
    identify(request, request.fixed<ndmsg>(), key);
    Neighbour neighbour;
    netlink.ask(request, [&](const nlmsghdr& m) {
        if (m.nlmsg_type != RTM_NEWNEIGH) return;
        if (const auto found = read_neighbour(m)) neighbour = found->second;
    });
    return neighbour;
}

void poke_neighbour(Netlink& netlink, const NeighbourKey& key) {
    NetlinkRequest request(RTM_NEWNEIGH, NLM_F_CREATE | NLM_F_REPLACE);
    auto& fixed = request.fixed<ndmsg>();
    fixed.ndm_state = NUD_NONE;
    fixed.ndm_flags = NTF_USE;
    identify(request, fixed, key);
    netlink.ask(request, [](const nlmsghdr&) {});
}

}  // namespace steer::kernel
