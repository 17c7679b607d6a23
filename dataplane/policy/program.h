// The compiled policy: a flat list of instructions that run from front to back. ops.h has the
// operations.
//
// Built by control/program/build from the sequences; read by dataplane/policy/executor. Rules:
//
// - A test (`if_*`) continues with the next instruction if it is true (after `negate`), else at
//   `target`.
// - A sequence used by `exec: $sequence`, `jump` or `goto` is compiled in place. `instance` numbers
//   each such copy; a nested copy has a higher number. A go_to to the end of the containing
//   sequence follows the copy of a `goto`.
// - A wrapping executor (`enter_*`) pushes {its own pc, instance} and continues; the rest of its
//   sequence runs inside it. `sequence_end` of an instance leaves every wrapper that was entered in
//   it or in a nested copy, last first. Then it continues with the caller's next instruction.
//   `stop` (accept, reject, a short circuit) leaves all wrappers of all instances, last first, and
//   ends the program. `return` goes to the end of the copy that was jumped to; outside of a copy it
//   is a stop.
// - The end of a wrapper acts on the response at that moment: `enter_cache` stores it, `enter_list`
//   claims its addresses and caps its TTLs, `enter_summary` logs it.
// - `enter_redirect` and `enter_ecs` change the question for the wrapped part (question.h). They
//   are entered only if they change something. Their end restores the question and adapts the
//   answer.
// - A program ends with `end`.
// - `enter_rpz` answers, or is entered. At its end it checks the response, and may run the rest of
//   its sequence again for another name.
// - `fallback` runs units outside the query's program. Units are separate programs behind the main
//   one, entered at Fallback::primary and `secondary`. accept, reject and return end only the unit.
// - `enter_prefer` runs the rest of its sequence as branches for the family that is not preferred.
//   It continues where that ended, or stops if it stopped. `enter_dns64` does the same for AAAA.
//   For SVCB and HTTPS it wraps the rest and completes the hints.
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
    bool in_prefix : 1 = false;     // in the pure prefix (plan.h): set by equip()
    bool with_special : 1 = false;  // forward: also sends special names upstream (special_names.h)
    bool with_private : 1 = false;  // forward: also sends those that private networks use
    bool of_zone : 1 = false;       // forward: of a `zone` or FWD record; also sends without RD
    // enter_cache, set by equip(): a hit evaluates its lists again (guard.h).
    bool guarded : 1 = false;
    // enter_cache, set by equip(): it wraps an enter_rpz, which also checks hits.
    bool policed : 1 = false;
    std::uint16_t instance = 0;
    std::uint16_t target = 0;  // pc
    // Line in the configuration file, for --dump-program and messages; saturates.
    std::uint16_t line = 0;
    std::uint32_t operand = 0;
};
static_assert(sizeof(Instruction) == 12);

// Maximum entered at a time; the builder refuses deeper programs.
inline constexpr std::size_t kMaxWrappers = 8;
inline constexpr std::size_t kMaxProgram = 65535;

using Program = std::vector<Instruction>;

// The places in the files that a program is written in, for explanations. Workers do not read it.
struct ProgramSource {
    struct Place {
        std::uint16_t sequence = 0;  // index of `sequences`
        std::uint16_t file = 0;      // index of `files`
        std::uint32_t line = 0;      // 0: it is not in a file
    };
    std::vector<Place> places;           // by pc
    std::vector<std::string> sequences;  // tags
    std::vector<std::string> files;      // the first is the configuration
    std::vector<std::string> texts;      // by pc: the line, without secrets
    // A static record. Records with the same end share instructions, so a place does not identify a
    // record.
    struct Record {
        std::string rule;         // "full:printer.example"
        std::uint16_t qtype = 0;  // 0: of all types
        std::uint16_t file = 0;   // index of `files`
        std::uint32_t line = 0;
    };
    std::vector<std::vector<Record>>
        records;  // for each StaticRecords of the snapshot, by its `does`
};

}  // namespace steer
