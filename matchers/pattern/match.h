// Finds the keyword and regexp rules that match a name: one scan, unless the filter excludes a
// match. No allocation.
//
// Rules see the lower-cased name as text, with dots between the labels and none at the end. The
// root is the empty text. A dot or a line feed inside a label (legal on the wire, RFC 2181 11) is a
// NUL in the text. So `\.` and `$` do not match it, and no keyword can contain it. `.` and `[^.]`
// match it as one character.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string_view>

#include "matchers/pattern/image.h"

namespace steer::matchers {

using NameText = std::array<char, 256>;

// Writes the text of a valid lower-cased wire name to `room`.
std::string_view name_text(std::span<const std::uint8_t> wire_name, NameText& room) noexcept;

// Adds to `tags` the sets with a matching pattern. Skips the scan if `tags` has all such sets.
// `scratch` must be allocated for this database.
void scan(const PatternImage& image, std::span<const std::uint8_t> wire_name, hs_scratch* scratch,
          TagBits& tags) noexcept;

}  // namespace steer::matchers
