// A query in the program: its client and question, the program's state, and the response so far.
#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "dataplane/base/client_facts.h"
#include "dataplane/dns/query.h"
#include "dataplane/policy/parked.h"
#include "dataplane/policy/plan.h"
#include "dataplane/policy/question.h"
#include "dataplane/policy/response.h"
#include "dataplane/policy/snapshot.h"
#include "dataplane/policy/trace.h"

namespace steer {

// The program's result. sleeps: call run() to continue. branches: next_branch() (branch.h) says what to do. waits: the
// resolver's own state; it waits for branches in its record.
enum class Step : std::uint8_t { answered, asks, sleeps, branches, waits };

struct QueryContext {
    QueryContext(const Snapshot& s, const dns::Query& q) : snapshot(s), query(q) {}

    const Snapshot& snapshot;
    const dns::Query& query;
    const std::uint8_t* qname_as_sent = nullptr;  // query.qname_len bytes in the client's case
    ClientFacts client;                           // MAC and VLAN only if Snapshot::reads_link
    std::uint64_t started_us = 0;
    // The client's options that a forward_edns0opt may pass on.
    std::span<const std::uint8_t> options;
    Buffer* injected = nullptr;  // the query's buffer, if the program uses its texts
    TraceRef trace;              // nearly always none

    // Begins at the plan's instruction (nullptr: at this entry of the program).
    void begin(const Plan* plan, std::uint8_t by_entry = 0) noexcept {
        if (plan == nullptr) {
            state.pc = snapshot.entries[by_entry];
        } else {
            plan->begin(state);
        }
    }

    int looked_up = -1;  // the cache (Snapshot::caches) of `found` (nullptr: a miss); -1: none
    const cache::Entry* found = nullptr;

    // The question inside the entered wrappers.
    [[nodiscard]] const dns::Query& asked() const { return rewritten ? *rewritten : query; }
    // Call it after `state` was set, or its rewrites changed.
    void rewrite_question() noexcept {
        rewritten.reset();
        if (state.rewrites.count() == 0) return;
        rewrite(snapshot, state.rewrites, state.rewrites.count(), client.address,
                rewritten.emplace(query));
    }
    // The question under the first `level` rewrites; stored in `room` unless it is one of the two above.
    [[nodiscard]] const dns::Query& asked_under(unsigned level, dns::Query& room) const noexcept {
        if (level == state.rewrites.count()) return asked();
        room = query;
        rewrite(snapshot, state.rewrites, level, client.address, room);
        return room;
    }

    ProgramState state;
    std::optional<dns::Query> rewritten;
    Response response;
    std::uint16_t group = 0;     // Step::asks: the upstream group
    std::uint32_t sleep_ms = 0;  // Step::sleeps: for this time
    bool failed = false;         // the program ended with an error: no upstream answered
    // Set by run(): the cache (its pc) whose answer for this question needs a background refresh.
    static constexpr std::uint16_t kNoRefresh = UINT16_MAX;
    std::uint16_t refresh_pc = kNoRefresh;
    Rewrites refresh_rewrites;  // the rewrites there

    // For the executor only, during this run.
    const cache::Entry* entry = nullptr;   // of this name and generation: remembers its tag set
    const cache::Entry* replay = nullptr;  // answers the first forward
    const cache::Entry* stale = nullptr;   // answers every forward, as stale ...
    std::uint32_t stale_ttl_s = 0;         // ... with this TTL
    const matchers::TagBits* tags = nullptr;
    matchers::TagBits own_tags;  // when they have no id
};

}  // namespace steer
