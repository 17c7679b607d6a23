#include "control/sinks/kernel_sets/waiting_claims.h"

#include <algorithm>

namespace steer::kernel_sets {

bool WaitingClaims::add(const sets::Installed& row, std::uint32_t now_s) {
    const std::pair key{row.list, row.address};
    if (const auto known = places_.find(key); known != places_.end()) {
        std::uint32_t& until_s = rows_[static_cast<std::size_t>(known->second - dropped_)].until_s;
        until_s = std::max(until_s, row.until_s);
        return true;
    }
    if (rows_.size() >= most_ && now_s != tidied_s_) {
        tidied_s_ = now_s;
        drop_if([&](const sets::Installed& one) { return one.until_s <= now_s; });
    }
    if (rows_.size() >= most_) return false;
    places_.emplace(key, dropped_ + rows_.size());
    rows_.push_back(row);
    return true;
}

std::vector<sets::Installed> WaitingClaims::first(std::size_t count) const {
    const auto size = static_cast<std::ptrdiff_t>(std::min(count, rows_.size()));
    return {rows_.begin(), rows_.begin() + size};
}

void WaitingClaims::drop_first(std::size_t count) {
    for (; count > 0 && !rows_.empty(); --count) {
        places_.erase({rows_.front().list, rows_.front().address});
        rows_.pop_front();
        ++dropped_;
    }
}

void WaitingClaims::drop_if(const std::function<bool(const sets::Installed&)>& goes) {
    if (std::erase_if(rows_, goes) == 0) return;
    places_.clear();
    dropped_ = 0;
    for (std::size_t i = 0; i < rows_.size(); ++i)
        places_.emplace(std::pair{rows_[i].list, rows_[i].address}, i);
}

}  // namespace steer::kernel_sets
