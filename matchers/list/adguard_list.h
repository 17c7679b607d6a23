// Rules in AdGuard's syntax for DNS: "||ads.example^$important", "@@|www.", "/re/".
//
// ||d^ is the name and everything below it, a bare d only the name; |d begins a name, d| and d^ end
// it, * is any text, /.../ a regular expression, @@ an exception. Modifiers: important, badfilter,
// denyallow, dnstype. Lines about pages (##, #@#, ...), comments and headers are skipped. A
// rule for other things (hosts lines, paths, addresses) is a bad line. A rule with another modifier is left
// out, and counted by the modifier's name.
// As in rule_list.h: bad lines are named, any bytes are accepted, cost is linear.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "matchers/list/bad_lines.h"
#include "matchers/name_matcher.h"

namespace steer::matchers {

struct AdguardRule {
    Rule rule;
    int line = 0;
    std::uint32_t file = 0;  // the caller's number of the file
    bool exception = false, important = false;
    bool badfilter = false;                  // removes the same rule from the list
    std::vector<std::string> unless;         // denyallow: names (and all below) that are exempt
    std::vector<std::uint16_t> types;        // dnstype: only these; empty: all ...
    std::vector<std::uint16_t> other_types;  // ... except these
};

struct AdguardList {
    std::vector<AdguardRule> rules;
    BadLines bad;
    std::size_t left_out = 0;  // lines about pages
};

// The number of a DNS type by its name.
using TypeNumber = std::optional<std::uint16_t> (*)(std::string_view name);

// Marks that distinguish AdGuard's lists from hosts lines or names, which are bad lines in the other format.
struct ListMark {
    std::size_t lines = 0;
    int first = 0;          // its number
    std::string_view text;  // of the first one
};
struct ListMarks {
    ListMark adguard;  // "[Adblock Plus", "||ads.example^", "@@", "!"
    ListMark hosts;    // "0.0.0.0 ads.example"
    [[nodiscard]] bool is_adguard() const { return adguard.lines > hosts.lines; }
};
ListMarks find_list_marks(std::string_view bytes);

AdguardList read_adguard(std::string_view bytes, std::string_view file, TypeNumber type_number);
// A single rule. No value: a comment, or about pages.
Result<std::optional<AdguardRule>> parse_adguard(std::string_view text, TypeNumber type_number);

// Removes the rules that a badfilter names, and the badfilter rules.
void apply_badfilters(std::vector<AdguardRule>& rules);

}  // namespace steer::matchers
