#include <algorithm>
#include <array>
#include <bitset>
#include <functional>
#include <map>

#include "tools/import/unbound_import.h"
#include "tools/import/unbound_options.h"
#include "tools/import/words.h"

namespace steer::importing {
namespace {

constexpr std::uint64_t kMostPort = 65'535, kDayS = 86'400, kWeekS = 604'800;

// "4m", "256k", "1g", or bytes.
std::optional<std::uint64_t> memory_size(std::string_view text) {
    constexpr std::uint64_t kMost = std::uint64_t{1} << 44;
    unsigned shift = 0;
    if (!text.empty()) {
        const char unit = matchers::lower(text.back());
        shift = unit == 'k' ? 10 : unit == 'm' ? 20 : unit == 'g' ? 30 : 0;
    }
    if (shift != 0) text.remove_suffix(1);
    const auto number = parse_number(text, kMost >> shift);
    return number ? std::optional(*number << shift) : std::nullopt;
}

class UnboundServerReader {
  public:
    UnboundServerReader(const FileTest& is_there, ResolverModel& out)
        : is_there_(is_there), out_(out) {}

    void read(const std::vector<UnboundOption>& options) {
        for (const UnboundOption& option : options)
            last_[option.name] = &option;
        for (const UnboundOption& option : options) {
            option_ = &option;
            take();
        }
        // Options whose last line counts, or that belong together.
        servers();
        clients();
        identities();
        caches();
        stale_answers();
        ports();
        validation();
        transports();
    }

  private:
    // ---- what all options need

    [[nodiscard]] const std::string& value() const { return option_->args.front(); }
    void leave_out(std::string_view why) { leave_out_unbound(out_, *option_, why); }
    void note(const std::string& text) { out_.notes.push_back({option_->place, text}); }
    void extra() { out_.extra.push_back(unbound_line(*option_)); }

    // The last line of an option; false: there is none.
    bool choose(std::initializer_list<std::string_view> names) {
        const UnboundOption* found = nullptr;
        for (const std::string_view name : names) {
            const auto at = last_.find(name);
            if (at != last_.end()) found = at->second;
        }
        if (found != nullptr) option_ = found;
        return found != nullptr;
    }
    std::optional<std::uint64_t> number(std::uint64_t most) {
        const auto read = parse_number(value(), most);
        if (!read) leave_out("expected 0.." + std::to_string(most));
        return read;
    }
    std::optional<std::uint64_t> number_of(std::string_view name, std::uint64_t most) {
        return choose({name}) ? number(most) : std::nullopt;
    }
    bool is_yes(std::string_view name) {
        return choose({name}) && read_unbound_flag(*option_, out_).value_or(false);
    }
    bool is_no(std::string_view name) {
        return choose({name}) && !read_unbound_flag(*option_, out_).value_or(true);
    }

    void take() {
        const UnboundKnown* const known = find_unbound_option("server", option_->name);
        if (known == nullptr) return;
        switch (known->use) {
            case UnboundUse::mapped:
                return take_list();
            case UnboundUse::extra:
                return extra();
            case UnboundUse::own:
                return out_.silent.push_back(option_->name);
            case UnboundUse::noted:
                return leave_out(known->text);
            case UnboundUse::newer:
                return leave_out(
                    "unbound of Debian 12 does not know it; a newer one takes it in 'extra'");
            case UnboundUse::same:
                if (value() == known->text) return out_.silent.push_back(option_->name);
                return extra();
        }
    }

    // Options that may come several times.
    void take_list() {
        using Self = UnboundServerReader;
        static const std::map<std::string_view, void (Self::*)()> kLists{
            {"interface", &Self::interface},
            {"ip-address", &Self::interface},
            {"tls-additional-port", &Self::tls_port},
            {"tls-additional-ports", &Self::tls_port},
            {"additional-tls-port", &Self::tls_port},
            {"access-control", &Self::access},
            {"outgoing-interface", &Self::outgoing},
            {"outgoing-port-permit", &Self::outgoing_port},
            {"outgoing-port-avoid", &Self::outgoing_port},
            {"private-address", &Self::private_address},
            {"private-domain", &Self::private_domain},
            {"trust-anchor", &Self::anchor},
            {"trust-anchor-file", &Self::anchor_file},
            {"auto-trust-anchor-file", &Self::auto_anchor_file},
            {"domain-insecure", &Self::insecure},
            {"response-ip", &Self::response_address},
        };
        const auto at = kLists.find(option_->name);
        if (at != kLists.end()) (this->*at->second)();
    }

    // ---- servers

    void interface() {
        const std::string& text = value();
        const auto at = text.find('@');
        const std::string address = text.substr(0, at);
        const auto port = at == std::string::npos
                              ? std::optional<std::uint64_t>(0)
                              : parse_number(std::string_view(text).substr(at + 1), kMostPort);
        if (!port || (at != std::string::npos && *port == 0))
            return leave_out("expected an address, or ADDRESS@PORT");
        if (!is_v4(address) && !is_v6(address))
            return leave_out("name interfaces in 'ports' of 'dataplane'");
        interfaces_.push_back({address, *port});
    }
    void tls_port() {
        if (const auto port = number(kMostPort)) tls_ports_.push_back(*port);
    }

    CoreServer server_at(const std::string& address, std::uint64_t port) {
        CoreServer out;
        out.address = address == "0.0.0.0" || address == "::" ? "" : address;
        out.port = port;
        if (std::ranges::find(tls_ports_, port) != tls_ports_.end())
            out.transport = CoreTransport::tls;
        if (port == https_port_) out.transport = CoreTransport::https;
        out.cert = cert_;
        out.key = key_;
        return out;
    }

    void servers() {
        const auto port = number_of("port", kMostPort).value_or(53);
        constexpr std::uint64_t kTls = 853, kHttps = 443;
        tls_ports_.push_back(choose({"tls-port", "ssl-port"}) ? number(kMostPort).value_or(kTls)
                                                              : kTls);
        https_port_ = number_of("https-port", kMostPort).value_or(kHttps);
        if (choose({"tls-service-pem", "ssl-service-pem"})) cert_ = path();
        if (choose({"tls-service-key", "ssl-service-key"})) key_ = path();
        if (choose({"http-endpoint"}) && value() != "/dns-query")
            leave_out("clients find DNS over HTTPS at /dns-query; change 'path' of its entry");
        if (is_yes("interface-automatic")) interfaces_.push_back({"0.0.0.0", 0});
        if (interfaces_.empty()) interfaces_ = {{"127.0.0.1", 0}, {"::1", 0}};
        for (const auto& [address, own] : interfaces_) {
            const std::uint64_t at = own == 0 ? port : own;
            if (at == 0) continue;
            CoreServer server = server_at(address, at);
            if (server.transport != CoreTransport::dns && cert_.empty() && key_.empty())
                server.transport = CoreTransport::dns;  // as in unbound
            const bool is_known = std::ranges::any_of(out_.servers, [&](const CoreServer& known) {
                return known.port == server.port &&
                       (known.address.empty() || known.address == server.address);
            });
            if (is_known) continue;
            std::erase_if(out_.servers, [&](const CoreServer& known) {
                return known.port == server.port && server.address.empty();
            });
            out_.servers.push_back(std::move(server));
        }
        std::ranges::stable_sort(out_.servers, {}, &CoreServer::transport);
        connections();
    }

    void connections() {
        const auto each = number_of("incoming-num-tcp", 100'000).value_or(0);
        const auto threads = number_of("num-threads", 1024).value_or(1);
        if (each > 0) {
            constexpr std::uint64_t kMostConnections = 1'000'000;
            out_.max_connections = std::to_string(
                std::min(each * std::max<std::uint64_t>(threads, 1), kMostConnections));
        }
        constexpr std::uint64_t kMostInstances = 16;
        if (threads > kMostInstances) note("'num-threads' is imported as 16, the most instances");
        if (choose({"num-threads"}) && threads > 0)
            out_.instances = std::to_string(std::min(threads, kMostInstances));
        if (const auto rate = number_of("ip-ratelimit", 1'000'000); rate && *rate > 0)
            out_.queries_per_s = std::to_string(*rate);
    }

    // Of a file: relative ones are in `directory`.
    std::string path() {
        const UnboundOption* const option = option_;
        std::string file = value();
        if (file.starts_with('/') || file.empty()) return file;
        std::string folder = choose({"directory"}) ? value() : "/etc/unbound";
        option_ = option;
        while (folder.ends_with('/'))
            folder.pop_back();
        return folder + "/" + file;
    }

    // ---- clients

    void access() {
        const auto net = network_of(option_->args[0]);
        const std::string& action = option_->args[1];
        if (!net) return leave_out("expected an address or a network");
        ClientNetwork out{*net, {}};
        if (action == "deny" || action == "deny_non_local") {
            out.exec = "drop";
        } else if (action == "refuse" || action == "refuse_non_local") {
            out.exec = "reject REFUSED";
        } else if (action == "allow_setrd") {
            out_.norecurse_forward.push_back(*net);
        } else if (action == "allow_snoop") {
            out_.norecurse_cache.push_back(*net);
        } else if (action == "allow_cookie") {
            note(
                "'allow_cookie' is imported as 'allow': write 'cookies: required_under_load' of "
                "the udp_server");
        } else if (action != "allow") {
            return leave_out("expected allow, refuse or deny");
        }
        if (action.ends_with("_non_local"))
            note(in_quotes(action) + " is imported as " +
                 in_quotes(action.substr(0, action.find('_'))) +
                 ": local names are refused there, too");
        std::erase_if(out_.networks, [&](const auto& known) { return known.net == *net; });
        out_.networks.push_back(std::move(out));
    }

    // Without a line, unbound serves its own host only.
    void clients() {
        out_.limits_clients = true;
        for (const std::string net : {"127.0.0.0/8", "::1/128"}) {
            const bool is_known = std::ranges::any_of(
                out_.networks, [&](const auto& known) { return is_within(net, known.net); });
            if (!is_known) out_.networks.insert(out_.networks.begin(), {net, {}});
        }
    }

    // ---- names of this server

    void identities() {
        const bool shows_identity = is_no("hide-identity"), shows_version = is_no("hide-version");
        if (shows_identity)
            out_.id_server = choose({"identity"}) && !value().empty() ? value() : "hostname";
        if (shows_version) out_.version_bind = choose({"version"}) ? value() : "unbound";
        if (choose({"nsid"})) {
            if (value().starts_with("ascii_") && value().size() > 6) {
                out_.nsid = value().substr(6);
            } else {
                leave_out("write it as text: 'nsid' of 'policy'");
            }
        }
        out_.logs = is_yes("log-queries") || is_yes("log-replies");
    }

    // ---- the cache

    void caches() {
        std::uint64_t bytes = 0;
        for (const std::string_view name : {"msg-cache-size", "rrset-cache-size"}) {
            if (!choose({name})) continue;
            const auto size = memory_size(value());
            if (!size) leave_out("expected a size such as 64m");
            bytes += size.value_or(0);
        }
        constexpr std::uint64_t kMost = std::uint64_t{64} << 30;
        out_.cache_bytes = std::min(bytes, kMost);
        const auto keep = [this](std::string_view option, std::string_view key,
                                 std::uint64_t most) {
            const auto seconds = number_of(option, 4'294'967'295);
            if (!seconds || *seconds == 0) return;
            out_.cache_keys.emplace_back(key, std::to_string(std::min(*seconds, most)) + "s");
        };
        keep("cache-max-ttl", "cache_max_ttl", kWeekS);
        keep("cache-min-ttl", "cache_min_ttl", kDayS);
        keep("cache-max-negative-ttl", "max_negative_ttl", kDayS);
        if (is_yes("prefetch")) out_.cache_keys.emplace_back("prefetch", "true");
    }

    void stale_answers() {
        if (!is_yes("serve-expired")) return;
        constexpr std::uint64_t kMonthS = 30 * kDayS, kMostWaitMs = 10'000;
        const auto ttl = number_of("serve-expired-ttl", 4'294'967'295).value_or(kDayS);
        const auto wait = number_of("serve-expired-client-timeout", 1'000'000).value_or(0);
        const auto within = [ttl](std::uint64_t most) {
            return std::to_string(ttl == 0 ? most : std::min(ttl, most)) + "s";
        };
        if (wait == 0) {
            out_.cache_keys.emplace_back("lazy_cache_ttl", within(kMonthS));
            return;
        }
        out_.cache_keys.emplace_back("serve_stale", within(kWeekS));
        out_.cache_keys.emplace_back("stale_client_timeout",
                                     std::to_string(std::min(wait, kMostWaitMs)) + "ms");
        const auto shown = number_of("serve-expired-reply-ttl", 3600);
        if (shown && *shown > 0)
            out_.cache_keys.emplace_back("stale_answer_ttl", std::to_string(*shown) + "s");
    }

    // ---- queries to authorities

    void outgoing() {
        if (value().find('/') != std::string::npos) return extra();
        if (!is_v4(value()) && !is_v6(value()))
            return leave_out("expected an address of this machine");
        if (value() == "0.0.0.0" || value() == "::") return;  // any
        out_.outgoing.push_back(value());
    }

    void outgoing_port() {
        const auto dash = value().find('-');
        const auto first = parse_number(std::string_view(value()).substr(0, dash), kMostPort);
        const auto last = dash == std::string::npos
                              ? first
                              : parse_number(std::string_view(value()).substr(dash + 1), kMostPort);
        if (!first || !last || *last < *first) return leave_out("expected a port, or FIRST-LAST");
        if (port_lines_.empty()) {
            for (std::size_t port = 1024; port <= kMostPort; ++port)
                permitted_.set(port);
        }
        for (std::uint64_t port = *first; port <= *last; ++port)
            permitted_.set(port, option_->name == "outgoing-port-permit");
        port_lines_.push_back(unbound_line(*option_));
    }

    // One range becomes `ports`; anything else stays as it is.
    void ports() {
        if (port_lines_.empty()) return;
        std::size_t first = 0;
        while (first <= kMostPort && !permitted_.test(first))
            ++first;
        std::size_t last = first;
        while (last < kMostPort && permitted_.test(last + 1))
            ++last;
        constexpr std::size_t kFewest = 1024;
        const bool is_range = first <= kMostPort && permitted_.count() == last - first + 1;
        if (is_range && first == kFewest && last == kMostPort) return;  // as without the lines
        if (is_range && first >= kFewest && permitted_.count() >= kFewest) {
            out_.outgoing_ports = std::to_string(first) + "-" + std::to_string(last);
        } else {
            out_.extra.insert(out_.extra.end(), port_lines_.begin(), port_lines_.end());
        }
    }

    void transports() {
        if (is_no("do-ip4")) {
            leave_out("the engine needs IPv4 on loopback; 'prefer-ip6' is set");
            out_.extra.emplace_back("prefer-ip6: yes");
        }
        if (is_no("do-udp")) {
            leave_out("the engine needs UDP on loopback; 'tcp-upstream' is set");
            out_.extra.emplace_back("tcp-upstream: yes");
        }
        if (is_no("do-tcp")) leave_out("the engine needs TCP for long answers");
        if (choose({"tls-upstream", "ssl-upstream"}) && value() == "yes")
            out_.extra.emplace_back("tls-upstream: yes");
        if (choose({"tls-cert-bundle", "ssl-cert-bundle"})) bundle();
        if (is_no("do-not-query-localhost")) out_.extra.emplace_back("do-not-query-localhost: no");
        if (choose({"root-hints"})) hints();
        if (choose({"qname-minimisation"}))
            out_.qname_minimisation = read_unbound_flag(*option_, out_);
        if (choose({"aggressive-nsec"})) out_.aggressive_nsec = read_unbound_flag(*option_, out_);
    }

    void bundle() {
        const std::string file = path();
        if (file.empty()) return;
        if (!is_there_(file)) return leave_out("the file is not on this machine");
        if (!is_of_engine(file))
            return leave_out("unbound reads such files below /etc/ssl/certs and /usr/share only");
        out_.extra.push_back("tls-cert-bundle: \"" + file + "\"");
    }

    void hints() {
        const std::string file = path();
        if (file.empty() || file == "/usr/share/dns/root.hints") return;  // the default
        if (!is_safe_path(file) || !is_there_(file))
            return leave_out(
                "the file is not on this machine; the hints of dns-root-data are used");
        out_.root_hints = file;
    }

    // `extra` takes no other (control/config/text/engine_lines.h).
    static bool is_of_engine(const std::string& file) {
        return (file.starts_with("/etc/ssl/certs/") || file.starts_with("/usr/share/")) &&
               file.find_first_of("*?[{~\\\"") == std::string::npos &&
               file.find("/../") == std::string::npos;
    }
    static bool is_safe_path(const std::string& file) {
        return file.find_first_of("\"\\\n\r") == std::string::npos;
    }

    void private_address() {
        const auto net = network_of(value());
        if (!net) return leave_out("expected an address or a network");
        out_.private_addresses.push_back(*net);
    }
    void private_domain() {
        if (!zone_name(value())) return leave_out("expected a domain name");
        extra();
        out_.rebind_names.push_back(*zone_name(value()));
    }

    void response_address() {
        const auto net = network_of(option_->args[0]);
        const std::string& action = option_->args[1];
        if (!net) return leave_out("expected an address or a network");
        const std::map<std::string_view, std::string_view> actions{
            {"deny", "drop"},
            {"inform_deny", "drop"},
            {"always_deny", "drop"},
            {"always_refuse", "reject REFUSED"},
            {"always_nxdomain", "black_hole nxdomain"},
            {"always_nodata", "black_hole nodata"},
        };
        const auto at = actions.find(action);
        if (at == actions.end())
            return leave_out("write a rule 'resp_ip NET' with 'black_hole ADDRESS'");
        out_.address_rules.emplace_back(*net, at->second);
    }

    // ---- validation

    void anchor() {
        std::string record = value();
        std::ranges::replace(record, '\t', ' ');
        const std::string lower = matchers::lowered(record);
        const bool is_record =
            lower.find(" ds ") != std::string::npos || lower.find(" dnskey ") != std::string::npos;
        if (!is_record || record.find_first_of("\"\\\r") != std::string::npos)
            return leave_out("expected a DS or DNSKEY record");
        out_.trust_anchors.push_back(std::move(record));
    }
    void anchor_file() {
        const std::string file = path();
        if (file == "/usr/share/dns/root.key" || file == "/usr/share/dns/root.ds") {
            out_.has_root_anchor = true;
            return;
        }
        if (file.empty()) return;
        if (!is_safe_path(file) || !is_there_(file))
            return leave_out("the file is not on this machine");
        out_.trust_anchors.push_back(file);
    }
    // unbound keeps the keys of this file up to date; `root` has that for the root's.
    void auto_anchor_file() {
        if (value().empty()) return;
        if (value().find("root") != std::string::npos) {
            out_.has_root_anchor = true;
            return;
        }
        leave_out(
            "only the root's keys are followed (RFC 5011): write the zone's DS record to "
            "'trust_anchors'");
    }
    void insecure() {
        if (!zone_name(value()) || value().find_first_of(" \"\\") != std::string::npos)
            return leave_out("expected a domain name");
        out_.negative_trust_anchors.push_back(*zone_name(value()));
    }

    void validation() {
        const bool is_permissive = is_yes("val-permissive-mode");
        if (is_permissive) out_.validate = "permissive";
        if (choose({"module-config"})) modules();
        const bool has_anchor = out_.has_root_anchor || !out_.trust_anchors.empty();
        if (!has_anchor && out_.validate != "no")
            out_.notes.push_back({"",
                                  "no trust anchor is named here: answers are validated with "
                                  "the root's key of dns-root-data; write 'validate: no' to "
                                  "switch that off"});
    }

    void modules() {
        const auto names = split(value(), ' ');
        const auto has = [&names](std::string_view name) {
            return std::ranges::find(names, name) != names.end();
        };
        if (!has("validator")) out_.validate = "no";
        for (const std::string_view name :
             {"python", "dynlib", "cachedb", "ipsecmod", "ipset", "subnetcache"}) {
            if (has(name)) leave_out("the module " + in_quotes(name) + " is not supported");
        }
        if (!has("dns64")) return;
        out_.dns64_translates_all = is_yes("dns64-synthall");
        out_.dns64 = "64:ff9b::/96";
        if (!choose({"dns64-prefix"})) return;
        const auto net = network_of(value());
        const bool is_prefix =
            net && std::ranges::any_of(std::array{"/32", "/40", "/48", "/56", "/64", "/96"},
                                       [&](auto end) { return net->ends_with(end); });
        if (!is_prefix || net->find(':') == std::string::npos)
            return leave_out("expected an IPv6 prefix of 32, 40, 48, 56, 64 or 96 bits");
        out_.dns64 = *net;
    }

    const FileTest& is_there_;
    ResolverModel& out_;
    std::map<std::string_view, const UnboundOption*> last_;
    const UnboundOption* option_ = nullptr;
    std::vector<std::pair<std::string, std::uint64_t>> interfaces_;
    std::vector<std::uint64_t> tls_ports_;
    std::uint64_t https_port_ = 0;
    std::string cert_, key_;
    std::bitset<kMostPort + 1> permitted_;
    std::vector<std::string> port_lines_;
};

}  // namespace

void read_unbound_server(const std::vector<UnboundOption>& options, const FileTest& is_there,
                         ResolverModel& out) {
    UnboundServerReader(is_there, out).read(options);
}

}  // namespace steer::importing
