// Computes the write at one place that makes the router's rows match the claims; a pure function.
//
// - An own row that ends too early is extended, never written again, whichever program wrote it (adoption).
// - A foreign row (or an orphan) is never touched. It covers while it is enabled and lives. If it does not
//   cover, it blocks, until it is removed; where the router takes a second row, a disabled one blocks nothing.
// - A disabled row covers nothing. An own one that is wanted was disabled by hand, because none is written so: it is
//   enabled again, or left alone where manual changes are respected.
// - An own timed row without a claim is left to expire: another writer may rely on it.
// - Timed and permanent rows never replace each other while a lease relies on the row. A timed row where a
//   permanent one is wanted is extended to the longest timeout (35 weeks) instead. An own permanent row
//   where the list is timed covers, and is removed when its last claim has ended. So there
//   is never a gap between a remove and an add, and `set timeout` is never sent for a static row
//   (RouterOS versions differ there).
// - A manual change that is respected is not overwritten: only its cover is reported.
// - Below a persistent prefix no row is written for an address: the prefix covers it, once its row exists.
// - At unwelcome addresses (the router's own, claims that were given up or evicted) an own dynamic row
//   is removed, and no answer waits for one.
// - An outdated route (another gateway or distance) is changed in place. Of several own routes at a place one stays.
// - A persistent row (kind P) that is no longer configured is removed once no lease relies on it.
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
    bool permanent = false;     // claims want no timeout
    bool just_ended = false;    // the last claim ended now
    bool multi_writer = false;  // others may have leases here
    bool left_alone = false;    // a manual change is respected
    bool respects = false;      // a manual change would be respected
    bool unwelcome = false;     // no own dynamic row may be here
    bool is_single = false;     // the router would take several own rows: one is enough
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
    RowId row = 0;  // to be extended, enabled or removed; blocked: the disabled row in the way
    std::uint64_t cover_ms =
        0;  // until when the place is covered for sure now; 0 = not, kForever = static
    std::uint64_t row_end_ms = 0;       // extend: when the row ends now
    std::uint64_t retry_ms = kForever;  // blocked: when to check again
};

Difference compare(std::span<Row* const> rows, const Want& want, std::uint64_t now_ms);

// The timeout of a renewal: at least `needed_s`, up to `slack_s` longer so that the next renewals find
// the row long enough, never above `longest_s` (unless needed), on a grid of minutes so that many
// rows share one sentence.
std::uint32_t renewal_timeout(std::uint64_t needed_s, std::uint32_t slack_s,
                              std::uint32_t longest_s);

}  // namespace steer::routeros
