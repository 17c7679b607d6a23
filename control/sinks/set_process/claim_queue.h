// Claims that wait for the process or for a set, oldest first, each address of a list once, up to a bound.
//
// A row that is claimed again while it waits keeps its place and the later end. The queue has shares, as the sets have
// (routeros/claim_book.h): a full one gives up a row of the largest share. About 250 bytes per row.
#pragma once

#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "control/sinks/set_process/set_report.h"
#include "routeros/claim_book.h"

namespace steer::sets {

class ClaimQueue {
  public:
    explicit ClaimQueue(
        std::shared_ptr<routeros::Shares> shares = std::make_shared<routeros::Shares>())
        : rows_(std::move(shares)) {}

    struct Added {
        bool is_taken = false;            // false: see refusal()
        std::optional<ClaimRow> evicted;  // given up for it
    };
    // In a full queue it first removes rows that have ended by `now_s` (CLOCK_BOOTTIME, seconds).
    Added add(const ClaimRow& row, const routeros::ClaimBounds& bounds, std::uint32_t now_s);
    [[nodiscard]] const routeros::RefusedClaim& refusal() const { return rows_.refusal(); }
    // Returns or drops the oldest `count` claims, or all.
    [[nodiscard]] std::vector<ClaimRow> first(std::size_t count) const;
    void drop_first(std::size_t count);
    void drop_if(const std::function<bool(const Installed&)>& goes);
    [[nodiscard]] std::size_t size() const { return rows_.size(); }
    [[nodiscard]] bool empty() const { return size() == 0; }

  private:
    using Key = std::pair<ListId, IpAddress>;
    struct Hash {
        std::size_t operator()(const Key& key) const noexcept;
    };
    struct Row : routeros::BookedClaim {
        Key key;
        std::uint64_t place = 0;
        ClaimOrigin origin;
    };
    [[nodiscard]] const Row* row_at(const std::pair<Key, std::uint64_t>& place) const;
    static Installed installed(const Row& row);
    static ClaimRow claim_of(const Row& row);
    void drop_gone();

    routeros::ClaimBook<Row, Hash> rows_;
    std::deque<std::pair<Key, std::uint64_t>> order_;  // with places; also of dropped rows
    std::uint64_t places_ = 0;
};

}  // namespace steer::sets
