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

bool is_below(std::string_view name, std::string_view domain) {
    return name == domain || (name.size() > domain.size() && name.ends_with(domain) &&
                              name[name.size() - domain.size() - 1] == '.');
}

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
        sheet_.open("plugins:");
        if (m_.has_upstreams) write_forward(sheet_, m_.forward);
        sets();
        names();
        denied();
        others();
        cache();
        sequence();
        servers();
        return {sheet_.text(), sheet_.noted(), std::nullopt};
    }

  private:
    // ---- sets of the kernel

    void sets() {
        unsigned number = 0;
        for (const DomainSet& set : m_.sets) {
            set_tags_.push_back("set_" + std::to_string(++number));
            sheet_.open_plugin(set_tags_.back(), set.type);
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
    }

    void nftables_set(std::string_view key, const std::string& set, std::string_view mask) {
        if (set.empty()) return;
        const auto parts = split_all(set, '#');
        Flow flow;
        flow.add("table_family", parts.at(0)).add("table_name", parts.at(1));
        flow.add("set_name", parts.at(2)).add("mask", mask);
        sheet_.line(std::string(key) + ": " + flow.text());
    }

    // The tag of the set that a domain's addresses go into; empty: none.
    std::string set_of(const std::string& domain, const std::string& place) {
        std::string tag;
        std::size_t longest = 0;
        for (std::size_t i = 0; i < m_.sets.size(); ++i) {
            for (const std::string& name : m_.sets[i].domains) {
                if (!name.empty() && !is_below(domain, name)) continue;
                if (!tag.empty() && name.size() == longest) {
                    sheet_.note(m_.sets[i].place, "addresses of " + in_quotes(domain) + " (" +
                                                      place +
                                                      ") go only into the first of its sets");
                } else if (tag.empty() || name.size() > longest) {
                    tag = set_tags_[i];
                    longest = name.size();
                }
            }
        }
        return tag;
    }

    // ---- names

    // A denied domain below an allowed one has to be a record: the longest matching name wins.
    bool is_within_another(const std::string& domain) const {
        const bool within_servers = std::ranges::any_of(
            m_.domains, [&](const auto& d) { return is_below(domain, d.first); });
        return within_servers || std::ranges::any_of(m_.records, [&](const Record& r) {
                   return r.owner == Record::Owner::subdomains && r.name != domain &&
                          is_below(domain, r.name);
               });
    }

    void add_forwarded(const std::string& domain, const DomainServers& servers,
                       const std::string& target) {
        Record r;
        r.owner = Record::Owner::subdomains;
        r.name = domain;
        r.place = servers.place;
        r.type = "FWD";
        r.asks_forwarder = !target.empty();
        r.data.add("forward_to", target);
        const std::string tag = set_of(domain, servers.place);
        if (!tag.empty()) r.data.add("address_list", "$" + tag);
        m_.records.push_back(std::move(r));
    }

    // Where the servers of a domain are asked: an address, or a forward that is written here.
    std::string target_of(const DomainServers& servers) {
        const bool usual = std::ranges::find(servers.servers, "#") != servers.servers.end();
        if (usual) return m_.has_upstreams ? "$forward_main" : "";
        if (servers.servers.size() == 1) return servers.servers.front();
        Forward forward;
        forward.tag = "servers_" + std::to_string(++forwards_);
        forward.policy = m_.forward.policy;
        forward.max_queries = m_.forward.max_queries;
        for (const std::string& server : servers.servers) {
            forward.upstreams.emplace_back();
            forward.upstreams.back().addr = server;
        }
        write_forward(sheet_, forward);
        return "$" + forward.tag;
    }

    void names() {
        for (const auto& [domain, servers] : m_.domains) {
            const std::string target = target_of(servers);
            if (target.empty()) {
                sheet_.note(servers.place, "server=/" + domain +
                                               "/# is not imported: there are no default servers");
                continue;
            }
            add_forwarded(domain, servers, target);
            for (const DomainSet& set : m_.sets) {  // sets of names within it
                for (const std::string& name : set.domains) {
                    const bool has_own =
                        m_.domains.contains(name) || !seen_.emplace(domain, name).second;
                    if (name != domain && is_below(name, domain) && !has_own)
                        add_forwarded(name, servers, target);
                }
            }
        }
        for (const auto& [domain, place] : m_.denied) {
            if (!is_within_another(domain)) {
                plain_denied_.push_back(domain);
                continue;
            }
            Record r;
            r.owner = Record::Owner::subdomains;
            r.name = domain;
            r.place = place;
            r.type = "NXDOMAIN";
            m_.records.push_back(std::move(r));
        }
        // Single names first, then the longest domain: the first entry that fits decides.
        std::ranges::stable_sort(m_.records, [](const Record& a, const Record& b) {
            const auto rank = [](const Record& r) {
                return r.owner == Record::Owner::name ? 1000 : label_count(r.name);
            };
            return rank(a) > rank(b);
        });
        write_records(sheet_, "names", m_.records, m_.cache_size == "0" ? "" : "$answers", false);
    }

    void denied() {
        if (plain_denied_.empty()) return;
        sheet_.open_plugin("denied", "domain_set");
        sheet_.open("exps:");
        for (const std::string& name : plain_denied_)
            sheet_.line("- " + scalar("domain:" + name));
        sheet_.close();
        sheet_.close_plugin();
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

    void cache() {
        if (m_.cache_size == "0") return;
        sheet_.open_plugin("answers", "cache");
        sheet_.key("size", m_.cache_size);
        for (const auto& [key, text] : m_.cache_keys)
            sheet_.line(std::string(key).append(": ").append(text));
        sheet_.line("short_circuit: true");
        sheet_.close_plugin();
    }

    // ---- the sequence

    void rule(const std::string& matches, const std::string& exec) {
        sheet_.line("- { matches: " + scalar(matches) + ", exec: " + scalar(exec) + " }");
    }

    void sequence() {
        sheet_.open("- tag: main");
        sheet_.line("type: sequence");
        sheet_.open("args:");
        if (m_.logs) sheet_.line("- exec: query_summary");
        if (!m_.records.empty()) sheet_.line("- exec: $names");
        if (!m_.other_records.empty()) sheet_.line("- exec: $others");
        if (!plain_denied_.empty()) rule("qname $denied", "black_hole nxdomain short_circuit");
        if (!m_.everything.empty()) {
            const bool is_none =
                std::ranges::find(m_.everything, "nxdomain") != m_.everything.end();
            rule("qtype A AAAA", "black_hole " + (is_none ? "nxdomain" : join(m_.everything, " ")) +
                                     " short_circuit");
        }
        if (m_.domain_needed) {
            sheet_.comment("domain-needed");
            sheet_.line(
                "- { matches: [\"qtype A AAAA\", \"qname regexp:^[^.]+$\"], exec: "
                "black_hole nxdomain short_circuit }");
        }
        if (m_.bogus_priv) {
            sheet_.comment("bogus-priv");
            sheet_.line("- { matches: [\"qtype PTR\", " + scalar(kPrivate) +
                        "], exec: black_hole nxdomain short_circuit }");
        }
        if (m_.filter_a) rule("qtype A", "black_hole nodata short_circuit");
        if (m_.filter_aaaa) rule("qtype AAAA", "black_hole nodata short_circuit");
        if (m_.has_upstreams) {
            if (m_.cache_size != "0") sheet_.line("- exec: $answers");
            sheet_.line("- exec: $forward_main");
            if (!m_.bogus.empty()) rule("resp_ip " + join(m_.bogus, " "), "black_hole nxdomain");
            claims();
        } else {
            sheet_.comment("no-resolv without servers");
            sheet_.line("- exec: reject REFUSED");
        }
        sheet_.close();
        sheet_.close();
    }

    void claims() {
        for (std::size_t i = 0; i < m_.sets.size(); ++i) {
            std::vector<std::string> words{"qname"};
            bool is_all = false;
            for (const std::string& name : m_.sets[i].domains) {
                is_all = is_all || name.empty();
                words.push_back("domain:" + name);
            }
            if (is_all) {
                sheet_.line("- exec: $" + set_tags_[i]);
            } else {
                rule(join(words, " "), "$" + set_tags_[i]);
            }
        }
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
    std::vector<std::string> set_tags_, plain_denied_;
    std::set<std::pair<std::string, std::string>> seen_;
    unsigned forwards_ = 0;
};

}  // namespace

Imported import_dnsmasq(std::string_view text, std::string_view source) {
    DnsmasqFile file = read_dnsmasq(text);
    if (file.failure) return {{}, {}, std::move(file.failure)};
    return DnsmasqWriter(read_dnsmasq_options(file.options), source).write();
}

}  // namespace steer::importing
