// The lines of a list's rules by their names, for records of what the list decided.
//
// Has rules of names: a name that only a keyword or a regular expression matches has no line here.
// Immutable; any number of threads. 12 bytes per rule: sorted entries of a keyed 64-bit hash of the
// name and the line. Names are compared by the hash alone: a line is false with a chance of 2^-64
// per rule and level.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "matchers/domain/label_hash.h"
#include "matchers/name_matcher.h"

namespace steer::matchers {

class ListLines {
  public:
    struct Line {
        int number = 0;
        std::string rule;  // "full:a.example", "domain:example"; of a zone "a.example", "*.example"
    };
    // The rule for the name: an exact one, else that of the longest name; of equal rules, the last
    // one. `name`: in presentation form and lower case, without a last dot. Allocates.
    [[nodiscard]] std::optional<Line> find(std::string_view name) const;

  private:
    friend class ListLinesBuilder;
    using Entry = std::array<std::uint32_t, 3>;  // the hash's high and low half, the line

    LabelHash hash_;
    std::vector<Entry> full_, domain_;
    std::size_t most_labels_ = 0;  // of a domain rule
    bool is_zone_ = false;
};

// Set-up only: allocates.
class ListLinesBuilder {
  public:
    // `is_zone`: a domain rule does not cover its own name.
    explicit ListLinesBuilder(bool is_zone);
    // Ignores keywords and regular expressions.
    void add(const Rule& rule, int line);
    // nullptr: it has no rule.
    std::shared_ptr<const ListLines> build() &&;

  private:
    ListLines out_;
};

}  // namespace steer::matchers
