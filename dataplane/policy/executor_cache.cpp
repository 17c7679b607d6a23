// What a `cache` does to a query: takes what it has, fresh or stale, and keeps what the query gets.
#include <algorithm>
#include <array>
#include <utility>

#include "dataplane/cache/insert.h"
#include "dataplane/policy/admit.h"
#include "dataplane/policy/claim_lists.h"
#include "dataplane/policy/entry_words.h"
#include "dataplane/policy/executor.h"
#include "dataplane/policy/facts.h"

namespace steer {
namespace {

// While a popular answer is being asked for anew, the same is not begun again.
constexpr std::uint32_t kPrefetchAgainS = 5;

// What the cache at hand keeps is to be asked for anew.
void note_refresh(QueryContext& c) {
    c.refresh_pc = c.state.pc;
    c.refresh_rewrites = c.state.rewrites;
}

}  // namespace

const cache::Entry* Executor::find_in_cache(QueryContext& c, std::uint32_t place,
                                            Now now) const noexcept {
    if (cache_ == nullptr) return nullptr;
    // Once: what the program does until it comes here again may put another answer there.
    if (static_cast<int>(place) == std::exchange(c.looked_up, -1)) return c.found;
    const cache::KeyFacts facts = facts_of(c.asked(), c.snapshot.caches[place]);
    const cache::Key key = hasher_(facts);
    const cache::Entry* found = nullptr;
    cache_->lookup(&key, &facts, 1, now.s(), &found);
    return found;
}

bool Executor::enter_cache(QueryContext& c, const Instruction& i, Now now) noexcept {
    const CacheInstance& settings = c.snapshot.caches[i.operand];
    const dns::EcsFrom subnet = c.asked().ecs_from;
    const bool is_clients = subnet == dns::EcsFrom::client || subnet == dns::EcsFrom::forwarded;
    c.state.ecs = c.state.ecs || (settings.ecs_in_key && is_clients);
    const cache::Entry* const entry =
        take_entry(c, find_in_cache(c, i.operand, now), settings, now);
    counters_.add(entry != nullptr ? Stat::cache_hits : Stat::cache_misses);
    if (entry == nullptr) {
        enter(c);
        return false;
    }
    const EntryTags tags = tags_in(*entry);
    if (tags.generation < c.snapshot.generation || i.policed) {
        if (entry->expires_s > now.s()) {
            c.replay = entry;
        } else {
            c.stale = entry;
            c.stale_ttl_s = settings.stale.ttl_s;
        }
        enter(c);
        return false;
    }
    if (tags.generation == c.snapshot.generation) {
        c.entry = entry;
        if (c.state.tag_set == 0) c.state.tag_set = tags.tag_set;
    }
    if (i.guarded && entry->answer().rcode == dns::kNoError) {
        claim_as_missed(c, *entry, settings, now);
    } else {
        forget_lists(c.state);
        add_lists_of(*entry, c.snapshot, c.state);
    }
    set_kept(c.response, entry, settings.stale.ttl_s, now);
    if (is_failure(entry->answer())) counters_.add(Stat::cache_failure_hits);
    if (!i.short_circuit) {
        const std::uint8_t claimed = std::exchange(c.state.list_count, std::uint8_t{0});
        enter(c);
        c.state.list_count = claimed;
    } else if (c.state.lacks_family() && !in_guarded_cache(c.snapshot.program, c.state)) {
        answer_without_family(c, now);
    }
    return i.short_circuit;
}

const cache::Entry* Executor::take_entry(QueryContext& c, const cache::Entry* entry,
                                         const CacheInstance& settings, Now now) noexcept {
    if (entry == nullptr || now.s() < entry->refresh_check_s.load(std::memory_order_relaxed))
        return entry;
    if (entry->expires_s > now.s()) {
        attend(c, *entry, settings, now);
        return entry;
    }
    const StaleTerms& terms = settings.stale;
    const std::uint32_t stale_s = now.s() - entry->expires_s;
    if (c.state.refresh || stale_s >= stale_for_s(entry->answer(), terms)) return nullptr;
    const bool failed_lately = now.s() < entry->refresh_s.load(std::memory_order_relaxed);
    if (terms.wait_ms > 0 && !failed_lately) {
        c.state.stale_wait_ms = static_cast<std::uint16_t>(terms.wait_ms);
        return nullptr;
    }
    if (begin_refresh(*entry, terms.recheck_s, now)) note_refresh(c);
    counters_.add(Stat::cache_stale_answers);
    return entry;
}

// Counts hits until the answer is popular; then, near its end, one of them has it asked anew.
void Executor::attend(QueryContext& c, const cache::Entry& entry, const CacheInstance& settings,
                      Now now) noexcept {
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
    if (now.s() < from_s || !begin_refresh(entry, kPrefetchAgainS, now)) return;
    counters_.add(Stat::cache_prefetches);
    note_refresh(c);
}

Executor::Stale Executor::find_stale(const QueryContext& c, Now now) const noexcept {
    if (cache_ == nullptr) return {};
    unsigned level = c.state.rewrites.count();
    dns::Query room;
    for (unsigned d = c.state.depth; d-- > 0;) {
        const Instruction& i = c.snapshot.program[c.state.wrappers[d]];
        if (is_rewrite(i.op)) --level;
        if (i.op != Op::enter_cache) continue;
        const CacheInstance& settings = c.snapshot.caches[i.operand];
        if (settings.stale.most_s == 0) continue;
        const cache::KeyFacts facts = facts_of(c.asked_under(level, room), settings);
        const cache::Key key = hasher_(facts);
        const cache::Entry* e = nullptr;
        cache_->lookup(&key, &facts, 1, now.s(), &e);
        if (e == nullptr || is_failure(e->answer())) continue;
        const std::uint32_t may_s = stale_for_s(e->answer(), settings.stale);
        if (now.s() < e->expires_s || now.s() - e->expires_s < may_s)
            return {e, &settings.stale, level};
    }
    return {};
}

// Only what upstreams are to blame for, and never in place of an answer that may still be served.
bool Executor::may_keep_failure(const QueryContext& c, const cache::Key& key,
                                const cache::KeyFacts& facts, Now now) const noexcept {
    const bool was_silence = c.response.ede() == dns::Ede::no_reachable;
    if (!c.response.in_buffer_of_its_own() && !was_silence) return false;
    const cache::Entry* there = nullptr;
    cache_->lookup(&key, &facts, 1, now.s(), &there);
    return there == nullptr;
}

// Stores what is there now, unless this very cache gave it.
void Executor::leave_cache(QueryContext& c, std::uint32_t place, std::uint8_t list_base,
                           Now now) noexcept {
    const CacheInstance& settings = c.snapshot.caches[place];
    if (cache_ == nullptr || !c.response || c.response.is_stale()) return;
    if (c.state.answered_under != c.state.rewrites.count()) return;  // of a name around this one
    const cache::Entry* const entry = c.response.source();
    const bool replayed = entry != nullptr && tags_in(*entry).generation < c.snapshot.generation;
    if (c.response.kept_in() == settings.id && !replayed) return;
    const std::uint32_t age_s = c.response.age_s(now.s());
    const std::uint32_t life_s = cacheable_for_s(c.response.answer(), settings, age_s);
    if (life_s == 0) return;
    const cache::KeyFacts facts = facts_of(c.asked(), settings);
    if (facts.ecs_len == 0 && c.response.answer().ecs_scope != 0) return;  // made for this client
    const cache::Key key = hasher_(facts);
    if (is_failure(c.response.answer()) && !may_keep_failure(c, key, facts, now)) return;
    const dns::TtlLimits limits = ttl_limits(c.response.answer(), settings, age_s);
    if (!dns::is_within(c.response.answer(), limits) &&
        !c.response.limit_ttls(buffers_, limits, now))
        return;

    const dns::Answer& kept = c.response.answer();
    cache::InsertTerms terms{
        .life_s = life_s,
        .stale_s = stale_for_s(kept, settings.stale),
        .refresh_check_after_s = facts.ecs_len != 0  // the reply says more than the answer
                                     ? 0
                                     : refresh_check_after_s(kept, settings, life_s),
        .tag_generation = c.snapshot.generation,
        .tag_set = c.state.tag_set};
    std::array<ListId, kMaxClaims> lists;
    std::size_t count = 0;
    for (unsigned l = list_base; l < c.state.list_count; ++l)
        lists[count++] = c.snapshot.lists[c.state.lists[l]].id;
    terms.lists = {lists.data(), count};

    Buffer* const answer = c.response.in_buffer(buffers_, now);
    if (answer == nullptr) return;
    Buffer* const insert = cache::build_insert(buffers_, key, facts, *answer, terms);
    release(answer);
    if (insert != nullptr) cache_writer_.submit(insert, now);
}

bool Executor::resume_stale(QueryContext& c, Now now) noexcept {
    if (c.state.refresh) return false;
    const Stale found = find_stale(c, now);
    if (found.entry == nullptr) return false;
    if (found.entry->expires_s <= now.s()) {
        writable(*found.entry)
            .refresh_s.store(now.s() + found.terms->recheck_s, std::memory_order_relaxed);
        counters_.add(Stat::cache_stale_answers);
    }
    if (found.level < c.state.rewrites.count()) {  // it is the whole answer of a cache around them
        c.state.rewrites.cancel(found.level);
        question_changed(c);
    }
    c.stale = found.entry;
    c.stale_ttl_s = found.terms->ttl_s;
    RTE_VERIFY(run(c, now) == Step::answered);  // no forward asks
    return true;
}

}  // namespace steer
