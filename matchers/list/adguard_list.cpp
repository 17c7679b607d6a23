#include "matchers/list/adguard_list.h"

#include <algorithm>
#include <array>
#include <set>
#include <tuple>
#include <utility>

#include "matchers/foreign_lines.h"
#include "matchers/list/hosts_list.h"
#include "matchers/list/lines.h"
#include "matchers/prefix/ip_address.h"
#include "matchers/quote.h"
#include "matchers/text.h"

namespace steer::matchers {
namespace {

using ReadRule = Result<std::optional<AdguardRule>>;

// A rule about the contents of a page, or not a rule.
bool is_about_pages(std::string_view text) {
    constexpr std::array<std::string_view, 8> kMarks{"##",  "#@#", "#$#",  "#%#",
                                                     "#?#", "$$",  "#@$#", "#@?#"};
    return std::any_of(kMarks.begin(), kMarks.end(), [&](std::string_view mark) {
        return text.find(mark) != std::string_view::npos;
    });
}
bool is_adguard_comment(std::string_view text) {
    return text.empty() || text.starts_with('!') || text.starts_with('#') || text.starts_with('[');
}

// Iterates over the items of a list with separators.
template <class Visit>
void for_each_part(std::string_view list, char separator, Visit visit) {
    for (std::size_t at = 0; at <= list.size();) {
        const auto end = std::min(list.find(separator, at), list.size());
        visit(list.substr(at, end - at));
        at = end + 1;
    }
}

// Pattern and modifiers of a rule without its @@. A regular expression may hold dollars.
std::pair<std::string_view, std::string_view> split_modifiers(std::string_view text) {
    std::size_t from = 0;
    if (text.starts_with('/')) {
        const auto slash = text.rfind('/');
        const bool ends_it = slash + 1 == text.size() || text[slash + 1] == '$';
        if (slash > 0 && ends_it) from = slash;
    }
    const auto dollar = text.find('$', from);
    if (dollar == std::string_view::npos) return {text, {}};
    return {text.substr(0, dollar), text.substr(dollar + 1)};
}

std::optional<Error> read_types(std::string_view value, TypeNumber type_number, AdguardRule& out) {
    std::optional<Error> error;
    for_each_part(value, '|', [&](std::string_view name) {
        const bool other = name.starts_with('~');
        if (other) name.remove_prefix(1);
        if (const auto number = type_number(name)) {
            (other ? out.other_types : out.types).push_back(*number);
        } else {
            error = Error{"unknown type " + quoted(name) + " in dnstype"};
        }
    });
    for (auto* types : {&out.types, &out.other_types}) {
        std::sort(types->begin(), types->end());
        types->erase(std::unique(types->begin(), types->end()), types->end());
    }
    return error;
}

std::optional<Error> read_unless(std::string_view value, AdguardRule& out) {
    std::optional<Error> error;
    for_each_part(value, '|', [&](std::string_view name) {
        auto rule = parse_rule(name, RuleKind::domain);
        if (rule && rule->kind == RuleKind::domain) {
            out.unless.push_back(std::move(rule->text));
        } else {
            error = Error{quoted(name) + " in denyallow is not a name"};
        }
    });
    std::sort(out.unless.begin(), out.unless.end());
    out.unless.erase(std::unique(out.unless.begin(), out.unless.end()), out.unless.end());
    return error;
}

bool is_ours(std::string_view modifier) {
    return modifier == "important" || modifier == "badfilter" || modifier == "dnstype" ||
           modifier == "denyallow";
}

// A modifier of AdGuard that a set of names cannot express: "$client". No value: it is not a modifier.
std::optional<std::string> foreign_modifier(std::string_view name) {
    const bool is_word = !name.empty() && std::all_of(name.begin(), name.end(), [](char c) {
        return is_letter(c) || is_digit(c) || c == '-' || c == '_' || c == '~';
    });
    if (!is_word) return std::nullopt;
    return "$" + lowered(name.substr(name.starts_with('~') ? 1 : 0));
}

// `foreign`: the first unsupported modifier, if there is no other error.
std::optional<Error> read_modifiers(std::string_view modifiers, TypeNumber type_number,
                                    AdguardRule& out, std::optional<std::string>& foreign) {
    std::optional<Error> error;
    for_each_part(modifiers, ',', [&](std::string_view modifier) {
        if (error) return;
        const auto equals = std::min(modifier.find('='), modifier.size());
        const std::string_view name = modifier.substr(0, equals);
        const std::string_view value = modifier.substr(std::min(equals + 1, modifier.size()));
        if (name == "important" && value.empty()) {
            out.important = true;
        } else if (name == "badfilter" && value.empty()) {
            out.badfilter = true;
        } else if (name == "dnstype" && !value.empty()) {
            error = read_types(value, type_number, out);
        } else if (name == "denyallow" && !value.empty()) {
            error = read_unless(value, out);
        } else {
            if (!is_ours(name)) foreign = foreign_modifier(name);
            error = Error{"the modifier " + quoted(modifier) + " is not supported"};
        }
    });
    return error;
}

// A pattern without its anchors.
struct Body {
    std::string text;
    bool at_label = false, at_start = false, at_end = false;
};

Body body_of(std::string_view pattern) {
    Body out;
    if (pattern.starts_with("||")) {
        out.at_label = true;
        pattern.remove_prefix(2);
    } else if (pattern.starts_with('|')) {
        out.at_start = true;
        pattern.remove_prefix(1);
    }
    while (pattern.ends_with('|') || pattern.ends_with('^')) {
        out.at_end = true;
        pattern.remove_suffix(1);
    }
    if (out.at_end && pattern.ends_with('.')) pattern.remove_suffix(1);
    out.text = lowered(pattern);
    return out;
}

Result<Rule> as_regexp(const Body& body) {
    std::string_view text = body.text;
    bool at_label = body.at_label, at_start = body.at_start, at_end = body.at_end;
    while (text.starts_with('*')) {
        text.remove_prefix(1);
        at_label = at_start = false;
    }
    while (text.ends_with('*')) {
        text.remove_suffix(1);
        at_end = false;
    }
    std::string out = at_start ? "^" : at_label ? "(^|\\.)" : "";
    for (const char c : text) {
        const bool plain = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
        if (plain) {
            out += c;
        } else if (c == '.') {
            out += "\\.";
        } else if (c == '*') {
            out += ".*";
        } else {
            return Error{quoted(std::string_view(&c, 1)) + " in the rule " + quoted(body.text) +
                         " is not allowed in a name"};
        }
    }
    if (at_end) out += '$';
    if (out.empty()) out = ".*";
    return Rule{RuleKind::regexp, std::move(out)};
}

// Text that can only be part of a name.
bool is_part(std::string_view text) {
    const auto is_edge = [](char c) { return c == '.' || c == '-'; };
    return is_edge(text.front()) || is_edge(text.back());
}

Result<Rule> rule_of(std::string_view pattern) {
    if (pattern.size() > 2 && pattern.starts_with('/') && pattern.ends_with('/'))
        return Rule{RuleKind::regexp, std::string(pattern.substr(1, pattern.size() - 2))};
    const Body body = body_of(pattern);
    if (body.text.empty()) return Error{"the rule " + quoted(pattern) + " names nothing"};
    if (body.text.find_first_of(" \t") != std::string::npos)
        return Error{"more than one word in the rule " + quoted(pattern)};
    if (body.text.find_first_of("/:") != std::string::npos)
        return Error{"the rule " + quoted(pattern) + " is about more than a name"};
    if (const auto at = body.text.find_first_of("^|"); at != std::string::npos)
        return Error{quoted(body.text.substr(at, 1)) + " in the rule " + quoted(pattern) +
                     " is not allowed in a name"};
    if (IpAddress::parse(body.text))
        return Error{"the rule " + quoted(pattern) + " is about an address"};
    const bool is_name = body.text.find('*') == std::string::npos && !body.text.starts_with('.');
    if (is_name && body.at_label && body.at_end) return parse_rule(body.text, RuleKind::domain);
    const bool bare = !body.at_label && !body.at_start && !body.at_end;
    const bool whole = (body.at_start && body.at_end) || (bare && !is_part(body.text));
    if (is_name && whole) return parse_rule(body.text, RuleKind::full);
    return as_regexp(body);
}

// AdGuard refuses them as too wide. A pattern for all names is judged as such (rules_for_all.h).
bool is_too_short(std::string_view pattern) {
    constexpr std::size_t kShortest = 3;
    return pattern.size() < kShortest &&
           pattern.find_first_not_of("*|^.") != std::string_view::npos;
}

ReadRule parse(std::string_view text, TypeNumber type_number, std::optional<std::string>& foreign,
               bool is_of_file) {
    if (is_adguard_comment(text) || is_about_pages(text)) return {std::optional<AdguardRule>{}};
    AdguardRule out;
    if (text.starts_with("@@")) {
        out.exception = true;
        text.remove_prefix(2);
    }
    if (!text.starts_with('/')) text = without_comment(text);
    const auto [pattern, modifiers] = split_modifiers(text);
    if (modifiers.data() != nullptr) {
        if (auto error = read_modifiers(modifiers, type_number, out, foreign))
            return *std::move(error);
    }
    if (is_of_file && is_too_short(pattern))
        return Error{"the pattern " + quoted(pattern) +
                     " has fewer than three characters, which AdGuard refuses as too wide"};
    auto rule = rule_of(pattern);
    if (!rule) return std::move(rule).error();
    out.rule = *std::move(rule);
    return {std::optional(std::move(out))};
}

}  // namespace

ReadRule parse_adguard(std::string_view text, TypeNumber type_number) {
    std::optional<std::string> foreign;
    return parse(text, type_number, foreign, false);
}

ReadRule read_adguard_rule(std::string_view text, TypeNumber type_number,
                           std::optional<std::string>& foreign) {
    return parse(text, type_number, foreign, true);
}

AdguardList read_adguard(std::string_view bytes, std::string_view file, TypeNumber type_number) {
    AdguardList list{{}, BadLines(file), 0};
    if (auto error = not_utf8(bytes)) {
        list.bad.add(*std::move(error), 1);
        return list;
    }
    Lines lines(bytes);
    while (const auto line = lines.next()) {
        std::optional<std::string> foreign;
        auto rule = read_adguard_rule(line->text, type_number, foreign);
        if (!rule && foreign) {
            list.bad.leave_out(*foreign, line->number);
        } else if (!rule) {
            list.bad.add(std::move(rule).error(), line->number);
        } else if (*rule) {
            (*rule)->line = line->number;
            list.rules.push_back(**std::move(rule));
        } else if (!is_adguard_comment(line->text)) {
            ++list.left_out;
        }
    }
    return list;
}

bool is_adguard_line(std::string_view text) {
    if (has_adguard_signs(text) || text.starts_with("[Ad")) return true;
    const bool has_comment = without_comment(text).size() < text.size();
    return !has_comment && is_about_pages(text);
}

ListMarks find_list_marks(std::string_view bytes) {
    ListMarks out;
    const auto count = [](ListMark& mark, const Line& line) {
        if (mark.lines++ > 0) return;
        mark.first = line.number;
        mark.text = line.text;
    };
    Lines lines(bytes);
    while (const auto line = lines.next()) {
        const std::string_view text = line->text;
        const auto blank = text.find_first_of(" \t");
        if (blank != std::string_view::npos && leads_nowhere(text.substr(0, blank))) {
            count(out.hosts, *line);
        } else if (is_adguard_line(text) || text.starts_with('!')) {
            count(out.adguard, *line);
        }
    }
    return out;
}

BadFilters::BadFilters(std::span<const AdguardRule> rules) {
    for (const AdguardRule& rule : rules) {
        if (rule.badfilter) named_.insert(identity(rule));
    }
}

BadFilters::Identity BadFilters::identity(const AdguardRule& r) {
    return {r.rule.kind, r.rule.text, r.exception, r.important, r.unless, r.types, r.other_types};
}

bool BadFilters::removes(const AdguardRule& rule) const {
    return !named_.empty() && named_.contains(identity(rule));
}

bool BadFilters::removes(const Rule& rule) const {
    if (named_.empty()) return false;
    AdguardRule plain;
    plain.rule = rule;
    return removes(plain);
}

}  // namespace steer::matchers
