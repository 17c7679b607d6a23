// A book of claims: which keys (addresses, prefixes) must exist until when, and whose they are. One library for all that
// hold addresses: lists of routers, sets of the kernel, aliases, and the queue before a process.
//
// A claim lives until its end, and a raised one is only prolonged. Claims are bounded in total, and per name, domain and
// client (shares.h); a refusal has its reason. A full book names the claim whose holders use most of their shares. A
// claim that was given up and still exists (`is_leaving`) counts for its holders until it is dropped, not for the total;
// at most kMostLeaving leave at a time. What is there without a claim (put()) has no owner until it is claimed: that
// claim is judged as a new one. Without limits no share is kept.
//
// `Claim` is derived from BookedClaim and has a member `key`; if keys have a member `list`, totals are per list. Claims
// keep their addresses. Expiry is a heap with one lazy entry per claim: O(log n). A claim costs its own size, 25 bytes
// per index slot (44 to 87 % used) and 16 in the heap. Memory of ended claims is used again, but not given back.
#pragma once

#include <algorithm>
#include <boost/unordered/unordered_flat_map.hpp>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "routeros/shares.h"

namespace steer::routeros {

// After `list` as ShareKind.
enum class ClaimRefusal : std::uint8_t { list, name, suffix, client, platform, below, below2 };
inline constexpr std::size_t kClaimRefusals = 1 + kShareKinds;

struct RefusedClaim {
    ClaimRefusal why = ClaimRefusal::list;
    // Because of the client: its share is used up, or the list is full and the client uses more of its share than the
    // name and the domain do.
    bool of_client = false;
};

// What each claim in a book has.
struct BookedClaim {
    std::uint64_t until_ms = 0;  // its end; 0: an empty slot
    Holders holders{};           // the holders whose share it uses
    bool is_counted = false;     // in their shares
    bool is_leaving = false;
    bool has_end = false;  // in the heap
};

// What a book decides without the type of its claims.
class ClaimJudge {
  public:
    explicit ClaimJudge(std::shared_ptr<Shares> shares) : shares_(std::move(shares)) {}

    // Why there is no room for one more claim, with `held` there; no value: there is.
    [[nodiscard]] std::optional<RefusedClaim> refuses(const Holders& holders, std::size_t held,
                                                      const ClaimBounds& bounds) const;
    [[nodiscard]] std::optional<RefusedClaim> over_share(const Holders& holders,
                                                         const ClaimBounds& bounds) const;
    [[nodiscard]] bool has_own_shares() const { return shares_.use_count() == 1; }
    [[nodiscard]] double pressure(const BookedClaim& claim, const ClaimBounds& bounds) const {
        return shares_->pressure(claim.holders, bounds);
    }
    [[nodiscard]] double pressure_of_next(const Holders& holders, const ClaimBounds& bounds) const {
        return shares_->pressure(holders, bounds, 1);
    }
    void count(BookedClaim& claim);
    void forget(const BookedClaim& claim);
    // The claim counts for the holder with the smallest share, so that one client cannot use up another's share.
    void move_to_smallest(BookedClaim& claim, const Holders& holders, const ClaimBounds& bounds);

  private:
    std::shared_ptr<Shares> shares_;
};

template <class Claim, class Hash>
class ClaimBook {
  public:
    using Key = decltype(Claim::key);
    static constexpr std::size_t kMostLeaving = 64;
    struct Raised {
        Claim* claim = nullptr;  // valid until it is taken out; nullptr: refused
        bool is_new = false;
        explicit operator bool() const { return claim != nullptr; }
    };

    // Books may share their counts: then their holders must differ (Shares::within).
    explicit ClaimBook(std::shared_ptr<Shares> shares = std::make_shared<Shares>())
        : judge_(std::move(shares)) {}
    ~ClaimBook() {
        if (!judge_.has_own_shares())
            for_each([this](const Claim& claim) { judge_.forget(claim); });
    }
    ClaimBook(const ClaimBook&) = delete;
    ClaimBook& operator=(const ClaimBook&) = delete;

    // Creates or prolongs a claim. Refused, with its refusal(): nothing changes.
    Raised raise(const Key& key, const Holders& holders, std::uint64_t until_ms,
                 const ClaimBounds& bounds);
    // It is there without a claim. `holders` are kept for own().
    Raised put(const Key& key, std::uint64_t until_ms, const Holders& holders = {});
    // Counts a claim for its holders, if it is not yet; false: one of them has its share, see refusal(). Without
    // holders it stays without an owner.
    bool own(Claim& claim, const ClaimBounds& bounds);
    [[nodiscard]] const RefusedClaim& refusal() const { return refusal_; }

    // The claim to give up for a new one of these holders: its holders use more of their shares. Inspects at most 64
    // claims, of those that `may_go`; of equals, one that no client relies on yet. nullptr: none, or enough are leaving.
    template <class MayGo, class IsReliedOn>
    [[nodiscard]] Claim* candidate(ListId list, const Holders& holders, const ClaimBounds& bounds,
                                   const MayGo& may_go, const IsReliedOn& is_relied_on);
    // It was given up, and is still there.
    void leave(Claim& claim);
    // Takes the claim out, if there is one.
    std::optional<Claim> drop(const Key& key);
    template <class Goes>
    std::size_t drop_if(const Goes& goes);

    [[nodiscard]] Claim* find(const Key& key) {
        const auto found = index_.find(key);
        return found == index_.end() ? nullptr : &claims_[found->second];
    }
    [[nodiscard]] const Claim* find(const Key& key) const {
        const auto found = index_.find(key);
        return found == index_.end() ? nullptr : &claims_[found->second];
    }

    // Takes out one claim that has ended by `now_ms`, if there is one.
    std::optional<Claim> expire(std::uint64_t now_ms);
    // One that has ended, once; it stays until drop(). nullptr: none.
    [[nodiscard]] Claim* due(std::uint64_t now_ms);
    // After due(): returns it again at that time.
    void requeue(const Claim& claim, std::uint64_t at_ms);
    // A time not after the first end of a claim; UINT64_MAX if there are none.
    [[nodiscard]] std::uint64_t next_expiry_ms() const {
        return ends_.empty() ? UINT64_MAX : ends_.front().until_ms;
    }

    [[nodiscard]] std::size_t size() const { return index_.size(); }
    [[nodiscard]] std::size_t size(ListId list) const {
        const auto found = per_list_.find(list);
        return found == per_list_.end() ? 0 : found->second;
    }
    // Iterates over all claims in pieces: every claim has one slot below slots(); nullptr: empty slot.
    [[nodiscard]] std::size_t slots() const { return claims_.size(); }
    [[nodiscard]] const Claim* at(std::size_t slot) const {
        return claims_[slot].until_ms == 0 ? nullptr : &claims_[slot];
    }
    template <class F>
    void for_each(F&& f) const {
        for (const auto& [key, at] : index_)
            f(claims_[at]);
    }
    template <class F>
    void for_each(F&& f) {
        for (const auto& [key, at] : index_)
            f(claims_[at]);
    }

  private:
    using Index = std::uint32_t;  // in claims_
    struct End {                  // one per claim with has_end, maybe too early
        std::uint64_t until_ms;
        Index at;
        bool operator>(const End& other) const { return until_ms > other.until_ms; }
    };
    static ListId list_of(const Key& key) {
        if constexpr (requires { key.list; })
            return key.list;
        else
            return 0;
    }
    Claim& insert(const Key& key, std::uint64_t until_ms, const Holders& holders);
    Claim take_out(Index at);
    void push_end(std::uint64_t until_ms, Index at);
    void tidy_ends();

    std::deque<Claim> claims_;
    std::vector<Index> free_;  // in claims_
    boost::unordered_flat_map<Key, Index, Hash> index_;
    boost::unordered_flat_map<ListId, std::size_t> per_list_;
    std::vector<End> ends_;         // a heap, the first end in front
    std::size_t ends_of_none_ = 0;  // of them, those of claims that were taken out early
    std::size_t leaving_ = 0;
    ClaimJudge judge_;
    RefusedClaim refusal_;
    Index hand_ = 0;  // the slot that candidate() inspects next
};

template <class Claim, class Hash>
typename ClaimBook<Claim, Hash>::Raised ClaimBook<Claim, Hash>::raise(const Key& key,
                                                                      const Holders& holders,
                                                                      std::uint64_t until_ms,
                                                                      const ClaimBounds& bounds) {
    const std::size_t held = size(list_of(key)) - leaving_;
    Claim* const known = find(key);
    const bool counts = bounds.has_shares();
    if (known == nullptr) {
        if (const auto refused = judge_.refuses(holders, held, bounds)) {
            refusal_ = *refused;
            return {};
        }
        Claim& claim = insert(key, until_ms, holders);
        if (counts) judge_.count(claim);
        return {&claim, true};
    }
    if (known->is_leaving && held >= bounds.total) {
        refusal_ = *judge_.refuses(holders, held, bounds);
        return {};
    }
    if (!counts || known->is_counted) {
        if (counts) judge_.move_to_smallest(*known, holders, bounds);
    } else if (const auto refused = judge_.over_share(holders, bounds)) {
        refusal_ = *refused;
        return {};
    } else {
        known->holders = holders;
        judge_.count(*known);
    }
    if (std::exchange(known->is_leaving, false)) --leaving_;
    known->until_ms = std::max(known->until_ms, until_ms);
    return {known, false};
}

template <class Claim, class Hash>
typename ClaimBook<Claim, Hash>::Raised ClaimBook<Claim, Hash>::put(const Key& key,
                                                                    std::uint64_t until_ms,
                                                                    const Holders& holders) {
    if (Claim* const known = find(key)) {
        known->until_ms = std::max(known->until_ms, until_ms);
        if (!known->is_counted) known->holders = holders;
        return {known, false};
    }
    return {&insert(key, until_ms, holders), true};
}

template <class Claim, class Hash>
bool ClaimBook<Claim, Hash>::own(Claim& claim, const ClaimBounds& bounds) {
    if (claim.is_counted || !bounds.has_shares() || claim.holders == Holders{}) return true;
    if (const auto refused = judge_.over_share(claim.holders, bounds)) {
        refusal_ = *refused;
        return false;
    }
    judge_.count(claim);
    return true;
}

template <class Claim, class Hash>
template <class MayGo, class IsReliedOn>
Claim* ClaimBook<Claim, Hash>::candidate(ListId list, const Holders& holders,
                                         const ClaimBounds& bounds, const MayGo& may_go,
                                         const IsReliedOn& is_relied_on) {
    constexpr std::size_t kMaxSlots = 1'024;
    constexpr unsigned kMaxClaims = 64;
    if (leaving_ >= kMostLeaving || !bounds.has_shares()) return nullptr;
    const std::size_t slots = std::min(claims_.size(), kMaxSlots);
    double most = judge_.pressure_of_next(holders, bounds);
    Claim* chosen = nullptr;
    unsigned seen = 0;
    for (std::size_t i = 0; i < slots && seen < kMaxClaims; ++i) {
        hand_ = hand_ + 1 < claims_.size() ? hand_ + 1 : 0;
        Claim& claim = claims_[hand_];
        if (claim.until_ms == 0 || list_of(claim.key) != list || !claim.is_counted ||
            claim.is_leaving || !may_go(claim))
            continue;
        ++seen;
        const double pressure = judge_.pressure(claim, bounds);
        const bool more = pressure > most;
        const bool better =
            chosen != nullptr && pressure == most && is_relied_on(*chosen) && !is_relied_on(claim);
        if (!more && !better) continue;
        most = pressure;
        chosen = &claim;
    }
    return chosen;
}

template <class Claim, class Hash>
void ClaimBook<Claim, Hash>::leave(Claim& claim) {
    if (!std::exchange(claim.is_leaving, true)) ++leaving_;
}

template <class Claim, class Hash>
std::optional<Claim> ClaimBook<Claim, Hash>::drop(const Key& key) {
    const auto found = index_.find(key);
    if (found == index_.end()) return std::nullopt;
    const Index at = found->second;
    index_.erase(found);
    Claim claim = take_out(at);
    if (ends_of_none_ * 2 > ends_.size() + 1'024) tidy_ends();
    return claim;
}

template <class Claim, class Hash>
template <class Goes>
std::size_t ClaimBook<Claim, Hash>::drop_if(const Goes& goes) {
    const std::size_t dropped = boost::unordered::erase_if(index_, [&](const auto& entry) {
        if (!goes(std::as_const(claims_[entry.second]))) return false;
        (void)take_out(entry.second);
        return true;
    });
    tidy_ends();
    return dropped;
}

template <class Claim, class Hash>
std::optional<Claim> ClaimBook<Claim, Hash>::expire(std::uint64_t now_ms) {
    const Claim* const ended = due(now_ms);
    if (ended == nullptr) return std::nullopt;
    const auto found = index_.find(ended->key);
    const Index at = found->second;
    index_.erase(found);
    return take_out(at);
}

template <class Claim, class Hash>
Claim* ClaimBook<Claim, Hash>::due(std::uint64_t now_ms) {
    while (!ends_.empty() && ends_.front().until_ms <= now_ms) {
        std::pop_heap(ends_.begin(), ends_.end(), std::greater<>{});
        const Index at = ends_.back().at;
        ends_.pop_back();
        Claim& claim = claims_[at];
        if (claim.until_ms == 0) {
            free_.push_back(at);
            --ends_of_none_;
        } else if (claim.until_ms > now_ms) {
            push_end(claim.until_ms, at);
        } else {
            claim.has_end = false;
            return &claim;
        }
    }
    return nullptr;
}

template <class Claim, class Hash>
void ClaimBook<Claim, Hash>::requeue(const Claim& claim, std::uint64_t at_ms) {
    if (!claim.has_end) push_end(at_ms, index_.find(claim.key)->second);
}

template <class Claim, class Hash>
Claim& ClaimBook<Claim, Hash>::insert(const Key& key, std::uint64_t until_ms,
                                      const Holders& holders) {
    Index at = static_cast<Index>(claims_.size());
    if (free_.empty()) {
        claims_.emplace_back();
    } else {
        at = free_.back();
        free_.pop_back();
    }
    Claim& claim = claims_[at];
    claim.key = key;
    claim.until_ms = std::max<std::uint64_t>(until_ms, 1);
    claim.holders = holders;
    index_.emplace(key, at);
    ++per_list_[list_of(key)];
    push_end(claim.until_ms, at);
    return claim;
}

// Empties the slot, and frees it unless its End is in ends_: that frees it later.
template <class Claim, class Hash>
Claim ClaimBook<Claim, Hash>::take_out(Index at) {
    Claim claim = std::exchange(claims_[at], {});
    judge_.forget(claim);
    if (claim.is_leaving) --leaving_;
    const auto held = per_list_.find(list_of(claim.key));
    if (--held->second == 0) per_list_.erase(held);
    if (claim.has_end)
        ++ends_of_none_;
    else
        free_.push_back(at);
    return claim;
}

template <class Claim, class Hash>
void ClaimBook<Claim, Hash>::push_end(std::uint64_t until_ms, Index at) {
    claims_[at].has_end = true;
    ends_.push_back({until_ms, at});
    std::push_heap(ends_.begin(), ends_.end(), std::greater<>{});
}

// Frees the slots of claims taken out early.
template <class Claim, class Hash>
void ClaimBook<Claim, Hash>::tidy_ends() {
    if (ends_of_none_ == 0) return;
    std::erase_if(ends_, [&](const End& end) {
        if (claims_[end.at].until_ms != 0) return false;
        free_.push_back(end.at);
        return true;
    });
    std::make_heap(ends_.begin(), ends_.end(), std::greater<>{});
    ends_of_none_ = 0;
}

}  // namespace steer::routeros
