#include "control/host/kernel/addresses.h"

#include <libmnl/libmnl.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <net/if.h>
#include <net/if_arp.h>

#include <algorithm>
#include <string_view>

namespace steer::kernel {
namespace {

// IFLA_LINKINFO: the kind, and the id of a VLAN. True: it is a VLAN.
bool read_kind(const nlattr& link_info, Link& link) {
    bool is_vlan = false;
    for_each_attribute(link_info, [&](const nlattr& a) {
        const std::uint16_t type = mnl_attr_get_type(&a);
        if (type == IFLA_INFO_KIND) {
            const std::string_view kind = mnl_attr_get_str(&a);
            is_vlan = kind == "vlan";
            link.is_vrf = kind == "vrf";
        }
        if (type != IFLA_INFO_DATA || !is_vlan) return;  // its data follows the kind
        for_each_attribute(a, [&](const nlattr& data) {
            if (mnl_attr_get_type(&data) == IFLA_VLAN_ID) link.vlan_id = mnl_attr_get_u16(&data);
        });
    });
    return is_vlan;
}

Link read_link(const nlmsghdr& message) {
    const auto* fixed = static_cast<const ifinfomsg*>(mnl_nlmsg_get_payload(&message));
    Link link;
    link.if_index = fixed->ifi_index;
    link.up = (fixed->ifi_flags & IFF_UP) != 0 && (fixed->ifi_flags & IFF_RUNNING) != 0;
    link.asks_neighbours = fixed->ifi_type == ARPHRD_ETHER && (fixed->ifi_flags & IFF_NOARP) == 0;
    bool is_vlan = false;
    bool parent_elsewhere = false;
    int parent = 0;
    for_each_attribute(message, sizeof *fixed, [&](const nlattr& a) {
        switch (mnl_attr_get_type(&a)) {
            case IFLA_IFNAME:
                link.name = mnl_attr_get_str(&a);
                break;
            case IFLA_ADDRESS:
                if (mnl_attr_get_payload_len(&a) == link.mac.size()) {
                    std::copy_n(static_cast<const std::uint8_t*>(mnl_attr_get_payload(&a)),
                                link.mac.size(), link.mac.begin());
                }
                break;
            case IFLA_PROMISCUITY:
                link.promiscuous = mnl_attr_get_u32(&a) != 0;
                break;
            case IFLA_MASTER:
                link.master = static_cast<int>(mnl_attr_get_u32(&a));
                break;
            case IFLA_LINK:
                parent = static_cast<int>(mnl_attr_get_u32(&a));
                break;
            case IFLA_LINK_NETNSID:
                parent_elsewhere = true;
                break;
            case IFLA_LINKINFO:
                is_vlan = read_kind(a, link);
                break;
            default:
                break;
        }
    });
    if (is_vlan && !parent_elsewhere) link.vlan_parent = parent;
    return link;
}

void read_address(const nlmsghdr& message, std::vector<Address>& out) {
    const auto* fixed = static_cast<const ifaddrmsg*>(mnl_nlmsg_get_payload(&message));
    std::uint32_t flags = fixed->ifa_flags;
    const nlattr* local = nullptr;  // ours; on a point-to-point link IFA_ADDRESS is the peer
    const nlattr* address = nullptr;
    for_each_attribute(message, sizeof *fixed, [&](const nlattr& a) {
        switch (mnl_attr_get_type(&a)) {
            case IFA_LOCAL:
                local = &a;
                break;
            case IFA_ADDRESS:
                address = &a;
                break;
            case IFA_FLAGS:
                flags = mnl_attr_get_u32(&a);
                break;
            default:
                break;
        }
    });
    const nlattr* ours = local != nullptr ? local : address;
    if (ours == nullptr || (flags & (IFA_F_TENTATIVE | IFA_F_DADFAILED)) != 0) return;
    constexpr unsigned kMapped = 96;  // bits before an IPv4 address
    const unsigned length = fixed->ifa_prefixlen + (fixed->ifa_family == AF_INET ? kMapped : 0U);
    out.push_back({static_cast<int>(fixed->ifa_index),
                   address_from(mnl_attr_get_payload(ours), mnl_attr_get_payload_len(ours)),
                   static_cast<std::uint8_t>(length)});
}

}  // namespace

const Link* Interfaces::find(int if_index) const {
    const auto it = std::find_if(links.begin(), links.end(),
                                 [&](const Link& link) { return link.if_index == if_index; });
    return it == links.end() ? nullptr : &*it;
}

Interfaces read_interfaces(Netlink& netlink) {
    Interfaces all;
    NetlinkRequest links(RTM_GETLINK, NLM_F_DUMP);
    links.fixed<ifinfomsg>();
    netlink.ask(
        links,
        [&](const nlmsghdr& m) {
            if (m.nlmsg_type == RTM_NEWLINK) all.links.push_back(read_link(m));
        },
        [&] { all.links.clear(); });
    NetlinkRequest addresses(RTM_GETADDR, NLM_F_DUMP);
    addresses.fixed<ifaddrmsg>();
    netlink.ask(
        addresses,
        [&](const nlmsghdr& m) {
            if (m.nlmsg_type == RTM_NEWADDR) read_address(m, all.addresses);
        },
        [&] { all.addresses.clear(); });
    return all;
}

}  // namespace steer::kernel
