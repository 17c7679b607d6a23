// Lines of other programs: what marks them, in one place for the readers of lists and for messages about names.
//
// Pure, any bytes are accepted. Set-up only.
#pragma once

#include <optional>
#include <string_view>

#include "matchers/name_matcher.h"

namespace steer::matchers {

// The key of a rule of Clash, mihomo, Surge or Quantumult X: "DOMAIN-SUFFIX,example.org,PROXY".
struct ProxyKey {
    std::string_view key;  // in lower case
    std::string_view programs;
    std::optional<RuleKind> kind;      // of the rule here; none: it is not about a name
    bool is_quantumult_alone = false;  // no other program has it
};
// nullptr: no comma, or an unknown key.
const ProxyKey* proxy_key(std::string_view text);
// What stands behind the key: up to the next comma. An expression may have commas in its brackets.
std::string_view proxy_value(std::string_view text, std::optional<RuleKind> kind);

// A line of dnsmasq, with or without "--" before it.
struct DnsmasqLine {
    std::string_view key;                   // all of it if it has no '='
    std::optional<std::string_view> value;  // behind the '='
    // It has the form of a line: `KEY=VALUE`.
    [[nodiscard]] bool is_assignment() const;
    // Its key names a domain with all names below it.
    [[nodiscard]] bool names_domains() const;
};
DnsmasqLine dnsmasq_line(std::string_view text);
// Letters, digits and '-': "filter-AAAA".
bool is_dnsmasq_key(std::string_view text);

// Signs of a rule of AdGuard: "||ads.example^", "@@", "|ads.", "ads^", "ads|", "ads^$important".
bool has_adguard_signs(std::string_view text);

}  // namespace steer::matchers
