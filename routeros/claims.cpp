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

Claim Claims::take_out(Index at) {
    Claim claim = std::exchange(claims_[at], {});
    free_.push_back(at);
    return claim;
}

void Claims::push_end(End end) {
    ends_.push_back(end);
    std::push_heap(ends_.begin(), ends_.end(), std::greater<>{});
}

Claim* Claims::raise(const ClaimKey& key, std::string_view name, std::uint64_t until_ms,
                     std::uint64_t row_until_ms, std::size_t bound) {
    Claim* claim = find(key);
    if (claim == nullptr) {
        auto& held = per_list_[key.list];
        if (held >= bound) return nullptr;
        ++held;
        const Index at = place();
        index_.emplace(key, at);
        push_end({until_ms, at});
        claim = &claims_[at];
        claim->key = key;
        claim->name_text = copy_of(name);
        claim->until_ms = until_ms;
    }
    if (claim->reasons != std::numeric_limits<std::uint32_t>::max()) ++claim->reasons;
    claim->permanent = row_until_ms == 0;
    claim->until_ms = std::max(claim->until_ms, until_ms);
    claim->row_until_ms = std::max({claim->row_until_ms, row_until_ms, claim->until_ms});
    return claim;
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
        if (claims_[at].until_ms > now_ms) {
            push_end({claims_[at].until_ms, at});
            continue;
        }
        Claim ended = take_out(at);
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
    std::erase_if(ends_, [&](const End& end) { return claims_[end.at].key.list == list; });
    std::make_heap(ends_.begin(), ends_.end(), std::greater<>{});
    boost::unordered::erase_if(index_, [&](const auto& entry) {
        if (entry.first.list != list) return false;
        take_out(entry.second);
        return true;
    });
    per_list_.erase(list);
}

std::size_t Claims::size(ListId list) const {
    const auto found = per_list_.find(list);
    return found == per_list_.end() ? 0 : found->second;
}

}  // namespace steer::routeros
