// What the policy did with a query, in one word: for records, explanations and replays.
#pragma once

#include <cstdint>
#include <string_view>

#include "dataplane/policy/parked.h"
#include "dataplane/policy/program.h"
#include "dataplane/policy/snapshot.h"
#include "matchers/counter_table.h"

namespace steer {

//    name, description
#define STEER_DECISIONS(X)                                                               \
    X(forwarded, "an upstream answers, perhaps from the cache")                          \
    X(local, "answered from records, leases or hosts of the configuration")              \
    X(blocked, "denied by an ad list, a black_hole, a policy zone or a rule")            \
    X(rejected, "answered by `reject`")                                                  \
    X(dropped, "no answer is sent")                                                      \
    X(refused, "the client is not in `dataplane.allow`")                                 \
    X(error, "a malformed query, a type that is not served, or a quota")                 \
    X(empty, "no rule answers: an empty answer is sent")                                 \
    X(allowed, "as forwarded, because an exception of a list or a rule allows the name") \
    X(rewritten, "as forwarded, for another name")                                       \
    X(steered, "as forwarded, and lists claim the addresses")

STEER_COUNTER_ENUM(PolicyDecision, kPolicyDecisions, STEER_DECISIONS);

constexpr std::string_view label_of(PolicyDecision decision) {
    return kPolicyDecisions[decision].label;
}

// Of an instruction that made the response.
inline PolicyDecision decision_by(const Snapshot& snapshot, std::uint16_t pc) noexcept {
    const Instruction& i = snapshot.program[pc];
    const auto if_blocking = [](bool blocks) {
        return blocks ? PolicyDecision::blocked : PolicyDecision::local;
    };
    const Op op = i.op;
    if (op == Op::black_hole) return if_blocking(snapshot.black_holes[i.operand].blocks);
    if (op == Op::enter_rpz) return if_blocking(!snapshot.rpzs[i.operand].is_authority);
    if (op == Op::reject) return PolicyDecision::rejected;
    if (op == Op::drop) return PolicyDecision::dropped;
    return if_blocking(op == Op::rules || op == Op::ad_list || op == Op::watch_targets ||
                       op == Op::deny_private);
}

// Of an answer that no instruction made. `claimed`: by a list.
constexpr PolicyDecision decision_of_passed(bool is_allowed, bool is_renamed, bool claimed) {
    if (is_allowed) return PolicyDecision::allowed;
    if (is_renamed) return PolicyDecision::rewritten;
    return claimed ? PolicyDecision::steered : PolicyDecision::forwarded;
}

// Of a program that ended.
inline PolicyDecision decision_of(const Snapshot& snapshot, const ProgramState& s) noexcept {
    if (s.dropped) return PolicyDecision::dropped;
    if (s.unanswered) return PolicyDecision::empty;
    if (s.made_by != ProgramState::kNowhere) return decision_by(snapshot, s.made_by);
    const bool has_passed = s.passed_by != ProgramState::kNowhere;
    return decision_of_passed(s.is_allowed, has_passed && !s.is_allowed, s.list_count != 0);
}
// The instruction that decided; kNowhere: none.
inline std::uint16_t decided_at(const ProgramState& s) noexcept {
    return s.made_by != ProgramState::kNowhere ? s.made_by : s.passed_by;
}

// What clients get to know of a block by this instruction; nullptr: no list decided.
inline const BlockNotice* notice_of(const Snapshot& snapshot, std::uint16_t pc,
                                    std::uint8_t part) noexcept {
    if (pc >= snapshot.program.size()) return nullptr;
    const Instruction& i = snapshot.program[pc];
    if (i.op == Op::ad_list || i.op == Op::watch_targets) {
        const auto& lists = snapshot.ad_lists[i.operand].lists;
        return part < lists.size() ? &lists[part].notice : nullptr;
    }
    if (i.op != Op::enter_rpz) return nullptr;
    const auto& zones = snapshot.rpzs[i.operand].zones;
    return part < zones.size() ? &zones[part].notice : nullptr;
}

// The serial of the zone by transfer that decided; 0: another list did.
inline std::uint32_t serial_of(const Snapshot& snapshot, std::uint16_t pc,
                               std::uint8_t part) noexcept {
    if (pc >= snapshot.program.size() || snapshot.program[pc].op != Op::enter_rpz) return 0;
    const auto& zones = snapshot.rpzs[snapshot.program[pc].operand].zones;
    const PolicyZone* const loaded = part < zones.size() ? zones[part].load() : nullptr;
    return loaded != nullptr ? loaded->serial : 0;
}

// The public name of the list that blocked the query, beside the code of its block; or empty.
inline std::string_view block_text(const Snapshot& snapshot, const ProgramState& s,
                                   dns::Ede code) noexcept {
    const BlockNotice* const notice = notice_of(snapshot, s.made_by, s.part);
    return notice != nullptr && notice->code == code ? std::string_view(notice->text) : "";
}

}  // namespace steer
