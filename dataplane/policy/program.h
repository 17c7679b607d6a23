// The compiled policy: a flat list of instructions that a query walks through, front to back.
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

namespace steer {

enum class Op : std::uint8_t {
    // Tests come first: is_test().
    if_tags,  // operand: index of a tag mask; holds if the name is in any of its sets
    if_has_resp,
    if_true,
    if_marks,             // operand: as of mark; holds if the query has any of them
    if_type,              // operand: index of Snapshot::number_sets
    if_class,             // the same
    if_rcode,             // the same; this and the next three do not hold without a response
    if_response_address,  // operand: index of Snapshot::prefix_sets; any A or AAAA of the answer
    if_cname,             // operand: as of if_tags; any name that a CNAME of the answer points to
    if_wanted_answer,     // the answer has a record of the question's type
    if_client,            // operand: index of Snapshot::prefix_sets
    if_name_address,  // the same; the address that a name under in-addr.arpa, ip6.arpa stands for
    if_text,    // operand: index of Snapshot::text_matches; of the client, the answer or the marks
    if_random,  // operand: holds for so many of 2^32
    if_rate,  // operand: index of Snapshot::rate_limiters; holds if the client had a token, which is taken

    mark,         // operand: index of a 64-bit mask of interned marks
    go_to,        // target
    forward,      // operand: upstream group; parks; short_circuit: stop once there is an answer
    sleep,        // operand: milliseconds; parks
    fallback,     // operand: index of Snapshot::fallbacks; runs branches; short_circuit: as forward
    enter_cache,  // operand: cache instance; target: the sequence's end, for short_circuit
    enter_prefer,     // operand: index of Snapshot::prefers; may run branches
    enter_dns64,      // operand: index of Snapshot::dns64s; may run branches
    enter_pointer64,  // the same; inside, the name of the IPv4 address behind an IPv6 one is asked for
    enter_list,       // operand: policy list (Snapshot::lists)
    enter_summary,  // operand: text
    debug_print,    // operand: text
    raise,          // operand: Snapshot::tasks; control does the work, the query goes on
    answer_pointer,  // operand: Snapshot::reverse; a PTR whose address is known is answered and goes to target
    enter_reverse,    // operand: Snapshot::reverse
    enter_collector,  // operand: Snapshot::collectors
    enter_ecs,       // operand: Snapshot::ecs_handlers; inside, another client subnet is asked with
    enter_options,   // operand: Snapshot::option_codes; inside, these options are passed on
    enter_redirect,  // operand: Snapshot::redirects; inside, another name is asked for
    claim_list,  // operand: policy list; claims the response that is there, as leaving enter_list does
    drop_response,
    limit_ttls,  // operand: index of Snapshot::ttl_limits; of the response, if there is one
    black_hole,  // operand: index of Snapshot::black_holes; short_circuit: stop
    ad_list,     // operand: Snapshot::ad_lists; denies the name, or goes to target while it pauses
    enter_rpz,   // operand: Snapshot::rpzs; answers, or looks at what the rest answers
    // operand: Snapshot::statics; answers and goes on where the record says, or is entered: for another name, which is
    // then looked up from target on, or so that the name exists
    static_records,
    answer_table,  // operand: index of Snapshot::answer_tables; short_circuit: stop if it has an answer
    live_answers,  // operand: index of Snapshot::live_answers; short_circuit: stop if it has an answer
    reject,        // operand: rcode; sets an empty answer, then as stop
    drop,          // takes the answer away, then as stop; nobody is answered
    stop,
    sequence_end,
    end,
};

constexpr bool is_test(Op op) {
    return op <= Op::if_rate;
}

// Wrappers that have a word in ProgramState::rewrites while they are entered.
constexpr bool is_rewrite(Op op) {
    return op == Op::enter_redirect || op == Op::enter_ecs || op == Op::enter_options ||
           op == Op::enter_pointer64 || op == Op::static_records || op == Op::enter_rpz;
}

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
