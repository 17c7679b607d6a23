#include "dataplane/cache/cache.h"

#include <rte_debug.h>

#include <algorithm>
#include <bit>
#include <numeric>
#include <vector>

#include "dataplane/base/memory_node.h"
#include "dataplane/base/same_bytes.h"
#include "dataplane/cache/cache_shard.h"
#include "dataplane/cache/insert.h"

namespace steer::cache {
namespace {

// An instance with fewer entries is in fewer shards: then their numbers differ little by chance (5 %
// of 4096 are three standard deviations).
constexpr std::uint32_t kLeastPerShard = 4096;

bool matches(const Entry& entry, const KeyFacts& facts, std::uint32_t now_s) {
    return entry.usable_until_s > now_s && entry.qtype == facts.qtype &&
           entry.qclass == facts.qclass && entry.instance == facts.instance &&
           entry.flags == facts.flags && entry.qname_len == facts.qname.size() &&
           same_bytes(entry.qname().data(), facts.qname.data(), facts.qname.size());
}

}  // namespace

Cache::Cache(const CacheOptions& options, rte_rcu_qsbr* qsbr)
    : shard_count_(options.shards),
      workers_(options.workers),
      share_bits_(
          static_cast<unsigned>(std::countr_zero(kShares) - std::bit_width(options.shards - 1))),
      qsbr_(qsbr) {
    if (options.instance_sizes.size() > kMaxInstances)
        rte_panic("more than %zu caches\n", kMaxInstances);
    if (options.shards == 0 || options.shards > std::min(kMaxShards, options.workers))
        rte_panic("a cache of %u shards for %u workers\n", options.shards, options.workers);
    place_instances(options);
    make_shards(options);
    for (std::size_t i = 0; i < options.instance_sizes.size(); ++i)
        set_instance_size(static_cast<std::uint16_t>(i), options.instance_sizes[i]);
}

Cache::~Cache() = default;

unsigned Cache::shards_for(std::uint32_t entries) const noexcept {
    return std::clamp(entries / kLeastPerShard, 1U, shard_count_);
}

bool Cache::outgrows(std::uint16_t instance, std::uint32_t entries) const noexcept {
    return shards_for(entries) > placements_[instance].shards;
}

// A small instance is in one shard, and the next small one in the next. An instance that is not
// known yet may become large, and is in all.
void Cache::place_instances(const CacheOptions& options) {
    unsigned first = 0;
    for (std::size_t i = 0; i < kMaxInstances; ++i) {
        Placement& placement = placements_[i];
        placement.shards = static_cast<std::uint8_t>(options.shards);
        if (i >= options.instance_sizes.size() || options.instance_sizes[i] == 0) continue;
        placement.shards = static_cast<std::uint8_t>(shards_for(options.instance_sizes[i]));
        if (placement.shards == options.shards) continue;
        placement.first = static_cast<std::uint8_t>(first);
        first = (first + placement.shards) % options.shards;
    }
}

// Each gets memory by the entries that it may have.
void Cache::make_shards(const CacheOptions& options) {
    std::vector<std::uint64_t> most(options.shards);
    for (std::size_t i = 0; i < options.instance_sizes.size(); ++i) {
        for (unsigned shard = 0; shard < options.shards; ++shard)
            most[shard] += part_of(static_cast<std::uint16_t>(i), shard, options.instance_sizes[i]);
    }
    const std::uint64_t all = std::accumulate(most.begin(), most.end(), std::uint64_t{0});
    const std::size_t pages = options.budget_bytes / kPageSize;
    std::uint64_t entries_before = 0;
    std::size_t pages_before = 0;
    for (unsigned shard = 0; shard < options.shards; ++shard) {
        entries_before += most[shard];
        const std::size_t until =
            all == 0 ? pages * (shard + 1) / options.shards : pages * entries_before / all;
        const OnNode memory(shard < options.shard_nodes.size() ? options.shard_nodes[shard]
                                                               : kAnyNode);
        shards_.push_back(std::make_unique<CacheShard>(
            (until - pages_before) * kPageSize, most[shard], qsbr_,
            CacheShard::Epochs{&epochs_[std::size_t{shard} << share_bits_], 32 - share_bits_},
            options.shards == 1));
        tables_[shard] = shards_.back()->table.view();
        pages_before = until;
    }
}

// The first ones have one more if it is not a multiple. At least one, so that no name is without.
std::uint32_t Cache::part_of(std::uint16_t instance, unsigned shard,
                             std::uint32_t entries) const noexcept {
    const Placement placement = placements_[instance];
    const unsigned place = (shard + shard_count_ - placement.first) % shard_count_;
    if (place >= placement.shards || entries == 0) return 0;
    const std::uint32_t part =
        entries / placement.shards + (place < entries % placement.shards ? 1 : 0);
    return std::max(part, 1U);
}

void Cache::lookup(const Key* keys, const KeyFacts* facts, unsigned n, std::uint32_t now_s,
                   const Entry** out) const noexcept {
    const TableView* tables[kBulk];
    const Bucket* buckets[kBulk];
    for (unsigned i = 0; i < n; ++i) {
        tables[i] = &tables_[shard_of(keys[i].low, facts[i].instance)];
        buckets[i] = tables[i]->bucket_of(TableKey(keys[i].low));
        __builtin_prefetch(buckets[i]);
    }
    for (unsigned i = 0; i < n; ++i) {
        out[i] = TableView::candidate(*buckets[i], TableKey(keys[i].low).tag);
        if (out[i] != nullptr) prefetch(out[i]);
    }
    for (unsigned i = 0; i < n; ++i) {
        if (out[i] == nullptr || !matches(*out[i], facts[i], now_s)) [[unlikely]] {
            if (out[i] == nullptr && !buckets[i]->continues()) continue;
            out[i] = tables[i]->find(
                buckets[i], TableKey(keys[i].low).tag,
                [&](const Entry& entry) { return matches(entry, facts[i], now_s); });
            if (out[i] == nullptr) continue;
        }
        touch(*out[i]);
    }
}

bool Cache::is_flushed(const Buffer& buffer, Now now) const noexcept {
    return buffer.born_ms <= flushed_born_ms_.load(std::memory_order_relaxed) &&
           now.ms < flushed_until_ms_.load(std::memory_order_relaxed);
}

void Cache::insert(const Buffer& buffer, Now now, Counters& counters) noexcept {
    if (!is_flushed(buffer, now)) insert(buffer.bytes(), buffer.birth(), now, counters);
}

void Cache::insert(const Insert& head, std::span<const std::uint8_t> name, const Buffer& answer,
                   Now now, Counters& counters) noexcept {
    if (is_flushed(answer, now)) return;
    const auto* const block = reinterpret_cast<const std::uint8_t*>(&answer.answer());
    shards_[shard_of(head)]->insert({head, name, {block, answer.answer().size()}, answer.birth()},
                                    now, counters);
}

void Cache::insert(std::span<const std::uint8_t> message, Birth born, Now now,
                   Counters& counters) noexcept {
    if (!is_well_formed(message)) return;
    const Payload payload = payload_of(message, born);
    shards_[shard_of(payload.head)]->insert(payload, now, counters);
}

unsigned Cache::writer_of(const Buffer& insert) const noexcept {
    return writer_of(shard_of(head_of(insert.bytes())));
}

bool Cache::turn(unsigned shard, Now now, Counters& counters) noexcept {
    return shards_[shard]->turn(now, counters);
}

bool Cache::turn(Now now, Counters& counters) noexcept {
    bool more = false;
    for (const auto& shard : shards_)
        more |= shard->turn(now, counters);
    return more;
}

bool Cache::reclaim() noexcept {
    bool more = false;
    for (const auto& shard : shards_)
        more |= shard->reclaim(kFreedAtOnce);
    return more;
}

void Cache::flush() noexcept {
    for (const auto& shard : shards_)
        shard->flush();
}

void Cache::set_instance_size(std::uint16_t instance, std::uint32_t entries) noexcept {
    if (instance >= kMaxInstances) return;
    for (unsigned shard = 0; shard < shards(); ++shard) {
        shards_[shard]->instances[instance].limit.store(part_of(instance, shard, entries),
                                                        std::memory_order_relaxed);
    }
}

std::size_t Cache::entries() const noexcept {
    std::size_t sum = 0;
    for (const auto& shard : shards_)
        sum += shard->entries.load(std::memory_order_relaxed);
    return sum;
}

std::size_t Cache::bytes_used() const noexcept {
    std::size_t sum = 0;
    for (const auto& shard : shards_)
        sum += shard->bytes.load(std::memory_order_relaxed);
    return sum;
}

InstanceStats Cache::instance_stats(std::uint16_t instance) const noexcept {
    InstanceStats sum;
    if (instance >= kMaxInstances) return sum;
    for (const auto& shard : shards_) {
        const CacheShard::Instance& part = shard->instances[instance];
        sum.limit += part.limit.load(std::memory_order_relaxed);
        sum.entries += part.entries.load(std::memory_order_relaxed);
        sum.bytes += part.bytes.load(std::memory_order_relaxed);
        sum.inserts += part.inserts.get();
        sum.evictions += part.evictions.get();
        sum.flushed += part.flushed.get();
    }
    return sum;
}

}  // namespace steer::cache
