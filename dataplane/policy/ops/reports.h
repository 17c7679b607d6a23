// Operations that report queries to control: summaries, debug prints, collectors' counts.
#pragma once

#include "dataplane/policy/collector.h"
#include "dataplane/policy/live_run.h"

namespace steer {

template <>
struct Body<Op::enter_summary> {
    static MaybeStep run(auto& w, const Instruction& /*i*/) noexcept {
        w.enter();
        return std::nullopt;
    }
    template <class Walk>
    static Left leave(Walk& w, const Instruction& i) noexcept {
        if constexpr (Walk::kMode == Mode::live)
            w.worker.note(w.c, NoteKind::summary, i.operand, w.now);
        return Left::passed;
    }
};

template <>
struct Body<Op::debug_print> {
    static MaybeStep run(LiveRun& w, const Instruction& i) noexcept {
        w.worker.note(w.c, NoteKind::debug, i.operand, w.now);
        return w.next();
    }
};

// Does nothing for a refresh, which has no client.
template <>
struct Body<Op::enter_collector> {
    static MaybeStep run(LiveRun& w, const Instruction& i) noexcept {
        if (!w.state().refresh) counts(w, i).entered.add();
        w.enter();
        return std::nullopt;
    }
    static Left leave(LiveRun& w, const Instruction& i) noexcept {
        const bool has_failed =
            !w.state().dropped && (!w.c.response || w.c.response.answer().rcode == dns::kServFail);
        if (!w.state().refresh)
            counts(w, i).leave(has_failed, (w.now.micros() - w.c.started_us) / 1000);
        return Left::passed;
    }

  private:
    static Collector::Counts& counts(LiveRun& w, const Instruction& i) noexcept {
        return w.snapshot().collectors[i.operand]->of_worker(w.worker.number);
    }
};

}  // namespace steer
