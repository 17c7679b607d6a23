// Rules that each stand for a value: which one holds for a name. Immutable; any number of threads, each with a Scratch of
// its own.
//
// Which of several, Wins says. closest: `full:` goes before `domain:` (the longest), that before `regexp:`, that before
// `keyword:`; of regexps and of keywords the first that was written. A rule that is there twice has its last value.
// first: the one that was added first, of whatever kind.
// One hash of every level of the name; keyword and regexp rules are a NameMatcher of their own. No allocation in find().
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "matchers/domain/label_hash.h"
#include "matchers/name_matcher.h"

namespace steer::matchers {

class NameValues {
  public:
    static constexpr std::uint32_t kNone = UINT32_MAX;

    enum class Wins : std::uint8_t { closest, first };

    // `wire_name`: as NameMatcher::match() takes it. `scratch` was prepared for this.
    [[nodiscard]] std::uint32_t find(std::span<const std::uint8_t> wire_name,
                                     NameMatcher::Scratch& scratch) const noexcept;
    Result<void> prepare(NameMatcher::Scratch& scratch) const;
    // Names and patterns.
    [[nodiscard]] std::size_t size() const {
        return nodes_.size() + (patterns_ == nullptr ? 0 : patterns_->rules());
    }

  private:
    friend class NameValuesBuilder;
    struct Node {
        std::uint32_t name_offset;  // in names_: wire form with the root byte
        std::uint32_t full, domain;
    };
    // Calls visit(node, whether it is the whole name's) for each that the name is, or is below, from the root down.
    template <class Visit>
    void for_each_node(std::span<const std::uint8_t> wire_name, Visit&& visit) const noexcept;
    [[nodiscard]] std::uint32_t find_first(std::span<const std::uint8_t> wire_name,
                                           NameMatcher::Scratch& scratch) const noexcept;
    [[nodiscard]] const Node* node_of(std::uint64_t hash,
                                      std::span<const std::uint8_t> name) const noexcept;

    LabelHash hash_;
    std::vector<std::uint32_t> slots_;  // of nodes_ by hash, linear probing; kNone: empty
    std::vector<Node> nodes_;
    std::vector<std::uint8_t> names_;
    std::unique_ptr<NameMatcher> patterns_;
    std::vector<std::uint32_t> pattern_values_;  // of the pattern that is its set i
    // Wins::first: of the rule that was added as number i, which stands for it above; else empty.
    std::vector<std::uint32_t> in_order_;
};

// Set-up only: allocates.
class NameValuesBuilder {
  public:
    explicit NameValuesBuilder(NameValues::Wins wins = NameValues::Wins::closest) : wins_(wins) {}

    // `value`: any but kNone. `file` and `line` are named if a regexp turns out to be bad.
    void add(const Rule& rule, std::uint32_t value, std::string_view file = {}, int line = 0);

    // Every bad rule is one Error in `errors`. Leaves the builder empty.
    NameValues build(std::vector<Error>& errors);

  private:
    struct Named {
        std::uint32_t full = NameValues::kNone, domain = NameValues::kNone;
    };
    struct Pattern {
        Rule rule;
        std::uint32_t value;
        std::string file;
        int line;
    };

    [[nodiscard]] bool by_order() const { return wins_ == NameValues::Wins::first; }
    void add_patterns(NameValues& out, std::vector<Error>& errors);
    void add_names(NameValues& out);

    std::map<std::string, Named> names_;  // by wire form
    std::vector<Pattern> patterns_;
    NameValues::Wins wins_;
    std::vector<std::uint32_t> in_order_;
};

}  // namespace steer::matchers
