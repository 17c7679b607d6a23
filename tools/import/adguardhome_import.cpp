#include "tools/import/adguardhome_import.h"

#include <algorithm>
#include <array>
#include <set>
#include <utility>
#include <variant>

#include "tools/import/adguardhome_keys.h"
#include "tools/import/adguardhome_rewrites.h"
#include "tools/import/adguardhome_services.h"
#include "tools/import/adguardhome_upstreams.h"
#include "tools/import/adguardhome_words.h"
#include "tools/import/blocker_model.h"
#include "tools/import/filter_rule.h"
#include "tools/import/policy_tree.h"
#include "tools/import/words.h"

namespace steer::importing {
namespace {

class AghImport {
  public:
    AghImport(const Tree& top, const std::function<bool(const std::string&)>& is_file)
        : top_(top), is_file_(is_file), dns_(below(top, "dns")), clients_(below(top, "clients")) {}

    BlockerModel read() {
        check_keys(top_, "", "");
        check_keys(dns_, "dns", "dns.");
        check_keys(below(top_, "filtering"), "filtering", "filtering.");
        check_keys(below(top_, "tls"), "tls", "tls.");
        check_keys(below(top_, "querylog"), "querylog", "querylog.");
        if (const auto schema = number("schema_version"); schema && *schema < 14)
            note(below(top_, "schema_version").line,
                 "schema_version " + std::to_string(*schema) +
                     " is older than 14: start a current AdGuard Home once, which rewrites the "
                     "file, and import again");
        servers();
        m_.servers = upstreams_.everyone();
        access();
        cache();
        answers();
        protection();
        rewrites();
        user_rules();
        query_log();
        clients();
        if (is_on(below(top_, "dhcp").get("enabled")))
            note(below(top_, "dhcp").line,
                 "dhcp is not imported: SteerDNS has no DHCP server. Let your router serve DHCP, "
                 "and "
                 "read its leases with 'dhcp_leases'");
        return std::move(m_);
    }

  private:
    void note(int line, std::string text) {
        m_.notes.push_back({line_place(line), std::move(text)});
    }

    void check_keys(const Tree& map, std::string_view where, const std::string& prefix) {
        check_keys(map, where, prefix, m_.notes);
    }
    void check_keys(const Tree& map, std::string_view where, const std::string& prefix,
                    std::vector<Note>& notes) {
        for (const auto& [key, value] : map.entries) {
            const std::string name = prefix + key;
            const AghKey* row = find_key(where, key);
            if (row == nullptr && where == "dns") row = find_key("filtering", key);  // before 26
            if (row == nullptr) {
                notes.push_back({line_place(value.line),
                                 in_quotes(name) + " is not imported: it is not a known setting"});
            } else if (row->becomes == AghKey::Becomes::unneeded) {
                if (!is_unset(value) && unneeded_.insert(name).second &&
                    where.find("[]") == std::string_view::npos)
                    m_.unneeded.push_back(name);
            } else if (row->becomes == AghKey::Becomes::note && !is_unset(value)) {
                notes.push_back(
                    {line_place(value.line), name + " is not imported: " + std::string(row->text)});
            }
        }
    }
    static const AghKey* find_key(std::string_view where, std::string_view key) {
        const auto keys = adguardhome_keys();
        const auto at = std::ranges::find_if(
            keys, [&](const AghKey& k) { return k.where == where && k.key == key; });
        return at == keys.end() ? nullptr : &*at;
    }

    // A setting of filtering, which older files have in dns.
    const Tree& filtering(std::string_view key) const {
        const Tree& value = below(below(top_, "filtering"), key);
        return value.kind == Tree::Kind::nothing ? below(dns_, key) : value;
    }
    std::optional<std::uint64_t> number(std::string_view key) const {
        return parse_number(top_.get(key), 1'000'000'000);
    }

    // ---- servers

    void listen_on(std::vector<std::string>& to, std::uint64_t port) {
        const Tree& hosts = below(dns_, "bind_hosts");
        std::set<std::string> seen;
        for (const auto& [host, line] : tree_texts(hosts)) {
            const bool any = host == "0.0.0.0" || host == "::";
            if (!any && !is_v4(host) && !is_v6(host)) {
                note(line, "the address " + in_quotes(host) +
                               " of dns.bind_hosts is not imported: it is not an IP address");
                continue;
            }
            const std::string listen = any ? ":" + std::to_string(port) : with_port(host, port);
            if (seen.insert(listen).second) to.push_back(listen);
        }
        if (to.empty()) to.push_back(":" + std::to_string(port));
        // An address of all makes the others superfluous.
        const std::string all = ":" + std::to_string(port);
        if (std::ranges::find(to, all) != to.end()) to = {all};
    }

    std::optional<std::uint64_t> port_of(const Tree& tree, std::string_view key,
                                         std::uint64_t standard) {
        const Tree& value = below(tree, key);
        if (value.is_empty()) return standard;
        const auto port = parse_number(value.text, 65'535);
        if (!port)
            note(value.line, "the port " + in_quotes(value.text) + " of " + std::string(key) +
                                 " is not imported: expected 0 to 65535");
        return port;
    }

    void servers() {
        const std::uint64_t port = port_of(dns_, "port", 53).value_or(53);
        const bool plain =
            below(dns_, "serve_plain_dns").is_empty() || is_on(dns_.get("serve_plain_dns"));
        if (plain) listen_on(m_.listen, port == 0 ? 53 : port);
        const Tree& tls = below(top_, "tls");
        if (!is_on(tls.get("enabled"))) {
            if (!plain) {
                note(below(dns_, "serve_plain_dns").line,
                     "dns.serve_plain_dns is not imported: without tls there is no other server");
                listen_on(m_.listen, 53);
            }
            return;
        }
        m_.cert = tls.get("certificate_path");
        m_.key = tls.get("private_key_path");
        m_.cert_is_here =
            !m_.cert.empty() && !m_.key.empty() && is_file_(m_.cert) && is_file_(m_.key);
        if (m_.cert.empty() || m_.key.empty()) {
            note(tls.line,
                 "the certificate of tls is in AdGuardHome.yaml: write it and its key to files, "
                 "enter them below, and remove the comment signs");
            m_.cert = "/etc/steerdns/cert.pem";
            m_.key = "/etc/steerdns/key.pem";
        } else if (!m_.cert_is_here) {
            note(tls.line, "the servers over TLS are comments: " + in_quotes(m_.cert) +
                               " or its key is not on this machine");
        }
        m_.http3 = is_on(dns_.get("serve_http3"));
        if (const std::string name(tls.get("server_name")); !name.empty() && m_.cert_is_here) {
            if (is_host_name(name)) m_.designated_name = plain_name(name);
        }
        const auto add = [&](std::string_view key, std::uint64_t standard,
                             std::vector<std::string>& to) {
            if (const auto at = port_of(tls, key, standard); at && *at != 0) listen_on(to, *at);
        };
        add("port_dns_over_tls", 853, m_.listen_tls);
        add("port_dns_over_quic", 853, m_.listen_quic);
        add("port_https", 443, m_.listen_https);
        if (!plain && !m_.cert_is_here) {
            note(below(dns_, "serve_plain_dns").line,
                 "dns.serve_plain_dns is not imported: no other server is ready");
            listen_on(m_.listen, port == 0 ? 53 : port);
        }
        for (const auto& [prefix, line] : tree_texts(below(dns_, "trusted_proxies"))) {
            if (prefix == "127.0.0.0/8" || prefix == "::1/128") continue;
            if (const std::string good = client_prefix(prefix); !good.empty())
                m_.proxies.push_back(good);
        }
    }

    // ---- who is served

    void access() {
        const auto prefixes = [&](std::string_view key) {
            std::vector<std::string> out;
            for (const auto& [text, line] : tree_texts(below(dns_, key))) {
                if (const std::string good = client_prefix(text); !good.empty()) {
                    out.push_back(good);
                } else if (!text.empty()) {
                    note(line, "the client " + in_quotes(text) + " of dns." + std::string(key) +
                                   " is not imported: expected an address or a prefix");
                }
            }
            return out;
        };
        m_.allow = prefixes("allowed_clients");
        m_.dropped_clients = prefixes("disallowed_clients");
        for (const auto& [text, line] : tree_texts(below(dns_, "blocked_hosts"))) {
            if (text == "version.bind" || text == "id.server" || text == "hostname.bind" ||
                text.empty())
                continue;
            const FilterRule rule = read_filter_rule(text);
            const std::string name = rule.rules.size() == 1 ? rule.rules.front() : "";
            if (rule.kind == FilterRule::Kind::block && name_error(name).empty()) {
                m_.refused_names.push_back("full:" + plain_name(name));
            } else if (rule.kind == FilterRule::Kind::block && name.starts_with("||") &&
                       name.ends_with('^') &&
                       name_error(std::string_view(name).substr(2, name.size() - 3)).empty()) {
                m_.refused_names.push_back("domain:" + plain_name(name.substr(2, name.size() - 3)));
            } else {
                note(line, "the name " + in_quotes(text) +
                               " of dns.blocked_hosts is not imported: write a rule with 'reject' "
                               "in the sequence 'main'");
            }
        }
        if (const auto rate = parse_number(dns_.get("ratelimit"), 1'000'000); rate && *rate > 0) {
            m_.limit_rate = std::to_string(*rate);
            if (parse_number(dns_.get("ratelimit_subnet_len_ipv4"), 32))
                m_.limit_prefix4 = dns_.get("ratelimit_subnet_len_ipv4");
            if (parse_number(dns_.get("ratelimit_subnet_len_ipv6"), 128))
                m_.limit_prefix6 = dns_.get("ratelimit_subnet_len_ipv6");
            m_.limit_except = prefixes("ratelimit_whitelist");
        }
        const Tree& any = below(dns_, "refuse_any");
        m_.any_forwarded = !any.is_empty() && !is_on(any.text);
    }

    void cache() {
        const Tree& enabled = below(dns_, "cache_enabled");
        const auto size = parse_number(dns_.get("cache_size"), 0xffffffff);
        if ((!enabled.is_empty() && !is_on(enabled.text)) || (size && *size == 0)) {
            m_.cache_size = "0";
            return;
        }
        if (size) m_.cache_size = std::to_string(std::max<std::uint64_t>(*size / 1024, 64)) + "KiB";
        const auto seconds = [&](std::string_view key, std::uint64_t most, std::string_view ours) {
            const auto value = parse_number(dns_.get(key), 0xffffffff);
            if (value && *value > 0)
                m_.cache_keys.emplace_back(ours, duration_text(std::min(*value, most) * 1000));
        };
        seconds("cache_ttl_min", 86'400, "cache_min_ttl");
        seconds("cache_ttl_max", 604'800, "cache_max_ttl");
        if (!is_on(dns_.get("cache_optimistic"))) return;
        const auto age = parse_time(dns_.get("cache_optimistic_max_age"), kGoUnits);
        m_.cache_keys.emplace_back("lazy_cache_ttl",
                                   duration_text(std::clamp<std::uint64_t>(age.value_or(43'200'000),
                                                                           1000, 30 * kOneDayMs)));
    }

    void answers() {
        const std::string mode(filtering("blocking_mode").text);
        if (mode == "nxdomain" || mode == "refused") m_.answer = mode;
        if (mode == "custom_ip") {
            std::vector<std::string> ips;
            if (is_v4(filtering("blocking_ipv4").text))
                ips.push_back(filtering("blocking_ipv4").text);
            if (is_v6(filtering("blocking_ipv6").text))
                ips.push_back(filtering("blocking_ipv6").text);
            if (ips.empty()) {
                note(filtering("blocking_mode").line,
                     "filtering.blocking_mode custom_ip is not imported: it has no addresses; "
                     "0.0.0.0 and :: are answered");
            } else {
                m_.answer = "custom " + join(ips, " ");
            }
        } else if (mode != "nxdomain" && mode != "refused" && mode != "default" &&
                   mode != "null_ip" && !mode.empty()) {
            note(filtering("blocking_mode").line, "filtering.blocking_mode " + in_quotes(mode) +
                                                      " is not known: 0.0.0.0 and :: are answered");
        }
        if (const Tree& ttl = filtering("blocked_response_ttl");
            !is_unset(ttl) && ttl.text != "10" && ttl.text != "300")
            note(ttl.line,
                 "filtering.blocked_response_ttl is not imported: answers for blocked names have a "
                 "TTL of 300 s");
        m_.without_aaaa = is_on(dns_.get("aaaa_disabled"));
        for (const auto& [text, line] : tree_texts(below(dns_, "bogus_nxdomain"))) {
            if (const std::string good = client_prefix(text); !good.empty())
                m_.bogus.push_back(good);
            else
                note(line,
                     "the address " + in_quotes(text) +
                         " of dns.bogus_nxdomain is not imported: expected an address or a prefix");
        }
        const Tree& subnet = below(dns_, "edns_client_subnet");
        if (is_on(subnet.is_text() ? subnet.text : subnet.get("enabled"))) {
            const std::string custom(subnet.get("custom_ip"));
            m_.subnet_preset = is_on(subnet.get("use_custom")) && (is_v4(custom) || is_v6(custom))
                                   ? custom
                                   : "send";
        }
        if (!is_on(dns_.get("use_dns64"))) return;
        m_.dns64 = true;
        for (const auto& [text, line] : tree_texts(below(dns_, "dns64_prefixes"))) {
            if (is_v6(text.substr(0, text.find('/'))) && text.ends_with("/96") &&
                is_zero_behind(text.substr(0, text.find('/')), 96))
                m_.dns64_prefixes.push_back(text);
            else
                note(line, "the prefix " + in_quotes(text) +
                               " of dns.dns64_prefixes is not imported: write it to 'nat64' below");
        }
    }

    // ---- lists

    std::vector<std::string> lists_of(const Tree& list, const std::string& key) {
        std::vector<std::string> out;
        for (const Tree& item : list.items) {
            check_keys(item, "filters[]", key + "[].");
            const std::string url(item.get("url"));
            if (!is_on(item.get("enabled"))) {
                note(item.line,
                     "the list " + in_quotes(url) + " is not imported: it is not enabled");
            } else if (is_list(url)) {
                if (std::ranges::find(out, url) == out.end()) out.push_back(url);
            } else {
                note(item.line, "the list " + in_quotes(url) +
                                    " is not imported: it is not on this machine, and not an "
                                    "http:// or https:// URL");
            }
        }
        return out;
    }
    [[nodiscard]] bool is_list(const std::string& url) const {
        return !host_of_url("https", url).empty() || !host_of_url("http", url).empty() ||
               (url.starts_with('/') && is_file_(url));
    }

    // Names and lists that filtering_enabled turns on and off together.
    void add_filters(BlockSet& to) const {
        to.lists = filters_.lists;
        to.allow_lists = filters_.allow_lists;
        to.block = filters_.block;
        to.allow = filters_.allow;
    }

    void tell_remote(const Tree& at, std::string_view key, const std::string& name,
                     std::vector<Note>& notes) {
        const Tree& value = below(at, key);
        const Tree& flag = value.is_map() ? below(value, "enabled") : value;
        if (!is_on(flag.text)) return;
        const std::string what = name + std::string(key);
        const std::string instead =
            key == "safe_search" || key == "safesearch_enabled"
                ? "write the search engines' aliases as rules of a 'redirect' "
                  "(docs/guides/households.md)"
                : "AdGuard's servers are not asked; add a list, or upstreams that block such names";
        notes.push_back({line_place(flag.line), what + " is not imported: " + instead});
    }

    void protection() {
        const Tree& on = filtering("protection_enabled");
        protected_ = on.is_empty() || is_on(on.text);
        if (!protected_)
            note(on.line,
                 "filtering.protection_enabled is false: nothing is blocked below. Set it to true "
                 "and import again to get the lists and rules");
        filters_.lists = lists_of(below(top_, "filters"), "filters");
        filters_.allow_lists = lists_of(below(top_, "whitelist_filters"), "whitelist_filters");
        for (const std::string_view key :
             {"parental_enabled", "safebrowsing_enabled", "safe_search", "safesearch_enabled"}) {
            const bool is_new = below(top_, "filtering").find(key) != nullptr;
            tell_remote(is_new ? below(top_, "filtering") : dns_, key,
                        is_new ? "filtering." : "dns.", m_.notes);
        }
        services_ =
            read_services(filtering("blocked_services"), "filtering.blocked_services", m_.notes);
    }

    void finish_everyone() {
        const Tree& on = filtering("filtering_enabled");
        filters_on_ = on.is_empty() || is_on(on.text);
        if (protected_ && !filters_on_ && !on.is_empty())
            note(on.line,
                 "filtering.filtering_enabled is false: lists and rules are not written for "
                 "everyone. Set it to true and import again to get them");
        if (!protected_) return;
        if (filters_on_) add_filters(m_.everyone);
        m_.everyone.services = services_;
    }

    // ---- rules and rewrites

    void user_rules() {
        for (const auto& [text, line] : tree_texts(below(top_, "user_rules"))) {
            const FilterRule rule = read_filter_rule(text);
            switch (rule.kind) {
                case FilterRule::Kind::nothing:
                    break;
                case FilterRule::Kind::block:
                    filters_.block.insert(filters_.block.end(), rule.rules.begin(),
                                          rule.rules.end());
                    break;
                case FilterRule::Kind::allow:
                    filters_.allow.insert(filters_.allow.end(), rule.rules.begin(),
                                          rule.rules.end());
                    for (const std::string& one : rule.rules)
                        filters_.block.push_back("@@" + one);
                    break;
                case FilterRule::Kind::answer:
                    m_.rule_answers.push_back(
                        join(rule.rules, " ") + "\n" +
                        (rule.addresses.empty()
                             ? rule.executor
                             : "black_hole " + join(rule.addresses, " ") + " short_circuit"));
                    break;
                case FilterRule::Kind::unknown:
                    note(line, "the rule " + in_quotes(text) + " is not imported: " + rule.why);
            }
        }
        // Exceptions alone block nothing.
        if (std::ranges::all_of(filters_.block,
                                [](const std::string& one) { return one.starts_with("@@"); }))
            filters_.block.clear();
        finish_everyone();
    }

    void rewrites() {
        const Tree& list = filtering("rewrites");
        if (list.items.empty()) return;
        const Tree& on = filtering("rewrites_enabled");
        if (!on.is_empty() && !is_on(on.text))
            return note(on.line, "filtering.rewrites are not imported: rewrites_enabled is false");
        for (const Tree& item : list.items)
            check_keys(item, "rewrites[]", "filtering.rewrites[].");
        read_rewrites(list, m_);
    }

    // ---- the query log

    void query_log() {
        const Tree& log = below(top_, "querylog");
        const Tree& enabled = log.find("enabled") != nullptr ? below(log, "enabled")
                                                             : below(dns_, "querylog_enabled");
        if (!enabled.is_empty() && !is_on(enabled.text)) return;
        const Tree& interval = log.find("interval") != nullptr ? below(log, "interval")
                                                               : below(dns_, "querylog_interval");
        auto ms = parse_time(interval.text, kGoUnits);
        if (ms && interval.text.find_first_not_of("0123456789") == std::string::npos)
            *ms = *ms / 1000 * kOneDayMs;  // days
        const std::uint64_t days = std::clamp<std::uint64_t>(
            (ms.value_or(90 * kOneDayMs) + kOneDayMs - 1) / kOneDayMs, 1, 3650);
        m_.retention_days = std::to_string(days);
        if (is_on(dns_.get("anonymize_client_ip"))) {
            m_.mask4 = "16";
            m_.mask6 = "48";
        }
        const Tree& ignores = below(log, "ignored_enabled");
        if (!ignores.is_empty() && !is_on(ignores.text)) return;
        for (const auto& [text, line] : tree_texts(below(log, "ignored"))) {
            if (text == "|.^" || text == "." || text.empty()) continue;
            std::string_view pattern = text;
            const bool wide = pattern.starts_with("||") && pattern.ends_with('^');
            if (wide) pattern = pattern.substr(2, pattern.size() - 3);
            if (name_error(pattern).empty()) {
                m_.unrecorded_names.push_back((wide ? "domain:" : "full:") + plain_name(pattern));
            } else {
                note(line, "the name " + in_quotes(text) +
                               " of querylog.ignored is not imported: write a rule with 'mark 1' "
                               "in the sequence 'main'");
            }
        }
    }

    // ---- clients

    void clients() {
        const Tree& list = clients_.is_list() ? clients_ : below(clients_, "persistent");
        if (clients_.is_map()) check_keys(clients_, "clients", "clients.");
        for (const Tree& item : list.items)
            one_client(item);
    }

    std::string own_tag(const std::string& name) {
        const std::string tag = group_tag(name);
        std::string made = tag;
        for (int i = 2; !tags_.insert(made).second; ++i)
            made = tag + "_" + std::to_string(i);
        return made;
    }

    void one_client(const Tree& item) {
        const std::string name(item.get("name"));
        ClientGroup group;
        group.name = "Client " + in_quotes(name) + ", " + line_place(item.line) + ".";
        group.place = line_place(item.line);
        check_keys(item, "clients.persistent[]", "clients.persistent[].", group.notes);
        for (const auto& [id, line] : tree_texts(below(item, "ids"))) {
            if (std::string prefix = client_prefix(id); !prefix.empty()) {
                group.prefixes.push_back(std::move(prefix));
            } else if (std::string mac = client_mac(id); !mac.empty()) {
                group.macs.push_back(std::move(mac));
            } else {
                group.notes.push_back(
                    {line_place(line), "the id " + in_quotes(id) +
                                           " of the client is not imported: expected an address, a "
                                           "prefix or a MAC address"});
            }
        }
        const bool global_filters = is_on(item.get("use_global_settings"));
        const bool global_services = is_on(item.get("use_global_blocked_services"));
        if (protected_ && global_filters && filters_on_) add_filters(group.set);
        if (protected_ && !global_filters && is_on(item.get("filtering_enabled")))
            add_filters(group.set);
        if (!global_filters) {
            for (const std::string_view key :
                 {"parental_enabled", "safebrowsing_enabled", "safe_search", "safesearch_enabled"})
                tell_remote(item, key, "its ", group.notes);
        }
        auto services = read_services(below(item, "blocked_services"), "the client", group.notes);
        if (protected_) group.set.services = global_services ? services_ : services;
        if (!tree_texts(below(item, "upstreams")).empty()) {
            group.servers = upstreams_.client(below(item, "upstreams"), group.notes);
            group.servers->cached = is_on(item.get("upstreams_cache_enabled"));
        }
        group.unrecorded = is_on(item.get("ignore_querylog")) && !m_.retention_days.empty();
        const bool is_plain = group.set == m_.everyone && !group.servers && !group.unrecorded;
        if (is_plain || (group.prefixes.empty() && group.macs.empty())) {
            m_.notes.insert(m_.notes.end(), group.notes.begin(), group.notes.end());
            note(item.line,
                 "the client " + in_quotes(name) +
                     (is_plain ? " has the settings of everyone: only its name is not imported"
                               : " is not imported: it has no address"));
            return;
        }
        group.tag = own_tag(name);
        if (group.servers) group.servers->forward.tag = "forward_" + group.tag;
        m_.groups.push_back(std::move(group));
    }

    const Tree& top_;
    const std::function<bool(const std::string&)>& is_file_;
    const Tree& dns_;
    const Tree& clients_;
    BlockerModel m_;
    BlockSet filters_;
    std::vector<ServiceBlock> services_;
    std::set<std::string> tags_{"main", "any", "second"}, unneeded_;
    AghUpstreams upstreams_{dns_, m_.notes};
    bool protected_ = true, filters_on_ = true;
};

}  // namespace

Imported import_adguardhome(std::string_view text, std::string_view source,
                            const std::function<bool(const std::string&)>& is_file) {
    auto read = read_tree(text);
    if (auto* const failure = std::get_if<Failure>(&read)) return {{}, {}, std::move(*failure)};
    const Tree& top = std::get<Tree>(read);
    const Tree* const dns = top.find("dns");
    if (dns == nullptr || !dns->is_map() ||
        (dns->find("upstream_dns") == nullptr && dns->find("bind_hosts") == nullptr))
        return {
            {},
            {},
            Failure{0,
                    "is not a configuration of AdGuard Home: it has no 'dns' with 'upstream_dns'"}};
    return write_blocker(AghImport(top, is_file).read(), "adguardhome", source);
}

}  // namespace steer::importing
