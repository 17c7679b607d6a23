// Claims: "list L must hold address A until T". What was promised to clients, and the only reason
// for a timed row; kept while the router is away, so that nothing is lost.
//
// A claim lives until the last lease it was made for has ended; raising it again only ever prolongs
// it and counts. It keeps the first name (the row's `dm`). Bounded per list, and in a list per name,
// suffix and client (shares.h): a claim counts for those of its askers that have least. Expiry is a heap with
// one lazy entry per claim: O(log n) per claim and per expiry.
//
// Memory: 82 bytes a claim; its name with the allocator's part (32 bytes up to 23, 48 up to 39); 25
// a place in the index, of which 44 to 87 % are taken; 16 in the heap. Index and heap double when
// they are full. A million with names of 24 bytes: about 200 MB. What claims
// took is used again, but not given back.
#pragma once

#include <boost/unordered/unordered_flat_map.hpp>
#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string_view>
#include <vector>

#include "routeros/address.h"
#include "routeros/shares.h"

namespace steer::routeros {

struct ClaimKey {
    ListId list = 0;
    Address address;
    auto operator<=>(const ClaimKey&) const = default;
};
struct ClaimKeyHash {
    std::size_t operator()(const ClaimKey& key) const noexcept;
};

struct Claim {
    // The last lease that relies on the row, or what was promised on the row board.
    std::uint64_t until_ms = 0;
    std::uint64_t row_until_ms = 0;     // how long the row is meant to live; at least until_ms
    std::unique_ptr<char[]> name_text;  // ends with 0; none: an empty name
    // The longest that an answer wanted its row to live: a cached one wants less than the next one
    // that is fresh.
    std::uint32_t row_life_s = 0;
    std::uint32_t reasons = 0;  // answers that made or prolonged it; stops at its largest value
    std::uint32_t told_s = 0;   // what the row board was told, and under which epoch; 0: nothing
    std::uint32_t told_epoch = 0;
    Holders holders{};  // it counts for them
    ClaimKey key;
    bool permanent = false;   // wants a row without timeout
    bool left_alone = false;  // a human changed its row, which stays so
    bool answered = false;    // an answer with this address has left

    // The first one that it was made for; good as long as the claim lives.
    [[nodiscard]] std::string_view name() const {
        return name_text == nullptr ? std::string_view{} : name_text.get();
    }
};
static_assert(sizeof(Claim) <= 80, "there may be a million of them");

class Claims {
  public:
    // Why raise() gave nothing.
    enum class Refusal : std::uint8_t { list, name, suffix, client };

    // Makes or prolongs; nothing if the list, or one of the claim's holders in it, has its bound already
    // (refusal()). `row_until_ms` 0: a row without timeout. The pointer is good until the claim has ended.
    Claim* raise(const ClaimKey& key, const Origin& origin, std::uint64_t until_ms,
                 std::uint64_t row_until_ms, const ClaimBounds& bounds);
    [[nodiscard]] Refusal refusal() const { return refusal_; }
    // Makes room in a full list: takes out a claim whose holders have more of their shares than those of the new
    // claim would have. Of some claims that are looked at, the one whose holders have most. Nothing: there is none.
    std::optional<Claim> evict(ListId list, const Origin& origin, const ClaimBounds& bounds);
    // Takes the claim out, if there is one.
    std::optional<Claim> drop(const ClaimKey& key);
    [[nodiscard]] Claim* find(const ClaimKey& key);
    [[nodiscard]] const Claim* find(const ClaimKey& key) const;
    // Something that may be relied on was told: the claim lives at least as long.
    void promise(const ClaimKey& key, std::uint64_t until_ms);

    // Takes out one claim that has ended by `now_ms`, if there is one.
    std::optional<Claim> expire(std::uint64_t now_ms);
    // Not later than the first end of a claim; UINT64_MAX if there are none.
    [[nodiscard]] std::uint64_t next_expiry_ms() const;
    // Drops all claims of a list that is no longer configured.
    void drop_list(ListId list);

    [[nodiscard]] std::size_t size() const { return index_.size(); }
    [[nodiscard]] std::size_t size(ListId list) const;
    // All claims in pieces: those there are all the time have one slot below slots() each; nullptr:
    // none there.
    [[nodiscard]] std::size_t slots() const { return claims_.size(); }
    [[nodiscard]] const Claim* at(std::size_t slot) const {
        return claims_[slot].until_ms == 0 ? nullptr : &claims_[slot];
    }
    template <class F>
    void for_each(F&& f) const {
        for (const auto& [key, at] : index_)
            f(claims_[at]);
    }

  private:
    using Index = std::uint32_t;  // in claims_
    struct End {                  // one of each claim, maybe too early
        std::uint64_t until_ms;
        Index at;
        bool operator>(const End& other) const { return until_ms > other.until_ms; }
    };
    Index place();
    void share(Claim& claim, const Holders& holders, const ClaimBounds& bounds);
    // Leaves the slot empty; its End is still in ends_, and frees it (`free_slot`: there is none any more).
    Claim take_out(Index at, bool free_slot);
    void tidy_ends();
    void push_end(End end);

    std::deque<Claim> claims_;
    std::vector<Index> free_;  // in claims_
    boost::unordered_flat_map<ClaimKey, Index, ClaimKeyHash> index_;
    boost::unordered_flat_map<ListId, std::size_t> per_list_;
    std::vector<End> ends_;         // a heap, the first end in front
    std::size_t ends_of_none_ = 0;  // of them, those of claims that were taken out before
    Shares shares_;
    Refusal refusal_ = Refusal::list;
    Index hand_ = 0;  // the slot that evict() looks at next
};

}  // namespace steer::routeros
