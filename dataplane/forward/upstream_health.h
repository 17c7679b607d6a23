// One worker's measurements of one upstream. The worker writes with relaxed stores; any thread may
// read (control, for `steerctl status`).
#pragma once

#include <atomic>
#include <cstdint>

#include "dataplane/base/counters.h"

namespace steer {

inline constexpr unsigned kMaxUpstreams = 1024;  // Upstream::id is below

struct alignas(64) UpstreamHealth {
    std::atomic<std::uint32_t> rtt_16ths_ms{
        0};  // smoothed round trip, 1/16 ms; 0: not measured yet
    std::atomic<std::uint32_t> rttvar_16ths_ms{0};  // its mean deviation (RFC 6298)
    std::atomic<std::uint32_t> silent{0};           // queries without a reply since the last reply
    std::atomic<bool> without_edns{false};          // it answers only queries without EDNS
    Count queries;
    Count replies;
    Count timeouts;
    Count failures;  // SERVFAIL, REFUSED and similar
};
static_assert(sizeof(UpstreamHealth) == 64,
              "one line, so that a reader disturbs one upstream only");

}  // namespace steer
