// The interpreter runs one instruction of a program, in one of three modes.
//
//   live  a query runs the program (live_run.h)
//   hit   finds the lists that claim a hit in a guarded cache (hit_walk.h)
//   plan  only the sets of the name are known (plan.h)
//
// The Body of an operation, in ops/, implements it. The operation's row (ops.h) says what a mode
// leaves out. In a plan, a body does not run if it is impure, or needs a missing answer. On a hit,
// it does not run if the row says `passes`. A body that behaves differently in one mode checks
// `Walk::kMode`.
#pragma once

#include <rte_debug.h>

#include <cstdint>
#include <optional>

#include "dataplane/policy/client_device.h"
#include "dataplane/policy/query_context.h"

namespace steer {

enum class Mode : std::uint8_t { live, hit, plan };

// The program's result. No value: the program continues at its program counter.
using MaybeStep = std::optional<Step>;

// The result of leaving a wrapper, or of a policy (ops/rpz.h). `passed`: no change. `answered`: an
// answer (or its absence) ends the program. `renamed`: the program continues at the program counter
// with another name.
enum class Left : std::uint8_t { passed, answered, renamed };

// The implementation of an operation, specialised in ops/:
//   a test       static bool holds(const Reads<op, Walk>& q, const Instruction& i)
//   all others   static MaybeStep run(Walk& w, const Instruction& i): moves the program counter
//   a wrapper    also static Left leave(Walk& w, const Instruction& i): `w.left()` is its place
// `Walk` is always LiveRun for an operation that is impure and `passes` on hits.
template <Op op>
struct Body;

// The facts that a test may read, as its row declares. A test that reads the client, chance or the
// time without a declaration does not compile. Otherwise caches before it would not be guarded.
template <Op op, class Walk>
class Reads {
  public:
    explicit Reads(Walk& walk) : walk_(walk) {}

    [[nodiscard]] const Snapshot& snapshot() const { return walk_.snapshot(); }

    [[nodiscard]] const matchers::TagBits& tags() const
        requires(has_trait(op, op_traits::kReadsName)) {
        return walk_.tags();
    }
    [[nodiscard]] std::uint64_t marks() const requires(has_trait(op, op_traits::kReadsMarks)) {
        return walk_.marks();
    }
    [[nodiscard]] bool has_response() const requires(has_trait(op, op_traits::kReadsResponse)) {
        return walk_.has_response();
    }
    [[nodiscard]] const dns::Answer& response() const  // only with has_response()
        requires(has_trait(op, op_traits::kReadsResponse)) {
        return walk_.c.response.answer();
    }
    // Whether a name that a CNAME of the response points to is in one of these sets.
    [[nodiscard]] bool has_cname_in(const matchers::TagBits& mask) const
        requires(has_trait(op, op_traits::kReadsResponse)) {
        return walk_.has_cname_in(mask);
    }
    // Type and class of the client's question; a redirect changes neither.
    [[nodiscard]] std::uint16_t qtype() const
        requires(has_trait(op, op_traits::kReadsQuestion | op_traits::kReadsResponse)) {
        return walk_.c.query.qtype;
    }
    [[nodiscard]] std::uint16_t qclass() const requires(has_trait(op, op_traits::kReadsQuestion)) {
        return walk_.c.query.qclass;
    }
    // The name that is in use at this instruction, in lower-cased wire form.
    [[nodiscard]] std::span<const std::uint8_t> name() const
        requires(has_trait(op, op_traits::kReadsQuestion)) {
        return walk_.c.asked().name();
    }
    [[nodiscard]] const ClientFacts& client() const
        requires(has_trait(op, op_traits::kReadsClient)) {
        return walk_.c.client;
    }
    [[nodiscard]] bool is_client_in(const DeviceSet& devices) const
        requires(has_trait(op, op_traits::kReadsClient)) {
        return steer::is_client_in(devices, walk_.c);
    }
    [[nodiscard]] bool takes_token(std::uint32_t limiter) const
        requires(has_trait(op, op_traits::kReadsClient) && has_trait(op, op_traits::kReadsChance)) {
        return walk_.takes_token(limiter);
    }
    [[nodiscard]] std::uint32_t random() const requires(has_trait(op, op_traits::kReadsChance)) {
        return walk_.worker.next_random();
    }
    [[nodiscard]] bool is_now_within(std::uint32_t time_test) const
        requires(has_trait(op, op_traits::kReadsTime)) {
        return walk_.snapshot().time_tests[time_test].window->is_open();
    }
    [[nodiscard]] bool text_holds(const TextMatch& match) const
        requires(has_trait(op, op_traits::kReadsByOperand)) {
        return walk_.text_holds(match);
    }

  private:
    Walk& walk_;
};

namespace interpreter {

template <Mode mode>
constexpr bool is_run(const OpTraits& row) {
    return mode == Mode::live || (mode == Mode::hit && row.hit == OnHit::acts) ||
           (mode == Mode::plan && row.plan == Purity::pure);
}

template <Op op, class Walk>
MaybeStep run(Walk& w, const Instruction& i) noexcept {
    constexpr OpTraits kRow = traits_of(op);
    constexpr bool kRuns = is_run<Walk::kMode>(kRow);
    if constexpr (Walk::kMode == Mode::plan && kRow.plan == Purity::impure) {
        rte_panic("a plan is made of an instruction that is not pure\n");
    } else if constexpr (is_test(op)) {
        bool holds = false;
        if constexpr (kRuns) holds = Body<op>::holds(Reads<op, Walk>(w), i);
        w.pc() = holds != i.negate ? static_cast<std::uint16_t>(w.pc() + 1) : i.target;
        return std::nullopt;
    } else if constexpr (kRuns) {
        return Body<op>::run(w, i);
    } else {
        return w.next();
    }
}

template <Op op, class Walk>
Left leave(Walk& w, const Instruction& i) noexcept {
    if constexpr (!is_wrapper(op)) {
        rte_panic("the program wraps by an instruction that is no wrapper\n");
    } else if constexpr (is_run<Walk::kMode>(traits_of(op))) {
        return Body<op>::leave(w, i);
    } else {
        return Left::passed;
    }
}

}  // namespace interpreter

// Runs the instruction at the program counter.
template <class Walk>
[[gnu::always_inline]] inline MaybeStep step(Walk& w) noexcept {
    const Instruction& i = w.snapshot().program[w.pc()];
    switch (i.op) {
#define STEER_OP_RUN(name, operand, plan, hit, traits) \
    case Op::name:                                     \
        return interpreter::run<Op::name>(w, i);
        STEER_OPS(STEER_OP_RUN)
#undef STEER_OP_RUN
    }
    rte_panic("an unknown operation\n");
}

namespace interpreter {

template <class Walk>
Left leave_innermost(Walk& w) noexcept {
    const Instruction& i = w.pop();
    switch (i.op) {
#define STEER_OP_LEAVE(name, operand, plan, hit, traits) \
    case Op::name:                                       \
        return leave<Op::name>(w, i);
        STEER_OPS(STEER_OP_LEAVE)
#undef STEER_OP_LEAVE
    }
    rte_panic("an unknown operation\n");
}

}  // namespace interpreter

// Leaves the wrapper that was entered last. Before that, replaces a response that ad lists deny
// (ad_targets.h).
template <class Walk>
Left leave_last(Walk& w) noexcept {
    bool is_denied = false;
    if constexpr (Walk::kMode == Mode::live) is_denied = w.deny_targets();
    const Left left = interpreter::leave_innermost(w);
    return is_denied && left == Left::passed ? Left::answered : left;
}

// Leaves the wrappers that were entered in this copy of a sequence or in a nested one. The first
// `outside` wrappers stay.
template <class Walk>
Left leave_instance(Walk& w, unsigned instance, unsigned outside = 0) noexcept {
    while (w.depth() > outside && w.innermost().instance >= instance) {
        const Left left = leave_last(w);
        if (left != Left::passed) return left;
    }
    return Left::passed;
}

}  // namespace steer
