#include "tools/import/dnsmasq.h"

#include <algorithm>
#include <array>

#include "tools/import/words.h"

namespace steer::importing {
namespace {

constexpr std::array<std::string_view, 86> kOptions{"address",
                                                    "addn-hosts",
                                                    "alias",
                                                    "all-servers",
                                                    "bind-dynamic",
                                                    "bind-interfaces",
                                                    "bogus-nxdomain",
                                                    "bogus-priv",
                                                    "bootp-dynamic",
                                                    "caa-record",
                                                    "cache-rr",
                                                    "cache-size",
                                                    "clear-on-reload",
                                                    "cname",
                                                    "conf-dir",
                                                    "conf-file",
                                                    "conf-script",
                                                    "connmark-allowlist",
                                                    "connmark-allowlist-enable",
                                                    "conntrack",
                                                    "dns-forward-max",
                                                    "dns-loop-detect",
                                                    "dns-rr",
                                                    "do-0x20-encode",
                                                    "domain",
                                                    "domain-needed",
                                                    "domain-suffix",
                                                    "dumpfile",
                                                    "dumpmask",
                                                    "dynamic-host",
                                                    "edns-packet-max",
                                                    "except-interface",
                                                    "expand-hosts",
                                                    "fast-dns-retry",
                                                    "filter-A",
                                                    "filter-AAAA",
                                                    "filter-rr",
                                                    "filterwin2k",
                                                    "group",
                                                    "host-record",
                                                    "hostsdir",
                                                    "ignore-address",
                                                    "interface",
                                                    "interface-name",
                                                    "ipset",
                                                    "keep-in-foreground",
                                                    "leasefile-ro",
                                                    "listen-address",
                                                    "local",
                                                    "local-service",
                                                    "local-ttl",
                                                    "localise-queries",
                                                    "localmx",
                                                    "max-cache-ttl",
                                                    "max-port",
                                                    "max-tcp-connections",
                                                    "max-ttl",
                                                    "min-cache-ttl",
                                                    "min-port",
                                                    "mx-host",
                                                    "mx-target",
                                                    "naptr-record",
                                                    "neg-ttl",
                                                    "nftset",
                                                    "no-daemon",
                                                    "no-hosts",
                                                    "no-ident",
                                                    "no-negcache",
                                                    "no-ping",
                                                    "no-poll",
                                                    "no-resolv",
                                                    "no-round-robin",
                                                    "no-0x20-encode",
                                                    "pid-file",
                                                    "port",
                                                    "port-limit",
                                                    "proxy-dnssec",
                                                    "ptr-record",
                                                    "query-port",
                                                    "read-ethers",
                                                    "resolv-file",
                                                    "rev-server",
                                                    "script-arp",
                                                    "script-on-renewal",
                                                    "selfmx",
                                                    "user"};
constexpr std::array<std::string_view, 15> kMore{
    "server",           "servers-file",        "shared-network",
    "srv-host",         "stop-dns-rebind",     "strict-order",
    "synth-domain",     "trust-anchor",        "txt-record",
    "umbrella",         "use-stale-cache",     "quiet-dhcp",
    "rebind-domain-ok", "rebind-localhost-ok", "add-mac"};
constexpr std::array<std::string_view, 12> kFamilies{"dhcp-",   "auth-",  "tftp-",  "pxe-",
                                                     "enable-", "log-",   "ra-",    "dnssec",
                                                     "add-",    "strip-", "quiet-", "local-"};

// Without the comment that a `#` behind a blank, or at the beginning, starts; quotes hold one.
std::string_view without_comment(std::string_view line) {
    bool in_quotes = false;
    for (std::size_t i = 0; i < line.size(); ++i) {
        if (line[i] == '"') in_quotes = !in_quotes;
        if (line[i] == '#' && !in_quotes && (i == 0 || is_blank(line[i - 1])))
            return line.substr(0, i);
    }
    return line;
}

}  // namespace

std::vector<std::string> dnsmasq_words(std::string_view value) {
    std::vector<std::string> out(1);
    bool in_quotes = false;
    for (std::size_t i = 0; i < value.size(); ++i) {
        if (value[i] == '"') {
            in_quotes = !in_quotes;
        } else if (in_quotes && value[i] == '\\' && i + 1 < value.size()) {
            out.back() += value[++i];
        } else if (value[i] == ',' && !in_quotes) {
            out.emplace_back();
        } else {
            out.back() += value[i];
        }
    }
    for (std::string& word : out)
        word = trimmed(word);
    return out;
}

std::string dnsmasq_word(std::string_view value) {
    return join(dnsmasq_words(value), ",");
}

bool is_dnsmasq_option(std::string_view name) {
    return std::ranges::find(kOptions, name) != kOptions.end() ||
           std::ranges::find(kMore, name) != kMore.end() ||
           std::ranges::any_of(kFamilies, [&](auto family) { return name.starts_with(family); });
}

DnsmasqFile read_dnsmasq(std::string_view text) {
    DnsmasqFile out;
    if (text.starts_with("\xEF\xBB\xBF")) text.remove_prefix(3);
    if (const auto zero = text.find('\0'); zero != std::string_view::npos) {
        out.failure = Failure{1 + static_cast<int>(std::ranges::count(text.substr(0, zero), '\n')),
                              "is not text: it has a zero byte"};
        return out;
    }
    bool is_known = false;
    for (int line = 1; !text.empty(); ++line) {
        const auto end = std::min(text.find('\n'), text.size());
        std::string_view row = trimmed(without_comment(text.substr(0, end)));
        text.remove_prefix(std::min(end + 1, text.size()));
        while (row.starts_with('-'))
            row.remove_prefix(1);
        if (row.empty()) continue;
        const auto equals = row.find('=');
        DnsmasqOption option{line, std::string(trimmed(row.substr(0, equals))), {}};
        if (equals != std::string_view::npos) option.value = trimmed(row.substr(equals + 1));
        is_known = is_known || is_dnsmasq_option(option.name);
        out.options.push_back(std::move(option));
    }
    if (!is_known)
        out.failure = Failure{0,
                              "is not a configuration of dnsmasq: no line has an option of "
                              "dnsmasq"};
    return out;
}

}  // namespace steer::importing
