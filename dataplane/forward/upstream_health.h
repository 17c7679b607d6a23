// One worker's measurements of one upstream. The worker writes with relaxed stores, except for the
// fields that control writes. Any thread may read (control, for `steerctl status`).
#pragma once

#include <algorithm>
#include <array>
#include <atomic>
#include <cstdint>

#include "dataplane/base/counters.h"

namespace steer {

inline constexpr unsigned kMaxUpstreams = 1024;  // every Upstream::id is below

// Upper bounds in milliseconds of the buckets of UpstreamHealth::by_latency, except the last.
inline constexpr std::array<std::uint32_t, 12> kUpstreamBoundsMs{1,   2,   5,   10,   20,   50,
                                                                 100, 200, 500, 1000, 2000, 5000};

// What our own probes found about an upstream (control/observe/health/upstream_probes.h).
struct ProbeFindings {
    bool is_silent = false;
    bool is_down = false;       // our engine that does not run: it may get no query
    bool without_edns = false;  // it refuses queries with EDNS
    bool changes_case = false;  // RandomCase::learned: it gets names in lower case
};

struct alignas(64) UpstreamHealth {
    std::atomic<std::uint32_t> rtt_16ths_ms{
        0};  // smoothed round trip, 1/16 ms; 0: not measured yet
    std::atomic<std::uint32_t> rttvar_16ths_ms{0};  // its mean deviation (RFC 6298)
    std::atomic<std::uint32_t> silent{0};           // queries without a reply since the last reply
    // Results of our own probes; control writes them.
    std::atomic<bool> without_edns{false};  // it refuses queries with EDNS
    std::atomic<bool> is_down{false};       // ProbeFindings
    std::atomic<bool> probe_silent{false};
    std::atomic<bool> changes_case{false};  // it does not return the case of names
    Count queries;
    Count replies;
    Count timeouts;
    Count failures;         // SERVFAIL, REFUSED and similar
    Count edns_refusals;    // queries repeated without EDNS
    Count case_mismatches;  // replies with the name in another case than was sent
    Count latency_ms;       // sum over the replies
    std::array<Count, kUpstreamBoundsMs.size() + 1> by_latency;  // replies

    void count_reply(std::uint64_t rtt_ms) noexcept {
        replies.add();
        latency_ms.add(rtt_ms);
        const auto* const bound =
            std::lower_bound(kUpstreamBoundsMs.begin(), kUpstreamBoundsMs.end(), rtt_ms);
        by_latency[static_cast<std::size_t>(bound - kUpstreamBoundsMs.begin())].add();
    }
};
static_assert(sizeof(UpstreamHealth) % 64 == 0, "no line of two upstreams");

}  // namespace steer
