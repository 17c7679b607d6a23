// The compiled policy: a flat list of instructions that a query walks through, front to back. ops.h has the operations.
//
// Built by control/build from the sequences; read by dataplane/policy/executor. Rules:
//
// - A test (`if_*`) goes on with the next instruction if it holds (after `negate`), else at
//   `target`.
// - A sequence used by `exec: $sequence`, `jump` or `goto` is compiled in place; `instance` numbers
//   each such copy, a copy inside another higher than that. Behind a `goto`'s copy stands a go_to to the end of the
//   sequence that it is in.
// - A wrapping executor (`enter_*`) pushes {its own pc, instance} and goes on; the rest of its own
//   sequence runs inside it. `sequence_end` of an instance leaves every wrapper that was entered in
//   it or in a copy inside it, last first, then goes on with the caller's next instruction. `stop`
//   (accept, reject; and a short circuit) leaves all wrappers of all instances,
//   last first, and ends the program. `return` goes to the end of the copy that was jumped to;
//   outside of any it is a stop.
// - Leaving acts on the response as it is then: `enter_cache` stores it, `enter_list` claims its
//   addresses and caps its TTLs, `enter_summary` notes it.
// - `enter_redirect` and `enter_ecs` change the question for what is inside of them (question.h), and are entered only
//   where they have something to change; what they leave is an answer to the question before.
// - A program ends with `end`.
// - `enter_rpz` answers, or is entered: then it looks at the response when it is left, and may run the rest of its
//   sequence once more, for another name.
// - `fallback` runs units beside the query: programs of their own behind the main one, entered at Fallback::primary and
//   `secondary`. accept, reject and return end a unit alone.
// - `enter_prefer` runs the rest of its sequence as branches for the family that is not preferred, and goes on where
//   that ended, or stops if it stopped. `enter_dns64` does for AAAA; it wraps the rest for SVCB and HTTPS, whose hints it
//   completes.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "dataplane/policy/ops.h"

namespace steer {

struct Instruction {
    Op op;
    bool negate : 1 = false;
    bool short_circuit : 1 = false;
    bool in_prefix : 1 = false;   // of the pure prefix (plan.h): set by equip()
    bool with_local : 1 = false;  // forward: names under .local are asked as well
    bool guarded : 1 =
        false;  // enter_cache: a hit's lists are chosen anew (guard.h): set by equip()
    bool policed : 1 =
        false;  // enter_cache: it wraps an enter_rpz, which a hit does not go around: set by equip()
    std::uint16_t instance = 0;
    std::uint16_t target = 0;  // pc
    std::uint16_t line =
        0;  // of the configuration file, for --dump-program and messages; saturates
    std::uint32_t operand = 0;
};
static_assert(sizeof(Instruction) == 12);

inline constexpr std::size_t kMaxWrappers =
    8;  // entered at one time; the builder refuses deeper programs
inline constexpr std::size_t kMaxProgram = 65535;

using Program = std::vector<Instruction>;

}  // namespace steer
