// The list of all plugin types, and of those that are refused by name.
#include <algorithm>
#include <array>

#include "control/config/plugins/plugin_type.h"

namespace steer::config {
namespace {

constexpr std::array<const PluginType*, 13> kTypes{
    &kDomainSetType,    &kQnameType,     &kHasRespType,   &kTrueType,           &kFalseType,
    &kSequenceType,     &kForwardType,   &kCacheType,     &kRosAddressListType, &kDebugPrintType,
    &kQuerySummaryType, &kUdpServerType, &kTcpServerType,
};

constexpr auto P = Role::provider;
constexpr auto M = Role::matcher;
constexpr auto E = Role::executor;
constexpr auto S = Role::server;
constexpr PluginTypeNotYet kNotYet[] = {
    {"ip_set", P},
    {"geosite", P},
    {"geoip", P},
    {"adguard_rule", P},
    {"dynamic_domain_set", P},
    {"question", M},
    {"qtype", M},
    {"qclass", M},
    {"rcode", M},
    {"client_ip", M},
    {"resp_ip", M},
    {"ptr_ip", M},
    {"cname", M},
    {"has_wanted_ans", M},
    {"mark", M},
    {"env", M},
    {"random", M},
    {"rate_limiter", M},
    {"string_exp", M},
    {"any_match", M},
    {"fallback", E},
    {"hosts", E},
    {"arbitrary", E},
    {"redirect", E},
    {"ttl", E},
    {"ecs_handler", E},
    {"ecs", E},
    {"forward_edns0opt", E},
    {"prefer_ipv4", E},
    {"prefer_ipv6", E},
    {"black_hole", E},
    {"drop_resp", E},
    {"reverse_lookup", E},
    {"metrics_collector", E},
    {"sleep", E},
    {"ipset", E},
    {"nftset", E},
    {"query_recorder", E},
    {"http_request", E},
    {"script", E},
    {"learn_domain", E},
    {"ip_selector", E},
    {"download", E},
    {"reload_provider", E},
    {"reload", E},
    {"cron", E},
    {"upgrade", E},
    {"http_server", S},
    {"quic_server", S},
};

}  // namespace

std::span<const PluginType* const> plugin_types() {
    return kTypes;
}
std::span<const PluginTypeNotYet> plugin_types_not_yet() {
    return kNotYet;
}

const PluginType* find_type(std::string_view name) {
    const auto* at = std::find_if(kTypes.begin(), kTypes.end(),
                                  [name](const PluginType* t) { return t->name == name; });
    return at == kTypes.end() ? nullptr : *at;
}

const PluginTypeNotYet* find_type_not_yet(std::string_view name) {
    const auto* at = std::find_if(std::begin(kNotYet), std::end(kNotYet),
                                  [name](const PluginTypeNotYet& t) { return t.name == name; });
    return at == std::end(kNotYet) ? nullptr : at;
}

std::string did_you_mean_type(std::string_view written) {
    std::vector<std::string_view> names;
    for (const PluginType* type : kTypes)
        names.push_back(type->name);
    return did_you_mean(written, names);
}

std::string owner_of(const Plugin& plugin) {
    return std::string(plugin.type) + " '" + plugin.tag + "'";
}

void read_short_circuit(Reading& in, std::string_view word, const Place& place, bool& out) {
    if (word == "short_circuit") {
        out = true;
        return;
    }
    Node value;
    value.kind = Node::Kind::text;
    value.text = word.substr(std::min(word.size(), std::string_view("short_circuit=").size()));
    read_value(in, value, place, {}, out);
}

const Node& args_or_empty(const Node* args, const Plugin& plugin, Node& empty) {
    if (args != nullptr && !args->is_null()) return *args;
    empty.kind = Node::Kind::map;
    empty.line = plugin.line;
    return empty;
}

}  // namespace steer::config
