// Finds the full and domain rules for names: one walk a name, one lookup per level with rules,
// deepest first.
//
// Does not allocate. The names of a call go side by side, each step after a prefetch: the filter's
// words of all levels, then buckets, then nodes. The number of lookups is at most the number of
// labels of the deepest rule.
#pragma once

#include <cstdint>
#include <span>

#include "matchers/domain/image.h"

namespace steer::matchers {

// `names`: valid lower-cased wire form with the root byte. `found`: one for each name.
void find_tags(const SuffixImage& image, std::span<const WireName> names,
               std::span<const TagBits*> found) noexcept;
const TagBits& find_tags(const SuffixImage& image, WireName name) noexcept;

// The node with this hash of a name (without the root byte); nullptr if there is none. The image
// must not be empty.
const std::uint8_t* find_node(const SuffixImage& image, std::uint64_t hash,
                              std::span<const std::uint8_t> name) noexcept;

}  // namespace steer::matchers
