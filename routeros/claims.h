// Claims: "list L must hold address A until T". They record the leases of clients and are the only
// reason for a timed row. They are kept while the router is unreachable, so that nothing is lost.
//
// A claim lives until its last lease has ended. Raising it again prolongs and counts it. It keeps
// the first name (the row's `dm`). Claims are bounded per list, and within a list per name, domain
// and client (shares.h): a claim counts for the holders with the smallest share. Expiry is a heap
// with one lazy entry per claim: O(log n) per claim and per expiry.
//
// Memory per claim: 94 bytes; its name with the allocator's overhead (32 bytes up to 23, 48 up to
// 39); 25 bytes per index slot, 44 to 87 % used; 16 in the heap. Index and heap double when full. A
// million claims with names of 24 bytes: about 200 MB. Memory of ended claims is reused, but not
// given back.
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
    // The end of the last lease that relies on the row, or the time promised on the row board.
    std::uint64_t until_ms = 0;
    std::uint64_t row_until_ms = 0;     // planned end of the row; at least until_ms
    std::unique_ptr<char[]> name_text;  // ends with 0; none: an empty name
    // The longest life that an answer requested for its row. A cached answer requests less than the
    // next fresh one.
    std::uint32_t row_life_s = 0;
    std::uint32_t reasons = 0;  // answers that made or prolonged it; stops at its largest value
    std::uint32_t board_until_s = 0;  // the time on the row board and its epoch; 0: none
    std::uint32_t board_epoch = 0;
    Holders holders{};  // the holders whose share it uses
    ClaimKey key;
    bool permanent = false;   // wants a row without timeout
    bool left_alone = false;  // a manual change of its row is kept
    bool answered = false;    // an answer with this address has left

    // The first name it was made for; valid as long as the claim.
    [[nodiscard]] std::string_view name() const {
        return name_text == nullptr ? std::string_view{} : name_text.get();
    }
};
static_assert(sizeof(Claim) <= 96, "there may be a million of them");

class Claims {
  public:
    // Why raise() returned nullptr; after `list` as ShareKind.
    enum class Refusal : std::uint8_t { list, name, suffix, client, platform, below, below2 };

    // Creates or prolongs a claim; nullptr if the list, or a holder in it, has reached its bound
    // (refusal()). `row_until_ms` 0: a row without timeout. The pointer is valid until the claim
    // has ended.
    Claim* raise(const ClaimKey& key, const Origin& origin, std::uint64_t until_ms,
                 std::uint64_t row_until_ms, const ClaimBounds& bounds);
    [[nodiscard]] Refusal refusal() const { return refusal_; }
    // Whether the client caused it: its share is used up, or the list is full and the client uses
    // more of its share than the name and the domain do.
    [[nodiscard]] bool is_refusal_of_client() const { return is_of_client_; }
    // Makes space in a full list: removes a claim whose holders use more of their shares than those
    // of the new claim would. Checks some claims and chooses the one whose holders use most. No
    // value: there is none.
    std::optional<Claim> evict(ListId list, const Origin& origin, const ClaimBounds& bounds);
    // Removes the claim, if it exists.
    std::optional<Claim> drop(const ClaimKey& key);
    [[nodiscard]] Claim* find(const ClaimKey& key);
    [[nodiscard]] const Claim* find(const ClaimKey& key) const;
    // A time was promised on the row board: the claim lives at least until then.
    void promise(const ClaimKey& key, std::uint64_t until_ms);

    // Removes one claim that has ended by `now_ms`, if there is one.
    std::optional<Claim> expire(std::uint64_t now_ms);
    // At the latest the first end of a claim; UINT64_MAX if there are no claims.
    [[nodiscard]] std::uint64_t next_expiry_ms() const;
    // Drops all claims of a list that is no longer configured.
    void drop_list(ListId list);

    [[nodiscard]] std::size_t size() const { return index_.size(); }
    [[nodiscard]] std::size_t size(ListId list) const;
    // Iterates over all claims in pieces: every claim has one slot below slots(); nullptr:
    // empty slot.
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
    struct End {                  // one per claim, possibly too early
        std::uint64_t until_ms;
        Index at;
        bool operator>(const End& other) const { return until_ms > other.until_ms; }
    };
    Index place();
    void share(Claim& claim, const Holders& holders, const ClaimBounds& bounds);
    // Empties the slot. Its End is still in ends_ and frees the slot later (`free_slot`: free it
    // now).
    Claim take_out(Index at, bool free_slot);
    void tidy_ends();
    void push_end(End end);

    std::deque<Claim> claims_;
    std::vector<Index> free_;  // in claims_
    boost::unordered_flat_map<ClaimKey, Index, ClaimKeyHash> index_;
    boost::unordered_flat_map<ListId, std::size_t> per_list_;
    std::vector<End> ends_;         // a heap, the first end in front
    std::size_t ends_of_none_ = 0;  // of these, for claims that were removed early
    Shares shares_;
    Refusal refusal_ = Refusal::list;
    bool is_of_client_ = false;
    Index hand_ = 0;  // the slot that evict() checks next
};

}  // namespace steer::routeros
