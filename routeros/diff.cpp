#include "routeros/diff.h"

#include <algorithm>

#include "routeros/time_text.h"

namespace steer::routeros {

std::string_view label(Need need) {
    switch (need) {
        case Need::nothing:
            return "nothing";
        case Need::add:
            return "add";
        case Need::extend:
            return "extend";
        case Need::enable:
            return "enable";
        case Need::remove:
            return "remove";
        case Need::blocked:
            return "blocked";
        case Need::left_alone:
            return "left_alone";
    }
    return {};
}

namespace {

constexpr std::uint64_t kGridS = 60;
// A timed row in place of a permanent one is extended again when it has less than this left.
constexpr std::uint64_t kLongEnoughMs = std::uint64_t{kMaxTimeoutS} * 500;

std::uint64_t cover_of(const Row& row) {
    return row.disabled || row.unclear || row.is_outdated ? 0 : row.until_ms;
}

bool is_better(const Row& row, const Row& than) {
    if (row.is_outdated != than.is_outdated) return than.is_outdated;
    return row.until_ms != than.until_ms ? row.until_ms > than.until_ms : row.id < than.id;
}

// The worst of several own rows; 0: there is one at the most.
RowId surplus(std::span<Row* const> rows) {
    const Row* worst = nullptr;
    std::size_t count = 0;
    for (const Row* row : rows) {
        if (row->owner != Owner::ours || row->disabled || row->leaving) continue;
        if (worst == nullptr || is_better(*worst, *row)) worst = row;
        ++count;
    }
    return count > 1 ? worst->id : 0;
}

Difference unwanted(std::span<Row* const> rows, const Want& want) {
    Difference difference;
    for (const Row* row : rows) {
        if (row->owner != Owner::ours || !row->is_static()) continue;
        if (row->disabled || row->leaving) continue;
        const bool stale = row->kind == RowKind::persistent || (want.just_ended && !want.permanent);
        if (!stale) continue;
        difference.need = Need::remove;
        difference.row = row->id;
    }
    return difference;
}

Difference missing(std::span<Row* const> rows, const Want& want, std::uint64_t now_ms) {
    Difference difference;
    const Row* own = nullptr;    // timed, enabled, maybe still there
    const Row* off = nullptr;    // own, disabled
    const Row* other = nullptr;  // the conflicting row
    for (const Row* row : rows) {
        if (row->is_gone(now_ms) || row->leaving) continue;
        const auto cover = cover_of(*row);
        if (cover > now_ms) difference.cover_ms = std::max(difference.cover_ms, cover);
        if (row->owner == Owner::ours) {
            const Row*& best = row->disabled ? off : own;
            if (best == nullptr || is_better(*row, *best)) best = row;
        } else if (!row->unclear && !(row->disabled && want.is_single)) {
            other = row;
        }
    }
    if (own != nullptr && own->is_outdated) {
        difference.need = Need::extend;
        difference.row = own->id;
        return difference;
    }
    if (difference.cover_ms == kForever) return difference;
    const bool covered = difference.cover_ms > now_ms && difference.cover_ms >= want.until_ms;
    if (own != nullptr) {
        const bool enough = want.forever() ? own->until_ms >= now_ms + kLongEnoughMs : covered;
        if (enough) return difference;
        difference.need = Need::extend;
        difference.row = own->id;
        difference.row_end_ms = own->until_ms;
        return difference;
    }
    if (covered && !want.forever()) return difference;
    if (off != nullptr) {
        difference.need = want.respects      ? Need::left_alone
                          : off->is_outdated ? Need::extend
                                             : Need::enable;
        if (!want.respects) difference.row = off->id;
        return difference;
    }
    if (other != nullptr) {
        difference.need = Need::blocked;
        if (other->disabled) difference.row = other->id;
        difference.retry_ms = other->gone_ms;
        return difference;
    }
    difference.need = Need::add;
    return difference;
}

Difference not_welcome(std::span<Row* const> rows, const Want& want, std::uint64_t now_ms) {
    Difference difference;
    difference.cover_ms = kForever;  // covers nothing, so no answer waits
    for (const Row* row : rows) {
        if (row->owner != Owner::ours || row->kind != RowKind::dynamic) continue;
        if (row->disabled || row->leaving || row->is_gone(now_ms)) continue;
        if (want.multi_writer && row->is_static()) continue;
        difference.need = Need::remove;
        difference.row = row->id;
    }
    return difference;
}

}  // namespace

Difference compare(std::span<Row* const> rows, const Want& want, std::uint64_t now_ms) {
    if (want.unwelcome && !want.persistent) return not_welcome(rows, want, now_ms);
    if (!want.any()) return want.multi_writer ? Difference{} : unwanted(rows, want);
    Difference difference = missing(rows, want, now_ms);
    if (want.is_single && !want.left_alone) {
        const RowId extra = surplus(rows);
        if (extra != 0) {
            difference.need = Need::remove;
            difference.row = extra;
            return difference;
        }
    }
    if (want.shelter != Shelter::none && !want.persistent) {
        difference.need = Need::nothing;
        if (want.shelter == Shelter::there) difference.cover_ms = kForever;
        return difference;
    }
    if (want.left_alone && difference.need != Need::nothing) difference.need = Need::left_alone;
    return difference;
}

std::uint32_t renewal_timeout(std::uint64_t needed_s, std::uint32_t slack_s,
                              std::uint32_t longest_s) {
    needed_s = std::clamp<std::uint64_t>(needed_s, 1, kMaxTimeoutS);
    if (needed_s >= longest_s) return static_cast<std::uint32_t>(needed_s);
    const std::uint64_t wished = needed_s + slack_s;
    if (wished >= longest_s) return std::min(longest_s, kMaxTimeoutS);
    const std::uint64_t on_grid = wished / kGridS * kGridS;
    return static_cast<std::uint32_t>(on_grid >= needed_s ? on_grid : wished);
}

}  // namespace steer::routeros
