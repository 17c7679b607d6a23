// Rules with a value each, and the rule that holds for a name. Immutable; any number of threads, each with a Scratch of
// its own.
//
// If several rules match, Wins decides. closest: `full:` before `domain:` (the longest), before `regexp:`, before
// `keyword:`; among regexps and among keywords the first one. A duplicate rule has its last value.
// first: the rule that was added first, of any kind.
// One hash per level of the name; keyword and regexp rules are a NameMatcher of their own. No allocation in find().
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

    // `wire_name`: as for NameMatcher::match(). `scratch` was prepared for this object.
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
    // Calls visit(node, whether it is the whole name's) for each node at or above the name, from the root down.
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
    std::vector<std::uint32_t> pattern_values_;  // of the pattern in its set i
    // Wins::first: the value of rule number i (the table above then has rule numbers); else empty.
    std::vector<std::uint32_t> in_order_;
};

// Set-up only: allocates.
class NameValuesBuilder {
  public:
    explicit NameValuesBuilder(NameValues::Wins wins = NameValues::Wins::closest) : wins_(wins) {}

    // `value`: any except kNone. `file` and `line` are for errors in a regexp.
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
