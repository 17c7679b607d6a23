// The literal text that every match of a regexp must contain. It is searched before the expression
// is tried. The result may be too short, never too long.
#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

namespace steer::matchers {

// The scanner cannot search for a shorter literal, and tries the expression on every name.
inline constexpr std::size_t kUsefulLiteral = 2;

// The length of the longest literal run in every match. A sequence has the length of its best part,
// alternatives that of the worst one, optional parts zero. `expression` must compile.
std::size_t shortest_literal(std::string_view expression);

// Lower-cased texts; every match contains at least one of them. Empty: unknown. Stricter than the
// function above. Only an expression that the parser fully understands (literal.cpp, Walk) gives
// texts.
std::vector<std::string> required_literals(std::string_view expression);

}  // namespace steer::matchers
