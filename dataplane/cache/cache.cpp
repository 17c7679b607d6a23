#include "dataplane/cache/cache.h"

#include <rte_debug.h>
#include <rte_errno.h>
#include <rte_hash.h>
#include <rte_rcu_qsbr.h>

#include <algorithm>
#include <cstdio>
#include <cstring>
#include <new>
#include <numeric>

#include "dataplane/base/memory_node.h"
#include "dataplane/base/publication.h"
#include "dataplane/base/same_bytes.h"
#include "dataplane/cache/cache_impl.h"

namespace steer::cache {
namespace {

// Extra key slots of the table: a deleted key keeps its slot until a grace period is over.
constexpr std::uint32_t kSpareKeys = 4096;

// The keys are hashes already.
hash_sig_t signature(TableKey key) {
    return static_cast<hash_sig_t>(key);
}
hash_sig_t signature(const Key& key) {
    return signature(key.low);
}
std::uint32_t fold(const void* key, std::uint32_t, std::uint32_t) {
    return signature(*static_cast<const TableKey*>(key));
}
// Written by rte_hash, which ThreadSanitizer does not see (publication.h).
[[gnu::no_sanitize_thread]] int compare(const void* a, const void* b, std::size_t) {
    return *static_cast<const TableKey*>(a) == *static_cast<const TableKey*>(b) ? 0 : 1;
}

rte_hash* make_table(std::uint64_t entries) {
    static std::atomic<unsigned> serial{0};
    char name[RTE_HASH_NAMESIZE];
    std::snprintf(name, sizeof name, "cache_%u", serial.fetch_add(1));
    rte_hash_parameters parameters{};
    parameters.name = name;
    parameters.entries = static_cast<std::uint32_t>(
        std::min<std::uint64_t>(entries + kSpareKeys, RTE_HASH_ENTRIES_MAX));
    parameters.key_len = sizeof(TableKey);
    parameters.hash_func = fold;
    parameters.socket_id = memory_node();
    parameters.extra_flag = RTE_HASH_EXTRA_FLAGS_RW_CONCURRENCY_LF | RTE_HASH_EXTRA_FLAGS_EXT_TABLE;
    rte_hash* table = rte_hash_create(&parameters);
    if (table == nullptr) {
        rte_panic("no memory for a cache table of %u entries (%s): give dataplane.memory more\n",
                  parameters.entries, rte_strerror(rte_errno));
    }
    rte_hash_set_cmp_func(table, compare);
    return table;
}

bool matches(const Entry& entry, const KeyFacts& facts, std::uint32_t now_s) {
    return entry.usable_until_s > now_s && entry.qtype == facts.qtype &&
           entry.qclass == facts.qclass && entry.instance == facts.instance &&
           entry.flags == facts.flags && entry.qname_len == facts.qname.size() &&
           same_bytes(entry.qname().data(), facts.qname.data(), facts.qname.size());
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
    std::memcpy(reinterpret_cast<std::uint8_t*>(entry + 1), payload.name_and_answer.data(),
                payload.name_and_answer.size());
}

}  // namespace

Cache::Impl::Impl(const CacheOptions& options, rte_rcu_qsbr* readers, Epochs& shares)
    : table(make_table(std::accumulate(options.instance_sizes.begin(), options.instance_sizes.end(),
                                       std::uint64_t{0}))),
      arena(options.budget_bytes),
      qsbr(readers),
      epochs(shares) {
    if (options.instance_sizes.size() > kMaxInstances) {
        rte_panic("more than %zu caches\n", kMaxInstances);
    }
    for (std::size_t i = 0; i < options.instance_sizes.size(); ++i)
        instances[i].limit.store(options.instance_sizes[i], std::memory_order_relaxed);
}

Cache::Impl::~Impl() {
    rte_hash_free(table);
}

const Entry* Cache::Impl::find(const Key& key) const noexcept {
    void* data = nullptr;
    const int position = rte_hash_lookup_with_hash_data(table, &key.low, signature(key), &data);
    return position < 0 ? nullptr : static_cast<const Entry*>(data);
}

void Cache::Impl::warm(const TableKey* keys, unsigned n) const noexcept {
    const void* wanted[kBulk];
    hash_sig_t signatures[kBulk];
    void* found[kBulk];
    for (unsigned i = 0; i < n; ++i) {
        wanted[i] = &keys[i];
        signatures[i] = signature(keys[i]);
    }
    std::uint64_t hits = 0;
    rte_hash_lookup_with_hash_bulk_data(table, wanted, signatures, n, &hits, found);
}

// Takes an entry out of its queue and the counts. It stays in memory, and perhaps in the table.
void Cache::Impl::unlink(SlotId id) noexcept {
    const Entry& entry = *arena.entry(id);
    Instance& instance = instances[entry.instance];
    instance.queues[entry.size_class].remove(arena, id);
    arena.set_live(id, false);
    instance.entries.fetch_sub(1, std::memory_order_relaxed);
    instance.bytes.fetch_sub(kSlotSizes[entry.size_class], std::memory_order_relaxed);
    entries.fetch_sub(1, std::memory_order_relaxed);
}

// Readers may still read it: freed by reclaim(), a grace period later.
void Cache::Impl::retire(SlotId id, TableKey key) noexcept {
    auto& epoch = epochs[share_of(key)];
    epoch.store(epoch.load(std::memory_order_relaxed) + 1, std::memory_order_release);
    ++retired[arena.entry(id)->size_class];
    arena.slot(id).next = kNoSlot;
    if (fresh.first == kNoSlot) {
        fresh.first = id;
    } else {
        arena.slot(fresh.last).next = id;
    }
    fresh.last = id;
}

void Cache::Impl::drop(SlotId id) noexcept {
    void* stored = nullptr;
    const std::int32_t position = arena.slot(id).position;
    if (rte_hash_get_key_with_position(table, position, &stored) != 0) {
        rte_panic("cache: entry without a key in the table\n");
    }
    const TableKey key = *static_cast<const TableKey*>(stored);
    if (rte_hash_del_key_with_hash(table, &key, signature(key)) != position) {
        rte_panic("cache: key is not where its entry says\n");
    }
    unlink(id);
    retire(id, key);
}

// The key stays in the table and now belongs to the new entry.
void Cache::Impl::replace(const Entry* old, TableKey key) noexcept {
    const SlotId id = arena.id_of(old);
    unlink(id);
    arena.slot(id).position = -1;
    retire(id, key);
}

void Cache::Impl::insert(const Payload& payload, Now now, Counters& counters) noexcept {
    const Insert& head = payload.head;
    const unsigned size_class = Arena::class_for(sizeof(Entry) + payload.name_and_answer.size());
    if (size_class == kClasses) return counters.add(Stat::cache_too_big);
    const Entry* old = find(head.key);
    if (old != nullptr && head.serial != 0 && arena.slot(arena.id_of(old)).serial == head.serial)
        return;

    Instance& instance = instances[head.instance];
    const std::uint32_t limit = instance.limit.load(std::memory_order_relaxed);
    if (limit == 0) return;
    for (unsigned i = 0; i < 2 && old == nullptr && instance.entries >= limit; ++i) {
        evict_from_instance(instance, size_class, now, counters);
    }
    const SlotId id = make_room(size_class, now, counters);
    if (id == kNoSlot) return counters.add(Stat::cache_insert_no_room);

    Entry* entry = arena.entry(id);
    write_entry(entry, payload, size_class);
    publishes(entry);
    old = find(head.key);  // eviction may have removed it
    if (rte_hash_add_key_with_hash_data(table, &head.key.low, signature(head.key), entry) != 0) {
        arena.give_back(id);
        evict_from_instance(instance, size_class, now, counters);
        return counters.add(Stat::cache_insert_table_full);
    }
    Slot& slot = arena.slot(id);
    slot.serial = head.serial;
    slot.position = old != nullptr
                        ? arena.slot(arena.id_of(old)).position
                        : rte_hash_lookup_with_hash(table, &head.key.low, signature(head.key));
    if (old != nullptr) replace(old, head.key.low);
    instance.queues[size_class].push(arena, id);
    arena.set_live(id, true);
    instance.entries.fetch_add(1, std::memory_order_relaxed);
    instance.bytes.fetch_add(kSlotSizes[size_class], std::memory_order_relaxed);
    instance.inserts.add();
    entries.fetch_add(1, std::memory_order_relaxed);
    bytes.fetch_add(kSlotSizes[size_class], std::memory_order_relaxed);
    counters.add(Stat::cache_inserts);
}

Cache::Cache(const CacheOptions& options, rte_rcu_qsbr* qsbr)
    : impl_(std::make_unique<Impl>(options, qsbr, epochs_)) {}

Cache::~Cache() = default;

void Cache::lookup(const Key* keys, const KeyFacts* facts, unsigned n, std::uint32_t now_s,
                   const Entry** out) const noexcept {
    static_assert(kBulk <= RTE_HASH_LOOKUP_BULK_MAX);
    if (n == 0) return;
    const void* wanted[kBulk];
    hash_sig_t signatures[kBulk];
    void* found[kBulk];
    for (unsigned i = 0; i < n; ++i) {
        wanted[i] = &keys[i].low;
        signatures[i] = signature(keys[i]);
    }
    std::uint64_t hits = 0;
    rte_hash_lookup_with_hash_bulk_data(impl_->table, wanted, signatures, n, &hits, found);
    for (unsigned i = 0; i < n; ++i) {
        if ((hits >> i & 1) == 0) continue;
        prefetch(static_cast<const Entry*>(found[i]));
    }
    for (unsigned i = 0; i < n; ++i) {
        out[i] = nullptr;
        if ((hits >> i & 1) == 0) continue;
        const auto* entry = static_cast<const Entry*>(found[i]);
        was_published(entry);
        if (!matches(*entry, facts[i], now_s)) continue;
        touch(*entry);
        out[i] = entry;
    }
}

void Cache::insert(const Buffer& buffer, Now now, Counters& counters) noexcept {
    const bool flushed = buffer.born_ms <= impl_->flushed_born_ms.load(std::memory_order_relaxed) &&
                         now.ms < impl_->flushed_until_ms.load(std::memory_order_relaxed);
    if (!flushed) insert(buffer.bytes(), buffer.birth(), now, counters);
}

void Cache::insert(std::span<const std::uint8_t> message, Birth born, Now now,
                   Counters& counters) noexcept {
    if (message.size() < sizeof(Insert)) return;
    const Insert& head = *reinterpret_cast<const Insert*>(message.data());
    const auto rest = message.subspan(sizeof(Insert));
    if (head.instance >= kMaxInstances || head.list_count > kEntryLists ||
        head.qname_len > rest.size())
        return;
    if (born.age_s(now.s()) >= head.life_s + head.stale_s) return;
    impl_->insert({head, rest, born}, now, counters);
}

void Cache::flush() noexcept {
    for (Impl::Instance& instance : impl_->instances) {
        for (Sieve& queue : instance.queues) {
            for (SlotId id; (id = queue.victim(impl_->arena, UINT32_MAX)) != kNoSlot;)
                impl_->drop(id);
        }
    }
}

void Cache::set_instance_size(std::uint16_t instance, std::uint32_t entries) noexcept {
    if (instance < kMaxInstances)
        impl_->instances[instance].limit.store(entries, std::memory_order_relaxed);
}

std::size_t Cache::entries() const noexcept {
    return impl_->entries.load(std::memory_order_relaxed);
}

std::size_t Cache::bytes_used() const noexcept {
    return impl_->bytes.load(std::memory_order_relaxed);
}

InstanceStats Cache::instance_stats(std::uint16_t instance) const noexcept {
    if (instance >= kMaxInstances) return {};
    const Impl::Instance& i = impl_->instances[instance];
    return {i.limit.load(std::memory_order_relaxed),
            i.entries.load(std::memory_order_relaxed),
            i.bytes.load(std::memory_order_relaxed),
            i.inserts.get(),
            i.evictions.get(),
            i.flushed.get()};
}

}  // namespace steer::cache
