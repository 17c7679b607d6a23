// Hash of a key that others choose, such as an address in an answer. It is keyed with a secret of
// the process, so that no one can prepare keys that collide.
//
// Cost: two multiplications. Source: the folded product of wyhash (Wang Yi).
#pragma once

#include <cstddef>
#include <cstdint>

namespace steer::routeros {

// `kind`: the part of the key that others do not choose, such as a prefix length or a list.
[[nodiscard]] std::size_t keyed_hash(std::uint64_t high, std::uint64_t low,
                                     std::uint64_t kind) noexcept;

// Replaces the secret, so that a simulation visits its tables in the same order each time. Call it
// before the first table has a key.
void use_hash_secret(std::uint64_t secret);

}  // namespace steer::routeros
