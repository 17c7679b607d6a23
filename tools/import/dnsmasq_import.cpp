#include "tools/import/dnsmasq_import.h"

#include <algorithm>
#include <set>

#include "tools/import/dnsmasq_model.h"
#include "tools/import/words.h"

namespace steer::importing {
namespace {

constexpr std::string_view kPrivate =
    "ptr_ip 0.0.0.0/8 10.0.0.0/8 127.0.0.0/8 169.254.0.0/16 172.16.0.0/12 192.0.2.0/24 "
    "192.168.0.0/16 198.51.100.0/24 203.0.113.0/24 255.255.255.255/32 ::/128 ::1/128 fc00::/7 "
    "fe80::/10 2001:db8::/32";

// Addresses of more domains than these are a rule, not records; more names than these are a set.
constexpr std::size_t kManyDomains = 16, kManyNames = 8;

std::string target_text(const Upstream& server) {
    return server.addr + (server.device.empty() ? "" : "@" + server.device);
}

bool is_local_name(std::string_view domain) {
    return domain == "local" || domain.ends_with(".local");
}

// A rule of the sequence.
struct Step {
    std::vector<std::string> matches;
    std::string exec;
    std::string comment = {};
};

class DnsmasqWriter {
  public:
    DnsmasqWriter(DnsmasqModel model, std::string_view source) : m_(std::move(model)) {
        sheet_.comment("Made by 'steerctl import dnsmasq' from " + std::string(source) +
                       ". Check it with 'steerdnsd --check FILE'. Notes name settings that are "
                       "not imported or that differ.");
        sheet_.notes(m_.notes);
    }

    Imported write() {
        sheet_.blank();
        policy();
        sheet_.open("plugins:");
        names();
        domains();
        claims();
        if (m_.has_upstreams) write_forward(sheet_, m_.forward);
        for (const Forward& forward : forwards_)
            write_forward(sheet_, forward);
        for (std::size_t i = 0; i < sets_.size(); ++i)
            write_set(set_tag(i), sets_[i]);
        write_records(sheet_, "names", m_.records, "", false);
        for (std::size_t i = 0; i < name_sets_.size(); ++i)
            write_names(name_set_tag(i), name_sets_[i]);
        others();
        subnet();
        cache();
        sequence();
        servers();
        return {sheet_.text(), sheet_.noted(), std::nullopt};
    }

  private:
    // ---- answers with private addresses

    void policy() {
        if (!m_.stop_rebind) return;
        sheet_.open("policy:");
        sheet_.line("rebind: block");
        if (!m_.rebind_names.empty()) sheet_.line("rebind_names: " + flow_list(m_.rebind_names));
        if (m_.rebind_localhost)
            sheet_.line("rebind_nets: " + flow_list({"127.0.0.0/8", "::1/128"}));
        sheet_.close();
        sheet_.blank();
    }

    // ---- sets of names

    static std::string name_set_tag(std::size_t number) {
        return "domains_" + std::to_string(number + 1);
    }

    // "qname ..." for all of them; many become a domain_set.
    std::string qname(const std::vector<std::string>& names, std::string_view kind = "domain:") {
        if (names.size() > kManyNames) {
            std::vector<std::string> rules;
            rules.reserve(names.size());
            for (const std::string& name : names)
                rules.push_back(std::string(kind).append(name));
            const auto at = std::ranges::find(name_sets_, rules);
            const auto number = static_cast<std::size_t>(at - name_sets_.begin());
            if (at == name_sets_.end()) name_sets_.push_back(std::move(rules));
            return "qname $" + name_set_tag(number);
        }
        std::string out = "qname";
        for (const std::string& name : names)
            out.append(" ").append(kind).append(name);
        return out;
    }

    // For names within a rule's domains; none for every name.
    std::vector<std::string> within(const DomainRule& rule, bool is_exact) {
        std::vector<std::string> out;
        if (!rule.within.front().empty()) out.push_back(qname(rule.within));
        if (is_exact && !rule.except.empty()) out.push_back("!" + qname(rule.except));
        return out;
    }

    void write_names(const std::string& tag, const std::vector<std::string>& rules) {
        sheet_.open_plugin(tag, "domain_set");
        sheet_.open("exps:");
        for (const std::string& rule : rules)
            sheet_.line("- " + scalar(rule));
        sheet_.close();
        sheet_.close_plugin();
    }

    // ---- sets of the kernel

    static std::string set_tag(std::size_t number) { return "set_" + std::to_string(number + 1); }

    std::size_t number_of(const KernelSetNames& set) {
        const auto at = std::ranges::find(sets_, set);
        const auto number = static_cast<std::size_t>(at - sets_.begin());
        if (at == sets_.end()) sets_.push_back(set);
        return number;
    }

    // The addresses of a name go into the sets of its longest domain.
    void claims() {
        for (const SetsOfDomains* const all : {&m_.ipsets, &m_.nftsets}) {
            std::vector<std::vector<KernelSetNames>> kinds;
            std::map<std::string, std::size_t> actions;
            for (const auto& [domain, sets] : *all) {
                const auto at = std::ranges::find(kinds, sets);
                actions.emplace(domain, static_cast<std::size_t>(at - kinds.begin()));
                if (at == kinds.end()) kinds.push_back(sets);
            }
            for (const DomainRule& rule : longest_first(actions)) {
                for (const KernelSetNames& set : kinds[rule.action])
                    claims_.push_back({within(rule, true), "$" + set_tag(number_of(set))});
            }
        }
    }

    void write_set(const std::string& tag, const KernelSetNames& set) {
        sheet_.open_plugin(tag, set.type);
        if (set.type == "ipset") {
            if (!set.set4.empty()) {
                sheet_.key("set_name4", set.set4);
                sheet_.line("mask4: 32");
            }
            if (!set.set6.empty()) {
                sheet_.key("set_name6", set.set6);
                sheet_.line("mask6: 128");
            }
        } else {
            nftables_set("ipv4", set.set4, "32");
            nftables_set("ipv6", set.set6, "128");
        }
        sheet_.line(kAllowPrivate);
        sheet_.close_plugin();
    }

    void nftables_set(std::string_view key, const std::string& set, std::string_view mask) {
        if (set.empty()) return;
        const auto parts = split_all(set, '#');
        Flow flow;
        flow.add("table_family", parts.at(0)).add("table_name", parts.at(1));
        flow.add("set_name", parts.at(2)).add("mask", mask);
        sheet_.line(std::string(key) + ": " + flow.text());
    }

    // ---- domains

    // What the longest domain of a name makes of its questions; numbers of texts in `texts_`.
    struct Action {
        std::size_t addresses4 = 0, addresses6 = 0, route = 0;
        auto operator<=>(const Action&) const = default;
    };

    std::size_t number_of(const std::string& text) {
        const auto [at, fresh] = text_numbers_.try_emplace(text, texts_.size());
        if (fresh) texts_.push_back(text);
        return at->second;
    }

    static std::string key_of(const Domain& domain) { return join(domain.addresses(), " "); }
    bool has_records(const std::string& name) const { return recorded_.contains(name); }
    static bool has_route(const Domain& domain) {
        return domain.is_denied || domain.has_usual || !domain.servers.empty();
    }

    // Shorter domains before those within them.
    std::vector<const Domains::value_type*> by_size() const {
        std::vector<const Domains::value_type*> out;
        for (const auto& entry : m_.domains)
            out.push_back(&entry);
        std::ranges::stable_sort(out, {}, [](const auto* d) { return d->first.size(); });
        return out;
    }

    // Few domains have an address: records. So has a domain that lacks the other family, if one
    // around it has records: that one's address fits it, too.
    void choose_records() {
        std::map<std::string, std::size_t> shares;  // domains by their addresses
        for (const auto& [name, domain] : m_.domains)
            ++shares[key_of(domain)];
        for (const auto* const entry : by_size()) {
            const auto& [name, domain] = *entry;
            const std::string key = key_of(domain);
            if (name.empty() || key.empty()) continue;
            const auto* const outer = above(m_.domains, name);
            const bool is_within =
                !has_route(domain) && outer != nullptr && has_records(outer->first);
            if (is_within || shares[key] <= kManyDomains) recorded_.insert(name);
        }
    }

    // A domain within one that has records passes it by, if it has rules of its own.
    void address_records() {
        choose_records();
        for (const auto& [name, domain] : m_.domains) {
            if (has_records(name)) {
                for (const std::string& address : domain.addresses()) {
                    Record& r = domain_record(name, domain, is_v6(address) ? "AAAA" : "");
                    r.data.add("address", address).add("ttl", m_.local_ttl + "s");
                }
            }
            const bool has_rules =
                has_route(domain) || (!key_of(domain).empty() && !has_records(name));
            if (!has_rules) continue;
            const auto* const outer = above(m_.domains, name);
            if (outer == nullptr || !has_records(outer->first)) continue;
            domain_record(name, domain, "FWD");
            passing_.emplace(name, true);
        }
        // Single names first, then the longest domain: the first entry that fits decides.
        std::ranges::stable_sort(m_.records, [](const Record& a, const Record& b) {
            const auto rank = [](const Record& r) {
                return r.owner == Record::Owner::name ? 1000 : label_count(r.name);
            };
            return rank(a) > rank(b);
        });
    }

    Record& domain_record(const std::string& name, const Domain& domain, const std::string& type) {
        Record r;
        r.owner = Record::Owner::subdomains;
        r.name = name;
        r.place = domain.place;
        r.type = type;
        m_.records.push_back(std::move(r));
        return m_.records.back();
    }

    // "$forward", "nxdomain" or "nodata"; empty: REFUSED.
    std::string route_of(const std::string& name, const Domain& domain) {
        if (domain.has_usual && !m_.has_upstreams && domain.servers.empty())
            sheet_.note(domain.place,
                        "server=/" + name + "/# is not imported: there are no default servers");
        if (domain.has_usual || domain.servers.empty()) {
            if (domain.has_usual && m_.has_upstreams) {
                m_.forward.is_local = m_.forward.is_local || is_local_name(name);
                return "$forward_main";
            }
            if (!domain.is_denied) return "";
            return key_of(domain).empty() ? "nxdomain" : "nodata";
        }
        std::string key;
        for (const Upstream& server : domain.servers)
            key += target_text(server) + " ";
        const auto [at, fresh] = forward_numbers_.try_emplace(key, forwards_.size());
        if (fresh) {
            Forward forward;
            forward.tag = "servers_" + std::to_string(forwards_.size() + 1);
            forward.policy = m_.forward.policy;
            forward.max_queries = m_.forward.max_queries;
            forward.upstreams = domain.servers;
            if (m_.asks_all && domain.servers.size() > 1)
                forward.concurrent =
                    std::to_string(std::min<std::size_t>(32, domain.servers.size()));
            forwards_.push_back(std::move(forward));
        }
        Forward& forward = forwards_[at->second];
        forward.is_local = forward.is_local || is_local_name(name);
        return "$" + forward.tag;
    }

    void names() {
        address_records();
        if (m_.has_upstreams) {  // for the names of no other domain
            Domain& all = m_.domains[""];
            all.has_usual = true;
            all.is_denied = false;
        }
        for (const auto* const entry : by_size()) {
            const auto& [name, domain] = *entry;
            const bool has_rule =
                has_route(domain) || (!key_of(domain).empty() && !has_records(name));
            if (!has_rule) continue;
            const auto* const outer = above(actions_, name);
            Action action = outer == nullptr ? Action{number_of(""), number_of(""), number_of("")}
                                             : all_actions_[outer->second];
            if (has_route(domain)) {
                const std::string route = route_of(name, domain);
                if (route.empty()) continue;
                action = {number_of(""), number_of(""), number_of(route)};
            }
            if (!has_records(name)) {
                std::vector<std::string> four, six;
                for (const std::string& address : domain.addresses())
                    (is_v6(address) ? six : four).push_back(address);
                if (!four.empty()) action.addresses4 = number_of(join(four, " "));
                if (!six.empty()) action.addresses6 = number_of(join(six, " "));
            }
            const auto [at, fresh] = action_numbers_.try_emplace(action, all_actions_.size());
            if (fresh) all_actions_.push_back(action);
            actions_.emplace(name, at->second);
        }
    }

    static std::vector<std::string> with(std::vector<std::string> matches, std::string first) {
        matches.insert(matches.begin(), std::move(first));
        return matches;
    }

    // Local answers stand before the cache, forwards behind it.
    void domains() {
        empty_names();
        for (const DomainRule& rule : longest_first(actions_)) {
            const Action& action = all_actions_[rule.action];
            const std::string &four = texts_[action.addresses4], &six = texts_[action.addresses6],
                              &route = texts_[action.route];
            if (!four.empty() && !six.empty()) {
                local_.push_back({with(within(rule, true), "qtype A AAAA"),
                                  "black_hole " + four + " " + six + " short_circuit"});
            } else if (!four.empty() || !six.empty()) {
                local_.push_back({with(within(rule, true), four.empty() ? "qtype AAAA" : "qtype A"),
                                  "black_hole " + four + six + " short_circuit"});
            }
            if (route == "nxdomain" || route == "nodata") {
                local_.push_back({within(rule, true), "black_hole " + route + " short_circuit"});
            } else if (!route.empty()) {
                Step step{within(rule, false), route};
                if (!asked_.empty()) step.matches.insert(step.matches.begin(), "!has_resp");
                asked_.push_back(std::move(step));
            }
        }
        domain_needed();
        bogus_priv();
    }

    // Even a domain of one label that has servers of its own is not asked for addresses.
    void domain_needed() {
        if (!m_.domain_needed) return;
        const std::string reason = "domain-needed";
        if (!single_.empty())
            local_.push_back({{"qtype A AAAA", qname(single_, "full:")},
                              "black_hole nodata short_circuit",
                              reason});
        local_.push_back({{"qtype A AAAA", "qname regexp:^[^.]+$"},
                          "black_hole nxdomain short_circuit",
                          single_.empty() ? reason : ""});
    }

    // Reverse zones with servers of their own are asked.
    void bogus_priv() {
        if (!m_.bogus_priv) return;
        std::vector<std::string> asked;
        for (const auto& [name, action] : actions_) {
            const bool is_reverse = name.ends_with("in-addr.arpa") || name.ends_with("ip6.arpa");
            if (is_reverse && texts_[all_actions_[action].route].starts_with('$'))
                asked.push_back(name);
        }
        Step step{{"qtype PTR", std::string(kPrivate)},
                  "black_hole nxdomain short_circuit",
                  "bogus-priv"};
        if (!asked.empty()) step.matches.push_back("!" + qname(asked));
        local_.push_back(std::move(step));
    }

    // A name above one that has records exists: it is not denied.
    void empty_names() {
        std::set<std::string> exist, single;
        const auto take = [&](std::string_view name) {
            for (; !name.empty(); name = parent_of(name)) {
                const std::string text(name);
                const auto own = actions_.find(text);
                const auto* const at = own != actions_.end() ? &*own : above(actions_, text);
                const bool is_denied =
                    at != nullptr && texts_[all_actions_[at->second].route] == "nxdomain";
                if (is_denied) exist.insert(text);
                const bool is_single = text.find('.') == std::string::npos && text != "arpa";
                if (m_.domain_needed && is_single) single.insert(text);
            }
        };
        for (const Record& r : m_.records)
            // `static` knows that its own names exist, unless it passes them on.
            if (r.owner == Record::Owner::name)
                take(above(passing_, r.name) == nullptr ? parent_of(r.name) : r.name);
        for (const std::string& owner : m_.other_owners)
            take(owner);
        if (!exist.empty())
            local_.push_back({{qname({exist.begin(), exist.end()}, "full:")},
                              "black_hole nodata short_circuit"});
        single_ = {single.begin(), single.end()};
    }

    // An address has the PTR records that are written, or one: of the name that had it first.
    void pointers() {
        std::set<std::string> known;
        const auto add = [&](const Pointer& p) {
            m_.other_records.push_back(p.owner + ". " + p.ttl_s + " IN PTR " + p.target + ".");
        };
        for (const Pointer& p : m_.ptr_records) {
            known.insert(p.owner);
            add(p);
        }
        for (const Pointer& p : m_.pointers)
            if (known.insert(p.owner).second) add(p);
    }

    void others() {
        pointers();
        if (m_.other_records.empty()) return;
        sheet_.open_plugin("others", "arbitrary");
        sheet_.line("short_circuit: true");
        sheet_.open("rules:");
        for (const std::string& line : m_.other_records)
            sheet_.line("- " + scalar(line));
        sheet_.close();
        sheet_.close_plugin();
    }

    void subnet() {
        if (!m_.subnet) return;
        sheet_.open_plugin("subnet", "ecs_handler");
        if (!m_.subnet->preset.empty()) {
            sheet_.key("preset", m_.subnet->preset);
        } else {
            sheet_.line("send: true");
            sheet_.line("mask4: " + m_.subnet->bits4);
            sheet_.line("mask6: " + m_.subnet->bits6);
        }
        sheet_.close_plugin();
    }

    void cache() {
        if (m_.cache_size == "0") return;
        sheet_.open_plugin("answers", "cache");
        sheet_.key("size", m_.cache_size);
        for (const auto& [key, text] : m_.cache_keys)
            sheet_.line(std::string(key).append(": ").append(text));
        if (!m_.max_ttl.empty()) sheet_.line("cache_max_ttl: " + m_.max_ttl + "s");
        sheet_.line("short_circuit: true");
        sheet_.close_plugin();
    }

    // ---- the sequence

    void rule(const Step& step) {
        if (!step.comment.empty()) sheet_.comment(step.comment);
        if (step.matches.empty()) return sheet_.line("- exec: " + scalar(step.exec));
        const std::string matches =
            step.matches.size() == 1 ? scalar(step.matches.front()) : flow_list(step.matches);
        sheet_.line("- { matches: " + matches + ", exec: " + scalar(step.exec) + " }");
    }

    void sequence() {
        sheet_.open("- tag: main");
        sheet_.line("type: sequence");
        sheet_.open("args:");
        if (m_.logs) sheet_.line("- exec: query_summary");
        if (!m_.records.empty()) sheet_.line("- exec: $names");
        if (!m_.other_records.empty()) sheet_.line("- exec: $others");
        for (const Step& step : local_)
            rule(step);
        if (m_.subnet) sheet_.line("- exec: $subnet");
        if (m_.cache_size != "0" && !asked_.empty()) sheet_.line("- exec: $answers");
        for (const Step& step : asked_)
            rule(step);
        if (!m_.has_upstreams) {
            sheet_.comment("no-resolv without servers");
            rule({asked_.empty() ? std::vector<std::string>()
                                 : std::vector<std::string>{"!has_resp"},
                  "reject REFUSED"});
        }
        if (!asked_.empty()) behind_forwards();
        sheet_.close();
        sheet_.close();
    }

    void behind_forwards() {
        if (!m_.bogus.empty()) rule({{"resp_ip " + join(m_.bogus, " ")}, "black_hole nxdomain"});
        if (!m_.filtered.empty())
            rule({{"qtype " + join(m_.filtered, " "), "has_wanted_ans"}, "black_hole nodata"});
        if (!m_.max_ttl.empty() && m_.cache_size == "0") rule({{}, "ttl 0-" + m_.max_ttl});
        for (const Step& claim : claims_)
            rule(claim);
    }

    void servers() {
        if (m_.listen.empty()) return write_servers(sheet_, ":" + m_.port, "main");
        unsigned number = m_.listen.size() > 1 ? 1 : 0;
        for (const std::string& address : m_.listen) {
            write_servers(sheet_, with_port(address, *parse_number(m_.port, 65'535)), "main",
                          number);
            number += number == 0 ? 0 : 1;
        }
    }

    DnsmasqModel m_;
    Sheet sheet_;
    std::map<std::string, bool> passing_;  // domains whose names pass by the records
    std::set<std::string> recorded_;       // domains with addresses that are records
    std::vector<std::string> texts_;
    std::map<std::string, std::size_t> text_numbers_, forward_numbers_;
    std::vector<Action> all_actions_;
    std::map<Action, std::size_t> action_numbers_;
    std::map<std::string, std::size_t> actions_;  // of domains
    std::vector<Forward> forwards_;
    std::vector<KernelSetNames> sets_;
    std::vector<std::vector<std::string>> name_sets_;
    std::vector<Step> local_, asked_, claims_;
    std::vector<std::string> single_;
};

}  // namespace

Imported import_dnsmasq(std::string_view text, std::string_view source) {
    DnsmasqFile file = read_dnsmasq(text);
    if (file.failure) return {{}, {}, std::move(file.failure)};
    return DnsmasqWriter(read_dnsmasq_options(file.options), source).write();
}

}  // namespace steer::importing
