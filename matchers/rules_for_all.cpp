#include "matchers/rules_for_all.h"

#include <algorithm>
#include <array>
#include <cstdint>
#include <string>
#include <utility>

#include "matchers/name_text.h"
#include "matchers/pattern/literal.h"

namespace steer::matchers {
namespace {

constexpr std::size_t kLongest = 64;      // a regexp for all names is short
constexpr std::size_t kMaxTried = 2'048;  // of one list
// Names without a letter, a digit, a sign or a length in common.
constexpr std::array<std::string_view, 6> kNames{"x7-q.zz.example", "9.test-k.org",    "_b.wvu.ly",
                                                 "kfj3.pm",         "a1.b2.c3.d4.net", "yuwu.hm"};

std::vector<std::string> wire_names() {
    std::vector<std::string> out;
    for (const std::string_view name : kNames)
        out.push_back(wire_of_name(name) + '\0');
    return out;
}

// Adds those of `some` (indexes of regexps) that match each name. False: one of them cannot be compiled.
bool add_covering(std::span<const Rule* const> rules, std::span<const std::size_t> some,
                  std::vector<std::size_t>& out) {
    NameMatcherBuilder builder;
    for (std::size_t i = 0; i < some.size(); ++i)
        builder.add(static_cast<SetId>(i), *rules[some[i]]);
    std::vector<Error> errors, warnings;
    const auto image = builder.build(errors, warnings);
    NameMatcher::Scratch scratch;
    if (image == nullptr || !image->prepare(scratch)) return false;
    TagBits all;
    all.words.fill(~std::uint64_t{0});
    for (const std::string& wire : wire_names()) {
        const TagBits found = image->match(
            {reinterpret_cast<const std::uint8_t*>(wire.data()), wire.size()}, scratch);
        for (std::size_t w = 0; w < all.words.size(); ++w)
            all.words[w] &= found.words[w];
    }
    for (std::size_t i = 0; i < some.size(); ++i) {
        if (all.test(static_cast<SetId>(i))) out.push_back(some[i]);
    }
    return true;
}

}  // namespace

std::vector<std::size_t> rules_for_all(std::span<const Rule* const> rules) {
    std::vector<std::size_t> unsure;
    for (std::size_t i = 0; i < rules.size() && unsure.size() < kMaxTried; ++i) {
        const Rule& rule = *rules[i];
        // A dot is a literal that nearly every name has.
        if (rule.kind == RuleKind::regexp && rule.text.size() <= kLongest &&
            shortest_literal(rule.text) < kUsefulLiteral)
            unsure.push_back(i);
    }
    std::vector<std::size_t> out;
    for (std::size_t at = 0; at < unsure.size(); at += kMaxSets) {
        const std::span some =
            std::span(unsure).subspan(at, std::min(kMaxSets, unsure.size() - at));
        if (add_covering(rules, some, out)) continue;
        for (std::size_t i = 0; i < some.size(); ++i)
            add_covering(rules, some.subspan(i, 1), out);
    }
    return out;
}

}  // namespace steer::matchers
