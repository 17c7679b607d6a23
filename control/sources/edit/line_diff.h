// What changes between two texts, line by line.
#pragma once

#include <string>
#include <string_view>
#include <vector>

namespace steer::edit {

struct DiffLine {
    char kind;  // ' ': in both, '-': only before, '+': only after
    std::string_view text;
    bool operator==(const DiffLine&) const = default;
};

// All lines of both texts, in order. Long texts that differ much are shown as removed and added.
// The lines are parts of the texts.
std::vector<DiffLine> diff_lines(std::string_view before, std::string_view after);

}  // namespace steer::edit
