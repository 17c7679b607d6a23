// `api` and `network` of ForgeDNS/OxiDNS and mosdns, converted to our settings.
#include <algorithm>

#include "control/config/plugins/upstream_entry.h"
#include "control/config/predecessors.h"
#include "control/config/values.h"
#include "matchers/quote.h"

namespace steer::config {
namespace {

bool says_something(const Node* node) {
    return node != nullptr && !node->is_null() && !(node->is_text() && node->text.empty());
}

void unknown_key(Reading& in, const Entry& entry, std::string_view owner,
                 const std::vector<std::string_view>& known) {
    in.report().unknown(entry.line, "key " + matchers::quoted(entry.key) + " in " +
                                        std::string(owner) + did_you_mean(entry.key, known));
}

// ---- api

void read_api_map(Reading& in, const Node& http, ApiOfPredecessor& out) {
    for (const Entry& entry : http.entries) {
        if (entry.key == "listen") {
            if (!says_something(&entry.value)) continue;
            out.listen = read_endpoint(in, entry.value, {"listen", "'api.http'", entry.line});
        } else if (entry.key == "auth") {
            if (!says_something(&entry.value)) continue;
            out.protected_by = "a password ('auth')";
        } else if (entry.key == "ssl") {
            if (!says_something(&entry.value) || !entry.value.is_map()) continue;
            if (const Node* const require = entry.value.find("require_client_cert");
                require != nullptr && require->is_text() &&
                parse_boolean(require->text).value_or(false)) {
                out.protected_by = "clients' certificates ('ssl')";
            } else if (out.protected_by.empty() && says_something(entry.value.find("cert"))) {
                out.protected_by = "TLS ('ssl')";
            }
        } else if (entry.key != "webui" && entry.key != "cors") {
            unknown_key(in, entry, "'api.http'", {"listen", "auth", "ssl", "webui", "cors"});
        }
    }
}

// ---- network.outbound

// A resolver of a profile: the first name server that can be asked over UDP by its address.
void read_resolver(Reading& in, const Node& node, const std::string& owner, ReachSettings& out) {
    if (!node.is_map()) return;  // "system"
    if (const Node* const version = node.find("ip_version"); says_something(version))
        read_bootstrap_version(in, *version, {"ip_version", owner, version->line}, out);
    const Node* const servers = node.find("nameservers");
    if (servers == nullptr || !servers->is_list() || servers->items.empty()) return;
    for (const Node& server : servers->items) {
        const Node* const addr = server.is_map() ? server.find("addr") : &server;
        if (addr == nullptr || !addr->is_text()) continue;
        std::string_view text = addr->text;
        if (lowered(text).starts_with("udp://")) text.remove_prefix(6);
        const auto parts = parse_host_port(text, Zones::allowed);
        if (!parts || !parts->address) continue;
        out.bootstrap = UpstreamServer{*parts->address, parts->port.value_or(53), parts->zone};
        return;
    }
    in.report().warn(node.line, "'resolver' of " + owner +
                                    " has no effect here: names of upstreams are resolved over "
                                    "UDP; write a resolver's address as 'bootstrap' of the "
                                    "upstream, or 'dial_addr'");
}

void read_profile(Reading& in, const Entry& profile) {
    const std::string owner = "profile '" + profile.key + "' of 'network.outbound'";
    ReachSettings reach;
    if (!profile.value.is_map()) {
        in.report().error(profile.line, owner +
                                            ": expected a map with the keys resolver, proxy, "
                                            "found " +
                                            std::string(profile.value.what()));
        return;
    }
    for (const Entry& entry : profile.value.entries) {
        if (entry.key == "resolver") {
            read_resolver(in, entry.value, owner, reach);
        } else if (entry.key == "proxy") {
            const Node* const socks5 = entry.value.is_map() ? entry.value.find("socks5") : nullptr;
            if (says_something(socks5))
                read_socks5(in, *socks5, {"socks5", owner, socks5->line}, reach);
        } else {
            unknown_key(in, entry, owner, {"resolver", "proxy"});
        }
    }
    in.outbound().profiles[profile.key] = reach;
}

}  // namespace

void read_api(Reading& in, const Node& node, int line) {
    const Node* const http = node.find("http");
    ApiOfPredecessor& out = in.api();
    for (const Entry& entry : node.entries) {
        if (entry.key != "http") unknown_key(in, entry, "'api'", {"http"});
    }
    if (!says_something(http)) return;
    out.line = http->line != 0 ? http->line : line;
    if (http->is_text()) {
        out.listen = read_endpoint(in, *http, {"http", "'api'", http->line});
    } else if (http->is_map()) {
        read_api_map(in, *http, out);
    } else {
        in.report().error(out.line,
                          "'http' of 'api': expected an address and a port, as in "
                          "127.0.0.1:9088, or a map with 'listen', found " +
                              std::string(http->what()));
    }
}

void finish_api(Reading& in, const Node& top) {
    const ApiOfPredecessor& api = in.api();
    if (!api.listen) return;
    Control& control = in.settings().control;
    const Node* const section = top.find("control");
    if (section != nullptr && section->is_map() && section->find("http") != nullptr) {
        in.report().warn(api.line,
                         "'api' has no effect here, because 'http' of 'control' is set: remove it");
        return;
    }
    control.http = api.listen;
    std::string text = "'api' sets 'http' of 'control' to " + api.listen->to_string() +
                       ": metrics, health and the status page have other paths";
    if (!api.protected_by.empty()) {
        constexpr std::uint8_t kLoopback[]{127, 0, 0, 1};
        if (!control.http->address.is_loopback())
            control.http->address = IpAddress::from_v4(kLoopback);
        text = "'api' is protected by " + api.protected_by +
               ", which is not supported: 'http' of 'control' listens on " +
               control.http->to_string() + " only; use a reverse proxy for other machines";
    }
    in.report().warn(api.line, text);
}

void read_network(Reading& in, const Node& node, int line) {
    for (const Entry& entry : node.entries) {
        if (entry.key != "outbound") unknown_key(in, entry, "'network'", {"outbound"});
    }
    const Node* const outbound = node.find("outbound");
    if (!says_something(outbound)) return;
    if (!outbound->is_map()) {
        in.report().error(line,
                          "'outbound' of 'network': expected a map with the keys default, "
                          "profiles, found " +
                              std::string(outbound->what()));
        return;
    }
    for (const Entry& entry : outbound->entries) {
        if (entry.key == "default") {
            if (entry.value.is_text()) in.outbound().standard = entry.value.text;
        } else if (entry.key == "profiles") {
            for (const Entry& profile : entry.value.entries)
                read_profile(in, profile);
        } else {
            unknown_key(in, entry, "'network.outbound'", {"default", "profiles"});
        }
    }
    const auto& [standard, profiles] = in.outbound();
    if (!standard.empty() && !profiles.contains(standard)) {
        in.report().error(outbound->line, "'default' of 'network.outbound' is " +
                                              matchers::quoted(standard) +
                                              ": expected the name of a profile in 'profiles'");
        return;
    }
    const bool does = std::ranges::any_of(profiles, [](const auto& profile) {
        return profile.second.bootstrap || profile.second.socks5;
    });
    if (does) {
        in.report().warn(
            outbound->line,
            "'network.outbound' sets 'bootstrap' and 'socks5' of upstreams: write them "
            "there");
    }
}

}  // namespace steer::config
