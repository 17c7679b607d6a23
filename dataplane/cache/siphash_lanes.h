// Eight SipHash-C-D-128 in parallel with one key. One hash is a chain of dependent additions, which
// uses only a small part of a CPU.
//
// Computes the same values as SipHash128 (siphash.h), for inputs of different lengths. A lane
// without further words keeps its state. Uses vectors of 64 bytes, for a source that is compiled
// with AVX-512. With narrower vectors, separate hashes are faster. `Source` is a type that only
// this source has, so that no other source shares the instantiated code. Calls no function of std.
#pragma once

#include <cstdint>
#include <cstring>

#include "dataplane/cache/siphash.h"

namespace steer::cache {

template <int C, int D, class Source>
class SipHashLanes {
  public:
    static constexpr unsigned kLanes = 8;
    // The input of one lane: a word, then bytes.
    struct Input {
        std::uint64_t first;
        const std::uint8_t* bytes;
        std::size_t size;
    };
    using Value = typename SipHash128<C, D>::Value;

    static void hash(std::uint64_t k0, std::uint64_t k1, const Input (&in)[kLanes],
                     Value (&out)[kLanes]) noexcept {
        State s(k0, k1);
        std::size_t words[kLanes];
        std::size_t least = SIZE_MAX, most = 0;
        for (unsigned i = 0; i < kLanes; ++i) {
            words[i] = in[i].size / 8;
            least = words[i] < least ? words[i] : least;
            most = words[i] > most ? words[i] : most;
        }
        Vector m;
        for (unsigned i = 0; i < kLanes; ++i)
            m[i] = in[i].first;
        s.word(m);
        for (std::size_t w = 0; w < least; ++w) {
            for (unsigned i = 0; i < kLanes; ++i)
                m[i] = load(in[i].bytes + 8 * w);
            s.word(m);
        }
        for (unsigned i = 0; i < kLanes; ++i)
            m[i] = word_at(in[i], words[i], least);
        s.word(m);
        for (std::size_t w = least + 1; w <= most; ++w)
            tail(s, in, words, w);
        s.v2 ^= 0xee;
        const Vector low = s.drain();
        s.v1 ^= 0xdd;
        const Vector high = s.drain();
        for (unsigned i = 0; i < kLanes; ++i)
            out[i] = {low[i], high[i]};
    }

  private:
    using Vector = std::uint64_t __attribute__((vector_size(8 * kLanes)));

    struct State {
        State(std::uint64_t k0, std::uint64_t k1)
            : v0(Vector{} + (k0 ^ 0x736f6d6570736575)),
              v1(Vector{} + (k1 ^ 0x646f72616e646f6d ^ 0xee)),
              v2(Vector{} + (k0 ^ 0x6c7967656e657261)),
              v3(Vector{} + (k1 ^ 0x7465646279746573)) {}
        [[gnu::always_inline]] void word(Vector m) {
            v3 ^= m;
            for (int i = 0; i < C; ++i)
                round();
            v0 ^= m;
        }
        [[gnu::always_inline]] void round() {
            v0 += v1;
            v1 = rotl<13>(v1) ^ v0;
            v0 = rotl<32>(v0);
            v2 += v3;
            v3 = rotl<16>(v3) ^ v2;
            v0 += v3;
            v3 = rotl<21>(v3) ^ v0;
            v2 += v1;
            v1 = rotl<17>(v1) ^ v2;
            v2 = rotl<32>(v2);
        }
        [[gnu::always_inline]] Vector drain() {
            for (int i = 0; i < D; ++i)
                round();
            return v0 ^ v1 ^ v2 ^ v3;
        }
        Vector v0, v1, v2, v3;
    };

    template <int N>
    static Vector rotl(Vector x) {
        return x << N | x >> (64 - N);
    }
    static std::uint64_t load(const std::uint8_t* p) noexcept {
        std::uint64_t w;
        std::memcpy(&w, p, sizeof w);
        return w;
    }
    // The last word: the remaining bytes and the total length.
    static std::uint64_t last(const Input& in, std::size_t whole) noexcept {
        const std::size_t rest = in.size % 8;
        std::uint64_t w = 0;
        if (whole != 0) {
            w = load(in.bytes + in.size - 8) >> 1 >>
                (63 - 8 * rest);  // all 64 bits if no byte is left
        } else {
            std::memcpy(&w, in.bytes, rest);
        }
        return w | (std::uint64_t{8} + in.size) << 56;
    }
    // Word `w` of a lane: a word of the input, or the last word.
    static std::uint64_t word_at(const Input& in, std::size_t whole, std::size_t w) noexcept {
        return w < whole ? load(in.bytes + 8 * w) : last(in, whole);
    }
    // Mixes word `w` into the lanes that have one; the other lanes keep their state.
    static void tail(State& s, const Input (&in)[kLanes], const std::size_t (&words)[kLanes],
                     std::size_t w) noexcept {
        Vector m{}, takes{};
        for (unsigned i = 0; i < kLanes; ++i) {
            if (w > words[i]) continue;
            m[i] = word_at(in[i], words[i], w);
            takes[i] = ~std::uint64_t{0};
        }
        State next = s;
        next.word(m);
        const auto choose = [takes](Vector a, Vector b) { return (a & takes) | (b & ~takes); };
        s.v0 = choose(next.v0, s.v0);
        s.v1 = choose(next.v1, s.v1);
        s.v2 = choose(next.v2, s.v2);
        s.v3 = choose(next.v3, s.v3);
    }
};

}  // namespace steer::cache
