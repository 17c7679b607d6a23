// Claims rows for the addresses of an answer before it is sent.
//
// For each list of the answer, checks whether known rows on the client's routers cover the lease. A
// cached answer has this in its claim word; for others the row board is checked. If the lease is
// not covered, an Event goes into the ring to `routers`. The result says whether the answer may be
// sent, and its maximum TTL. Or it says that the answer must wait: for an acknowledgement (async:
// false) or for space in the ring.
//
// A full ring loses no claim: the claim word is not advanced, so the next hit raises the event
// again. An answer without a cache waits for space (Leave::wait_for_ring), up to the lists'
// sync_timeout.
//
// If a list refuses an address because the list or a share is full, the address gets a mark on the
// row board. While the mark is valid, no event is raised for the address, and the answer obeys the
// list's `on_full`. After that, or if marks were lost, the address is claimed again. Then
// `servfail` acts as `cap_ttl`, because the list may have space again. A claim word of a row that was
// only requested becomes invalid at most half a second after the refusal.
//
// Cost: none without lists. For a covered cached answer, one word and each list's cache line. Else
// one lookup on the row board for each (list, address). The only shared data that it writes is the
// entry's claim word, relaxed.
// Counts: claims_covered, events_raised, events_ring_full, hold_router_away, full_answered,
//       full_capped, full_servfail.
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
    std::uint32_t ttl_cap_s;              // maximum TTL of a stale answer
    const cache::Entry* entry;            // nullptr: not from a cache
    std::span<const std::uint8_t> qname;  // lower-cased wire form
    std::span<const std::uint8_t> lists;  // indices of snapshot.lists
};

enum class Leave : std::uint8_t {
    now,
    hold,           // park it, then raise() with its token
    wait_for_ring,  // park it, and call settle() again when there is space
    servfail,       // a router is unreachable, or a list is full, and its setting is servfail
    drop,
};

struct LeaveTerms {
    Leave leave = Leave::now;
    OnTimeout on_timeout =
        OnTimeout::answer;  // hold, wait_for_ring: the strictest setting of the awaited lists
    OnFull on_full = OnFull::answer;    // hold: the strictest setting of the awaited lists
    std::uint32_t ttl_cap_s = kNoCap;   // maximum TTL of the records that are sent
    std::uint32_t sync_timeout_ms = 0;  // hold, wait_for_ring: the longest of those lists
    std::uint32_t wanted_ttl_s = 0;     // s
    std::uint8_t raise_mask = 0;        // bit i: lists[i] needs an event
    std::uint8_t hold_mask = 0;         // ... and the answer waits for its result
    std::uint8_t refused_mask = 0;      // bit i: lists[i] refused an address
    // A list skips an address for now (`shared: skip`). The entry's claim word is not written, so
    // the next hit checks the row board again.
    bool skips = false;
    bool refused = false;            // a list refused an address; same effect
    bool obeys_on_full = false;      // a full list decides whether the answer is sent,
    OnFull obeyed = OnFull::answer;  // ... with the strictest setting of these lists

    static constexpr std::uint32_t kNoCap = UINT32_MAX;
};
static_assert(kMaxClaims <= 8, "the masks");

class Claims {
  public:
    Claims(unsigned worker, const RowBoard& board, const ListStates& lists, Ring<Event>* to_routers,
           Counters& counters);

    // The usual end of a cached answer: its claim word says that the rows outlive it. Returns true
    // if `terms` lets it be sent now. Returns false if nothing was decided; then call settle().
    // `a.qname` may be empty.
    [[gnu::noinline]] bool settle_covered(const LeavingAnswer& a, Now now,
                                          LeaveTerms& terms) noexcept;
    // ListStates::changes(). Read it before settle_covered(). While it is unchanged, that result
    // holds for the rest of the second, for clients of the same routers, if holds_for_second().
    [[nodiscard]] std::uint64_t list_changes() const noexcept { return lists_.changes(); }
    // Not in the first millisecond of a second: covers begin at `now` rounded up to a second.
    [[nodiscard]] static bool holds_for_second(Now now) noexcept { return now.ms % 1000 != 0; }
    // Counts a covered answer that skips settle_covered().
    void count_covered() noexcept { counters_.add(Stat::claims_covered); }
    // Decides, and raises the events that the answer does not wait for.
    LeaveTerms settle(const LeavingAnswer& a, Now now) noexcept;
    // After Leave::hold: raises the events, with the token for lists whose result the answer waits
    // for. Returns the number of acknowledgements to expect. The ring has space, because settle()
    // checked it in the same turn.
    unsigned raise(const LeavingAnswer& a, const LeaveTerms& terms, std::uint64_t hold_token,
                   Now now) noexcept;

    // Reports an answer with more addresses than a list accepts to `routers`, at most once a
    // second.
    void note_shortened(const LeavingAnswer& a, const PolicyList& list, Now now) noexcept;

    // Counts an answer with an address that its full list refused. Once per answer, when it is
    // sent.
    void count_full(OnFull on_full) noexcept;
    void count_leaving(const LeaveTerms& terms) noexcept {
        const bool waits = terms.leave == Leave::hold || terms.leave == Leave::wait_for_ring;
        if (terms.obeys_on_full && !waits) [[unlikely]]
            count_full(terms.obeyed);
    }

    // Whether the ring has space, so that settle() may succeed for waiting answers.
    [[nodiscard]] bool has_room() const noexcept { return to_routers_->room() > 0; }

  private:
    [[nodiscard]] bool covered_by_word(const LeavingAnswer& a, std::uint32_t ttl_s, Now now,
                                       LeaveTerms& terms) const noexcept;
    // What the row board knows about an answer's addresses in a list.
    struct Known {
        std::uint32_t
            until_s;  // the end of the TTLs that all rows allow, except rows of `refused` addresses
        Refusal refusal;
    };
    // Checks the row board. Returns the end of the TTLs that all rows allow after the raised events
    // are written.
    std::uint32_t ask_board(const LeavingAnswer& a, std::uint32_t ttl_s, Now now,
                            LeaveTerms& terms) noexcept;
    [[nodiscard]] Known lookup(const PolicyList& list, const LeavingAnswer& a, Now now,
                               LeaveTerms& terms) const noexcept;
    // A list refused an address of the answer; the answer does not wait for it.
    static void obey_on_full(OnFull on_full, LeaveTerms& terms) noexcept;
    // Decides the cases that settle_covered() leaves open.
    void decide(const LeavingAnswer& a, Now now, LeaveTerms& terms) noexcept;
    bool wait_for(const PolicyList& list, const LeavingAnswer& a, std::uint8_t bit,
                  LeaveTerms& terms) noexcept;
    void full_ring(const LeavingAnswer& a, LeaveTerms& terms) noexcept;
    // The number of a list in stamps: its epoch, losses() if all rows exist or
    // answers wait for them, and failures() if some were only requested.
    [[nodiscard]] std::uint32_t known_of(const PolicyList& list, ListId id,
                                         bool is_pending) const noexcept;
    [[nodiscard]] std::uint32_t stamp_of(const LeavingAnswer& a, bool is_pending) const noexcept;
    // Whether an address without a mark may have lost it.
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

    std::uint32_t shortened_s_ = 0;  // second of the last report
    Event event_{};                  // the event being filled
};

}  // namespace steer
