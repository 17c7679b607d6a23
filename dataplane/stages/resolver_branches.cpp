// Branches of a query (policy/branches.h): starts, waits, results, and ends of abandoned ones.
//
// A branch runs in place until it must wait, so a branch that the cache answers needs no record. A
// waiting branch is a record whose return path is its parent's record (ReturnPath::Kind::parent).
// When its program ends, it checks whether the parent still waits for it. If not, it ends without a
// result; answers that its wrappers stored stay. An early response of a standby stays in the
// branch's record, and the parent refers to it as `next_waiter`.
#include <utility>

#include "dataplane/forward/outstanding_queries.h"
#include "dataplane/policy/branch.h"
#include "dataplane/stages/resolver_impl.h"

namespace steer {

using Is = Branches::Is;

namespace {

void note_branch_end(const QueryContext& c, const TraceRef& branch, Is is, Now now) {
    if (!c.trace || !branch) return;
    branch.note(now, TraceWhat::branch_end, static_cast<unsigned>(is), c.state.pc, branch.branch());
}

}  // namespace

Parked* Resolver::record_of(ResolveContext& w) noexcept {
    if (w.record != nullptr) return w.record;
    if (w.parent != nullptr) {
        Parked* const parent = record_of(*w.parent);
        if (parent == nullptr) return nullptr;
        Parked* const r =
            parts_.pool.take_branch(w.c.snapshot, holder_of(*parent), w.c.query.name(), w.branch)
                .record;
        if (r == nullptr) return nullptr;
        copy_query(w, *r);
        const bool takes_all = forward::wants_all(*parent);
        r->path.kind = ReturnPath::Kind::parent;
        r->path.stream_token = ParkedPool::token_of(*parent);
        r->path.wait = parent->wait;
        r->path.branch = w.branch;
        r->path.traced_as = w.c.trace.branch();
        r->path.max_size = takes_all ? dns::kMaxMessage : dns::kClassicUdpSize;
        w.record = r;
    } else {
        const auto [r, why] =
            parts_.pool.take(w.c.snapshot, holder_of(*w.packet), w.packet->query.name());
        w.refused = why;
        if (r == nullptr) return nullptr;
        copy_query(w, *r);
        if (w.c.trace) w.c.trace.get()->has_record = true;
        w.record = r;
    }
    w.record->state = Parked::State::waits_branches;
    w.record->branches = {};
    w.c.qname_as_sent = w.record->qname.data();
    parts_.counters.add(Stat::parked_total);
    return w.record;
}

void Resolver::copy_query(const ResolveContext& w, Parked& to) const noexcept {
    const ResolveContext* root = &w;
    while (root->record == nullptr && root->parent != nullptr)
        root = root->parent;
    if (root->record != nullptr) {
        copy_record(*root->record, to);
    } else {
        write_record(*root->packet, w.c, to);
        parts_.replier.remember_path(*root->packet, to.path);
    }
    to.qtype = w.c.query.qtype;
    to.program = w.c.state;
}

Step Resolver::run_branches(ResolveContext& w, Branches b, InHand in_hand, Now now) noexcept {
    const Branches before = b;
    std::array<std::optional<QueryContext>, kMaxBranches> own;
    dns::Query probe;  // of another type
    for (;;) {
        const NextOfBranches next = next_branch(w.c, b);
        switch (next) {
            case NextOfBranches::begin_first:
            case NextOfBranches::begin_second: {
                const unsigned which = next == NextOfBranches::begin_first ? 0 : 1;
                const std::uint16_t type = branch_type(w.c, which);
                if (type != w.c.query.qtype) {
                    probe = w.c.query;
                    probe.qtype = type;
                }
                QueryContext& branch =
                    own[which].emplace(w.c.snapshot, type != w.c.query.qtype ? probe : w.c.query);
                b.is[which] = begin_branch(w, which, branch, b, now);
                if (Branches::has_response(b.is[which])) in_hand.c[which] = &branch;
                break;
            }
            case NextOfBranches::take_first:
                if (w.c.trace) w.c.trace.note(now, TraceWhat::branch_taken, 0, w.c.state.pc);
                return take_branch(w, 0, in_hand, now);
            case NextOfBranches::take_second:
                if (w.c.trace) w.c.trace.note(now, TraceWhat::branch_taken, 1, w.c.state.pc);
                if (w.c.snapshot.program[w.c.state.pc].op == Op::fallback)
                    parts_.counters.add(Stat::fallback_secondary);
                return take_branch(w, 1, in_hand, now);
            case NextOfBranches::none:
                if (w.c.trace)
                    w.c.trace.note(now, TraceWhat::branch_taken, UINT8_MAX, w.c.state.pc);
                stop_waiting(w);
                return parts_.executor.skip_branches(w.c, now);
            case NextOfBranches::fail:
                stop_waiting(w);
                return parts_.executor.resume(w.c, nullptr, static_cast<dns::Ede>(b.why), now);
            case NextOfBranches::wait:
                if (wait_for_branches(w, before, b, in_hand, now)) return Step::waits;
                for (unsigned i = 0; i < kMaxBranches; ++i) {
                    if (Branches::has_response(b.is[i]))
                        b.is[i] = Is::failed;  // no room to keep it
                }
                break;
        }
    }
}

Is Resolver::begin_branch(ResolveContext& parent, unsigned which, QueryContext& branch, Branches& b,
                          Now now) noexcept {
    steer::begin_branch(parent.c, which, branch);
    if (parent.c.trace) [[unlikely]] {
        branch.trace = {parent.c.trace.get(), parent.c.trace.get()->next_branch()};
        parent.c.trace.note(now, TraceWhat::branch, which, parent.c.state.pc, branch.trace.branch(),
                            branch.query.qtype);
    }
    ResolveContext w{branch, nullptr, nullptr, &parent, static_cast<std::uint8_t>(which)};
    const Step step = go_on(w, parts_.executor.run(branch, now), now);
    if (step == Step::waits) return Is::running;
    Is is = Is::failed;
    if (step == Step::answered) {
        is = end_of_branch(branch);
    } else if (record_of(w) != nullptr && park(*w.record, branch, step, now)) {
        return Is::running;
    } else {
        parts_.executor.abandon(branch.snapshot, branch.state);
    }
    note_end(branch, is, b);
    note_branch_end(parent.c, branch.trace, is, now);
    if (w.record != nullptr) end_branch(*w.record);
    return is;
}

void Resolver::note_end(const QueryContext& branch, Is is, Branches& b) noexcept {
    if (is != Is::failed) return;
    const auto ede = branch.response ? branch.response.ede() : std::nullopt;
    b.why = static_cast<std::uint16_t>(ede.value_or(dns::Ede::other));
}

// A branch waits in a record, so the parent has one itself.
bool Resolver::wait_for_branches(ResolveContext& w, const Branches& before, const Branches& b,
                                 const InHand& in_hand, Now now) noexcept {
    Parked& r = *w.record;
    if (before.is[0] == Is::not_begun) {
        r.next_waiter = nullptr;
        r.next_at_ms = UINT64_MAX;
    }
    for (unsigned i = 0; i < kMaxBranches; ++i) {
        if (!Branches::has_response(b.is[i]) || in_hand.c[i] == nullptr) continue;
        ResolveContext branch{*in_hand.c[i], nullptr, in_hand.record[i], &w,
                              static_cast<std::uint8_t>(i)};
        Parked* const kept = record_of(branch);
        if (kept == nullptr) return false;
        kept->program = branch.c.state;
        if (!keep(*kept, branch.c, now)) {
            if (in_hand.record[i] == nullptr) end_branch(*kept);
            return false;
        }
        kept->state = Parked::State::branch_done;
        timers_.cancel(kept->index);
        r.next_waiter = kept;
    }
    if (!keep(r, w.c, now)) w.c.response.clear();  // a branch replaces it, or it counts as missing
    // Responses that arrived since the record began to wait are already in `before`.
    const Branches& known = before.is[0] == Is::not_begun ? before : r.branches;
    if (const auto time_ms = branch_time_ms(w.c, known, b)) r.next_at_ms = now.ms + *time_ms;
    r.state = Parked::State::waits_branches;
    r.branches = b;
    r.program = w.c.state;
    if (r.program.stale_wait_ms != 0 && r.stale_at_ms == 0)
        r.stale_at_ms = now.ms + r.program.stale_wait_ms;
    set_timer(r, now);
    return true;
}

Step Resolver::take_branch(ResolveContext& w, unsigned which, const InHand& in_hand,
                           Now now) noexcept {
    const bool may_have_kept =
        w.record != nullptr && w.record->state == Parked::State::waits_branches;
    Parked* const kept = may_have_kept ? std::exchange(w.record->next_waiter, nullptr) : nullptr;
    dns::Query q;
    if (kept != nullptr) read_record(*kept, q);
    QueryContext from_record(w.c.snapshot, q);
    if (kept != nullptr) {
        read_query(*kept, from_record);
        read_response(*kept, from_record);
        end_branch(*kept);
    }
    stop_waiting(w);
    const unsigned other = 1 - which;
    const QueryContext* const kept_one = kept != nullptr ? &from_record : nullptr;
    if (in_hand.c[which] == nullptr)
        return parts_.executor.take_branch(w.c, from_record, in_hand.c[other], now);
    return parts_.executor.take_branch(
        w.c, *in_hand.c[which], in_hand.c[other] != nullptr ? in_hand.c[other] : kept_one, now);
}

// Branches that are still running will find a different number.
void Resolver::stop_waiting(ResolveContext& w) noexcept {
    if (w.record == nullptr) return;
    Parked& r = *w.record;
    ++r.wait;
    if (r.state != Parked::State::waits_branches) return;
    if (Parked* const unwanted = std::exchange(r.next_waiter, nullptr)) end_branch(*unwanted);
    release(std::exchange(r.answer, nullptr));
}

void Resolver::deliver(Parked& p, QueryContext& c, Now now) noexcept {
    Parked* const parent = parts_.pool.find(p.path.stream_token);
    const bool is_awaited = parent != nullptr && parent->state == Parked::State::waits_branches &&
                            parent->wait == p.path.wait;
    if (!is_awaited) return end_branch(p);
    if (p.upstream != Parked::kNotAsked) parent->upstream = p.upstream;
    Branches b = parent->branches;
    InHand in_hand;
    const Is is = b.is[p.path.branch] = end_of_branch(c);
    note_end(c, is, b);
    note_branch_end(c, c.trace, is, now);
    if (Branches::has_response(is)) {
        in_hand.c[p.path.branch] = &c;
        in_hand.record[p.path.branch] = &p;
    }
    consider(*parent, b, in_hand, &p, now);
}

void Resolver::consider(Parked& parent, const Branches& b, const InHand& in_hand, Parked* done,
                        Now now) noexcept {
    dns::Query q;
    read_record(parent, q);
    QueryContext c(*parent.snapshot, q);
    read_query(parent, c);
    read_response(parent, c);
    ResolveContext w{c, nullptr, &parent};
    const Step step = go_on(w, run_branches(w, b, in_hand, now), now);
    if (done != nullptr && done->state != Parked::State::branch_done) end_branch(*done);
    settle(parent, c, step, c.failed ? PendingOutcome::servfail : PendingOutcome::answered, now);
}

void Resolver::end_branch(Parked& p) noexcept {
    parts_.counters.add(PendingOutcome::branch_over);
    give_back(p);
}

}  // namespace steer
