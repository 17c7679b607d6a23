// A query that runs the program: its client and question, the program's state, and the response so
// far.
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

// The program's result. sleeps: call run() to continue. branches: next_branch() (branch.h) says
// what to do. waits: set by the resolver, while the query's record waits for branches.
enum class Step : std::uint8_t { answered, asks, sleeps, branches, waits };

struct QueryContext {
    QueryContext(const Snapshot& s, const dns::Query& q) : snapshot(s), query(q) {}

    const Snapshot& snapshot;
    const dns::Query& query;
    const std::uint8_t* qname_as_sent = nullptr;  // query.qname_len bytes in the client's case
    ClientFacts client;                           // MAC and VLAN only if Snapshot::reads_link
    std::uint64_t started_us = 0;
    // The client's options that forward_edns0opt may pass on.
    std::span<const std::uint8_t> options;
    Buffer* injected = nullptr;  // the query's buffer, if the program uses its texts
    TraceRef trace;              // most queries have none

    // Begins at the plan's instruction, or with nullptr at this entry of the program.
    void begin(const Plan* plan, std::uint8_t by_entry = 0) noexcept {
        if (plan == nullptr) {
            state.pc = snapshot.entries[by_entry];
        } else {
            plan->begin(state);
        }
    }

    int lookup_cache = -1;  // cache (Snapshot::caches) of `found` (nullptr: a miss); -1: no lookup
    const cache::Entry* found = nullptr;

    // The question inside the entered wrappers.
    [[nodiscard]] const dns::Query& asked() const { return rewritten ? *rewritten : query; }
    // Call it after a change of `state` or its rewrites.
    void rewrite_question() noexcept {
        rewritten.reset();
        if (state.rewrites.count() == 0) return;
        rewrite(snapshot, state.rewrites, state.rewrites.count(), client.address,
                rewritten.emplace(query));
    }
    // The question after the first `level` rewrites. Stored in `room`, unless it is `query` or
    // `rewritten`.
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
    std::uint32_t sleep_ms = 0;  // Step::sleeps: the duration
    bool failed = false;         // the program ended with an error: no upstream sent an answer
    // Set by run(): the cache (its pc) with an answer to this question that needs a background
    // refresh.
    static constexpr std::uint16_t kNoRefresh = UINT16_MAX;
    std::uint16_t refresh_pc = kNoRefresh;
    Rewrites refresh_rewrites;  // rewrites at that place

    // Used by the executor only, during this run.
    const cache::Entry* entry = nullptr;   // of this name and generation: has its tag set
    const cache::Entry* replay = nullptr;  // answers the first forward
    const cache::Entry* stale = nullptr;   // answers every forward, as stale ...
    std::uint32_t stale_ttl_s = 0;         // ... with this TTL
    const matchers::TagBits* tags = nullptr;
    matchers::TagBits own_tags;  // used if the sets have no id
};

}  // namespace steer
