// Chooses the upstream of a group that is asked next, and how long to wait before another is asked
// too.
//
// - Policies: `latency`: lowest smoothed round trip first (an unmeasured one counts as 0, in
//   configuration order). `sticky`: the last one asked, until it rests, then the next in
//   configuration order (as RouterOS does). `round_robin`: each in
//   turn. `random`. `order`: the first in configuration order that does not rest; a reply to a probe of our own ends
//   its rest (control/health/upstream_probes.h). Except with `latency`, resting upstreams come last.
// - An upstream rests after two late replies in a row, or after one timeout or refusal by the
//   network, until it replies.
// - Smoothing as in TCP (RFC 6298 2): rtt += (sample - rtt) / 8, deviation by 1/4. After silence
//   the next sample starts over.
// - Patience: rtt + 4 deviations, doubled with each round over the group, between 200 ms and the
//   upstream's timeout; 400 ms for an unmeasured one. Then the next upstream is asked
//   (a single one is asked again), and the late one's rtt counts double. Its reply is still accepted
//   until its timeout.
// - Other upstreams are measured too: 5 s after an upstream's last reply, it gets a copy of a
//   query, and no client waits for that reply. For a silent upstream the
//   interval grows from 1 s to 30 s, so it is noticed when it comes back. If
//   all are silent, the best one is still asked for every query.
// - An upstream that answers FORMERR or NOTIMP to EDNS, and answers without, is asked without EDNS for 15
//   minutes.
//
// State of one worker, indexed by Upstream::id; other threads only read the UpstreamHealth. No
// allocation after construction.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

#include "dataplane/forward/chacha_random.h"
#include "dataplane/forward/upstream_health.h"
#include "dataplane/policy/snapshot.h"

namespace steer::forward {

using MemberMask = std::uint32_t;  // bit i: i-th member of a group

class UpstreamChoice {
  public:
    // `random` outlives this.
    explicit UpstreamChoice(ChaChaRandom& random);

    // The member to ask now, not one in `without`; -1: none is left. If `without` is empty, this is the
    // question's first attempt, which counts as a turn.
    [[nodiscard]] int pick(const Snapshot& snapshot, const UpstreamGroup& group,
                           MemberMask without) noexcept;
    // Whether pick() would find one.
    [[nodiscard]] static bool has_other(const UpstreamGroup& group, MemberMask without) noexcept;
    // A member that is due to be measured and not in `without`; -1: none. With `order` one before those in `without`.
    [[nodiscard]] int to_measure(const Snapshot& snapshot, const UpstreamGroup& group,
                                 MemberMask without, std::uint64_t now_ms) const noexcept;
    [[nodiscard]] std::uint32_t patience_ms(const Upstream& upstream,
                                            unsigned round) const noexcept;

    void sent(std::uint16_t id) noexcept { health_[id].queries.add(); }
    // Whether the query just sent is the due measurement. Then report its end
    // by replied(), or with `measures` by timed_out() or refused().
    [[nodiscard]] bool measures(std::uint16_t id, std::uint64_t now_ms) noexcept;
    void replied(std::uint16_t id, std::uint64_t rtt_ms, std::uint64_t now_ms) noexcept;
    void late(std::uint16_t id, std::uint32_t waited_ms) noexcept;  // patience is over
    // The query timed out.
    void timed_out(std::uint16_t id, bool measures, std::uint64_t now_ms) noexcept;
    // The network refused the query.
    void refused(std::uint16_t id, bool measures, std::uint64_t now_ms) noexcept;
    void failed(std::uint16_t id) noexcept { health_[id].failures.add(); }

    [[nodiscard]] bool takes_edns(std::uint16_t id, std::uint64_t now_ms) noexcept;
    void refuses_edns(std::uint16_t id, std::uint64_t now_ms) noexcept;

    // Any thread may call it.
    void probe_answered(std::uint16_t id) noexcept {
        health_[id].probe_replies.fetch_add(1, std::memory_order_relaxed);
    }
    [[nodiscard]] const UpstreamHealth& health(std::uint16_t id) const noexcept {
        return health_[id];
    }

    [[nodiscard]] bool rests(std::uint16_t id) const noexcept {
        return plans_[id].late_in_row >= kLateUntilRest;
    }

  private:
    static constexpr std::uint8_t kLateUntilRest = 2;
    static constexpr unsigned kTurns = 1024;  // groups beyond share them

    [[nodiscard]] int fastest(const Snapshot& snapshot, const UpstreamGroup& group,
                              MemberMask without) const noexcept;
    // From member `start` on and around; resting members last.
    [[nodiscard]] int next_from(const Snapshot& snapshot, const UpstreamGroup& group,
                                unsigned start, MemberMask without) const noexcept;
    // Ends the rest of members that answered a probe since it began.
    void wake(const Snapshot& snapshot, const UpstreamGroup& group) noexcept;
    // One more late reply, or as many as make it rest.
    void rest(std::uint16_t id, std::uint8_t late_in_row) noexcept;
    [[nodiscard]] int any(const Snapshot& snapshot, const UpstreamGroup& group,
                          MemberMask without) noexcept;

    struct Plan {                         // the worker's alone
        std::uint64_t measure_at_ms = 0;  // UINT64_MAX: under way
        std::uint64_t silence_ms = 0;     // distance of measurements while it is silent
        std::uint64_t edns_again_ms = 0;
        std::uint32_t probe_replies = 0;  // UpstreamHealth::probe_replies when it began to rest
        std::uint8_t late_in_row = 0;
    };
    ChaChaRandom& random_;
    std::vector<UpstreamHealth> health_;
    std::vector<Plan> plans_;
    // By group: the member whose turn it is.
    std::array<std::uint8_t, kTurns> turns_{};
};

}  // namespace steer::forward
