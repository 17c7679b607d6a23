// What the cache is made of; for the sources of this folder only.
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

// What rte_hash has of a key: its lower half, which with its value is 16 bytes. Two answers that share it, one pair in
// 2^64, take each other's place; a reader compares all facts anyway.
using TableKey = std::uint64_t;

// Slots chained by Slot::next, first in, first out.
struct Chain {
    SlotId first = kNoSlot;
    SlotId last = kNoSlot;
};

// What an insert's buffer holds; `name_and_answer` is laid out as in an entry.
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

    // Written by the cache writer (the limit: by control), read by anybody.
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
    // Brings what the table has of these keys into the CPU's cache, many at a time.
    void warm(const TableKey* keys, unsigned n) const noexcept;
    void drop(SlotId id) noexcept;
    void replace(const Entry* old, TableKey key) noexcept;
    void unlink(SlotId id) noexcept;
    void retire(SlotId id, TableKey key) noexcept;

    // room.cpp: whose place a new entry takes
    SlotId make_room(unsigned size_class, Now now, Counters& counters) noexcept;
    [[nodiscard]] SlotId victim_of_class(unsigned size_class, Now now) noexcept;
    void evict(SlotId id, Counters& counters) noexcept;
    bool evict_from_class(unsigned size_class, Now now, Counters& counters) noexcept;
    bool evict_from_instance(Instance& instance, unsigned size_class, Now now,
                             Counters& counters) noexcept;
    [[nodiscard]] std::size_t reserve_of(unsigned size_class) const noexcept;
    void keep_reserve(unsigned size_class, Now now, Counters& counters) noexcept;
    bool reclaim(unsigned most) noexcept;

    // room.cpp: pages from a class that has more than it needs to one in need
    void want_page(unsigned size_class) noexcept;
    bool move_page(Now now, Counters& counters) noexcept;

    // flush.cpp
    bool carry_out_orders(Counters& counters) noexcept;

    rte_hash* table;  // all that readers read of this
    alignas(64) Arena arena;
    rte_rcu_qsbr* qsbr;
    Epochs& epochs;  // the cache's
    std::array<Instance, kMaxInstances> instances;
    // Retired slots: those that were there when the grace period began, and those that came since.
    Chain waiting, fresh;
    std::array<std::size_t, kClasses> retired{};
    bool in_grace = false;
    std::uint64_t token = 0;
    Pressure pressure;
    PageMove move;
    std::atomic<std::size_t> entries{0};
    std::atomic<std::size_t> bytes{0};

    // What control asks for; its words are in one line. `slots` are good while `pending` is not 0: control writes both, the cache writer counts
    // how far it is and sets `pending` back (release) when all are done.
    struct alignas(64) Orders {
        std::array<SlotId, Cache::kMostOrders> slots;
        std::atomic<std::uint32_t> pending{0};
        std::uint32_t done = 0;  // cache writer's
        // Answers that it offers, in the same way: `offers` is good while `offered` is not 0.
        std::atomic<std::uint32_t> offered{0};
        std::uint32_t offers_done = 0, known = 0;  // cache writer's
        const Offer* offers = nullptr;
    };
    Orders orders;
    // What was born until then is not taken any more, until the second time (ms).
    std::atomic<std::int64_t> flushed_born_ms{INT64_MIN};
    std::atomic<std::uint64_t> flushed_until_ms{0};
};

}  // namespace steer::cache
