// Rules in AdGuard's syntax for DNS: "||ads.example^$important", "@@|www.", "/re/".
//
// ||d^ means the name and all names below it; a bare d means only the name. |d begins a name, d|
// and d^ end it, * is any text, /.../ a regular expression, @@ an exception. Modifiers: important,
// badfilter, denyallow, dnstype. Lines about pages (##, #@#, ...), comments and headers are
// skipped. A rule for other things (hosts lines, paths, addresses) is a bad line. A rule with
// another modifier is left out, and counted by the modifier's name. As in rule_list.h: reports bad
// lines, accepts any bytes, linear cost.
#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <tuple>
#include <vector>

#include "matchers/list/bad_lines.h"
#include "matchers/name_matcher.h"

namespace steer::matchers {

struct AdguardRule {
    Rule rule{};
    int line = 0;
    std::uint32_t file = 0;  // the caller's number of the file
    bool exception = false, important = false;
    bool badfilter = false;                  // removes the equal rule from the list
    std::vector<std::string> unless;         // denyallow: exempt names (with all below)
    std::vector<std::uint16_t> types;        // dnstype: only for these; empty: for all ...
    std::vector<std::uint16_t> other_types;  // ... except these
    // Whether its names are in the set for every question: no exception, condition or modifier.
    [[nodiscard]] bool is_plain() const {
        return !exception && !important && !badfilter && unless.empty() && types.empty() &&
               other_types.empty();
    }
};

struct AdguardList {
    std::vector<AdguardRule> rules;
    BadLines bad;
    std::size_t left_out = 0;  // lines about pages
};

// The number of a DNS type by its name.
using TypeNumber = std::optional<std::uint16_t> (*)(std::string_view name);
inline std::optional<std::uint16_t> no_type(std::string_view /*name*/) {
    return std::nullopt;
}

// Signs that distinguish AdGuard's lists from hosts lines or names. Each is a bad line in the other
// format.
struct ListMark {
    std::size_t lines = 0;
    int first = 0;          // line number of the first one
    std::string_view text;  // of the first one
};
struct ListMarks {
    ListMark adguard;  // "[Adblock Plus", "||ads.example^", "@@", "!"
    ListMark hosts;    // "0.0.0.0 ads.example"
    [[nodiscard]] bool is_adguard() const {
        return adguard.lines > 0 && adguard.lines >= hosts.lines;
    }
};
ListMarks find_list_marks(std::string_view bytes);
// Whether a line is an AdGuard rule and of no other list: "||ads.example^", "@@", "|ads.", "ads^",
// "a.example##.ad", the header of such a list.
bool is_adguard_line(std::string_view text);

AdguardList read_adguard(std::string_view bytes, std::string_view file, TypeNumber type_number);
// Parses a single rule. No value: a comment, or a rule about pages.
Result<std::optional<AdguardRule>> parse_adguard(std::string_view text, TypeNumber type_number);

// Parses a rule of a file. Errors: as above, and a pattern that AdGuard rejects as too short. If an
// unsupported modifier is the error, `foreign` is set to it.
Result<std::optional<AdguardRule>> read_adguard_rule(std::string_view text, TypeNumber type_number,
                                                     std::optional<std::string>& foreign);

// The rules that the badfilter rules of one policy remove.
class BadFilters {
  public:
    explicit BadFilters(std::span<const AdguardRule> rules);
    [[nodiscard]] bool empty() const { return named_.empty(); }
    [[nodiscard]] bool removes(const AdguardRule& rule) const;
    [[nodiscard]] bool removes(const Rule& rule) const;  // a blocking rule without a modifier

  private:
    using Identity = std::tuple<RuleKind, std::string, bool, bool, std::vector<std::string>,
                                std::vector<std::uint16_t>, std::vector<std::uint16_t>>;
    static Identity identity(const AdguardRule& rule);
    std::set<Identity> named_;
};

}  // namespace steer::matchers
