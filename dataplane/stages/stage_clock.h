// Time stamps between the stages of a worker's turn, only for `tools/bench stages`. That program
// compiles the files with time stamps again with STEER_STAGE_CLOCK; no other program defines it.
// Elsewhere stage_ends() compiles to nothing.
//
// The time since the last stamp counts for the stage that ends. So the sum of the stages' times is
// the thread's time. One worker takes stamps; any thread may read them.
#pragma once

#ifdef STEER_STAGE_CLOCK
#include <rte_cycles.h>

#include <array>
#include <atomic>
#endif

#include <cstddef>
#include <cstdint>

#include "matchers/counter_table.h"

namespace steer {

//  name        what a turn does in it
#define STEER_STAGES(X)                                                   \
    X(turn, "turn: snapshot, quiescence, what is between the others")     \
    X(rx, "rx: the port's receive")                                       \
    X(classify, "classify: headers, checksums, ours or the kernel's")     \
    X(packet_cache, "packet cache")                                       \
    X(parse, "parse: the message")                                        \
    X(lookup, "lookup: key, table, name compare")                         \
    X(answer, "answer: policy, claims, writing the reply")                \
    X(messages, "messages: streams, other workers, routers, retries")     \
    X(transmit, "transmit: the port's send, with the freeing of packets") \
    X(cache_writer, "cache writer: inserts, upkeep")

STEER_COUNTER_ENUM(Stage, kStages, STEER_STAGES);

#ifdef STEER_STAGE_CLOCK

struct StageClock {
    static inline std::array<std::atomic<std::uint64_t>, kStages.size()> cycles{};
    static inline std::uint64_t last = 0;  // used by the worker
};

inline void stage_ends(Stage stage) noexcept {
    const std::uint64_t now = rte_rdtsc();
    auto& sum = StageClock::cycles[static_cast<std::size_t>(stage)];
    if (StageClock::last != 0) {
        sum.store(sum.load(std::memory_order_relaxed) + now - StageClock::last,
                  std::memory_order_relaxed);
    }
    StageClock::last = now;
}

#else

constexpr void stage_ends(Stage /*stage*/) noexcept {}

#endif

}  // namespace steer
