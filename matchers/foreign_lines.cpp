#include "matchers/foreign_lines.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <string>

#include "matchers/text.h"

namespace steer::matchers {
namespace {

constexpr std::array kProxyKeys{
    ProxyKey{"domain-suffix", "Clash and Surge", RuleKind::domain},
    ProxyKey{"domain", "Clash and Surge", RuleKind::full},
    ProxyKey{"domain-keyword", "Clash and Surge", RuleKind::keyword},
    ProxyKey{"domain-regex", "Clash", RuleKind::regexp},
    ProxyKey{"domain-wildcard", "Clash and Surge", {}},
    ProxyKey{"host-suffix", "Quantumult", RuleKind::domain, true},
    ProxyKey{"host", "Quantumult", RuleKind::full, true},
    ProxyKey{"host-keyword", "Quantumult", RuleKind::keyword, true},
    ProxyKey{"host-wildcard", "Quantumult", {}, true},
    ProxyKey{"ip-cidr", "Clash and Surge", {}},
    ProxyKey{"ip-cidr6", "Clash and Surge", {}},
    ProxyKey{"ip6-cidr", "Quantumult", {}},
    ProxyKey{"ip-asn", "Clash and Surge", {}},
    ProxyKey{"geoip", "Clash and Surge", {}},
    ProxyKey{"geosite", "Clash", {}},
    ProxyKey{"src-ip-cidr", "Clash", {}},
    ProxyKey{"src-port", "Clash and Surge", {}},
    ProxyKey{"dst-port", "Clash", {}},
    ProxyKey{"dest-port", "Surge", {}},
    ProxyKey{"process-name", "Clash and Surge", {}},
    ProxyKey{"process-path", "Clash", {}},
    ProxyKey{"user-agent", "Surge and Quantumult", {}},
    ProxyKey{"url-regex", "Surge", {}},
    ProxyKey{"rule-set", "Clash and Surge", {}},
    ProxyKey{"domain-set", "Surge", {}},
    ProxyKey{"network", "Clash", {}},
    ProxyKey{"protocol", "Surge", {}},
    ProxyKey{"match", "Clash", {}},
    ProxyKey{"final", "Surge and Quantumult", {}},
};

constexpr std::array<std::string_view, 5> kDomainKeys{"address", "server", "local", "ipset",
                                                      "nftset"};

// The first comma outside of brackets; the end if there is none.
std::size_t end_of_expression(std::string_view text) {
    int open = 0;
    bool in_class = false;
    for (std::size_t at = 0; at < text.size(); ++at) {
        const char c = text[at];
        if (c == '\\') {
            ++at;
        } else if (in_class) {
            in_class = c != ']';
        } else if (c == '[') {
            in_class = true;
        } else if (c == '(' || c == '{') {
            ++open;
        } else if (c == ')' || c == '}') {
            --open;
        } else if (c == ',' && open <= 0) {
            return at;
        }
    }
    return text.size();
}

}  // namespace

const ProxyKey* proxy_key(std::string_view text) {
    const auto comma = text.find(',');
    if (comma == std::string_view::npos) return nullptr;
    const std::string key = lowered(trimmed(text.substr(0, comma)));
    const auto* const known = std::ranges::find(kProxyKeys, key, &ProxyKey::key);
    return known == kProxyKeys.end() ? nullptr : known;
}

std::string_view proxy_value(std::string_view text, std::optional<RuleKind> kind) {
    const std::string_view rest = text.substr(text.find(',') + 1);
    return trimmed(
        rest.substr(0, kind == RuleKind::regexp ? end_of_expression(rest) : rest.find(',')));
}

DnsmasqLine dnsmasq_line(std::string_view text) {
    if (text.starts_with("--")) text.remove_prefix(2);
    const auto equals = text.find('=');
    if (equals == std::string_view::npos) return {text, {}};
    // dnsmasq ignores blanks on both sides of it.
    return {trimmed(text.substr(0, equals)), trimmed(text.substr(equals + 1))};
}

bool is_dnsmasq_key(std::string_view text) {
    return !text.empty() && std::ranges::all_of(text, [](char c) {
        return is_letter(c) || is_digit(c) || c == '-';
    });
}

bool DnsmasqLine::is_assignment() const {
    return value.has_value() && is_dnsmasq_key(key);
}

bool DnsmasqLine::names_domains() const {
    return value.has_value() && std::ranges::find(kDomainKeys, key) != kDomainKeys.end();
}

bool has_adguard_signs(std::string_view text) {
    return text.starts_with('|') || text.starts_with("@@") || text.ends_with('|') ||
           text.ends_with('^') || text.find("^$") != std::string_view::npos;
}

}  // namespace steer::matchers
