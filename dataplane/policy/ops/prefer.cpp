#include "dataplane/policy/ops/prefer.h"

#include "dataplane/policy/branch.h"
#include "dataplane/policy/claim_lists.h"
#include "dataplane/policy/missing_families.h"

namespace steer {
namespace {

std::uint64_t key_of(const LiveRun& w, const Instruction& i) {
    return PreferredNames::key_of(w.worker.hasher.of_name(w.c.asked().name()), i.operand,
                                  w.snapshot().generation);
}

}  // namespace

MaybeStep Body<Op::enter_prefer>::run(LiveRun& w, const Instruction& i) noexcept {
    const Prefer& prefer = w.snapshot().prefers[i.operand];
    const dns::Query& q = w.c.query;
    if (q.qclass != dns::kIn) return w.next();
    if (q.qtype == prefer.wanted || is_hints_type(q.qtype)) {
        w.enter();
        return std::nullopt;
    }
    if (q.qtype != prefer.other || w.c.stale != nullptr) return w.next();
    if (prefer.remember_s == 0) return Step::branches;
    const PreferredNames::Known known = w.worker.preferred.find(key_of(w, i), w.now.s());
    return known.has ? deny(w, known.stopped, known.pc) : Step::branches;
}

Left Body<Op::enter_prefer>::leave(LiveRun& w, const Instruction& i) noexcept {
    const Prefer& p = w.snapshot().prefers[i.operand];
    const ProgramState& s = w.state();
    if (is_hints_type(w.c.query.qtype)) {
        take_family_out(w, p.other == dns::kA, p.other == dns::kAaaa);
    } else if (p.remember_s != 0 && w.c.query.qtype == p.wanted && has_wanted(w.c)) {
        // What the rest did for the preferred family says nothing about the end of another query if a unit probes.
        w.worker.preferred.put(key_of(w, i), p.probe != 0 || s.stopped, s.pc,
                               w.now.s() + p.remember_s);
    }
    return Left::passed;
}

MaybeStep Body<Op::enter_prefer>::take_probe(LiveRun& w, const Instruction& i) noexcept {
    const Prefer& p = w.snapshot().prefers[i.operand];
    if (p.remember_s != 0)
        w.worker.preferred.put(key_of(w, i), true, w.pc(), w.now.s() + p.remember_s);
    return deny(w, true, w.pc());
}

MaybeStep Body<Op::enter_prefer>::deny(LiveRun& w, bool stopped, std::uint16_t pc) noexcept {
    w.worker.counters.add(Stat::prefer_denied);
    w.give_empty(dns::kNoError);
    if (stopped) return w.stop();
    w.pc() = pc;
    return std::nullopt;
}

}  // namespace steer
