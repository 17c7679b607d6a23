#include "control/host/kernel/packet_filter.h"

#include <arpa/inet.h>
#include <libmnl/libmnl.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nf_tables_compat.h>
#include <linux/netfilter/nfnetlink.h>
#include <sys/socket.h>
#include <sys/time.h>

#include <array>
#include <cstdint>
#include <cstring>
#include <ctime>
#include <map>
#include <memory>
#include <set>
#include <string_view>
#include <utility>

namespace steer::kernel {
namespace {

// Attributes of one level, by type.
template <std::uint16_t Max>
struct Attributes {
    std::array<const nlattr*, Max + 1> at{};

    static int keep(const nlattr* attribute, void* out) {
        const auto type = mnl_attr_get_type(attribute);
        if (type <= Max) static_cast<Attributes*>(out)->at.at(type) = attribute;
        return MNL_CB_OK;
    }
    static Attributes of(const nlmsghdr* message) {
        Attributes found;
        (void)mnl_attr_parse(message, sizeof(nfgenmsg), keep, &found);
        return found;
    }
    // Those inside this one; none if it is missing.
    static Attributes in(const nlattr* outer) {
        Attributes found;
        if (outer != nullptr) (void)mnl_attr_parse_nested(outer, keep, &found);
        return found;
    }
};

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

struct Chain {
    bool receives = false;            // the kernel begins with it when this host receives
    bool drops = false;               // by its policy or a rule of its own
    std::vector<std::string> others;  // chains that its rules lead to
};
using Chains = std::map<std::string, Chain>;  // by "inet filter input"

std::string name_of(const nlmsghdr* message, const nlattr* table, std::string_view chain) {
    const auto* const head = static_cast<const nfgenmsg*>(mnl_nlmsg_get_payload(message));
    std::string name(family_name(head->nfgen_family));
    if (!name.empty()) name.append(" ").append(text_in(table)).append(" ").append(chain);
    return name;
}

int take_chain(const nlmsghdr* message, void* out) {
    const auto found = Attributes<NFTA_CHAIN_MAX>::of(message);
    const auto name =
        name_of(message, found.at[NFTA_CHAIN_TABLE], text_in(found.at[NFTA_CHAIN_NAME]));
    const nlattr* const hook_at = found.at[NFTA_CHAIN_HOOK];
    if (name.empty() || hook_at == nullptr || text_in(found.at[NFTA_CHAIN_TYPE]) != "filter")
        return MNL_CB_OK;
    const auto hook =
        number_in(Attributes<NFTA_HOOK_MAX>::in(hook_at).at[NFTA_HOOK_HOOKNUM], NF_INET_NUMHOOKS);
    Chain& chain = (*static_cast<Chains*>(out))[name];
    chain.receives = hook == NF_INET_PRE_ROUTING || hook == NF_INET_LOCAL_IN;
    chain.drops |= number_in(found.at[NFTA_CHAIN_POLICY], NF_ACCEPT) == NF_DROP;
    return MNL_CB_OK;
}

// A rule while its expressions are read.
struct Rule {
    const nlmsghdr* message;
    const nlattr* table;
    Chain& chain;
};

// What one expression of a rule can do to a packet.
int take_expression(const nlattr* expression, void* out) {
    const Rule& rule = *static_cast<const Rule*>(out);
    const auto parts = Attributes<NFTA_EXPR_MAX>::in(expression);
    const auto kind = text_in(parts.at[NFTA_EXPR_NAME]);
    const nlattr* const data = parts.at[NFTA_EXPR_DATA];
    bool drops = kind == "reject" || kind == "queue";
    if (kind == "target")  // of iptables-nft
        drops = text_in(Attributes<NFTA_TARGET_MAX>::in(data).at[NFTA_TARGET_NAME]) == "REJECT";
    if (kind == "lookup") {  // of a map of verdicts, whose elements are not read
        const auto lookup = Attributes<NFTA_LOOKUP_MAX>::in(data);
        drops = number_in(lookup.at[NFTA_LOOKUP_DREG], NFT_REG_MAX) == NFT_REG_VERDICT;
    }
    if (kind == "immediate") {
        const auto immediate = Attributes<NFTA_IMMEDIATE_MAX>::in(data);
        const auto value = Attributes<NFTA_DATA_MAX>::in(immediate.at[NFTA_IMMEDIATE_DATA]);
        const auto verdict = Attributes<NFTA_VERDICT_MAX>::in(value.at[NFTA_DATA_VERDICT]);
        drops = number_in(verdict.at[NFTA_VERDICT_CODE], NF_ACCEPT) == NF_DROP;
        if (const auto other = text_in(verdict.at[NFTA_VERDICT_CHAIN]); !other.empty())
            rule.chain.others.push_back(name_of(rule.message, rule.table, other));
    }
    if (drops) rule.chain.drops = true;
    return MNL_CB_OK;
}

int take_rule(const nlmsghdr* message, void* out) {
    const auto found = Attributes<NFTA_RULE_MAX>::of(message);
    const nlattr* const table = found.at[NFTA_RULE_TABLE];
    const auto name = name_of(message, table, text_in(found.at[NFTA_RULE_CHAIN]));
    const nlattr* const expressions = found.at[NFTA_RULE_EXPRESSIONS];
    if (name.empty() || expressions == nullptr) return MNL_CB_OK;
    Rule rule{message, table, (*static_cast<Chains*>(out))[name]};
    (void)mnl_attr_parse_nested(expressions, take_expression, &rule);
    return MNL_CB_OK;
}

// Everything of one kind, as far as the kernel tells it.
void dump(mnl_socket* socket, std::uint16_t kind, mnl_cb_t take, Chains& chains) {
    alignas(nlmsghdr) std::array<char, 256> request{};
    nlmsghdr* const header = mnl_nlmsg_put_header(request.data());
    header->nlmsg_type = static_cast<std::uint16_t>(NFNL_SUBSYS_NFTABLES << 8 | kind);
    header->nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP;
    header->nlmsg_seq = kind;
    auto* const family =
        static_cast<nfgenmsg*>(mnl_nlmsg_put_extra_header(header, sizeof(nfgenmsg)));
    family->nfgen_family = AF_UNSPEC;
    family->version = NFNETLINK_V0;
    if (mnl_socket_sendto(socket, header, header->nlmsg_len) < 0) return;
    std::vector<char> part(1 << 16);
    for (int state = MNL_CB_OK; state > MNL_CB_STOP;) {
        const auto size = mnl_socket_recvfrom(socket, part.data(), part.size());
        if (size <= 0) break;
        state = mnl_cb_run(part.data(), static_cast<std::size_t>(size), kind,
                           mnl_socket_get_portid(socket), take, &chains);
    }
}

// Whether a packet that enters this chain can be dropped by it or by one that it leads to.
bool can_drop(const Chains& chains, const std::string& first) {
    std::set<std::string> seen;
    std::vector<std::string> left{first};
    while (!left.empty()) {
        const std::string name = std::move(left.back());
        left.pop_back();
        const auto chain = chains.find(name);
        if (chain == chains.end() || !seen.insert(name).second) continue;
        if (chain->second.drops) return true;
        left.insert(left.end(), chain->second.others.begin(), chain->second.others.end());
    }
    return false;
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
    const std::unique_ptr<mnl_socket, decltype(&mnl_socket_close)> socket(
        mnl_socket_open2(NETLINK_NETFILTER, SOCK_CLOEXEC), mnl_socket_close);
    if (socket == nullptr || mnl_socket_bind(socket.get(), 0, MNL_SOCKET_AUTOPID) < 0) return {};
    (void)::setsockopt(mnl_socket_get_fd(socket.get()), SOL_SOCKET, SO_RCVTIMEO, &kPatience,
                       sizeof kPatience);
    Chains chains;
    dump(socket.get(), NFT_MSG_GETCHAIN, take_chain, chains);
    dump(socket.get(), NFT_MSG_GETRULE, take_rule, chains);
    std::vector<std::string> filters;
    for (const auto& [name, chain] : chains) {
        if (chain.receives && can_drop(chains, name)) filters.push_back(name);
    }
    return filters;
}

std::string bypassed_filters(const std::vector<std::string>& devices,
                             const std::vector<std::string>& chains) {
    if (devices.empty() || chains.empty()) return {};
    return "queries that " + joined(devices) + " receives do not pass this host's firewall (" +
           joined(chains) + "): its rules for DNS have no effect there; say who may ask with " +
           "`allow` of `dataplane`, or serve with `driver: socket`";
}

}  // namespace steer::kernel
