// A queue of writes, scheduled by flow: deficit round robin, so that no flow delays another by more than a few rows. An
// item is what is written: a place on a router, an address of an alias.
//
// A flow is the claims of one registrable domain on one list. Within a flow the earliest due time
// goes first. Each write costs one row of the flow's deficit, and each turn adds kQuantum rows to
// it. A flow without queued writes becomes new with its next one, unless it has a quantum in
// flight. It is served before the others until its first quantum is used (as RFC 8290 4.2, without
// queue management). Flow 0 has writes without a domain (persistent rows, removals); it is never
// new.
//
// Cost: O(log n) per write, amortised O(1) per turn.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <set>
#include <unordered_map>
#include <utility>

#include "routeros/rows.h"

namespace steer::routeros {

using FlowId = std::uint32_t;
inline constexpr FlowId kNoFlow = 0;

template <class Item>
class FairQueueOf {
  public:
    static constexpr int kQuantum = 8;  // rows
    using Order = std::pair<std::uint64_t, Item>;
    enum class Choice : std::uint8_t { take, skip, stop, take_and_stop };
    struct Head {
        FlowId flow = kNoFlow;
        bool is_new = false;
    };

    // `used`: rows of the flow's first quantum that are used already, if it has no queued writes.
    // If the flow is not new: all of them.
    void insert(FlowId flow, const Order& order, std::size_t used = 0);
    // Not from `choose` of walk().
    void erase(FlowId flow, const Order& order);
    void clear();
    [[nodiscard]] bool empty() const { return size_ == 0; }
    [[nodiscard]] std::size_t size() const { return size_; }
    // Flows, with or without queued writes.
    [[nodiscard]] std::size_t flows() const { return flows_.size(); }
    // At most this number of rows go before the last queued one of the flow, including that one.
    [[nodiscard]] std::size_t rows_before(FlowId flow) const;
    // The flow with the next turn. The queue must not be empty.
    [[nodiscard]] Head head() const;

    // Offers at most `most` writes to `choose` (a function of the item, which returns a Choice): those of the
    // flow whose turn it is, then those of the others, each up to its deficit, then the rest of the first. Taken writes
    // are charged to their flow.
    template <class Choose>
    void walk(std::size_t most, Choose&& choose);

  private:
    struct Flow {
        std::set<Order> writes;
        int deficit = 0;
        bool listed = false;  // in new_ or old_
    };
    static constexpr std::size_t kMostIdle = 1'024;  // flows without writes
    void forget_idle();
    // Returns false if it is over.
    template <class Choose>
    bool walk_flow(Flow& flow, bool limited, std::size_t& left, Choose& choose);

    // Flows without writes leave their list at their turn, even if the queue is only inspected.
    mutable std::unordered_map<FlowId, Flow> flows_;
    mutable std::deque<FlowId> new_, old_;
    std::size_t size_ = 0;
};

template <class Item>
template <class Choose>
bool FairQueueOf<Item>::walk_flow(Flow& flow, bool limited, std::size_t& left, Choose& choose) {
    for (auto at = flow.writes.begin(); at != flow.writes.end();) {
        if (limited && flow.deficit <= 0) return true;
        if (left-- == 0) return left = 0, false;
        const Choice choice = choose(at->second);
        if (choice == Choice::stop) return false;
        if (choice == Choice::skip) {
            ++at;
            continue;
        }
        at = flow.writes.erase(at);
        --size_;
        --flow.deficit;
        if (choice == Choice::take_and_stop) return false;
    }
    return true;
}

template <class Item>
template <class Choose>
void FairQueueOf<Item>::walk(std::size_t most, Choose&& choose) {
    if (empty()) return;
    Flow& first = flows_.find(head().flow)->second;
    std::size_t left = most;
    if (!walk_flow(first, true, left, choose)) return;
    for (const auto* const list : {&new_, &old_}) {
        for (const FlowId id : *list) {
            Flow& flow = flows_.find(id)->second;
            if (&flow == &first || flow.writes.empty()) continue;
            if (!walk_flow(flow, true, left, choose)) return;
        }
    }
    walk_flow(first, false, left, choose);
}

template <class Item>
void FairQueueOf<Item>::insert(FlowId id, const Order& order, std::size_t used) {
    if (empty()) clear();  // no flow is before another
    Flow& flow = flows_[id];
    if (flow.writes.insert(order).second) ++size_;
    if (flow.listed) return;
    flow.listed = true;
    const bool is_new = id != kNoFlow && used < kQuantum;
    flow.deficit = is_new ? kQuantum - static_cast<int>(used) : kQuantum;
    (is_new ? new_ : old_).push_back(id);
}

template <class Item>
void FairQueueOf<Item>::erase(FlowId id, const Order& order) {
    const auto found = flows_.find(id);
    if (found == flows_.end()) return;
    size_ -= found->second.writes.erase(order);
    if (flows_.size() > 2 * size_ + kMostIdle) forget_idle();
}

// While nothing is written, no flow has a turn, so those without writes would stay.
template <class Item>
void FairQueueOf<Item>::forget_idle() {
    const auto is_idle = [this](FlowId id) { return flows_.find(id)->second.writes.empty(); };
    std::erase_if(new_, is_idle);
    std::erase_if(old_, is_idle);
    std::erase_if(flows_, [](const auto& one) { return one.second.writes.empty(); });
}

template <class Item>
void FairQueueOf<Item>::clear() {
    flows_.clear();
    new_.clear();
    old_.clear();
    size_ = 0;
}

template <class Item>
std::size_t FairQueueOf<Item>::rows_before(FlowId id) const {
    const auto found = flows_.find(id);
    const std::size_t own = found == flows_.end() ? 0 : found->second.writes.size();
    std::size_t rows = own;
    if (own <= kQuantum && (found == flows_.end() || std::ranges::find(new_, id) != new_.end())) {
        // A new flow goes before all that had their first quantum.
        for (const FlowId other : new_) {
            const Flow& flow = flows_.find(other)->second;
            const auto left = static_cast<std::size_t>(std::max(flow.deficit, 0));
            if (other != id) rows += std::min(flow.writes.size(), left);
        }
        return rows;
    }
    for (const auto& [other, flow] : flows_) {
        if (other != id) rows += std::min(flow.writes.size(), own + kQuantum);
    }
    return rows;
}

template <class Item>
typename FairQueueOf<Item>::Head FairQueueOf<Item>::head() const {
    for (;;) {
        const bool is_new = !new_.empty();
        auto& list = is_new ? new_ : old_;
        const FlowId id = list.front();
        Flow& flow = flows_.find(id)->second;
        const bool idle = flow.writes.empty();
        if (!idle && flow.deficit > 0) return {id, is_new};
        list.pop_front();
        if (idle && !is_new) {
            flows_.erase(id);
            continue;
        }
        // An idle flow waits for a turn among the others before it can be new again.
        if (!idle) flow.deficit += kQuantum;
        old_.push_back(id);
    }
}

using FairQueue = FairQueueOf<Place>;

}  // namespace steer::routeros
