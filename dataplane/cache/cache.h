// Answers, shared by all workers. Readers never wait; the cache writer is the only writer (docs/explanation/architecture.md section 4).
//
// An entry is immutable but for a few relaxed atomics. What lookup returns stays valid until the reader's next
// quiescent state. Memory is one arena of `budget_bytes`, taken at start.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <span>

#include "dataplane/base/birth.h"
#include "dataplane/base/buffer.h"
#include "dataplane/base/clock.h"
#include "dataplane/base/counters.h"
#include "dataplane/base/list_state.h"
#include "dataplane/cache/key_lanes.h"
#include "dataplane/dns/answer.h"

struct rte_rcu_qsbr;

namespace steer::cache {

// KeyFacts::flags
inline constexpr std::uint8_t kKeyDo = 1, kKeyCd = 2, kKeyEcs = 4,
                              kKeyV4 = 8;  // of a client that asked over IPv4, where that matters

// What an answer depends on.
struct KeyFacts {
    // Lower-cased wire form with the root byte; with kKeyEcs the client's subnet behind it (dns::Ecs::key()).
    std::span<const std::uint8_t> qname;
    std::uint16_t qtype;
    std::uint16_t qclass;
    std::uint16_t instance;
    std::uint8_t flags;
    std::uint8_t ecs_len = 0;  // of `qname`, the subnet's share

    // All but the name, as it is hashed.
    [[nodiscard, gnu::always_inline]] std::uint64_t word() const {
        return std::uint64_t{qtype} | std::uint64_t{qclass} << 16 | std::uint64_t{instance} << 32 |
               std::uint64_t{flags} << 48;
    }
};

struct Key {  // SipHash-1-3-128 of the facts under a secret of this process
    std::uint64_t low, high;
    bool operator==(const Key&) const = default;
};
class KeyHasher {
  public:
    explicit KeyHasher(std::span<const std::uint8_t, 16> secret,
                       KeyLanes lanes = chosen_key_lanes());
    [[nodiscard]] Key operator()(const KeyFacts& facts) const noexcept;
    // The same for `n` of them, several at a time where that is faster.
    void bulk(const KeyFacts* facts, unsigned n, Key* keys) const noexcept {
        bulk_(k0_, k1_, facts, n, keys);
    }
    // Of a name alone: for the name memo, the choice of an owner worker, seeds (an empty one).
    [[nodiscard]] Key of_name(std::span<const std::uint8_t> qname) const noexcept;
    [[nodiscard]] KeyLanes lanes() const noexcept { return lanes_; }

  private:
    std::uint64_t k0_, k1_;
    BulkKeys bulk_;
    KeyLanes lanes_;
};

inline constexpr std::size_t kEntryLists =
    4;  // lists that an entry can remember; an answer with more is not cached

// The layout of one cached answer: a header of one cache line, then the name, then the answer. Who writes: K cache writer
// before publishing (then immutable), W any worker (relaxed). What only the cache writer needs lies elsewhere (arena.h),
// so that it never takes this line away from readers.
struct alignas(64) Entry {
    std::atomic<std::uint64_t> tags;  // W: generation << 32 | tag-set id; 0: not known
    std::atomic<std::uint64_t>
        claim;  // W: next event at (s) << 32 | stamp (sum of epochs and lists)
    std::atomic<std::uint32_t> visited;     // W: set by lookup(), cleared by eviction
    std::uint32_t expires_s;                // K: CLOCK_BOOTTIME: fresh until then
    Birth born;                             // K: the age of the body counts from here
    std::uint16_t qtype, qclass, instance;  // K: compared with the facts
    std::uint8_t flags;                     // K: KeyFacts::flags
    std::uint8_t list_count;                // K
    std::array<ListId, kEntryLists> lists;  // K: claimed inside the cache's wrap
    std::uint32_t ttl_cap_s;                // K: cap of the lists above; UINT32_MAX: none
    std::uint8_t qname_len;                 // K: with the subnet's share
    std::uint8_t size_class;                // K: of the arena
    std::uint8_t ecs_len;                   // K: KeyFacts::ecs_len
    std::atomic<std::uint8_t> hits;         // W: counted up to what `prefetch` asks for
    std::uint32_t usable_until_s;           // K: at least expires_s: found that long, as stale
    // W: a hit from then on has more to do than to be answered (it is stale, popular, a failure). At most
    // expires_s where usable_until_s is later.
    std::atomic<std::uint32_t> refresh_check_s;
    std::atomic<std::uint32_t> refresh_s;  // W: no background refresh begins before
    // then: qname (padded to 8), then a dns::Answer

    // The name, and what is behind it.
    [[nodiscard]] std::span<const std::uint8_t> qname() const {
        return {reinterpret_cast<const std::uint8_t*>(this + 1), qname_len};
    }
    [[nodiscard]] std::span<const std::uint8_t> name() const {
        return qname().first(qname_len - std::size_t{ecs_len});
    }
    [[nodiscard]] const dns::Answer& answer() const {
        return *reinterpret_cast<const dns::Answer*>(
            reinterpret_cast<const std::uint8_t*>(this + 1) + ((qname_len + 7U) & ~7U));
    }
};
static_assert(sizeof(Entry) == 64 && alignof(Entry) == 64,
              "one line: what a hit reads before the name");

// Payload of the buffer of a MessageKind::insert, followed by the qname (lower-cased, padded to 8) and the Answer.
struct Insert {
    Key key;
    std::uint32_t serial;  // of the answer: the same serial under the same key is inserted once
    std::uint32_t life_s;  // how long it may be served from `born_ms` of the buffer
    std::uint16_t qtype, qclass, instance;
    std::uint8_t flags;
    std::uint8_t list_count;
    std::array<ListId, kEntryLists> lists;
    std::uint32_t ttl_cap_s;
    std::uint32_t tag_generation, tag_set;
    std::uint32_t stale_s;                // how much longer than `life_s` it may be served as stale
    std::uint32_t refresh_check_after_s;  // from birth: Entry::refresh_check_s; kNoRefreshCheck
    std::uint8_t qname_len;
    std::uint8_t ecs_len;
    std::uint8_t hits, visited;  // what Entry's begin with: not 0 for what was dumped
};
static_assert(sizeof(Insert) == 64);
inline constexpr std::uint32_t kNoRefreshCheck = UINT32_MAX;

inline constexpr std::size_t kMaxInstances = 64;

struct CacheOptions {
    std::size_t budget_bytes = std::size_t{64} << 20;
    // Entries per instance id, at most kMaxInstances; the sum sizes the table.
    std::span<const std::uint32_t> instance_sizes;
};

// One instance in numbers, since the start.
struct InstanceStats {
    std::uint32_t limit = 0, entries = 0;
    std::uint64_t bytes = 0;  // of slots
    std::uint64_t inserts = 0, evictions = 0, flushed = 0;
};

using SlotId = std::uint32_t;  // of an entry (arena.h)

class Cache {
  public:
    static constexpr unsigned kBulk = 32;
    static constexpr std::size_t kMostOrders = 512;

    // EAL must be up. Aborts with a message if there is no memory.
    Cache(const CacheOptions& options, rte_rcu_qsbr* qsbr);
    ~Cache();
    Cache(const Cache&) = delete;
    Cache& operator=(const Cache&) = delete;

    // Reader: out[i] is the entry of facts[i]/keys[i], compared in full and usable at `now_s` (perhaps stale: its
    // expires_s says), or nullptr. n <= kBulk. One bulk lookup, prefetched.
    void lookup(const Key* keys, const KeyFacts* facts, unsigned n, std::uint32_t now_s,
                const Entry** out) const noexcept;

    // For a reader who keeps what lookup returned beyond its quiescent state: the cache is in kShares shares, by key, and
    // a share's epoch goes up when an entry of it is taken out or replaced, before a grace period for it begins. An
    // entry may be used as long as its share has the epoch that it had, read in this reader's present turn, and
    // had before the lookup.
    static constexpr std::size_t kShares = 512;
    // Of the bits of Key::low that rte_hash does not choose a bucket by.
    static std::uint16_t share_of(std::uint64_t key_low) noexcept {
        return static_cast<std::uint16_t>((key_low >> 48) % kShares);
    }
    static std::uint16_t share_of(const Key& key) noexcept { return share_of(key.low); }
    [[nodiscard]] std::uint64_t epoch(std::uint16_t share) const noexcept {
        return epochs_[share].load(std::memory_order_acquire);
    }
    // What lookup does with what the table has: the header, the name and the beginning of most answers.
    static void prefetch(const Entry* entry) noexcept {
        for (unsigned line = 0; line < 4; ++line)
            __builtin_prefetch(reinterpret_cast<const std::uint8_t*>(entry) + 64 * line);
    }
    // ... and to an entry that is what was looked for.
    static void touch(const Entry& entry) noexcept {
        // Written only when it changes something: a line that is only read is in every worker's cache.
        auto& visited = const_cast<Entry&>(entry).visited;
        if (visited.load(std::memory_order_relaxed) == 0)
            visited.store(1, std::memory_order_relaxed);
    }

    // CacheWriter (one thread). Copies what the buffer holds; the buffer stays the caller's. An entry of the same key is
    // replaced, unless it came from the same answer (serial). Evicts for room (SIEVE). Bounded work. Counted: what is
    // larger than the largest slot (Stat::cache_too_big), and what finds no room because a grace period has
    // not ended yet (Stat::cache_insert_no_room, cache_insert_table_full).
    void insert(const Buffer& buffer, Now now, Counters& counters) noexcept;
    // The same for bytes of which the caller knows when they were born: CLOCK_BOOTTIME modulo 2^32, so that it may
    // lie before the machine's start.
    void insert(std::span<const std::uint8_t> message, Birth born, Now now,
                Counters& counters) noexcept;
    // CacheWriter: frees what a grace period has passed for; bounded work. True: something still waits.
    bool reclaim() noexcept;
    // CacheWriter, once per loop: reclaim(), and the next step of what control ordered and of pages that move between size
    // classes. Bounded work. True: there is more to do at once.
    bool turn(Now now, Counters& counters) noexcept;
    // CacheWriter: drops everything. As much work as there are entries.
    void flush() noexcept;

    // Any thread: how many entries an instance may have from now on. The table does not grow: above the sizes given
    // at start the instances take room from each other.
    void set_instance_size(std::uint16_t instance, std::uint32_t entries) noexcept;

    // One thread of control: asks the cache writer to drop entries that this thread's walk (walk.h) has just seen and still
    // holds: it goes on when none is pending any more. At most kMostOrders.
    void ask_to_drop(std::span<const SlotId> entries) noexcept;
    [[nodiscard]] bool orders_pending() const noexcept;
    // The same thread: offers the cache writer answers, each as in the buffer of a MessageKind::insert. It takes a few in a turn,
    // but for those that it has as young; what they point to stays while offers are pending. At most kMostOrders.
    struct Offer {
        std::span<const std::uint8_t> message;
        Birth born;
    };
    void offer(std::span<const Offer> offers) noexcept;
    [[nodiscard]] bool offers_pending() const noexcept;
    // How many of the last ones the cache had as young, when none is pending.
    [[nodiscard]] unsigned offers_known() const noexcept;

    // Any thread: until the cache writer's clock is `until_ms`, inserts of answers born at `born_ms` or before are ignored:
    // they were on their way while the cache was flushed.
    void refuse_born_until(std::uint64_t born_ms, std::uint64_t until_ms) noexcept;

    [[nodiscard]] std::size_t entries() const noexcept;  // any thread
    [[nodiscard]] std::size_t bytes_used()
        const noexcept;  // any thread; with what still waits to be freed
    [[nodiscard]] InstanceStats instance_stats(
        std::uint16_t instance) const noexcept;  // any thread

  private:
    friend class Walk;
    bool take_offers(Now now, Counters& counters) noexcept;
    struct Impl;
    alignas(
        64) std::array<std::atomic<std::uint64_t>, kShares> epochs_{};  // the cache writer writes
    std::unique_ptr<Impl> impl_;
};

}  // namespace steer::cache
