// A keyed 64-bit hash of a name, label by label from the right. So one walk over a name gives the
// hash of each of its levels: com, example.com, www.example.com.
//
// Labels are hashed with their length, in wire form. A dot inside a label is an ordinary byte, and
// only names with equal labels have the same input. It uses Wyhash's multiply-and-fold step. The
// key is random per image, so an attacker cannot make names collide. Callers compare the name on a
// hit (ListLines does not). Cost: about 5 ns per level.
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>

#include "matchers/fold_product.h"

namespace steer::matchers {

struct LabelHash {
    std::uint64_t seed = 0;                  // the hash of the root
    std::uint64_t secret = 0;                // odd
    std::uint64_t mask = ~std::uint64_t{0};  // all ones; fewer bits in tests of collisions

    // The hash of LABEL.PARENT, from the hash of PARENT. Any bytes may stand for the label, at least
    // one; `parent` must then be secret.
    [[nodiscard]] std::uint64_t down(std::uint64_t parent, const std::uint8_t* label,
                                     std::size_t length) const noexcept {
        std::uint64_t a = 0;
        std::uint64_t b = 0;
        if (length >= 16) {
            const std::uint8_t* const last = label + length - 16;
            for (; label < last; label += 16) {
                parent = fold_product(load8(label) ^ secret, load8(label + 8) ^ parent);
            }
            a = load8(last);
            b = load8(last + 8);
        } else if (length >= 8) {
            a = load8(label);
            b = load8(label + length - 8);
        } else if (length >= 4) {
            a = load4(label);
            b = load4(label + length - 4);
        } else {
            a = std::uint64_t{label[0]} << 16 | std::uint64_t{label[length / 2]} << 8 |
                label[length - 1];
        }
        return fold_product(secret ^ length, fold_product(a ^ secret, b ^ parent)) & mask;
    }

  private:
    static std::uint64_t load8(const std::uint8_t* p) noexcept {
        std::uint64_t v = 0;
        std::memcpy(&v, p, sizeof v);
        return v;
    }
    static std::uint64_t load4(const std::uint8_t* p) noexcept {
        std::uint32_t v = 0;
        std::memcpy(&v, p, sizeof v);
        return v;
    }
};

}  // namespace steer::matchers
