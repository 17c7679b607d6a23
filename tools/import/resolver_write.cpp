#include <algorithm>
#include <set>

#include "tools/import/dnsmasq_domains.h"
#include "tools/import/resolver_model.h"
#include "tools/import/sheet.h"
#include "tools/import/words.h"

namespace steer::importing {
namespace {

// More names than these are a set.
constexpr std::size_t kManyResolverNames = 8;
constexpr std::uint64_t kMebibyte = std::uint64_t{1} << 20, kLeastAnswers = 64 * kMebibyte,
                        kLeastEngine = 16 * kMebibyte, kMostEngine = 65'536 * kMebibyte;

struct ResolverRule {
    std::vector<std::string> matches;
    std::string exec;
};

class ResolverWriter {
  public:
    ResolverWriter(ResolverModel model, std::string_view program, std::string_view source,
                   const FileTest& is_there)
        : m_(std::move(model)), is_there_(is_there) {
        sheet_.comment("Made by 'steerctl import " + std::string(program) + "' from " +
                       std::string(source) +
                       ". Check it with 'steerdnsd --check FILE'. Notes name settings that are "
                       "not imported or that differ.");
        sheet_.notes(m_.notes);
        silent("not needed here, or set by steerdnsd", m_.silent);
    }

    Imported write() {
        choose_engine();
        local_names();
        sheet_.blank();
        dataplane();
        policy();
        limits();
        sheet_.open("plugins:");
        recursion();
        forwards();
        write_records(sheet_, "names", m_.records, "", false);
        others();
        hosts();
        copies();
        for (std::size_t i = 0; i < name_sets_.size(); ++i)
            write_names("domains_" + std::to_string(i + 1), name_sets_[i]);
        cache();
        dns64();
        sequence();
        servers();
        return {sheet_.text(), sheet_.noted(), std::nullopt};
    }

  private:
    void silent(std::string_view why, std::vector<std::string> names) {
        if (names.empty()) return;
        std::ranges::sort(names);
        names.erase(std::unique(names.begin(), names.end()), names.end());
        sheet_.comment(std::string(why) + ": " + join(names, ", "));
    }

    // ---- sections

    void dataplane() {
        const bool needs_memory = answers_bytes() > kLeastAnswers;
        if (!m_.limits_clients && !needs_memory) return;
        sheet_.open("dataplane:");
        if (needs_memory) {
            constexpr std::uint64_t kRest = 128 * kMebibyte;
            sheet_.comment("twice the cache 'answers', and packets");
            sheet_.key("memory", mebibytes(2 * answers_bytes() + kRest));
        }
        if (m_.limits_clients) allowed_clients();
        sheet_.close();
        sheet_.blank();
    }

    void allowed_clients() {
        std::vector<std::string> allow;
        for (const ClientNetwork& network : m_.networks) {
            if (network.exec.empty()) allow.push_back(network.net);
        }
        // A network within another one says nothing new here; rules of the sequence know the rest.
        std::vector<std::string> outer;
        for (const std::string& net : allow) {
            const bool is_inner = std::ranges::any_of(
                allow, [&](const auto& other) { return other != net && is_within(net, other); });
            if (!is_inner && std::ranges::find(outer, net) == outer.end()) outer.push_back(net);
        }
        sheet_.line("allow: " + flow_list(outer));
    }

    static std::string mebibytes(std::uint64_t bytes) {
        return std::to_string(bytes / kMebibyte) + "MiB";
    }
    std::uint64_t answers_bytes() const { return std::max(m_.cache_bytes, kLeastAnswers); }

    void policy() {
        const bool has_norecurse = !m_.norecurse_cache.empty() || !m_.norecurse_forward.empty();
        if (m_.version_bind.empty() && m_.id_server.empty() && m_.nsid.empty() &&
            m_.resolve_special.empty() && !m_.blocks_rebinding && !has_norecurse)
            return;
        sheet_.open("policy:");
        if (!m_.version_bind.empty()) sheet_.key("version_bind", m_.version_bind);
        if (!m_.id_server.empty()) sheet_.key("id_server", m_.id_server);
        if (!m_.nsid.empty()) sheet_.key("nsid", m_.nsid);
        if (!m_.resolve_special.empty())
            sheet_.line("resolve_special: " + flow_list(m_.resolve_special));
        if (m_.blocks_rebinding) sheet_.line("rebind: block");
        if (m_.blocks_rebinding && !m_.rebind_names.empty())
            sheet_.line("rebind_names: " + flow_list(m_.rebind_names));
        if (has_norecurse) {
            sheet_.open("norecurse:");
            if (!m_.norecurse_cache.empty()) sheet_.line("cache: " + flow_list(m_.norecurse_cache));
            if (!m_.norecurse_forward.empty())
                sheet_.line("forward: " + flow_list(m_.norecurse_forward));
            sheet_.close();
        }
        sheet_.close();
        sheet_.blank();
    }

    void limits() {
        if (m_.queries_per_s.empty()) return;
        sheet_.open("limits:");
        sheet_.comment("above it, clients are sent to TCP");
        sheet_.line("- { what: queries, rate: " + m_.queries_per_s +
                    ", prefix4: 32, prefix6: 64 }");
        sheet_.close();
        sheet_.blank();
    }

    // ---- upstreams

    const Route* root_route() const {
        const auto at = std::ranges::find(m_.routes, "", &Route::zone);
        return at == m_.routes.end() ? nullptr : &*at;
    }

    // With a forward for every name, the recursion is needed for zones of its own only.
    void choose_engine() {
        const Route* const root = root_route();
        const bool has_zones = !m_.stubs.empty() || !m_.extra_clauses.empty();
        has_engine_ =
            root == nullptr || has_zones || std::ranges::any_of(m_.routes, &Route::is_first);
        if (has_engine_) return;
        // No resolver of its own: plain forwards of zones need none.
        for (const auto& [zone, servers] : m_.forwards) {
            Route route;
            route.zone = zone;
            for (const std::string& server : servers) {
                Upstream upstream;
                upstream.addr = server;
                route.forward.upstreams.push_back(std::move(upstream));
            }
            m_.routes.push_back(std::move(route));
        }
        m_.forwards.clear();
    }

    void recursion() {
        if (!has_engine_) return left_out();
        sheet_.open("- tag: resolve");
        sheet_.line("type: recursion");
        sheet_.open("args:");
        recursion_args();
        sheet_.close();
        sheet_.close();
    }

    void recursion_args() {
        const auto key = [this](std::string_view name, const std::string& text) {
            if (!text.empty()) sheet_.key(name, text);
        };
        const auto list = [this](std::string_view name, const std::vector<std::string>& texts) {
            if (!texts.empty()) sheet_.line(std::string(name) + ": " + flow_list(texts));
        };
        key("instances", m_.instances);
        sheet_.line("validate: " + (m_.validate.empty() ? "yes" : m_.validate));
        anchors();
        auto& negative = m_.negative_trust_anchors;
        std::ranges::sort(negative);
        negative.erase(std::unique(negative.begin(), negative.end()), negative.end());
        list("negative_trust_anchors", negative);
        key("root_hints", m_.root_hints);
        if (m_.keeps_root_zone) sheet_.line("root_zone: true");
        flag("qname_minimisation", m_.qname_minimisation);
        flag("aggressive_nsec", m_.aggressive_nsec);
        if (m_.cache_bytes != 0) key("cache_size", engine_cache());
        if (!m_.outgoing.empty() || !m_.outgoing_ports.empty()) {
            sheet_.open("outgoing:");
            list("addresses", m_.outgoing);
            if (!m_.outgoing_ports.empty()) sheet_.line("ports: " + m_.outgoing_ports);
            sheet_.close();
        }
        zones("stubs", m_.stubs);
        zones("forwards", m_.forwards);
        list("private_addresses", m_.private_addresses);
        if (m_.extra.empty() && m_.extra_clauses.empty()) return;
        sheet_.open("extra:");
        for (const std::string& line : m_.extra)
            sheet_.line("- " + scalar(line));
        for (const std::string& line : m_.extra_clauses)
            sheet_.line("- " + scalar(line));
        sheet_.close();
    }

    void flag(std::string_view name, const std::optional<bool>& value) {
        if (value) sheet_.line(std::string(name) + (*value ? ": true" : ": false"));
    }

    void anchors() {
        auto anchors = m_.trust_anchors;
        if (anchors.empty()) return;  // the root's, by default
        if (m_.has_root_anchor) anchors.insert(anchors.begin(), "root");
        sheet_.open("trust_anchors:");
        for (const std::string& anchor : anchors)
            sheet_.line("- " + scalar(anchor));
        sheet_.close();
    }

    void zones(std::string_view key, const std::map<std::string, std::vector<std::string>>& all) {
        if (all.empty()) return;
        sheet_.open(std::string(key) + ":");
        for (const auto& [zone, servers] : all)
            sheet_.line(scalar(zone) + ": " + flow_list(servers));
        sheet_.close();
    }

    // The cache of each process, which only that process uses.
    std::string engine_cache() const {
        const auto count = parse_number(m_.instances, 16).value_or(1);
        const std::uint64_t bytes = m_.cache_bytes / std::max<std::uint64_t>(count, 1);
        const auto fitting = std::clamp(bytes, kLeastEngine, kMostEngine);
        return mebibytes(fitting);
    }

    // Without a recursion, its settings have no place.
    void left_out() {
        std::vector<std::string> names;
        const auto add = [&names](bool is_set, std::string_view name) {
            if (is_set) names.emplace_back(name);
        };
        add(!m_.validate.empty() || !m_.trust_anchors.empty() || m_.has_root_anchor,
            "trust anchors");
        add(!m_.negative_trust_anchors.empty(), "domains that are not validated");
        add(!m_.root_hints.empty(), "root hints");
        add(m_.keeps_root_zone, "the copy of the root zone");
        add(!m_.outgoing.empty() || !m_.outgoing_ports.empty(), "outgoing addresses and ports");
        add(!m_.private_addresses.empty(), "private addresses ('rebind' of 'policy' is similar)");
        for (const std::string& line : m_.extra)
            names.emplace_back(line.substr(0, line.find(':')));
        silent("all names are forwarded, so settings of recursion are left out", names);
    }

    void forwards() {
        unsigned number = 0;
        for (Route& route : m_.routes) {
            route.forward.tag =
                route.zone.empty() ? "forward_main" : "forward_" + std::to_string(++number);
            const auto same = std::ranges::find_if(m_.routes, [&](const Route& other) {
                return &other == &route ||
                       (other.is_first == route.is_first && !route.zone.empty() &&
                        same_servers(other.forward, route.forward));
            });
            if (&*same != &route) {
                --number;
                route.forward.tag = same->forward.tag;
                continue;
            }
            write_forward(sheet_, route.forward);
            if (!route.is_first) continue;
            sheet_.open_plugin(route.forward.tag + "_or_resolve", "fallback");
            sheet_.line("primary: " + route.forward.tag);
            sheet_.line("secondary: resolve");
            sheet_.close_plugin();
        }
    }

    static bool same_servers(const Forward& a, const Forward& b) {
        return std::ranges::equal(a.upstreams, b.upstreams, [](const auto& x, const auto& y) {
            return x.addr == y.addr && x.dial_addr == y.dial_addr;
        });
    }

    static std::string exec_of(const Route& route) {
        return "$" + route.forward.tag + (route.is_first ? "_or_resolve" : "");
    }

    // Which upstreams the names of a zone have: the longest zone decides.
    void upstream_rules() {
        std::vector<std::string> execs;
        std::map<std::string, std::size_t> actions;
        const auto number = [&execs](const std::string& exec) {
            const auto at = std::ranges::find(execs, exec);
            const auto index = static_cast<std::size_t>(at - execs.begin());
            if (at == execs.end()) execs.push_back(exec);
            return index;
        };
        if (has_engine_) {
            actions[""] = number("$resolve");
            for (const auto* const zones : {&m_.stubs, &m_.forwards}) {
                for (const auto& [zone, servers] : *zones)
                    actions[zone == "." ? "" : zone] = number("$resolve");
            }
            for (const std::string& zone : m_.extra_zones)
                actions[zone == "." ? "" : zone] = number("$resolve");
        }
        for (const Route& route : m_.routes)
            actions[route.zone == "." ? "" : route.zone] = number(exec_of(route));
        bool is_first = true;
        for (const DomainRule& one : longest_first(actions)) {
            ResolverRule out{{}, execs[one.action]};
            if (!is_first) out.matches.emplace_back("!has_resp");
            if (!one.within.front().empty()) out.matches.push_back(qname(one.within));
            rule(out);
            is_first = false;
        }
    }

    // ---- names

    std::string qname(const std::vector<std::string>& names, std::string_view kind = "domain:") {
        std::vector<std::string> rules;
        rules.reserve(names.size());
        for (const std::string& name : names)
            rules.push_back(std::string(kind).append(name));
        if (names.size() <= kManyResolverNames) return "qname " + join(rules, " ");
        const auto at = std::ranges::find(name_sets_, rules);
        const auto number = static_cast<std::size_t>(at - name_sets_.begin());
        if (at == name_sets_.end()) name_sets_.push_back(std::move(rules));
        return "qname $domains_" + std::to_string(number + 1);
    }

    void write_names(const std::string& tag, const std::vector<std::string>& rules) {
        sheet_.open_plugin(tag, "domain_set");
        sheet_.open("exps:");
        for (const std::string& text : rules)
            sheet_.line("- " + scalar(text));
        sheet_.close();
        sheet_.close_plugin();
    }

    // The zone that decides about a name: itself, or the longest one above it.
    const LocalZone* zone_of(const std::string& name) const {
        if (const auto at = m_.zones.find(name); at != m_.zones.end()) return &at->second;
        const auto* const outer = above(m_.zones, name);
        return outer == nullptr ? nullptr : &outer->second;
    }

    void local_names() {
        std::erase_if(m_.records, [&](const Record& record) {
            const LocalZone* const zone = zone_of(record.name);
            const bool is_hidden = zone != nullptr && zone->hides_records;
            if (is_hidden)
                sheet_.note(record.place, "the record of " + in_quotes(record.name) +
                                              " is not imported: its zone hides it");
            return is_hidden;
        });
        sheet_.notes(drop_circles(m_.records));
        for (Record& record : m_.records) {
            const auto zone = m_.zones.find(record.name);
            if (zone != m_.zones.end() && zone->second.is_redirect)
                record.owner = Record::Owner::subdomains;
        }
        // Single names first, then the longest domain: the first entry that fits decides.
        std::ranges::stable_sort(m_.records, [](const Record& a, const Record& b) {
            const auto rank = [](const Record& r) {
                return r.owner == Record::Owner::name ? 1000 : label_count(r.name);
            };
            return rank(a) > rank(b);
        });
        names_without_type();
        zone_rules();
    }

    // Other types of a name with a record do not exist, and neither do those of names above it in a
    // zone that denies.
    void names_without_type() {
        std::set<std::string> names;
        const auto take = [&](const std::string& name) {
            const LocalZone* const zone = zone_of(name);
            const bool denies = zone != nullptr && zone->exec.starts_with("black_hole nxdomain");
            if (zone != nullptr && !zone->exec.empty() && !denies) return;
            if (zone == nullptr || !zone->keeps_other_types) names.insert(name);
            if (!denies) return;
            for (std::string_view up = parent_of(name); !up.empty(); up = parent_of(up)) {
                if (zone_of(std::string(up)) != zone) break;
                names.insert(std::string(up));
            }
        };
        for (const Record& record : m_.records) {
            if (record.alias.empty()) take(record.name);
        }
        for (const std::string& owner : m_.other_owners)
            take(owner);
        if (!names.empty())
            local_.push_back({{qname({names.begin(), names.end()}, "full:")},
                              "black_hole nodata short_circuit"});
    }

    void zone_rules() {
        std::vector<std::string> execs{""};
        std::map<std::string, std::size_t> actions{{"", 0}};
        for (const auto& [name, zone] : m_.zones) {
            const auto at = std::ranges::find(execs, zone.exec);
            actions[name] = static_cast<std::size_t>(at - execs.begin());
            if (at == execs.end()) execs.push_back(zone.exec);
        }
        for (const DomainRule& one : longest_first(actions)) {
            if (execs[one.action].empty()) continue;
            ResolverRule out{{}, execs[one.action]};
            if (!one.within.front().empty()) out.matches.push_back(qname(one.within));
            if (!one.except.empty()) out.matches.push_back("!" + qname(one.except));
            local_.push_back(std::move(out));
        }
    }

    void others() {
        if (m_.other_records.empty()) return;
        sheet_.open_plugin("others", "arbitrary");
        sheet_.line("short_circuit: true");
        sheet_.open("rules:");
        for (const std::string& line : m_.other_records)
            sheet_.line("- " + scalar(line));
        sheet_.close();
        sheet_.close_plugin();
    }

    void hosts() {
        if (m_.hosts_files.empty()) return;
        sheet_.open_plugin("hosts", "hosts");
        sheet_.line("short_circuit: true");
        sheet_.line("files: " + flow_list(m_.hosts_files));
        sheet_.close_plugin();
    }

    void copies() {
        std::size_t number = 0;
        std::vector<std::string> sources;
        bool logs = false;
        for (CopiedZone& copy : m_.copies) {
            ++number;
            if (!copy.primaries.empty()) {
                const std::string tag = "copy_" + std::to_string(number);
                sheet_.open_plugin(tag, "secondary");
                sheet_.key("zone", copy.name);
                sheet_.line("primaries: " + flow_list(copy.primaries));
                sheet_.close_plugin();
                copy.source = copy.is_policy ? "$" + tag : tag;
            }
            if (copy.is_policy) {
                Flow zone;
                zone.add("zone", copy.source);
                if (!copy.source.starts_with('$')) zone.add("name", copy.name);
                sources.push_back(copy.source.starts_with('$') ? scalar(copy.source) : zone.text());
                logs = logs || copy.logs;
                continue;
            }
            sheet_.open_plugin("zone_" + std::to_string(number), "zone");
            sheet_.line("secondary: " + copy.source);
            sheet_.close_plugin();
            zone_tags_.push_back("$zone_" + std::to_string(number));
        }
        if (sources.empty()) return;
        has_rpz_ = true;
        sheet_.open_plugin("policies", "rpz");
        if (logs) sheet_.line("log: true");
        sheet_.open("zones:");
        for (const std::string& source : sources)
            sheet_.line("- " + source);
        sheet_.close();
        sheet_.close_plugin();
    }

    void cache() {
        sheet_.open_plugin("answers", "cache");
        sheet_.key("size", mebibytes(answers_bytes()));
        for (const auto& [key, text] : m_.cache_keys)
            sheet_.line(std::string(key).append(": ").append(text));
        sheet_.line("short_circuit: true");
        sheet_.close_plugin();
    }

    void dns64() {
        if (m_.dns64.empty()) return;
        sheet_.open_plugin("nat64", "dns64");
        sheet_.key("prefix", m_.dns64);
        if (m_.dns64_translates_all) sheet_.line("translate_all: true");
        sheet_.line("allow_ipv4: true");
        sheet_.close_plugin();
    }

    // ---- the sequence

    void rule(const ResolverRule& step) {
        if (step.matches.empty()) return sheet_.line("- exec: " + scalar(step.exec));
        const std::string matches =
            step.matches.size() == 1 ? scalar(step.matches.front()) : flow_list(step.matches);
        sheet_.line("- { matches: " + matches + ", exec: " + scalar(step.exec) + " }");
    }

    // Networks that are refused within those that are allowed.
    void client_rules() {
        for (const ClientNetwork& network : m_.networks) {
            if (network.exec.empty()) continue;
            std::vector<std::string> inner;
            bool is_served = false;
            for (const ClientNetwork& other : m_.networks) {
                if (other.net == network.net) continue;
                if (other.exec.empty() && is_within(network.net, other.net)) is_served = true;
                if (is_within(other.net, network.net)) inner.push_back(other.net);
            }
            if (!is_served) continue;
            ResolverRule out{{"client_ip " + network.net}, network.exec};
            if (!inner.empty()) out.matches.push_back("!client_ip " + join(inner, " "));
            rule(out);
        }
    }

    void sequence() {
        sheet_.open("- tag: main");
        sheet_.line("type: sequence");
        sheet_.open("args:");
        if (m_.logs) sheet_.line("- exec: query_summary");
        client_rules();
        if (has_rpz_) sheet_.line("- exec: $policies");
        if (!m_.records.empty()) sheet_.line("- exec: $names");
        if (!m_.other_records.empty()) sheet_.line("- exec: $others");
        if (!m_.hosts_files.empty()) sheet_.line("- exec: $hosts");
        for (const ResolverRule& step : local_)
            rule(step);
        for (const std::string& tag : zone_tags_)
            sheet_.line("- exec: " + tag);
        sheet_.line("- exec: $answers");
        if (!m_.dns64.empty()) sheet_.line("- exec: $nat64");
        upstream_rules();
        for (const auto& [network, exec] : m_.address_rules)
            rule({{"resp_ip " + network}, exec});
        sheet_.close();
        sheet_.close();
    }

    void servers() {
        bool is_served = false;
        unsigned number = m_.servers.size() > 1 ? 1 : 0;
        for (const CoreServer& server : m_.servers) {
            if (server.transport == CoreTransport::dns) {
                write_servers(sheet_,
                              server.address.empty() ? ":" + std::to_string(server.port)
                                                     : with_port(server.address, server.port),
                              "main", number, m_.max_connections);
                is_served = true;
            } else {
                write_core_server(sheet_, server, "main", number, is_there_);
                is_served = is_served || has_certificate(server, is_there_);
            }
            number += number == 0 ? 0 : 1;
        }
        if (is_served) return;
        sheet_.note("", "no server is left that can be imported: this one serves this host only");
        write_servers(sheet_, "127.0.0.1:53", "main", 0, m_.max_connections);
    }

    ResolverModel m_;
    const FileTest& is_there_;
    Sheet sheet_;
    bool has_engine_ = true, has_rpz_ = false;
    std::vector<std::vector<std::string>> name_sets_;
    std::vector<ResolverRule> local_;
    std::vector<std::string> zone_tags_;
};

}  // namespace

Imported write_resolver(ResolverModel model, std::string_view program, std::string_view source,
                        const FileTest& is_there) {
    return ResolverWriter(std::move(model), program, source, is_there).write();
}

}  // namespace steer::importing
