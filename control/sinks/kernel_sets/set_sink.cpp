#include "control/sinks/kernel_sets/set_sink.h"

#include <algorithm>
#include <string>
#include <utility>

#include "control/sinks/set_process/program.h"

namespace steer::kernel_sets {
namespace {

bool uses(const sets::SetPlan& plan, const sets::SetName& set) {
    return std::ranges::find(plan.families, set, &sets::SetPlan::Family::set) !=
           plan.families.end();
}

}  // namespace

SetSink::SetSink(boost::asio::io_context& io, SinkObserver& observer, Start start, Log log,
                 RestartBackoff backoff, std::chrono::milliseconds most_silence,
                 std::chrono::milliseconds epoch_pause)
    : io_(io),
      observer_(observer),
      start_(std::move(start)),
      log_(std::move(log)),
      backoff_(backoff),
      most_silence_(most_silence),
      epoch_pause_(epoch_pause),
      restart_(io) {}

SetSink::~SetSink() = default;

// ---- the lists

void SetSink::configure(std::vector<sets::SetPlan> plans,
                        std::map<ListId, config::ReadyNeed> ready) {
    ready_ = std::move(ready);
    if (plans == plans_) return;
    const bool is_running = shown_.report().running;
    const auto before = std::exchange(plans_, std::move(plans));
    ++number_;
    for (const sets::SetPlan& plan : before) {
        if (std::ranges::find(plans_, plan) == plans_.end()) notify_away(plan.list);
    }
    for (const sets::SetPlan& plan : plans_) {
        if (std::ranges::find(before, plan) != before.end()) continue;
        observer_.epoch(*this, plan.list);
        if (is_running) lost_[plan.list] = std::chrono::steady_clock::now();
    }
    claims_.drop_if([&](const sets::Installed& row) {
        return std::ranges::find(plans_, row.list, &sets::SetPlan::list) == plans_.end();
    });
    std::erase_if(full_sets_, [&](const auto& one) { return max_elements(one.first) == 0; });
    say_plans();
    has_routes_ |= std::ranges::any_of(
        plans_, [](const sets::SetPlan& plan) { return plan.families.front().set.is_routes(); });
    if (plans_.empty() && (!life_ || !has_routes_)) {
        stop();
    } else if (!life_ && !is_starting_) {
        start_soon();
    }
    flush();
    shown_.planned(plans_, trouble_.empty()
                               ? std::string(sets::kProgramName) + " has not reported yet"
                               : trouble_);
}

std::vector<KeptList> SetSink::lists() const {
    std::vector<KeptList> all;
    for (const sets::SetPlan& plan : plans_) {
        all.push_back({plan.list, plan.tag});
        all.back().terms.allowed = plan.allowed;
    }
    return all;
}

void SetSink::claim(const Claim& claim, std::uint64_t now_ms) {
    const auto until_s =
        claim.row_life_s == 0
            ? UINT32_MAX
            : static_cast<std::uint32_t>((claim.raised_ms + 999) / 1000) + claim.row_life_s;
    const auto now_s = static_cast<std::uint32_t>(now_ms / 1000);
    bool is_taken = true;
    for (const IpAddress& address : claim.addresses) {
        if (claims_.add({claim.list, address, until_s}, now_s)) continue;
        overflow(claim.list);
        observer_.refused(*this, claim.list, address, RefusedFor::all);
        is_taken = false;
    }
    if (claim.hold_token == 0) return;
    now_ms_ = now_ms;
    if (!is_taken) return observer_.settled(claim.hold_token, Outcome::refused);
    if (!here_.contains(claim.list) ||
        !held_.add(claim.hold_token, claim.list, claim.addresses, until_s, now_ms))
        observer_.settled(claim.hold_token, Outcome::router_away);
}

void SetSink::flush() {
    const LifePtr life = life_;
    if (!life || life->waits_for_room || life->is_unneeded ||
        (plans_out_.empty() && claims_.empty()))
        return;
    if (send_plans(life) && send_claims(life)) heal_overflow();
}

void SetSink::say_plans() {
    plans_out_.clear();  // the process forgets a part that it has when others begin
    for (std::string& message : sets::encode_plans(number_, plans_))
        plans_out_.push_back(std::move(message));
}

// Logged once, until there is space again.
void SetSink::overflow(ListId list) {
    overflows_.fetch_add(1, std::memory_order_relaxed);
    if (overflowed_.empty()) {
        log_(sets::Level::warning,
             std::to_string(claims_.size()) + " claims wait for " + sets::kProgramName +
                 ": others are dropped; hits claim them again when there is room");
    }
    overflowed_.insert(list);
}

// There is space again.
void SetSink::heal_overflow() {
    for (const ListId list : std::exchange(overflowed_, {}))
        observer_.epoch(*this, list);
}

std::size_t SetSink::max_elements(const sets::SetName& set) const {
    std::size_t most = 0;
    for (const sets::SetPlan& plan : plans_) {
        if (uses(plan, set)) most = std::max<std::size_t>(most, plan.max_elements);
    }
    return most;
}

// Cached answers whose claims a full set dropped count as covered: a new epoch makes their hits claim again. Rows that the
// kernel refuses need none: the process tries them again.
void SetSink::heal_full(const std::vector<sets::SetStatus>& states) {
    const auto now = std::chrono::steady_clock::now();
    for (const sets::SetStatus& state : states) {
        FullSet& full = full_sets_[state.set];
        full.dropped = std::min(full.dropped, state.counters.full);  // 0 again: the set is new
        const bool has_room = state.claims < max_elements(state.set);
        if (state.counters.full == full.dropped || !has_room || now < full.next_epoch) continue;
        full = {state.counters.full, now + epoch_pause_};
        for (const sets::SetPlan& plan : plans_) {
            if (uses(plan, state.set)) observer_.epoch(*this, plan.list);
        }
    }
}

// ---- status

void SetSink::notify_ready(const std::vector<sets::SetStatus>& states) {
    const auto is_ready = [&](const sets::SetPlan::Family& family) {
        const auto at = std::ranges::find(states, family.set, &sets::SetStatus::set);
        return at != states.end() && at->ready;
    };
    for (const sets::SetPlan& plan : plans_) {
        if (!std::ranges::all_of(plan.families, is_ready)) {
            notify_away(plan.list);
        } else if (here_.insert(plan.list).second) {
            observer_.away(*this, plan.list, false);
        }
    }
}

void SetSink::notify_away(ListId list) {
    if (here_.erase(list) != 0) {
        observer_.away(*this, list, true);
        lost_[list] = std::chrono::steady_clock::now();
    }
    settle(held_.end(list), Outcome::router_away);
}

void SetSink::settle(const HeldClaims::Tokens& tokens, Outcome outcome) {
    for (const std::uint64_t token : tokens)
        observer_.settled(token, outcome);
}

SinkHealth SetSink::health() const {
    SinkHealth health{.name = "kernel sets", .away = here_.empty(), .write_us = write_us_};
    for (const sets::SetPlan& plan : plans_)
        health.capacity += plan.max_elements * plan.families.size();
    for (const sets::SetStatus& set : shown_.report().sets) {
        health.rows += set.claims;
        health.pending += set.pending;
    }
    health.rows += claims_.size();  // not there yet
    health.pending += claims_.size();
    return health;
}

std::vector<NeededList> SetSink::needed(std::uint64_t now_ms) const {
    std::vector<NeededList> all;
    if (ready_.empty()) return all;
    const std::vector<sets::SetStatus> states = shown_.report().sets;
    for (const sets::SetPlan& plan : plans_) {
        const auto need = ready_.find(plan.list);
        if (need == ready_.end()) continue;
        NeededList& list = all.emplace_back();
        list.tag = plan.tag;
        list.need = need->second;
        list.is_away = !here_.contains(plan.list);
        if (const auto lost = lost_.find(plan.list); lost != lost_.end()) {
            const auto ago = std::chrono::duration_cast<std::chrono::milliseconds>(
                std::chrono::steady_clock::now() - lost->second);
            list.was_reached = true;
            list.away_since_ms = now_ms - std::min(now_ms, static_cast<std::uint64_t>(ago.count()));
        }
        for (const sets::SetPlan::Family& family : plan.families) {
            const auto state = std::ranges::find(states, family.set, &sets::SetStatus::set);
            if (state == states.end() || state->ready) continue;
            list.where += (list.where.empty() ? "" : ", ") + family.set.text();
            if (list.trouble.empty()) list.trouble = state->trouble;
        }
        // It has not answered since a reload.
        if (list.where.empty()) list.where = sets::kProgramName;
    }
    return all;
}

SetReport SetSink::report() const {
    SetReport report = shown_.report();
    report.overflows = overflows_.load(std::memory_order_relaxed);
    return report;
}

}  // namespace steer::kernel_sets
