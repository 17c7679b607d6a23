// The mixing step of hashes in the wyhash family (Wang Yi): both halves of a product of two words.
//
// A factor of 0 forgets the other one. So each factor needs a secret word if others choose the key.
// Pure. Cost: one multiplication.
#pragma once

#include <cstdint>
#include <type_traits>

namespace steer::matchers {

constexpr std::uint64_t fold_product(std::uint64_t a, std::uint64_t b) noexcept {
#ifdef __x86_64__
    // GCC 12 often moves the halves of a wide product through the stack.
    if (!std::is_constant_evaluated()) {
        std::uint64_t low = a, high;
        __asm__("mulq %2" : "+a"(low), "=&d"(high) : "rm"(b) : "cc");
        return low ^ high;
    }
#endif
    __extension__ using Wide = unsigned __int128;
    const Wide product = static_cast<Wide>(a) * b;
    return static_cast<std::uint64_t>(product) ^ static_cast<std::uint64_t>(product >> 64);
}

}  // namespace steer::matchers
