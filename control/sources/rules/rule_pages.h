// Reads a rule file and the origins of its rules without holding them in memory: pages of its rules
// for `rules.list`, and their numbers for `rules`. Blocks.
//
// A cursor names the last line of the page before: its place in the file, its number, and a hash of
// its bytes. Others may change the file between two pages. Lines that stay keep their order, so the
// next page begins behind that line wherever it is now. If it was removed, the cursor has lost its
// place.
#pragma once

#include <boost/json/array.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "control/api/rpc/piece.h"
#include "matchers/result.h"

namespace steer::rules {

struct RuleCursor {
    std::uint64_t at = 0;    // of the line's first byte
    std::uint64_t hash = 0;  // of the line
    int line = 0;            // its number; 0: before the first line

    [[nodiscard]] ops::Cursor to_cursor() const;
    // No value: not a cursor.
    static std::optional<RuleCursor> from(std::string_view text);
};

struct RulePage {
    boost::json::array rules;  // {"rule", "line", "learned_s"?}
    std::optional<RuleCursor> next;
    bool has_lost_place = false;
};

// Origins that cannot be read are left out.
Result<RulePage> read_rule_page(const std::string& file, const std::string& origins_file,
                                const RuleCursor& after, std::size_t most_rows);

struct RuleCount {
    std::uint64_t rules = 0, learned = 0;
    std::string origins_error;  // empty: they are counted
};
Result<RuleCount> count_rules(const std::string& file, const std::string& origins_file);

}  // namespace steer::rules
