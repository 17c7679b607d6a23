// Recognizes lines of other programs. One place for the readers of lists and for messages about
// names.
//
// Pure, any bytes are accepted. Set-up only.
#pragma once

#include <optional>
#include <string_view>

#include "matchers/name_matcher.h"

namespace steer::matchers {

// The key of a rule for Clash, mihomo, Surge or Quantumult X: "DOMAIN-SUFFIX,example.org,PROXY".
struct ProxyKey {
    std::string_view key;  // in lower case
    std::string_view programs;
    std::optional<RuleKind> kind;      // of our rule; no value: not about a name
    bool is_quantumult_alone = false;  // no other program has it
};
// Returns nullptr if there is no comma, or the key is unknown.
const ProxyKey* proxy_key(std::string_view text);
// The text after the key, up to the next comma. An expression may have commas in its brackets.
std::string_view proxy_value(std::string_view text, std::optional<RuleKind> kind);

// A line of dnsmasq, with or without a leading "--".
struct DnsmasqLine {
    std::string_view key;                   // the whole line if it has no '='
    std::optional<std::string_view> value;  // text after the '='
    // Whether the line has the form `KEY=VALUE`.
    [[nodiscard]] bool is_assignment() const;
    // Whether its key applies to a domain with all names below it.
    [[nodiscard]] bool names_domains() const;
};
DnsmasqLine dnsmasq_line(std::string_view text);
// Whether the text has only letters, digits and '-': "filter-AAAA".
bool is_dnsmasq_key(std::string_view text);

// Whether the text has signs of an AdGuard rule: "||ads.example^", "@@", "|ads.", "ads^", "ads|",
// "ads^$important".
bool has_adguard_signs(std::string_view text);

}  // namespace steer::matchers
