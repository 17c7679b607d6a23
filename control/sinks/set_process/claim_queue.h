// Claims that wait for the process, oldest first, each row once, up to a bound.
//
// A row that is claimed again while it waits keeps its position and gets the later end. About 120
// bytes per row.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <utility>
#include <vector>

#include "control/sinks/set_process/set_report.h"

namespace steer::kernel_sets {

class WaitingClaims {
  public:
    explicit WaitingClaims(std::size_t most) : most_(most) {}

    // Returns false if it is full. Before that, at most once a second, it removes rows that have
    // ended. `now_s`: CLOCK_BOOTTIME, seconds.
    bool add(const sets::Installed& row, std::uint32_t now_s);
    // Drops the oldest `count` claims, or all.
    [[nodiscard]] std::vector<sets::Installed> first(std::size_t count) const;
    void drop_first(std::size_t count);
    void drop_if(const std::function<bool(const sets::Installed&)>& goes);
    [[nodiscard]] std::size_t size() const { return rows_.size(); }
    [[nodiscard]] bool empty() const { return rows_.empty(); }

  private:
    std::size_t most_;
    std::deque<sets::Installed> rows_;
    std::uint64_t dropped_ = 0;  // number of claims removed at the front
    std::map<std::pair<ListId, IpAddress>, std::uint64_t> places_;  // dropped_ + index
    std::uint32_t tidied_s_ = 0;
};

}  // namespace steer::kernel_sets
