// The plain text that every match of a regexp must contain: what can be looked for before the expression itself is
// tried. It may guess low, never high.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace steer::matchers {

// Below this the scanner has nothing to look for and tries the expression on every name.
inline constexpr std::size_t kUsefulLiteral = 2;

// The length of the longest run of plain characters that is in every match: of a sequence the best
// part, of alternatives the worst one, of what may be left out nothing. `expression` compiles.
std::size_t shortest_literal(std::string_view expression);

// Texts, lower-cased, of which every match holds at least one; none: nothing is known. Stricter than the above: an
// expression with a spelling that has another meaning elsewhere says nothing.
std::vector<std::string> required_literals(std::string_view expression);

}  // namespace steer::matchers
