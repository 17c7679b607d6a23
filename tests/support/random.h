// A seeded generator of 32-bit words for tests: the same sequence everywhere, and no conversion warnings.
#pragma once

#include <cstdint>
#include <random>

namespace steer::test {

class Random {
  public:
    explicit Random(std::uint32_t seed) : engine_(seed) {}
    std::uint32_t operator()() { return static_cast<std::uint32_t>(engine_()); }
    // 0 .. n - 1; n is not 0.
    std::uint32_t below(std::uint32_t n) { return (*this)() % n; }

  private:
    std::mt19937 engine_;
};

}  // namespace steer::test
