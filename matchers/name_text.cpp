#include "matchers/name_text.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>

#include "matchers/foreign_lines.h"
#include "matchers/idn_name.h"
#include "matchers/name_matcher.h"
#include "matchers/prefix/ip_address.h"
#include "matchers/prefix/prefix_set.h"
#include "matchers/quote.h"
#include "matchers/text.h"

namespace steer::matchers {
namespace {

constexpr std::size_t kMaxText = 253;  // 255 bytes of wire form less a length byte and the root

bool is_ascii(char c) {
    return static_cast<unsigned char>(c) < 0x80;
}
bool is_control(char c) {
    const auto byte = static_cast<unsigned char>(c);
    return byte < 0x20 || byte == 0x7f;
}
// Every name has these without an escape.
bool is_plain(char c) {
    return is_letter(c) || is_digit(c) || c == '-' || c == '_';
}

// ---- forms of other programs, and what to write here

// "address=/NAME/", "rev-server=".
bool is_dnsmasq(std::string_view text) {
    const DnsmasqLine line = dnsmasq_line(text);
    if (line.key == "rev-server") return line.value.has_value();
    return line.names_domains() && line.value->starts_with('/');
}

// The name of "||ads.example^$important", if there is one.
std::string_view name_of_adguard(std::string_view text) {
    while (text.starts_with('|'))
        text.remove_prefix(1);
    return text.substr(0, text.find_first_of("^|$"));
}

// What to write, as a rule, or as a name alone.
struct Advice {
    bool alone = false;

    [[nodiscard]] std::string operator()(std::string_view prefix, std::string_view name) const {
        const bool is_rule = !alone || prefix.starts_with("regexp:");
        return "write " +
               quoted((is_rule ? std::string(prefix) : std::string{}) + std::string(name));
    }
    [[nodiscard]] std::string with_all_below(std::string_view name) const {
        return (*this)("domain:", name) +
               (alone ? "" : ", which holds the name and everything below it");
    }
};

// "[.]" for each dot: a regular expression for this text.
std::string as_expression(std::string_view text) {
    std::string out;
    for (const char c : text) {
        if (c == '.') {
            out += "[.]";
        } else if (c == '*') {
            out += "[^.]*";
        } else {
            out += c;
        }
    }
    return out;
}

std::string_view rule_prefix(RuleKind kind) {
    switch (kind) {
        case RuleKind::full:
            return "full:";
        case RuleKind::domain:
            return "domain:";
        case RuleKind::keyword:
            return "keyword:";
        case RuleKind::regexp:
            return "regexp:";
    }
    return "";
}

// "DOMAIN-SUFFIX,example.org,PROXY".
std::optional<Error> key_and_value(std::string_view text, Advice advice) {
    const ProxyKey* const known = proxy_key(text);
    if (known == nullptr) return std::nullopt;
    const std::string program = quoted(text) + " is a rule of " + std::string(known->programs);
    if (!known->kind) return Error{program + " that is not a name: remove it"};
    return Error{program + ": " +
                 advice(rule_prefix(*known->kind), proxy_value(text, known->kind))};
}

std::optional<Error> of_line_form(std::string_view text, Advice advice) {
    if (is_dnsmasq(text)) {
        const auto slash = text.find('/');
        const std::string_view rest =
            slash == std::string_view::npos ? std::string_view{} : text.substr(slash + 1);
        std::string_view name = rest.substr(0, rest.find('/'));
        if (name.starts_with('.')) name.remove_prefix(1);
        return Error{
            quoted(text) + " is a line of dnsmasq: " +
            (name.empty() || name == "#" ? std::string("write a name") : advice("domain:", name)) +
            ", or read its file with 'format: dnsmasq'"};
    }
    if (auto error = key_and_value(text, advice)) return error;
    if (text.starts_with("- "))
        return Error{quoted(text) +
                     " is a line of a YAML list: write the name without \"- \" and quotes, or read "
                     "its file with 'format: clash'"};
    return std::nullopt;
}

std::optional<Error> of_adguard(std::string_view text, Advice advice) {
    if (text.starts_with("@@"))
        return Error{quoted(text) +
                     " is an exception in AdGuard's form: use a plugin of type 'adguard_rule'"};
    if (!has_adguard_signs(text)) return std::nullopt;
    const std::string_view name = name_of_adguard(text);
    const bool has_name = !name.empty() && name.find('*') == std::string_view::npos;
    const std::string start = quoted(text) + " is in AdGuard's form: ";
    if (advice.alone) return Error{start + (has_name ? advice({}, name) : "write a name")};
    return Error{start +
                 (has_name ? advice(text.starts_with("||") ? "domain:" : "full:", name) + ", or use"
                           : std::string("use")) +
                 " a plugin of type 'adguard_rule'"};
}

std::optional<Error> of_wildcard(std::string_view text, Advice advice) {
    if (text.find_first_not_of("*.") == std::string_view::npos &&
        text.find('*') != std::string_view::npos)
        return Error{quoted(text) + " is not a name" +
                     (advice.alone ? "" : ": for all names write \"regexp:.\", or no matcher")};
    if (text.starts_with("+."))
        return Error{quoted(text) + " is Clash's form: " + advice.with_all_below(text.substr(2))};
    if (text.starts_with("*.") && text.find('*', 1) == std::string_view::npos)
        return Error{"a wildcard in the rule " + quoted(text) + ": " +
                     advice.with_all_below(text.substr(2))};
    if (text.starts_with("*-.") && text.find('*', 1) == std::string_view::npos)
        return Error{quoted(text) + " is smartdns's form for the names below: " +
                     advice("regexp:[.]", as_expression(text.substr(3)) + "$")};
    if (text.starts_with("-."))
        return Error{quoted(text) +
                     " is smartdns's form for the name alone: " + advice("full:", text.substr(2))};
    if (text.find('*') != std::string_view::npos)
        return Error{"a wildcard in the name " + quoted(text) +
                     (advice.alone ? ": write the name without it"
                                   : ": write an expression, " +
                                         quoted("regexp:^" + as_expression(text) + "$"))};
    return std::nullopt;
}

std::optional<Error> of_punctuation(std::string_view text, Advice advice) {
    const char first = text.front(), last = text.back();
    if (first == '\'' || first == '"') {
        const bool both = text.size() > 2 && last == first;
        return Error{"quotes around the name " + quoted(text) + ": write " +
                     (both ? quoted(text.substr(1, text.size() - 2)).append(" without them")
                           : std::string("it without them"))};
    }
    if (text.find(',') != std::string_view::npos)
        return Error{"more than one name in the rule " + quoted(text) +
                     ": write each as a rule of its own"};
    if (last == ';') return Error{"a semicolon behind the name " + quoted(text) + ": remove it"};
    if (text.size() > 2 && first == '/' && last == '/')
        return Error{quoted(text) + " is AdGuard's form of an expression: " +
                     advice("regexp:", text.substr(1, text.size() - 2))};
    if (text.find('/') != std::string_view::npos)
        return Error{"a path in " + quoted(text) +
                     ": write only the name; '/' is part of names below in-addr.arpa alone"};
    return std::nullopt;
}

// Why `text` is not a name; `at` is its first byte that no name has.
Error why_no_name(std::string_view text, char at, Advice advice) {
    if (std::ranges::any_of(text, is_control) && text.find('\t') == std::string_view::npos)
        return Error{"a control character in the rule " + quoted(text) + ": remove it"};
    if (auto error = of_line_form(text, advice)) return *std::move(error);
    if (text.find_first_of(" \t") != std::string_view::npos)
        return Error{"more than one word in the rule " + quoted(text) + ": write one rule a line"};
    if (auto error = of_adguard(text, advice)) return *std::move(error);
    if (auto error = of_wildcard(text, advice)) return *std::move(error);
    if (text.find(':') != std::string_view::npos)
        return Error{"a colon in the name " + quoted(text) +
                     ": write the name alone, without a port"};
    if (at == '\\')
        return Error{"a backslash in the rule " + quoted(text) +
                     ": write regexp: before it if it is a regular expression, and a byte of a "
                     "name as \\DDD"};
    if (auto error = of_punctuation(text, advice)) return *std::move(error);
    return Error{quoted(std::string_view(&at, 1)) + " in the name " + quoted(text) +
                 " is not part of a name: a name has letters, digits, '-' and '_', and other bytes "
                 "as \\DDD"};
}

// ---- the name itself

// Takes an escape off the front of `text`, which starts with a backslash.
std::optional<std::uint8_t> take_escape(std::string_view& text, bool any) {
    if (text.size() < 2) return std::nullopt;
    if (!is_digit(text[1])) {
        if (!any || !is_ascii(text[1]) || is_control(text[1])) return std::nullopt;
        const auto byte = static_cast<std::uint8_t>(text[1]);
        text.remove_prefix(2);
        return byte;
    }
    if (text.size() < 4 || !is_digit(text[2]) || !is_digit(text[3])) return std::nullopt;
    const int value = (text[1] - '0') * 100 + (text[2] - '0') * 10 + (text[3] - '0');
    if (value > 255) return std::nullopt;
    text.remove_prefix(4);
    return static_cast<std::uint8_t>(value);
}

// An odd number of backslashes stands before it.
bool is_escaped(std::string_view text, std::size_t at) {
    const auto before = text.find_last_not_of('\\', at - 1);
    const std::size_t first = at == 0 || before == std::string_view::npos ? 0 : before + 1;
    return at > 0 && (at - first) % 2 == 1;
}

void append_escape(std::string& out, std::uint8_t byte) {
    out += '\\';
    out += static_cast<char>('0' + byte / 100);
    out += static_cast<char>('0' + byte / 10 % 10);
    out += static_cast<char>('0' + byte % 10);
}

bool is_reverse_name(std::string_view name) {
    return name == "in-addr.arpa" || name.ends_with(".in-addr.arpa");
}

// "10.0.0.1", "2001:db8::/32", and names with a number as their last label, which are IPv4 addresses to browsers and
// resolver libraries (RFC 1123 2.1, the URL standard).
std::optional<Error> number_for_name(std::string_view normal, std::string_view text,
                                     Advice advice) {
    const std::string_view last = normal.substr(normal.rfind('.') + 1);
    if (last.empty() || !std::ranges::all_of(last, is_digit)) return std::nullopt;
    return Error{"the last label of " + quoted(text) +
                 " has only digits, which no host name has: write a name" +
                 (advice.alone ? "" : ", or read addresses with a plugin of type 'ip_set'")};
}

// Labels and lengths of a name whose bytes are allowed; counts an escape as one byte.
std::optional<Error> bad_labels(std::string_view name) {
    std::size_t all = 0, label = 0;
    for (std::size_t at = 0; at <= name.size(); ++at) {
        if (at < name.size() && name[at] != '.') {
            ++label;
            ++all;
            if (name[at] == '\\') at += 3;
            continue;
        }
        if (label == 0) {
            if (name.starts_with('.') && name.find("..") == std::string_view::npos)
                return Error{"an empty label in the name " + quoted(name) +
                             ": remove the dot at its start, which stands for everything below the "
                             "name in other programs, or write " +
                             quoted("domain:" + std::string(name.substr(1)))};
            return Error{"an empty label in the name " + quoted(name) +
                         ": remove the dot at its start or one of two dots in a row"};
        }
        if (label > kMaxLabel)
            return Error{"a label of " + std::to_string(label) + " characters in the name " +
                         quoted(name) + ": a label has at most " + std::to_string(kMaxLabel)};
        label = 0;
        if (at < name.size()) ++all;
    }
    if (all > kMaxText)
        return Error{"the name " + quoted(name) + " has " + std::to_string(all) +
                     " characters: a name has at most " + std::to_string(kMaxText)};
    return std::nullopt;
}

// Bytes in their one form. `written`: for messages.
Result<std::string> normal_bytes(std::string_view name, std::string_view written, NameForm form) {
    const bool is_reverse = is_reverse_name(name);
    const auto is_label = [&](std::size_t at) {
        const bool begins = at == 0 || (name[at - 1] == '.' && !is_escaped(name, at - 1));
        return begins && (at + 1 == name.size() || name[at + 1] == '.');
    };
    std::string out;
    out.reserve(name.size());
    for (std::size_t at = 0; at < name.size();) {
        const char c = name[at];
        if (is_plain(c) || c == '.' || (c == '/' && is_reverse) ||
            (c == '*' && form.stars && is_label(at) && (at > 0 || name.size() == 1))) {
            out += c;
            ++at;
            continue;
        }
        if (form.printable && c > ' ' && c < 0x7f && c != '\\' && !(c == '*' && is_label(at))) {
            append_escape(out, static_cast<std::uint8_t>(c));
            ++at;
            continue;
        }
        std::string_view rest = name.substr(at);
        const auto byte = c == '\\' ? take_escape(rest, form.any_escape) : std::nullopt;
        if (!byte) return why_no_name(written, c, {form.alone});
        const char low = lower(static_cast<char>(*byte));
        if (is_plain(low)) {
            out += low;
        } else {
            append_escape(out, *byte);
        }
        at = name.size() - rest.size();
    }
    return {boost::system::in_place_value, std::move(out)};
}

}  // namespace

std::optional<Error> address_for_name(std::string_view text, bool alone) {
    const bool may_be =
        text.find(':') != std::string_view::npos || (!text.empty() && is_digit(text[0]));
    if (!may_be) return std::nullopt;  // nearly all names of a list
    const bool is_address = IpAddress::parse(text).has_value();
    if (!is_address && (text.find('/') == std::string_view::npos || !Prefix::parse(text)))
        return std::nullopt;
    return Error{quoted(text) + " is an IP " + (is_address ? "address" : "network") +
                 " and not a name: write a name" +
                 (alone ? "" : ", or read addresses with a plugin of type 'ip_set'")};
}

Result<std::string> parse_name(std::string_view text, NameForm form) {
    auto ascii = ascii_name(lowered(text));
    if (!ascii)
        return Error{"the international name " + quoted(lowered(text)) + " is not valid (" +
                     ascii.error().text + "): write it in UTF-8, or in its xn-- form"};
    std::string name = *std::move(ascii);
    if (name.ends_with('.') && !is_escaped(name, name.size() - 1)) name.pop_back();
    if (name.empty()) return Error{"a rule without a name: write a name, or remove the rule"};
    if (auto error = form.numbers ? std::nullopt : address_for_name(name, form.alone))
        return *std::move(error);
    auto normal = normal_bytes(name, text, form);
    if (!normal) return normal;
    if (!form.printable &&
        normal->starts_with("-."))  // letters of a name, but the form of smartdns
        return why_no_name(text, '-', {form.alone});
    if (auto error = bad_labels(*normal)) return *std::move(error);
    if (auto error = form.numbers ? std::nullopt : number_for_name(*normal, text, {form.alone}))
        return *std::move(error);
    return normal;
}

Result<std::string> parse_keyword(std::string_view text) {
    std::string word = lowered(text);
    if (word.ends_with('.')) word.pop_back();
    if (word.empty()) return Error{"a rule without a name: write a name, or remove the rule"};
    for (const char c : word) {
        if (c == ' ' || c == '\t')
            return Error{"more than one word in the rule " + quoted(word) +
                         ": write one rule a line"};
        if (is_control(c))
            return Error{"a control character in the rule " + quoted(word) + ": remove it"};
        if (!is_ascii(c))
            return Error{"a letter outside ASCII in the rule " + quoted(word) +
                         ": write the name as it is in the DNS, in its xn-- form"};
        if (c == '\\')
            return Error{"a backslash in the rule " + quoted(word) +
                         ": write regexp: before it if it is a regular expression"};
        // Signs of other programs; other bytes may be in a name.
        if (std::string_view("*|^,;'\"").find(c) != std::string_view::npos)
            return Error{quoted(std::string_view(&c, 1)) + " in the keyword " + quoted(word) +
                         ": a keyword is a part of names, without signs and quotes; write regexp: "
                         "for an expression"};
    }
    if (word.size() > kMaxText)
        return Error{"the name " + quoted(word) + " has " + std::to_string(word.size()) +
                     " characters: a name has at most " + std::to_string(kMaxText)};
    return {boost::system::in_place_value, std::move(word)};
}

std::string wire_of_name(std::string_view name) {
    std::string wire;
    wire.reserve(name.size() + 1);
    while (!name.empty()) {
        const std::size_t label = wire.size();
        wire += '\0';
        while (!name.empty() && name.front() != '.') {
            if (name.front() == '\\') {
                const auto byte = take_escape(name, false);
                if (!byte) return {};
                wire += static_cast<char>(*byte);
            } else {
                wire += name.front();
                name.remove_prefix(1);
            }
        }
        const std::size_t length = wire.size() - label - 1;
        if (length == 0 || length > kMaxLabel) return {};
        wire[label] = static_cast<char>(length);
        if (name.empty()) break;
        name.remove_prefix(1);
        if (name.empty()) return {};
    }
    return wire.size() > kMaxText + 1 ? std::string{} : wire;
}

}  // namespace steer::matchers
