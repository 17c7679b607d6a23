#include "control/config/advice/graph.h"

#include <algorithm>
#include <optional>

#include "control/config/plugin_type.h"

namespace steer::config {
namespace {

// Depth first; `path` has the plugins on the path here.
class CycleFinder {
  public:
    explicit CycleFinder(Reading& in)
        : in_(in), states_(in.settings().plugins.size(), State::fresh) {}

    bool run() {
        for (PluginIndex i = 0; i < states_.size(); ++i)
            visit(i);
        return !found_;
    }

  private:
    enum class State : std::uint8_t { fresh, open, done };

    void visit(PluginIndex i) {
        if (states_[i] == State::done) return;
        if (states_[i] == State::open) return report(i);
        states_[i] = State::open;
        path_.push_back(i);
        const Plugin& plugin = in_.settings().plugins[i];
        for (const auto& [next, line] : references_of(plugin)) {
            // No plugin can refer to a server; its missing entry is reported elsewhere.
            if (next == i && plugin.role == Role::server) continue;
            lines_.push_back(line);
            visit(next);
            lines_.pop_back();
        }
        path_.pop_back();
        states_[i] = State::done;
    }

    void report(PluginIndex i) {
        found_ = true;
        const auto& plugins = in_.settings().plugins;
        std::string text = "plugins refer to each other in a cycle: ";
        const auto first = std::find(path_.begin(), path_.end(), i);
        auto line = lines_.begin() + (first - path_.begin());
        for (auto at = first; at != path_.end(); ++at, ++line)
            text += plugins[*at].tag + " (line " + std::to_string(*line) + ") -> ";
        in_.report().error(plugins[i].line,
                           text + plugins[i].tag + "; remove one of these references");
    }

    Reading& in_;
    std::vector<State> states_;
    std::vector<PluginIndex> path_;
    std::vector<int> lines_;  // of the reference from each of `path_` to the next
    bool found_ = false;
};

// Each executor that a server (or a path of it) names, with that line.
std::vector<Reference> entries_of(const Plugin& server) {
    std::vector<Reference> out;
    const StreamServer* const stream = stream_server_of(server);
    if (stream != nullptr && !stream->paths.empty()) {
        for (const HttpPath& path : stream->paths)
            out.push_back({path.exec, path.line});
    } else if (const Server* const any = server_of(server)) {
        out.push_back({any->entry, server.line});
    }
    return out;
}

void add_entries(Reading& in, const Plugin& server, std::vector<PluginIndex>& entries) {
    for (const auto& [plugin, line] : entries_of(server)) {
        if (std::ranges::find(entries, plugin) != entries.end()) continue;
        if (entries.size() == kMaxEntries) {
            in.report().error(line, owner_of(server) + " adds '" +
                                        in.settings().plugins[plugin].tag + "', and " +
                                        std::to_string(kMaxEntries) +
                                        " other executors are entries of servers: use fewer");
            return;
        }
        entries.push_back(plugin);
    }
}

bool uses_tcp(const Plugin& plugin) {
    const StreamServer* const stream = stream_server_of(plugin);
    return stream != nullptr && stream->is_over_tcp();
}

bool uses_udp(const Plugin& plugin) {
    const StreamServer* const stream = stream_server_of(plugin);
    return stream == nullptr || !stream->is_over_tcp() || stream->has_http3();
}

// Servers that conflict with each other.
void check_servers(Reading& in, const std::vector<PluginIndex>& servers) {
    const auto& plugins = in.settings().plugins;
    for (std::size_t i = 0; i < servers.size(); ++i) {
        const Plugin& plugin = plugins[servers[i]];
        for (std::size_t j = 0; j < i; ++j) {
            const Plugin& other = plugins[servers[j]];
            const Endpoint &a = server_of(plugin)->listen, &b = server_of(other)->listen;
            const bool is_same_socket =
                (uses_tcp(plugin) && uses_tcp(other)) || (uses_udp(plugin) && uses_udp(other));
            if (is_same_socket && a.address == b.address && a.port == b.port && a.zone == b.zone) {
                in.report().error(plugin.line, owner_of(plugin) + " listens where " +
                                                   owner_of(other) + " does (" + a.to_string() +
                                                   "): remove one");
            }
        }
    }
}

}  // namespace

std::vector<Reference> references_of(const Plugin& plugin) {
    std::vector<Reference> out;
    const auto add_all = [&](const std::vector<PluginIndex>& sets) {
        for (const PluginIndex set : sets)
            out.push_back({set, plugin.line});
    };
    const auto add_matches = [&](const std::vector<MatchUse>& matches) {
        for (const MatchUse& match : matches)
            out.push_back({match.plugin, match.line});
    };
    if (const auto* set = std::get_if<DomainSet>(&plugin.args)) {
        add_all(set->sets);
        if (set->exceptions) out.push_back({*set->exceptions, plugin.line});
    }
    if (const auto* set = std::get_if<IpSet>(&plugin.args)) add_all(set->sets);
    if (const auto* qname = std::get_if<Qname>(&plugin.args)) add_all(qname->sets);
    if (const auto* cname = std::get_if<Cname>(&plugin.args)) add_all(cname->sets);
    if (const auto* records = std::get_if<StaticRecords>(&plugin.args)) {
        for (const StaticEntry& entry : records->entries) {
            if (entry.forwarder) out.push_back({*entry.forwarder, entry.line});
            if (entry.list) out.push_back({*entry.list, entry.line});
        }
        if (records->cache) out.push_back({*records->cache, plugin.line});
    }
    if (const auto* ads = std::get_if<AdList>(&plugin.args)) {
        for (const AdListPart& part : ads->lists)
            out.push_back({part.provider, plugin.line});
        add_all(ads->allow.sets);
    }
    if (const auto* zone = std::get_if<Zone>(&plugin.args)) {
        out.push_back({zone->secondary.value_or(zone->forward), plugin.line});
        if (zone->cache) out.push_back({*zone->cache, plugin.line});
        add_all(zone->names.sets);
    }
    if (const auto* rpz = std::get_if<Rpz>(&plugin.args)) {
        for (const RpzZone& policy : rpz->zones) {
            if (policy.secondary) out.push_back({*policy.secondary, plugin.line});
        }
    }
    if (const auto* dns64 = std::get_if<Dns64>(&plugin.args)) {
        add_all(dns64->except.sets);
        add_all(dns64->keep.sets);
    }
    if (const auto* question = std::get_if<Question>(&plugin.args)) add_all(question->sets);
    if (const auto* ip = std::get_if<IpMatch>(&plugin.args)) add_all(ip->sets);
    if (const auto* any = std::get_if<AnyMatch>(&plugin.args)) add_matches(any->matches);
    if (const auto* sequence = std::get_if<Sequence>(&plugin.args)) {
        for (const ExecRule& rule : sequence->rules) {
            add_matches(rule.matches);
            if (rule.runs_plugin()) out.push_back({rule.plugin, rule.line});
        }
    }
    if (const auto* fallback = std::get_if<Fallback>(&plugin.args)) {
        out.push_back({fallback->primary, plugin.line});
        out.push_back({fallback->secondary, plugin.line});
    }
    if (const auto* prefer = std::get_if<Prefer>(&plugin.args); prefer != nullptr && prefer->probe)
        out.push_back({*prefer->probe, plugin.line});
    if (const auto* forward = std::get_if<Forward>(&plugin.args); forward && forward->picked_from)
        out.push_back({*forward->picked_from, plugin.line});
    if (const auto* learn = std::get_if<LearnDomain>(&plugin.args))
        out.push_back({learn->set, plugin.line});
    if (const auto* reload = std::get_if<ReloadProvider>(&plugin.args)) add_all(reload->providers);
    if (const auto* cron = std::get_if<Cron>(&plugin.args)) {
        for (const CronJob& job : cron->jobs) {
            for (const PluginIndex executor : job.executors)
                out.push_back({executor, job.line});
        }
    }
    const auto entries = entries_of(plugin);
    out.insert(out.end(), entries.begin(), entries.end());
    return out;
}

bool check_cycles(Reading& in) {
    return CycleFinder(in).run();
}

bool find_entry(Reading& in) {
    Settings& settings = in.settings();
    std::vector<PluginIndex> servers;
    std::vector<bool> referred(settings.plugins.size());
    for (PluginIndex i = 0; i < settings.plugins.size(); ++i) {
        if (server_of(settings.plugins[i]) != nullptr) servers.push_back(i);
        for (const auto& [to, line] : references_of(settings.plugins[i]))
            referred[to] = true;
    }
    if (!servers.empty()) {
        settings.entries.clear();
        for (const PluginIndex server : servers)
            add_entries(in, settings.plugins[server], settings.entries);
        check_servers(in, servers);
        return true;
    }
    if (const auto line = in.left_out_server()) {
        in.report().error(*line,
                          "no server answers queries: the only one has no effect here; write a "
                          "udp_server and a tcp_server, as in 'listen: \":53\"'");
        return false;
    }
    std::vector<PluginIndex> free;
    std::string names;
    for (PluginIndex i = 0; i < settings.plugins.size(); ++i) {
        if (referred[i] || !std::holds_alternative<Sequence>(settings.plugins[i].args)) continue;
        names += (free.empty() ? "'" : "', '") + settings.plugins[i].tag;
        free.push_back(i);
    }
    if (free.size() == 1) {
        settings.entries = {free.front()};
        return true;
    }
    if (free.empty()) {
        in.report().error(0, "no sequence for queries: add a plugin of type sequence");
    } else {
        in.report().error(settings.plugins[free[1]].line,
                          "the sequence for queries is unclear, because no plugin refers to " +
                              names +
                              "': set 'entry' of a udp_server and a tcp_server to one of them");
    }
    return false;
}

}  // namespace steer::config
