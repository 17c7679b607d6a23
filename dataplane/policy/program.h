// The compiled policy: a flat list of instructions that run front to back. ops.h has the operations.
//
// Built by control/program/build from the sequences; read by dataplane/policy/executor. Rules:
//
// - A test (`if_*`) continues with the next instruction if it holds (after `negate`), else at
//   `target`.
// - A sequence used by `exec: $sequence`, `jump` or `goto` is compiled in place. `instance` numbers
//   each such copy; a nested copy has a higher number. A `goto`'s copy is followed by a go_to to the end of the
//   sequence that contains it.
// - A wrapping executor (`enter_*`) pushes {its own pc, instance} and continues; the rest of its
//   sequence runs inside it. `sequence_end` of an instance leaves every wrapper entered in
//   it or in a nested copy, last first, then continues with the caller's next instruction. `stop`
//   (accept, reject, a short circuit) leaves all wrappers of all instances,
//   last first, and ends the program. `return` goes to the end of the copy that was jumped to;
//   outside of a copy it is a stop.
// - Leaving acts on the response at that moment: `enter_cache` stores it, `enter_list` claims its
//   addresses and caps its TTLs, `enter_summary` logs it.
// - `enter_redirect` and `enter_ecs` change the question for the wrapped part (question.h), and are entered only
//   if there is something to change. They leave an answer to the question before.
// - A program ends with `end`.
// - `enter_rpz` answers, or is entered. When left, it checks the response, and may run the rest of its
//   sequence again for another name.
// - `fallback` runs units beside the query: separate programs behind the main one, entered at Fallback::primary and
//   `secondary`. accept, reject and return end only the unit.
// - `enter_prefer` runs the rest of its sequence as branches for the family that is not preferred. It continues where
//   that ended, or stops if it stopped. `enter_dns64` does the same for AAAA. For SVCB and HTTPS it wraps the rest and
//   completes the hints.
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
    bool with_local : 1 = false;  // forward: also asks for names under .local
    bool guarded : 1 =
        false;  // enter_cache: a hit evaluates its lists again (guard.h): set by equip()
    bool policed : 1 =
        false;  // enter_cache: it wraps an enter_rpz, which checks hits too: set by equip()
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

// Where a program is written, for explanations. Workers do not read it.
struct ProgramSource {
    struct Place {
        std::uint16_t sequence = 0;  // of `sequences`
        std::uint16_t file = 0;      // of `files`
        std::uint32_t line = 0;      // 0: it is written nowhere
    };
    std::vector<Place> places;           // by pc
    std::vector<std::string> sequences;  // tags
    std::vector<std::string> files;      // the first is the configuration
    std::vector<std::string> texts;      // by pc: the line, without secrets
    // A static record: records with the same end share instructions, so these do not say which one it was.
    struct Record {
        std::string rule;         // "full:printer.example"
        std::uint16_t qtype = 0;  // 0: of all types
        std::uint16_t file = 0;   // of `files`
        std::uint32_t line = 0;
    };
    std::vector<std::vector<Record>>
        records;  // of each StaticRecords of the snapshot, by its `does`
};

}  // namespace steer
