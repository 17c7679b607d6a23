// Numbers drawn from 0 to n - 1: uniformly, or by Zipf's law with exponent 1, at a few nanoseconds each and without memory
// that grows with n.
//
// By Zipf's law: the integer part of (n + 1)^u less 1, u uniform in [0, 1). So number k has the probability
// log(1 + 1 / (k + 1)) / log(n + 1). The first numbers have less than by Zipf's law (0.72 and 0.84 of it for n = 10^6), those
// from the twelfth on are within 5 % of it.
#pragma once

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>

namespace steer::bench {

class Draw {
  public:
    Draw(std::uint32_t n, bool by_zipf, std::uint64_t seed = 20260801)
        : n_(n), bits_(by_zipf ? std::log2(static_cast<double>(n) + 1) : 0), state_(seed) {
        for (std::size_t i = 0; i < powers_.size(); ++i) {
            powers_[i] = static_cast<std::uint64_t>(
                std::ldexp(std::exp2(static_cast<double>(i) / kSteps), kFraction));
        }
    }

    std::uint32_t next() noexcept {
        const std::uint64_t word = random() >> 32;
        if (bits_ == 0) return static_cast<std::uint32_t>(word * n_ >> 32);
        // The exponent in 32.32 bits: 2^whole by a shift, 2^part by a table and a line between its values.
        const auto exponent = static_cast<std::uint64_t>(bits_ * static_cast<double>(word));
        const std::uint64_t part = exponent & UINT32_MAX;
        const std::uint64_t step = part >> (32 - kStepBits);
        const std::uint64_t rest = part << kStepBits & UINT32_MAX;
        const std::uint64_t power =
            powers_[step] + ((powers_[step + 1] - powers_[step]) * rest >> 32);
        const auto k = static_cast<std::uint32_t>(power >> (kFraction - (exponent >> 32)));
        return static_cast<std::uint32_t>(std::min<std::uint64_t>(k, n_)) - 1;
    }

    std::uint64_t random() noexcept {  // xorshift64*
        state_ ^= state_ >> 12;
        state_ ^= state_ << 25;
        state_ ^= state_ >> 27;
        return state_ * 0x2545F4914F6CDD1DULL;
    }

  private:
    static constexpr unsigned kStepBits = 10, kSteps = 1U << kStepBits, kFraction = 32;

    std::uint64_t n_;
    double bits_;
    std::uint64_t state_;
    std::array<std::uint64_t, kSteps + 1> powers_{};
};

}  // namespace steer::bench
