// Warnings about valid configurations that probably do not do what was intended.
#include <algorithm>
#include <map>
#include <set>

#include "control/config/advice/graph.h"
#include "control/config/lists/typed_rules.h"
#include "control/config/plugin_type.h"
#include "control/config/predecessors.h"
#include "dataplane/dns/wire.h"
#include "matchers/quote.h"

namespace steer::config {
namespace {

// ---- what is never used

// Plugins that work without queries.
bool works_alone(const Plugin& plugin) {
    const auto* const download = std::get_if<Download>(&plugin.args);
    return std::holds_alternative<Cron>(plugin.args) ||
           (download != nullptr && download->startup_if_missing);
}

std::vector<bool> used_plugins(const Settings& settings) {
    std::vector<bool> used(settings.plugins.size());
    std::vector<PluginIndex> todo = settings.entries;
    todo.insert(todo.end(), settings.listed_secondaries.begin(), settings.listed_secondaries.end());
    for (const Limit& limit : settings.limits) {
        for (const LimitClients* clients : {&limit.clients, &limit.except})
            todo.insert(todo.end(), clients->sets.begin(), clients->sets.end());
    }
    for (PluginIndex i = 0; i < settings.plugins.size(); ++i) {
        if (settings.plugins[i].role == Role::server || works_alone(settings.plugins[i]))
            todo.push_back(i);
    }
    while (!todo.empty()) {
        const PluginIndex i = todo.back();
        todo.pop_back();
        if (used[i]) continue;
        used[i] = true;
        for (const auto& [next, line] : references_of(settings.plugins[i]))
            todo.push_back(next);
        if (!std::holds_alternative<DeviceMatch>(settings.plugins[i].args)) continue;
        for (PluginIndex leases = 0; leases < settings.plugins.size(); ++leases) {
            if (std::holds_alternative<DhcpLeases>(settings.plugins[leases].args))
                todo.push_back(leases);
        }
    }
    return used;
}

void advise_unused(Reading& in, const std::vector<bool>& used) {
    const auto& plugins = in.settings().plugins;
    std::string entries;
    for (const PluginIndex entry : in.settings().entries)
        entries += (entries.empty() ? "'" : "', '") + plugins[entry].tag;
    for (PluginIndex i = 0; i < plugins.size(); ++i) {
        const bool left_out = predecessors::find_type(plugins[i].type) != nullptr;
        if (used[i] || plugins[i].in_place || left_out) continue;
        in.report().warn(plugins[i].line,
                         owner_of(plugins[i]) + " is never used by queries (" + entries + "')");
    }
}

void advise_unused_routers(Reading& in) {
    const Settings& settings = in.settings();
    std::vector<bool> used(settings.routers.size());
    for (const Plugin& plugin : settings.plugins) {
        const auto use = [&](const std::vector<RouterIndex>& routers) {
            for (const RouterIndex router : routers)
                used[router] = true;
        };
        if (const auto* list = std::get_if<RouterRows>(&plugin.args)) use(list->routers);
        if (const auto* leases = std::get_if<DhcpLeases>(&plugin.args)) use(leases->routers);
        const auto* const set = std::get_if<IpSet>(&plugin.args);
        if (set != nullptr && set->live) use(set->live->routers);
        const auto* const forward = std::get_if<Forward>(&plugin.args);
        if (forward != nullptr && forward->servers_of) use({*forward->servers_of});
    }
    for (std::size_t i = 0; i < used.size(); ++i) {
        if (used[i]) continue;
        in.report().warn(settings.routers[i].line,
                         "router '" + settings.routers[i].name + "' is not used by any " +
                             names_of(Sink::router) + ", ros_list, forward or dhcp_leases");
    }
}

// ---- devices

void advise_devices(Reading& in, const std::vector<bool>& used) {
    const auto& plugins = in.settings().plugins;
    const bool has_leases = std::ranges::any_of(
        plugins, [](const Plugin& p) { return std::holds_alternative<DhcpLeases>(p.args); });
    for (PluginIndex i = 0; i < plugins.size(); ++i) {
        const auto* const devices = std::get_if<DeviceMatch>(&plugins[i].args);
        if (devices == nullptr || !used[i] || has_leases || !devices->macs.empty() ||
            !devices->made.empty())
            continue;
        in.report().warn(
            plugins[i].line,
            owner_of(plugins[i]) +
                " never matches: host names need a dhcp_leases plugin, and there is none; add one");
    }
}

// ---- recorders

// A query_recorder records what its servers are asked, not what reaches its line.
void advise_recorders(Reading& in) {
    const auto& plugins = in.settings().plugins;
    std::vector<bool> reported(plugins.size());
    const auto tell = [&](const ExecRule& rule) {
        std::vector<bool> seen(plugins.size());
        std::vector<PluginIndex> todo{rule.plugin};
        while (!todo.empty()) {
            const PluginIndex at = todo.back();
            todo.pop_back();
            if (seen[at]) continue;
            seen[at] = true;
            for (const Reference& reference : references_of(plugins[at]))
                todo.push_back(reference.to);
            if (!std::holds_alternative<QueryRecorder>(plugins[at].args) || reported[at]) continue;
            reported[at] = true;
            in.report().warn(rule.line, "'matches' has no effect on " + owner_of(plugins[at]) +
                                            ": it records all queries of its servers; run it in a "
                                            "rule without 'matches', or give these clients a "
                                            "server of their own");
        }
    };
    for (const Plugin& plugin : plugins) {
        const auto* const sequence = std::get_if<Sequence>(&plugin.args);
        if (sequence == nullptr) continue;
        for (const ExecRule& rule : sequence->rules) {
            if (!rule.matches.empty() && rule.runs_plugin()) tell(rule);
        }
    }
}

// Marks that no rule sets select nothing.
void advise_recorder_marks(Reading& in) {
    const auto& plugins = in.settings().plugins;
    std::set<std::uint32_t> set;
    for (const Plugin& plugin : plugins) {
        const auto* const sequence = std::get_if<Sequence>(&plugin.args);
        if (sequence == nullptr) continue;
        for (const ExecRule& rule : sequence->rules)
            set.insert(rule.marks.begin(), rule.marks.end());
    }
    for (const Plugin& plugin : plugins) {
        const auto* const recorder = std::get_if<QueryRecorder>(&plugin.args);
        if (recorder == nullptr) continue;
        const auto tell = [&](std::string_view key, const std::vector<std::uint32_t>& marks,
                              std::string_view effect) {
            for (const std::uint32_t mark : marks) {
                if (set.contains(mark)) continue;
                const std::string number = std::to_string(mark);
                std::string text("'");
                text.append(key).append("' of ").append(owner_of(plugin));
                text.append(" has mark ").append(number).append(", which no rule sets: ");
                text.append(effect).append("; write 'exec: mark ").append(number);
                in.report().warn(plugin.line, text.append("' in a sequence, or remove it"));
            }
        };
        tell("include_marks", recorder->include_marks, "no query is recorded for it");
        tell("exclude_marks", recorder->exclude_marks, "it excludes no query");
    }
}

// A hit log needs lists that ask for it, and these need a hit log.
void advise_hit_logs(Reading& in) {
    const Plugin* recorder = nullptr;
    const Plugin* list = nullptr;
    std::string name;
    const auto take = [&](const Plugin& plugin, const BlockTerms& terms, const std::string& of) {
        if (!terms.hit_log || list != nullptr) return;
        list = &plugin;
        name = of;
    };
    for (const Plugin& plugin : in.settings().plugins) {
        if (const auto* const args = std::get_if<QueryRecorder>(&plugin.args)) {
            if (args->hit_log) recorder = &plugin;
        } else if (const auto* const ads = std::get_if<AdList>(&plugin.args)) {
            for (const AdListPart& part : ads->lists)
                take(plugin, part.terms, part.name);
        } else if (const auto* const rpz = std::get_if<Rpz>(&plugin.args)) {
            for (const RpzZone& zone : rpz->zones)
                take(plugin, zone.terms, zone.source);
        }
    }
    if (list != nullptr && recorder == nullptr)
        in.report().warn(list->line, "'hit_log' of " + matchers::quoted_path(name) + " in " +
                                         owner_of(*list) +
                                         " has no effect: no query_recorder has a 'hit_log'; give "
                                         "one a path");
    if (list == nullptr && recorder != nullptr)
        in.report().warn(recorder->line, "'hit_log' of " + owner_of(*recorder) +
                                             " stays empty: write 'hit_log: true' beside a list of "
                                             "an adlist, or a zone of an rpz");
}

// ---- servers

void advise_servers(Reading& in) {
    const Plugin* udp = nullptr;
    bool tcp = false;
    for (const Plugin& plugin : in.settings().plugins) {
        if (std::holds_alternative<UdpServer>(plugin.args)) udp = &plugin;
        const StreamServer* const stream = stream_server_of(plugin);
        tcp = tcp || (stream != nullptr && stream->protocol == ServerProtocol::dns);
    }
    if (udp != nullptr && !tcp) {
        in.report().warn(udp->line, owner_of(*udp) +
                                        " answers over UDP only: clients with truncated answers "
                                        "need TCP; add a tcp_server");
    }
}

void advise_quic_of_fleet(Reading& in) {
    const Settings& settings = in.settings();
    const bool has_quic = std::ranges::any_of(settings.plugins, [](const Plugin& plugin) {
        const StreamServer* const stream = stream_server_of(plugin);
        return stream != nullptr && (!stream->is_over_tcp() || stream->has_http3());
    });
    if (settings.fleet.name.empty() || !has_quic || !settings.quic.secret_file.empty()) return;
    in.report().warn(
        settings.fleet.line,
        "each box of 'fleet' has its own secret of QUIC: a client whose packets reach another box "
        "waits for its connection's idle time; write the same 'secret_file' in 'quic' of all "
        "boxes");
}

// A client without a cookie is sent to TCP, so a server has to be there.
void advise_cookies(Reading& in) {
    const Settings& settings = in.settings();
    const auto has_tcp = [&](const Endpoint& at) {
        return std::ranges::any_of(settings.plugins, [&](const Plugin& plugin) {
            const StreamServer* const stream = stream_server_of(plugin);
            return stream != nullptr && stream->protocol == ServerProtocol::dns &&
                   stream->tls.cert.empty() && stream->listen.port == at.port &&
                   (stream->listen.address == at.address || stream->listen.any() ||
                    (stream->listen.any_v4() && at.address.is_v4()));
        });
    };
    for (const Plugin& plugin : settings.plugins) {
        const auto* const udp = std::get_if<UdpServer>(&plugin.args);
        if (udp == nullptr || udp->cookies != ServerCookies::required_under_load ||
            has_tcp(udp->listen))
            continue;
        in.report().warn(plugin.line,
                         owner_of(plugin) +
                             " sends clients without a cookie to TCP under load, and nothing "
                             "answers there: add a tcp_server on the same address and port");
    }
    const bool has_udp = std::ranges::any_of(settings.plugins, [](const Plugin& plugin) {
        const auto* const udp = std::get_if<UdpServer>(&plugin.args);
        return udp != nullptr && udp->cookies != ServerCookies::off;
    });
    if (settings.fleet.name.empty() || !has_udp || !settings.cookies.secret_file.empty()) return;
    in.report().warn(
        settings.fleet.line,
        "each box of 'fleet' has its own secret of cookies: a client's cookie is valid on "
        "one box only; write the same 'secret_file' in 'cookies' of all boxes");
}

// ---- questions that are not forwarded

// Rules for class CHAOS were written to forward it, or to refuse it.
void advise_chaos(Reading& in, const std::vector<bool>& used) {
    const Settings& settings = in.settings();
    if (settings.policy.version_bind || settings.policy.id_server) return;
    for (PluginIndex i = 0; i < settings.plugins.size(); ++i) {
        const auto* const match = std::get_if<NumberMatch>(&settings.plugins[i].args);
        if (match == nullptr || !used[i] || match->of != NumberOf::klass ||
            !std::ranges::binary_search(match->numbers, std::uint16_t{dns::kChaos}))
            continue;
        in.report().warn(settings.plugins[i].line,
                         owner_of(settings.plugins[i]) +
                             " is about class CHAOS, which is never forwarded: clients get NOTIMP; "
                             "write 'version_bind' and 'id_server' in 'policy', 'off' or a text");
    }
}

// ---- ad lists

void advise_adlists(Reading& in, const std::vector<bool>& used) {
    const Settings& settings = in.settings();
    for (PluginIndex i = 0; i < settings.plugins.size(); ++i) {
        const auto* const ads = std::get_if<AdList>(&settings.plugins[i].args);
        if (ads == nullptr || !used[i] || ads->cname) continue;
        in.report().warn(settings.plugins[i].line,
                         owner_of(settings.plugins[i]) +
                             " also blocks names whose answers point to its lists by CNAME, HTTPS "
                             "or SVCB, which older versions did not: write 'cname: true' or "
                             "'cname: false'");
    }
}

// ---- lists

void advise_lists(Reading& in, const std::vector<bool>& used) {
    const auto& settings = in.settings();
    std::map<std::tuple<RouterIndex, bool, std::string_view, std::string>, const Plugin*> lists;
    for (PluginIndex i = 0; i < settings.plugins.size(); ++i) {
        const Plugin& plugin = settings.plugins[i];
        const auto* list = std::get_if<RouterRows>(&plugin.args);
        if (list == nullptr || !used[i]) continue;
        for (const RouterIndex router : list->routers) {
            for (const bool v6 : {false, true}) {
                const std::string name = list->group(v6);
                if (name.empty()) continue;
                const auto [at, fresh] =
                    lists.emplace(std::tuple(router, v6, list->kind->menu, name), &plugin);
                if (fresh) continue;
                const std::string group(list->kind->group);
                std::string both = owner_of(plugin);
                both.append(" and ").append(owner_of(*at->second)).append(" write the ");
                both.append(group).append(" '").append(name).append("' on the same router");
                const auto& other = std::get<RouterRows>(at->second->args);
                if (list->values[v6 ? 1 : 0] != other.values[v6 ? 1 : 0]) {
                    both.append(" with different ").append(list->kind->differing);
                    both.append(": give each a ").append(group).append(" of its own");
                    in.report().error(plugin.line, both);
                    continue;
                }
                in.report().warn(plugin.line, both +
                                                  ": each address gets a row of only one of them; "
                                                  "use one plugin for both");
            }
        }
    }
}

// A route has one community, that of its table.
void advise_route_tables(Reading& in, const std::vector<bool>& used) {
    const auto& plugins = in.settings().plugins;
    std::map<std::pair<bool, std::string>, const Plugin*> tables;
    for (PluginIndex i = 0; i < plugins.size(); ++i) {
        const auto* const sets = std::get_if<KernelSets>(&plugins[i].args);
        if (sets == nullptr || !sets->routes || !used[i]) continue;
        for (const bool v6 : {false, true}) {
            const auto& set = v6 ? sets->v6 : sets->v4;
            if (!set) continue;
            const auto [at, fresh] = tables.emplace(std::pair(v6, set->table), &plugins[i]);
            if (fresh) continue;
            in.report().error(plugins[i].line,
                              owner_of(plugins[i]) + " and " + owner_of(*at->second) +
                                  " use the routing table " + set->table + " for " +
                                  (v6 ? "IPv6" : "IPv4") + ": give each a table of its own");
        }
    }
}

void advise_opnsense(Reading& in) {
    const Settings& settings = in.settings();
    std::map<std::pair<OpnsenseIndex, std::string>, const Plugin*> aliases;
    std::vector<bool> used(settings.opnsense.size());
    for (const Plugin& plugin : settings.plugins) {
        const auto* const list = std::get_if<OpnsenseAlias>(&plugin.args);
        if (list == nullptr) continue;
        for (const OpnsenseIndex router : list->routers) {
            used[router] = true;
            for (const std::string& name : std::set{list->alias4, list->alias6}) {
                if (name.empty()) continue;
                const auto [at, fresh] = aliases.emplace(std::pair(router, name), &plugin);
                if (fresh) continue;
                in.report().error(plugin.line, owner_of(plugin) + " and " + owner_of(*at->second) +
                                                   " write the alias '" + name +
                                                   "' on the same router: an element has no owner "
                                                   "there; use one plugin, or two aliases");
            }
        }
    }
    for (std::size_t i = 0; i < used.size(); ++i) {
        if (used[i]) continue;
        in.report().warn(settings.opnsense[i].line, "OPNsense router '" +
                                                        settings.opnsense[i].name +
                                                        "' is not used by any opnsense_alias");
    }
}

void advise_prefer(Reading& in, const std::vector<bool>& used) {
    const auto& plugins = in.settings().plugins;
    for (PluginIndex i = 0; i < plugins.size(); ++i) {
        const auto* prefer = std::get_if<Prefer>(&plugins[i].args);
        if (prefer == nullptr || !used[i] || prefer->probe) continue;
        in.report().warn(plugins[i].line, owner_of(plugins[i]) +
                                              " runs the rest of its sequence twice for " +
                                              (prefer->v6 ? "A" : "AAAA") +
                                              " of unknown names: add a cache after it");
    }
}

}  // namespace

void advise(Reading& in) {
    const auto used = used_plugins(in.settings());
    advise_unused(in, used);
    advise_unused_routers(in);
    advise_devices(in, used);
    advise_recorders(in);
    advise_recorder_marks(in);
    advise_hit_logs(in);
    advise_servers(in);
    advise_cookies(in);
    advise_quic_of_fleet(in);
    advise_chaos(in, used);
    advise_adlists(in, used);
    advise_lists(in, used);
    advise_route_tables(in, used);
    advise_opnsense(in);
    advise_prefer(in, used);
    advise_types(in, used);
    for (PluginIndex i = 0; i < used.size(); ++i) {
        if (used[i]) advise_sequence(in, in.settings().plugins[i]);
    }
    for (const PluginIndex entry : in.settings().entries)
        advise_entry(in, in.settings().plugins[entry]);
}

}  // namespace steer::config
