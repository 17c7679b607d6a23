#include "dataplane/policy/executor.h"

#include <rte_debug.h>

#include <algorithm>

#include "dataplane/policy/admit.h"
#include "dataplane/policy/branch.h"
#include "dataplane/policy/claim_lists.h"
#include "dataplane/policy/entry_words.h"
#include "dataplane/policy/ops/cache.h"
#include "dataplane/policy/ops/dns64.h"
#include "dataplane/policy/ops/prefer.h"

namespace steer {

Executor::Executor(unsigned worker, const cache::Cache* cache, const cache::KeyHasher& hasher,
                   BufferPools& buffers, CacheWriter& cache_writer, Ring<Note>* notes,
                   Counters& counters)
    : worker_{.number = worker,
              .cache = cache,
              .hasher = hasher,
              .buffers = buffers,
              .cache_writer = cache_writer,
              .notes = notes,
              .counters = counters,
              .random = 0x9e3779b97f4a7c15 * (worker + 1)} {}

Step Executor::run(QueryContext& c, Now now) noexcept {
    return LiveRun(worker_, c, now).run();
}

Step Executor::resume(QueryContext& c, Buffer* answer, dns::Ede why, Now now,
                      const FailureTerms& terms) noexcept {
    const bool failed = answer == nullptr || is_failure(answer->answer());
    if (failed && terms.may_be_stale && resume_stale(c, now)) {
        release(answer);
        return Step::answered;
    }
    LiveRun w(worker_, c, now);
    if (answer == nullptr) {
        return w.go_on(w.seen([&] {
            w.give_empty(dns::kServFail);
            c.state.made_by = ProgramState::kNowhere;
            c.response.set_ede(why);
            if (terms.is_brief) c.response.set_brief();
            c.failed = true;
            return w.stop();
        }));
    }
    return w.go_on(w.seen([&] {
        w.give_buffer(answer);
        c.response.pass_options(c.state.rewrites.options());
        return w.next_or_stop(c.snapshot.program[c.state.pc]);
    }));
}

Step Executor::take_branch(QueryContext& c, QueryContext& branch, const QueryContext* other,
                           Now now) noexcept {
    LiveRun w(worker_, c, now);
    return w.go_on(w.seen([&] { return adopt_branch(w, branch, other); }));
}

MaybeStep Executor::adopt_branch(LiveRun& w, QueryContext& branch,
                                 const QueryContext* other) noexcept {
    QueryContext& c = w.c;
    const Instruction& i = c.snapshot.program[c.state.pc];
    const ProgramState& s = branch.state;
    if (s.probe) return Body<Op::enter_prefer>::take_probe(w, i);
    if (is_probe(branch)) return Body<Op::enter_prefer>::deny(w, s.stopped, s.pc);
    adopt(c, branch);
    if (c.state.dropped) return w.stop();
    if (i.op == Op::enter_dns64) {
        const Dns64& dns64 = c.snapshot.dns64s[i.operand];
        return Body<Op::enter_dns64>::take_branch(w, branch, other, dns64);
    }
    if (i.op != Op::enter_prefer) return w.next_or_stop(i);
    if (s.stopped) return w.stop();
    w.pc() = s.pc;  // the end of its sequence, or of one around it
    return std::nullopt;
}

Step Executor::skip_branches(QueryContext& c, Now now) noexcept {
    LiveRun w(worker_, c, now);
    return w.go_on(w.next());
}

bool Executor::resume_stale(QueryContext& c, Now now) noexcept {
    if (c.state.refresh) return false;
    LiveRun w(worker_, c, now);
    const StaleEntry found = find_stale(w);
    if (found.entry == nullptr) return false;
    if (found.entry->expires_s <= now.s()) {
        writable(*found.entry)
            .refresh_s.store(now.s() + found.terms->recheck_s, std::memory_order_relaxed);
        worker_.counters.add(Stat::cache_stale_answers);
        worker_.counters.caches[found.entry->instance].stale.add();
    }
    if (found.level < c.state.rewrites.count()) {  // it is the complete answer of an outer cache
        c.state.rewrites.cancel(found.level);
        w.question_changed();
    }
    if (c.trace) [[unlikely]]
        c.trace.note(now, TraceWhat::late, 0, c.state.pc, found.entry->born.age_s(now.s()));
    c.stale = found.entry;
    c.stale_ttl_s = found.terms->ttl_s;
    RTE_VERIFY(w.run() == Step::answered);  // no forward asks an upstream
    return true;
}

void Executor::abandon(const Snapshot& snapshot, const ProgramState& s) noexcept {
    for (unsigned d = 0; d < s.depth && !s.refresh; ++d) {
        const Instruction& i = snapshot.program[s.wrappers[d]];
        if (i.op != Op::enter_collector) continue;
        Collector::Counts& counts = snapshot.collectors[i.operand]->of_worker(worker_.number);
        counts.left.add();
        counts.errors.add();
    }
}

ProgramState Executor::refresh_state(const ProgramState& s, std::uint16_t pc,
                                     const Rewrites& rewrites) noexcept {
    ProgramState r;
    r.pc = static_cast<std::uint16_t>(pc + 1);
    r.wrappers[r.depth++] = pc;
    r.marks = s.marks;
    r.rewrites = rewrites;
    if (rewrites.count() == 0 && s.rewrites.count() == 0) r.tag_set = s.tag_set;
    r.ecs = s.ecs;
    r.refresh = true;
    return r;
}

ProgramState Executor::refresh_state_of(const Snapshot& snapshot, const ProgramState& s) noexcept {
    const auto keeps_stale = [&](std::uint16_t pc) {
        const Instruction& i = snapshot.program[pc];
        return i.op == Op::enter_cache && snapshot.caches[i.operand].stale.most_s > 0;
    };
    unsigned first = 0;
    while (first < s.depth && !keeps_stale(s.wrappers[first]))
        ++first;
    ProgramState r = s;
    r.refresh = true;
    r.stale_wait_ms = 0;
    r.depth = static_cast<std::uint8_t>(s.depth - first);
    const unsigned base = r.depth > 0 ? s.list_base[first] : s.list_count;
    for (unsigned d = 0; d < r.depth; ++d) {
        r.wrappers[d] = s.wrappers[first + d];
        r.list_base.set(d, s.list_base[first + d] - base);
    }
    r.list_count = static_cast<std::uint8_t>(s.list_count - base);
    std::copy(s.lists.begin() + base, s.lists.begin() + s.list_count, r.lists.begin());
    return r;
}

bool Executor::claim_hit(const Snapshot& snapshot, const Plan& plan, const cache::Entry& hit,
                         HitLists& out) noexcept {
    add_lists_of(hit, snapshot, out);
    const dns::Answer& answer = hit.answer();
    for (unsigned l = 0; l < plan.hit_list_count && answer.rcode == dns::kNoError; ++l) {
        const PolicyList& list = snapshot.lists[plan.hit_lists[l]];
        if (missing_families(list, hit.qtype, answer).any()) return false;
        if (has_claimable_family(list, answer)) add_list(out, plan.hit_lists[l]);
    }
    return true;
}

void Executor::plan_by_names(const Snapshot& snapshot, std::span<Planned> planned) noexcept {
    std::array<matchers::WireName, matchers::kMaxNames> names;
    std::array<std::uint32_t, matchers::kMaxNames> ids;
    std::array<matchers::TagBits, matchers::kMaxNames> without_id;
    const std::size_t n = planned.size();
    for (std::size_t i = 0; i < n; ++i)
        names[i] = planned[i].query->name();
    worker_.tag_sets_of(snapshot, {names.data(), n}, {ids.data(), n}, {without_id.data(), n});
    for (std::size_t i = 0; i < n; ++i) {
        const std::uint64_t tags = tag_word(snapshot.generation, ids[i]);
        planned[i].plan = plan(snapshot, tags, planned[i].entry);
    }
}

[[gnu::noinline]] const Plan* Executor::make(const Snapshot& snapshot, std::uint64_t tags,
                                             std::uint8_t entry) noexcept {
    Plan* const plan = plans_.find(tags, entry);
    if (plan == nullptr || (plan->tags == tags && plan->entry == entry)) return plan;
    const matchers::TagBits* const sets = snapshot.tag_sets->find(static_cast<std::uint32_t>(tags));
    if (sets == nullptr) return nullptr;
    worker_.counters.add(Stat::plans_made);
    *plan = make_plan(snapshot, *sets, entry);
    plan->tags = tags;
    return plan;
}

}  // namespace steer
