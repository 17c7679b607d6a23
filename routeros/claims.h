// Claims: "list L must hold address A until T". They record the leases of clients and are the only
// reason for a timed row. They are kept while the router is unreachable, so that nothing is lost.
//
// A claim lives until its last lease has ended. Raising it again only prolongs
// and counts it. It keeps the first name (the row's `dm`). Bounds and shares: claim_book.h.
//
// Memory per claim: 96 bytes; its name with the allocator's overhead (32 bytes up to 23, 48 up to 39); and what
// the book needs. A million claims with names of 24 bytes: about 200 MB.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string_view>

#include "routeros/address.h"
#include "routeros/claim_book.h"

namespace steer::routeros {

struct ClaimKey {
    ListId list = 0;
    Address address;
    auto operator<=>(const ClaimKey&) const = default;
};
struct ClaimKeyHash {
    std::size_t operator()(const ClaimKey& key) const noexcept;
};

// `until_ms` is the end of the last lease that relies on the row, or the time promised on the row board.
struct Claim : BookedClaim {
    bool permanent = false;             // wants a row without timeout
    bool left_alone = false;            // a manual change of its row is kept
    bool answered = false;              // an answer with this address has left
    std::uint64_t row_until_ms = 0;     // how long the row is meant to live; at least until_ms
    std::unique_ptr<char[]> name_text;  // ends with 0; none: an empty name
    // The longest life that an answer requested for its row. A cached answer requests less than the
    // next fresh one.
    std::uint32_t row_life_s = 0;
    std::uint32_t reasons = 0;  // answers that made or prolonged it; stops at its largest value
    std::uint32_t board_until_s = 0;  // the time on the row board and its epoch; 0: none
    std::uint32_t board_epoch = 0;
    ClaimKey key;

    // The first name it was made for; valid as long as the claim.
    [[nodiscard]] std::string_view name() const {
        return name_text == nullptr ? std::string_view{} : name_text.get();
    }
};
static_assert(sizeof(Claim) <= 96, "there may be a million of them");

class Claims : public ClaimBook<Claim, ClaimKeyHash> {
  public:
    // Creates or prolongs a claim; nullptr if the list, or a holder in it, has reached its bound
    // (refusal()). `row_until_ms` 0: a row without timeout. The pointer is valid until the claim
    // has ended.
    Claim* raise(const ClaimKey& key, const Origin& origin, std::uint64_t until_ms,
                 std::uint64_t row_until_ms, const ClaimBounds& bounds);
    // Makes space in a full list: takes out a claim whose holders use more of their shares than those of the new
    // claim would. No value: there is none.
    std::optional<Claim> evict(ListId list, const Origin& origin, const ClaimBounds& bounds);
    // A time was promised on the row board: the claim lives at least as long.
    void promise(const ClaimKey& key, std::uint64_t until_ms);
    // Drops all claims of a list that is no longer configured.
    void drop_list(ListId list);
};

}  // namespace steer::routeros
