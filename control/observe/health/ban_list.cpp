#include "control/observe/health/ban_list.h"

#include <algorithm>
#include <cmath>

#include "matchers/quote.h"

namespace steer {
namespace {

constexpr std::uint64_t kGapMs = 1'000;  // without it, a source is below its row
constexpr unsigned kAddressBits = 128;

XdpPrefix key_of(const matchers::Prefix& prefix) {
    return {prefix.address, prefix.length};
}

const LimitRow* row_with_ban(const LimitPolicy* policy, std::string_view name) {
    if (policy == nullptr) return nullptr;
    const auto row = std::ranges::find(policy->rows, name, &LimitRow::name);
    return row == policy->rows.end() || row->ban_ms == 0 ? nullptr : &*row;
}

std::string sentence_of_ban(const BanSource& source, bool is_in_force, std::uint64_t over_ms) {
    const LimitRow& row = *source.row;
    const std::string prefix = source.prefix.to_string();
    const std::string start =
        "client " + prefix + " at " + std::to_string(std::llround(source.per_s)) + " " +
        std::string(fact_of(row.what).unit) + " was above limit " + matchers::quoted(row.name) +
        " for " + std::to_string(over_ms / 1'000) + " s";
    if (!is_in_force) return start + " and would be banned; `steerctl bans` lists it";
    return start + " and is banned; if it is legitimate, `steerctl bans remove " + prefix +
           "` and add it to `except`";
}

}  // namespace

std::vector<std::string> BanList::check(const LimitPolicy* policy, std::span<const BanSource> above,
                                        std::uint64_t now_ms) {
    std::vector<std::string> log;
    for (auto& [prefix, ban] : bans_)
        count(ban, row_with_ban(policy, ban.row), now_ms);
    for (const BanSource& source : above) {
        const XdpPrefix prefix = key_of(source.prefix);
        Over& over =
            over_.try_emplace({source.row->id, prefix}, Over{now_ms, now_ms}).first->second;
        over.seen_ms = now_ms;
        if (const auto ban = bans_.find(prefix); ban != bans_.end()) {
            if (!ban->second.is_in_force) {
                ban->second.over_ms = now_ms;
                ban->second.per_s = source.per_s;
            }
        } else if (now_ms - over.since_ms >= source.row->ban_ms && may_begin(source, now_ms)) {
            begin(source, now_ms, log);
        }
    }
    end_old(policy, now_ms);
    if (is_changed_) {
        if (const auto done = apply(policy); !done) {
            log.push_back("bans are not in force: " + done.error().text +
                          "; the next attempt is in " + std::to_string(kRetryMs / 1'000) + " s");
            failed_until_ms_ = now_ms + kRetryMs;
            bans_.clear();
            places_.clear();
            (void)apply(policy);
        }
        is_changed_ = false;
    }
    for (const auto& [prefix, ban] : bans_) {
        if (ban.is_in_force)
            filter_.renew(ban.place, std::chrono::milliseconds(ban.over_ms + kHoldMs - now_ms));
    }
    return log;
}

void BanList::count(Ban& ban, const LimitRow* row, std::uint64_t now_ms) {
    if (!ban.is_in_force) return;
    const XdpBanCounts now = filter_.counts(ban.place);
    Totals& totals = totals_[ban.row];
    ban.dropped += now.dropped - ban.last.dropped;
    ban.passed += now.passed - ban.last.passed;
    totals.dropped += now.dropped - ban.last.dropped;
    totals.passed += now.passed - ban.last.passed;
    ban.last = now;
    if (row == nullptr || now_ms - ban.measured_ms < kMeasureMs) return;
    const std::uint64_t units =
        row->what == LimitWhat::bytes
            ? now.bytes - ban.measured.bytes
            : now.dropped + now.passed - ban.measured.dropped - ban.measured.passed;
    ban.per_s = static_cast<double>(units) * 1'000 / static_cast<double>(now_ms - ban.measured_ms);
    ban.measured = now;
    ban.measured_ms = now_ms;
    if (ban.per_s > row->per_s) ban.over_ms = now_ms;
}

void BanList::end_old(const LimitPolicy* policy, std::uint64_t now_ms) {
    std::erase_if(over_, [&](const auto& one) { return now_ms - one.second.seen_ms > kGapMs; });
    std::erase_if(removed_, [&](const auto& one) { return one.second <= now_ms; });
    is_changed_ |= std::erase_if(proven_, [&](const auto& one) {
                       return one.second + kProofMs <= now_ms;
                   }) != 0;
    is_changed_ |=
        std::erase_if(bans_, [&](const auto& one) {
            const auto& [prefix, ban] = one;
            const LimitRow* const row = row_with_ban(policy, ban.row);
            const bool is_out =
                prefix.bits == kAddressBits && proven_.contains(prefix.address) && ban.is_in_force;
            const bool is_over = now_ms - ban.over_ms >= kHoldMs || is_out || row == nullptr ||
                                 ban.is_in_force != (!row->dry_run && filter_.is_available());
            if (is_over && ban.is_in_force) places_.erase(ban.place);
            return is_over;
        }) != 0;
}

bool BanList::may_begin(const BanSource& source, std::uint64_t now_ms) const {
    const XdpPrefix prefix = key_of(source.prefix);
    return now_ms >= failed_until_ms_ && bans_.size() < XdpSteering::kMaxBans &&
           !removed_.contains(prefix) &&
           !(prefix.bits == kAddressBits && proven_.contains(prefix.address));
}

void BanList::begin(const BanSource& source, std::uint64_t now_ms, std::vector<std::string>& log) {
    const LimitRow& row = *source.row;
    Ban ban;
    ban.row = row.name;
    ban.per_s = source.per_s;
    ban.is_in_force = !row.dry_run && filter_.is_available();
    ban.since_ms = ban.over_ms = ban.measured_ms = now_ms;
    if (ban.is_in_force) {
        while (places_.contains(ban.place))
            ++ban.place;
        places_.insert(ban.place);
        ban.last = ban.measured = filter_.counts(ban.place);
        ++totals_[row.name].bans;
        is_changed_ = true;
    }
    const auto logged = logged_ms_.find(row.name);
    if (logged == logged_ms_.end() || now_ms - logged->second >= kLogEveryMs) {
        const Over& over = over_.at({row.id, key_of(source.prefix)});
        log.push_back(sentence_of_ban(source, ban.is_in_force, now_ms - over.since_ms));
        logged_ms_[row.name] = now_ms;
    }
    bans_.emplace(key_of(source.prefix), std::move(ban));
}

bool BanList::has_room_for_proof_of(const Ban& ban) {
    if (ban.exempt >= kMaxExempt) return false;
    if (ban.exempt >= kSureExempt && proven_.size() >= kMaxProven) return false;
    if (proven_.size() < kMostProven) return true;
    // Those of bans that ended make room. Their addresses prove themselves again in the next ban.
    return std::erase_if(proven_,
                         [&](const auto& one) { return covering(one.first) == nullptr; }) != 0;
}

void BanList::prove(const IpAddress& address, std::uint64_t seen_ms, std::uint64_t now_ms) {
    if (seen_ms + kProofMs <= now_ms) return;
    if (const auto known = proven_.find(address); known != proven_.end()) {
        known->second = std::max(known->second, seen_ms);
        return;
    }
    Ban* const ban = covering(address);
    if (ban == nullptr || !has_room_for_proof_of(*ban)) return;
    ++ban->exempt;
    proven_.emplace(address, seen_ms);
    is_changed_ = true;
}

Ban* BanList::covering(const IpAddress& address) {
    for (const std::uint8_t bits : lengths_) {
        const auto ban = bans_.find(key_of(matchers::Prefix::masked(address, bits)));
        if (ban != bans_.end() && ban->second.is_in_force) return &ban->second;
    }
    return nullptr;
}

bool BanList::remove(const matchers::Prefix& prefix, std::uint64_t now_ms) {
    const auto ban = bans_.find(key_of(prefix));
    if (ban == bans_.end()) return false;
    if (ban->second.is_in_force) places_.erase(ban->second.place);
    bans_.erase(ban);
    removed_[key_of(prefix)] = now_ms + kRemovedMs;
    is_changed_ = true;
    return true;
}

BanList::Totals BanList::totals(std::string_view row) const {
    const auto known = totals_.find(row);
    return known == totals_.end() ? Totals{} : known->second;
}

// Exemptions of addresses without a ban stay in `proven_`, for the next ban.
Result<void> BanList::apply(const LimitPolicy* policy) {
    std::vector<XdpBan> in_force;
    std::vector<matchers::Prefix> banned;
    lengths_.clear();
    for (auto& [prefix, ban] : bans_) {
        ban.exempt = 0;
        if (!ban.is_in_force) continue;
        lengths_.insert(prefix.bits);
        in_force.push_back({prefix, ban.place});
        banned.push_back({prefix.address, prefix.bits});
    }
    std::vector<XdpPrefix> exempt;
    std::vector<matchers::Prefix> proven;
    if (!in_force.empty()) {
        for (const matchers::Prefix& trusted : policy->trusted_prefixes)
            exempt.push_back(key_of(trusted));
        for (const auto& [address, seen_ms] : proven_) {
            Ban* const ban = covering(address);
            if (ban == nullptr || ban->exempt >= kMaxExempt) continue;
            ++ban->exempt;
            exempt.push_back({address, kAddressBits});
            proven.push_back({address, kAddressBits});
        }
    }
    if (policy != nullptr) {
        policy->tables->exempt.set(proven);
        policy->tables->banned.set(banned);
    }
    if (!filter_.is_available()) return {};
    return filter_.set(in_force, exempt);
}

}  // namespace steer
