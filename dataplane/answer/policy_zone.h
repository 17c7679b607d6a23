// A response policy zone, or a local zone, that zone transfers change while a snapshot stays in
// force.
//
// One thread publishes a new PolicyZone and frees the old one after a grace period
// (control/host/process/published.h). Workers load the pointer for each query, copy the answer that
// they find, and keep no pointer over a quiescent state. A changed zone shares the large tables of
// the one before, and has its changes in small tables. So a change of some names costs their
// number, and a lookup in an unchanged zone costs nothing more.
//
// An action's target name is a number of LiveTargets (zone_targets.h), because a parked query keeps
// the number for longer than the zone lives.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "dataplane/answer/answer_store.h"
#include "dataplane/answer/answer_table.h"
#include "dataplane/answer/zone_targets.h"
#include "matchers/owner_table.h"
#include "matchers/prefix/prefix_values.h"

namespace steer {

// The action of a trigger.
struct PolicyAction {
    enum class Does : std::uint8_t {
        deny,      // `answer`: NXDOMAIN or NODATA
        passthru,  // no change
        drop,      // no answer is sent
        tcp_only,  // over UDP the truncated `answer`; over other transports as passthru
        alias,     // resolves `alias` instead
        records,   // records in `typed`; for other types `answer`: NODATA
    };
    Does does = Does::deny;
    std::uint16_t alias = 0;  // for Snapshot::redirect_target()
    AnswerRef answer = kNoAnswer;
    AnswerTable::Range typed{0, 0};  // range of the typed answers beside the actions
};

// The records for a type. kNoAnswer: there are none; use PolicyAction::answer.
[[nodiscard]] AnswerRef answer_for(const PolicyAction& action,
                                   std::span<const AnswerTable::Typed> typed,
                                   std::uint16_t qtype) noexcept;

// Actions with their answers; immutable.
struct PolicyActions {
    AnswerStore answers;
    std::vector<PolicyAction> actions;
    std::vector<AnswerTable::Typed> typed;
    TargetUses targets;  // the numbers that actions have as `alias`
};

struct PolicyZone {
    static constexpr std::uint32_t kNone = UINT32_MAX;

    struct ActionAt {
        const PolicyActions& of;
        const PolicyAction& action;
    };

    std::shared_ptr<const matchers::OwnerTable> names;    // values: numbers of actions
    std::shared_ptr<const matchers::OwnerTable> changes;  // over `names`; nullptr: none
    std::uint32_t all = kNone;                            // for every name except the root
    std::shared_ptr<const matchers::PrefixValues> clients, addresses;
    std::shared_ptr<const PolicyActions> actions;  // numbers from 0
    std::shared_ptr<const PolicyActions> more;     // the numbers after those; nullptr: none
    std::uint64_t triggers = 0;
    std::uint32_t serial = 0;

    [[nodiscard]] ActionAt at(std::uint32_t action) const noexcept {
        const std::size_t first = actions->actions.size();
        if (action < first) return {*actions, actions->actions[action]};
        return {*more, more->actions[action - first]};
    }
};

struct LivePolicy {
    std::atomic<const PolicyZone*> zone{nullptr};  // nullptr: there is none yet, or it expired

    [[nodiscard]] const PolicyZone* load() const noexcept {
        return zone.load(std::memory_order_acquire);
    }
};

}  // namespace steer
