#include "dataplane/policy/ops/cache.h"

#include <algorithm>
#include <array>
#include <utility>

#include "dataplane/policy/ad_targets.h"
#include "dataplane/policy/admit.h"
#include "dataplane/policy/claim_lists.h"
#include "dataplane/policy/decision.h"
#include "dataplane/policy/entry_words.h"
#include "dataplane/policy/hit_walk.h"
#include "dataplane/policy/key_facts.h"
#include "dataplane/policy/missing_families.h"
#include "dataplane/policy/ops/rules.h"

namespace steer {
namespace {

// While an answer is being refreshed, no second refresh is started.
constexpr std::uint32_t kRefreshAgainS = 5;

// Starts a refresh of the present cache's entry. True for exactly one caller; false if one runs, if the last failed lately,
// or if the cache has as many as it may.
bool try_refresh(LiveRun& w, const cache::Entry& entry, const CacheInstance& settings,
                 std::uint32_t again_s) {
    QueryContext& c = w.c;
    if (c.state.stays_here) return false;
    if (entry.refresh_s.load(std::memory_order_relaxed) > w.now.s()) return false;
    if (!settings.may_refresh()) {
        w.worker.counters.add(Stat::cache_refreshes_busy);
        return false;
    }
    if (!begin_refresh(entry, again_s, w.now)) return false;
    c.refresh_pc = c.state.pc;
    c.refresh_rewrites = c.state.rewrites;
    return true;
}

const cache::Entry* find_exactly(const LiveRun& w, const cache::KeyFacts& facts) {
    const cache::Key key = w.worker.hasher(facts);
    const cache::Entry* found = nullptr;
    w.worker.cache->lookup(&key, &facts, 1, w.now.s(), &found);
    return found;
}

// For the subnet, else for all subnets.
const cache::Entry* find_for_all_subnets(const LiveRun& w, const cache::KeyFacts& facts) {
    if (facts.ecs_len == 0) return nullptr;
    std::array<std::uint8_t, 256> room;
    return find_exactly(w, for_all_subnets(facts, room));
}
// `exact`: of the subnet. If it is expired, a fresh one for all subnets is newer: its refresh may have been stored there.
const cache::Entry* or_for_all_subnets(const LiveRun& w, const cache::KeyFacts& facts,
                                       const cache::Entry* exact) {
    if (exact != nullptr && exact->expires_s > w.now.s()) return exact;
    const cache::Entry* const for_all = find_for_all_subnets(w, facts);
    const bool is_fresh = for_all != nullptr && for_all->expires_s > w.now.s();
    return exact == nullptr || is_fresh ? for_all : exact;
}
const cache::Entry* find_entry(const LiveRun& w, const cache::KeyFacts& facts) {
    return or_for_all_subnets(w, facts, find_exactly(w, facts));
}

const cache::Entry* find_in_cache(LiveRun& w, std::uint32_t place) {
    QueryContext& c = w.c;
    // Once only: before the program returns here, it may have put another answer there.
    const bool is_known = static_cast<int>(place) == std::exchange(c.lookup_cache, -1);
    if (is_known && c.asked().edns.ecs_len == 0) return c.found;
    if (w.worker.cache == nullptr || c.state.no_cache) return nullptr;
    const cache::KeyFacts facts = key_facts(c.asked(), c.snapshot.caches[place]);
    return is_known ? or_for_all_subnets(w, facts, c.found) : find_entry(w, facts);
}

CacheLookups& lookups(LiveRun& w, const CacheInstance& of) {
    return w.worker.counters.caches[of.id];
}

// Counts hits until the answer is popular; then, near its end, one hit starts a refresh.
void attend(LiveRun& w, const cache::Entry& entry, const CacheInstance& settings) {
    QueryContext& c = w.c;
    const std::uint32_t window_s = prefetch_window_s(settings, entry.born.age_at(entry.expires_s));
    if (window_s == 0 || is_failure(entry.answer()) || c.state.refresh) return;
    cache::Entry& e = writable(entry);
    const std::uint32_t from_s = entry.expires_s - window_s;
    const std::uint8_t hits = e.hits.load(std::memory_order_relaxed);
    if (hits < settings.prefetch_hits) {
        e.hits.store(static_cast<std::uint8_t>(hits + 1), std::memory_order_relaxed);
        if (hits + 1U < settings.prefetch_hits) return;
        if (e.ecs_len == 0) e.refresh_check_s.store(from_s, std::memory_order_relaxed);
    }
    if (w.now.s() < from_s || !try_refresh(w, entry, settings, kRefreshAgainS)) return;
    w.worker.counters.add(Stat::cache_prefetches);
}

// Handles a found entry: a hit, a stale answer, or (nullptr) a miss.
const cache::Entry* take_entry(LiveRun& w, const cache::Entry* entry,
                               const CacheInstance& settings) {
    QueryContext& c = w.c;
    if (entry == nullptr || w.now.s() < entry->refresh_check_s.load(std::memory_order_relaxed))
        return entry;
    if (entry->expires_s > w.now.s()) {
        attend(w, *entry, settings);
        return entry;
    }
    const StaleTerms& terms = settings.stale;
    const std::uint32_t stale_s = w.now.s() - entry->expires_s;
    if (c.state.refresh || c.state.stays_here || stale_s >= stale_for_s(entry->answer(), terms))
        return nullptr;
    const bool failed_lately = w.now.s() < entry->refresh_s.load(std::memory_order_relaxed);
    if (terms.wait_ms > 0 && !failed_lately) {
        c.state.stale_wait_ms = static_cast<std::uint16_t>(terms.wait_ms);
        return nullptr;
    }
    try_refresh(w, *entry, settings, std::max(terms.recheck_s, kRefreshAgainS));
    w.worker.counters.add(Stat::cache_stale_answers);
    lookups(w, settings).stale.add();
    return entry;
}

// A hit does not come to the ad lists that the cache wraps, so an answer that one of them denies is not stored.
bool is_watched_inside(const Snapshot& snapshot, const Instruction& cache, std::uint64_t ads) {
    if (ads == 0) return false;
    const auto pc = static_cast<std::size_t>(&cache - snapshot.program.data());
    return (ads & snapshot.watched_inside[pc]) != 0;
}

// Only failures of upstreams, and never in place of an answer that may still be served.
bool may_keep_failure(const LiveRun& w, const cache::KeyFacts& facts) {
    const QueryContext& c = w.c;
    const bool was_silence = c.response.ede() == dns::Ede::no_reachable;
    if (!c.response.in_buffer_of_its_own() && !was_silence) return false;
    return find_entry(w, facts) == nullptr;
}

// Upstreams were sent something of this client alone: its subnet, which the key lacks, or its options. A failure may be
// due to that.
bool may_be_due_to_client(const QueryContext& c, const cache::KeyFacts& facts) {
    const dns::Query& q = c.asked();
    const bool is_disclosed =
        q.ecs_from == dns::EcsFrom::forwarded || q.ecs_from == dns::EcsFrom::address || c.state.ecs;
    if (is_disclosed && q.edns.ecs_len != 0 && facts.ecs_len == 0) return true;
    return c.state.rewrites.options() != 0 && !c.options.empty();
}

// A hit would not come to the list, so a rule for this client, or a later one, would have no effect.
bool is_denied_until_a_rule_allows_it(const QueryContext& c) {
    if (c.snapshot.rules == nullptr || c.state.made_by == ProgramState::kNowhere) return false;
    const PolicyDecision decision = decision_by(c.snapshot, c.state.made_by);
    return decision == PolicyDecision::blocked || decision == PolicyDecision::rejected;
}

// Stores the response, unless it is from this cache. False: it is not stored.
bool keep(LiveRun& w, const Instruction& i) {
    QueryContext& c = w.c;
    const CacheInstance& settings = c.snapshot.caches[i.operand];
    const unsigned list_base = c.state.list_base[c.state.depth];
    if (w.worker.cache == nullptr || !c.response || c.response.is_stale()) return false;
    if (c.state.is_of_client || is_denied_until_a_rule_allows_it(c)) return false;
    // The rule may have ended while an upstream was asked.
    if (c.state.by_rule && !a_rule_allows_all(w)) return false;
    if (c.state.answered_under != c.state.rewrites.count())
        return false;  // it answers an outer question
    const cache::Entry* const entry = c.response.source();
    const bool replayed = entry != nullptr && tags_in(*entry).generation < c.snapshot.generation;
    if (c.response.kept_in() == settings.id && !replayed) return false;
    const std::uint32_t age_s = c.response.age_s(w.now.s());
    const std::uint32_t life_s = cacheable_for_s(c.response.answer(), settings, age_s);
    if (life_s == 0) return false;
    const std::uint64_t ads = ads_pointed_to(w);
    if (is_watched_inside(c.snapshot, i, ads)) return false;
    cache::KeyFacts facts = key_facts(c.asked(), settings);
    if (facts.ecs_len == 0 && c.response.answer().ecs_scope != 0)
        return false;  // made for this client
    if (is_failure(c.response.answer()) &&
        (may_be_due_to_client(c, facts) || !may_keep_failure(w, facts)))
        return false;
    std::array<std::uint8_t, 256> room;
    if (is_for_all_subnets(c.response.answer(), facts)) facts = for_all_subnets(facts, room);
    const cache::Key key = w.worker.hasher(facts);
    const dns::TtlLimits limits = ttl_limits(c.response.answer(), settings, age_s);
    if (!dns::is_within(c.response.answer(), limits) &&
        !c.response.limit_ttls(w.worker.buffers, limits, w.now))
        return false;

    const dns::Answer& kept = c.response.answer();
    cache::InsertTerms terms{
        .life_s = life_s,
        .stale_s = stale_for_s(kept, settings.stale),
        .refresh_check_after_s = facts.ecs_len != 0  // the reply has data that is not in the answer
                                     ? 0
                                     : refresh_check_after_s(kept, settings, life_s),
        .tag_generation = c.snapshot.generation,
        .tag_set = c.state.tag_set | (ads != 0 ? kPointsToAds : 0)};
    std::array<ListId, kMaxClaims> lists;
    std::size_t count = 0;
    for (unsigned l = list_base; l < c.state.list_count; ++l)
        lists[count++] = c.snapshot.lists[c.state.lists[l]].id;
    terms.lists = {lists.data(), count};

    Buffer* const answer = c.response.in_buffer(w.worker.buffers, w.now);
    if (answer == nullptr) return false;
    const bool is_sent =
        w.worker.cache_writer.submit(w.worker.buffers, key, facts, *answer, terms, w.now);
    release(answer);
    return is_sent;
}

// A background refresh brought nothing to store: its entry is not refreshed again for a while.
void defer_refresh(LiveRun& w, const CacheInstance& settings) {
    if (settings.stale.most_s == 0 || settings.stale.wait_ms > 0 || w.worker.cache == nullptr)
        return;
    w.worker.counters.add(Stat::cache_refreshes_failed);
    const cache::Entry* const entry = find_entry(w, key_facts(w.c.asked(), settings));
    if (entry == nullptr) return;
    writable(*entry).refresh_s.store(w.now.s() + settings.stale.recheck_s,
                                     std::memory_order_relaxed);
}

}  // namespace

StaleEntry find_stale(const LiveRun& w) noexcept {
    const QueryContext& c = w.c;
    if (w.worker.cache == nullptr) return {};
    unsigned level = c.state.rewrites.count();
    dns::Query room;
    for (unsigned d = c.state.depth; d-- > 0;) {
        const Instruction& i = c.snapshot.program[c.state.wrappers[d]];
        if (is_rewrite(i.op)) --level;
        if (i.op != Op::enter_cache) continue;
        const CacheInstance& settings = c.snapshot.caches[i.operand];
        if (settings.stale.most_s == 0) continue;
        const cache::Entry* const e =
            find_entry(w, key_facts(c.asked_under(level, room), settings));
        if (e == nullptr || is_failure(e->answer())) continue;
        const std::uint32_t may_s = stale_for_s(e->answer(), settings.stale);
        if (w.now.s() < e->expires_s || w.now.s() - e->expires_s < may_s)
            return {e, &settings.stale, level};
    }
    return {};
}

MaybeStep Body<Op::enter_cache>::run(LiveRun& w, const Instruction& i) noexcept {
    QueryContext& c = w.c;
    const CacheInstance& settings = c.snapshot.caches[i.operand];
    const dns::EcsFrom subnet = c.asked().ecs_from;
    const bool is_clients = subnet == dns::EcsFrom::client || subnet == dns::EcsFrom::forwarded;
    c.state.ecs = c.state.ecs || (settings.ecs_in_key && is_clients);
    const cache::Entry* entry = take_entry(w, find_in_cache(w, i.operand), settings);
    if (c.state.stays_here && entry != nullptr && is_failure(entry->answer())) [[unlikely]]
        entry = nullptr;  // no answer: the upstream may have one by now
    w.worker.counters.add(entry != nullptr ? Stat::cache_hits : Stat::cache_misses);
    (entry != nullptr ? lookups(w, settings).hits : lookups(w, settings).misses).add();
    if (entry == nullptr) {
        w.enter();
        return std::nullopt;
    }
    const EntryTags tags = tags_in(*entry);
    if (tags.generation < c.snapshot.generation || i.policed) {
        if (entry->expires_s > w.now.s()) {
            c.replay = entry;
        } else {
            c.stale = entry;
            c.stale_ttl_s = settings.stale.ttl_s;
        }
        w.enter();
        return std::nullopt;
    }
    if (tags.generation == c.snapshot.generation) {
        c.entry = entry;
        if (c.state.tag_set == 0) c.state.tag_set = tags.tag_set;
    }
    if (i.guarded && entry->answer().rcode == dns::kNoError) {
        HitWalk(w.worker, c, *entry, settings, w.now).run();
    } else {
        forget_response(c.state);
        add_lists_of(*entry, c.snapshot, c.state);
    }
    set_kept(c.response, entry, settings.stale.ttl_s, w.now);
    if (is_failure(entry->answer())) w.worker.counters.add(Stat::cache_failure_hits);
    if (!i.short_circuit) {
        const std::uint8_t claimed = std::exchange(c.state.list_count, std::uint8_t{0});
        w.enter();
        c.state.list_count = claimed;
        return std::nullopt;
    }
    if (c.state.lacks_family() && !in_guarded_cache(c)) answer_without_family(w);
    return w.stop();
}

Left Body<Op::enter_cache>::leave(LiveRun& w, const Instruction& i) noexcept {
    const bool is_kept = keep(w, i);
    if (w.state().refresh && !is_kept) defer_refresh(w, w.snapshot().caches[i.operand]);
    if (w.state().lacks_family() && !in_guarded_cache(w.c)) answer_without_family(w);
    return Left::passed;
}

}  // namespace steer
