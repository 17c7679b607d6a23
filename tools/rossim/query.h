// The `?` words of a print: a small stack machine over the printed form of a row's properties.
//
// `?name`, `?-name`, `?name=value`, `?=name=value`, `?<name=value`, `?>name=value` push a truth
// value. `?#ops` works on the stack: a digit string copies that element, and at the end of the word
// replaces the stack by it; `!`, `&`, `|` are operators; `.` copies the top. A row matches if all
// remaining values are true. Less and greater compare numbers as numbers, other values as text.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace rossim {

// The properties of a row that a query can test.
class Properties {
  public:
    virtual ~Properties() = default;
    // Returns the printed value, stored in the row or in `scratch`; nothing if the row lacks the
    // property.
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
        std::string name;  // of operations: the letters
        std::string value;
    };

    static Term parse_term(std::string_view word);
    static bool holds(const Term& term, const Properties& row);

    std::vector<Term> terms_;
};

}  // namespace rossim
