// Finds the entry of a key: a hash table of one shard of the cache. Readers never wait, and one
// thread writes.
//
// A bucket is one CPU cache line with seven words. A word has a tag of the key and the entry's
// address, and is 0 without an entry. A full bucket continues in a spare one. No keys are stored:
// the caller compares the entry with what it wants. So a lookup reads one line before the entry,
// and a caller can prefetch the buckets of many keys, also of several tables.
//
// An entry that is removed stays readable until the caller frees it, a grace period later. While a
// spare bucket in front of an entry is given back, a reader may miss that entry. It is then asked
// for again.
#pragma once

#if defined(__SSE4_1__) && !defined(__SANITIZE_THREAD__)
#include <smmintrin.h>
#endif

#include <array>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <vector>

namespace steer::cache {

struct Entry;

// What the table needs of a key. Each part is from other bits of Key::low, and the shard is chosen
// by the rest (Cache::shard_of()).
struct TableKey {
    std::uint32_t place;  // chooses the bucket
    std::uint16_t tag;    // not 0

    explicit TableKey(std::uint64_t key_low) noexcept
        : place(static_cast<std::uint32_t>(key_low)),
          tag(static_cast<std::uint16_t>(key_low >> 32 | 1)) {}
};

struct alignas(64) Bucket {
    static constexpr unsigned kWords = 7;
    std::array<std::atomic<std::uint64_t>, kWords> words{};
    std::atomic<std::uint32_t> next{0};  // the spare bucket that continues this one; 0: none

    [[nodiscard]] bool continues() const noexcept {
        return next.load(std::memory_order_relaxed) != 0;
    }
};
static_assert(sizeof(Bucket) == 64, "one line per lookup");

// The part that readers use; constant.
class TableView {
  public:
    [[nodiscard]] const Bucket* bucket_of(TableKey key) const noexcept {
        return bucket_at(key.place);
    }
    // The first entry with the key's tag in a bucket alone; nullptr if there is none.
    static const Entry* candidate(const Bucket& bucket, std::uint16_t tag) noexcept {
        const unsigned same = words_with(bucket, tag);
        return same == 0 ? nullptr : entry_of(bucket, first_of(same), tag);
    }
    // The entry with that tag, in a bucket or behind it, that `is_wanted`; nullptr if there is none.
    template <class IsWanted>
    [[nodiscard]] const Entry* find(const Bucket* bucket, std::uint16_t tag,
                                    IsWanted is_wanted) const noexcept {
        for (unsigned i = 0; i < kLongestChain; ++i) {
            for (unsigned word = 0; word < Bucket::kWords; ++word) {
                const Entry* const entry = entry_of(*bucket, word, tag);
                if (entry != nullptr && is_wanted(*entry)) return entry;
            }
            const std::uint32_t next = bucket->next.load(std::memory_order_acquire);
            if (next == 0) break;
            bucket = buckets_ + next;
        }
        return nullptr;
    }

  protected:
    static constexpr unsigned kTagShift = 48;  // user space has addresses of 48 bits
    // Bounds a reader's walk while buckets move. Real chains are far shorter.
    static constexpr unsigned kLongestChain = 32;

    [[nodiscard]] Bucket* bucket_at(std::uint32_t place) const noexcept {
        return buckets_ + (std::uint64_t{place} * count_ >> 32);
    }
    // Bit i: word i has this tag, unless another thread changed it since.
    static unsigned words_with(const Bucket& bucket, std::uint16_t tag) noexcept {
#if defined(__SSE4_1__) && !defined(__SANITIZE_THREAD__)
        // An aligned load reads each 8-byte word whole. A stale tag does no harm: entry_of() reads
        // the word again and compares it.
        static_assert(sizeof(bucket.words) == 56 && kTagShift == 48);
        const auto* const vectors = reinterpret_cast<const __m128i*>(&bucket);
        const auto upper_halves = [&](unsigned i) {
            const __m128 a = _mm_castsi128_ps(_mm_load_si128(vectors + i));
            const __m128 b = _mm_castsi128_ps(_mm_load_si128(vectors + i + 1));
            return _mm_srli_epi32(_mm_castps_si128(_mm_shuffle_ps(a, b, _MM_SHUFFLE(3, 1, 3, 1))),
                                  kTagShift - 32);
        };
        const __m128i tags = _mm_packus_epi32(upper_halves(0), upper_halves(2));
        const __m128i equal = _mm_cmpeq_epi16(tags, _mm_set1_epi16(static_cast<short>(tag)));
        const __m128i bytes = _mm_packs_epi16(equal, _mm_setzero_si128());
        constexpr unsigned kAllWords = (1U << Bucket::kWords) - 1;
        return static_cast<unsigned>(_mm_movemask_epi8(bytes)) & kAllWords;
#else
        unsigned same = 0;
        for (unsigned i = 0; i < Bucket::kWords; ++i) {
            const std::uint64_t word = bucket.words[i].load(std::memory_order_relaxed);
            same |= static_cast<unsigned>(word >> kTagShift == tag) << i;
        }
        return same;
#endif
    }
    static unsigned first_of(unsigned mask) noexcept {
        return static_cast<unsigned>(__builtin_ctz(mask));
    }
    // nullptr if the word has another tag.
    static const Entry* entry_of(const Bucket& bucket, unsigned word, std::uint16_t tag) noexcept {
        const std::uint64_t value = bucket.words[word].load(std::memory_order_acquire);
        if (value >> kTagShift != tag) return nullptr;
        return reinterpret_cast<const Entry*>(value & ((std::uint64_t{1} << kTagShift) - 1));
    }

    Bucket* buckets_ = nullptr;
    std::uint32_t count_ = 0;  // without the spare ones
};

// For the writer.
class EntryTable : private TableView {
  public:
    // For about `entries`. EAL must be initialized. Aborts with a message if there is no memory.
    explicit EntryTable(std::uint64_t entries);
    ~EntryTable();
    EntryTable(const EntryTable&) = delete;
    EntryTable& operator=(const EntryTable&) = delete;

    [[nodiscard]] const TableView& view() const noexcept { return *this; }
    void prefetch(TableKey key) const noexcept { __builtin_prefetch(bucket_of(key)); }
    template <class IsWanted>
    [[nodiscard]] const Entry* find(TableKey key, IsWanted is_wanted) const noexcept {
        return TableView::find(bucket_of(key), key.tag, is_wanted);
    }
    // Publishes `entry`. Returns false if no spare bucket is left.
    bool add(TableKey key, const Entry* entry) noexcept;
    // Publishes `entry` in place of `old`, which is in the table by the same key. A reader finds
    // one of them.
    void replace(TableKey key, const Entry* old, const Entry* entry) noexcept;
    // `place`: of the entry's key. Returns false if the entry is not there.
    bool remove(std::uint32_t place, const Entry* entry) noexcept;

  private:
    std::atomic<std::uint64_t>* word_of(std::uint32_t place, const Entry* entry) const noexcept;
    void give_back_empty(Bucket& first) noexcept;

    std::vector<std::uint32_t> spare_;  // buckets that continue none
};

}  // namespace steer::cache
