// Turns claims into elements of the kernel's sets: which elements must exist until when, which are
// written, and which must be written again after a set was missing or emptied.
//
// No threads, sockets or clock: SetHelper drives it in production, tests use their own writer and a
// fake clock. All calls from one thread.
//
// A claim lives until its lease ends, written or not, so nothing is lost while a set is missing. A
// missing set is tried again after 1 s, then 2, up to 30. A set with timeouts gets each element
// with the rest of its lease, and again when that grows. A set without timeouts gets it once.
//
// From a set with removal (routes) elements are removed when ElementEnds says so. Those that an earlier process left in
// it are adopted: they stay until they are claimed, or for `adopt_s`. A set that no list uses any more is kept until its
// last element has ended. Routes are removed, and restored after another program removed them, in steps that all tables
// share, because a reader of the kernel's events (BIRD) would lose a burst. Claims are written at once.
//
// A name, a domain and a client each have a share of a set (routeros/claim_book.h). A full set with timeouts or
// removal gives up an element of the largest share, which is removed before others are written. Until then it counts for
// its owner; 64 at most wait for that. Adopted elements have no owner until they are claimed.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "control/sinks/set_process/claim_queue.h"
#include "control/sinks/set_process/element_ends.h"
#include "control/sinks/set_process/kernel_set.h"
#include "control/sinks/set_process/set_report.h"
#include "routeros/claim_book.h"

namespace steer::sets {

class SetService {
  public:
    struct Sink {
        std::function<void(std::span<const Installed>)> installed;
        // The set or a share of it is full, or the kernel rejects them.
        std::function<void(std::span<const RefusedRow>)> refused;
        std::function<void(ListId)> lost;  // some of its claims are no longer known
        std::function<void(Level, const std::string&)> log;
    };

    SetService(SetWriter& writer, Sink sink);

    // Uses these plans. Claims of sets that stay are kept.
    void configure(const std::vector<SetPlan>& plans);
    // The list must hold the address until then.
    void claim(ClaimRow row);
    // Writes pending elements of sets that may be tried.
    void work(std::uint64_t now_ms);
    // The time of work()'s next work; UINT64_MAX: only after a claim.
    [[nodiscard]] std::uint64_t next_ms() const;

    // Another process changed this set. Without a name: any set of that table, or all sets of one
    // kind after messages were lost. The set is checked again, and gets its lost elements.
    void changed(const SetName& set);
    void all_changed(bool ipsets);
    // Checks whether sets without change events (ipset) still have their elements.
    void check(std::uint64_t now_ms);

    [[nodiscard]] std::vector<SetStatus> status() const;

  private:
    struct Claim : routeros::BookedClaim {
        bool pending = false;               // it is in SetState::pending
        bool is_refused = false;            // it is in SetState::refused
        std::uint32_t written_until_s = 0;  // 0: not; UINT32_MAX: without a timeout
        matchers::Prefix key;
        [[nodiscard]] std::uint32_t until_s() const {
            return static_cast<std::uint32_t>(until_ms / 1000);
        }
    };
    struct Notification {  // to be reported to the row board when it is written
        Installed what;
        matchers::Prefix element;
    };
    using Claims = routeros::ClaimBook<Claim, PrefixHash>;
    struct Shape {            // of the elements of a list
        unsigned mask = 128;  // of the 128-bit form
        std::vector<matchers::Prefix> never_claim;
        // The element for an address: as wide as the mask, or narrower if it would contain a prefix
        // of never_claim.
        [[nodiscard]] matchers::Prefix around(const IpAddress& address) const noexcept;
        friend bool operator==(const Shape&, const Shape&) = default;
    };
    // One set and its required elements.
    struct SetState {
        SetState(const std::shared_ptr<routeros::Shares>& counts, std::uint32_t of)
            : number(of), claims(counts), early(counts) {}
        [[nodiscard]] routeros::ClaimBounds bounds(ListId list) const;

        std::uint32_t number;            // in the shares
        std::map<ListId, Shape> shapes;  // by the lists that use it
        std::map<ListId, routeros::ShareLimits> limits;
        std::size_t max_elements = 0;
        bool known = false;  // its abilities were read once
        bool ready = false;
        bool emptied = false;  // it may have lost its elements
        bool complained = false;
        bool noted = false;  // its missing abilities were logged
        SetAbility ability;
        std::string error;
        std::uint64_t read_ms = 0;  // the last time
        std::uint64_t try_ms = 0;   // while it is not ready: the next try
        std::uint32_t backoff_ms = 0;
        std::uint64_t refused_ms = 0;  // when refused ones are tried again
        std::uint64_t expire_ms = 0;   // when ended claims are next taken out; not with removal
        Claims claims;
        ElementEnds ends;                       // with removal
        std::vector<matchers::Prefix> missing;  // with removal: another program removed them
        std::vector<matchers::Prefix> pending, refused;
        std::vector<matchers::Prefix> evicted;  // are leaving, unless they were claimed again
        std::vector<Notification> notifications;
        std::vector<RefusedRow> rejected;  // to be reported as refused
        ClaimQueue early;                  // claims from before the set's abilities were known
        SetCounters counters;
    };
    using SetStates = std::map<SetName, SetState>;
    struct FamilySets {
        std::string tag;
        SetState* v4 = nullptr;
        SetState* v6 = nullptr;
    };

    void take(SetState& state, ClaimRow row);
    static void reject(SetState& state, ClaimRow row, const routeros::RefusedClaim& why);
    static bool evict(SetState& state, const ClaimRow& row);
    void remove_evicted(const SetName& name, SetState& state, std::uint64_t now_ms);
    void forget_claims(SetState& state);
    void mark_pending(SetState& state, const matchers::Prefix& element, Claim& claim);
    void mark_all_pending(SetState& state);
    void read(const SetName& name, SetState& state, std::uint64_t now_ms);
    void note_ability(const SetName& name, SetState& state);
    void fail(const SetName& name, SetState& state, const std::string& why, std::uint64_t now_ms,
              const char* what = " cannot be filled: ");
    void write(const SetName& name, SetState& state, std::uint64_t now_ms);
    // Elements refused one by one go to `refused`; `left`: number of elements that may be tried
    // individually.
    bool write_some(const SetName& name, SetState& state,
                    std::span<const matchers::Prefix> elements, std::uint64_t now_ms,
                    unsigned& left);
    void written(SetState& state, std::span<const matchers::Prefix> elements);
    void notify(SetState& state);
    void expire(SetState& state, std::uint64_t now_ms);
    void restore(const SetName& name, SetState& state, std::uint64_t now_ms);
    void remove_ended(const SetName& name, SetState& state, std::uint64_t now_ms);
    void remove(const SetName& name, SetState& state, std::span<const matchers::Prefix> elements,
                std::uint64_t now_ms);
    static void removed(SetState& state, std::span<const matchers::Prefix> elements,
                        std::uint64_t now_ms);
    void adopt(const SetName& name, SetState& state, std::span<const matchers::Prefix> elements,
               std::uint64_t now_ms);
    // Claims that are not among these elements are missing; returns their number.
    std::size_t note_missing(SetState& state, std::span<const matchers::Prefix> elements,
                             std::uint64_t now_ms);
    void end_step(std::size_t routes, std::uint64_t now_ms);
    void end_unused();
    void changed(SetState& state);

    SetWriter& writer_;
    Sink sink_;
    std::shared_ptr<routeros::Shares> shares_ = std::make_shared<routeros::Shares>();
    std::uint32_t sets_so_far_ = 0;
    SetStates sets_;  // their addresses are stable
    std::map<ListId, FamilySets> sets_of_list_;
    std::uint64_t step_ms_ = 0;  // no route is restored or removed before
};

}  // namespace steer::sets
