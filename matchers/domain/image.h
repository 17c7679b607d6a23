// All full and domain rules, immutable: SuffixBuilder builds them, find_tags() reads them.
//
// A node is a name with a rule that adds sets to those of the nodes above it. It has the union of
// its ancestors' domain rules, so the deepest node at or above a name decides alone. The image is
// one block without pointers, so it can be written to a file. The block has: a filter that rejects
// most names without a node (one byte per node, which stays in the CPU cache); buckets of eight
// nodes by the hash of their names; verdicts; nodes. It needs about 21 bytes per node, plus the
// name.
#pragma once

#include <array>
#include <bitset>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <type_traits>
#include <utility>

#include "matchers/arena.h"
#include "matchers/domain/label_hash.h"
#include "matchers/name_matcher.h"
#include "matchers/tag_table.h"

namespace steer::matchers {

// Nodes with hashes for this bucket, and nodes that overflowed from the previous one. A lookup ends
// at a bucket with a free slot.
struct alignas(64) SuffixBucket {
    static constexpr std::size_t kNodes = 8;
    std::array<std::uint32_t, kNodes> check;  // the other half of the hash
    std::array<std::uint32_t, kNodes>
        node;  // position in the nodes, in units of kNodeUnit; 0: none
    [[nodiscard]] bool is_full() const { return node[kNodes - 1] != 0; }
};
static_assert(sizeof(SuffixBucket) == 64);

// The verdict of all nodes with the same sets.
struct alignas(64) SuffixVerdict {
    TagBits exact;  // for the name itself
    TagBits below;  // for all names below
};
static_assert(sizeof(SuffixVerdict) == 64);

// A node: the number of its verdict (4 bytes), the length of its name (1), and its name (wire form
// without the root byte), padded to a multiple of kNodeUnit.
inline constexpr std::size_t kNodeUnit = 4;
inline constexpr std::size_t kNodeHead = 5;

// The head of an image; also stored at the start of its block.
struct SuffixHead {
    LabelHash hash;
    std::uint64_t node_bytes = 0;
    std::uint64_t name_bytes = 0;    // of `node_bytes`, for names
    std::uint32_t filter_words = 0;  // a multiple of the words per cache line
    std::uint32_t bucket_count = 0;  // 0: no rules
    std::uint32_t verdict_count = 0;
    std::uint32_t node_count = 0;
    std::uint32_t deepest = 0;              // largest number of labels of a node
    std::bitset<kMaxLevels + 1> has_level;  // whether a node has that number of labels
};
static_assert(std::is_trivially_copyable_v<SuffixHead>);

struct SuffixImage : SuffixHead {
    Arena arena;  // head, filter, buckets, verdicts, nodes

    static constexpr std::size_t kHeadBytes = 128;
    static_assert(sizeof(SuffixHead) <= kHeadBytes);

    [[nodiscard]] static std::uint32_t check_of(std::uint64_t name_hash) {
        return static_cast<std::uint32_t>(name_hash);
    }
    [[nodiscard]] std::uint32_t bucket_of(std::uint64_t name_hash) const {
        return static_cast<std::uint32_t>((name_hash >> 32) * bucket_count >> 32);
    }
    // The next bucket after a full one.
    [[nodiscard]] std::uint32_t behind(std::uint32_t bucket) const {
        return bucket + 1 == bucket_count ? 0 : bucket + 1;
    }
    // The index of a hash's word in the filter, and its bits there.
    [[nodiscard]] std::uint32_t filter_at(std::uint64_t name_hash) const {
        return static_cast<std::uint32_t>((name_hash >> 32) * filter_words >> 32);
    }
    [[nodiscard]] static std::uint64_t filter_bits(std::uint64_t name_hash) {
        return std::uint64_t{1} << (name_hash & 63) | std::uint64_t{1} << (name_hash >> 6 & 63) |
               std::uint64_t{1} << (name_hash >> 12 & 63);
    }
    // Returns false if no node has this hash.
    [[nodiscard]] bool may_have(std::uint64_t name_hash) const {
        const std::uint64_t bits = filter_bits(name_hash);
        return (filter()[filter_at(name_hash)] & bits) == bits;
    }
    [[nodiscard]] const std::uint64_t* filter() const {
        return reinterpret_cast<const std::uint64_t*>(arena.data() + kHeadBytes);
    }
    [[nodiscard]] const SuffixBucket* buckets() const {
        return reinterpret_cast<const SuffixBucket*>(filter() + filter_words);
    }
    [[nodiscard]] const SuffixVerdict* verdicts() const {
        return reinterpret_cast<const SuffixVerdict*>(buckets() + bucket_count);
    }
    // `place`: a value of a bucket's `node`.
    [[nodiscard]] const std::uint8_t* node_at(std::uint32_t place) const {
        return reinterpret_cast<const std::uint8_t*>(verdicts() + verdict_count) +
               std::size_t{place} * kNodeUnit;
    }
    [[nodiscard]] std::size_t arena_bytes() const {
        return kHeadBytes + filter_words * sizeof(std::uint64_t) +
               bucket_count * sizeof(SuffixBucket) + verdict_count * sizeof(SuffixVerdict) +
               node_bytes;
    }
    [[nodiscard]] static std::uint32_t verdict_of(const std::uint8_t* node) {
        std::uint32_t verdict = 0;
        std::memcpy(&verdict, node, sizeof verdict);
        return verdict;
    }

    // An image from a stored block. No value: the block is not an image.
    static std::optional<SuffixImage> from(Arena block) {
        SuffixImage image;
        if (block.size() < kHeadBytes) return std::nullopt;
        std::memcpy(static_cast<SuffixHead*>(&image), block.data(), sizeof(SuffixHead));
        image.arena = std::move(block);
        if (image.bucket_count == 0 || image.arena_bytes() != image.arena.size())
            return std::nullopt;
        return image;
    }

    // For the builder: the same places, writable.
    [[nodiscard]] std::uint64_t* filter_to_fill() { return const_cast<std::uint64_t*>(filter()); }
    [[nodiscard]] SuffixBucket* buckets_to_fill() { return const_cast<SuffixBucket*>(buckets()); }
    [[nodiscard]] SuffixVerdict* verdicts_to_fill() {
        return const_cast<SuffixVerdict*>(verdicts());
    }
    [[nodiscard]] std::uint8_t* node_to_fill(std::uint32_t place) {
        return const_cast<std::uint8_t*>(node_at(place));
    }
};

}  // namespace steer::matchers
