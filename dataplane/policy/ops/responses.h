// Operations that answer without an upstream, or change the response.
#pragma once

#include "dataplane/policy/hit_walk.h"
#include "dataplane/policy/live_run.h"

namespace steer {

template <>
struct Body<Op::black_hole> {
    static MaybeStep run(auto& w, const Instruction& i) noexcept {
        w.give(w.snapshot().black_holes[i.operand].of(w.c.query.qtype, w.c.query.qclass));
        return w.next_or_stop(i);
    }
};

template <>
struct Body<Op::answer_table> {
    static MaybeStep run(auto& w, const Instruction& i) noexcept {
        const AnswerTable& table = w.snapshot().answer_tables[i.operand];
        const bool given =
            w.give(table.find(w.c.asked().name(), w.c.query.qtype, w.c.query.qclass, w.scratch()));
        return given ? w.next_or_stop(i) : w.next();
    }
};

template <>
struct Body<Op::live_answers> {
    static MaybeStep run(LiveRun& w, const Instruction& i) noexcept;
    static MaybeStep run(HitWalk& w, const Instruction& i) noexcept;
};

template <>
struct Body<Op::reject> {
    static MaybeStep run(auto& w, const Instruction& i) noexcept {
        w.give_empty(static_cast<std::uint8_t>(i.operand));
        return w.stop();
    }
};

// On a hit the client gets the answer anyway, without claims.
template <>
struct Body<Op::drop> {
    static MaybeStep run(auto& w, const Instruction& /*i*/) noexcept {
        w.drop_response();
        w.state().dropped = true;
        w.state().note_maker();
        return w.stop();
    }
};

template <>
struct Body<Op::drop_response> {
    static MaybeStep run(auto& w, const Instruction& /*i*/) noexcept {
        w.drop_response();
        return w.next();
    }
};

template <>
struct Body<Op::deny_private> {
    static MaybeStep run(LiveRun& w, const Instruction& i) noexcept;
};

template <>
struct Body<Op::limit_ttls> {
    static MaybeStep run(LiveRun& w, const Instruction& i) noexcept {
        change_ttls(w, w.snapshot().ttl_limits[i.operand]);
        return w.next();
    }
    // Limits the TTLs to send now.
    static void change_ttls(LiveRun& w, const dns::TtlLimits& limits) noexcept;
};

}  // namespace steer
