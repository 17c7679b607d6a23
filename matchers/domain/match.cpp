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

// The levels of some names that may have nodes, on their way to the verdicts.
class LevelWalk {
  public:
    LevelWalk(const SuffixImage& image, std::span<const WireName> names,
              std::span<const TagBits*> found) noexcept
        : image_(image), names_(names), found_(found) {}

    // Hashes the levels of a name, and prefetches their words of the filter. False: there is no
    // space for them before finish().
    [[nodiscard]] bool add(std::size_t name) noexcept {
        const WireName wire = names_[name];
        std::array<std::uint8_t, kMaxLevels> label_at;
        std::size_t labels = 0;
        for (std::size_t at = 0; wire[at] != 0; at += std::size_t{wire[at]} + 1)
            label_at[labels++] = static_cast<std::uint8_t>(at);
        const std::size_t levels = std::min<std::size_t>(labels, image_.deepest);
        if (count_ + levels > kSpace) return false;
        std::uint64_t hash = image_.hash.seed;
        for (std::size_t level = 1; level <= levels; ++level) {
            const std::uint8_t start = label_at[labels - level];
            hash = image_.hash.down(hash, &wire[start] + 1, wire[start]);
            if (!image_.has_level[level]) continue;
            __builtin_prefetch(image_.filter() + image_.filter_at(hash));
            levels_[count_++] = {hash, static_cast<std::uint32_t>(name), start};
        }
        return true;
    }

    // Finds the verdicts of the names that were added, and removes them.
    void finish() noexcept {
        std::size_t left = 0;
        for (std::size_t i = 0; i < count_; ++i) {
            const Level level = levels_[i];
            if (!image_.may_have(level.hash)) continue;
            __builtin_prefetch(image_.buckets() + image_.bucket_of(level.hash));
            levels_[left++] = level;
        }
        for (std::size_t i = 0; i < left; ++i)
            prefetch_node(levels_[i].hash);
        // From behind: the deepest level of a name is its last.
        for (count_ = 0; left > 0; --left)
            decide(levels_[left - 1]);
    }

  private:
    struct Level {
        std::uint64_t hash;
        std::uint32_t name;
        std::uint8_t start;  // offset in the name
    };
    static constexpr std::size_t kSpace = 160;
    static_assert(kSpace >= kMaxLevels);  // any name alone

    void prefetch_node(std::uint64_t hash) const noexcept {
        const SuffixBucket& bucket = image_.buckets()[image_.bucket_of(hash)];
        const unsigned same = candidates(bucket, SuffixImage::check_of(hash));
        if (same != 0) {
            const auto first = static_cast<unsigned>(std::countr_zero(same));
            __builtin_prefetch(image_.node_at(bucket.node[first]));
        }
    }
    void decide(const Level& level) noexcept {
        const TagBits*& found = found_[level.name];
        if (found != &kInNoSet) return;
        const WireName wire = names_[level.name];
        const std::uint8_t* const node =
            find_node(image_, level.hash, wire.subspan(level.start, wire.size() - 1 - level.start));
        if (node == nullptr) return;
        const SuffixVerdict& verdict = image_.verdicts()[SuffixImage::verdict_of(node)];
        found = level.start == 0 ? &verdict.exact : &verdict.below;
    }

    const SuffixImage& image_;
    std::span<const WireName> names_;
    std::span<const TagBits*> found_;
    std::array<Level, kSpace> levels_;
    std::size_t count_ = 0;
};

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

void find_tags(const SuffixImage& image, std::span<const WireName> names,
               std::span<const TagBits*> found) noexcept {
    std::ranges::fill(found, &kInNoSet);
    if (image.bucket_count == 0) return;
    LevelWalk walk(image, names, found);
    for (std::size_t i = 0; i < names.size(); ++i) {
        if (walk.add(i)) continue;
        walk.finish();
        (void)walk.add(i);
    }
    walk.finish();
}

const TagBits& find_tags(const SuffixImage& image, WireName name) noexcept {
    const TagBits* found = nullptr;
    find_tags(image, {&name, 1}, {&found, 1});
    return *found;
}

}  // namespace steer::matchers
