// From claims to elements of the kernel's sets: what has to be where until when, what of it is written, and what a set
// that was away or was emptied has to get again.
//
// Without threads, sockets or a clock of its own: SetHelper drives it for real, a test with a writer of its own and a
// clock that it turns. All calls from one thread.
//
// A claim lives until its lease ends, whether it is written or not, so that nothing is lost while a set is missing: it is
// asked for again after 1 s, then 2, up to 30. A set with timeouts gets each element with what is left of its lease, and
// again when that grows; one without gets it once.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <span>
#include <string>
#include <unordered_map>
#include <vector>

#include "control/sets/kernel_set.h"
#include "control/sets/set_report.h"

namespace steer::sets {

class SetService {
  public:
    struct Sink {
        std::function<void(std::span<const Installed>)> installed;
        std::function<void(ListId)> lost;  // of its claims some are not known any more
        std::function<void(Level, const std::string&)> log;
    };

    SetService(SetWriter& writer, Sink sink);

    // These from now on. Claims of a set that stays, stay.
    void configure(const std::vector<SetPlan>& plans);
    // `list` must hold `address` until then (CLOCK_BOOTTIME, seconds).
    void claim(ListId list, const IpAddress& address, std::uint32_t until_s);
    // Writes what is owed and may be tried.
    void work(std::uint64_t now_ms);
    // When work() has something to do; UINT64_MAX: only after a claim.
    [[nodiscard]] std::uint64_t next_ms() const;

    // Somebody else changed this set (without a name: any of that table; or all of one kind, after messages were lost):
    // it is looked at again, and gets what it lost.
    void changed(const SetName& set);
    void all_changed(bool ipsets);
    // Looks whether sets that tell nobody of their changes (ipset) still have what was put into them.
    void look(std::uint64_t now_ms);

    [[nodiscard]] std::vector<SetStatus> status() const;

  private:
    struct Hash {
        std::size_t operator()(const matchers::Prefix& p) const noexcept;
    };
    struct Same {
        bool operator()(const matchers::Prefix& a, const matchers::Prefix& b) const noexcept {
            return a.address == b.address && a.length == b.length;
        }
    };
    struct Claim {
        std::uint32_t until_s = 0;
        std::uint32_t written_until_s = 0;  // 0: not; UINT32_MAX: without a timeout
        bool owed = false;                  // it is in Keeper::owed
    };
    struct Told {  // to be said to the row board when it is written
        Installed what;
        matchers::Prefix element;
    };
    using Claims = std::unordered_map<matchers::Prefix, Claim, Hash, Same>;
    struct Shape {            // of the elements of a list
        unsigned mask = 128;  // of the 128-bit form
        std::vector<matchers::Prefix> never_claim;
        // The element for an address: as wide as the mask, or narrower where that would hold what is never claimed.
        [[nodiscard]] matchers::Prefix around(const IpAddress& address) const noexcept;
        friend bool operator==(const Shape&, const Shape&) = default;
    };
    // One set and what must be in it.
    struct Keeper {
        std::map<ListId, Shape> shapes;  // by the lists that use it
        std::size_t max_elements = 0;
        bool known = false;  // what it can hold was read once
        bool ready = false;
        bool emptied = false;  // it may have lost what was in it
        bool complained = false;
        bool noted = false;  // what it cannot hold was said
        SetAbility ability;
        std::string trouble;
        std::uint64_t read_ms = 0;  // the last time
        std::uint64_t try_ms = 0;   // while it is not ready: not before
        std::uint32_t backoff_ms = 0;
        std::uint64_t refused_ms = 0;  // when those are tried again
        std::uint64_t expire_ms = 0;   // when ended claims are next taken out
        Claims claims;
        std::vector<matchers::Prefix> owed, refused;
        std::vector<Told> told;
        std::vector<Installed> early;  // claims of before it is known what an element is
        SetCounters counters;
    };
    using Keepers = std::map<SetName, Keeper>;
    struct Ways {
        std::string tag;
        Keeper* v4 = nullptr;
        Keeper* v6 = nullptr;
    };

    void take(Keeper& keeper, const Installed& what);
    void forget_claims(Keeper& keeper);
    void owe(Keeper& keeper, const matchers::Prefix& element, Claim& claim);
    void owe_all(Keeper& keeper);
    void read(const SetName& name, Keeper& keeper, std::uint64_t now_ms);
    void note_ability(const SetName& name, Keeper& keeper);
    void fail(const SetName& name, Keeper& keeper, const std::string& why, std::uint64_t now_ms);
    void write(const SetName& name, Keeper& keeper, std::uint64_t now_ms);
    // Those that were refused one by one go to `refused`; `left`: how many may be tried so.
    bool write_some(const SetName& name, Keeper& keeper, std::span<const matchers::Prefix> elements,
                    std::uint64_t now_ms, unsigned& left);
    void written(Keeper& keeper, std::span<const matchers::Prefix> elements);
    void tell(Keeper& keeper);
    void expire(Keeper& keeper, std::uint64_t now_ms);
    void changed(Keeper& keeper);

    SetWriter& writer_;
    Sink sink_;
    Keepers keepers_;  // their places in memory stay
    std::map<ListId, Ways> ways_;
};

}  // namespace steer::sets
