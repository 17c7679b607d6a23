#include "tools/import/filter_rule.h"

#include <algorithm>
#include <array>

#include "tools/import/records.h"
#include "tools/import/words.h"

namespace steer::importing {
namespace {

constexpr std::array<std::string_view, 8> kPageMarks{"##",  "#@#", "#$#",  "#%#",
                                                     "#?#", "$$",  "#@$#", "#@?#"};

FilterRule unknown_rule(std::string why) {
    FilterRule out;
    out.kind = FilterRule::Kind::unknown;
    out.why = std::move(why);
    return out;
}

bool is_nowhere(std::string_view address) {
    return address == "0.0.0.0" || address == "::" || address == "127.0.0.1" || address == "::1";
}

// Lines such as "0.0.0.0 ads.example" and "192.0.2.1 nas.lan nas".
FilterRule hosts_line(const std::vector<std::string>& words) {
    FilterRule out;
    const bool blocks = is_nowhere(words.front());
    out.kind = blocks ? FilterRule::Kind::block : FilterRule::Kind::answer;
    if (!blocks) out.addresses.push_back(words.front());
    for (std::size_t i = 1; i < words.size() && !words[i].starts_with('#'); ++i) {
        if (const std::string why = name_error(words[i]); !why.empty())
            return unknown_rule("the name " + in_quotes(words[i]) + " " + why);
        out.rules.push_back((blocks ? "" : "full:") + plain_name(words[i]));
    }
    return out.rules.empty() ? unknown_rule("a line of a hosts file needs a name") : out;
}

struct SplitRule {
    std::string_view pattern, modifiers;
};
SplitRule split_filter_rule(std::string_view text) {
    std::size_t from = 0;
    if (text.starts_with('/')) {
        const auto slash = text.rfind('/');
        if (slash > 0 && (slash + 1 == text.size() || text[slash + 1] == '$')) from = slash;
    }
    const auto dollar = text.find('$', from);
    if (dollar == std::string_view::npos) return {text, {}};
    return {text.substr(0, dollar), text.substr(dollar + 1)};
}

bool is_type_name(std::string_view text) {
    constexpr std::array<std::string_view, 14> kFilterTypes{
        "a",     "aaaa", "any", "caa", "cname", "https", "mx",
        "naptr", "ns",   "ptr", "soa", "srv",   "svcb",  "txt"};
    if (text.starts_with('~')) text.remove_prefix(1);
    return std::ranges::find(kFilterTypes, lowered(text)) != kFilterTypes.end();
}

// The rule of `qname` for a pattern about names; empty for others.
std::string qname_rule(std::string_view pattern) {
    std::string_view kind = "full:";
    if (pattern.starts_with("||")) {
        kind = "domain:";
        pattern.remove_prefix(2);
    } else if (pattern.starts_with('|')) {
        pattern.remove_prefix(1);
    }
    while (pattern.ends_with('^') || pattern.ends_with('|'))
        pattern.remove_suffix(1);
    return name_error(pattern).empty() ? std::string(kind) + plain_name(pattern) : std::string();
}

// $dnsrewrite: "192.0.2.1", "NXDOMAIN", "NOERROR;A;192.0.2.1". Names are aliases, which are left to
// a person.
FilterRule rewrite_rule(std::string_view pattern, std::string_view value) {
    FilterRule out;
    out.kind = FilterRule::Kind::answer;
    const std::string rule = qname_rule(pattern);
    if (rule.empty()) return unknown_rule("its dnsrewrite is about more than a name");
    out.rules.push_back(rule);
    const std::vector<std::string> words = split_all(value, ';');
    const std::string& last = words.back();
    const bool is_full = words.size() == 3 && lowered(words[0]) == "noerror";
    if ((words.size() == 1 || is_full) && (is_v4(last) || is_v6(last))) {
        out.addresses.push_back(last);
    } else if (words.size() == 1 &&
               (last == "NXDOMAIN" || last == "REFUSED" || last == "SERVFAIL")) {
        out.executor = "black_hole " + lowered(last) + " short_circuit";
    } else if (words.size() == 1 && last == "NOERROR") {
        out.executor = "black_hole nodata short_circuit";
    } else {
        return unknown_rule(
            "its dnsrewrite is not an address or a response code: write a record of 'static'");
    }
    return out;
}

}  // namespace

std::string filter_pattern_error(std::string_view pattern) {
    if (pattern.size() > 2 && pattern.starts_with('/') && pattern.ends_with('/')) {
        const std::string expression(pattern.substr(1, pattern.size() - 2));
        const std::string why = expression_error(expression);
        return why.empty() ? std::string() : "the regular expression " + why;
    }
    const std::string shown = in_quotes(pattern);
    while (pattern.starts_with('|'))
        pattern.remove_prefix(1);
    while (pattern.ends_with('^') || pattern.ends_with('|'))
        pattern.remove_suffix(1);
    if (pattern.find('*') == std::string_view::npos && !pattern.starts_with('.')) {
        if (is_v4(pattern) || is_v6(pattern)) return "it is about an address";
        const std::string why = name_error(pattern);
        const bool is_number =
            !pattern.empty() &&
            pattern.substr(pattern.rfind('.') + 1).find_first_not_of("0123456789") ==
                std::string_view::npos;
        if (is_number) return "the name " + shown + " ends with a number";
        return why.empty() ? std::string() : "the name " + shown + " " + why;
    }
    const auto is_good = [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
               c == '-' || c == '_' || c == '.' || c == '*';
    };
    if (!std::ranges::all_of(pattern, is_good)) return shown + " is about more than a name";
    constexpr std::size_t kShortest = 3;
    if (std::ranges::count_if(pattern, [](char c) { return c != '*' && c != '.'; }) <
        static_cast<std::ptrdiff_t>(kShortest))
        return "the pattern " + shown + " is too short";
    return {};
}

FilterRule read_filter_rule(std::string_view line) {
    FilterRule out;
    std::string_view text = trimmed(line);
    if (text.empty() || text.starts_with('!') || text.starts_with('#') || text.starts_with('['))
        return out;
    if (std::ranges::any_of(kPageMarks,
                            [&](auto mark) { return text.find(mark) != std::string_view::npos; }))
        return unknown_rule("it is about the contents of pages");
    const std::vector<std::string> words = split(to_utf8(text), ' ');
    if (words.size() > 1 && (is_v4(words.front()) || is_v6(words.front())))
        return hosts_line(words);
    out.kind = FilterRule::Kind::block;
    if (text.starts_with("@@")) {
        out.kind = FilterRule::Kind::allow;
        text.remove_prefix(2);
    }
    if (!text.starts_with('/')) {
        if (const auto comment = text.find(" #"); comment != std::string_view::npos)
            text = trimmed(text.substr(0, comment));
    }
    const auto [pattern, modifiers] = split_filter_rule(text);
    if (pattern.find_first_of(" \t") != std::string_view::npos && !pattern.starts_with('/'))
        return unknown_rule("it is more than one word");
    std::vector<std::string> kept;
    for (const std::string& modifier : split(modifiers, ',')) {
        const auto equals = std::min(modifier.find('='), modifier.size());
        const std::string name = modifier.substr(0, equals);
        const std::string value = modifier.substr(std::min(equals + 1, modifier.size()));
        const bool has_types =
            !value.empty() && std::ranges::all_of(split_all(value, '|'), is_type_name);
        const bool has_names =
            !value.empty() &&
            std::ranges::all_of(split_all(value, '|'),
                                [](const std::string& one) { return name_error(one).empty(); });
        if (name == "dnsrewrite" && out.kind == FilterRule::Kind::block && kept.empty())
            return rewrite_rule(pattern, value);
        if ((name == "important" || name == "badfilter") && value.empty()) {
            kept.push_back(modifier);
        } else if ((name == "dnstype" && has_types) || (name == "denyallow" && has_names)) {
            kept.push_back(modifier);
        } else {
            return unknown_rule("its modifier " + in_quotes(modifier) + " has no counterpart");
        }
    }
    if (std::string why = filter_pattern_error(pattern); !why.empty())
        return unknown_rule(std::move(why));
    out.rules.push_back(to_utf8(pattern) + (kept.empty() ? "" : "$" + join(kept, ",")));
    return out;
}

}  // namespace steer::importing
