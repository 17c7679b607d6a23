// Finds the full and domain rules that hold for a name: one walk, one look-up per level with rules, deepest first.
//
// No allocation. The buckets of all levels are prefetched; a hit costs one more cache line. The number of look-ups is at
// most the number of labels of the deepest rule.
#pragma once

#include <cstdint>
#include <span>

#include "matchers/domain/image.h"

namespace steer::matchers {

// `wire_name`: valid lower-cased wire form with the root byte.
const TagBits& find_tags(const SuffixImage& image,
                         std::span<const std::uint8_t> wire_name) noexcept;

// The node of a name (without the root byte) with this hash; nullptr: none. The image is not empty.
const std::uint8_t* find_node(const SuffixImage& image, std::uint64_t hash,
                              std::span<const std::uint8_t> name) noexcept;

}  // namespace steer::matchers
