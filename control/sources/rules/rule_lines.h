// The lines of a rule file, read one after the other: only one is in memory. Blocks.
#pragma once

#include <cstdint>
#include <fstream>
#include <optional>
#include <string>
#include <string_view>

#include "matchers/name_matcher.h"
#include "matchers/result.h"

namespace steer::rules {

class RuleLines {
  public:
    struct Line {
        std::string_view bytes;  // as in the file, valid until the next call
        std::uint64_t at = 0;    // of its first byte
        int number = 0;
    };

    // Error: the reason alone. A file in UTF-16 has no lines.
    static Result<RuleLines> open(const std::string& file);

    std::optional<Line> next();
    // The next line is the one at this place, which has this number.
    void go_to(std::uint64_t at, int number);

  private:
    explicit RuleLines(std::ifstream in) : in_(std::move(in)) {}

    std::ifstream in_;
    std::string line_;
    std::uint64_t at_ = 0;
    int number_ = 0;
    bool is_over_ = false;
};

// The rule of a line.
struct LineRule {
    matchers::Rule rule;
    std::string text;  // as written, without a comment
};
// No value: it has none, or a bad one. As matchers::read_rules().
std::optional<LineRule> rule_of(std::string_view line);

}  // namespace steer::rules
