// Computes the keys of a burst: one by one, or eight at a time if the CPU has AVX-512.
//
// A KeyHasher chooses once, at construction. So a program built for any x86-64 CPU is as fast as
// one built for this CPU. docs/explanation/performance.md has the measurements.
#pragma once

#include <cstdint>

namespace steer::cache {

struct Key;
struct KeyFacts;

enum class KeyLanes : std::uint8_t { scalar, avx512 };

// The widest variant that this CPU and its operating system support.
KeyLanes widest_key_lanes() noexcept;
// The same, or scalar if the environment has STEERDNS_SIMD=scalar. Call it before threads start.
KeyLanes chosen_key_lanes() noexcept;
const char* label(KeyLanes lanes) noexcept;

// Computes the keys of `n` facts with the secret (k0, k1). Reads only the bytes of their names.
using BulkKeys = void (*)(std::uint64_t k0, std::uint64_t k1, const KeyFacts* facts, unsigned n,
                          Key* keys) noexcept;
BulkKeys bulk_keys(KeyLanes lanes) noexcept;

// Computes the first n / 8 * 8 keys (key_avx512.cpp). Only if widest_key_lanes() returned avx512.
void keys_by_avx512(std::uint64_t k0, std::uint64_t k1, const KeyFacts* facts, unsigned n,
                    Key* keys) noexcept;

}  // namespace steer::cache
