// Chooses the upstream of a group for a query, and the time to wait before the next upstream gets
// it too.
//
// - Policies: `latency`: lowest smoothed round trip first (an unmeasured one counts as 0, in
//   configuration order). `sticky`: the last used one, until it rests, then the next in
//   configuration order (as RouterOS does). `round_robin`: each in turn. `random`. `order`: the
//   first in configuration order that our own probes do not report as silent
//   (control/observe/health/upstream_probes.h); client queries cannot change it. `domain`: the one
//   that a hash of the registrable domain selects; while probes find it silent, the next one. A
//   query that failed is not repeated to another one, so caches, keys and floods of a domain stay
//   in one upstream. An engine that is down gets nothing, also if no other one is left. Except with
//   `latency`, resting upstreams come last.
// - An upstream rests after two late replies in a row, or after one timeout or refusal by the
//   network, until it replies. Not with `order` and `domain`.
// - If an upstream sends HTTP's Retry-After, it comes last until then, except with `order` and `domain`. It does
//   not rest: if there is no other, it is used.
// - Smoothing as in TCP (RFC 6298 2): rtt += (sample - rtt) / 8, deviation by 1/4. After silence,
//   the next sample replaces the average.
// - Patience: rtt + 4 deviations, doubled with each round over the group, between 200 ms and the
//   upstream's timeout; 400 ms for an unmeasured one. Then the next upstream gets the query (a
//   single one gets it again), and the late upstream's rtt counts double. Its reply is still
//   accepted until its timeout.
// - Other upstreams are measured too: 5 s after an upstream's last reply, it gets a copy of a
//   query. No client waits for that reply. For a silent upstream the interval grows from 1 s to 30
//   s, so its recovery is noticed. If all are silent, the best one still gets every query.
// - If an upstream answers a probe with EDNS by FORMERR or NOTIMP, it gets queries without EDNS
//   until it answers a probe. Such a refusal of a client's query affects only that query, because
//   its name or options can be the cause.
// - If an upstream changes the case of names in its replies to probes, it gets names in lower case
//   (RandomCase::learned). A reply to a client's query never decides that: it may be forged.
//
// State of one worker, indexed by Upstream::id. Other threads only read the UpstreamHealth; that
// header names the exceptions. No allocation after construction.
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
    // `random` must outlive this object.
    explicit UpstreamChoice(ChaChaRandom& random);

    // The member for the next attempt, not one in `without`; -1 if none is left. If `without` is
    // empty, this is the question's first attempt, which counts as a turn. `domain`: the key of its
    // registrable domain.
    [[nodiscard]] int pick(const Snapshot& snapshot, const UpstreamGroup& group, MemberMask without,
                           std::uint64_t now_ms = 0, std::uint64_t domain = 0) noexcept;
    // Whether pick() would find a member.
    [[nodiscard]] static bool has_other(const UpstreamGroup& group, MemberMask without) noexcept;
    // A member that is due for a measurement and not in `without`; -1 if there is none. With
    // `order`, a member before those in `without`; with `domain`, a silent one.
    [[nodiscard]] int to_measure(const Snapshot& snapshot, const UpstreamGroup& group,
                                 MemberMask without, std::uint64_t now_ms) const noexcept;
    [[nodiscard]] std::uint32_t patience_ms(const Upstream& upstream,
                                            unsigned round) const noexcept;

    void sent(std::uint16_t id) noexcept { health_[id].queries.add(); }
    // Whether the query just sent is the due measurement. Then report its end with replied(), or
    // with timed_out() or refused() and their parameter `measures`.
    [[nodiscard]] bool measures(std::uint16_t id, std::uint64_t now_ms) noexcept;
    void replied(std::uint16_t id, std::uint64_t rtt_ms, std::uint64_t now_ms) noexcept;
    void late(std::uint16_t id, std::uint32_t waited_ms) noexcept;  // patience is over
    // The query timed out. `may_rest`: false with `order` and `domain`.
    void timed_out(std::uint16_t id, bool measures, std::uint64_t now_ms,
                   bool may_rest = true) noexcept;
    // The network refused the query.
    void refused(std::uint16_t id, bool measures, std::uint64_t now_ms,
                 bool may_rest = true) noexcept;
    // The upstream got the query and sent no DNS reply.
    void failed_without_reply(std::uint16_t id, bool measures, std::uint64_t now_ms) noexcept;
    void failed(std::uint16_t id) noexcept { health_[id].failures.add(); }
    void asks_to_wait(std::uint16_t id, std::uint64_t until_ms) noexcept {
        plans_[id].waits_until_ms = until_ms;
    }

    [[nodiscard]] bool takes_edns(std::uint16_t id) const noexcept {
        return !health_[id].without_edns.load(std::memory_order_relaxed);
    }
    void refused_edns(std::uint16_t id) noexcept { health_[id].edns_refusals.add(); }

    [[nodiscard]] bool changes_case(std::uint16_t id) const noexcept {
        return health_[id].changes_case.load(std::memory_order_relaxed);
    }
    void changed_case(std::uint16_t id) noexcept { health_[id].case_mismatches.add(); }

    // Reports the result of our own probes. Any thread may call it.
    void probed(std::uint16_t id, const ProbeFindings& findings) noexcept {
        // Writes only changes, because the worker reads this cache line for every query.
        const auto set = [](std::atomic<bool>& to, bool value) {
            if (to.load(std::memory_order_relaxed) != value)
                to.store(value, std::memory_order_relaxed);
        };
        set(health_[id].probe_silent, findings.is_silent);
        set(health_[id].is_down, findings.is_down);
        set(health_[id].without_edns, findings.without_edns);
        set(health_[id].changes_case, findings.changes_case);
    }
    [[nodiscard]] const UpstreamHealth& health(std::uint16_t id) const noexcept {
        return health_[id];
    }

    [[nodiscard]] bool rests(std::uint16_t id) const noexcept {
        return plans_[id].late_in_row >= kLateUntilRest;
    }

  private:
    static constexpr std::uint8_t kLateUntilRest = 2;
    static constexpr unsigned kTurns = 1024;  // further groups share them

    [[nodiscard]] int fastest(const Snapshot& snapshot, const UpstreamGroup& group,
                              MemberMask without, std::uint64_t now_ms) const noexcept;
    // The next member in turn from `start` on; members that come last only if there is no other.
    [[nodiscard]] int next_from(const Snapshot& snapshot, const UpstreamGroup& group,
                                unsigned start, MemberMask without,
                                std::uint64_t now_ms) const noexcept;
    [[nodiscard]] int of_domain(const Snapshot& snapshot, const UpstreamGroup& group,
                                MemberMask without, std::uint64_t domain) const noexcept;
    [[nodiscard]] bool comes_last(const UpstreamGroup& group, std::uint16_t id,
                                  std::uint64_t now_ms) const noexcept;
    [[nodiscard]] int any(const Snapshot& snapshot, const UpstreamGroup& group, MemberMask without,
                          std::uint64_t now_ms) noexcept;

    struct Plan {                          // used by the worker alone
        std::uint64_t measure_at_ms = 0;   // UINT64_MAX: a measurement is in flight
        std::uint64_t silence_ms = 0;      // interval between measurements while it is silent
        std::uint64_t waits_until_ms = 0;  // from Retry-After
        std::uint8_t late_in_row = 0;
    };
    ChaChaRandom& random_;
    std::vector<UpstreamHealth> health_;
    std::vector<Plan> plans_;
    // By group: the member with the next turn.
    std::array<std::uint8_t, kTurns> turns_{};
};

}  // namespace steer::forward
