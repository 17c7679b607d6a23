#include "dataplane/policy/hit_walk.h"

#include "dataplane/policy/claim_lists.h"
#include "dataplane/policy/ops/bodies.h"
#include "dataplane/policy/trace_steps.h"

namespace steer {

HitWalk::HitWalk(WorkerContext& of_worker, QueryContext& query, const cache::Entry& found,
                 const CacheInstance& settings, Now time)
    : QueryWalk(of_worker, query, time),
      hit_(found),
      stale_ttl_s_(settings.stale.ttl_s),
      outside_(query.state.depth),
      level_(static_cast<std::uint8_t>(query.state.rewrites.count())) {}

void HitWalk::run() noexcept {
    worker.counters.add(Stat::cache_guarded_hits);
    ProgramState before = c.state;
    const cache::Entry* const entry = c.entry;
    forget_response(c.state);
    enter();
    while (depth() > outside_) {
        if (c.trace) [[unlikely]] {
            step_traced();
        } else {
            step(*this);
        }
    }
    forget_response(before);
    before.lists = c.state.lists;
    before.list_count = c.state.list_count;
    before.lacks_v4 = c.state.lacks_v4;
    before.lacks_v6 = c.state.lacks_v6;
    if (before.tag_set == 0) before.tag_set = c.state.tag_set;
    c.state = before;
    c.entry = entry;
}

[[gnu::noinline, gnu::cold]] void HitWalk::step_traced() noexcept {
    const StepWatch before(c);
    step(*this);
    before.note(c, now, trace_flags::kHit, true);
}

MaybeStep HitWalk::stop() noexcept {
    while (depth() > outside_)
        leave_last(*this);
    return std::nullopt;
}

void HitWalk::give_hit() noexcept {
    forget_response(c.state);
    c.state.answered_under = level_;  // the hit answers the question at the cache
    set_kept(c.response, &hit_, stale_ttl_s_, now);
}

}  // namespace steer
