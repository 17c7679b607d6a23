// How much plain text every match of a regexp must contain: what a scanner can look for before it
// tries the expression itself. For a warning, so it may guess low, never high.
#pragma once

#include <cstddef>
#include <string_view>

namespace steer::matchers {

// Below this the scanner has nothing to look for and tries the expression on every name.
inline constexpr std::size_t kUsefulLiteral = 2;

// The length of the longest run of plain characters that is in every match: of a sequence the best
// part, of alternatives the worst one, of what may be left out nothing. `expression` compiles.
std::size_t shortest_literal(std::string_view expression);

}  // namespace steer::matchers
