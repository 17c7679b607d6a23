#include "routeros/claim_book.h"

namespace steer::routeros {

std::optional<RefusedClaim> ClaimJudge::over_share(const Holders& holders,
                                                   const ClaimBounds& bounds) const {
    const auto kind = shares_->full(holders, bounds);
    if (!kind) return std::nullopt;
    const auto why = static_cast<ClaimRefusal>(static_cast<std::size_t>(*kind) + 1);
    return RefusedClaim{why, why == ClaimRefusal::client};
}

std::optional<RefusedClaim> ClaimJudge::refuses(const Holders& holders, std::size_t held,
                                                const ClaimBounds& bounds) const {
    if (auto refused = over_share(holders, bounds)) return refused;
    if (held < bounds.total) return std::nullopt;
    Holders without_client = holders;
    without_client[static_cast<std::size_t>(ShareKind::client)] = 0;
    return RefusedClaim{ClaimRefusal::list, shares_->pressure(without_client, bounds, 1) <
                                                shares_->pressure(holders, bounds, 1)};
}

void ClaimJudge::count(BookedClaim& claim) {
    claim.is_counted = true;
    shares_->add(claim.holders, 1);
}

void ClaimJudge::forget(const BookedClaim& claim) {
    if (claim.is_counted) shares_->add(claim.holders, -1);
}

void ClaimJudge::move_to_smallest(BookedClaim& claim, const Holders& holders,
                                  const ClaimBounds& bounds) {
    for (std::size_t i = 0; i < kShareKinds; ++i) {
        const auto kind = static_cast<ShareKind>(i);
        std::uint32_t& holder = claim.holders[i];
        if (holder == holders[i] || holder == 0 || bounds.of(kind) == SIZE_MAX) continue;
        const std::size_t count = holders[i] == 0 ? 0 : shares_->count(kind, holders[i]);
        if (count + 1 >= shares_->count(kind, holder)) continue;
        shares_->add(kind, holder, -1);
        shares_->add(kind, holders[i], 1);
        holder = holders[i];
    }
}

}  // namespace steer::routeros
