// Seeded damage to packets and messages: what a hostile or broken peer might send. The same seed gives the same
// bytes, so a failure names the seed and is repeated by it.
//
//   Random random{seed};
//   Bytes bad = message;
//   mutate(bad, random);
#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "support/random.h"

namespace steer::test {

namespace mutation {

using Bytes = std::vector<std::uint8_t>;

// Bytes that mean something to a parser of DNS, IP or UDP: ends, label limits, pointers, signs, the root.
inline constexpr std::array<std::uint8_t, 12> kTelling{0x00, 0x01, 0x0c, 0x29, 0x3f, 0x40,
                                                       0x7f, 0x80, 0xc0, 0xc1, 0xfe, 0xff};

inline std::ptrdiff_t place(const Bytes& b, Random& random) {
    return static_cast<std::ptrdiff_t>(random.below(static_cast<std::uint32_t>(b.size())));
}

inline void one_edit(Bytes& b, Random& random) {
    const std::ptrdiff_t at = place(b, random);
    std::uint8_t& byte = b[static_cast<std::size_t>(at)];
    switch (random.below(8)) {
        case 0:
            byte = static_cast<std::uint8_t>(random());
            break;
        case 1:
            byte = static_cast<std::uint8_t>(byte ^ 1U << random.below(8));
            break;
        case 2:
            byte = kTelling[random.below(kTelling.size())];
            break;
        case 3:  // a count or a length, one more or one less
            byte = static_cast<std::uint8_t>(byte + (random.below(2) == 0 ? 1 : 255));
            break;
        case 4:
            b.insert(b.begin() + at, kTelling[random.below(kTelling.size())]);
            break;
        case 5:
            b.erase(b.begin() + at);
            break;
        case 6:  // cut off
            b.resize(static_cast<std::size_t>(at));
            break;
        default: {  // a piece of itself, elsewhere
            const std::ptrdiff_t from = place(b, random);
            const auto length = std::min<std::ptrdiff_t>(
                random.below(16), static_cast<std::ptrdiff_t>(b.size()) - std::max(at, from));
            const Bytes piece(b.begin() + from, b.begin() + from + length);
            std::copy(piece.begin(), piece.end(), b.begin() + at);
        }
    }
}

}  // namespace mutation

// One to `most` edits anywhere in `bytes`, which may become empty.
inline void mutate(std::vector<std::uint8_t>& bytes, Random& random, unsigned most = 4) {
    for (unsigned left = 1 + random.below(most); left > 0 && !bytes.empty(); --left) {
        mutation::one_edit(bytes, random);
    }
}

}  // namespace steer::test
