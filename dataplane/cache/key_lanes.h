// Computes the keys of a burst: one after the other, or eight at a time if the CPU has AVX-512.
//
// The choice is made once, when a KeyHasher is constructed, so a program built for any x86-64 CPU runs as fast as one built
// for this CPU. docs/explanation/performance.md has the measurements.
#pragma once

#include <cstdint>

namespace steer::cache {

struct Key;
struct KeyFacts;

enum class KeyLanes : std::uint8_t { scalar, avx512 };

// The widest way that this CPU and its operating system support.
KeyLanes widest_key_lanes() noexcept;
// The same, or scalar if the environment has STEERDNS_SIMD=scalar. Call it before threads start.
KeyLanes chosen_key_lanes() noexcept;
const char* label(KeyLanes lanes) noexcept;

// The keys of `n` facts under the secret (k0, k1). Reads nothing outside their names.
using BulkKeys = void (*)(std::uint64_t k0, std::uint64_t k1, const KeyFacts* facts, unsigned n,
                          Key* keys) noexcept;
BulkKeys bulk_keys(KeyLanes lanes) noexcept;

// key_avx512.cpp: the first n / 8 * 8 keys. Only if widest_key_lanes() returned avx512.
void keys_by_avx512(std::uint64_t k0, std::uint64_t k1, const KeyFacts* facts, unsigned n,
                    Key* keys) noexcept;

}  // namespace steer::cache
