// A shard of the cache: a table, memory and queues of its own, which one worker writes. For the
// sources of this folder only.
#pragma once

#include <array>
#include <atomic>
#include <cstdint>
#include <span>

#include "dataplane/cache/arena.h"
#include "dataplane/cache/cache.h"
#include "dataplane/cache/entry_table.h"
#include "dataplane/cache/page_move.h"
#include "dataplane/cache/sieve.h"

namespace steer::cache {

// Slots chained by Slot::next(), first in, first out.
struct Chain {
    SlotId first = kNoSlot;
    SlotId last = kNoSlot;
};

// What an entry is made of. `name`: with the subnet, not padded.
struct Payload {
    const Insert& head;
    std::span<const std::uint8_t> name, answer;
    Birth born;
};

// Slots that are freed in one turn.
inline constexpr unsigned kFreedAtOnce = 128;

// Whether the fields of this MessageKind::insert agree with its size.
[[nodiscard]] bool is_well_formed(std::span<const std::uint8_t> message) noexcept;
// Of a message that is well-formed.
[[nodiscard]] Payload payload_of(std::span<const std::uint8_t> message, Birth born) noexcept;

struct CacheShard {
    // This shard's part of Cache's epochs, of 2^(32 - shift) words.
    struct Epochs {
        std::atomic<std::uint64_t>* words;
        unsigned shift;
    };

    CacheShard(std::size_t budget_bytes, std::uint64_t most_entries, rte_rcu_qsbr* readers,
               Epochs shares, bool is_only);
    CacheShard(const CacheShard&) = delete;
    CacheShard& operator=(const CacheShard&) = delete;

    // The cache writer writes it, except `limit`, which control writes. Any thread may read it.
    struct Instance {
        // The instance at its limit evicts from the queue of all its entries. If memory is short, a
        // size class evicts from its own queue.
        Sieve<&Slot::of_instance> queue;
        std::array<Sieve<&Slot::of_class>, kClasses> classes;
        std::atomic<std::uint32_t> limit{0};
        std::atomic<std::uint32_t> entries{0};
        std::atomic<std::uint64_t> bytes{0};
        Count inserts, evictions, flushed;
    };

    // cache_shard.cpp
    // The key belongs to this shard.
    void insert(const Payload& payload, Now now, Counters& counters) noexcept;
    [[nodiscard]] const Entry* find(const Payload& payload) const noexcept;
    void flush() noexcept;
    void drop(SlotId id) noexcept;
    void unlink(SlotId id) noexcept;
    void retire(SlotId id) noexcept;

    // eviction.cpp: which entry is evicted for a new one
    SlotId make_room(unsigned size_class, Now now, Counters& counters) noexcept;
    [[nodiscard]] SlotId victim_of_class(unsigned size_class, Now now) noexcept;
    void evict(SlotId id, Counters& counters) noexcept;
    void evict_from_class(unsigned size_class, Now now, Counters& counters) noexcept;
    void evict_from_instance(Instance& instance, Now now, Counters& counters) noexcept;
    [[nodiscard]] std::size_t reserve_of(unsigned size_class) const noexcept;
    void keep_reserve(unsigned size_class, Now now, Counters& counters) noexcept;
    bool reclaim(unsigned most) noexcept;
    bool turn(Now now, Counters& counters) noexcept;

    // eviction.cpp: moves pages from a class that can spare them to one that needs them
    void want_page(unsigned size_class) noexcept;
    bool move_page(Now now, Counters& counters) noexcept;

    // flush.cpp
    bool carry_out_orders(Counters& counters) noexcept;
    // offer.cpp
    bool take_offers(Now now, Counters& counters) noexcept;

    EntryTable table;
    Arena arena;
    rte_rcu_qsbr* qsbr;
    const Epochs epochs;
    // Retired slots for which a grace period begins. It reads a line of each worker, so several
    // writers wait for more slots. A class that is about to need a slot begins one earlier
    // (needs_grace), and so does time.
    const std::size_t grace_slots;
    bool needs_grace = false;
    std::uint64_t grace_begun_ms = 0;
    std::array<Instance, kMaxInstances> instances;
    // Retired slots: those retired before the present grace period began, and those retired since.
    Chain waiting, fresh;
    std::size_t fresh_slots = 0;
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
        const Cache::Offer* offers = nullptr;
    };
    Orders orders;
};

}  // namespace steer::cache
