// Finds the full and domain rules for a name: one walk, one lookup per level with rules, deepest
// first.
//
// Does not allocate. Prefetches the buckets of all levels; a hit costs one more cache line. The
// number of lookups is at most the number of labels of the deepest rule.
#pragma once

#include <cstdint>
#include <span>

#include "matchers/domain/image.h"

namespace steer::matchers {

// `wire_name`: valid lower-cased wire form with the root byte.
const TagBits& find_tags(const SuffixImage& image,
                         std::span<const std::uint8_t> wire_name) noexcept;

// The node with this hash of a name (without the root byte); nullptr if there is none. The image
// must not be empty.
const std::uint8_t* find_node(const SuffixImage& image, std::uint64_t hash,
                              std::span<const std::uint8_t> name) noexcept;

}  // namespace steer::matchers
