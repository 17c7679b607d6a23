#include "dataplane/forward/upstream_choice.h"

#include <algorithm>
#include <bit>

#include "dataplane/forward/forwarder.h"

namespace steer::forward {
namespace {

constexpr std::uint32_t kMinPatienceMs = 200;
constexpr std::uint32_t kFirstPatienceMs = 400;
// An engine is slow because it asks others: a second query would not be faster. One whose process
// was killed has lost it.
constexpr std::uint32_t kEnginePatienceMs = 800;
constexpr unsigned kMaxRound = 4;
constexpr std::uint32_t kMaxRtt16 = 10'000 * 16;
constexpr std::uint64_t kMeasureEveryMs = 5'000;
constexpr std::uint64_t kSilentFirstMs = 1'000;
constexpr std::uint64_t kSilentLastMs = 30'000;

void set(std::atomic<std::uint32_t>& to, std::uint32_t value) {
    to.store(value, std::memory_order_relaxed);
}
std::uint32_t get(const std::atomic<std::uint32_t>& from) {
    return from.load(std::memory_order_relaxed);
}

unsigned members_of(const UpstreamGroup& group) {
    return static_cast<unsigned>(std::min<std::size_t>(group.members.size(), kMaxGroupMembers));
}

}  // namespace

UpstreamChoice::UpstreamChoice(ChaChaRandom& random)
    : random_(random), health_(kMaxUpstreams), plans_(kMaxUpstreams) {}

int UpstreamChoice::pick(const Snapshot& snapshot, const UpstreamGroup& group, MemberMask without,
                         std::uint64_t now_ms, std::uint64_t domain) noexcept {
    if (group.policy == UpstreamPolicy::domain) return of_domain(snapshot, group, without, domain);
    if (group.policy == UpstreamPolicy::latency) return fastest(snapshot, group, without, now_ms);
    if (group.policy == UpstreamPolicy::random) return any(snapshot, group, without, now_ms);
    if (group.policy == UpstreamPolicy::order)
        return next_from(snapshot, group, 0, without, now_ms);
    std::uint8_t& turn = turns_[static_cast<std::size_t>(&group - snapshot.groups.data()) % kTurns];
    const int found = next_from(snapshot, group, turn, without, now_ms);
    if (without == 0 && found >= 0) {
        const bool goes_on = group.policy == UpstreamPolicy::round_robin;
        turn = static_cast<std::uint8_t>(found + (goes_on ? 1 : 0));
    }
    return found;
}

bool UpstreamChoice::has_other(const UpstreamGroup& group, MemberMask without) noexcept {
    const auto all = (std::uint64_t{1} << members_of(group)) - 1;
    return (all & ~std::uint64_t{without}) != 0;
}

int UpstreamChoice::fastest(const Snapshot& snapshot, const UpstreamGroup& group,
                            MemberMask without, std::uint64_t now_ms) const noexcept {
    int found = -1;
    std::uint32_t lowest = UINT32_MAX;
    for (unsigned i = 0; i < members_of(group); ++i) {
        if ((without >> i) & 1) continue;
        const std::uint16_t id = snapshot.upstreams[group.members[i]].id;
        const std::uint32_t waits = plans_[id].waits_until_ms > now_ms ? kMaxRtt16 : 0;
        const std::uint32_t rtt = get(health_[id].rtt_16ths_ms) + waits;
        if (rtt < lowest) {
            lowest = rtt;
            found = static_cast<int>(i);
        }
    }
    return found;
}

int UpstreamChoice::next_from(const Snapshot& snapshot, const UpstreamGroup& group, unsigned start,
                              MemberMask without, std::uint64_t now_ms) const noexcept {
    const unsigned members = members_of(group);
    int last = -1;
    for (unsigned n = 0; n < members; ++n) {
        const unsigned i = (start + n) % members;
        if ((without >> i) & 1) continue;
        if (!comes_last(group, snapshot.upstreams[group.members[i]].id, now_ms))
            return static_cast<int>(i);
        if (last < 0) last = static_cast<int>(i);
    }
    return last;
}

int UpstreamChoice::of_domain(const Snapshot& snapshot, const UpstreamGroup& group,
                              MemberMask without, std::uint64_t domain) const noexcept {
    const unsigned members = members_of(group);
    if (members == 0) return -1;
    const auto own = static_cast<unsigned>(domain % members);
    int chosen = -1;
    for (unsigned n = 0; n < members; ++n) {
        const unsigned i = (own + n) % members;
        const UpstreamHealth& health = health_[snapshot.upstreams[group.members[i]].id];
        if (health.is_down.load(std::memory_order_relaxed)) continue;
        const bool is_silent = health.probe_silent.load(std::memory_order_relaxed);
        if (chosen < 0 || !is_silent) chosen = static_cast<int>(i);
        if (!is_silent) break;
    }
    return chosen >= 0 && ((without >> chosen) & 1) != 0 ? -1 : chosen;
}

bool UpstreamChoice::comes_last(const UpstreamGroup& group, std::uint16_t id,
                                std::uint64_t now_ms) const noexcept {
    if (is_by_probes(group.policy)) return health_[id].probe_silent.load(std::memory_order_relaxed);
    return rests(id) || plans_[id].waits_until_ms > now_ms;
}

int UpstreamChoice::any(const Snapshot& snapshot, const UpstreamGroup& group, MemberMask without,
                        std::uint64_t now_ms) noexcept {
    MemberMask may = 0;
    MemberMask awake = 0;
    for (unsigned i = 0; i < members_of(group); ++i) {
        if ((without >> i) & 1) continue;
        may |= MemberMask{1} << i;
        if (!comes_last(group, snapshot.upstreams[group.members[i]].id, now_ms))
            awake |= MemberMask{1} << i;
    }
    MemberMask from = awake != 0 ? awake : may;
    if (from == 0) return -1;
    for (auto n = random_.below(static_cast<std::uint32_t>(std::popcount(from))); n > 0; --n)
        from &= from - 1;
    return std::countr_zero(from);
}

int UpstreamChoice::to_measure(const Snapshot& snapshot, const UpstreamGroup& group,
                               MemberMask without, std::uint64_t now_ms) const noexcept {
    // In order, the reply of one behind the asked member could come first.
    const unsigned end = group.policy == UpstreamPolicy::order
                             ? static_cast<unsigned>(without == 0 ? 0 : std::countr_zero(without))
                             : members_of(group);
    for (unsigned i = 0; i < end; ++i) {
        if ((without >> i) & 1) continue;
        const std::uint16_t id = snapshot.upstreams[group.members[i]].id;
        if (group.policy == UpstreamPolicy::domain &&
            (!comes_last(group, id, now_ms) || health_[id].is_down.load(std::memory_order_relaxed)))
            continue;
        if (plans_[id].measure_at_ms <= now_ms) return static_cast<int>(i);
    }
    return -1;
}

bool UpstreamChoice::measures(std::uint16_t id, std::uint64_t now_ms) noexcept {
    if (plans_[id].measure_at_ms > now_ms) return false;
    plans_[id].measure_at_ms = UINT64_MAX;
    return true;
}

std::uint32_t UpstreamChoice::patience_ms(const Upstream& upstream, unsigned round) const noexcept {
    const UpstreamHealth& h = health_[upstream.id];
    const std::uint32_t rtt = get(h.rtt_16ths_ms);
    const std::uint32_t base =
        rtt == 0 ? kFirstPatienceMs : (rtt + 4 * get(h.rttvar_16ths_ms)) / 16;
    const std::uint32_t wanted =
        std::max(base, upstream.is_engine ? kEnginePatienceMs : kMinPatienceMs)
        << std::min(round, kMaxRound);
    return std::min(wanted, upstream.timeout_ms);
}

void UpstreamChoice::replied(std::uint16_t id, std::uint64_t rtt_ms,
                             std::uint64_t now_ms) noexcept {
    UpstreamHealth& h = health_[id];
    Plan& plan = plans_[id];
    const std::uint32_t sample =
        std::clamp<std::uint32_t>(static_cast<std::uint32_t>(rtt_ms) * 16, 1, kMaxRtt16);
    const std::uint32_t rtt = get(h.rtt_16ths_ms);
    if (rtt == 0 || plan.late_in_row > 0) {
        set(h.rtt_16ths_ms, sample);
        set(h.rttvar_16ths_ms, sample / 2);
    } else {
        const std::uint32_t off = sample > rtt ? sample - rtt : rtt - sample;
        set(h.rttvar_16ths_ms, (get(h.rttvar_16ths_ms) * 3 + off) / 4);
        set(h.rtt_16ths_ms, std::max(1U, (rtt * 7 + sample) / 8));
    }
    set(h.silent, 0);
    h.count_reply(rtt_ms);
    plan.late_in_row = 0;
    plan.silence_ms = 0;
    plan.measure_at_ms = now_ms + kMeasureEveryMs;
}

void UpstreamChoice::late(std::uint16_t id, std::uint32_t waited_ms) noexcept {
    UpstreamHealth& h = health_[id];
    const std::uint32_t doubled = std::max(get(h.rtt_16ths_ms) * 2, waited_ms * 16);
    set(h.rtt_16ths_ms, std::clamp(doubled, 1U, kMaxRtt16));
    Plan& plan = plans_[id];
    if (plan.late_in_row < kLateUntilRest) ++plan.late_in_row;
}

void UpstreamChoice::timed_out(std::uint16_t id, bool measures, std::uint64_t now_ms,
                               bool may_rest) noexcept {
    health_[id].timeouts.add();
    refused(id, measures, now_ms, may_rest);
}

void UpstreamChoice::refused(std::uint16_t id, bool measures, std::uint64_t now_ms,
                             bool may_rest) noexcept {
    set(health_[id].silent, get(health_[id].silent) + 1);
    Plan& plan = plans_[id];
    if (may_rest) {
        late(id, 0);
        plan.late_in_row = kLateUntilRest;
    }
    if (!measures) return;
    plan.silence_ms = std::clamp(plan.silence_ms * 2, kSilentFirstMs, kSilentLastMs);
    plan.measure_at_ms = now_ms + plan.silence_ms;
}

void UpstreamChoice::failed_without_reply(std::uint16_t id, bool measures,
                                          std::uint64_t now_ms) noexcept {
    if (measures) plans_[id].measure_at_ms = now_ms + kMeasureEveryMs;
}

}  // namespace steer::forward
