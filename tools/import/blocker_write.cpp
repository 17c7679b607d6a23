#include <algorithm>
#include <map>
#include <utility>

#include "tools/import/blocker_model.h"
#include "tools/import/words.h"

namespace steer::importing {
namespace {

// v2fly's lists of well-known services.
constexpr std::string_view kServiceLists =
    "https://github.com/v2fly/domain-list-community/releases/latest/download/dlc.dat";
constexpr std::string_view kHistory = "/var/lib/steerdns/queries.db";
constexpr std::string_view kUnrecorded = "1";  // the mark of queries that are not recorded

class BlockerWriter {
  public:
    BlockerWriter(BlockerModel model, std::string_view kind, std::string_view source)
        : m_(std::move(model)) {
        sheet_.comment("Made by 'steerctl import " + std::string(kind) + "' from " +
                       std::string(source) +
                       ". Check it with 'steerdnsd --check FILE'. Notes name settings that are "
                       "not imported or that differ.");
        if (!m_.unneeded.empty())
            sheet_.comment("These settings need nothing here: " + join(m_.unneeded, ", ") + ".");
        sheet_.notes(m_.notes);
    }

    Imported write() {
        sheet_.blank();
        sections();
        sheet_.open("plugins:");
        m_.servers.forward.tag = "forward_main";
        servers_of(m_.servers, "");
        sets_of(m_.everyone, "");
        services_of(m_.everyone, "");
        for (const ClientGroup& group : m_.groups)
            group_plugins(group);
        write_records(sheet_, "names", m_.records, "", m_.with_ptr);
        zone_files();
        aliases();
        recorder();
        if (!m_.subnet_preset.empty()) subnet();
        if (m_.dns64) dns64();
        resolve(m_.servers, "");
        for (const ClientGroup& group : m_.groups)
            group_sequence(group);
        main_sequence();
        servers();
        return {sheet_.text(), sheet_.noted(), std::nullopt};
    }

  private:
    // ---- sections

    void sections() {
        const bool has_policy =
            m_.canaries || m_.any_forwarded || !m_.designated_name.empty() || m_.local_names;
        if (!m_.allow.empty()) {
            sheet_.open("dataplane:");
            sheet_.line("allow: " + flow_list(m_.allow));
            sheet_.close();
            sheet_.blank();
        }
        if (has_policy) {
            sheet_.open("policy:");
            if (m_.any_forwarded) sheet_.line("any: forward");
            if (m_.canaries) sheet_.line("canaries: nxdomain");
            if (m_.local_names) sheet_.line("local_names: forward");
            if (!m_.designated_name.empty()) sheet_.key("designated_name", m_.designated_name);
            sheet_.close();
            sheet_.blank();
        }
        if (!m_.limit_rate.empty()) {
            sheet_.open("limits:");
            Flow row;
            row.add("what", "queries").add_yaml("rate", m_.limit_rate);
            if (!m_.limit_burst.empty()) row.add_yaml("burst", m_.limit_burst);
            if (!m_.limit_action.empty()) row.add("action", m_.limit_action);
            if (!m_.limit_prefix4.empty()) row.add_yaml("prefix4", m_.limit_prefix4);
            if (!m_.limit_prefix6.empty()) row.add_yaml("prefix6", m_.limit_prefix6);
            if (!m_.limit_except.empty()) row.add_yaml("except", flow_list(m_.limit_except));
            sheet_.line("- " + row.text());
            sheet_.close();
            sheet_.blank();
        }
    }

    // ---- upstreams

    void servers_of(const BlockerServers& servers, const std::string& suffix) {
        write_forward(sheet_, servers.forward);
        if (!servers.fallback.upstreams.empty()) {
            Forward second = servers.fallback;
            second.tag = "forward_second" + suffix;
            write_forward(sheet_, second);
            sheet_.open_plugin("forward_any" + suffix, "fallback");
            sheet_.key("primary", servers.forward.tag);
            sheet_.key("secondary", second.tag);
            sheet_.line("fallback_on_timeout: false");
            sheet_.close_plugin();
        }
        if (m_.cache_size != "0" && servers.cached) cache(suffix);
        std::size_t number = 0;
        for (const ZoneServers& zone : servers.zones) {
            sheet_.open_plugin(zone_tag(++number, suffix), "zone");
            sheet_.open("names:");
            for (const std::string& name : zone.names)
                sheet_.line("- " + scalar(name));
            sheet_.close();
            if (zone.is_default) {
                sheet_.key("forward", servers.forward.tag);
            } else {
                sheet_.open("forward:");
                write_forward_args(sheet_, zone.forward);
                sheet_.close();
            }
            if (m_.cache_size != "0" && servers.cached) sheet_.key("cache", "$answers" + suffix);
            sheet_.close_plugin();
        }
    }

    static std::string zone_tag(std::size_t number, const std::string& suffix) {
        return "zone" + suffix + "_" + std::to_string(number);
    }

    void cache(const std::string& suffix) {
        sheet_.open_plugin("answers" + suffix, "cache");
        sheet_.key("size", m_.cache_size);
        for (const auto& [key, text] : m_.cache_keys)
            sheet_.line(std::string(key).append(": ").append(text));
        sheet_.line("short_circuit: true");
        sheet_.close_plugin();
    }

    // ---- lists and rules

    void rules(const std::string& tag, const std::vector<std::string>& texts,
               const std::vector<std::string>& files = {}) {
        if (texts.empty() && files.empty()) return;
        sheet_.open_plugin(tag, "adguard_rule");
        // A person's own expression may cover all names.
        if (std::ranges::any_of(
                texts, [](const std::string& one) { return one.find('/') != std::string::npos; }))
            sheet_.line("match_all: true");
        if (!texts.empty()) {
            sheet_.open("rules:");
            for (const std::string& text : texts)
                sheet_.line("- " + scalar(text));
            sheet_.close();
        }
        files_of(files);
        sheet_.close_plugin();
    }

    void files_of(const std::vector<std::string>& files) {
        if (files.empty()) return;
        sheet_.open("files:");
        for (const std::string& file : files)
            sheet_.line("- " + scalar(file));
        sheet_.close();
    }

    static bool has_allowed(const BlockSet& set) {
        return !set.allow.empty() || !set.allow_lists.empty();
    }

    void sets_of(const BlockSet& set, const std::string& suffix) {
        rules("allowed" + suffix, set.allow, set.allow_lists);
        rules("blocked" + suffix, set.block);
        if (!set.lists.empty()) {
            sheet_.open_plugin("ads" + suffix, "adlist");
            sheet_.line(m_.cname ? "cname: true" : "cname: false");
            if (m_.answer != "null")
                sheet_.key("answer",
                           m_.answer.starts_with("custom ") ? m_.answer.substr(7) : m_.answer);
            if (has_allowed(set)) sheet_.line("allow: " + flow_list({"$allowed" + suffix}));
            sheet_.open("lists:");
            for (const std::string& list : set.lists)
                sheet_.line("- " + scalar(list));
            sheet_.close();
            sheet_.close_plugin();
        }
    }

    void services_of(const BlockSet& set, const std::string& suffix) {
        std::size_t number = 0;
        for (const ServiceBlock& block : set.services) {
            ++number;
            sheet_.open_plugin("services" + suffix + "_" + std::to_string(number), "geosite");
            sheet_.key("file", kServiceLists);
            sheet_.line("selectors: " + flow_list(block.codes));
            sheet_.close_plugin();
            if (block.free.periods.empty()) continue;
            sheet_.open_plugin("free" + suffix + "_" + std::to_string(number), "time");
            if (!block.free.timezone.empty()) sheet_.key("timezone", block.free.timezone);
            sheet_.open("periods:");
            for (const std::string& period : block.free.periods)
                sheet_.line("- " + period);
            sheet_.close();
            sheet_.close_plugin();
        }
    }

    // The suffix of a group's plugins: equal ones of everyone, or of a group before, are shared.
    template <class Equal>
    std::string suffix_of(const ClientGroup& group, Equal equal) {
        if (equal(group.set, m_.everyone)) return "";
        const auto at = std::ranges::find_if(
            m_.groups, [&](const ClientGroup& other) { return equal(group.set, other.set); });
        return "_" + at->tag;
    }
    std::string filters_suffix(const ClientGroup& group) {
        return suffix_of(group, [](const BlockSet& a, const BlockSet& b) {
            return a.lists == b.lists && a.allow_lists == b.allow_lists && a.block == b.block &&
                   a.allow == b.allow;
        });
    }
    std::string services_suffix(const ClientGroup& group) {
        return suffix_of(
            group, [](const BlockSet& a, const BlockSet& b) { return a.services == b.services; });
    }

    void group_plugins(const ClientGroup& group) {
        const std::string own = "_" + group.tag;
        if (filters_suffix(group) == own) sets_of(group.set, own);
        if (services_suffix(group) == own) services_of(group.set, own);
        if (group.servers) servers_of(*group.servers, own);
    }

    // ---- other plugins

    void zone_files() {
        std::size_t number = 0;
        for (const auto& [zone, file] : m_.zone_files) {
            sheet_.open_plugin("records_" + std::to_string(++number), "arbitrary");
            sheet_.key("origin", zone);
            sheet_.line("short_circuit: true");
            sheet_.open("files:");
            sheet_.line("- " + scalar(file));
            sheet_.close();
            sheet_.close_plugin();
        }
    }

    void aliases() {
        std::vector<std::string> rows;
        for (const WideAnswer& wide : m_.wide)
            if (!wide.alias.empty())
                rows.push_back("regexp:" + expression_of(wide) + " " + wide.alias);
        if (rows.empty()) return;
        has_aliases_ = true;
        sheet_.open_plugin("aliases", "redirect");
        sheet_.open("rules:");
        for (const std::string& row : rows)
            sheet_.line("- " + scalar(row));
        sheet_.close();
        sheet_.close_plugin();
    }

    static std::string expression_of(const WideAnswer& wide) {
        std::string out = "^.+\\.";
        for (const char c : wide.domain)
            out += c == '.' ? "\\." : std::string(1, c);
        return out + "$";
    }

    void recorder() {
        if (m_.retention_days.empty()) return;
        sheet_.open_plugin("recorder", "query_recorder");
        sheet_.key("path", kHistory);
        sheet_.key("retention_days", m_.retention_days);
        if (!m_.mask4.empty()) sheet_.line("mask4: " + m_.mask4);
        if (!m_.mask6.empty()) sheet_.line("mask6: " + m_.mask6);
        if (has_unrecorded()) sheet_.line("exclude_marks: [" + std::string(kUnrecorded) + "]");
        sheet_.close_plugin();
    }

    [[nodiscard]] bool has_unrecorded() const {
        return !m_.unrecorded_names.empty() ||
               std::ranges::any_of(m_.groups, [](const ClientGroup& g) { return g.unrecorded; });
    }

    void subnet() {
        sheet_.open_plugin("subnet", "ecs_handler");
        if (m_.subnet_preset == "send") {
            sheet_.line("send: true");
        } else {
            sheet_.key("preset", m_.subnet_preset);
        }
        sheet_.close_plugin();
    }

    void dns64() {
        sheet_.open_plugin("nat64", "dns64");
        if (m_.dns64_prefixes.size() > 1) {
            sheet_.open("prefix:");
            for (const std::string& prefix : m_.dns64_prefixes)
                sheet_.line("- " + Flow().add("prefix", prefix).text());
            sheet_.close();
        } else {
            sheet_.key("prefix",
                       m_.dns64_prefixes.empty() ? "64:ff9b::/96" : m_.dns64_prefixes.front());
        }
        sheet_.line("allow_ipv4: true");
        sheet_.close_plugin();
    }

    // ---- sequences

    void rule(const std::vector<std::string>& matches, const std::string& exec) {
        if (matches.empty()) return sheet_.line("- exec: " + scalar(exec));
        sheet_.line(
            "- { matches: " + (matches.size() == 1 ? scalar(matches.front()) : flow_list(matches)) +
            ", exec: " + scalar(exec) + " }");
    }

    void open_sequence(const std::string& tag) {
        sheet_.open("- tag: " + scalar(tag));
        sheet_.line("type: sequence");
        sheet_.open("args:");
    }
    void close_sequence() {
        sheet_.close();
        sheet_.close();
    }

    void resolve(const BlockerServers& servers, const std::string& suffix) {
        open_sequence("resolve" + suffix);
        if (m_.without_aaaa) rule({"qtype AAAA"}, "black_hole nodata short_circuit");
        if (!m_.subnet_preset.empty()) rule({}, "$subnet");
        for (std::size_t i = 1; i <= servers.zones.size(); ++i)
            rule({}, "$" + zone_tag(i, suffix));
        if (!m_.unforwarded.empty())
            rule({"qname " + join(m_.unforwarded, " ")}, "black_hole nxdomain short_circuit");
        if (m_.cache_size != "0" && servers.cached) rule({}, "$answers" + suffix);
        if (m_.dns64) rule({}, "$nat64");
        rule({}, servers.fallback.upstreams.empty() ? "$" + servers.forward.tag
                                                    : "$forward_any" + suffix);
        if (!m_.bogus.empty()) rule({"resp_ip " + join(m_.bogus, " ")}, "black_hole nxdomain");
        close_sequence();
    }

    void block_rules(const BlockSet& set, const std::string& suffix, const std::string& services) {
        const std::string hole = "black_hole " + m_.answer + " short_circuit";
        std::vector<std::string> unless;
        if (has_allowed(set)) unless.push_back("!question $allowed" + suffix);
        std::size_t number = 0;
        for (const ServiceBlock& block : set.services) {
            const std::string n = "_" + std::to_string(++number);
            std::vector<std::string> matches{"qname $services" + services + n};
            if (!block.free.periods.empty()) matches.push_back("!$free" + services + n);
            matches.insert(matches.end(), unless.begin(), unless.end());
            rule(matches, hole);
        }
        if (!set.block.empty()) rule({"question $blocked" + suffix}, hole);
        if (!set.lists.empty()) rule({}, "$ads" + suffix);
    }

    void group_sequence(const ClientGroup& group) {
        if (group.servers) resolve(*group.servers, "_" + group.tag);
        sheet_.comment(group.name);
        sheet_.notes(group.notes);
        open_sequence("client_" + group.tag);
        if (group.unrecorded && !m_.retention_days.empty())
            rule({}, "mark " + std::string(kUnrecorded));
        block_rules(group.set, filters_suffix(group), services_suffix(group));
        rule({}, group.servers ? "goto resolve_" + group.tag : "goto resolve");
        close_sequence();
    }

    // The narrower address of a client wins, then its MAC address.
    void group_choice() {
        std::map<int, std::map<std::string, std::vector<std::string>>> by_length;
        for (const ClientGroup& group : m_.groups) {
            for (const std::string& prefix : group.prefixes) {
                const auto slash = prefix.find('/');
                const bool v6 = prefix.find(':') != std::string::npos;
                const int full = v6 ? 128 : 32;
                const int length =
                    slash == std::string::npos
                        ? full
                        : static_cast<int>(parse_number(prefix.substr(slash + 1), 128).value_or(0));
                by_length[full - length][group.tag].push_back(prefix);
            }
        }
        for (const auto& [missing, groups] : by_length)
            for (const auto& [tag, prefixes] : groups)
                rule({"client_ip " + join(prefixes, " ")}, "goto client_" + tag);
        for (const ClientGroup& group : m_.groups)
            if (!group.macs.empty())
                rule({"client_mac " + join(group.macs, " ")}, "goto client_" + group.tag);
    }

    void wide_answers() {
        for (const WideAnswer& wide : m_.wide) {
            if (wide.addresses.empty()) continue;
            std::vector<std::string> matches{"qname domain:" + wide.domain,
                                             "!qname full:" + wide.domain};
            for (const std::string& name : wide.except)
                matches.push_back("!qname full:" + name);
            rule(matches, "black_hole " + join(wide.addresses, " ") + " short_circuit");
        }
    }

    void main_sequence() {
        open_sequence("main");
        if (!m_.retention_days.empty()) rule({}, "$recorder");
        if (!m_.dropped_clients.empty())
            rule({"client_ip " + join(m_.dropped_clients, " ")}, "drop");
        if (!m_.refused_names.empty())
            rule({"qname " + join(m_.refused_names, " ")}, "reject REFUSED");
        if (!m_.retention_days.empty() && !m_.unrecorded_names.empty())
            rule({"qname " + join(m_.unrecorded_names, " ")}, "mark " + std::string(kUnrecorded));
        if (!m_.records.empty()) rule({}, "$names");
        for (const std::string& answer : m_.rule_answers) {
            const auto at = answer.find('\n');
            rule({"qname " + answer.substr(0, at)}, answer.substr(at + 1));
        }
        std::size_t number = 0;
        for (const auto& [zone, file] : m_.zone_files) {
            rule({}, "$records_" + std::to_string(++number));
            rule({"qname domain:" + zone}, "black_hole nodata short_circuit");
        }
        wide_answers();
        if (has_aliases_) rule({}, "$aliases");
        group_choice();
        block_rules(m_.everyone, "", "");
        rule({}, "goto resolve");
        close_sequence();
    }

    // ---- servers

    // A server whose certificate is not on this machine is a comment.
    void secure(const std::string& plugin) {
        if (m_.cert_is_here) {
            sheet_.line("- " + plugin);
        } else {
            sheet_.comment("- " + plugin);
        }
    }

    void servers() {
        unsigned number = m_.listen.size() > 1 ? 1 : 0;
        for (const std::string& address : m_.listen) {
            write_servers(sheet_, address, "main", number);
            number += number == 0 ? 0 : 1;
        }
        const auto add = [this](const std::string& tag, std::string_view type, Flow args) {
            args.add("cert", m_.cert).add("key", m_.key);
            secure(Flow().add("tag", tag).add("type", type).add_yaml("args", args.text()).text());
        };
        const auto tag = [](std::string_view kind, std::size_t i) {
            return i == 0 ? std::string(kind) : std::string(kind) + "_" + std::to_string(i + 1);
        };
        for (std::size_t i = 0; i < m_.listen_tls.size(); ++i)
            add(tag("tls", i), "tcp_server",
                Flow().add("entry", "main").add("listen", m_.listen_tls[i]));
        for (std::size_t i = 0; i < m_.listen_quic.size(); ++i)
            add(tag("quic", i), "quic_server",
                Flow().add("entry", "main").add("listen", m_.listen_quic[i]));
        for (std::size_t i = 0; i < m_.listen_https.size(); ++i) {
            Flow args;
            args.add_yaml("entries", "[{ path: \"/dns-query\", exec: main }]")
                .add("listen", m_.listen_https[i]);
            if (m_.http3) args.add_yaml("enable_http3", "true");
            if (!m_.proxies.empty()) args.add_yaml("trusted_proxies", flow_list(m_.proxies));
            add(tag("https", i), "http_server", args);
        }
    }

    BlockerModel m_;
    Sheet sheet_;
    bool has_aliases_ = false;
};

}  // namespace

Imported write_blocker(BlockerModel model, std::string_view kind, std::string_view source) {
    return BlockerWriter(std::move(model), kind, source).write();
}

}  // namespace steer::importing
