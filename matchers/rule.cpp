// parse_rule: the text of one rule, as configurations and rule files write it.
#include <idn2.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <optional>

#include "matchers/name_matcher.h"
#include "matchers/quote.h"
#include "matchers/text.h"

namespace steer::matchers {
namespace {

constexpr std::size_t kMaxText = 253;  // 255 bytes of wire form less a length byte and the root

struct KindWord {
    std::string_view word;
    RuleKind kind;
};
constexpr std::array kKindWords{
    KindWord{"domain", RuleKind::domain}, KindWord{"full", RuleKind::full},
    KindWord{"keyword", RuleKind::keyword}, KindWord{"regexp", RuleKind::regexp}};

// Prefixes of other programs, and what to write here.
struct ForeignWord {
    std::string_view word, advice;
};
constexpr std::array kForeign{
    ForeignWord{"suffix", "write domain:"},
    ForeignWord{"domain-suffix", "write domain:"},
    ForeignWord{"domain_suffix", "write domain:"},
    ForeignWord{"host", "write full:"},
    ForeignWord{"exact", "write full:"},
    ForeignWord{"domain-keyword", "write keyword:"},
    ForeignWord{"domain_keyword", "write keyword:"},
    ForeignWord{"regex", "write regexp:"},
    ForeignWord{"re", "write regexp:"},
    ForeignWord{"geosite", "convert the list to a text file of rules and name it in files:"},
    ForeignWord{"include", "name the other file in files:"},
    ForeignWord{"http", "write only the name"},
    ForeignWord{"https", "write only the name"},
};

// Levenshtein distance; words of a prefix's length only.
std::size_t distance(std::string_view a, std::string_view b) {
    std::array<std::size_t, 24> row{};
    if (a.size() >= row.size() || b.size() >= row.size()) return row.size();
    for (std::size_t j = 0; j <= b.size(); ++j)
        row[j] = j;
    for (std::size_t i = 1; i <= a.size(); ++i) {
        std::size_t diagonal = row[0];
        row[0] = i;
        for (std::size_t j = 1; j <= b.size(); ++j) {
            const std::size_t replaced = diagonal + (a[i - 1] == b[j - 1] ? 0 : 1);
            diagonal = row[j];
            row[j] = std::min({replaced, row[j] + 1, row[j - 1] + 1});
        }
    }
    return row[b.size()];
}

Error unknown_prefix(std::string_view written) {
    const std::string word = lowered(written);
    std::string advice =
        "a rule starts with domain:, full:, keyword: or regexp:, or with none of them";
    for (const auto& foreign : kForeign) {
        if (word == foreign.word) advice = foreign.advice;
    }
    for (const auto& known : kKindWords) {
        if (distance(word, known.word) <= 2) {
            advice = "did you mean " + std::string(known.word) + ":?";
        }
    }
    return Error{"unknown kind of rule " + quoted(std::string(written) + ":") + ": " + advice};
}

// The first byte that is not allowed in a name's text form.
std::optional<Error> bad_byte(std::string_view text, RuleKind kind) {
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        if (byte == ' ' || byte == '\t') {
            return Error{"more than one word in the rule " + quoted(text) +
                         ": write one rule a line"};
        }
        if (byte < 0x20 || byte == 0x7f) {
            return Error{"a control character in the rule " + quoted(text) + ": remove it"};
        }
        if (byte >= 0x80) {
            return Error{"a letter outside ASCII in the rule " + quoted(text) +
                         ": write the name as it is in the DNS, in its xn-- form"};
        }
        if (byte == ':' && kind != RuleKind::keyword) {
            return Error{"a colon in the name " + quoted(text) +
                         ": write the name alone, without a port"};
        }
        if (byte == '\\') {
            return Error{"a backslash in the rule " + quoted(text) +
                         ": write regexp: before it if it is a regular expression"};
        }
    }
    return std::nullopt;
}

// The DNS form of a name with letters outside ASCII (RFC 5891, by UTS 46).
Result<std::string> ascii_name(std::string name) {
    constexpr std::size_t kLongest = 4 * kMaxText;  // bytes of UTF-8
    const auto is_ascii = [](char c) { return static_cast<unsigned char>(c) < 0x80; };
    if (name.size() > kLongest || std::all_of(name.begin(), name.end(), is_ascii) ||
        name.find('\0') != std::string::npos)
        return {boost::system::in_place_value, std::move(name)};
    char* ascii = nullptr;
    const int failed =
        idn2_to_ascii_8z(name.c_str(), &ascii, IDN2_NFC_INPUT | IDN2_NONTRANSITIONAL);
    if (failed != IDN2_OK) {
        return Error{"the international name " + quoted(name) + " is not valid (" +
                     idn2_strerror(failed) + "): write it in UTF-8, or in its xn-- form"};
    }
    std::string out(ascii);
    idn2_free(ascii);
    return {boost::system::in_place_value, std::move(out)};
}

std::optional<Error> bad_name(std::string_view name) {
    if (name.size() > kMaxText) {
        return Error{"the name " + quoted(name) + " has " + std::to_string(name.size()) +
                     " characters: a name has at most " + std::to_string(kMaxText)};
    }
    if (name.starts_with("*.")) {
        return Error{"a wildcard in the rule " + quoted(name) + ": write " +
                     quoted("domain:" + std::string(name.substr(2))) +
                     ", which holds the name and everything below it"};
    }
    for (std::size_t start = 0; start <= name.size();) {
        const std::size_t end = std::min(name.find('.', start), name.size());
        if (end == start) {
            return Error{"an empty label in the name " + quoted(name) +
                         ": remove the dot at its start or one of two dots in a row"};
        }
        if (end - start > kMaxLabel) {
            return Error{"a label of " + std::to_string(end - start) + " characters in the name " +
                         quoted(name) + ": a label has at most " + std::to_string(kMaxLabel)};
        }
        start = end + 1;
    }
    return std::nullopt;
}

}  // namespace

Result<Rule> parse_rule(std::string_view text, RuleKind fallback) {
    text = trimmed(text);
    RuleKind kind = fallback;
    if (const auto colon = text.find(':'); colon != std::string_view::npos) {
        const std::string_view word = text.substr(0, colon);
        const auto* const known = std::find_if(kKindWords.begin(), kKindWords.end(),
                                               [&](const KindWord& p) { return p.word == word; });
        if (known != kKindWords.end()) {
            kind = known->kind;
            text = trimmed(text.substr(colon + 1));
        } else if (fallback != RuleKind::regexp) {
            return unknown_prefix(word);
        }
    }
    if (kind == RuleKind::regexp) {
        if (text.empty())
            return Error{"a regexp: without an expression: write one after the colon"};
        return Rule{kind, std::string(text)};
    }
    std::string name = lowered(text);
    if (name.ends_with('.')) name.pop_back();
    if (kind != RuleKind::keyword) {
        auto ascii = ascii_name(std::move(name));
        if (!ascii) return std::move(ascii).error();
        name = *std::move(ascii);
    }
    if (name.empty()) return Error{"a rule without a name: write a name, or remove the rule"};
    if (auto error = bad_byte(name, kind)) return *std::move(error);
    if (kind == RuleKind::keyword) {
        if (name.size() > kMaxText) return *bad_name(name);
    } else if (auto error = bad_name(name)) {
        return *std::move(error);
    }
    return Rule{kind, std::move(name)};
}

}  // namespace steer::matchers
