#include "dataplane/cache/cache_shard.h"

#include <rte_debug.h>

#include <cstring>
#include <new>

#include "dataplane/base/same_bytes.h"
#include "dataplane/cache/insert.h"

namespace steer::cache {
namespace {

// CacheShard::grace_slots of a cache with several writers.
constexpr std::size_t kGraceSlots = 32;

void store_zero_word(std::uint8_t* at) {
    constexpr std::uint64_t kZero = 0;
    std::memcpy(at, &kZero, sizeof kZero);
}

void write_entry(Entry* place, const Payload& payload, unsigned size_class) {
    const Insert& head = payload.head;
    auto* entry = new (place) Entry{};
    if (head.tag_generation != 0) {
        entry->tags.store(std::uint64_t{head.tag_generation} << 32 | head.tag_set,
                          std::memory_order_relaxed);
    }
    entry->born = payload.born;
    entry->expires_s = entry->born.at_age(head.life_s);
    entry->qtype = head.qtype;
    entry->qclass = head.qclass;
    entry->instance = head.instance;
    entry->flags = head.flags;
    entry->list_count = head.list_count;
    entry->lists = head.lists;
    entry->ttl_cap_s = head.ttl_cap_s;
    entry->qname_len = head.qname_len;
    entry->ecs_len = head.ecs_len;
    entry->usable_until_s = entry->expires_s + head.stale_s;
    entry->refresh_check_s.store(head.refresh_check_after_s == kNoRefreshCheck
                                     ? kNoRefreshCheck
                                     : entry->born.at_age(head.refresh_check_after_s),
                                 std::memory_order_relaxed);
    entry->size_class = static_cast<std::uint8_t>(size_class);
    entry->hits.store(head.hits, std::memory_order_relaxed);
    entry->visited.store(head.visited, std::memory_order_relaxed);
    auto* const name = reinterpret_cast<std::uint8_t*>(entry + 1);
    const std::size_t room = padded_name(payload.name.size());
    if (room != 0) store_zero_word(name + room - 8);  // the padding, if there is some
    std::memcpy(name, payload.name.data(), payload.name.size());
    std::memcpy(name + room, payload.answer.data(), payload.answer.size());
}

}  // namespace

CacheShard::CacheShard(std::size_t budget_bytes, std::uint64_t most_entries, rte_rcu_qsbr* readers,
                       Epochs shares, bool is_only)
    : table(most_entries),
      arena(budget_bytes),
      qsbr(readers),
      epochs(shares),
      grace_slots(is_only ? 1 : kGraceSlots) {}

bool is_well_formed(std::span<const std::uint8_t> message) noexcept {
    if (message.size() < sizeof(Insert)) return false;
    const Insert& head = head_of(message);
    return head.instance < kMaxInstances && head.list_count <= kEntryLists &&
           padded_name(head.qname_len) <= message.size() - sizeof(Insert);
}

Payload payload_of(std::span<const std::uint8_t> message, Birth born) noexcept {
    const Insert& head = head_of(message);
    const auto rest = message.subspan(sizeof(Insert));
    return {head, rest.first(head.qname_len), rest.subspan(padded_name(head.qname_len)), born};
}

// By all facts of the key.
const Entry* CacheShard::find(const Payload& payload) const noexcept {
    const Insert& head = payload.head;
    return table.find(TableKey(head.key.low), [&](const Entry& entry) {
        return entry.qtype == head.qtype && entry.qclass == head.qclass &&
               entry.instance == head.instance && entry.flags == head.flags &&
               entry.qname_len == head.qname_len &&
               same_bytes(entry.qname().data(), payload.name.data(), head.qname_len);
    });
}

// Takes an entry out of its queue and the counts. It stays in memory, and perhaps in the table.
void CacheShard::unlink(SlotId id) noexcept {
    const Entry& entry = *arena.entry(id);
    Instance& instance = instances[entry.instance];
    instance.queue.remove(arena, id);
    instance.classes[entry.size_class].remove(arena, id);
    arena.set_live(id, false);
    instance.entries.fetch_sub(1, std::memory_order_relaxed);
    instance.bytes.fetch_sub(kSlotSizes[entry.size_class], std::memory_order_relaxed);
    entries.fetch_sub(1, std::memory_order_relaxed);
}

// Readers may still read it: freed by reclaim(), a grace period later.
void CacheShard::retire(SlotId id) noexcept {
    auto& epoch = epochs.words[arena.slot(id).place >> epochs.shift];
    epoch.store(epoch.load(std::memory_order_relaxed) + 1, std::memory_order_release);
    ++retired[arena.entry(id)->size_class];
    arena.slot(id).next() = kNoSlot;
    if (fresh.first == kNoSlot) {
        fresh.first = id;
    } else {
        arena.slot(fresh.last).next() = id;
    }
    fresh.last = id;
    ++fresh_slots;
}

void CacheShard::drop(SlotId id) noexcept {
    if (!table.remove(arena.slot(id).place, arena.entry(id)))
        rte_panic("cache: entry that is not in the table\n");
    unlink(id);
    retire(id);
}

void CacheShard::insert(const Payload& payload, Now now, Counters& counters) noexcept {
    const Insert& head = payload.head;
    if (payload.born.age_s(now.s()) >= head.life_s + head.stale_s) return;
    const unsigned size_class =
        Arena::class_for(sizeof(Entry) + padded_name(payload.name.size()) + payload.answer.size());
    if (size_class == kClasses) return counters.add(Stat::cache_too_big);
    const Entry* old = find(payload);
    if (old != nullptr && head.serial != 0 && arena.slot(arena.id_of(old)).serial == head.serial)
        return;

    Instance& instance = instances[head.instance];
    const std::uint32_t limit = instance.limit.load(std::memory_order_relaxed);
    if (limit == 0) return;
    for (unsigned i = 0; i < 2 && old == nullptr && instance.entries >= limit; ++i) {
        evict_from_instance(instance, now, counters);
    }
    const SlotId id = make_room(size_class, now, counters);
    if (id == kNoSlot) return counters.add(Stat::cache_insert_no_room);

    Entry* entry = arena.entry(id);
    write_entry(entry, payload, size_class);
    const TableKey key(head.key.low);
    Slot& slot = arena.slot(id);
    slot.serial = head.serial;
    slot.place = key.place;
    if (old != nullptr) old = find(payload);  // eviction may have removed it
    if (old != nullptr) {
        table.replace(key, old, entry);
        unlink(arena.id_of(old));
        retire(arena.id_of(old));
    } else if (!table.add(key, entry)) {
        arena.give_back(id);
        evict_from_instance(instance, now, counters);
        return counters.add(Stat::cache_insert_table_full);
    }
    instance.queue.push(arena, id);
    instance.classes[size_class].push(arena, id);
    arena.set_live(id, true);
    instance.entries.fetch_add(1, std::memory_order_relaxed);
    instance.bytes.fetch_add(kSlotSizes[size_class], std::memory_order_relaxed);
    instance.inserts.add();
    entries.fetch_add(1, std::memory_order_relaxed);
    bytes.fetch_add(kSlotSizes[size_class], std::memory_order_relaxed);
    counters.add(Stat::cache_inserts);
}

void CacheShard::flush() noexcept {
    for (Instance& instance : instances) {
        for (SlotId id; (id = instance.queue.victim(arena, UINT32_MAX)) != kNoSlot;)
            drop(id);
    }
}

}  // namespace steer::cache
