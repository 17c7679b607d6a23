#include "dataplane/limits/limit_shares.h"

#include <algorithm>
#include <cmath>

namespace steer {
namespace {

constexpr double kWholeRate = 65536;
constexpr double kNewestWeight = 0.5;  // of the newest interval
constexpr double kNoDemand = 0.5;      // units per second, at most
// Enough that a thread refuses something, and so reports the source.
constexpr long kLeastShare = 64, kMostShare = 65535;

}  // namespace

void LimitShares::read(std::span<OffenderBoard* const> boards, double seconds) {
    for (auto& [key, known] : known_) {
        for (AtThread& at : known.at)
            at.is_read = false;
    }
    for (std::size_t t = 0; t < boards.size(); ++t) {
        for (std::size_t slot = 0; slot < OffenderBoard::kSlots; ++slot) {
            OffenderBoard::Offender read;
            if (!boards[t]->read(slot, read)) continue;
            Known& known = known_[read.key];
            known.at.resize(boards.size());
            AtThread& own = known.at[t];
            own.is_read = true;
            // A slot that was replaced, and then taken again, counts from 0.
            const std::uint64_t demand_before = read.demand >= own.demand ? own.demand : 0;
            const std::uint64_t refused_before = read.refused >= own.refused ? own.refused : 0;
            const double newest_per_s = static_cast<double>(read.demand - demand_before) / seconds;
            own.per_s += (newest_per_s - own.per_s) * (own.per_s == 0 ? 1 : kNewestWeight);
            known.refused += read.refused - refused_before;
            if (read.refused != refused_before) known.refused_ms = last_ms_;
            own.demand = read.demand;
            own.refused = read.refused;
            const std::uint64_t seen_ms = std::max(known.offender.seen_ms, read.seen_ms);
            known.offender = read;
            known.offender.seen_ms = seen_ms;
        }
    }
    for (auto& [key, known] : known_) {
        for (AtThread& at : known.at) {
            if (!at.is_read) at = {.per_s = at.per_s * (1 - kNewestWeight), .share = at.share};
        }
    }
}

void LimitShares::divide(std::span<OffenderBoard* const> boards, std::uint64_t now_ms) {
    if (last_ms_ != 0 && now_ms <= last_ms_) return;
    const double seconds = last_ms_ == 0 ? 0.1 : static_cast<double>(now_ms - last_ms_) / 1000.0;
    last_ms_ = now_ms;
    read(boards, seconds);
    for (auto it = known_.begin(); it != known_.end();) {
        Known& known = it->second;
        const bool is_old = is_quiet(known);
        double sum = 0;
        unsigned threads = 0;
        for (const AtThread& at : known.at) {
            sum += at.per_s;
            if (at.per_s > kNoDemand) ++threads;
        }
        const bool is_above = is_over(known);
        const bool is_divided = !is_old && boards.size() > 1 && (threads > 1 || is_above);
        for (std::size_t t = 0; t < known.at.size() && t < boards.size(); ++t) {
            AtThread& at = known.at[t];
            // A thread without known demand keeps its part of the rate until something is refused
            // anywhere. Then it gets the least share.
            std::uint32_t share = 0;
            if (is_divided && (is_above || at.per_s > kNoDemand)) {
                share = static_cast<std::uint32_t>(
                    std::clamp(std::lround(at.per_s / std::max(sum, kNoDemand) * kWholeRate),
                               kLeastShare, kMostShare));
            }
            if (share != at.share && boards[t]->set_share(it->first, share)) at.share = share;
        }
        const bool has_slot =
            std::ranges::any_of(known.at, [](const AtThread& at) { return at.is_read; });
        it = is_old && !has_slot ? known_.erase(it) : std::next(it);
    }
}

std::vector<LimitShares::Source> LimitShares::sources() const {
    std::vector<Source> out;
    out.reserve(known_.size());
    for (const auto& [key, known] : known_) {
        if (is_quiet(known)) continue;
        Source& source = out.emplace_back();
        source.offender = known.offender;
        source.offender.refused = known.refused;
        source.is_over = is_over(known);
        source.offender.demand = 0;
        for (const AtThread& at : known.at) {
            source.offender.demand += at.demand;
            source.demand_per_s += at.per_s;
            if (at.per_s > kNoDemand) ++source.threads;
        }
    }
    return out;
}

void LimitShares::clear(std::span<OffenderBoard* const> boards) {
    known_.clear();
    for (OffenderBoard* const board : boards)
        board->clear_shares();
}

}  // namespace steer
