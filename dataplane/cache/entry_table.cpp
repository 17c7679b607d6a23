#include "dataplane/cache/entry_table.h"

#include <rte_debug.h>
#include <rte_malloc.h>

#include <algorithm>
#include <new>

#include "dataplane/base/memory_node.h"

namespace steer::cache {
namespace {

// So few that one bucket of twenty needs a spare one (Poisson's law).
constexpr std::uint64_t kEntriesPerBucket = 4;
// Several times as many spare buckets as that takes.
constexpr std::uint64_t kBucketsPerSpare = 4;
constexpr std::uint64_t kLeastBuckets = 64;

std::uint64_t word_with(std::uint16_t tag, const Entry* entry, unsigned shift) {
    return std::uint64_t{tag} << shift | reinterpret_cast<std::uintptr_t>(entry);
}

bool is_empty(const Bucket& bucket) {
    return std::all_of(bucket.words.begin(), bucket.words.end(),
                       [](const auto& w) { return w.load(std::memory_order_relaxed) == 0; });
}

}  // namespace

EntryTable::EntryTable(std::uint64_t entries) {
    const std::uint64_t own =
        std::min<std::uint64_t>(entries / kEntriesPerBucket + kLeastBuckets, UINT32_MAX / 2);
    const std::uint64_t spare = own / kBucketsPerSpare + kLeastBuckets;
    const std::size_t size = (own + spare) * sizeof(Bucket);
    void* const memory = allocate_near("cache_table", size, alignof(Bucket));
    if (memory == nullptr) {
        rte_panic("no memory for a cache table of %llu entries: give dataplane.memory more\n",
                  static_cast<unsigned long long>(entries));
    }
    buckets_ = new (memory) Bucket[own + spare];
    count_ = static_cast<std::uint32_t>(own);
    spare_.reserve(spare);
    for (std::uint64_t i = own + spare; i-- > own;)
        spare_.push_back(static_cast<std::uint32_t>(i));
}

EntryTable::~EntryTable() {
    rte_free(buckets_);
}

// Of this entry, or of none (nullptr: the first free word).
std::atomic<std::uint64_t>* EntryTable::word_of(std::uint32_t place,
                                                const Entry* entry) const noexcept {
    constexpr std::uint64_t kAddress = (std::uint64_t{1} << kTagShift) - 1;
    Bucket* bucket = bucket_at(place);
    for (;;) {
        for (auto& word : bucket->words) {
            if ((word.load(std::memory_order_relaxed) & kAddress) ==
                reinterpret_cast<std::uintptr_t>(entry))
                return &word;
        }
        const std::uint32_t next = bucket->next.load(std::memory_order_relaxed);
        if (next == 0) return nullptr;
        bucket = buckets_ + next;
    }
}

bool EntryTable::add(TableKey key, const Entry* entry) noexcept {
    const std::uint64_t value = word_with(key.tag, entry, kTagShift);
    if (auto* const word = word_of(key.place, nullptr); word != nullptr) {
        word->store(value, std::memory_order_release);
        return true;
    }
    if (spare_.empty()) return false;
    Bucket* last = bucket_at(key.place);
    for (unsigned i = 1; last->next.load(std::memory_order_relaxed) != 0; ++i) {
        if (i + 1 == kLongestChain) return false;
        last = buckets_ + last->next.load(std::memory_order_relaxed);
    }
    const std::uint32_t index = spare_.back();
    spare_.pop_back();
    buckets_[index].next.store(0, std::memory_order_relaxed);
    buckets_[index].words[0].store(value, std::memory_order_release);
    last->next.store(index, std::memory_order_release);
    return true;
}

void EntryTable::replace(TableKey key, const Entry* old, const Entry* entry) noexcept {
    auto* const word = word_of(key.place, old);
    if (word == nullptr) rte_panic("cache: the replaced entry is not in the table\n");
    word->store(word_with(key.tag, entry, kTagShift), std::memory_order_release);
}

bool EntryTable::remove(std::uint32_t place, const Entry* entry) noexcept {
    auto* const word = word_of(place, entry);
    if (word == nullptr) return false;
    word->store(0, std::memory_order_relaxed);
    Bucket& first = *bucket_at(place);
    if (first.next.load(std::memory_order_relaxed) != 0) give_back_empty(first);
    return true;
}

// Spare buckets behind `first`. A reader that is in one goes on from there: its `next` stays until
// the bucket is used again.
void EntryTable::give_back_empty(Bucket& first) noexcept {
    for (Bucket* before = &first;;) {
        const std::uint32_t index = before->next.load(std::memory_order_relaxed);
        if (index == 0) return;
        Bucket& bucket = buckets_[index];
        if (!is_empty(bucket)) {
            before = &bucket;
            continue;
        }
        before->next.store(bucket.next.load(std::memory_order_relaxed), std::memory_order_release);
        spare_.push_back(index);
    }
}

}  // namespace steer::cache
