// What is to be written at one place so that what is wanted there is there; a pure function.
//
// - Our row that ends too early is extended, never written again; whoever wrote it (adoption).
// - A foreign row (or an orphan, or our row disabled by hand) is never touched: it covers while it
//   is enabled and lives; where it does not cover it blocks, until it is gone.
// - A timed row of ours that nobody wants is left to expire: another writer may rely on it.
// - Timed and permanent never change places while a lease relies on the row. A timed row where a
//   permanent one is wanted is extended to the longest timeout (35 weeks) instead; a permanent row
//   of ours where the list is timed covers, and is removed when its last claim has ended. So there
//   is never a gap between a remove and an add, and `set timeout` is never sent for a static row
//   (RouterOS versions differ there).
// - What a human changed, where that is respected, is not written: only its cover is told.
// - Below a persistent prefix nothing is written for an address: the prefix covers it, once its row is there.
// - Where no row is welcome (an address of the router itself, a claim that was given up or evicted) a dynamic row of ours
//   is removed, and nobody waits for one.
// - A persistent row (kind P) that is no longer configured is removed once no lease relies on it;
//   where others write the list as well none is, as of their leases nothing is known here.
#pragma once

#include <cstdint>
#include <span>

#include "routeros/rows.h"

namespace steer::routeros {

// What a persistent prefix above an address does for it.
enum class Shelter : std::uint8_t { none, coming, there };

struct Want {
    bool claimed = false;       // a lease relies on it until until_ms
    bool persistent = false;    // configured to be there always
    bool permanent = false;     // claims want no timeout
    bool just_ended = false;    // the last claim ended now
    bool multi_writer = false;  // others may have leases here
    bool left_alone = false;    // a human changed it, and is respected
    bool unwelcome = false;     // no dynamic row of ours may be here
    Shelter shelter = Shelter::none;
    std::uint64_t until_ms = 0;      // what must be covered
    std::uint64_t row_until_ms = 0;  // how long a new row is to live, at least until_ms

    [[nodiscard]] bool any() const { return claimed || persistent; }
    [[nodiscard]] bool forever() const { return persistent || permanent; }
};

enum class Need : std::uint8_t { nothing, add, extend, remove, blocked, left_alone };
std::string_view label(Need need);

struct Difference {
    Need need = Need::nothing;
    RowId row = 0;  // to be extended or removed
    std::uint64_t cover_ms =
        0;  // until when the place is covered for sure now; 0 = not, kForever = static
    std::uint64_t row_end_ms = 0;       // extend: when the row ends now
    std::uint64_t retry_ms = kForever;  // blocked: when to look again
};

Difference compare(std::span<Row* const> rows, const Want& want, std::uint64_t now_ms);

// The timeout of a renewal: at least `needed_s`, up to `slack_s` longer so that the next ones find
// the row long enough, never above `longest_s` (unless needed), on a grid of minutes so that many
// rows share one sentence.
std::uint32_t renewal_timeout(std::uint64_t needed_s, std::uint32_t slack_s,
                              std::uint32_t longest_s);

}  // namespace steer::routeros
