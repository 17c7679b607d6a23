// Publishes a snapshot to workers, and frees old snapshots when no worker reads them.
//
// A generation is freed after these steps:
// 1. It is replaced.
// 2. A grace period ends: every worker was quiescent, and none starts a query with it.
// 3. Its parked queries have ended.
// 4. Another grace period ends: no worker reads it after its last parked query.
//  At most kMaxGenerations exist at a time. After kRetireAfter, the parked queries of an old one
// are ended (Shared::retire_generation). One thread (main); never waits: poll() does the next step.
#pragma once

#include <array>
#include <cstdint>
#include <memory>

#include "dataplane/base/clock.h"
#include "dataplane/policy/snapshot.h"
#include "dataplane/stages/shared.h"
#include "matchers/result.h"

namespace steer::build {

inline constexpr std::uint64_t kRetireAfterMs = 10'000;

class Publisher {
  public:
    // `shared` must outlive the publisher; shared.qsbr must be set.
    explicit Publisher(Shared& shared);
    // Withdraws the snapshot and frees all generations. Workers must have ended.
    ~Publisher();
    Publisher(const Publisher&) = delete;
    Publisher& operator=(const Publisher&) = delete;

    // Gives the snapshot its generation and slot and publishes it. If no slot is free, returns an
    // Error; then the caller keeps `snapshot`, and poll() must free a slot first.
    Result<std::uint32_t> publish(std::unique_ptr<Snapshot>& snapshot, Now now);
    // Frees generations, and retires old ones. Call it about ten times a second while there are
    // several.
    void poll(Now now);

    [[nodiscard]] unsigned alive() const;
    [[nodiscard]] const Snapshot* current() const;
    // The snapshot of a generation, for a note's title; nullptr if it was freed.
    [[nodiscard]] const Snapshot* find(std::uint32_t generation) const;

  private:
    enum class Phase : std::uint8_t { free, in_force, grace, parked, last_grace };
    struct Slot {
        std::unique_ptr<Snapshot> snapshot;
        Phase phase = Phase::free;
        std::uint64_t token = 0;  // for the awaited grace period
        std::uint64_t replaced_ms = 0;
    };

    void step(Slot& slot);
    [[nodiscard]] std::uint32_t parked_under(const Slot& slot) const;

    Shared& shared_;
    std::array<Slot, kMaxGenerations> slots_;
    std::uint32_t last_generation_ = 0;
};

}  // namespace steer::build
