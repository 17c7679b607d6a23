// Which keyword and regexp rules hold a name: one scan, or a look at its pieces that says none. No allocation.
//
// What a rule sees: the lower-cased name as text, dots between the labels, none at the end; the
// root is the empty text. A dot or a line feed inside a label (legal on the wire, RFC 2181 11) is a
// NUL in the text: it is no border to `\.`, no end to `$`, and no keyword can hold it, while `.`
// and `[^.]` see one character.
#pragma once

#include <array>
#include <cstdint>
#include <span>
#include <string_view>

#include "matchers/pattern/image.h"

namespace steer::matchers {

using NameText = std::array<char, 256>;

// The text that rules see of a valid lower-cased wire name; it lies in `room`.
std::string_view name_text(std::span<const std::uint8_t> wire_name, NameText& room) noexcept;

// Adds to `tags` the sets whose patterns are found. Skipped if `tags` has them all. `scratch` was
// allocated for this database.
void scan(const PatternImage& image, std::span<const std::uint8_t> wire_name, hs_scratch* scratch,
          TagBits& tags) noexcept;

}  // namespace steer::matchers
