// Finds the program's entry for each query, by the frontend that received it (policy/frontends.h).
//
// In:   packets of the burst with their addresses and ports.
// Out:  `entry`; 0 for all if the snapshot has only one.
// Cost: one check per burst; with several entries, a search in the frontends per packet.
// Ends: none.
#pragma once

#include "dataplane/policy/snapshot.h"
#include "dataplane/stages/burst.h"

namespace steer {

void find_entries_of_all(Burst& burst, const Snapshot& snapshot) noexcept;

inline void find_entries(Burst& burst, const Snapshot& snapshot) noexcept {
    if (snapshot.has_several_entries()) [[unlikely]]
        find_entries_of_all(burst, snapshot);
}

}  // namespace steer
