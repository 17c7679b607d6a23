// Rules in AdGuard's syntax for DNS: "||ads.example^$important", "@@|www.", "/re/".
//
// ||d^ is the name and everything below it, a bare d the name alone; |d begins a name, d| and d^ end
// it, * is any text, /.../ a regular expression, @@ an exception. Modifiers: important, badfilter,
// denyallow, dnstype. Lines about pages (##, #@#, ...), comments and headers are stepped over; a
// rule that means something else (hosts lines, paths, addresses) is a bad line. A rule with another modifier is left
// out, and counted by the modifier's name.
// As rule_list.h: bad lines are named, any bytes will do, cost is linear.
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
    std::uint32_t file = 0;  // the caller's number of it
    bool exception = false, important = false;
    bool badfilter = false;            // takes its like out of the list
    std::vector<std::string> unless;   // denyallow: names (and all below) that it leaves alone
    std::vector<std::uint16_t> types;  // dnstype: of these alone; empty: of all ...
    std::vector<std::uint16_t> other_types;  // ... but these
};

struct AdguardList {
    std::vector<AdguardRule> rules;
    BadLines bad;
    std::size_t left_out = 0;  // lines about pages
};

// The number of a type of DNS by its name.
using TypeNumber = std::optional<std::uint16_t> (*)(std::string_view name);

// What tells a list of AdGuard from one of hosts lines or names, whose lines are bad in the other form.
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
// One rule that stands alone. Nothing: a comment, or about pages.
Result<std::optional<AdguardRule>> parse_adguard(std::string_view text, TypeNumber type_number);

// Takes out the rules that a badfilter names, and these themselves.
void apply_badfilters(std::vector<AdguardRule>& rules);

}  // namespace steer::matchers
