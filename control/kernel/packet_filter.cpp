#include "control/kernel/packet_filter.h"

#include <arpa/inet.h>
#include <libmnl/libmnl.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <ctime>
#include <memory>
#include <string_view>

namespace steer::kernel {
namespace {

struct Attributes {
    std::array<const nlattr*, NFTA_CHAIN_MAX + 1> at{};
};

int keep_attribute(const nlattr* attribute, void* out) {
    const auto type = mnl_attr_get_type(attribute);
    if (type <= NFTA_CHAIN_MAX) static_cast<Attributes*>(out)->at.at(type) = attribute;
    return MNL_CB_OK;
}

int keep_hook(const nlattr* attribute, void* out) {
    if (mnl_attr_get_type(attribute) == NFTA_HOOK_HOOKNUM &&
        mnl_attr_validate(attribute, MNL_TYPE_U32) >= 0)
        *static_cast<std::uint32_t*>(out) = ntohl(mnl_attr_get_u32(attribute));
    return MNL_CB_OK;
}

std::string_view family_name(std::uint8_t family) {
    switch (family) {
        case NFPROTO_INET:
            return "inet";
        case NFPROTO_IPV4:
            return "ip";
        case NFPROTO_IPV6:
            return "ip6";
        default:
            return {};  // netdev, bridge, arp: not where this host receives
    }
}

std::uint32_t number_in(const nlattr* attribute, std::uint32_t otherwise) {
    if (attribute == nullptr || mnl_attr_validate(attribute, MNL_TYPE_U32) < 0) return otherwise;
    return ntohl(mnl_attr_get_u32(attribute));
}

std::string_view text_in(const nlattr* attribute) {
    if (attribute == nullptr || mnl_attr_validate(attribute, MNL_TYPE_NUL_STRING) < 0) return {};
    return mnl_attr_get_str(attribute);
}

int take_chain(const nlmsghdr* message, void* out) {
    const auto* const head = static_cast<const nfgenmsg*>(mnl_nlmsg_get_payload(message));
    Attributes found;
    if (mnl_attr_parse(message, sizeof(nfgenmsg), keep_attribute, &found) < 0) return MNL_CB_OK;
    const auto family = family_name(head->nfgen_family);
    const nlattr* const hook_at = found.at[NFTA_CHAIN_HOOK];
    if (family.empty() || hook_at == nullptr || text_in(found.at[NFTA_CHAIN_TYPE]) != "filter")
        return MNL_CB_OK;
    std::uint32_t hook = NF_INET_NUMHOOKS;
    (void)mnl_attr_parse_nested(hook_at, keep_hook, &hook);
    // The chain counts what uses it: its rules.
    const bool can_drop = number_in(found.at[NFTA_CHAIN_USE], 0) > 0 ||
                          number_in(found.at[NFTA_CHAIN_POLICY], NF_ACCEPT) == NF_DROP;
    if (!can_drop || (hook != NF_INET_PRE_ROUTING && hook != NF_INET_LOCAL_IN)) return MNL_CB_OK;
    std::string name(family);
    for (const auto part : {NFTA_CHAIN_TABLE, NFTA_CHAIN_NAME})
        name.append(" ").append(text_in(found.at.at(part)));
    static_cast<std::vector<std::string>*>(out)->push_back(std::move(name));
    return MNL_CB_OK;
}

std::string joined(const std::vector<std::string>& words) {
    std::string all;
    for (const std::string& word : words)
        all.append(all.empty() ? "" : ", ").append(word);
    return all;
}

}  // namespace

std::vector<std::string> find_input_filters() {
    constexpr timeval kPatience{1, 0};
    std::vector<std::string> chains;
    const std::unique_ptr<mnl_socket, decltype(&mnl_socket_close)> socket(
        mnl_socket_open2(NETLINK_NETFILTER, SOCK_CLOEXEC), mnl_socket_close);
    if (socket == nullptr || mnl_socket_bind(socket.get(), 0, MNL_SOCKET_AUTOPID) < 0) return {};
    const int fd = mnl_socket_get_fd(socket.get());
    (void)::setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &kPatience, sizeof kPatience);
    alignas(nlmsghdr) std::array<char, 256> request{};
    nlmsghdr* const header = mnl_nlmsg_put_header(request.data());
    header->nlmsg_type = NFNL_SUBSYS_NFTABLES << 8 | NFT_MSG_GETCHAIN;
    header->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
    header->nlmsg_seq = 1;
    auto* const family =
        static_cast<nfgenmsg*>(mnl_nlmsg_put_extra_header(header, sizeof(nfgenmsg)));
    family->nfgen_family = AF_UNSPEC;
    family->version = NFNETLINK_V0;
    if (mnl_socket_sendto(socket.get(), header, header->nlmsg_len) < 0) return {};
    std::vector<char> part(1 << 16);
    for (int state = MNL_CB_OK; state > MNL_CB_STOP;) {
        const auto size = mnl_socket_recvfrom(socket.get(), part.data(), part.size());
        if (size <= 0) break;
        state = mnl_cb_run(part.data(), static_cast<std::size_t>(size), 1,
                           mnl_socket_get_portid(socket.get()), take_chain, &chains);
    }
    std::sort(chains.begin(), chains.end());
    return chains;
}

std::string bypassed_filters(const std::vector<std::string>& devices,
                             const std::vector<std::string>& chains) {
    if (devices.empty() || chains.empty()) return {};
    return "queries that " + joined(devices) + " receives do not pass this host's firewall (" +
           joined(chains) + "): its rules for DNS have no effect there; say who may ask with " +
           "`allow` of `dataplane`, or serve with `driver: socket`";
}

}  // namespace steer::kernel
