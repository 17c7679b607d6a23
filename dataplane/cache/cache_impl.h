// The cache's implementation, for the sources of this folder only.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <span>

#include "dataplane/cache/arena.h"
#include "dataplane/cache/cache.h"
#include "dataplane/cache/page_move.h"
#include "dataplane/cache/sieve.h"

struct rte_hash;

namespace steer::cache {

// The part of a key that rte_hash stores: the lower half. With its value it has 16 bytes. Two
// answers with the same half (probability 2^-64) replace each other. A reader compares all facts
// anyway.
using TableKey = std::uint64_t;

// Slots chained by Slot::next, first in, first out.
struct Chain {
    SlotId first = kNoSlot;
    SlotId last = kNoSlot;
};

// The content of an insert's buffer. `name_and_answer` has the layout of an entry.
struct Payload {
    const Insert& head;
    std::span<const std::uint8_t> name_and_answer;
    Birth born;
};

struct Cache::Impl {
    using Epochs = std::array<std::atomic<std::uint64_t>, kShares>;

    Impl(const CacheOptions& options, rte_rcu_qsbr* readers, Epochs& shares);
    ~Impl();
    Impl(const Impl&) = delete;
    Impl& operator=(const Impl&) = delete;

    // The cache writer writes it, except `limit`, which control writes. Any thread may read it.
    struct Instance {
        std::array<Sieve, kClasses> queues;
        std::atomic<std::uint32_t> limit{0};
        std::atomic<std::uint32_t> entries{0};
        std::atomic<std::uint64_t> bytes{0};
        Count inserts, evictions, flushed;
    };

    // cache.cpp
    void insert(const Payload& payload, Now now, Counters& counters) noexcept;
    [[nodiscard]] const Entry* find(const Key& key) const noexcept;
    // Prefetches the table's data for these keys, many at a time.
    void warm(const TableKey* keys, unsigned n) const noexcept;
    void drop(SlotId id) noexcept;
    void replace(const Entry* old, TableKey key) noexcept;
    void unlink(SlotId id) noexcept;
    void retire(SlotId id, TableKey key) noexcept;

    // eviction.cpp: which entry is evicted for a new one
    SlotId make_room(unsigned size_class, Now now, Counters& counters) noexcept;
    [[nodiscard]] SlotId victim_of_class(unsigned size_class, Now now) noexcept;
    void evict(SlotId id, Counters& counters) noexcept;
    bool evict_from_class(unsigned size_class, Now now, Counters& counters) noexcept;
    bool evict_from_instance(Instance& instance, unsigned size_class, Now now,
                             Counters& counters) noexcept;
    [[nodiscard]] std::size_t reserve_of(unsigned size_class) const noexcept;
    void keep_reserve(unsigned size_class, Now now, Counters& counters) noexcept;
    bool reclaim(unsigned most) noexcept;

    // eviction.cpp: moves pages from a class that can spare them to one that needs them
    void want_page(unsigned size_class) noexcept;
    bool move_page(Now now, Counters& counters) noexcept;

    // flush.cpp
    bool carry_out_orders(Counters& counters) noexcept;

    rte_hash* table;  // the only member that readers use
    alignas(64) Arena arena;
    rte_rcu_qsbr* qsbr;
    Epochs& epochs;  // those of the Cache
    std::array<Instance, kMaxInstances> instances;
    // Retired slots: those retired before the present grace period began, and those retired since.
    Chain waiting, fresh;
    std::array<std::size_t, kClasses> retired{};
    bool in_grace = false;
    std::uint64_t token = 0;
    Pressure pressure;
    PageMove move;
    std::atomic<std::size_t> entries{0};
    std::atomic<std::size_t> bytes{0};

    // Orders of control, in one cache line. `slots` is valid while `pending` is not 0. Control
    // writes both. The cache writer counts its progress, and sets `pending` to 0 (release) when all
    // are done.
    struct alignas(64) Orders {
        std::array<SlotId, Cache::kMaxOrders> slots;
        std::atomic<std::uint32_t> pending{0};
        std::uint32_t done = 0;  // of the cache writer
        // Offered answers, in the same manner: `offers` is valid while `offered` is not 0.
        std::atomic<std::uint32_t> offered{0};
        std::uint32_t offers_done = 0, known = 0;  // of the cache writer
        const Offer* offers = nullptr;
    };
    Orders orders;
    // Inserts of answers born at or before the first time are refused until the second time (ms).
    std::atomic<std::int64_t> flushed_born_ms{INT64_MIN};
    std::atomic<std::uint64_t> flushed_until_ms{0};
};

}  // namespace steer::cache
