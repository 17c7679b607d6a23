// memcmp() == 0 without a call, for the short byte strings of DNS. Reads only the bytes of the two
// strings.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

namespace steer {

// Compares word by word; the last word may overlap the previous one.
template <class Word>
bool same_words(const std::uint8_t* a, const std::uint8_t* b, std::size_t n) {
    const auto differ = [&](std::size_t at) {
        Word x, y;
        std::memcpy(&x, a + at, sizeof x);
        std::memcpy(&y, b + at, sizeof y);
        return x ^ y;
    };
    Word difference = differ(n - sizeof(Word));
    for (std::size_t at = 0; at + sizeof(Word) < n; at += sizeof(Word))
        difference |= differ(at);
    if constexpr (sizeof(Word) > 8) {
        return (difference[0] | difference[1]) == 0;
    } else {
        return difference == 0;
    }
}

[[gnu::always_inline]] inline bool same_bytes(const std::uint8_t* a, const std::uint8_t* b,
                                              std::size_t n) {
    using Pair = std::uint64_t __attribute__((vector_size(16)));
    if (n >= sizeof(Pair)) return same_words<Pair>(a, b, n);
    return n >= 8 ? same_words<std::uint64_t>(a, b, n) : std::memcmp(a, b, n) == 0;
}

}  // namespace steer
