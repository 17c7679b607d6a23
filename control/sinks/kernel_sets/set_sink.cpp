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

// Who waits for the process has the same part of the queue as of the set.
routeros::ClaimBounds queue_bounds(const sets::SetPlan& plan) {
    const auto part = [&](std::size_t share) {
        return share == SIZE_MAX ? share
                                 : std::max(share, share * SetSink::kMaxClaims / plan.max_elements);
    };
    return {
        SetSink::kMaxClaims,
        {part(plan.shares.per_name), part(plan.shares.per_domain), part(plan.shares.per_client)}};
}

RefusedFor whom_of(const routeros::RefusedClaim& why) {
    return why.of_client ? RefusedFor::client : RefusedFor::name;
}

}  // namespace

SetSink::SetSink(boost::asio::io_context& io, SinkObserver& observer, Start start, Log log,
                 RestartBackoff backoff, std::chrono::milliseconds most_silence,
                 std::chrono::milliseconds epoch_pause)
    : observer_(observer),
      log_(std::move(log)),
      epoch_pause_(epoch_pause),
      child_(io, *this, std::move(start),
             {sets::kProgramName, sets::kMaxMessage, most_silence, backoff}) {}

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
    const auto is_gone = [&](const auto& one) { return max_elements(one.first) == 0; };
    std::erase_if(full_sets_, is_gone);
    std::erase_if(refusals_, is_gone);
    say_plans();
    has_routes_ |= std::ranges::any_of(
        plans_, [](const sets::SetPlan& plan) { return plan.families.front().set.is_routes(); });
    if (!plans_.empty()) {
        child_.start_soon();
    } else if (!child_.is_running() || !has_routes_) {
        error_.clear();
        child_.end("there are no sets");
    }
    flush();
    shown_.planned(plans_, error_.empty()
                               ? std::string(sets::kProgramName) + " has not reported yet"
                               : error_);
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
    now_ms_ = now_ms;
    sets::ClaimRow row;
    routeros::ClaimBounds bounds{kMaxClaims};
    routeros::Origin origin;
    const sets::SetPlan* const plan = plan_of(claim.list);
    if (plan != nullptr && plan->shares.any()) {
        origin.name = row.origin.name = claim.name;
        if (claim.client != nullptr) {
            row.origin.client = *claim.client;
            origin.client = claim.client->bytes;
        }
        // Without the list: several lists may fill one set.
        row.holders = routeros::Shares::holders_of(0, origin);
        bounds = queue_bounds(*plan);
    }
    bool is_taken = true;
    for (const IpAddress& address : claim.addresses) {
        row.what = {claim.list, address, until_s};
        const auto added = claims_.add(row, bounds, now_s);
        if (added.evicted) {
            overflow(added.evicted->what, {}, {}, bounds, now_ms);
            settle(held_.refused(added.evicted->what), Outcome::refused);
        }
        if (added.is_taken) continue;
        overflow(row.what, claims_.refusal(), origin, bounds, now_ms);
        is_taken = false;
    }
    if (claim.hold_token == 0) return;
    if (!is_taken) return observer_.settled(claim.hold_token, Outcome::refused);
    if (!here_.contains(claim.list) ||
        !held_.add(claim.hold_token, claim.list, claim.addresses, until_s, now_ms))
        observer_.settled(claim.hold_token, Outcome::router_away);
}

void SetSink::flush() {
    if (!child_.has_room() || (plans_out_.empty() && claims_.empty())) return;
    if (send_plans() && send_claims()) heal_overflow();
}

void SetSink::say_plans() {
    plans_out_.clear();  // the process forgets a part that it has when others begin
    for (std::string& message : sets::encode_plans(number_, plans_))
        plans_out_.push_back(std::move(message));
}

const sets::SetPlan* SetSink::plan_of(ListId list) const {
    const auto at = std::ranges::find(plans_, list, &sets::SetPlan::list);
    return at == plans_.end() ? nullptr : &*at;
}

// A claim that cannot wait. A full queue is logged once, until there is space again.
void SetSink::overflow(const sets::Installed& row, const routeros::RefusedClaim& why,
                       const routeros::Origin& origin, const routeros::ClaimBounds& bounds,
                       std::uint64_t now_ms) {
    overflows_.fetch_add(1, std::memory_order_relaxed);
    observer_.refused(*this, row.list, row.address,
                      why.why == routeros::ClaimRefusal::list ? RefusedFor::all : whom_of(why));
    if (why.why != routeros::ClaimRefusal::list) {
        const std::string sentence = queue_refusals_.refused(
            why.why, origin, bounds,
            {"the queue of " + std::string(sets::kProgramName), "claims", "max_elements"}, now_ms);
        if (!sentence.empty()) log_(sets::Level::warning, sentence);
    } else if (!std::exchange(is_full_logged_, true)) {
        log_(sets::Level::warning,
             std::to_string(claims_.size()) + " claims wait for " + sets::kProgramName +
                 ": others are dropped; hits claim them again when there is room");
    }
    overflowed_.insert(row.list);
}

// The process has no room for a claim, or the kernel rejects it.
void SetSink::take_refused(const sets::RefusedRow& row) {
    const sets::Installed& what = row.claim.what;
    const sets::SetPlan* const plan = plan_of(what.list);
    if (!row.why || plan == nullptr || !plan->shares.any())
        return observer_.refused(*this, what.list, what.address, RefusedFor::all);
    routeros::Origin origin{row.claim.origin.name};
    if (row.claim.origin.client) origin.client = row.claim.origin.client->bytes;
    observer_.refused_later(*this, what.list, what.address, whom_of(*row.why), origin.name,
                            row.claim.origin.client.value_or(IpAddress{}));
    const auto is_its = [&](const auto& one) { return one.set.v6 != what.address.is_v4(); };
    const auto family = std::ranges::find_if(plan->families, is_its);
    if (family == plan->families.end()) return;
    const bool is_routes = family->set.is_routes();
    const std::string sentence =
        refusals_[family->set].refused(row.why->why, origin, {plan->max_elements, plan->shares},
                                       {family->set.text(), is_routes ? "routes" : "elements",
                                        is_routes ? "max_routes" : "max_elements"},
                                       now_ms_);
    if (!sentence.empty()) log_(sets::Level::warning, sentence);
}

// There is space again.
void SetSink::heal_overflow() {
    is_full_logged_ = false;
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

// Cached answers whose claims a full set dropped or evicted count as covered: a new epoch makes their hits claim again.
// Rows that the kernel refuses need none: the process tries them again.
void SetSink::heal_full(const std::vector<sets::SetStatus>& states) {
    const auto now = std::chrono::steady_clock::now();
    for (const sets::SetStatus& state : states) {
        FullSet& full = full_sets_[state.set];
        const sets::SetCounters& counters = state.counters;
        full.dropped = std::min(full.dropped, counters.full);  // 0 again: the set is new
        full.evicted = std::min(full.evicted, counters.evicted);
        const bool has_room =
            counters.full != full.dropped && state.claims < max_elements(state.set);
        if ((!has_room && counters.evicted == full.evicted) || now < full.next_epoch) continue;
        full = {counters.full, counters.evicted, now + epoch_pause_};
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
            if (list.error.empty()) list.error = state->error;
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
