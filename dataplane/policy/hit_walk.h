// Finds the lists that claim a hit in a guarded cache (guard.h): the interpreter's hit mode.
//
// Runs the part that the cache wraps again for this client as on a miss, but only its tests and
// lists. Every answer in that part is replaced by the hit, which the client gets.
#pragma once

#include "dataplane/policy/query_walk.h"

namespace steer {

class HitWalk final : public QueryWalk {
  public:
    static constexpr Mode kMode = Mode::hit;
    // `hit`: the entry found in the guarded cache at c.state.pc. The response is undefined after
    // run().
    HitWalk(WorkerContext& of_worker, QueryContext& query, const cache::Entry& found,
            const CacheInstance& settings, Now time);

    // Sets the lists of `c` to those that would claim a miss of this client.
    void run() noexcept;

    [[nodiscard]] const cache::Entry& hit() const { return hit_; }

    // Results of a body, as in LiveRun. The end is the end of the part that the cache wraps.
    MaybeStep next_or_stop(const Instruction& i) noexcept {
        return i.short_circuit ? stop() : next();
    }
    MaybeStep stop() noexcept;
    // Sets the response to the hit, for every answer.
    void give_hit() noexcept;
    bool give(AnswerRef answer) noexcept {
        if (answer == kNoAnswer) return false;
        give_hit();
        return true;
    }
    void give_empty(std::uint8_t /*rcode*/) noexcept { give_hit(); }

    // The number of wrappers that stay entered: those before the cache.
    [[nodiscard]] unsigned outside() const { return outside_; }

  private:
    void step_traced() noexcept;

    const cache::Entry& hit_;
    std::uint32_t stale_ttl_s_;
    unsigned outside_;
    std::uint8_t level_;  // number of rewrites around the cache
};

}  // namespace steer
