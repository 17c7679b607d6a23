#include "routeros/claims.h"

#include <algorithm>

namespace steer::routeros {

std::size_t ClaimKeyHash::operator()(const ClaimKey& key) const noexcept {
    return AddressHash{}(key.address) ^ (std::size_t{key.list} * 0x9e3779b97f4a7c15ULL);
}

Claim* Claims::raise(const ClaimKey& key, std::string_view name, std::uint64_t until_ms,
                     std::uint64_t row_until_ms, std::size_t bound) {
    auto found = claims_.find(key);
    if (found == claims_.end()) {
        auto& held = per_list_[key.list];
        if (held >= bound) return nullptr;
        ++held;
        found = claims_.emplace(key, Claim{}).first;
        found->second.name = name;
        found->second.until_ms = until_ms;
        ends_.push({until_ms, key});
    }
    Claim& claim = found->second;
    ++claim.reasons;
    claim.permanent = row_until_ms == 0;
    claim.until_ms = std::max(claim.until_ms, until_ms);
    claim.row_until_ms = std::max({claim.row_until_ms, row_until_ms, claim.until_ms});
    return &claim;
}

Claim* Claims::find(const ClaimKey& key) {
    const auto found = claims_.find(key);
    return found == claims_.end() ? nullptr : &found->second;
}

const Claim* Claims::find(const ClaimKey& key) const {
    const auto found = claims_.find(key);
    return found == claims_.end() ? nullptr : &found->second;
}

void Claims::promise(const ClaimKey& key, std::uint64_t until_ms) {
    Claim* claim = find(key);
    if (claim == nullptr) return;
    claim->until_ms = std::max(claim->until_ms, until_ms);
    claim->row_until_ms = std::max(claim->row_until_ms, claim->until_ms);
}

std::optional<std::pair<ClaimKey, Claim>> Claims::expire(std::uint64_t now_ms) {
    while (!ends_.empty() && ends_.top().until_ms <= now_ms) {
        const End end = ends_.top();
        ends_.pop();
        const auto found = claims_.find(end.key);
        if (found == claims_.end()) continue;
        if (found->second.until_ms > now_ms) {
            ends_.push({found->second.until_ms, end.key});
            continue;
        }
        std::pair<ClaimKey, Claim> ended{end.key, std::move(found->second)};
        claims_.erase(found);
        --per_list_[end.key.list];
        return ended;
    }
    return std::nullopt;
}

std::uint64_t Claims::next_expiry_ms() const {
    return ends_.empty() ? UINT64_MAX : ends_.top().until_ms;
}

void Claims::drop_list(ListId list) {
    boost::unordered::erase_if(claims_,
                               [&](const auto& entry) { return entry.first.list == list; });
    per_list_.erase(list);
}

std::size_t Claims::size(ListId list) const {
    const auto found = per_list_.find(list);
    return found == per_list_.end() ? 0 : found->second;
}

}  // namespace steer::routeros
