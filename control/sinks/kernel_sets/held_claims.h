// Claims with waiting answers: the rows that each still lacks in the kernel's sets.
//
// About 250 bytes per row. Without a clock of its own.
#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <span>
#include <utility>
#include <vector>

#include "control/sinks/set_process/set_report.h"

namespace steer::kernel_sets {

class HeldClaims {
  public:
    using Tokens = std::vector<std::uint64_t>;

    explicit HeldClaims(std::size_t most) : most_(most) {}

    // `token` waits until the list has all addresses until then. Returns false if too many wait.
    bool add(std::uint64_t token, ListId list, std::span<const IpAddress> addresses,
             std::uint32_t until_s, std::uint64_t now_ms);
    // The tokens that lack nothing, now that this row is written.
    Tokens written(const sets::Installed& row);
    // The tokens that wait for this row, which is refused.
    Tokens refused(const sets::Installed& row);
    // Ends the claims of a list, or those from before a time, and returns their tokens.
    Tokens end(ListId list);
    Tokens end_before(std::uint64_t ms);
    [[nodiscard]] std::size_t size() const { return waits_.size(); }

  private:
    struct Wait {
        std::uint64_t token;
        ListId list;
        std::size_t left;  // rows that are not written
        std::uint64_t since_ms;
    };
    struct Row {
        std::uint32_t until_s;
        std::uint64_t wait;  // its number
    };
    void drop_rows_without_wait();

    std::size_t most_;
    std::uint64_t next_ = 0;
    std::map<std::uint64_t, Wait> waits_;  // by number: the oldest first
    std::multimap<std::pair<ListId, IpAddress>, Row> rows_;
};

}  // namespace steer::kernel_sets
