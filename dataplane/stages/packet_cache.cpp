#include "dataplane/stages/packet_cache.h"

#ifdef __SSE2__
#include <emmintrin.h>
#endif
#include <rte_debug.h>
#include <rte_malloc.h>
#include <rte_prefetch.h>

#include <algorithm>
#include <bit>
#include <cstring>
#include <memory>
#include <utility>

#include "dataplane/base/memory_node.h"
#include "dataplane/base/same_bytes.h"
#include "dataplane/dns/checksum.h"
#include "matchers/fold_product.h"

namespace steer {
namespace {

constexpr std::size_t kSets = PacketCache::kLines / PacketCache::kWays;

std::uint64_t word(const std::uint8_t* at) {
    std::uint64_t w;
    std::memcpy(&w, at, sizeof w);
    return w;
}

// Equal for both cases of a letter. Messages that differ in this bit of any other byte collide.
std::uint64_t caseless_word(const std::uint8_t* at) {
    constexpr std::uint64_t kCase = 0x2020202020202020;
    return word(at) & ~kCase;
}

// 16 bytes at once in what the CPU has (SSE2, NEON).
using Block = std::uint8_t __attribute__((vector_size(16)));

Block block(const std::uint8_t* at) {
    Block b;
    std::memcpy(&b, at, sizeof b);
    return b;
}

// Compares a line with a message without regard to case, and sums the difference of their letters.
class CaseBlocks {
  public:
    void add(Block line, Block message) {
        const Block difference = line ^ message;
        const Block is_letter = reinterpret_cast<Block>(line - 'a' < 26);
        mismatch_ |= difference & ~(is_letter & 0x20);
        words_ += reinterpret_cast<Words>(difference);
    }
    [[nodiscard]] bool are_equal() const {
        const auto halves = reinterpret_cast<Halves>(mismatch_);
        return (halves[0] | halves[1]) == 0;
    }
    // If they are equal: the checksum of the line's blocks less that of the message's, below 2^34. A
    // bit that only the line has is one of its letters. Words hold the 5 blocks of a line.
    [[nodiscard]] std::uint64_t sum() const {
        static_assert(PacketCache::kLongest / sizeof(Block) * 0x2020 <= 0xffff);
        const auto halves = reinterpret_cast<Halves>(words_);
        return checksum_narrow(halves[0]) + checksum_narrow(halves[1]);
    }

  private:
    using Words = std::uint16_t __attribute__((vector_size(16)));
    using Halves = std::uint64_t __attribute__((vector_size(16)));
    Block mismatch_{};
    Words words_{};
};

// The header and what is behind the name.
bool same_outside_name(const PacketCache::Line& line, const std::uint8_t* message) {
    constexpr std::size_t kId = PacketCache::kIdBytes;
    const std::size_t end = line.head.question_end, type = end - dns::kTypeAndClass;
    return same_bytes(line.bytes.data(), message + kId, dns::kHeaderSize - kId) &&
           dns::load_be32(&line.bytes[type - kId]) == dns::load_be32(message + type) &&
           (line.length == end ||
            same_bytes(&line.bytes[end - kId], message + end, line.length - end));
}

using matchers::fold_product;  // hashes 16 bytes

template <class T>
T* take_array(std::size_t n) {
    void* const memory = allocate_near("packet cache", n * sizeof(T), 64);
    if (memory == nullptr) rte_panic("no memory for a packet cache: give dataplane.memory more\n");
    T* const first = static_cast<T*>(memory);
    std::uninitialized_value_construct_n(first, n);
    return first;
}

std::size_t set_of(std::uint64_t hash) {
    return hash % kSets;
}
constexpr std::uint32_t kHeld = 1, kFound = 2;  // bits of a tag

// With kFound, as it is compared.
std::uint32_t tag_of(std::uint64_t hash) {
    return static_cast<std::uint32_t>(hash >> 32) | kHeld | kFound;
}

// Bit i: way i of a set has this tag. A way without a tag has none, because kHeld is in each.
template <class Tags>
unsigned ways_with(const Tags& tags, std::uint32_t tag) noexcept {
#ifdef __SSE2__
    static_assert(sizeof(Tags) == sizeof(__m128i));
    const __m128i held = _mm_load_si128(reinterpret_cast<const __m128i*>(&tags));
    const __m128i asked = _mm_or_si128(held, _mm_set1_epi32(kFound));
    const __m128i same = _mm_cmpeq_epi32(asked, _mm_set1_epi32(static_cast<int>(tag)));
    return static_cast<unsigned>(_mm_movemask_ps(_mm_castsi128_ps(same)));
#else
    unsigned found = 0;
    for (unsigned i = 0; i < tags.size(); ++i)
        found |= static_cast<unsigned>((tags[i] | kFound) == tag) << i;
    return found;
#endif
}

}  // namespace

void PacketCache::Free::operator()(void* memory) const {
    rte_free(memory);
}

PacketCache::PacketCache(std::uint64_t seed)
    : seed_(seed),
      tags_(take_array<Tags>(kSets)),
      lines_(take_array<Line>(kLines)),
      replies_(take_array<ReadyReply>(kLines)) {}

bool PacketCache::awake(unsigned n) noexcept {
    if (resting_ > 0) {
        resting_ -= resting_ < n ? resting_ : n;
        return false;
    }
    asked_ += n;
    if (asked_ < kWindow) return true;
    if (known_ < kFewest) resting_ = kRest;
    asked_ = known_ = 0;
    return true;
}

std::uint64_t PacketCache::hash(const std::uint8_t* message, std::size_t length,
                                std::uint8_t frontend_class) const noexcept {
    constexpr std::uint64_t kOdd1 = 0xa0761d6478bd642f, kOdd2 = 0xe7037ed1a0b428db;
    const std::uint8_t* at = message + kIdBytes;
    const std::uint8_t* const last = message + length - 16;
    std::uint64_t h = seed_ ^ length ^ std::uint64_t{frontend_class} << 32;
    if (at < last) {
        h = fold_product(word(at) ^ kOdd1, caseless_word(at + 8) ^ h);  // the flags are exact
        at += 16;
    }
    for (; at < last; at += 16)
        h = fold_product(caseless_word(at) ^ kOdd1, caseless_word(at + 8) ^ h);
    return fold_product(caseless_word(last) ^ kOdd2, caseless_word(last + 8) ^ h);
}

std::optional<std::uint16_t> PacketCache::case_difference(const Line& line,
                                                          const std::uint8_t* message,
                                                          std::size_t length) noexcept {
    if (line.length != length || !same_outside_name(line, message)) return std::nullopt;
    const std::size_t n = length - kIdBytes;
    const std::uint8_t* const bytes = message + kIdBytes;
    CaseBlocks blocks;
    std::size_t at = 0;
    for (; at + sizeof(Block) <= n; at += sizeof(Block))
        blocks.add(block(&line.bytes[at]), block(bytes + at));
    // The last block overlaps the one before.
    const std::size_t last = n - sizeof(Block);
    const CaseBlocks whole = std::exchange(blocks, {});
    const Block left = block(&kLastBytes<sizeof(Block)>[n - at]);
    blocks.add(block(&line.bytes[last]) & left, block(bytes + last) & left);
    if (!whole.are_equal() || !blocks.are_equal()) return std::nullopt;
    const std::uint64_t lowered = whole.sum() + checksum_at(last, blocks.sum());
    return static_cast<std::uint16_t>(0xffffU - checksum_fold(lowered));
}

void PacketCache::prefetch(std::uint64_t hash) const noexcept {
    rte_prefetch0(&tags_[set_of(hash)]);
}

const PacketCache::Line* PacketCache::find(std::uint64_t hash) const noexcept {
    const std::size_t set = set_of(hash);
    const unsigned ways = ways_with(tags_[set], tag_of(hash));
    return ways == 0 ? nullptr
                     : &lines_[set * kWays + static_cast<unsigned>(std::countr_zero(ways))];
}

PacketCache::Line* PacketCache::use(std::uint64_t hash) noexcept {
    const std::size_t set = set_of(hash);
    const std::uint32_t tag = tag_of(hash);
    const unsigned ways = ways_with(tags_[set], tag);
    if (ways == 0) return nullptr;
    const auto way = static_cast<unsigned>(std::countr_zero(ways));
    tags_[set][way] = tag;
    Line* const line = &lines_[set * kWays + way];
    rte_prefetch0(line);
    rte_prefetch0(reinterpret_cast<const std::uint8_t*>(line) + 64);
    return line;
}

void PacketCache::clear() noexcept {
    std::fill_n(tags_.get(), kSets, Tags{});
}

// An empty way, or the next one that was not found since it was last passed over.
unsigned PacketCache::place_in(Tags& tags) noexcept {
    for (unsigned i = 0; i < kWays; ++i) {
        if (tags[i] == 0) return i;
    }
    for (unsigned passed = 0; passed < kWays; ++passed) {
        std::uint32_t& tag = tags[next_way_++ % kWays];
        if ((tag & kFound) == 0) break;
        tag &= ~kFound;
    }
    return (next_way_ - 1) % kWays;
}

PacketCache::Line& PacketCache::replace(std::uint64_t hash, const std::uint8_t* message,
                                        std::size_t length) noexcept {
    const std::size_t set = set_of(hash);
    Tags& tags = tags_[set];
    const std::uint32_t tag = tag_of(hash);
    const unsigned same = ways_with(tags, tag);
    const auto way = same == 0 ? place_in(tags) : static_cast<unsigned>(std::countr_zero(same));
    Line& held = lines_[set * kWays + way];
    const bool collides = same != 0 && (tags[way] & kFound) != 0 && !is_of(held, message, length) &&
                          !case_difference(held, message, length);
    tags[way] = collides ? tags[way] & ~kFound : tag & ~kFound;
    Line& line = collides ? unused_ : held;
    line.length = static_cast<std::uint8_t>(length);
    std::memcpy(line.bytes.data(), message + kIdBytes, length - kIdBytes);
    return line;
}

}  // namespace steer
