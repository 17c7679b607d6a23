// The `?` words of a print: a small stack machine over the printed form of a row's properties.
//
// `?name`, `?-name`, `?name=value`, `?=name=value`, `?<name=value`, `?>name=value` push a truth
// value; `?#ops` works on the stack (a digit string copies that element, at the end of the word it
// replaces all; `!`, `&`, `|`; `.` copies the top). A row matches if all that is left is true. Less
// and greater compare numbers as numbers, other values as text.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace rossim {

// What a query asks of a row.
class Properties {
  public:
    virtual ~Properties() = default;
    // The printed value, kept alive by the row or by `scratch`; none: the row has no such property.
    virtual std::optional<std::string_view> property(std::string_view name,
                                                     std::string& scratch) const = 0;
};

class Query {
  public:
    Query() = default;
    explicit Query(const std::vector<std::string>& words);

    bool matches(const Properties& row) const;
    bool empty() const { return terms_.empty(); }

  private:
    enum class Kind : std::uint8_t { has, lacks, equal, less, greater, operations };
    struct Term {
        Kind kind;
        std::string name;  // operations: the letters
        std::string value;
    };

    static Term parse_term(std::string_view word);
    static bool holds(const Term& term, const Properties& row);

    std::vector<Term> terms_;
};

}  // namespace rossim
