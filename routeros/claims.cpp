#include "routeros/claims.h"

#include <algorithm>
#include <limits>

namespace steer::routeros {

namespace {

std::unique_ptr<char[]> copy_of(std::string_view name) {
    if (name.empty()) return nullptr;
    auto text = std::make_unique<char[]>(name.size() + 1);
    std::copy(name.begin(), name.end(), text.get());
    return text;
}

}  // namespace

std::size_t ClaimKeyHash::operator()(const ClaimKey& key) const noexcept {
    return AddressHash{}(key.address) ^ (std::size_t{key.list} * 0x9e3779b97f4a7c15ULL);
}

Claim* Claims::raise(const ClaimKey& key, const Origin& origin, std::uint64_t until_ms,
                     std::uint64_t row_until_ms, const ClaimBounds& bounds) {
    const auto [claim, is_new] =
        ClaimBook::raise(key, Shares::holders_of(key.list, origin), until_ms, bounds);
    if (claim == nullptr) return nullptr;
    if (is_new) claim->name_text = copy_of(origin.name);
    if (claim->reasons != std::numeric_limits<std::uint32_t>::max()) ++claim->reasons;
    claim->permanent = row_until_ms == 0;
    claim->row_until_ms = std::max({claim->row_until_ms, row_until_ms, claim->until_ms});
    return claim;
}

std::optional<Claim> Claims::evict(ListId list, const Origin& origin, const ClaimBounds& bounds) {
    const Claim* const chosen = candidate(
        list, Shares::holders_of(list, origin), bounds, [](const Claim&) { return true; },
        [](const Claim& claim) { return claim.board_until_s != 0; });
    return chosen == nullptr ? std::nullopt : drop(chosen->key);
}

void Claims::promise(const ClaimKey& key, std::uint64_t until_ms) {
    Claim* const claim = find(key);
    if (claim == nullptr) return;
    claim->until_ms = std::max(claim->until_ms, until_ms);
    claim->row_until_ms = std::max(claim->row_until_ms, claim->until_ms);
}

void Claims::drop_list(ListId list) {
    drop_if([list](const Claim& claim) { return claim.key.list == list; });
}

}  // namespace steer::routeros
