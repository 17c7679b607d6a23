#include "matchers/name_values.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <utility>

#include "matchers/domain/levels.h"
#include "matchers/name_text.h"

namespace steer::matchers {
namespace {

// The wire form of a name from parse_rule(), with the root byte.
std::string wire_of(std::string_view text) {
    return wire_of_name(text) + '\0';
}

std::span<const std::uint8_t> bytes_of(const std::string& wire) {
    return {reinterpret_cast<const std::uint8_t*>(wire.data()), wire.size()};
}

// Offsets of a name's labels; the last is the top-level domain's.
struct Labels {
    explicit Labels(std::span<const std::uint8_t> name) noexcept {
        for (std::size_t at = 0; name[at] != 0 && count < kMaxLevels; at += name[at] + 1U)
            starts[count++] = static_cast<std::uint8_t>(at);
    }
    std::array<std::uint8_t, kMaxLevels> starts;
    std::size_t count = 0;
};

std::uint64_t hash_of(const LabelHash& hash, std::span<const std::uint8_t> name) {
    const Labels labels(name);
    std::uint64_t h = hash.seed;
    for (std::size_t l = labels.count; l-- > 0;)
        h = hash.down(h, &name[labels.starts[l] + 1U], name[labels.starts[l]]);
    return h;
}

}  // namespace

template <class Visit>
void NameValues::for_each_node(std::span<const std::uint8_t> wire_name,
                               Visit&& visit) const noexcept {
    if (nodes_.empty()) return;
    const Labels labels(wire_name);
    std::uint64_t hash = hash_.seed;
    for (std::size_t l = labels.count; l-- > 0;) {
        const std::size_t at = labels.starts[l];
        hash = hash_.down(hash, &wire_name[at + 1], wire_name[at]);
        if (const Node* const node = node_of(hash, wire_name.subspan(at))) visit(*node, l == 0);
    }
}

std::uint32_t NameValues::find(std::span<const std::uint8_t> wire_name,
                               NameMatcher::Scratch& scratch) const noexcept {
    if (!in_order_.empty()) return find_first(wire_name, scratch);
    std::uint32_t exact = kNone, longest = kNone;
    for_each_node(wire_name, [&](const Node& node, bool is_whole) {
        if (is_whole) exact = node.full;
        if (node.domain != kNone) longest = node.domain;
    });
    if (exact != kNone) return exact;
    if (longest != kNone || patterns_ == nullptr) return longest;
    const TagBits found = patterns_->match(wire_name, scratch);
    for (std::size_t w = 0; w < found.words.size(); ++w) {
        if (found.words[w] != 0)
            return pattern_values_[w * 64 +
                                   static_cast<unsigned>(std::countr_zero(found.words[w]))];
    }
    return kNone;
}

std::uint32_t NameValues::find_first(std::span<const std::uint8_t> wire_name,
                                     NameMatcher::Scratch& scratch) const noexcept {
    std::uint32_t first = kNone;  // the largest number
    for_each_node(wire_name, [&](const Node& node, bool is_whole) {
        first = std::min(first, is_whole ? std::min(node.full, node.domain) : node.domain);
    });
    if (patterns_ != nullptr) {
        const TagBits found = patterns_->match(wire_name, scratch);
        for (std::size_t set = 0; set < pattern_values_.size(); ++set) {
            if (found.test(static_cast<SetId>(set))) first = std::min(first, pattern_values_[set]);
        }
    }
    return first == kNone ? kNone : in_order_[first];
}

Result<void> NameValues::prepare(NameMatcher::Scratch& scratch) const {
    if (patterns_ == nullptr) return {};
    return patterns_->prepare(scratch);
}

const NameValues::Node* NameValues::node_of(std::uint64_t hash,
                                            std::span<const std::uint8_t> name) const noexcept {
    const std::size_t mask = slots_.size() - 1;
    for (std::size_t at = hash & mask; slots_[at] != kNone; at = (at + 1) & mask) {
        const Node& node = nodes_[slots_[at]];
        const std::uint8_t* const known = &names_[node.name_offset];
        if (names_.size() - node.name_offset >= name.size() &&
            std::memcmp(known, name.data(), name.size()) == 0)
            return &node;
    }
    return nullptr;
}

void NameValuesBuilder::add(const Rule& rule, std::uint32_t value, std::string_view file,
                            int line) {
    if (by_order()) {
        in_order_.push_back(value);
        value = static_cast<std::uint32_t>(in_order_.size() - 1);
    }
    if (rule.kind == RuleKind::full || rule.kind == RuleKind::domain) {
        Named& named = names_[wire_of(rule.text)];
        std::uint32_t& known = rule.kind == RuleKind::full ? named.full : named.domain;
        if (!by_order() || known == NameValues::kNone) known = value;
        return;
    }
    const auto same = std::find_if(patterns_.begin(), patterns_.end(), [&](const Pattern& p) {
        return p.rule.kind == rule.kind && p.rule.text == rule.text;
    });
    if (same != patterns_.end()) {
        if (!by_order()) same->value = value;
    } else {
        patterns_.push_back({rule, value, std::string(file), line});
    }
}

NameValues NameValuesBuilder::build(std::vector<Error>& errors) {
    NameValues out;
    add_patterns(out, errors);
    add_names(out);
    out.in_order_ = std::move(in_order_);
    names_.clear();
    patterns_.clear();
    in_order_.clear();
    return out;
}

// Consecutive patterns with the same value are one set of the matcher, which allows more patterns. With Wins::first the
// set has the number of its first pattern, so no other rule may come in between.
void NameValuesBuilder::add_patterns(NameValues& out, std::vector<Error>& errors) {
    if (patterns_.empty()) return;
    if (!by_order()) {
        std::stable_partition(patterns_.begin(), patterns_.end(),
                              [](const Pattern& p) { return p.rule.kind == RuleKind::regexp; });
    }
    NameMatcherBuilder builder;
    std::uint32_t before = NameValues::kNone;
    const auto goes_on = [&](std::uint32_t value) {
        if (!by_order()) return before == value;
        return before != NameValues::kNone && before + 1 == value &&
               in_order_[before] == in_order_[value];
    };
    for (const Pattern& p : patterns_) {
        if (!goes_on(std::exchange(before, p.value))) {
            if (out.pattern_values_.size() == kMaxSets) {
                errors.push_back({"more than " + std::to_string(kMaxSets) +
                                      " different values of regexp and keyword rules: write "
                                      "rules with the same value one after the other, or domain:",
                                  p.file, p.line});
                return;
            }
            out.pattern_values_.push_back(p.value);
        }
        builder.add(static_cast<SetId>(out.pattern_values_.size() - 1), p.rule, p.file, p.line);
    }
    std::vector<Error> warnings;  // of patterns without a literal: not needed here
    out.patterns_ = builder.build(errors, warnings);
}

void NameValuesBuilder::add_names(NameValues& out) {
    if (names_.empty()) return;
    out.hash_ = new_label_hash();
    out.slots_.assign(std::bit_ceil(names_.size() * 2), NameValues::kNone);
    const std::size_t mask = out.slots_.size() - 1;
    for (const auto& [wire, named] : names_) {
        std::size_t at = hash_of(out.hash_, bytes_of(wire)) & mask;
        while (out.slots_[at] != NameValues::kNone)
            at = (at + 1) & mask;
        out.slots_[at] = static_cast<std::uint32_t>(out.nodes_.size());
        out.nodes_.push_back(
            {static_cast<std::uint32_t>(out.names_.size()), named.full, named.domain});
        out.names_.insert(out.names_.end(), wire.begin(), wire.end());
    }
}

}  // namespace steer::matchers
