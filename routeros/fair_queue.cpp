#include "routeros/fair_queue.h"

#include <algorithm>

namespace steer::routeros {

void FairQueue::insert(FlowId id, const Order& order, std::size_t used) {
    if (empty()) clear();  // no flow is before another
    Flow& flow = flows_[id];
    if (flow.writes.insert(order).second) ++size_;
    if (flow.listed) return;
    flow.listed = true;
    const bool is_new = id != kNoFlow && used < kQuantum;
    flow.deficit = is_new ? kQuantum - static_cast<int>(used) : kQuantum;
    (is_new ? new_ : old_).push_back(id);
}

void FairQueue::erase(FlowId id, const Order& order) {
    const auto found = flows_.find(id);
    if (found != flows_.end()) size_ -= found->second.writes.erase(order);
}

void FairQueue::clear() {
    flows_.clear();
    new_.clear();
    old_.clear();
    size_ = 0;
}

std::size_t FairQueue::rows_before(FlowId id) const {
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

FairQueue::Head FairQueue::head() const {
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

}  // namespace steer::routeros
