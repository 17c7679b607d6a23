#include "control/sinks/set_process/nftables_watch.h"

#include <libmnl/libmnl.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <sys/socket.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <filesystem>
#include <string>
#include <system_error>
#include <utility>

namespace steer::sets {
namespace {

// Our own batches cause events too; they are read after each batch.
constexpr int kReceiveBytes = 4 << 20;

// Events that can remove elements of a set, or create a set.
bool matters(std::uint16_t type) {
    if (type >> 8 != NFNL_SUBSYS_NFTABLES) return false;
    const unsigned message = type & 0xffU;
    return message == NFT_MSG_DELTABLE || message == NFT_MSG_NEWSET || message == NFT_MSG_DELSET ||
           message == NFT_MSG_DELSETELEM;
}

std::string family_text(std::uint8_t family) {
    switch (family) {
        case NFPROTO_IPV4:
            return "ip";
        case NFPROTO_IPV6:
            return "ip6";
        case NFPROTO_INET:
            return "inet";
        default:
            return "other";
    }
}

SetName name_in(const nlmsghdr& message) {
    static_assert(NFTA_SET_TABLE == 1 && NFTA_SET_ELEM_LIST_TABLE == 1 && NFTA_TABLE_NAME == 1);
    static_assert(NFTA_SET_NAME == 2 && NFTA_SET_ELEM_LIST_SET == 2);
    SetName name;
    const auto* const fixed = static_cast<const nfgenmsg*>(mnl_nlmsg_get_payload(&message));
    name.family = family_text(fixed->nfgen_family);
    const bool of_table = (message.nlmsg_type & 0xffU) == NFT_MSG_DELTABLE;
    mnl_attr_parse(
        &message, sizeof(nfgenmsg),
        [](const nlattr* attribute, void* to) {
            auto& out = *static_cast<SetName*>(to);
            const auto type = mnl_attr_get_type(attribute);
            if (type == NFTA_SET_TABLE && mnl_attr_validate(attribute, MNL_TYPE_STRING) == 0)
                out.table = mnl_attr_get_str(attribute);
            if (type == NFTA_SET_NAME && mnl_attr_validate(attribute, MNL_TYPE_STRING) == 0)
                out.name = mnl_attr_get_str(attribute);
            return MNL_CB_OK;
        },
        &name);
    if (of_table) name.name.clear();
    return name;
}

}  // namespace

Result<NftablesWatch> NftablesWatch::open() {
    auto opened = NetlinkSocket::open(NETLINK_NETFILTER, SOCK_NONBLOCK);
    if (!opened) return Error{"netlink of netfilter cannot be opened: " + opened.error().text};
    const auto bound = opened->bind(0);
    int group = NFNLGRP_NFTABLES;
    if (!bound ||
        mnl_socket_setsockopt(opened->get(), NETLINK_ADD_MEMBERSHIP, &group, sizeof group) < 0) {
        return Error{"changes of nftables cannot be followed: " +
                     (bound ? std::strerror(errno) : bound.error().text)};
    }
    opened->enlarge_receive_buffer(kReceiveBytes);
    return {boost::system::in_place_value, NftablesWatch(std::move(*opened))};
}

bool NftablesWatch::is_own(std::uint32_t port) const {
    return port == 0 || std::find(own_.begin(), own_.end(), port) != own_.end();
}

void NftablesWatch::learn_own_sockets() {
    std::error_code none;
    for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd", none)) {
        const std::string name = entry.path().filename();
        int fd = -1;
        std::from_chars(name.data(), name.data() + name.size(), fd);
        int protocol = 0;
        socklen_t length = sizeof protocol;
        sockaddr_nl address{};
        socklen_t address_length = sizeof address;
        if (::getsockopt(fd, SOL_SOCKET, SO_PROTOCOL, &protocol, &length) != 0 ||
            protocol != NETLINK_NETFILTER ||
            ::getsockname(fd, reinterpret_cast<sockaddr*>(&address), &address_length) != 0 ||
            address.nl_family != AF_NETLINK)
            continue;
        if (!is_own(address.nl_pid)) own_.push_back(address.nl_pid);
    }
}

bool NftablesWatch::read(const OnChange& on_change) {
    bool learned = false;
    return socket_.read_waiting([&](const nlmsghdr& message) {
        if (!matters(message.nlmsg_type) || is_own(message.nlmsg_pid)) return;
        if (!std::exchange(learned, true)) learn_own_sockets();
        if (!is_own(message.nlmsg_pid)) on_change(name_in(message));
    });
}

}  // namespace steer::sets
