// How the keys of a burst are made: one after the other, or eight side by side where the CPU has AVX-512.
//
// Chosen once, when a KeyHasher is made: a program built for any x86-64 CPU is as fast here as one built for the CPU that
// it runs on. docs/explanation/performance.md says what was measured, and why nothing else is chosen so.
#pragma once

#include <cstdint>

namespace steer::cache {

struct Key;
struct KeyFacts;

enum class KeyLanes : std::uint8_t { scalar, avx512 };

// What this CPU and its system can do.
KeyLanes widest_key_lanes() noexcept;
// The same, or scalar where the environment has STEERDNS_SIMD=scalar. Before threads.
KeyLanes chosen_key_lanes() noexcept;
const char* label(KeyLanes lanes) noexcept;

// The keys of `n` facts under the secret (k0, k1). Reads nothing outside their names.
using BulkKeys = void (*)(std::uint64_t k0, std::uint64_t k1, const KeyFacts* facts, unsigned n,
                          Key* keys) noexcept;
BulkKeys bulk_keys(KeyLanes lanes) noexcept;

// key_avx512.cpp: the first n / 8 * 8 of them. Only where widest_key_lanes() says so.
void keys_by_avx512(std::uint64_t k0, std::uint64_t k1, const KeyFacts* facts, unsigned n,
                    Key* keys) noexcept;

}  // namespace steer::cache
