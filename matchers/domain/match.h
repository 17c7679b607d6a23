// Which full and domain rules hold a name: one walk, one look-up a level that has rules, deepest first.
//
// No allocation. The buckets of all levels are asked for at once; a hit costs one more line of memory. A name of 127
// labels costs no more look-ups than the deepest rule has labels.
#pragma once

#include <cstdint>
#include <span>

#include "matchers/domain/image.h"

namespace steer::matchers {

// `wire_name`: valid lower-cased wire form with the root byte.
const TagBits& find_tags(const SuffixImage& image,
                         std::span<const std::uint8_t> wire_name) noexcept;

// The node of a name (without the root byte) with this hash; nullptr: there is none. The image is not empty.
const std::uint8_t* find_node(const SuffixImage& image, std::uint64_t hash,
                              std::span<const std::uint8_t> name) noexcept;

}  // namespace steer::matchers
