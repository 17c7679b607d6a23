// Finds answers that give clients an address of a policy list for a name that the list did not
// claim. Connections to that name are steered as well. Reports them to `routers`, which counts them
// (control/sinks/routers/shared_addresses.h).
//
// Watches only lists with `shared: report` or `skip`. Checks all answers that the program handles.
// Of the answers that the cache gives without the program, the first kHitsPerSecond per second and
// worker go through the program and are checked. A name is not reported again soon after a report.
// A full ring loses a report.
//
// Cost: for each watched list one lookup on the row board per address. Writes only to the ring.
// Counts: events_shared, events_shared_lost.
#pragma once

#include <array>
#include <cstdint>

#include "dataplane/cache/cache.h"
#include "dataplane/event/claims.h"

namespace steer {

class SharedWatch {
  public:
    static constexpr unsigned kHitsPerSecond = 256;
    static constexpr std::uint32_t kAgainAfterS = 60;

    SharedWatch(const cache::KeyHasher& hasher, const RowBoard& board, const ListStates& lists,
                Ring<Event>* to_routers, Counters& counters);

    // Whether `count` cached answers must go through the program, which calls check().
    [[nodiscard]] bool wants_hits(const Snapshot& snapshot, unsigned count, Now now) noexcept {
        return !snapshot.watched_lists.empty() && take_turn(count, now);
    }
    // Checks an answer that is sent, claimed for its lists or for none. Snapshot::watched_lists
    // must not be empty.
    void check(const LeavingAnswer& a, Now now) noexcept;

  private:
    struct Report {
        std::uint32_t what = 0;  // bits of the report's hash
        std::uint32_t at_s = 0;
    };
    static constexpr std::size_t kReports = 1024;  // hash slots of recent reports

    bool take_turn(unsigned count, Now now) noexcept;
    void check_list(const PolicyList& list, const LeavingAnswer& a, Now now) noexcept;
    [[nodiscard]] bool is_held(ListId list, const IpAddress& address, Now now) const noexcept;
    bool reported_lately(std::uint64_t name, ListId list, const IpAddress& address,
                         Now now) noexcept;

    const cache::KeyHasher& hasher_;
    const RowBoard& board_;
    const ListStates& lists_;
    Ring<Event>* to_routers_;
    Counters& counters_;
    std::uint32_t turn_s_ = 0;
    unsigned turns_ = 0;  // answers taken in that second
    std::array<Report, kReports> reports_{};
    Event event_{};  // the event being filled
};

}  // namespace steer
