// Claims rows for the addresses of an answer that is about to leave.
//
// For each list of the answer, on the routers that serve the client: do known rows cover the lease? A cached answer has
// this in its claim word; otherwise the row board is asked. If not covered, an Event goes into the
// ring to `routers`. The result says whether the answer may leave, its maximum TTL, or that it has
// to wait: for an acknowledgement (async: false) or for space in the ring.
//
// A full ring loses no claim: the claim word is not advanced, so the next hit raises the event
// again. An answer without a cache waits for space (Leave::wait_for_ring), up to the lists'
// sync_timeout.
//
// An address that a list refused, because it or a share of it is full, has a mark on the row board. While the mark
// stands, no event is raised for it, and the answer obeys the list's `on_full`. After that, and where marks were lost, the
// address is claimed again, and `servfail` is `cap_ttl`: the list may have room by then.
//
// Cost: none without lists; for a covered cached answer one word and each list's line; else
//       one look at the row board for each (list, address). The only shared data that it writes is the
//       entry's claim word, relaxed.
// Counts: claims_covered, events_raised, events_ring_full, hold_router_away, full_answered, full_capped, full_servfail.
#pragma once

#include <array>
#include <cstdint>
#include <span>

#include "dataplane/base/clock.h"
#include "dataplane/base/counters.h"
#include "dataplane/base/list_state.h"
#include "dataplane/base/ring.h"
#include "dataplane/cache/cache.h"
#include "dataplane/event/event.h"
#include "dataplane/event/row_board.h"
#include "dataplane/policy/parked.h"
#include "dataplane/policy/snapshot.h"

namespace steer {

struct LeavingAnswer {
    const Snapshot& snapshot;
    const dns::Answer& answer;
    const IpAddress& client;
    std::uint32_t age_s;                  // of the answer
    std::uint32_t ttl_cap_s;              // the maximum TTL of a stale answer
    const cache::Entry* entry;            // nullptr: not from a cache
    std::span<const std::uint8_t> qname;  // lower-cased wire form
    std::span<const std::uint8_t> lists;  // indices of snapshot.lists
};

enum class Leave : std::uint8_t {
    now,
    hold,           // park it, then raise() with its token
    wait_for_ring,  // park it and ask again when there is space
    servfail,  // a router is unreachable and on_timeout is servfail, or a list is full and on_full is
    drop,
};

struct LeaveTerms {
    Leave leave = Leave::now;
    OnTimeout on_timeout =
        OnTimeout::answer;  // hold, wait_for_ring: the strictest setting of the awaited lists
    OnFull on_full = OnFull::answer;    // hold: the strictest setting of the awaited lists
    std::uint32_t ttl_cap_s = kNoCap;   // no record's TTL may leave above this
    std::uint32_t sync_timeout_ms = 0;  // hold, wait_for_ring: the longest of those lists
    std::uint32_t wanted_ttl_s = 0;     // s
    std::uint8_t raise_mask = 0;        // bit i: an event for lists[i] is needed
    std::uint8_t hold_mask = 0;         // ... and its result is awaited
    std::uint8_t refused_mask = 0;      // lists[i] refused an address
    // A list does without an address for now (`shared: skip`): the entry's claim word is not written, so the next hit
    // asks the row board again.
    bool skips = false;
    bool refused = false;            // a list refused an address: likewise
    bool obeys_on_full = false;      // a list without room decides how the answer leaves,
    OnFull obeyed = OnFull::answer;  // ... the strictest one so

    static constexpr std::uint32_t kNoCap = UINT32_MAX;
};
static_assert(kMaxClaims <= 8, "the masks");

class Claims {
  public:
    Claims(unsigned worker, const RowBoard& board, const ListStates& lists, Ring<Event>* to_routers,
           Counters& counters);

    // The usual end of a cached answer: its claim word says that the rows outlive it. True: `terms` let it leave now.
    // False: nothing was decided, call settle(). `a.qname` may be empty.
    [[gnu::noinline]] bool settle_covered(const LeavingAnswer& a, Now now,
                                          LeaveTerms& terms) noexcept;
    // Decides, and raises the events that no answer waits for.
    LeaveTerms settle(const LeavingAnswer& a, Now now) noexcept;
    // After Leave::hold: raises the events, with the token for lists whose result is awaited. Returns
    // the number of acknowledgements to come. The ring has space: settle() checked it in the same turn.
    unsigned raise(const LeavingAnswer& a, const LeaveTerms& terms, std::uint64_t hold_token,
                   Now now) noexcept;

    // Reports an answer with more addresses than a list accepts to `routers`, once a second.
    void note_shortened(const LeavingAnswer& a, const PolicyList& list, Now now) noexcept;

    // Counts an answer that its list was too full for. Once for each answer, when it leaves.
    void count_full(OnFull on_full) noexcept;
    void count_leaving(const LeaveTerms& terms) noexcept {
        const bool waits = terms.leave == Leave::hold || terms.leave == Leave::wait_for_ring;
        if (terms.obeys_on_full && !waits) [[unlikely]]
            count_full(terms.obeyed);
    }

    // Whether settle() may find space for answers that wait for the ring.
    [[nodiscard]] bool has_room() const noexcept { return to_routers_->room() > 0; }

  private:
    [[nodiscard]] bool covered_by_word(const LeavingAnswer& a, std::uint32_t ttl_s, Now now,
                                       LeaveTerms& terms) const noexcept;
    // What the row board knows about an answer's addresses in a list.
    struct Known {
        std::uint32_t
            until_s;  // the end of TTLs that all rows allow, without those of `refused` addresses
        Refusal refusal;
    };
    // Asks the row board; returns the end of TTLs that all rows allow once the raised events are
    // written.
    std::uint32_t ask_board(const LeavingAnswer& a, std::uint32_t ttl_s, Now now,
                            LeaveTerms& terms) noexcept;
    [[nodiscard]] Known look_up(const PolicyList& list, const LeavingAnswer& a, Now now,
                                LeaveTerms& terms) const noexcept;
    // A list refused an address of the answer, which does not wait for it.
    static void obey_on_full(OnFull on_full, LeaveTerms& terms) noexcept;
    // What settle_covered() leaves open.
    void decide(const LeavingAnswer& a, Now now, LeaveTerms& terms) noexcept;
    bool wait_for(const PolicyList& list, const LeavingAnswer& a, std::uint8_t bit,
                  LeaveTerms& terms) noexcept;
    void full_ring(const LeavingAnswer& a, LeaveTerms& terms) noexcept;
    // The number of a list in stamps: its epoch, and with rows that were only asked for its refusals.
    [[nodiscard]] std::uint32_t known_of(ListId list, bool is_pending) const noexcept;
    [[nodiscard]] std::uint32_t stamp_of(const LeavingAnswer& a, bool is_pending) const noexcept;
    // An address without a mark may have lost it.
    [[nodiscard]] bool lost_marks(ListId list, Now now) const noexcept {
        return lists_[list].evicted_until_s.load(std::memory_order_relaxed) > now.s();
    }
    [[nodiscard]] bool may_have_marks(ListId list, Now now) const noexcept {
        return lists_[list].marked_until_s.load(std::memory_order_relaxed) > now.s();
    }
    unsigned push_events(const PolicyList& list, const LeavingAnswer& a, std::uint32_t wanted_ttl_s,
                         std::uint64_t hold_token, unsigned tokens_left, Now now) noexcept;

    const RowBoard& board_;
    const ListStates& lists_;
    Ring<Event>* to_routers_;
    Counters& counters_;
    std::uint8_t worker_;
    void name_event(const PolicyList& list, const LeavingAnswer& a, Now now) noexcept;

    std::uint32_t shortened_s_ = 0;  // when that was last reported
    Event event_{};                  // the one being filled
};

}  // namespace steer
