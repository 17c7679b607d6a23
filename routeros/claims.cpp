#include "routeros/claims.h"

#include <algorithm>
#include <functional>
#include <limits>
#include <utility>

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

Claims::Index Claims::place() {
    if (free_.empty()) {
        claims_.emplace_back();
        return static_cast<Index>(claims_.size() - 1);
    }
    const Index at = free_.back();
    free_.pop_back();
    return at;
}

Claim Claims::take_out(Index at, bool free_slot) {
    Claim claim = std::exchange(claims_[at], {});
    shares_.add(claim.holders, -1);
    if (free_slot) free_.push_back(at);
    return claim;
}

void Claims::push_end(End end) {
    ends_.push_back(end);
    std::push_heap(ends_.begin(), ends_.end(), std::greater<>{});
}

Claim* Claims::raise(const ClaimKey& key, const Origin& origin, std::uint64_t until_ms,
                     std::uint64_t row_until_ms, const ClaimBounds& bounds) {
    const Holders holders = Shares::holders_of(key.list, origin);
    Claim* claim = find(key);
    if (claim == nullptr) {
        if (const auto kind = shares_.full(holders, bounds)) {
            refusal_ = static_cast<Refusal>(static_cast<std::size_t>(*kind) + 1);
            is_of_client_ = refusal_ == Refusal::client;
            return nullptr;
        }
        auto& held = per_list_[key.list];
        if (held >= bounds.total) {
            refusal_ = Refusal::list;
            Holders without_client = holders;
            without_client[static_cast<std::size_t>(ShareKind::client)] = 0;
            is_of_client_ =
                shares_.pressure(without_client, bounds, 1) < shares_.pressure(holders, bounds, 1);
            return nullptr;
        }
        ++held;
        const Index at = place();
        index_.emplace(key, at);
        push_end({until_ms, at});
        claim = &claims_[at];
        claim->key = key;
        claim->name_text = copy_of(origin.name);
        claim->until_ms = until_ms;
        claim->holders = holders;
        shares_.add(holders, 1);
    } else {
        share(*claim, holders, bounds);
    }
    if (claim->reasons != std::numeric_limits<std::uint32_t>::max()) ++claim->reasons;
    claim->permanent = row_until_ms == 0;
    claim->until_ms = std::max(claim->until_ms, until_ms);
    claim->row_until_ms = std::max({claim->row_until_ms, row_until_ms, claim->until_ms});
    return claim;
}

// The claim counts for the holder with the smallest share, so that one client cannot use up another's share.
void Claims::share(Claim& claim, const Holders& holders, const ClaimBounds& bounds) {
    for (std::size_t i = 0; i < kShareKinds; ++i) {
        const auto kind = static_cast<ShareKind>(i);
        std::uint32_t& holder = claim.holders[i];
        if (holder == holders[i] || holder == 0 || bounds.of(kind) == SIZE_MAX) continue;
        const std::size_t count = holders[i] == 0 ? 0 : shares_.count(kind, holders[i]);
        if (count + 1 >= shares_.count(kind, holder)) continue;
        shares_.add(kind, holder, -1);
        shares_.add(kind, holders[i], 1);
        holder = holders[i];
    }
}

std::optional<Claim> Claims::evict(ListId list, const Origin& origin, const ClaimBounds& bounds) {
    constexpr std::size_t kMaxSlots = 1'024;
    constexpr unsigned kMaxClaims = 64;
    const std::size_t slots = std::min(claims_.size(), kMaxSlots);
    double most = shares_.pressure(Shares::holders_of(list, origin), bounds, 1);
    const Claim* chosen = nullptr;
    unsigned seen = 0;
    for (std::size_t i = 0; i < slots && seen < kMaxClaims; ++i) {
        hand_ = hand_ + 1 < claims_.size() ? hand_ + 1 : 0;
        const Claim& claim = claims_[hand_];
        if (claim.until_ms == 0 || claim.key.list != list) continue;
        ++seen;
        const double pressure = shares_.pressure(claim.holders, bounds);
        const bool more = pressure > most;
        // Of equals, one that no client relies on yet.
        const bool better = chosen != nullptr && pressure == most && chosen->board_until_s != 0 &&
                            claim.board_until_s == 0;
        if (!more && !better) continue;
        most = pressure;
        chosen = &claim;
    }
    if (chosen == nullptr) return std::nullopt;
    return drop(chosen->key);
}

std::optional<Claim> Claims::drop(const ClaimKey& key) {
    const auto found = index_.find(key);
    if (found == index_.end()) return std::nullopt;
    const Index at = found->second;
    index_.erase(found);
    --per_list_[key.list];
    Claim claim = take_out(at, false);
    if (++ends_of_none_ * 2 > ends_.size() + 1'024) tidy_ends();
    return claim;
}

// Frees the slots of claims taken out early.
void Claims::tidy_ends() {
    std::erase_if(ends_, [&](const End& end) {
        if (claims_[end.at].until_ms != 0) return false;
        free_.push_back(end.at);
        return true;
    });
    std::make_heap(ends_.begin(), ends_.end(), std::greater<>{});
    ends_of_none_ = 0;
}

Claim* Claims::find(const ClaimKey& key) {
    const auto found = index_.find(key);
    return found == index_.end() ? nullptr : &claims_[found->second];
}

const Claim* Claims::find(const ClaimKey& key) const {
    const auto found = index_.find(key);
    return found == index_.end() ? nullptr : &claims_[found->second];
}

void Claims::promise(const ClaimKey& key, std::uint64_t until_ms) {
    Claim* claim = find(key);
    if (claim == nullptr) return;
    claim->until_ms = std::max(claim->until_ms, until_ms);
    claim->row_until_ms = std::max(claim->row_until_ms, claim->until_ms);
}

std::optional<Claim> Claims::expire(std::uint64_t now_ms) {
    while (!ends_.empty() && ends_.front().until_ms <= now_ms) {
        std::pop_heap(ends_.begin(), ends_.end(), std::greater<>{});
        const Index at = ends_.back().at;
        ends_.pop_back();
        if (claims_[at].until_ms == 0) {
            free_.push_back(at);
            --ends_of_none_;
            continue;
        }
        if (claims_[at].until_ms > now_ms) {
            push_end({claims_[at].until_ms, at});
            continue;
        }
        Claim ended = take_out(at, true);
        index_.erase(ended.key);
        --per_list_[ended.key.list];
        return ended;
    }
    return std::nullopt;
}

std::uint64_t Claims::next_expiry_ms() const {
    return ends_.empty() ? UINT64_MAX : ends_.front().until_ms;
}

void Claims::drop_list(ListId list) {
    boost::unordered::erase_if(index_, [&](const auto& entry) {
        if (entry.first.list != list) return false;
        take_out(entry.second, false);
        return true;
    });
    tidy_ends();
    per_list_.erase(list);
}

std::size_t Claims::size(ListId list) const {
    const auto found = per_list_.find(list);
    return found == per_list_.end() ? 0 : found->second;
}

}  // namespace steer::routeros
