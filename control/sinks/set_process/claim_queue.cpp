#include "control/sinks/set_process/claim_queue.h"

#include <algorithm>

#include "routeros/keyed_hash.h"

namespace steer::sets {

std::size_t ClaimQueue::Hash::operator()(const Key& key) const noexcept {
    return routeros::keyed_hash(key.second.high(), key.second.low(), key.first);
}

Installed ClaimQueue::installed(const Row& row) {
    return {row.key.first, row.key.second, static_cast<std::uint32_t>(row.until_ms / 1000)};
}

ClaimRow ClaimQueue::claim_of(const Row& row) {
    return {installed(row), row.holders, row.origin};
}

// nullptr: the row was dropped, or waits at a later place.
const ClaimQueue::Row* ClaimQueue::row_at(const std::pair<Key, std::uint64_t>& place) const {
    const Row* const row = rows_.find(place.first);
    return row != nullptr && row->place == place.second ? row : nullptr;
}

ClaimQueue::Added ClaimQueue::add(const ClaimRow& row, const routeros::ClaimBounds& bounds,
                                  std::uint32_t now_s) {
    const Key key{row.what.list, row.what.address};
    const std::uint64_t until_ms = std::uint64_t{row.what.until_s} * 1000;
    if (rows_.size() >= bounds.total) {
        while (rows_.expire(std::uint64_t{now_s} * 1000)) {
        }
    }
    Added added;
    const Row* const known = rows_.find(key);
    const routeros::Holders before = known == nullptr ? routeros::Holders{} : known->holders;
    auto raised = rows_.raise(key, row.holders, until_ms, bounds);
    if (!raised && rows_.refusal().why == routeros::ClaimRefusal::list) {
        const auto all = [](const Row&) { return true; };
        if (const Row* const victim = rows_.candidate(0, row.holders, bounds, all, all)) {
            added.evicted = claim_of(*victim);
            rows_.drop(victim->key);
            raised = rows_.raise(key, row.holders, until_ms, bounds);
        }
    }
    if (!raised) return added;
    added.is_taken = true;
    if (raised.is_new || raised.claim->holders != before) raised.claim->origin = row.origin;
    if (raised.is_new) {
        raised.claim->place = ++places_;
        order_.emplace_back(key, places_);
        if (order_.size() > 2 * rows_.size() + 64) drop_gone();
    }
    return added;
}

std::vector<ClaimRow> ClaimQueue::first(std::size_t count) const {
    std::vector<ClaimRow> rows;
    for (const auto& place : order_) {
        if (rows.size() == count) break;
        if (const Row* const row = row_at(place)) rows.push_back(claim_of(*row));
    }
    return rows;
}

void ClaimQueue::drop_first(std::size_t count) {
    while (count > 0 && !order_.empty()) {
        if (row_at(order_.front()) != nullptr) {
            rows_.drop(order_.front().first);
            --count;
        }
        order_.pop_front();
    }
    if (rows_.size() == 0) order_.clear();
}

void ClaimQueue::drop_if(const std::function<bool(const Installed&)>& goes) {
    if (rows_.drop_if([&](const Row& row) { return goes(installed(row)); }) > 0) drop_gone();
}

void ClaimQueue::drop_gone() {
    std::erase_if(order_, [&](const auto& place) { return row_at(place) == nullptr; });
}

}  // namespace steer::sets
