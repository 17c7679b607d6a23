// Every full and domain rule, immutable: what SuffixBuilder makes and find_tags() reads.
//
// A node is a name that has a rule of its own and says more than the nodes above it. It carries the union of its
// ancestors' domain rules, so that the deepest node on a name's way to the root says everything. All of it is one block
// without pointers, which may be written to a file as it is: buckets of eight nodes by the hash of their names, then
// what the nodes say, then the nodes. About 19 bytes a node, and its name.
#pragma once

#include <array>
#include <bitset>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "matchers/arena.h"
#include "matchers/domain/label_hash.h"
#include "matchers/tag_table.h"

namespace steer::matchers {

inline constexpr std::size_t kMaxLevels = 127;  // labels in 255 bytes

// The nodes whose hashes lead here, and those that found the bucket before it full. A look-up ends at one with room.
struct alignas(64) SuffixBucket {
    static constexpr std::size_t kNodes = 8;
    std::array<std::uint32_t, kNodes> check;  // the hash's other half
    std::array<std::uint32_t, kNodes>
        node;  // its place in the nodes, in units of kNodeUnit; 0: none
    [[nodiscard]] bool is_full() const { return node[kNodes - 1] != 0; }
};
static_assert(sizeof(SuffixBucket) == 64);

// What a node says, for all nodes that say the same.
struct alignas(64) SuffixVerdict {
    TagBits exact;  // for its name
    TagBits below;  // for every name below
};
static_assert(sizeof(SuffixVerdict) == 64);

// A node: the number of its verdict (4 bytes), the length of its name (1), its name (wire form without the root byte),
// to a multiple of kNodeUnit.
inline constexpr std::size_t kNodeUnit = 4;
inline constexpr std::size_t kNodeHead = 5;

struct SuffixImage {
    LabelHash hash;
    std::uint32_t bucket_count = 0;  // 0: no rule
    std::uint32_t verdict_count = 0;
    std::uint64_t node_bytes = 0;
    std::uint32_t node_count = 0;
    std::uint32_t deepest = 0;              // the most labels of a node
    std::bitset<kMaxLevels + 1> has_level;  // is there a node with so many labels
    Arena arena;                            // buckets, verdicts, nodes

    [[nodiscard]] static std::uint32_t check_of(std::uint64_t name_hash) {
        return static_cast<std::uint32_t>(name_hash);
    }
    [[nodiscard]] std::uint32_t bucket_of(std::uint64_t name_hash) const {
        return static_cast<std::uint32_t>((name_hash >> 32) * bucket_count >> 32);
    }
    // Where what finds a bucket full goes on.
    [[nodiscard]] std::uint32_t behind(std::uint32_t bucket) const {
        return bucket + 1 == bucket_count ? 0 : bucket + 1;
    }
    [[nodiscard]] const SuffixBucket* buckets() const {
        return reinterpret_cast<const SuffixBucket*>(arena.data());
    }
    [[nodiscard]] const SuffixVerdict* verdicts() const {
        return reinterpret_cast<const SuffixVerdict*>(arena.data() +
                                                      bucket_count * sizeof(SuffixBucket));
    }
    // Of a bucket's `node`.
    [[nodiscard]] const std::uint8_t* node_at(std::uint32_t place) const {
        return arena.data() + bucket_count * sizeof(SuffixBucket) +
               verdict_count * sizeof(SuffixVerdict) + std::size_t{place} * kNodeUnit;
    }
    [[nodiscard]] std::size_t arena_bytes() const {
        return bucket_count * sizeof(SuffixBucket) + verdict_count * sizeof(SuffixVerdict) +
               node_bytes;
    }
    [[nodiscard]] static std::uint32_t verdict_of(const std::uint8_t* node) {
        std::uint32_t verdict = 0;
        std::memcpy(&verdict, node, sizeof verdict);
        return verdict;
    }

    // The builder's: the same places, to write to.
    [[nodiscard]] SuffixBucket* buckets_to_fill() { return const_cast<SuffixBucket*>(buckets()); }
    [[nodiscard]] SuffixVerdict* verdicts_to_fill() {
        return const_cast<SuffixVerdict*>(verdicts());
    }
    [[nodiscard]] std::uint8_t* node_to_fill(std::uint32_t place) {
        return const_cast<std::uint8_t*>(node_at(place));
    }
};

}  // namespace steer::matchers
