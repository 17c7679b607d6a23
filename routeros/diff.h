// Computes the write for one place that makes the router's rows match the claims; a pure function.
//
// - Our row that ends too early is extended, never written again, for rows of any writer program
//   (adoption).
// - A foreign row (or an orphan) is never changed. It covers the place while it is enabled and
//   lives. If it does not cover, it blocks the place until it is removed. If the router accepts a
//   second row, a disabled row does not block.
// - A disabled row covers nothing. If our row is wanted and disabled, an operator disabled it,
//   because we never write disabled rows. It is enabled again, or left unchanged if manual changes
//   are respected.
// - Our timed row without a claim expires: another writer may rely on it.
// - Timed and permanent rows never replace each other while a lease relies on the row. If a
//   permanent row is wanted, a timed row is extended to the longest timeout (35 weeks) instead. In
//   a timed list, our permanent row covers, and is removed when its last claim has ended. So there
//   is never a gap between a remove and an add, and `set timeout` is never sent for a static row
//   (RouterOS versions differ there).
// - A respected manual change is not overwritten: only its cover is reported.
// - Below a persistent prefix, no row is written for an address: the prefix covers it, once its row
//   exists.
// - At unwelcome addresses (the router's own; claims that were given up or evicted), our dynamic
//   row is removed, and no answer waits for one.
// - An outdated route (another gateway or distance) is changed in place. If a place has several of
//   our routes, one stays.
// - A persistent row (kind P) that is no longer configured is removed when no lease relies on it.
//   If others write the list as well, it is never removed, because their leases are unknown.
#pragma once

#include <cstdint>
#include <span>

#include "routeros/rows.h"

namespace steer::routeros {

// The effect of a persistent prefix above an address.
enum class Shelter : std::uint8_t { none, coming, there };

struct Want {
    bool claimed = false;       // a lease relies on it until until_ms
    bool persistent = false;    // configured to exist always
    bool permanent = false;     // claims request no timeout
    bool just_ended = false;    // the last claim ended now
    bool multi_writer = false;  // other writers may have leases here
    bool left_alone = false;    // a respected manual change exists
    bool respects = false;      // a manual change would be respected
    bool unwelcome = false;     // our dynamic row must not be here
    bool is_single = false;     // one of our rows is enough, if the router accepts several
    Shelter shelter = Shelter::none;
    std::uint64_t until_ms = 0;      // time that must be covered
    std::uint64_t row_until_ms = 0;  // the end of a new row, at least until_ms

    [[nodiscard]] bool any() const { return claimed || persistent; }
    [[nodiscard]] bool forever() const { return persistent || permanent; }
};

enum class Need : std::uint8_t { nothing, add, extend, enable, remove, blocked, left_alone };
std::string_view label(Need need);

struct Difference {
    Need need = Need::nothing;
    RowId row = 0;  // to extend, enable or remove; blocked: the disabled conflicting row
    std::uint64_t cover_ms =
        0;  // until when the place is certainly covered; 0: not covered, kForever: static
    std::uint64_t row_end_ms = 0;       // extend: when the row ends now
    std::uint64_t retry_ms = kForever;  // blocked: time of the next check
};

Difference compare(std::span<Row* const> rows, const Want& want, std::uint64_t now_ms);

// The timeout of a renewal: at least `needed_s`, and up to `slack_s` longer, so that the next
// renewals need no write. Never above `longest_s` (unless needed). On a grid of minutes, so that
// many rows share one sentence.
std::uint32_t renewal_timeout(std::uint64_t needed_s, std::uint32_t slack_s,
                              std::uint32_t longest_s);

}  // namespace steer::routeros
