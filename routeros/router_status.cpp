// Status of a router, and the removal of our own rows at shutdown.
#include <algorithm>
#include <charconv>
#include <cmath>

#include "matchers/safe_text.h"
#include "routeros/router.h"

namespace steer::routeros {

namespace {
constexpr std::uint64_t kFlashRateMs = 60'000;  // a shorter time gives no useful rate
constexpr std::uint64_t kLateBacklogMs = 30'000;

std::string late_backlog_text(const RouterStatus& s) {
    return std::to_string(s.queued) + (s.queued == 1 ? " row waits" : " rows wait") +
           " that cannot be written in time: they take " + std::to_string(s.backlog_ms / 1000) +
           " s with `cpu_share` at " + std::to_string(std::lround(s.routine_share * 100)) +
           "%; raise it, or take names out of the lists";
}

}  // namespace

std::string_view label(RouterState state) {
    switch (state) {
#define STEER_ROUTER_STATE_LABEL(name, text, meaning) \
    case RouterState::name:                           \
        return text;
        STEER_ROUTER_STATES(STEER_ROUTER_STATE_LABEL)
#undef STEER_ROUTER_STATE_LABEL
    }
    return {};
}

void Router::cleanup(std::uint64_t now_ms) {
    go_on_at(now_ms);
    cleaning_ = true;
    settle_away(nullptr);
    notify_away();
    writer_.drop_queued();
    writer_.set_batch_ms(Writer::kBatchMs);  // no answer waits from now on
    lookups_.clear();
    rows_.for_each([&](const Row& row) {
        // Routes outlive a restart of either side, and no other program ends them. In a fleet, answers of others rely on
        // the rows.
        const bool is_to_go = row.written_here || !row.place.table().facts().has_timeout;
        if (paused_ || has_fleet() || !is_to_go || row.owner != Owner::ours || row.is_gone(now_))
            return;
        writer_.put(
            {row.place, WriteKind::remove, WriteClass::repair, row.id, 0, now_, row.is_static()},
            now_);
    });
    run();
}

bool Router::cleaned() const {
    return cleaning_ && (state_ != RouterState::in_sync || paused_ || writer_.places() == 0);
}

void Router::request_reprint(std::uint64_t now_ms) {
    go_on_at(now_ms);
    if (state_ == RouterState::in_sync) reprint_ms_ = reprint_due_ms_ = now_;
    run();
}

void Router::pause(std::uint64_t now_ms) {
    go_on_at(now_ms);
    if (paused_) return;
    paused_ = true;
    writer_.drop_queued();
    lookups_.clear();
    begin_epoch();  // rows that are removed until resume() are not judged
    notify_away();
    settle_away(nullptr);
    sink_.log(Level::warning, who() + " is paused: nothing is written to it until it is resumed");
}

void Router::resume(std::uint64_t now_ms) {
    go_on_at(now_ms);
    if (!paused_) return;
    paused_ = false;
    log_line(Level::info, who() + " is written to again");
    shelters_.clear();
    if (state_ == RouterState::in_sync) {
        judging_.first = true;
        reconcile(WriteClass::repair);
    }
    run();
}

std::size_t Router::remove_orphans(std::uint64_t now_ms) {
    go_on_at(now_ms);
    if (!writes()) return 0;
    std::size_t found = 0;
    rows_.for_each([&](const Row& row) {
        if (row.owner != Owner::orphan || row.is_gone(now_)) return;
        ++found;
        writer_.put(
            {row.place, WriteKind::remove, WriteClass::routine, row.id, 0, now_, row.is_static()},
            now_);
    });
    run();
    return found;
}

std::vector<DifferenceRow> Router::differences(std::size_t most, std::uint64_t now_ms) {
    go_on_at(now_ms);
    std::vector<DifferenceRow> out;
    if (state_ != RouterState::in_sync) return out;
    for (const Place& place : places_to_judge()) {
        if (out.size() >= most) break;
        const Judged judged = judge(place);
        const std::string_view what = label_of(place, judged);
        if (what == label(Need::nothing)) continue;
        const Wanted& w = judged.wanted;
        out.push_back({names_[place.name].text, place.address.to_string(), std::string(what),
                       std::string(w.want.persistent ? std::string_view{} : w.name),
                       w.want.forever() ? 0 : w.want.row_until_ms});
    }
    return out;
}

std::string_view Router::label_of(const Place& place, const Judged& judged) const {
    const Need need = judged.wanted.want.left_alone ? Need::left_alone : judged.difference.need;
    const bool may_be_refused =
        need != Need::nothing && need != Need::blocked && need != Need::left_alone;
    return may_be_refused && refusals_.contains(place) ? "refused" : label(need);
}

std::string_view Router::row_state(ListId list, const AddressBytes& address, std::uint64_t now_ms) {
    go_on_at(now_ms);
    const ClaimKey key{list, Address::host(address)};
    const Claim* const claim = claims_.find(key);
    const auto place = place_of(key);
    if (state_ != RouterState::in_sync || claim == nullptr || !place) return {};
    return claim->until_ms <= now_ ? std::string_view{} : label_of(*place, judge(*place));
}

// Flash sectors written by the router; versions without flash do not report them.
void Router::read_flash(const ReplyRow& resource) {
    const auto number = [&](std::string_view name) -> std::optional<std::uint64_t> {
        const auto text = resource.get(name).value_or("");
        std::uint64_t value = 0;
        const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
        const bool all = error == std::errc{} && end == text.data() + text.size();
        return all ? std::optional(value) : std::nullopt;
    };
    flash_since_reboot_ = number("write-sect-since-reboot");
    flash_total_ = number("write-sect-total");
    if (flash_total_ && !flash_first_) flash_first_ = {{*flash_total_, now_}};
}

std::string_view Router::tag_of(ListId list) const {
    const auto found = lists_.find(list);
    return found == lists_.end() ? std::string_view{} : found->second.config.tag;
}

std::string_view Router::name_of(ListId list, const AddressBytes& address) const {
    const Claim* const claim = claims_.find({list, Address::host(address)});
    return claim == nullptr ? std::string_view{} : claim->name();
}

bool Router::has_claim(ListId list, const AddressBytes& address) const {
    return claims_.find({list, Address::host(address)}) != nullptr;
}

RouterStatus Router::status() const {
    RouterStatus s;
    s.state = state_;
    s.away = away_since_ms_ != 0 || state_ != RouterState::in_sync;
    s.paused = paused_;
    s.away_since_ms = away_since_ms_;
    s.claims_while_away = claims_while_away_;
    s.version = version_;
    s.board = board_;
    s.lacks = lacks_;
    s.boot_ms =
        boot_known_ ? static_cast<std::uint64_t>(std::max<std::int64_t>(boot_high_ms_, 1)) : 0;
    s.error = error_;
    s.claims = claims_.size();
    s.rows_ours = rows_.count(Owner::ours);
    s.rows_orphaned = rows_.count(Owner::orphan);
    s.rows_foreign = rows_.count(Owner::foreign);
    s.rows_known = rows_known_;
    s.rows_blocked = refusals_.size();
    for (const auto& [place, refusal] : refusals_) {
        if (refusal.disabled == 0) continue;
        if (s.rows_disabled++ == 0) s.disabled_row = disabled_text(place, refusal.disabled);
    }
    s.held = holds_.size();
    s.queued = writer_.queued();
    s.writes_in_flight = writer_.sentences_in_flight() + jobs(JobKind::cut) + jobs(JobKind::probe) +
                         jobs(JobKind::adopt) + jobs(JobKind::writer_row);
    const bool knows_rows = is_ready() || (judges() && !may_write_);
    s.pending = knows_rows ? writer_.places() : claims_.size() + persistent_.size();
    const auto oldest = knows_rows ? writer_.oldest_add_ms() : std::optional(away_since_ms_);
    if (s.pending != 0 && oldest.value_or(0) != 0) s.lag_ms = now_ - std::min(*oldest, now_);
    s.routine_share = config_.routine_share;
    s.backlog_ms = writer_.backlog_ms();
    if (s.backlog_ms > kLateBacklogMs) s.late_backlog = late_backlog_text(s);
    for (std::size_t i = 0; i < kWriteClasses; ++i) {
        s.work[i].rows = rows_by_class_[i];
        s.work[i].work_s = writer_.charged_us(static_cast<WriteClass>(i)) / 1e6;
    }
    s.work[static_cast<std::size_t>(WriteClass::repair)].share = config_.repair_share;
    s.work[static_cast<std::size_t>(WriteClass::routine)].share = config_.routine_share;
    s.add_delays = add_delays_;
    for (const auto& [id, list] : lists_)
        s.lists.push_back({list.config.tag, claims_.size(id), list.config.max_rows});
    for (const auto& name : names_) {
        if (name.others_ms != 0) s.second_writers.push_back(name.text);
    }
    s.left_alone = left_alone_;
    s.routes_inactive = rows_.inactive();
    s.routes_kept = connections_.kept();
    s.late = connections_.waiting();
    s.repair_refused = connections_.refused(Menu::ip) || connections_.refused(Menu::ipv6);
    s.role = role_.role;
    s.fleet = role_.fleet;
    s.writes = may_write_;
    if (const auto row = highest_row(); row != writer_rows_.end()) {
        s.writer_box = safe_text(row->second.box);
        s.writer_token = row->second.token;
    }
    s.other_fleets.assign(other_fleets_.begin(), other_fleets_.end());
    s.service_us = writer_.service_us();
    s.rtt_ms = rtt_ms_;
    if (const Findings* const known = findings()) s.findings = *known;
    s.flash_since_reboot = flash_since_reboot_;
    s.flash_total = flash_total_;
    if (flash_total_ && flash_first_ && now_ >= flash_first_->at_ms + kFlashRateMs) {
        const double hours = static_cast<double>(now_ - flash_first_->at_ms) / 3'600'000;
        const auto since = *flash_total_ - std::min(flash_first_->sectors, *flash_total_);
        s.flash_per_hour = static_cast<double>(since) / hours;
    }
    return s;
}

std::vector<OrphanRow> Router::orphans(std::optional<OrphanPlace> after, std::size_t most) const {
    const auto place_of = [](const Row* row) {
        return OrphanPlace{row->place.table().index(), row->id};
    };
    const auto is_before = [&](const Row* a, const Row* b) { return place_of(a) < place_of(b); };
    std::vector<const Row*> first;  // a heap of the first ones, the last of them in front
    rows_.for_each([&](const Row& row) {
        if (row.owner != Owner::orphan || (after && place_of(&row) <= *after)) return;
        if (first.size() == most) {
            if (most == 0 || !is_before(&row, first.front())) return;
            std::ranges::pop_heap(first, is_before);
            first.pop_back();
        }
        first.push_back(&row);
        std::ranges::push_heap(first, is_before);
    });
    std::ranges::sort_heap(first, is_before);
    std::vector<OrphanRow> out;
    out.reserve(first.size());
    for (const Row* const row : first)
        out.push_back({names_[row->place.name].text, row->place.address.to_string(), row->comment,
                       place_of(row)});
    return out;
}

}  // namespace steer::routeros
