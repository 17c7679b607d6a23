// The lines of a list's rules by their names, for records of what the list blocked.
//
// Has rules of names: a name that only a keyword or a regular expression matches has no line here.
// Immutable; any number of threads. About 60 bytes per rule.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "matchers/name_values.h"

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
    struct Place {
        std::uint32_t line;
        std::uint8_t labels;  // of the rule's name
        bool is_full;
    };
    [[nodiscard]] Line line_of(const Place& place, std::string_view name) const;

    NameValues names_, below_;  // values: indexes of places_
    std::vector<Place> places_;
    bool is_zone_ = false;
};

// Set-up only: allocates.
class ListLinesBuilder {
  public:
    // `is_zone`: a domain rule does not cover its own name.
    explicit ListLinesBuilder(bool is_zone) { out_.is_zone_ = is_zone; }
    // Ignores keywords and regular expressions.
    void add(const Rule& rule, int line);
    ListLines build() &&;

  private:
    ListLines out_;
    NameValuesBuilder names_, below_;
};

}  // namespace steer::matchers
