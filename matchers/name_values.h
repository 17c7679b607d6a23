// Rules with one value each. Finds the rule for a name. Immutable; any number of threads, each with
// its own Scratch.
//
// If several rules match, Wins decides. closest: `full:` before `domain:` (the longest), before
// `regexp:`, before `keyword:`; among regexps and among keywords the first one. A repeated rule has
// its last value. first: the first added rule of any kind. Cost: one hash per level of the name.
// Keyword and regexp rules use a separate NameMatcher. find() does not allocate.
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

    // `wire_name`: as for NameMatcher::match(). `scratch` must be prepared for this object.
    [[nodiscard]] std::uint32_t find(std::span<const std::uint8_t> wire_name,
                                     NameMatcher::Scratch& scratch) const noexcept;
    Result<void> prepare(NameMatcher::Scratch& scratch) const;
    // The number of names and patterns.
    [[nodiscard]] std::size_t size() const {
        return nodes_.size() + (patterns_ == nullptr ? 0 : patterns_->rules());
    }

  private:
    friend class NameValuesBuilder;
    struct Node {
        std::uint32_t name_offset;  // offset in names_: wire form with the root byte
        std::uint32_t full, domain;
    };
    // Calls visit(node, whether it belongs to the whole name) for each node at or above the name,
    // from the root down.
    template <class Visit>
    void for_each_node(std::span<const std::uint8_t> wire_name, Visit&& visit) const noexcept;
    [[nodiscard]] std::uint32_t find_first(std::span<const std::uint8_t> wire_name,
                                           NameMatcher::Scratch& scratch) const noexcept;
    [[nodiscard]] const Node* node_of(std::uint64_t hash,
                                      std::span<const std::uint8_t> name) const noexcept;

    LabelHash hash_;
    std::vector<std::uint32_t> slots_;  // index in nodes_, by hash, linear probing; kNone: empty
    std::vector<Node> nodes_;
    std::vector<std::uint8_t> names_;
    std::unique_ptr<NameMatcher> patterns_;
    std::vector<std::uint32_t> pattern_values_;  // index i: the pattern in set i
    // Wins::first: the value of rule number i (the tables above then have rule numbers); else
    // empty.
    std::vector<std::uint32_t> in_order_;
};

// Set-up only: allocates.
class NameValuesBuilder {
  public:
    explicit NameValuesBuilder(NameValues::Wins wins = NameValues::Wins::closest) : wins_(wins) {}

    // `value`: any except kNone. `file` and `line` are for errors in a regexp.
    void add(const Rule& rule, std::uint32_t value, std::string_view file = {}, int line = 0);

    // Every bad rule becomes one Error in `errors`. Leaves the builder empty.
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
