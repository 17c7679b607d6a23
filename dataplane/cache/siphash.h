// SipHash-C-D with 128 bits of output (Aumasson, Bernstein, "SipHash: a fast short-input PRF"; the
// reference implementation's HALF/128 variant). A keyed hash: collisions need the key.
//
// Takes words of 8 little-endian bytes. So a caller can mix fields and bytes without copying them
// together. Always inlined: a call would store its four words to memory at each load of a byte.
#pragma once

#include <bit>
#include <cstdint>
#include <cstring>
#include <span>

namespace steer::cache {

template <int C, int D>
class SipHash128 {
  public:
    struct Value {
        std::uint64_t low, high;
    };

    SipHash128(std::uint64_t k0, std::uint64_t k1) noexcept
        : v0_(k0 ^ 0x736f6d6570736575),
          v1_(k1 ^ 0x646f72616e646f6d ^ 0xee),
          v2_(k0 ^ 0x6c7967656e657261),
          v3_(k1 ^ 0x7465646279746573) {}

    [[gnu::always_inline]] void word(std::uint64_t m) noexcept {
        v3_ ^= m;
        for (int i = 0; i < C; ++i)
            round();
        v0_ ^= m;
        length_ += 8;
    }

    // Takes the last bytes and returns the hash of the whole input.
    [[nodiscard, gnu::always_inline]] Value finish(std::span<const std::uint8_t> bytes) noexcept {
        const std::uint8_t* at = bytes.data();
        const std::size_t whole = bytes.size() / 8;
        for (std::size_t i = 0; i < whole; ++i)
            word(load(at + 8 * i));
        const std::size_t rest = bytes.size() % 8;
        std::uint64_t last = 0;
        if (rest != 0 && whole != 0) {
            last = load(at + bytes.size() - 8) >> (8 * (8 - rest));
        } else {
            for (std::size_t i = 0; i < rest; ++i)
                last |= std::uint64_t{at[i]} << (8 * i);
        }
        last |= (length_ + rest) << 56;
        word(last);
        v2_ ^= 0xee;
        const std::uint64_t low = drain();
        v1_ ^= 0xdd;
        return {low, drain()};
    }

  private:
    static std::uint64_t load(const std::uint8_t* p) noexcept {
        static_assert(std::endian::native == std::endian::little);
        std::uint64_t w;
        std::memcpy(&w, p, sizeof w);
        return w;
    }
    [[gnu::always_inline]] void round() noexcept {
        v0_ += v1_;
        v1_ = std::rotl(v1_, 13) ^ v0_;
        v0_ = std::rotl(v0_, 32);
        v2_ += v3_;
        v3_ = std::rotl(v3_, 16) ^ v2_;
        v0_ += v3_;
        v3_ = std::rotl(v3_, 21) ^ v0_;
        v2_ += v1_;
        v1_ = std::rotl(v1_, 17) ^ v2_;
        v2_ = std::rotl(v2_, 32);
    }
    [[gnu::always_inline]] std::uint64_t drain() noexcept {
        for (int i = 0; i < D; ++i)
            round();
        return v0_ ^ v1_ ^ v2_ ^ v3_;
    }

    std::uint64_t v0_, v1_, v2_, v3_;
    std::uint64_t length_ = 0;
};

}  // namespace steer::cache
