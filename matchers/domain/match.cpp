#include "matchers/domain/match.h"

#ifdef __SSE2__
#include <emmintrin.h>
#endif

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>

namespace steer::matchers {
namespace {

const TagBits kInNoSet;

// Bit i: the bucket's node i has this check.
unsigned candidates(const SuffixBucket& bucket, std::uint32_t check) noexcept {
#ifdef __SSE2__
    const auto* const half = reinterpret_cast<const __m128i*>(bucket.check.data());
    const __m128i wanted = _mm_set1_epi32(static_cast<int>(check));
    const __m128i low = _mm_cmpeq_epi32(_mm_load_si128(half), wanted);
    const __m128i high = _mm_cmpeq_epi32(_mm_load_si128(half + 1), wanted);
    const __m128i words = _mm_packs_epi32(low, high);
    return static_cast<unsigned>(_mm_movemask_epi8(_mm_packs_epi16(words, words))) & 0xffU;
#else
    unsigned found = 0;
    for (std::size_t i = 0; i < SuffixBucket::kNodes; ++i)
        found |= static_cast<unsigned>(bucket.check[i] == check) << i;
    return found;
#endif
}

}  // namespace

const std::uint8_t* find_node(const SuffixImage& image, std::uint64_t hash,
                              std::span<const std::uint8_t> name) noexcept {
    for (std::uint32_t at = image.bucket_of(hash);; at = image.behind(at)) {
        const SuffixBucket& bucket = image.buckets()[at];
        for (unsigned left = candidates(bucket, SuffixImage::check_of(hash)); left != 0;
             left &= left - 1) {
            const std::uint32_t place = bucket.node[static_cast<unsigned>(std::countr_zero(left))];
            if (place == 0) continue;
            const std::uint8_t* const node = image.node_at(place);
            if (node[kNodeHead - 1] == name.size() &&
                std::memcmp(node + kNodeHead, name.data(), name.size()) == 0)
                return node;
        }
        if (!bucket.is_full()) return nullptr;
    }
}

const TagBits& find_tags(const SuffixImage& image,
                         std::span<const std::uint8_t> wire_name) noexcept {
    if (image.bucket_count == 0) return kInNoSet;
    std::array<std::uint8_t, kMaxLevels> label_at;
    std::size_t labels = 0;
    for (std::size_t at = 0; wire_name[at] != 0; at += std::size_t{wire_name[at]} + 1) {
        label_at[labels++] = static_cast<std::uint8_t>(at);
    }
    const std::size_t levels = std::min<std::size_t>(labels, image.deepest);

    // Levels that may have a node, the deepest last; their buckets are prefetched.
    std::array<std::uint8_t, kMaxLevels> level_of;
    std::array<std::uint64_t, kMaxLevels> hash_of;
    std::size_t left = 0;
    std::uint64_t hash = image.hash.seed;
    for (std::size_t level = 1; level <= levels; ++level) {
        const std::uint8_t* const label = &wire_name[label_at[labels - level]];
        hash = image.hash.down(hash, label + 1, *label);
        if (!image.has_level[level] || !image.may_have(hash)) continue;
        __builtin_prefetch(image.buckets() + image.bucket_of(hash));
        level_of[left] = static_cast<std::uint8_t>(level);
        hash_of[left++] = hash;
    }
    while (left-- > 0) {
        const std::size_t level = level_of[left];
        const std::size_t start = label_at[labels - level];
        const std::uint8_t* const node =
            find_node(image, hash_of[left], wire_name.subspan(start, wire_name.size() - 1 - start));
        if (node == nullptr) continue;
        const SuffixVerdict& verdict = image.verdicts()[SuffixImage::verdict_of(node)];
        return level == labels ? verdict.exact : verdict.below;
    }
    return kInNoSet;
}

}  // namespace steer::matchers
