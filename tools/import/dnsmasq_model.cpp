#include "tools/import/dnsmasq_model.h"

#include <algorithm>
#include <array>

#include "tools/import/words.h"

namespace steer::importing {
namespace {

struct Why {
    std::string_view name, why;
};
// Options that are not imported: names, or prefixes that end in '-'.
constexpr std::array<Why, 27> kNamed{{
    {"dhcp-", "it belongs to DHCP"},
    {"bootp-", "it belongs to DHCP"},
    {"read-ethers", "it belongs to DHCP"},
    {"ra-", "it belongs to router advertisements"},
    {"enable-ra", "it belongs to router advertisements"},
    {"enable-tftp", "it belongs to TFTP"},
    {"tftp-", "it belongs to TFTP"},
    {"pxe-", "it belongs to PXE"},
    {"conf-", "other files are not read; import each one separately"},
    {"servers-file", "other files are not read; import each one separately"},
    {"addn-hosts",
     "write its lines as 'NAME ADDRESS' into a file, and name it in a plugin of type hosts"},
    {"hostsdir",
     "write their lines as 'NAME ADDRESS' into a file, and name it in a plugin of type hosts"},
    {"expand-hosts", "hosts files have full names here"},
    {"domain", "it belongs to names of DHCP leases"},
    {"edns-packet-max",
     "UDP answers to clients and from upstreams are limited to 1232 bytes (RFC 9715)"},
    {"interface", "name interfaces in 'ports' of 'dataplane'"},
    {"except-interface", "name interfaces in 'ports' of 'dataplane'"},
    {"bind-", "name interfaces in 'ports' of 'dataplane'"},
    {"local-service",
     "'allow' of 'dataplane' selects clients; its default is private and local networks"},
    {"user", "write 'user' of 'control'"},
    {"group", "the process has the groups of its user"},
    {"pid-file", "systemd supervises the process"},
    {"keep-in-foreground", "systemd supervises the process"},
    {"no-daemon", "systemd supervises the process"},
    {"log-", "the log goes to the journal"},
    {"localise-queries",
     "a name has the same addresses for all clients; write rules with 'client_ip' if needed"},
    {"dnssec", "DNSSEC validation is not supported; use an upstream that validates"},
}};
// Options without an effect here, or that other options read.
constexpr std::array<std::string_view, 8> kSilent{
    "no-poll",         "no-hosts",       "no-negcache", "clear-on-reload",
    "dns-loop-detect", "no-round-robin", "no-resolv",   "no-ident"};
// Types that filter-rr may name.
constexpr std::array<std::string_view, 29> kTypes{
    "A",     "NS",     "CNAME", "SOA",    "PTR",  "HINFO", "MX",  "TXT",   "RP",    "AFSDB",
    "AAAA",  "LOC",    "SRV",   "NAPTR",  "CERT", "DNAME", "DS",  "SSHFP", "RRSIG", "NSEC",
    "NSEC3", "DNSKEY", "TLSA",  "SMIMEA", "SVCB", "HTTPS", "SPF", "URI",   "CAA"};

class ModelReader {
  public:
    DnsmasqModel read(const std::vector<DnsmasqOption>& options) {
        out_.forward.tag = "forward_main";
        out_.forward.policy = "latency";
        for (const DnsmasqOption& option : options) {
            option_ = &option;
            if (option.name == "local-ttl" && parse_number(option.value, 86'400))
                out_.local_ttl = option.value;
        }
        for (const DnsmasqOption& option : options) {
            option_ = &option;
            take();
        }
        finish(options);
        return std::move(out_);
    }

  private:
    [[nodiscard]] std::string place() const { return line_place(option_->line); }
    [[nodiscard]] std::string text() const {
        return option_->name + (option_->value.empty() ? "" : "=" + option_->value);
    }
    void leave_out(const std::string& why) {
        out_.notes.push_back({place(), in_quotes(text()) + " is not imported: " + why});
    }

    void take() {
        const std::string& name = option_->name;
        if (name == "address") return address();
        if (name == "server" || name == "local") return server();
        if (name == "rev-server") return reverse_server();
        if (name == "host-record") return host_record();
        if (name == "cname") return cname();
        if (name == "ptr-record") return ptr_record();
        if (name == "txt-record") return txt_record();
        if (name == "caa-record") return caa_record();
        if (name == "filter-rr") return filter_types();
        if (name == "add-subnet") return add_subnet();
        if (name == "mx-host") return mx_host();
        if (name == "srv-host") return srv_host();
        if (name == "ipset" || name == "nftset") return set();
        if (name == "bogus-nxdomain") return bogus();
        if (name == "listen-address") return listen();
        if (name == "rebind-domain-ok") return rebind_domains();
        if (take_switch() || take_value()) return;
        named();
    }

    bool take_switch() {
        const std::string& name = option_->name;
        const std::array<std::pair<std::string_view, bool*>, 5> switches{
            {{"stop-dns-rebind", &out_.stop_rebind},
             {"rebind-localhost-ok", &out_.rebind_localhost},
             {"domain-needed", &out_.domain_needed},
             {"bogus-priv", &out_.bogus_priv},
             {"log-queries", &out_.logs}}};
        for (const auto& [known, value] : switches) {
            if (name == known) return *value = true;
        }
        if (name == "filter-A") filter("A");
        if (name == "filter-AAAA") filter("AAAA");
        if (name == "strict-order") out_.forward.policy = "order";
        if (name == "all-servers") out_.asks_all = true;
        if (name == "no-negcache") out_.cache_keys.emplace_back("cache_negative", "false");
        return name == "strict-order" || name == "all-servers" || name == "filter-A" ||
               name == "filter-AAAA" || std::ranges::find(kSilent, name) != kSilent.end();
    }

    bool take_value() {
        const std::string& name = option_->name;
        const std::string value = dnsmasq_word(option_->value);
        const auto number = [&](std::uint64_t most) {
            if (const auto read = parse_number(value, most)) return read;
            leave_out("expected 0.." + std::to_string(most));
            return std::optional<std::uint64_t>();
        };
        constexpr std::uint64_t kDay = 86'400, kWeek = 604'800;
        const auto keep = [&](std::string_view key, std::uint64_t most) {
            if (const auto seconds = number(most); seconds && *seconds > 0)
                out_.cache_keys.emplace_back(key, value + "s");
        };
        if (name == "cache-size") {
            if (number(100'000'000)) out_.cache_size = value;
        } else if (name == "dns-forward-max") {
            if (const auto most = number(1'000'000); most && *most > 0)
                out_.forward.max_queries = value;
        } else if (name == "port") {
            if (const auto port = number(65'535); port && *port > 0) {
                out_.port = value;
            } else if (port) {
                leave_out("0 disables DNS, and steerdnsd serves only DNS");
            }
        } else if (name == "local-ttl") {
            number(kDay);
        } else if (name == "max-ttl") {
            if (const auto seconds = number(kWeek); seconds && *seconds > 0) out_.max_ttl = value;
        } else if (name == "use-stale-cache") {
            // 0: forever; the limit here is 30 days.
            constexpr std::uint64_t kMonth = 30 * kDay;
            const auto excess = value.empty() ? kDay : number(1'000'000'000).value_or(0);
            const auto most = excess == 0 ? kMonth : std::min(excess, kMonth);
            out_.cache_keys.emplace_back("lazy_cache_ttl", duration_text(most * 1000));
        } else if (name == "max-cache-ttl") {
            keep("max_positive_ttl", kWeek);
        } else if (name == "min-cache-ttl") {
            keep("cache_min_ttl", 3600);
        } else if (name == "neg-ttl") {
            keep("negative_ttl_without_soa", kDay);
        } else if (name == "resolv-file") {
            if (value.starts_with('/')) {
                out_.forward.resolv_file = value;
            } else {
                leave_out("expected an absolute path");
            }
        } else {
            return false;
        }
        return true;
    }

    void named() {
        const std::string& name = option_->name;
        const auto* const why = std::ranges::find_if(kNamed, [&](const Why& w) {
            return w.name.ends_with('-') ? name.starts_with(w.name) : name == w.name;
        });
        if (why != kNamed.end()) return leave_out(std::string(why->why));
        leave_out(is_dnsmasq_option(name) ? "this option is not supported"
                                          : "this is not a known option of dnsmasq");
    }

    // ---- domains

    // "/a/b/REST": the domains, and what follows them; a note reports a bad name.
    struct Domains {
        std::vector<std::string> names;  // "#": every name
        std::string rest;
    };
    std::optional<Domains> domains() {
        const std::string value = dnsmasq_word(option_->value);
        const auto last = value.rfind('/');
        if (!value.starts_with('/') || last == 0) return std::nullopt;
        Domains out{{}, std::string(trimmed(std::string_view(value).substr(last + 1)))};
        for (const std::string& part :
             split_all(std::string_view(value).substr(1, last - 1), '/')) {
            std::string_view name = part;
            if (name.starts_with('.')) name.remove_prefix(1);
            if (name == "#") {
                out.names.emplace_back("#");
            } else if (part.empty()) {
                leave_out("separate upstreams for names without a dot are not supported");
            } else if (const std::string why = name_error(name); !why.empty()) {
                leave_out("the name " + in_quotes(name) + " " + why);
            } else {
                out.names.push_back(plain_name(name));
            }
        }
        return out;
    }

    Record& add_record(const std::string& name, const std::string& type) {
        Record record;
        record.name = name;
        record.place = place();
        record.type = type;
        out_.records.push_back(std::move(record));
        return out_.records.back();
    }

    // "#" is the domain "": every name.
    Domain& domain(const std::string& name) {
        Domain& out = out_.domains[name == "#" ? "" : name];
        if (out.place.empty()) out.place = place();
        return out;
    }

    void address() {
        const auto d = domains();
        if (!d) return leave_out("expected /DOMAIN/ADDRESS");
        const bool is_four = is_v4(d->rest);
        if (!d->rest.empty() && d->rest != "#" && !is_four && !is_v6(d->rest))
            return leave_out(in_quotes(d->rest) + " is not an address");
        for (const std::string& name : d->names) {
            Domain& to = domain(name);
            if (d->rest.empty()) {
                to.is_denied = true;
            } else if (d->rest == "#") {
                to.is_null = true;
            } else {
                auto& addresses = is_four ? to.addresses4 : to.addresses6;
                if (std::ranges::find(addresses, d->rest) == addresses.end())
                    addresses.push_back(d->rest);
            }
        }
    }

    // "ADDRESS[#PORT][@INTERFACE]"; nothing if it cannot be asked, which is noted.
    std::optional<Upstream> upstream(const std::string& value) {
        Upstream out;
        std::string_view rest = value;
        if (const auto at = rest.find('@'); at != std::string_view::npos) {
            const std::string_view from = rest.substr(at + 1);
            const bool is_interface = from.find_first_of("@#:./") == std::string_view::npos &&
                                      !from.empty() && from.size() <= 15;
            if (is_interface) {
                out.device = from;
            } else {
                out_.notes.push_back(
                    {place(), "the source " + in_quotes(from) + " of " + in_quotes(text()) +
                                  " is not imported: expected the name of an interface"});
            }
            rest = rest.substr(0, at);
        }
        const auto hash = rest.find('#');
        const std::string host(rest.substr(0, hash));
        const auto port = hash == std::string_view::npos
                              ? std::optional<std::uint64_t>(53)
                              : parse_number(rest.substr(hash + 1), 65'535);
        if (!can_be_asked(host) || port.value_or(0) == 0) {
            leave_out(in_quotes(value) + " is not the address of a server");
            return std::nullopt;
        }
        out.addr = *port == 53 ? host : with_port(host, *port);
        return out;
    }

    void server() {
        const auto d = domains();
        if (!d) {
            if (option_->name == "local") return leave_out("expected /DOMAIN/");
            if (auto server = upstream(dnsmasq_word(option_->value)))
                out_.forward.upstreams.push_back(std::move(*server));
            return;
        }
        for (const std::string& name : d->names) {
            if (d->rest.empty()) {
                domain(name).is_denied = true;
            } else {
                add_server(name, d->rest);
            }
        }
    }

    void add_server(const std::string& name, const std::string& target) {
        if (target == "#") {
            if (name != "#") domain(name).has_usual = true;
            return;
        }
        auto server = upstream(target);
        if (!server) return;
        auto& servers = name == "#" ? out_.forward.upstreams : domain(name).servers;
        const bool is_known =
            name != "#" && std::ranges::any_of(servers, [&](const Upstream& known) {
                return known.addr == server->addr && known.device == server->device;
            });
        if (!is_known) servers.push_back(std::move(*server));
    }

    // rev-server=192.168.0.0/16,192.0.2.1
    void reverse_server() {
        const auto words = dnsmasq_words(option_->value);
        const std::string& network = words.front();
        const auto slash = network.find('/');
        const std::string address = network.substr(0, slash);
        const auto bits = slash == std::string::npos
                              ? std::optional<std::uint64_t>(32)
                              : parse_number(std::string_view(network).substr(slash + 1), 32);
        if (words.size() != 2 || !is_v4(address) || !bits || *bits == 0 || *bits % 8 != 0)
            return leave_out(
                "expected an IPv4 network with a length of 8, 16, 24 or 32, and a server");
        std::string zone = "in-addr.arpa";
        const auto bytes = split_all(address, '.');
        for (std::size_t i = 0; i < *bits / 8; ++i)
            zone.insert(0, bytes[i] + ".");
        add_server(zone, words[1]);
    }

    // ---- records

    bool is_good(const std::string& name) {
        const std::string why = name_error(name);
        if (!why.empty()) leave_out("the name " + in_quotes(name) + " " + why);
        return why.empty();
    }

    // NAME[,NAME...],ADDRESS[,ADDRESS][,TTL]
    void host_record() {
        std::vector<std::string> names, addresses;
        std::string ttl = out_.local_ttl;
        for (const std::string& word : dnsmasq_words(option_->value)) {
            if (is_v4(word) || is_v6(word)) {
                addresses.push_back(word);
            } else if (!addresses.empty() && parse_number(word, 86'400'000)) {
                ttl = word;
            } else if (!is_good(word)) {
                return;
            } else {
                names.push_back(plain_name(word));
            }
        }
        if (names.empty() || addresses.empty()) return leave_out("expected NAME,ADDRESS");
        for (const std::string& name : names) {
            for (const std::string& a : addresses) {
                add_record(name, is_v6(a) ? "AAAA" : "")
                    .data.add("address", a)
                    .add("ttl", ttl + "s");
                out_.pointers.push_back({pointer_name(a), name, ttl});
            }
        }
    }

    // ALIAS[,ALIAS...],TARGET[,TTL]
    void cname() {
        auto words = dnsmasq_words(option_->value);
        std::string ttl = out_.local_ttl;
        if (words.size() > 2 && parse_number(words.back(), 86'400'000)) {
            ttl = words.back();
            words.pop_back();
        }
        if (words.size() < 2) return leave_out("expected ALIAS,TARGET");
        if (!std::ranges::all_of(words, [this](const auto& name) { return is_good(name); })) return;
        const std::string target = plain_name(words.back());
        words.pop_back();
        for (const std::string& alias : words) {
            Record& r = add_record(plain_name(alias), "CNAME");
            r.alias = target;
            r.data.add("cname", target).add("ttl", ttl + "s");
        }
    }

    static std::string zone_text(const std::string& text) {
        std::string out = "\"";
        for (const char c : text) {
            if (c == '"' || c == '\\') out += '\\';
            out += c;
        }
        return out + '"';
    }

    void ptr_record() {
        const auto words = dnsmasq_words(option_->value);
        if (words.size() != 2) return leave_out("expected NAME,TARGET");
        if (!is_good(words[0]) || !is_good(words[1])) return;
        out_.ptr_records.push_back({plain_name(words[0]), plain_name(words[1]), out_.local_ttl});
        out_.other_owners.push_back(plain_name(words[0]));
    }

    void txt_record() {
        const auto words = dnsmasq_words(option_->value);
        if (words.size() < 2) return leave_out("expected NAME,TEXT");
        if (!is_good(words[0])) return;
        std::string line = plain_name(words[0]) + ". " + out_.local_ttl + " IN TXT";
        for (std::size_t i = 1; i < words.size(); ++i) {
            const bool fits = words[i].size() <= 255 && std::ranges::all_of(words[i], [](char c) {
                                  return static_cast<unsigned char>(c) >= 0x20 && c != 0x7f;
                              });
            if (!fits)
                return leave_out("one of its texts has control characters, or more than 255 bytes");
            line += " " + zone_text(words[i]);
        }
        out_.other_records.push_back(line);
        out_.other_owners.push_back(plain_name(words[0]));
    }

    // NAME,FLAGS,TAG,VALUE
    void caa_record() {
        const auto words = dnsmasq_words(option_->value);
        const auto is_letter = [](char c) {
            return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
        };
        if (words.size() != 4 || !parse_number(words[1], 255) || words[2].empty() ||
            words[2].size() > 15 || !std::ranges::all_of(words[2], is_letter))
            return leave_out("expected NAME,FLAGS,TAG,VALUE");
        if (!is_good(words[0])) return;
        if (!std::ranges::all_of(words[3], [](char c) { return c >= 0x20 && c < 0x7f; }))
            return leave_out("its value has other than printable characters");
        out_.other_records.push_back(plain_name(words[0]) + ". " + out_.local_ttl + " IN CAA " +
                                     words[1] + " " + words[2] + " " + zone_text(words[3]));
    }

    // NAME[,HOST][,PREFERENCE]
    void mx_host() {
        const auto words = dnsmasq_words(option_->value);
        if (words.size() < 2 || words[1].empty())
            return leave_out("the host's own name is unknown: expected NAME,HOST,PREFERENCE");
        const std::string preference = words.size() > 2 ? words[2] : "1";
        if (!parse_number(preference, 65'535)) return leave_out("expected a preference, 0..65535");
        if (!is_good(words[0]) || !is_good(words[1])) return;
        add_record(plain_name(words[0]), "MX")
            .data.add("mx_preference", preference)
            .add("mx_exchange", plain_name(words[1]))
            .add("ttl", out_.local_ttl + "s");
    }

    // _SERVICE._PROTOCOL.DOMAIN,TARGET[,PORT[,PRIORITY[,WEIGHT]]]
    void srv_host() {
        const auto words = dnsmasq_words(option_->value);
        if (words.size() < 2 || words[1].empty())
            return leave_out("expected NAME,TARGET,PORT,PRIORITY,WEIGHT");
        if (label_count(words[0]) < 3)
            return leave_out("the domain is missing: expected _SERVICE._PROTOCOL.DOMAIN");
        if (!is_good(words[0]) || !is_good(words[1])) return;
        const std::array<std::string_view, 3> keys{"srv_port", "srv_priority", "srv_weight"};
        Flow data;
        for (std::size_t i = 0; i < keys.size(); ++i) {
            const std::string number = words.size() > i + 2 ? words[i + 2] : i == 0 ? "1" : "0";
            if (!parse_number(number, 65'535))
                return leave_out(in_quotes(number) + " is not within 0..65535");
            data.add(keys.at(i), number);
        }
        data.add("srv_target", plain_name(words[1])).add("ttl", out_.local_ttl + "s");
        add_record(plain_name(words[0]), "SRV").data = data;
    }

    // ---- sets

    static bool may_name_set(const std::string& name) {
        return !name.empty() && name.size() <= 31 && std::ranges::all_of(name, [](char c) {
            return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                   c == '_' || c == '-' || c == '.';
        });
    }

    void set() {
        const auto d = domains();
        if (!d || d->rest.empty()) return leave_out("expected /DOMAIN/SET");
        const bool is_nft = option_->name == "nftset";
        std::vector<std::string> sets4, sets6;
        for (const std::string& word : split(d->rest, ',')) {
            auto parts = split_all(word, '#');
            std::string family;
            if (is_nft && (parts.front() == "4" || parts.front() == "6")) {
                family = parts.front();
                parts.erase(parts.begin());
            }
            if (is_nft && parts.size() == 2) parts.insert(parts.begin(), "ip");  // nft's default
            const bool good =
                parts.size() == (is_nft ? 3U : 1U) && std::ranges::all_of(parts, may_name_set) &&
                (!is_nft || parts[0] == "ip" || parts[0] == "ip6" || parts[0] == "inet");
            if (!good) {
                leave_out(in_quotes(word) + " is not the name of a set");
                continue;
            }
            const bool by_name = family.empty() && !(is_nft && parts[0] != "inet");
            const bool is_six = family == "6" ||
                                (family.empty() && (parts.front() == "ip6" || word.ends_with('6')));
            if ((is_nft && parts[0] == "ip" && is_six) ||
                (is_nft && parts[0] == "ip6" && !is_six)) {
                leave_out(in_quotes(word) + " has a table of the other address family");
                continue;
            }
            if (by_name)
                out_.notes.push_back({place(), in_quotes(word) + " is imported as a set of IPv" +
                                                   (is_six ? "6" : "4") +
                                                   " addresses, because of its name"});
            (is_six ? sets6 : sets4).push_back(join(parts, "#"));
        }
        std::vector<KernelSetNames> sets;
        for (std::size_t i = 0; i < std::max(sets4.size(), sets6.size()); ++i)
            sets.push_back({option_->name, i < sets4.size() ? sets4[i] : "",
                            i < sets6.size() ? sets6[i] : ""});
        if (sets.empty()) return;
        for (const std::string& name : d->names)
            (is_nft ? out_.nftsets : out_.ipsets).try_emplace(name == "#" ? "" : name, sets);
    }

    // ---- filters of answers, and the client subnet for upstreams

    void filter(std::string_view type) {
        if (std::ranges::find(out_.filtered, type) == out_.filtered.end())
            out_.filtered.emplace_back(type);
    }

    void filter_types() {
        for (const std::string& word : dnsmasq_words(option_->value)) {
            std::string type = word;
            std::ranges::transform(type, type.begin(), [](char c) {
                return c >= 'a' && c <= 'z' ? static_cast<char>(c - 'a' + 'A') : c;
            });
            const auto number = parse_number(type, 65'535);
            if (number.value_or(0) > 0 || std::ranges::find(kTypes, type) != kTypes.end()) {
                filter(type);
            } else if (type == "ANY") {
                out_.notes.push_back({place(), "'ANY' of " + in_quotes(text()) +
                                                   " is not imported: queries of type ANY are "
                                                   "answered with HINFO (RFC 8482)"});
            } else {
                leave_out(in_quotes(word) + " is not a known record type");
            }
        }
    }

    // [[ADDRESS/]BITS][,[ADDRESS/]BITS]: of IPv4 clients, of IPv6 clients
    void add_subnet() {
        const auto words = dnsmasq_words(option_->value);
        ClientSubnet out;
        for (std::size_t i = 0; i < words.size(); ++i) {
            const bool is_four = i == 0;
            const auto slash = words[i].find('/');
            const std::string address = slash == std::string::npos ? "" : words[i].substr(0, slash);
            const std::string bits =
                slash == std::string::npos ? words[i] : words[i].substr(slash + 1);
            if (words[i].empty()) continue;
            if (i > 1 || !parse_number(bits, is_four ? 32 : 128) ||
                (!address.empty() && !(is_four ? is_v4(address) : is_v6(address))))
                return leave_out("expected [ADDRESS/]BITS,[ADDRESS/]BITS for IPv4 and IPv6");
            (is_four ? out.bits4 : out.bits6) = bits;
            if (address.empty()) continue;
            if (out.preset.empty()) {
                out.preset = words[i];
            } else {
                out_.notes.push_back({place(), in_quotes(words[i]) +
                                                   " is not imported: one subnet is sent for "
                                                   "all clients"});
            }
        }
        if (out.preset.empty())
            out_.notes.push_back({place(),
                                  "'add-subnet' is imported, but private addresses are "
                                  "never sent to upstreams"});
        out_.subnet = out;
    }

    void bogus() {
        const std::string value = dnsmasq_word(option_->value);
        const auto slash = value.find('/');
        const std::string address = value.substr(0, slash);
        const bool good =
            slash == std::string::npos ||
            parse_number(std::string_view(value).substr(slash + 1), is_v4(address) ? 32 : 128);
        if ((!is_v4(address) && !is_v6(address)) || !good) return leave_out("expected an address");
        out_.bogus.push_back(value);
    }

    void listen() {
        for (const std::string& word : dnsmasq_words(option_->value)) {
            if (is_v4(word) || is_v6(word)) {
                out_.listen.push_back(word);
            } else {
                leave_out(in_quotes(word) + " is not an address");
            }
        }
    }

    // DOMAIN, or /DOMAIN/DOMAIN.../
    void rebind_domains() {
        for (const std::string& part : split_all(dnsmasq_word(option_->value), '/')) {
            std::string_view name = trimmed(part);
            if (name.starts_with('.')) name.remove_prefix(1);
            if (name.empty()) continue;
            if (!is_good(std::string(name))) continue;
            out_.rebind_names.push_back(plain_name(name));
        }
    }

    // ---- at the end

    void finish(const std::vector<DnsmasqOption>& options) {
        const auto has = [&](std::string_view name) {
            return std::ranges::find(options, name, &DnsmasqOption::name) != options.end();
        };
        Forward& forward = out_.forward;
        if (has("no-resolv")) {
            forward.resolv_file.clear();
            out_.has_upstreams = !forward.upstreams.empty();
        } else if (!forward.upstreams.empty()) {
            out_.notes.push_back(
                {"", "the servers of " +
                         (forward.resolv_file.empty() ? std::string("/etc/resolv.conf")
                                                      : in_quotes(forward.resolv_file)) +
                         " are not used, because the file has 'server' lines: add them if needed"});
            forward.resolv_file.clear();
        }
        if (out_.asks_all && forward.upstreams.size() > 1)
            forward.concurrent =
                std::to_string(std::min<std::size_t>(forward.upstreams.size(), 32));
        if (!has("no-hosts"))
            out_.notes.push_back({"",
                                  "the names of /etc/hosts are not imported: write them as 'NAME "
                                  "ADDRESS' into a file, and name it in a plugin of type hosts"});
        if (const auto all = out_.domains.find("");
            all != out_.domains.end() && all->second.is_denied && out_.has_upstreams)
            out_.notes.push_back({all->second.place,
                                  "'#' without an address has no effect, as in dnsmasq: the "
                                  "servers for all names are asked"});
        const auto circles = drop_circles(out_.records);
        out_.notes.insert(out_.notes.end(), circles.begin(), circles.end());
    }

    const DnsmasqOption* option_ = nullptr;
    DnsmasqModel out_;
};

}  // namespace

DnsmasqModel read_dnsmasq_options(const std::vector<DnsmasqOption>& options) {
    return ModelReader().read(options);
}

}  // namespace steer::importing
