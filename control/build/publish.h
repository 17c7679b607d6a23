// Makes a snapshot the one that workers read, and frees the old ones when nobody reads them any
// more.
//
// A generation is freed after this, in this order: it is no longer in force; a grace period (every
// worker was quiescent: none starts a query under it); its parked queries are gone; another grace
// period (none still looks at it after its last parked query). At most kMaxGenerations are alive;
// after kRetireAfter an old one's parked queries are told to end (Shared::retire_generation). One
// thread (main); never waits: poll() does the next step.
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
    // `shared` outlives the publisher; shared.qsbr is set.
    explicit Publisher(Shared& shared);
    // Takes the snapshot back and frees all generations: workers have ended.
    ~Publisher();
    Publisher(const Publisher&) = delete;
    Publisher& operator=(const Publisher&) = delete;

    // Gives the snapshot its generation and slot and puts it in force. If no slot is free: an
    // Error, `snapshot` is the caller's still, and poll() has to free one first.
    Result<std::uint32_t> publish(std::unique_ptr<Snapshot>& snapshot, Now now);
    // Frees what can be freed, retires what is too old. Call about ten times a second while more
    // than one is alive.
    void poll(Now now);

    [[nodiscard]] unsigned alive() const;
    [[nodiscard]] const Snapshot* current() const;
    // The snapshot of a generation, for a note's title; nullptr: freed already.
    [[nodiscard]] const Snapshot* find(std::uint32_t generation) const;

  private:
    enum class Phase : std::uint8_t { free, in_force, grace, parked, last_grace };
    struct Slot {
        std::unique_ptr<Snapshot> snapshot;
        Phase phase = Phase::free;
        std::uint64_t token = 0;  // of the grace period that is waited for
        std::uint64_t replaced_ms = 0;
    };

    void step(Slot& slot);
    [[nodiscard]] std::uint32_t parked_under(const Slot& slot) const;

    Shared& shared_;
    std::array<Slot, kMaxGenerations> slots_;
    std::uint32_t last_generation_ = 0;
};

}  // namespace steer::build
