// parse_rule: the text of one rule, as configurations and rule files write it.
#include <algorithm>
#include <array>
#include <cstddef>
#include <optional>

#include "matchers/name_matcher.h"
#include "matchers/name_text.h"
#include "matchers/quote.h"
#include "matchers/text.h"

namespace steer::matchers {
namespace {

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
    ForeignWord{"payload", "read the file with 'format: clash'"},
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

// A prefix, not a part of a name: "geosite:", and not "www.example.org:".
bool is_prefix(std::string_view word) {
    return !word.empty() && std::ranges::all_of(word, [](char c) {
        return is_letter(c) || is_digit(c) || c == '-' || c == '_';
    });
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
        } else if (auto error = address_for_name(text, false);
                   error && fallback != RuleKind::regexp) {
            return *std::move(error);
        } else if (fallback != RuleKind::regexp && is_prefix(word)) {
            return unknown_prefix(word);
        }
    }
    if (kind == RuleKind::regexp) {
        if (text.empty())
            return Error{"a regexp: without an expression: write one after the colon"};
        return Rule{kind, std::string(text)};
    }
    auto name = kind == RuleKind::keyword ? parse_keyword(text) : parse_name(text);
    if (!name) return std::move(name).error();
    return Rule{kind, *std::move(name)};
}

}  // namespace steer::matchers
