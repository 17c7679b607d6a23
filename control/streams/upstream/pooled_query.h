// A query of a pool (upstream_pool.h), from its arrival to its end.
#pragma once

#include <cstdint>

#include "control/streams/upstream/upstream_reply.h"

namespace steer::stream {

struct PooledQuery {
    static constexpr unsigned kMostLosses = 5;

    UpstreamAsk ask;
    std::uint64_t serial = 0;  // increases
    std::uint64_t deadline_ms = 0;
    std::uint64_t newer_than = 0;  // only connections with a higher number may get it
    std::uint64_t number = 0;      // of the connection that got it last
    unsigned sends = 0;
    unsigned on_wire = 0;  // sends in flight
    unsigned asked = 0;    // sends, without refusals and losses
    unsigned refusals = 0;
    unsigned losses = 0;       // of its connection, with others
    bool was_dropped = false;  // it was refused, or its connection ended
    bool was_silent = false;   // its connection
    bool is_waiting = false;   // for a connection, or the end of a pause
    bool over = false;

    // On a connection that it does not share.
    [[nodiscard]] bool goes_alone() const { return losses >= kMostLosses; }
    [[nodiscard]] bool goes_anywhere() const { return newer_than == 0 && !goes_alone(); }
};

}  // namespace steer::stream
