#include "tools/import/adguardhome_upstreams.h"

#include <algorithm>
#include <array>
#include <functional>
#include <utility>

#include "tools/import/adguardhome_words.h"
#include "tools/import/words.h"

namespace steer::importing {

AghUpstreams::AghUpstreams(const Tree& dns, std::vector<Note>& notes) : dns_(dns), notes_(notes) {
    bootstrap_ = bootstrap_server();
}

void AghUpstreams::note(std::string_view key, std::string text) {
    notes_.push_back({line_place(below(dns_, key).line), std::move(text)});
}

// An upstream as AdGuard Home writes it; none: a note says why.
std::optional<Upstream> AghUpstreams::upstream(const std::string& text, int line,
                                               std::vector<Note>& notes) {
    const auto refuse = [&](const std::string& why) {
        notes.push_back(
            {line_place(line), "the upstream " + in_quotes(text) + " is not imported: " + why});
        return std::nullopt;
    };
    if (text.starts_with("sdns://"))
        return refuse("DNS stamps are not supported; write its address as https:// or tls://");
    Upstream out;
    out.addr = text;
    const auto scheme_end = text.find("://");
    std::string host;
    if (scheme_end == std::string::npos) {
        host = host_of_url("udp", "udp://" + (is_v6(text) ? "[" + text + "]" : text));
    } else {
        const std::string scheme = lowered(text.substr(0, scheme_end));
        constexpr std::array<std::string_view, 6> kUpstreamSchemes{"udp",   "tcp", "tls",
                                                                   "https", "h3",  "quic"};
        if (std::ranges::find(kUpstreamSchemes, scheme) == kUpstreamSchemes.end())
            return refuse("expected udp://, tcp://, tls://, https://, h3:// or quic://");
        host = host_of_url(scheme, text);
        out.addr = scheme + text.substr(scheme_end);
    }
    if (host.empty()) return refuse("it has no valid host and port");
    if ((is_v4(host) || is_v6(host)) && !can_be_asked(host))
        return refuse("its address is not that of a server");
    const Tree& timeout = below(dns_, "upstream_timeout");
    if (const auto ms = parse_time(timeout.text, kGoUnits);
        ms && *ms != 10'000 && *ms >= 50 && *ms <= 60'000)
        out.timeout = duration_text(*ms);
    return out;
}

// Lines of upstream_dns; "[/corp.example/]192.0.2.1" is for names of a domain.
BlockerServers AghUpstreams::servers_from(const Tree& list, std::vector<Note>& notes) {
    BlockerServers out;
    std::map<std::string, OneZone> zones;
    for (const auto& [text, line] : tree_texts(list)) {
        if (text.empty() || text.starts_with('#')) continue;
        if (!text.starts_with("[/")) {
            for (const std::string& one : split(text, ' '))
                if (auto made = upstream(one, line, notes))
                    out.forward.upstreams.push_back(*std::move(made));
            continue;
        }
        const auto end = text.find("/]");
        if (end == std::string::npos) {
            notes.push_back({line_place(line), "the upstream " + in_quotes(text) +
                                                   " is not imported: expected [/DOMAIN/]SERVER"});
            continue;
        }
        const std::vector<std::string> servers = split(text.substr(end + 2), ' ');
        for (const std::string& domain : split_all(text.substr(2, end < 2 ? 0 : end - 2), '/')) {
            const std::string rule = zone_rule(domain);
            if (rule.empty()) {
                notes.push_back(
                    {line_place(line), "the domain " + in_quotes(domain) +
                                           " of an upstream is not imported: it is not a name"});
                continue;
            }
            OneZone& zone = zones[rule];
            zone.labels = domain.empty() ? 0 : label_count(domain);
            for (const std::string& server : servers) {
                if (server == "#") {
                    zone.is_default = true;
                } else if (auto made = upstream(server, line, notes)) {
                    zone.servers.push_back(*std::move(made));
                }
            }
        }
    }
    out.zones = zones_of(zones);
    return out;
}

std::string AghUpstreams::zone_rule(const std::string& domain) {
    if (domain.empty()) return "regexp:^[^.]+$";  // names without a dot
    if (domain.starts_with("*.")) {
        const std::string name = plain_name(domain.substr(2));
        if (!name_error(name).empty()) return {};
        std::string out = "regexp:^.+\\.";
        for (const char c : name)
            out += c == '.' ? "\\." : std::string(1, c);
        return out + "$";
    }
    return name_error(domain).empty() ? "domain:" + plain_name(domain) : std::string();
}

// Names with the same upstreams and as many labels share a zone; more labels come first.
std::vector<ZoneServers> AghUpstreams::zones_of(const std::map<std::string, OneZone>& zones) {
    std::vector<ZoneServers> out;
    const auto same = [](const std::vector<Upstream>& a, const std::vector<Upstream>& b) {
        return std::ranges::equal(a, b, {}, &Upstream::addr, &Upstream::addr);
    };
    for (const auto& one : zones) {
        const OneZone& zone = one.second;
        if (zone.servers.empty() && !zone.is_default) continue;
        const std::size_t labels = zone.labels;
        const auto at = std::ranges::find_if(out, [&](const ZoneServers& z) {
            return z.labels == labels && z.is_default == zone.is_default &&
                   same(z.forward.upstreams, zone.servers);
        });
        ZoneServers& to = at == out.end() ? out.emplace_back() : *at;
        to.labels = labels;
        to.is_default = zone.is_default;
        to.names.push_back(one.first);
        to.forward.upstreams = zone.is_default ? std::vector<Upstream>() : zone.servers;
    }
    std::ranges::stable_sort(out, std::greater(), &ZoneServers::labels);
    return out;
}

void AghUpstreams::set_mode(Forward& forward) {
    const std::string mode = is_on(dns_.get("all_servers")) ? "parallel"
                             : is_on(dns_.get("fastest_addr"))
                                 ? "fastest_addr"
                                 : std::string(dns_.get("upstream_mode"));
    const std::size_t count = std::min<std::size_t>(forward.upstreams.size(), 32);
    if ((mode == "parallel" || mode == "fastest_addr") && count > 1)
        forward.concurrent = std::to_string(count);
    if (mode == "fastest_addr" && !noted_fastest_) {
        noted_fastest_ = true;
        note(dns_.find("upstream_mode") != nullptr ? "upstream_mode" : "fastest_addr",
             "dns.upstream_mode fastest_addr becomes parallel: the first answer counts, and "
             "addresses are not tested");
    }
}

std::string AghUpstreams::bootstrap_server() {
    std::string out;
    for (const auto& [text, line] : tree_texts(below(dns_, "bootstrap_dns"))) {
        std::string server = text.starts_with("udp://") ? text.substr(6) : text;
        if (server.starts_with('#') || server.empty()) continue;
        const std::string host =
            host_of_url("udp", "udp://" + (is_v6(server) ? "[" + server + "]" : server));
        if (!out.empty()) continue;
        if ((is_v4(host) || is_v6(host)) && can_be_asked(host)) {
            out = server;
        } else {
            notes_.push_back({line_place(line), "the bootstrap server " + in_quotes(text) +
                                                    " is not imported: expected an address"});
        }
    }
    return out;
}

BlockerServers AghUpstreams::everyone() {
    BlockerServers out = servers_from(below(dns_, "upstream_dns"), notes_);
    out.fallback = servers_from(below(dns_, "fallback_dns"), notes_).forward;
    add_private_names(out);
    set_mode(out.forward);
    finish(out);
    if (is_on(dns_.get("use_http3_upstreams")))
        note("use_http3_upstreams",
             "dns.use_http3_upstreams is not imported: write h3:// instead of https:// for "
             "upstreams that speak HTTP/3");
    return out;
}

BlockerServers AghUpstreams::client(const Tree& lines, std::vector<Note>& notes) {
    BlockerServers out = servers_from(lines, notes);
    if (out.forward.upstreams.empty()) {
        std::vector<Note> reported;  // by everyone()
        out.forward = servers_from(below(dns_, "upstream_dns"), reported).forward;
    }
    set_mode(out.forward);
    finish(out);
    return out;
}

void AghUpstreams::finish(BlockerServers& servers) {
    const auto has_name = [](const Forward& forward) {
        return std::ranges::any_of(forward.upstreams, [](const Upstream& u) {
            const auto scheme = u.addr.find("://");
            const std::string host =
                host_of_url("udp", "udp://" + (scheme == std::string::npos
                                                   ? (is_v6(u.addr) ? "[" + u.addr + "]" : u.addr)
                                                   : u.addr.substr(scheme + 3)));
            return !is_v4(host) && !is_v6(host);
        });
    };
    const auto set = [&](Forward& forward) {
        if (has_name(forward)) forward.bootstrap = bootstrap_;
    };
    set(servers.forward);
    set(servers.fallback);
    for (ZoneServers& zone : servers.zones)
        set(zone.forward);
}

// Reverse names of private addresses. Without servers, AdGuard Home asks those of its host.
void AghUpstreams::add_private_names(BlockerServers& servers) {
    if (!below(dns_, "use_private_ptr_resolvers").is_empty() &&
        !is_on(dns_.get("use_private_ptr_resolvers")))
        return;
    Forward forward = servers_from(below(dns_, "local_ptr_upstreams"), notes_).forward;
    if (forward.upstreams.empty()) return;
    ZoneServers zone;
    zone.forward = std::move(forward);
    zone.names = {"domain:10.in-addr.arpa",      "domain:168.192.in-addr.arpa",
                  "domain:254.169.in-addr.arpa", "domain:d.f.ip6.arpa",
                  "domain:8.e.f.ip6.arpa",       "domain:9.e.f.ip6.arpa",
                  "domain:a.e.f.ip6.arpa",       "domain:b.e.f.ip6.arpa"};
    for (int i = 16; i < 32; ++i)
        zone.names.push_back("domain:" + std::to_string(i) + ".172.in-addr.arpa");
    servers.zones.push_back(std::move(zone));
}

}  // namespace steer::importing
