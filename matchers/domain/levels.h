// The keyed hashes of a name's levels, for builders of tables. Set-up only.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <random>
#include <span>

#include "matchers/domain/label_hash.h"
#include "matchers/name_matcher.h"

namespace steer::matchers {

// With a random key.
inline LabelHash new_label_hash() {
    std::random_device device;
    const auto word = [&] { return std::uint64_t{device()} << 32 | device(); };
    LabelHash hash;
    hash.seed = word();
    hash.secret = word() | 1;
    return hash;
}

// The hashes of every level of a name; [0] is the root's, [size - 1] the name's own.
// `name`: in wire form without the root byte.
struct NameLevels {
    NameLevels(const LabelHash& hash, std::span<const std::uint8_t> name) {
        std::array<std::size_t, kMaxLevels> label_at;
        std::size_t labels = 0;
        for (std::size_t at = 0; at < name.size(); at += std::size_t{name[at]} + 1) {
            label_at[labels++] = at;
        }
        hash_of[0] = hash.seed;
        for (; depth < labels; ++depth) {
            const std::uint8_t* const label = &name[label_at[labels - 1 - depth]];
            hash_of[depth + 1] = hash.down(hash_of[depth], label + 1, *label);
            starts[labels - 1 - depth] = label_at[labels - 1 - depth];
        }
    }
    // The name's upper part of `level` labels.
    [[nodiscard]] std::span<const std::uint8_t> upper(std::span<const std::uint8_t> name,
                                                      std::size_t level) const {
        return name.subspan(starts[depth - level]);
    }

    std::array<std::uint64_t, kMaxLevels + 1> hash_of;
    std::array<std::size_t, kMaxLevels> starts;
    std::size_t depth = 0;
};

}  // namespace steer::matchers
