// What a hit in a guarded cache (guard.h) is claimed for: the interpreter's hit mode.
//
// The rest that the cache wraps is walked once more for this client, as on a miss, for its tests and lists alone. Every
// answer that the rest would come to is this one, which is what the client is told.
#pragma once

#include "dataplane/policy/query_walk.h"

namespace steer {

class HitWalk final : public QueryWalk {
  public:
    static constexpr Mode kMode = Mode::hit;
    // `hit`, in the guarded cache at c.state.pc. The response is anything after run().
    HitWalk(WorkerContext& of_worker, QueryContext& query, const cache::Entry& found,
            const CacheInstance& settings, Now time);

    // The lists of `c` become those that a miss of this client would have claimed its answer for.
    void run() noexcept;

    [[nodiscard]] const cache::Entry& hit() const { return hit_; }

    // What a body comes to, as of LiveRun. The end: of what the cache wraps.
    MaybeStep next_or_stop(const Instruction& i) noexcept {
        return i.short_circuit ? stop() : next();
    }
    MaybeStep stop() noexcept;
    // Whatever the rest answers is the hit.
    void give_hit() noexcept;
    bool give(AnswerRef answer) noexcept {
        if (answer == kNoAnswer) return false;
        give_hit();
        return true;
    }
    void give_empty(std::uint8_t /*rcode*/) noexcept { give_hit(); }

    // Wrappers that leaving an instance leaves alone: those that were entered before the cache.
    [[nodiscard]] unsigned outside() const { return outside_; }

  private:
    const cache::Entry& hit_;
    std::uint32_t stale_ttl_s_;
    unsigned outside_;
    std::uint8_t level_;  // rewrites around the cache
};

}  // namespace steer
