// Makes space for new entries: eviction, grace periods, page moves between size classes.
#include <rte_rcu_qsbr.h>

#include <algorithm>
#include <utility>

#include "dataplane/cache/cache_shard.h"

namespace steer::cache {
namespace {

// Slots of a class to keep free (or waiting for a grace period): two bursts of each of two workers.
constexpr std::size_t kMaxReserve = 128;
// Entries of a moving page that are handled per turn.
constexpr std::size_t kPassedOver = 256;  // pages of other classes that are skipped
constexpr std::uint32_t kInspected = 64;
constexpr std::uint32_t kDropped = 32;
// The longest time without a grace period, if some slots wait for one.
constexpr std::uint64_t kGraceMs = 10;

}  // namespace

void CacheShard::evict(SlotId id, Counters& counters) noexcept {
    instances[arena.entry(id)->instance].evictions.add();
    counters.add(Stat::cache_evictions);
    drop(id);
}

void CacheShard::evict_from_instance(Instance& instance, Now now, Counters& counters) noexcept {
    const SlotId id = instance.queue.victim(arena, now.s());
    if (id != kNoSlot) evict(id, counters);
}

// Of the instance that has the most entries of that size.
SlotId CacheShard::victim_of_class(unsigned size_class, Now now) noexcept {
    auto largest = std::max_element(
        instances.begin(), instances.end(), [&](const Instance& a, const Instance& b) {
            return a.classes[size_class].size() < b.classes[size_class].size();
        });
    return largest->classes[size_class].victim(arena, now.s());
}

void CacheShard::evict_from_class(unsigned size_class, Now now, Counters& counters) noexcept {
    const SlotId id = victim_of_class(size_class, now);
    if (id != kNoSlot) evict(id, counters);
}

// Frees at most `most` retired slots whose grace period is over. Begins the next grace period. True: some still wait.
bool CacheShard::reclaim(unsigned most) noexcept {
    for (unsigned round = 0; round < 2; ++round) {
        if (waiting.first == kNoSlot && !in_grace) {
            if (fresh.first == kNoSlot && !arena.pages_wait()) return false;
            waiting = std::exchange(fresh, Chain{});
            fresh_slots = 0;
            arena.begin_grace();
            token = rte_rcu_qsbr_start(qsbr);
            in_grace = true;
        }
        if (in_grace) {
            if (rte_rcu_qsbr_check(qsbr, token, false) == 0) return true;
            in_grace = false;
            arena.end_grace();
        }
        for (; waiting.first != kNoSlot && most > 0; --most) {
            const SlotId id = waiting.first;
            waiting.first = arena.slot(id).next();
            const unsigned size_class = arena.entry(id)->size_class;
            --retired[size_class];
            bytes.fetch_sub(kSlotSizes[size_class], std::memory_order_relaxed);
            arena.give_back(id);
        }
    }
    return waiting.first != kNoSlot || fresh.first != kNoSlot || arena.pages_wait();
}

// A slot for a new entry, before that entry is in any queue: it is never its own victim.
SlotId CacheShard::make_room(unsigned size_class, Now now, Counters& counters) noexcept {
    const SlotId id = arena.take(size_class);
    if (id != kNoSlot) {
        keep_reserve(size_class, now, counters);
        return id;
    }
    want_page(size_class);
    if (retired[size_class] <= reserve_of(size_class)) evict_from_class(size_class, now, counters);
    reclaim(kFreedAtOnce);
    return arena.take(size_class);
}

std::size_t CacheShard::reserve_of(unsigned size_class) const noexcept {
    const std::size_t slots = arena.slots(size_class);
    return slots < 2 ? 0 : std::clamp<std::size_t>(slots / 16, 1, kMaxReserve);
}

// Evicts ahead of need if no page is left, because an evicted slot is usable only after a grace period.
void CacheShard::keep_reserve(unsigned size_class, Now now, Counters& counters) noexcept {
    if (arena.can_grow()) return;
    if (2 * arena.free_slots(size_class) <= reserve_of(size_class)) needs_grace = true;
    if (arena.free_slots(size_class) + retired[size_class] >= reserve_of(size_class)) return;
    want_page(size_class);
    evict_from_class(size_class, now, counters);
}

// ---- pages

// Takes an empty page of another class, else begins to move one, if a class can spare it.
void CacheShard::want_page(unsigned size_class) noexcept {
    pressure.add(size_class);
    if (move.stage != PageMove::Stage::none || arena.pages_wait()) return;
    for (unsigned c = 0; c < kClasses; ++c) {
        const PageId empty = arena.empty_page(c);
        if (c != size_class && empty != kNoPage) return arena.ask_back(empty);
    }
    if (move.rest > 0) {
        --move.rest;
        return;
    }
    const auto donor = pressure.donor(arena, size_class);
    if (!donor) return;
    for (std::size_t i = 0; i < kPassedOver; ++i) {
        const PageId page = move.hand;
        move.hand = page + 1 < arena.pages() ? page + 1 : 0;
        if (!arena.belongs_to(page, *donor)) continue;
        move.stage = PageMove::Stage::scanning;
        move.page = page;
        move.next = move.live = move.visited = 0;
        return;
    }
}

// One step. True: there is another one.
bool CacheShard::move_page(Now now, Counters& counters) noexcept {
    using Stage = PageMove::Stage;
    const auto slots_of_page = [&] {
        return static_cast<std::uint32_t>(Arena::slots_per_page(arena.size_class_of(move.page)));
    };
    switch (move.stage) {
        case Stage::none:
            return false;
        case Stage::scanning: {
            const std::uint32_t slots = slots_of_page();
            const std::uint32_t end = std::min(move.next + kInspected, slots);
            for (; move.next < end; ++move.next) {
                const SlotId id = Arena::slot_of(move.page, move.next);
                if (!arena.is_live(id)) continue;
                ++move.live;
                Entry& entry = *arena.entry(id);
                if (entry.usable_until_s <= now.s() ||
                    entry.visited.load(std::memory_order_relaxed) == 0)
                    continue;
                entry.visited.store(0, std::memory_order_relaxed);
                ++move.visited;
            }
            if (move.next < slots) return true;
            if (2 * move.visited > move.live) {
                move.rest = slots;
                move.stage = Stage::none;
                return false;
            }
            arena.ask_back(move.page);
            move.next = 0;
            move.stage = Stage::emptying;
            return true;
        }
        case Stage::emptying: {
            const std::uint32_t slots = slots_of_page();
            for (std::uint32_t dropped = 0; move.next < slots && dropped < kDropped; ++move.next) {
                const SlotId id = Arena::slot_of(move.page, move.next);
                if (!arena.is_live(id)) continue;
                evict(id, counters);
                ++dropped;
            }
            if (move.next == slots) move.stage = Stage::leaving;
            return true;
        }
        case Stage::leaving:
            if (arena.was_asked_back(move.page)) return true;
            counters.add(Stat::cache_pages_moved);
            move.stage = Stage::none;
            return false;
    }
    return false;
}

bool CacheShard::turn(Now now, Counters& counters) noexcept {
    const bool ordered = carry_out_orders(counters);
    const bool offered = take_offers(now, counters);
    const bool moving = move_page(now, counters);
    if (in_grace || waiting.first != kNoSlot || fresh_slots >= grace_slots || needs_grace ||
        arena.pages_wait() || now.ms >= grace_begun_ms + kGraceMs) {
        if (!in_grace) grace_begun_ms = now.ms;
        needs_grace = false;
        reclaim(kFreedAtOnce);
    }
    return ordered || offered || moving;
}

}  // namespace steer::cache
