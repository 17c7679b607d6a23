// The answers that all workers share. Readers never wait. The cache has shards, chosen by key. Each
// has one writer, the cache writer of a worker (docs/explanation/architecture.md).
//
// An entry is immutable except for a few relaxed atomics. The result of a lookup stays valid until
// the reader's next quiescent state. Memory is `budget_bytes`, taken at start, in one arena per shard.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "dataplane/base/birth.h"
#include "dataplane/base/buffer.h"
#include "dataplane/base/clock.h"
#include "dataplane/base/counters.h"
#include "dataplane/base/list_state.h"
#include "dataplane/cache/entry_table.h"
#include "dataplane/cache/key_lanes.h"
#include "dataplane/dns/answer.h"
#include "matchers/domain/label_hash.h"

struct rte_rcu_qsbr;

namespace steer::cache {

// KeyFacts::flags
inline constexpr std::uint8_t kKeyDo = 1, kKeyCd = 2, kKeyEcs = 4,
                              kKeyV4 =
                                  8;  // the client used IPv4; only in caches that distinguish it

// The facts that an answer depends on.
struct KeyFacts {
    // Lower-cased wire form with the root byte. With kKeyEcs, the client's subnet follows
    // (dns::Ecs::key()).
    std::span<const std::uint8_t> qname;
    std::uint16_t qtype;
    std::uint16_t qclass;
    std::uint16_t instance;
    std::uint8_t flags;
    std::uint8_t ecs_len = 0;  // bytes of the subnet in `qname`

    // All facts except the name, as the hash uses them.
    [[nodiscard, gnu::always_inline]] std::uint64_t word() const {
        return std::uint64_t{qtype} | std::uint64_t{qclass} << 16 | std::uint64_t{instance} << 32 |
               std::uint64_t{flags} << 48;
    }
};

struct Key {  // SipHash-1-3-128 of the facts, keyed with a secret of this process
    std::uint64_t low, high;
    bool operator==(const Key&) const = default;
};
class KeyHasher {
  public:
    explicit KeyHasher(std::span<const std::uint8_t, 16> secret,
                       KeyLanes lanes = chosen_key_lanes());
    [[nodiscard]] Key operator()(const KeyFacts& facts) const noexcept;
    // The same for `n` keys; computes several at a time where that is faster.
    void bulk(const KeyFacts* facts, unsigned n, Key* keys) const noexcept {
        bulk_(k0_, k1_, facts, n, keys);
    }
    // The hash of a name, for the name memo, and seeds (an empty name).
    [[nodiscard]] Key of_name(std::span<const std::uint8_t> qname) const noexcept;
    // A shorter hash of at least one byte with a secret of its own, as matchers/domain has for
    // labels: for the choice of an owner worker and for quotas. A fifth of the cost of of_name().
    [[nodiscard]] std::uint64_t spread_of(std::span<const std::uint8_t> bytes) const noexcept {
        return spread_.down(spread_.seed, bytes.data(), bytes.size());
    }
    [[nodiscard]] KeyLanes lanes() const noexcept { return lanes_; }

  private:
    std::uint64_t k0_, k1_;
    matchers::LabelHash spread_;
    BulkKeys bulk_;
    KeyLanes lanes_;
};

// Bytes of a name in an entry, where the answer follows.
constexpr std::size_t padded_name(std::size_t length) noexcept {
    return (length + 7) & ~std::size_t{7};
}

inline constexpr std::size_t kEntryLists =
    4;  // maximum lists per entry; an answer with more is not cached

// The layout of a cached answer: a header of one cache line, then the name, then the answer. K: the
// cache writer writes the field before it publishes the entry; then it is immutable. W: any worker
// writes it (relaxed). Data that only the cache writer uses is in arena.h. So its writes never take
// this cache line away from readers.
struct alignas(64) Entry {
    std::atomic<std::uint64_t> tags;        // W: generation << 32 | id of the tag set and a flag
                                            // (policy/entry_words.h); 0: unknown
    std::atomic<std::uint64_t> claim;       // W: event/claim_word.h; 0: unknown
    std::atomic<std::uint32_t> visited;     // W: set by lookup(), cleared by eviction
    std::uint32_t expires_s;                // K: CLOCK_BOOTTIME: fresh until this second
    Birth born;                             // K: the age of the body counts from here
    std::uint16_t qtype, qclass, instance;  // K: equal to the facts of the key
    std::uint8_t flags;                     // K: KeyFacts::flags
    std::uint8_t list_count;                // K
    std::array<ListId, kEntryLists> lists;  // K: lists claimed in the cache's sequence
    std::uint32_t ttl_cap_s;                // K: cap of the lists above; UINT32_MAX: none
    std::uint8_t qname_len;                 // K: includes the subnet
    std::uint8_t size_class;                // K: of the arena
    std::uint8_t ecs_len;                   // K: KeyFacts::ecs_len
    std::atomic<std::uint8_t> hits;         // W: hits, counted up to the limit of `prefetch`
    std::uint32_t usable_until_s;           // K: >= expires_s; stale answers are served until then
    // W: after this second, a hit needs more work than an answer (stale, popular, or a failure). At
    // most expires_s if usable_until_s is later.
    std::atomic<std::uint32_t> refresh_check_s;
    std::atomic<std::uint32_t> refresh_s;  // W: no background refresh begins before this second
    // The name follows (padded to 8), then a dns::Answer.

    // The name and the bytes that follow it.
    [[nodiscard]] std::span<const std::uint8_t> qname() const {
        return {reinterpret_cast<const std::uint8_t*>(this + 1), qname_len};
    }
    [[nodiscard]] std::span<const std::uint8_t> name() const {
        return qname().first(qname_len - std::size_t{ecs_len});
    }
    [[nodiscard]] const dns::Answer& answer() const {
        return *reinterpret_cast<const dns::Answer*>(
            reinterpret_cast<const std::uint8_t*>(this + 1) + padded_name(qname_len));
    }
};
static_assert(sizeof(Entry) == 64 && alignof(Entry) == 64,
              "one cache line: all that a hit reads before the name");

// The payload of a MessageKind::insert. The name (lower-cased, padded to 8) and the Answer follow.
struct Insert {
    Key key;
    std::uint32_t serial;  // of the answer; a serial is inserted once per key
    std::uint32_t life_s;  // how long it is fresh, from the buffer's `born_ms`
    std::uint16_t qtype, qclass, instance;
    std::uint8_t flags;
    std::uint8_t list_count;
    std::array<ListId, kEntryLists> lists;
    std::uint32_t ttl_cap_s;
    std::uint32_t tag_generation, tag_set;
    std::uint32_t stale_s;                // how long it is stale after `life_s`
    std::uint32_t refresh_check_after_s;  // birth to Entry::refresh_check_s; kNoRefreshCheck
    std::uint8_t qname_len;
    std::uint8_t ecs_len;
    std::uint8_t hits, visited;  // initial values in the Entry; not 0 for a restored answer
};
static_assert(sizeof(Insert) == 64);
inline constexpr std::uint32_t kNoRefreshCheck = UINT32_MAX;

inline constexpr std::size_t kMaxInstances = 64;
static_assert(kMaxInstances == kCountedCaches, "lookups are counted for each");

struct CacheOptions {
    std::size_t budget_bytes = std::size_t{64} << 20;
    // Maximum entries per instance id, at most kMaxInstances instances. The sum sizes the hash
    // table.
    std::span<const std::uint32_t> instance_sizes;
    // At most one shard per worker.
    unsigned shards = 1, workers = 1;
    std::span<const int> shard_nodes{};  // NUMA node of each shard; empty: that of the caller
};
// The worker that is the cache writer of a shard.
constexpr unsigned writer_of_shard(unsigned shard, unsigned shards, unsigned workers) noexcept {
    return shard * workers / shards;
}

// Counts of one instance since the start.
struct InstanceStats {
    std::uint32_t limit = 0, entries = 0;
    std::uint64_t bytes = 0;  // sum of the slots' sizes
    std::uint64_t inserts = 0, evictions = 0, flushed = 0;
};

using SlotId = std::uint32_t;  // of an entry in a shard (arena.h)

struct CacheShard;

class Cache {
  public:
    static constexpr unsigned kBulk = 32;
    static constexpr unsigned kMaxShards = 32;
    static constexpr std::size_t kMaxOrders = 512;

    // EAL must be initialized. Aborts with a message if there is no memory.
    Cache(const CacheOptions& options, rte_rcu_qsbr* qsbr);
    ~Cache();
    Cache(const Cache&) = delete;
    Cache& operator=(const Cache&) = delete;

    // For readers: out[i] is the entry of facts[i] and keys[i], or nullptr. All facts are compared.
    // The entry is usable at `now_s`, perhaps stale (expires_s). n <= kBulk. Prefetches over all
    // keys, whatever their shards are.
    void lookup(const Key* keys, const KeyFacts* facts, unsigned n, std::uint32_t now_s,
                const Entry** out) const noexcept;

    // The shard of a key: bits of Key::low that no table uses.
    [[nodiscard]] unsigned shards() const noexcept { return shard_count_; }
    [[nodiscard]] unsigned shard_of(std::uint64_t key_low, std::uint16_t instance) const noexcept {
        const Placement placement = placements_[instance];
        const auto shard =
            static_cast<unsigned>(placement.first + ((key_low >> 48) * placement.shards >> 16));
        return shard < shard_count_ ? shard : shard - shard_count_;
    }
    [[nodiscard]] unsigned shard_of(const Insert& insert) const noexcept {
        return shard_of(insert.key.low, insert.instance);
    }
    // The worker that writes a shard; the only one that may insert this MessageKind::insert.
    [[nodiscard]] unsigned writer_of(unsigned shard) const noexcept {
        return writer_of_shard(shard, shard_count_, workers_);
    }
    [[nodiscard]] unsigned writer_of(const Buffer& insert) const noexcept;

    // For a reader that keeps a lookup's result after its quiescent state. The cache has kShares
    // shares, chosen by key. A share's epoch increases when an entry of the share is removed or
    // replaced, before the entry's grace period begins. Read the epoch before the lookup, and again
    // in the turn that uses the entry. The entry is valid if both are equal.
    static constexpr std::size_t kShares = 512;
    [[nodiscard]] std::uint16_t share_of(const Key& key, std::uint16_t instance) const noexcept {
        // Each shard has its own shares: one thread writes the epoch.
        const std::uint32_t place = TableKey(key.low).place;
        return static_cast<std::uint16_t>(shard_of(key.low, instance) << share_bits_ |
                                          place >> (32 - share_bits_));
    }
    [[nodiscard]] std::uint64_t epoch(std::uint16_t share) const noexcept {
        return epochs_[share].load(std::memory_order_acquire);
    }
    // Prefetches the lines that a lookup reads: header, name, and the beginning of most answers.
    static void prefetch(const Entry* entry) noexcept {
        for (unsigned line = 0; line < 4; ++line)
            __builtin_prefetch(reinterpret_cast<const std::uint8_t*>(entry) + 64 * line);
    }
    // Marks an entry as used.
    static void touch(const Entry& entry) noexcept {
        // Written only if it changes: a line without writes stays in every worker's CPU cache.
        auto& visited = const_cast<Entry&>(entry).visited;
        if (visited.load(std::memory_order_relaxed) == 0)
            visited.store(1, std::memory_order_relaxed);
    }

    // For the cache writer of the key's shard, or for a caller that is the writer of all shards, as
    // at the start. Copies the buffer's content; the caller keeps the buffer.
    // Replaces an entry with the same key, unless that has the same serial. Evicts entries for
    // space (SIEVE). Bounded work. Counts answers that are larger than the largest slot
    // (Stat::cache_too_big). Counts answers that find no space before a grace period ends
    // (Stat::cache_insert_no_room, cache_insert_table_full).
    void insert(const Buffer& buffer, Now now, Counters& counters) noexcept;
    // The same for bytes with a known birth: CLOCK_BOOTTIME modulo 2^32, possibly before the
    // machine's start.
    void insert(std::span<const std::uint8_t> message, Birth born, Now now,
                Counters& counters) noexcept;
    // The same without a message between: `name` as in the facts of the key, `answer` as for
    // build_insert().
    void insert(const Insert& head, std::span<const std::uint8_t> name, const Buffer& answer,
                Now now, Counters& counters) noexcept;
    // For the shard's cache writer, once per loop: frees slots after their grace period, does the
    // next step of control's orders, and of a page move between size classes. Bounded work. Returns
    // true if there is more to do at once.
    bool turn(unsigned shard, Now now, Counters& counters) noexcept;
    // These are for a caller that is the writer of all shards. A turn of each shard:
    bool turn(Now now, Counters& counters) noexcept;
    // Frees slots; returns true if some still wait.
    bool reclaim() noexcept;
    // Drops all entries; the work is proportional to their number.
    void flush() noexcept;

    // Any thread: sets an instance's maximum number of entries. The tables do not grow. If the sum
    // exceeds the sizes at start, the instances take space from each other. Each shard of the
    // instance has its part of the maximum, at least 1, so one may evict a little earlier. An
    // instance stays in the shards that it has since the start.
    void set_instance_size(std::uint16_t instance, std::uint32_t entries) noexcept;
    // Whether an instance of this size would have more shards if the cache were made now.
    [[nodiscard]] bool outgrows(std::uint16_t instance, std::uint32_t entries) const noexcept;

    // For one thread of control: orders a shard's cache writer to drop entries that this thread's
    // walk (walk.h) has just returned and still holds. The walk continues when no order is pending.
    // At most kMaxOrders.
    void ask_to_drop(unsigned shard, std::span<const SlotId> entries) noexcept;
    [[nodiscard]] bool orders_pending(unsigned shard) const noexcept;
    [[nodiscard]] bool orders_pending() const noexcept;
    // For the same thread: offers answers to the cache writers, each in the format of a
    // MessageKind::insert. A cache writer takes a few per turn. It skips an answer if its own is
    // as young or younger. The data must stay valid while offers are pending. At most kMaxOrders.
    struct Offer {
        std::span<const std::uint8_t> message;
        Birth born;
    };
    void offer(std::span<const Offer> offers) noexcept;
    [[nodiscard]] bool offers_pending(unsigned shard) const noexcept;
    [[nodiscard]] bool offers_pending() const noexcept;
    // The number of the last offers that the cache skipped. Valid when no offer is pending.
    [[nodiscard]] unsigned offers_known() const noexcept;

    // Any thread: until `until_ms` of its clock, the cache writers ignore inserts of answers born
    // at `born_ms` or before. These were in flight while the cache was flushed.
    void refuse_born_until(std::uint64_t born_ms, std::uint64_t until_ms) noexcept;

    [[nodiscard]] std::size_t entries() const noexcept;  // any thread
    [[nodiscard]] std::size_t bytes_used()
        const noexcept;  // any thread; includes slots that wait to be freed
    [[nodiscard]] InstanceStats instance_stats(
        std::uint16_t instance) const noexcept;  // any thread

  private:
    friend class Walk;
    // The shards of an instance: `shards` of them from `first` on.
    struct Placement {
        std::uint8_t first = 0, shards = 1;
    };

    [[nodiscard]] bool is_flushed(const Buffer& buffer, Now now) const noexcept;
    [[nodiscard]] unsigned shards_for(std::uint32_t entries) const noexcept;
    void place_instances(const CacheOptions& options);
    void make_shards(const CacheOptions& options);
    [[nodiscard]] std::uint32_t part_of(std::uint16_t instance, unsigned shard,
                                        std::uint32_t entries) const noexcept;

    // The cache writers write them, each its own lines.
    alignas(64) std::array<std::atomic<std::uint64_t>, kShares> epochs_{};
    // Constant. What a lookup reads.
    std::array<TableView, kMaxShards> tables_{};
    std::array<Placement, kMaxInstances> placements_{};
    const unsigned shard_count_, workers_, share_bits_;
    rte_rcu_qsbr* const qsbr_;
    std::vector<std::unique_ptr<CacheShard>> shards_;
    // Inserts of answers born at or before the first time are refused until the second time (ms).
    // Control writes both.
    alignas(64) std::atomic<std::int64_t> flushed_born_ms_{INT64_MIN};
    std::atomic<std::uint64_t> flushed_until_ms_{0};
    alignas(64) std::array<Offer, kMaxOrders> offers_{};  // control writes them, by shard
};
static_assert(Cache::kShares / Cache::kMaxShards * sizeof(std::uint64_t) >= 64,
              "the epochs of two shards are in different lines");

}  // namespace steer::cache
