// All operations of a program, one row each: name, operand, and the facts for plans, guards and the
// compiler. The enum, the names and all lists of operations are generated from these rows
// (program.h explains how a program runs). The Body in ops/ implements an operation
// (interpreter.h).
//
// X(name, operand, plan, hit, traits):
// - operand: an OperandKind.
// - plan (plan.h). pure: depends only on the name's sets and on earlier pure steps. without_answer:
//   pure while there is no answer; reads or changes an answer. impure: has a visible effect, waits,
//   ends the program, or depends on facts outside a plan's key.
// - hit: what the guarded run of a cache hit (guard.h) does with it. `passes` skips the operation.
//   It is for operations that wait, report or change TTLs, and for wrappers of such operations.
// - traits: flags of op_traits.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace steer {

// Tests. If the test is true (after `negate`), the program continues with the next instruction,
// else at `target`.
#define STEER_TESTS(X)                                                                         \
    X(if_tags, tag_mask, pure, acts, kReadsName) /* the name is in any of the mask's sets */   \
    X(if_has_resp, none, pure, acts, kReadsResponse)                                           \
    X(if_true, none, pure, acts, 0)                                                            \
    X(if_marks, marks, pure, acts, kReadsMarks) /* the query has any of them */                \
    X(if_type, numbers, impure, acts, kReadsQuestion)                                          \
    X(if_class, numbers, impure, acts, kReadsQuestion)                                         \
    /* this and the next three are false without a response */                                 \
    X(if_rcode, numbers, without_answer, acts, kReadsResponse)                                 \
    /* the address of any A or AAAA record */                                                  \
    X(if_response_address, prefixes, without_answer, acts, kReadsResponse)                     \
    /* any name that a CNAME of the answer points to */                                        \
    X(if_cname, tag_mask, without_answer, acts, kReadsResponse)                                \
    /* the answer has a record of the question's type */                                       \
    X(if_wanted_answer, none, without_answer, acts, kReadsResponse)                            \
    X(if_client, prefixes, impure, acts, kReadsClient)                                         \
    X(if_device, devices, impure, acts, kReadsClient | kReadsLink) /* of a DeviceSet */        \
    X(if_vlan, numbers, impure, acts, kReadsClient | kReadsLink)   /* of the query's frame */  \
    /* the address in a name under in-addr.arpa or ip6.arpa */                                 \
    X(if_name_address, prefixes, impure, acts, kReadsQuestion)                                 \
    X(if_text, text_match, impure, acts, kReadsByOperand) /* what its TextMatch::of says */    \
    X(if_random, chance, impure, acts, kReadsChance)      /* true with probability N / 2^32 */ \
    X(if_time, time_test, impure, acts, kReadsTime)       /* now is within its periods */      \
    /* the client has a token; takes it */                                                     \
    X(if_rate, rate_limiter, impure, acts, kReadsClient | kReadsChance)

// Wrappers: entered here, left at the end of their sequence.
#define STEER_WRAPPERS(X)                                                                        \
    X(enter_cache, cache, impure, passes, 0) /* target: the sequence's end, for short_circuit */ \
    X(enter_prefer, prefer, impure, passes, kWritesResponse | kMayWait) /* may run branches */   \
    X(enter_dns64, dns64, impure, passes, kWritesResponse | kMayWait)   /* may run branches */   \
    /* inside, the name is that of the IPv4 address in an IPv6 one */                            \
    X(enter_pointer64, dns64, impure, acts, kRewrites)                                           \
    X(enter_list, list, pure, acts, kClaims)                                                     \
    X(enter_summary, text, pure, passes, 0)                                                      \
    X(enter_reverse, reverse, pure, passes, 0)                                                   \
    X(enter_collector, collector, impure, passes, kLeadsOn)                                      \
    X(enter_learn, learner, impure, passes, kReadsName | kLeadsOn)                               \
    /* inside, queries have another client subnet */                                             \
    X(enter_ecs, ecs, impure, passes, kRewrites)                                                 \
    /* inside, queries have these options */                                                     \
    X(enter_options, options, impure, passes, kRewrites)                                         \
    X(enter_redirect, redirect, impure, acts, kRewrites) /* inside, the name is another one */   \
    /* answers, or checks the answer of the rest; guarded caches wrap none */                    \
    X(enter_rpz, rpz, impure, passes, kRewrites | kWritesResponse | kMayStop | kLeadsOn)         \
    /* answers and continues at the record's place, or is entered (answer/static_records.h) */   \
    X(static_records, statics, impure, acts, kRewrites | kWritesResponse)

// All others: one step.
#define STEER_ACTIONS(X)                                                                       \
    X(mark, marks, pure, acts, kWritesMarks)                                                   \
    X(go_to, target, pure, acts, 0)                                                            \
    /* parks; short_circuit: stop once there is an answer */                                   \
    X(forward, group, impure, acts, kWritesResponse | kMayWait)                                \
    X(sleep, milliseconds, impure, passes, kMayWait) /* parks */                               \
    /* runs branches; short_circuit: as forward */                                             \
    X(fallback, fallback, impure, acts, kWritesResponse | kMayWait)                            \
    X(debug_print, text, impure, passes, kLeadsOn)                                             \
    X(raise, task, impure, passes, kLeadsOn) /* control does the work, the query continues */  \
    /* answers a PTR query for a known address and goes to target */                           \
    X(answer_pointer, reverse, impure, passes, kWritesResponse | kBranches)                    \
    /* claims the present response, as the end of enter_list does */                           \
    X(claim_list, list, pure, acts, kClaims)                                                   \
    X(drop_response, none, without_answer, acts, kWritesResponse)                              \
    /* replaces an answer that has one of these addresses */                                   \
    X(deny_private, prefixes, without_answer, passes, kReadsResponse | kWritesResponse)        \
    X(limit_ttls, ttl_limits, without_answer, passes, 0)     /* of a response */               \
    X(black_hole, black_hole, impure, acts, kWritesResponse) /* short_circuit: stop */         \
    /* denies the name, or goes to target while it pauses */                                   \
    X(ad_list, ad_list, impure, acts, kWritesResponse | kBranches | kMayStop)                  \
    /* the list checks the names that the answer points to (ad_targets.h) */                   \
    X(watch_targets, ad_list, pure, acts, 0)                                                   \
    /* an exception of the list covers the name */                                             \
    X(allow, ad_list, pure, passes, 0)                                                         \
    /* blocks names that a rule blocks: of other names, plans pass it (answer/name_rules.h) */ \
    X(rules, none, pure, passes, kOfCovered)                                                   \
    /* goes to target if a rule allows the question: before a blocking instruction */          \
    X(pass_allowed, none, impure, passes, kBranches)                                           \
    /* short_circuit: stop if it has an answer */                                              \
    X(answer_table, answer_table, impure, acts, kWritesResponse)                               \
    /* short_circuit: stop if it has an answer */                                              \
    X(live_answers, live_answers, impure, acts, kWritesResponse)                               \
    /* sets an empty answer, then as stop */                                                   \
    X(reject, rcode, impure, acts, kWritesResponse | kStops)                                   \
    /* removes the answer, then as stop; no reply is sent */                                   \
    X(drop, none, impure, acts, kWritesResponse | kStops)                                      \
    X(stop, none, impure, acts, kStops)                                                        \
    X(sequence_end, instance, pure, acts, 0) /* pure if it leaves no summary */                \
    X(end, none, impure, acts, kStops)

#define STEER_OPS(X) STEER_TESTS(X) STEER_WRAPPERS(X) STEER_ACTIONS(X)

#define STEER_OP_NAME(name, operand, plan, hit, traits) name,
enum class Op : std::uint8_t { STEER_OPS(STEER_OP_NAME) };

// The kind of an operand: an index into a table of Snapshot, unless noted otherwise.
enum class OperandKind : std::uint8_t {
    none,
    tag_mask,
    marks,
    numbers,
    prefixes,
    devices,
    text_match,
    chance,  // a number below 2^32
    time_test,
    rate_limiter,
    cache,
    prefer,
    dns64,
    list,
    text,
    reverse,
    collector,
    learner,
    ecs,
    options,
    redirect,
    rpz,
    statics,
    target,  // Instruction::target
    group,
    milliseconds,
    fallback,
    task,
    ttl_limits,
    black_hole,
    ad_list,
    answer_table,
    live_answers,
    rcode,
    instance,  // Instruction::instance
};

enum class Purity : std::uint8_t { pure, without_answer, impure };
enum class OnHit : std::uint8_t { acts, passes };

namespace op_traits {
enum : std::uint32_t {
    kReadsName = 1U << 0,      // the name's sets
    kReadsQuestion = 1U << 1,  // type, class, or the name itself
    kReadsClient = 1U << 2,
    kReadsResponse = 1U << 3,
    kReadsMarks = 1U << 4,
    kReadsChance = 1U << 5,  // chance or a rate: another query may get another outcome
    kWritesResponse = 1U << 6,
    kWritesMarks = 1U << 7,
    kRewrites = 1U << 8,  // has a word in ProgramState::rewrites while it is entered
    kClaims = 1U << 9,    // claims the addresses of the response for a list
    kMayWait = 1U << 10,
    kBranches = 1U << 11,  // not a test, and may continue at `target`
    kMayStop = 1U << 12,   // may stop the program
    kStops = 1U << 13,     // always stops it
    // Impure, but a query that it does not stop always continues with the next instruction.
    kLeadsOn = 1U << 14,
    kReadsByOperand = 1U << 15,  // its operand decides what it reads (guard.cpp)
    kReadsTime = 1U << 16,       // the time of day: a later query may get another outcome
    kReadsLink = 1U << 17,       // with kReadsClient: MAC or VLAN of the query's frame
    // Acts only for names that a rule may block. Their queries have no plan (Burst::covered).
    kOfCovered = 1U << 18,
};
}  // namespace op_traits

struct OpTraits {
    std::string_view name;
    OperandKind operand;
    Purity plan;
    OnHit hit;
    std::uint32_t traits;
};
#define STEER_OP_TRAITS(name, operand, plan, hit, traits) \
    OpTraits{#name, OperandKind::operand, Purity::plan, OnHit::hit, traits},
inline constexpr auto kOps = [] {
    using namespace op_traits;
    return std::array{STEER_OPS(STEER_OP_TRAITS)};
}();
#define STEER_OP_VALUE(name, operand, plan, hit, traits) Op::name,
inline constexpr std::size_t kTestOps = std::array{STEER_TESTS(STEER_OP_VALUE)}.size();
inline constexpr std::size_t kWrapperOps = std::array{STEER_WRAPPERS(STEER_OP_VALUE)}.size();

constexpr const OpTraits& traits_of(Op op) {
    return kOps[static_cast<std::size_t>(op)];
}
constexpr bool has_trait(Op op, std::uint32_t traits) {
    return (traits_of(op).traits & traits) != 0;
}
constexpr bool is_test(Op op) {
    return static_cast<std::size_t>(op) < kTestOps;
}
constexpr bool is_wrapper(Op op) {
    return static_cast<std::size_t>(op) - kTestOps < kWrapperOps;
}
constexpr bool is_rewrite(Op op) {
    return has_trait(op, op_traits::kRewrites);
}

// A plan depends only on the name's sets, and must have no visible effect. So an operation that
// reads the client, chance or the time is impure. The same traits guard the caches before it
// (guard.cpp).
constexpr bool is_sound(const OpTraits& op) {
    using namespace op_traits;
    constexpr std::uint32_t kBesideTheKey =
        kReadsClient | kReadsChance | kReadsTime | kReadsQuestion | kReadsByOperand;
    constexpr std::uint32_t kSeen = kMayWait | kStops | kMayStop | kRewrites;
    return op.plan == Purity::impure || (op.traits & (kBesideTheKey | kSeen)) == 0;
}
// Whether the operand has the kind that code with these traits expects.
constexpr bool has_its_operand(Op op) {
    using namespace op_traits;
    const OperandKind is = traits_of(op).operand;
    if (is_test(op) && has_trait(op, kReadsName) && is != OperandKind::tag_mask) return false;
    if (has_trait(op, kReadsMarks | kWritesMarks) && is != OperandKind::marks) return false;
    if (has_trait(op, kReadsByOperand) && is != OperandKind::text_match) return false;
    return !has_trait(op, kClaims) || is == OperandKind::list;
}
static_assert(
    [] {
        for (const OpTraits& op : kOps) {
            if (!is_sound(op)) return false;
        }
        return true;
    }(),
    "an operation that is pure for plans reads facts outside a plan's key, or has an effect");

static_assert(
    [] {
        for (std::size_t i = 0; i < kOps.size(); ++i) {
            if (!has_its_operand(static_cast<Op>(i))) return false;
        }
        return true;
    }(),
    "an operation has a trait that needs a different kind of operand");

}  // namespace steer
