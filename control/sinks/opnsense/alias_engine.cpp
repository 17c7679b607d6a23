#include "control/sinks/opnsense/alias_engine.h"

#include <algorithm>
#include <utility>

#include "matchers/safe_text.h"

namespace steer::opnsense {
namespace {

using routeros::Level;

constexpr std::size_t kEndEvery = 4;             // background writes; the others add
constexpr std::uint64_t kEpochEveryMs = 10'000;  // at most, after dropped claims

}  // namespace

std::string AliasEngine::about(const Alias& alias) const {
    return "OPNsense router '" + plan_.name + "': alias '" + alias.state.plan().name + "' ";
}

// ---- the configuration

void AliasEngine::configure(const build::OpnsensePlan& plan, bool is_new_access,
                            std::uint64_t now_ms) {
    plan_ = plan;
    plan_.aliases.clear();
    for (const AliasPtr& alias : aliases_) {
        const auto wanted =
            std::ranges::find(plan.aliases, alias->state.plan().name, &build::AliasPlan::name);
        const bool is_gone = wanted == plan.aliases.end();
        if (is_gone || wanted->list != alias->state.plan().list)
            settle(alias->state.take_tokens(), Outcome::router_away);
        if (!is_gone && *wanted != alias->state.plan()) {
            alias->state.set_plan(*wanted);
            lose(*alias, now_ms);  // another list knows nothing yet
            alias->due_ms = now_ms;
        }
        if (!is_gone && alias->is_retired) {
            lose(*alias, now_ms);
            alias->due_ms = now_ms;
        }
        if (alias->phase == Phase::ready)
            alias->due_ms = std::min(alias->due_ms, now_ms + plan_.read_every_ms);
        alias->is_retired = is_gone;
    }
    for (const build::AliasPlan& wanted : plan.aliases) {
        const bool is_known = std::ranges::any_of(aliases_, [&](const AliasPtr& alias) {
            return alias->state.plan().name == wanted.name;
        });
        if (is_known) continue;
        const auto& fresh =
            aliases_.emplace_back(std::make_shared<Alias>(wanted, shares_, aliases_so_far_++));
        lose(*fresh, now_ms);
    }
    if (is_new_access) {
        for (auto& flight : flights_)
            flight.reset();
        for (const AliasPtr& alias : aliases_) {
            lose(*alias, now_ms);
            alias->due_ms = now_ms;
            alias->is_refused = false;
            alias->state.reset_work();
        }
        retry_ms_ = now_ms;
        backoff_ms_ = 0;
        is_up_ = false;
    }
    drop_retired();
    update_away();
}

void AliasEngine::pause(bool on) {
    if (std::exchange(is_paused_, on) != on) update_away();
}

void AliasEngine::drop_retired() {
    std::erase_if(aliases_, [](const AliasPtr& alias) {
        return alias->is_retired && alias->state.size() == 0;
    });
}

std::vector<KeptList> AliasEngine::lists() const {
    std::vector<KeptList> all;
    for (const AliasPtr& alias : aliases_) {
        const build::AliasPlan& plan = alias->state.plan();
        if (alias->is_retired || std::ranges::find(all, plan.list, &KeptList::id) != all.end())
            continue;
        all.push_back({plan.list, plan.tag, plan.quorum});
        all.back().terms.allowed = plan.allowed;
    }
    return all;
}

// ---- claims

void AliasEngine::claim(const Claim& claim, std::uint64_t now_ms) {
    const bool waits = claim.hold_token != 0 && here_.contains(claim.list);
    routeros::Origin origin{claim.name};
    if (claim.client != nullptr) origin.client = claim.client->bytes;
    unsigned lacking = 0;
    bool is_refused = false;
    for (const IpAddress& address : claim.addresses) {
        for (const AliasPtr& alias : aliases_) {
            const build::AliasPlan& plan = alias->state.plan();
            if (alias->is_retired || plan.list != claim.list ||
                !(address.is_v4() ? plan.v4 : plan.v6))
                continue;
            const std::uint64_t life_s =
                claim.row_life_s == 0 ? plan.longest_life_s : claim.row_life_s;
            const std::uint64_t until_ms = claim.raised_ms + life_s * 1'000;
            if (until_ms <= now_ms) continue;
            switch (claim_element(*alias, address, until_ms, waits ? claim.hold_token : 0, origin,
                                  now_ms)) {
                case AliasState::Claimed::here:
                    if (alias->phase == Phase::ready) arrived(*alias, address);
                    break;
                case AliasState::Claimed::waits:
                    ++lacking;
                    break;
                case AliasState::Claimed::refused:
                    is_refused = true;
                    refuse(*alias, address, origin, now_ms);
                    break;
            }
        }
    }
    if (claim.hold_token == 0) return;
    if (lacking > 0 && waits && !is_refused) {
        waits_.emplace(claim.hold_token, lacking);
    } else {
        observer_.settled(claim.hold_token, is_refused ? Outcome::refused
                                            : !waits   ? Outcome::router_away
                                                       : Outcome::already_there);
    }
}

AliasState::Claimed AliasEngine::claim_element(Alias& alias, const IpAddress& address,
                                               std::uint64_t until_ms, std::uint64_t token,
                                               const routeros::Origin& origin,
                                               std::uint64_t now_ms) {
    AliasState& state = alias.state;
    const auto claimed = state.claim(address, until_ms, token, origin);
    if (claimed != AliasState::Claimed::refused ||
        state.refusal().why != routeros::ClaimRefusal::list)
        return claimed;
    if (!state.make_room(now_ms)) {
        const auto evicted = state.evict(origin);
        if (!evicted) return claimed;
        ++alias.counters.evicted;
        observer_.lost(sink_, state.plan().list, *evicted);
    }
    return state.claim(address, until_ms, token, origin);
}

void AliasEngine::refuse(Alias& alias, const IpAddress& address, const routeros::Origin& origin,
                         std::uint64_t now_ms) {
    const routeros::RefusedClaim refusal = alias.state.refusal();
    const build::AliasPlan& plan = alias.state.plan();
    if (refusal.why == routeros::ClaimRefusal::list) {
        alias.is_overflowed = true;
        ++alias.counters.full;
    } else {
        ++alias.counters.over_share;
    }
    observer_.refused(sink_, plan.list, address,
                      !plan.shares.any()  ? RefusedFor::all
                      : refusal.of_client ? RefusedFor::client
                                          : RefusedFor::name);
    const std::string sentence =
        alias.refusals.refused(refusal.why, origin, alias.state.bounds(),
                               {"alias '" + plan.name + "'", "elements", "max_elements"}, now_ms);
    if (!sentence.empty())
        log_(Level::warning, "OPNsense router '" + plan_.name + "': " + sentence);
}

void AliasEngine::settle(const AliasState::Tokens& tokens, Outcome outcome) {
    for (const std::uint64_t token : tokens) {
        const auto found = waits_.find(token);
        if (found == waits_.end()) continue;
        if (outcome == Outcome::installed && --found->second > 0) continue;
        waits_.erase(found);
        observer_.settled(token, outcome);
    }
}

void AliasEngine::arrived(Alias& alias, const IpAddress& address) {
    const auto until_ms = alias.state.here_until_ms(address);
    if (!until_ms) return;
    if (!alias.is_retired)
        observer_.installed(sink_, alias.state.plan().list, address, board_s(*until_ms));
    settle(alias.state.take_tokens(address), Outcome::installed);
}

// An epoch has all rows of the list claimed again, so an alias that stays full must not start one at each deletion.
void AliasEngine::heal_overflow(Alias& alias, std::uint64_t now_ms) {
    if (!alias.is_overflowed || alias.is_retired || now_ms < alias.epoch_ms ||
        alias.state.size() >= alias.state.plan().max_elements)
        return;
    alias.is_overflowed = false;
    alias.epoch_ms = now_ms + kEpochEveryMs;
    observer_.epoch(sink_, alias.state.plan().list);
}

// ---- requests

ApiRequest AliasEngine::send(Lane lane, Flight flight, ApiRequest request) {
    flights_[lane_index(lane)] = std::move(flight);
    return request;
}

std::optional<ApiRequest> AliasEngine::next(Lane lane, std::uint64_t now_ms) {
    for (const AliasPtr& alias : aliases_)
        heal_overflow(*alias, now_ms);
    if (flights_[lane_index(lane)] || now_ms < retry_ms_) return std::nullopt;
    return lane == Lane::read ? next_read(now_ms) : next_write(now_ms);
}

std::uint64_t AliasEngine::describe_due_ms() const {
    std::uint64_t due_ms = UINT64_MAX;
    for (const AliasPtr& alias : aliases_) {
        if (alias->phase == Phase::ready)
            due_ms = std::min(due_ms, alias->is_unsure ? 0 : describe_ms_);
    }
    return due_ms;
}

std::optional<ApiRequest> AliasEngine::next_read(std::uint64_t now_ms) {
    AliasPtr first;
    for (const AliasPtr& alias : aliases_) {
        if (alias->due_ms <= now_ms && (!first || alias->due_ms < first->due_ms)) first = alias;
    }
    const bool is_due = describe_due_ms() <= now_ms;
    if (!first && !is_due) return std::nullopt;
    if (is_due || first->phase == Phase::unknown)
        return send(Lane::read, {Kind::describe, nullptr, {}, now_ms}, describe_aliases());
    return send(Lane::read, {Kind::list, first, {}, now_ms}, list_table(first->state.plan().name));
}

std::optional<ApiRequest> AliasEngine::next_write(std::uint64_t now_ms) {
    if (is_paused_) return std::nullopt;
    for (const AliasPtr& alias : aliases_) {
        if (!may_write(*alias)) continue;
        if (alias->state.has_held() && alias->state.has_evicted()) {
            if (auto request = end_of(alias, now_ms)) return request;
        }
        if (const auto address = alias->state.next_held(now_ms)) {
            return send(Lane::write, {Kind::add, alias, *address, now_ms},
                        add_element(alias->state.plan().name, *address));
        }
    }
    if (now_ms < routine_ms_) return std::nullopt;
    const bool ends_first = ++turn_ % kEndEvery == 0;
    if (auto request = ends_first ? next_end(now_ms) : next_add(now_ms)) return request;
    return ends_first ? next_add(now_ms) : next_end(now_ms);
}

std::optional<ApiRequest> AliasEngine::next_add(std::uint64_t now_ms) {
    for (std::size_t i = 0; i < aliases_.size(); ++i) {
        const AliasPtr& alias = aliases_[(turn_ + i) % aliases_.size()];
        if (!may_write(*alias) || alias->is_retired) continue;
        if (alias->state.has_evicted()) {
            if (auto request = end_of(alias, now_ms)) return request;
        }
        if (const auto address = alias->state.next_add(now_ms)) {
            return send(Lane::write, {Kind::add, alias, *address, now_ms},
                        add_element(alias->state.plan().name, *address));
        }
        alias->is_repairing = false;
    }
    return std::nullopt;
}

std::optional<ApiRequest> AliasEngine::next_end(std::uint64_t now_ms) {
    for (std::size_t i = 0; i < aliases_.size(); ++i) {
        const AliasPtr alias = aliases_[(turn_ + i) % aliases_.size()];
        if (!may_write(*alias)) continue;
        if (auto request = end_of(alias, now_ms)) return request;
    }
    drop_retired();
    return std::nullopt;
}

std::optional<ApiRequest> AliasEngine::end_of(const AliasPtr& alias, std::uint64_t now_ms) {
    while (const auto ended = alias->state.next_ended(now_ms)) {
        if (!ended->is_evicted)  // else it was reported as lost
            observer_.ended(sink_, alias->state.plan().list, ended->address);
        if (ended->is_foreign) continue;
        settle(alias->state.take_tokens(ended->address), Outcome::failed);
        return send(Lane::write, {Kind::remove, alias, ended->address, now_ms},
                    delete_element(alias->state.plan().name, ended->address));
    }
    return std::nullopt;
}

std::uint64_t AliasEngine::wake_ms(Lane lane) const {
    std::uint64_t wake = UINT64_MAX;
    if (flights_[lane_index(lane)]) return wake;
    if (lane == Lane::read) wake = describe_due_ms();
    for (const AliasPtr& alias : aliases_) {
        if (lane == Lane::read) {
            wake = std::min(wake, alias->due_ms);
        } else if (may_write(*alias) && !is_paused_) {
            if (alias->state.has_held()) wake = 0;
            const bool has_work =
                alias->state.has_evicted() || (alias->state.has_adds() && !alias->is_retired);
            const std::uint64_t routine = has_work ? 0 : alias->state.first_end_ms();
            if (routine != UINT64_MAX) wake = std::min(wake, std::max(routine, routine_ms_));
        }
    }
    return wake == UINT64_MAX ? wake : std::max(wake, retry_ms_);
}

// ---- what is shown

SinkHealth AliasEngine::health() const {
    SinkHealth health{
        .name = "OPNsense " + plan_.name, .away = here_.empty(), .write_us = write_us_};
    for (const AliasPtr& alias : aliases_) {
        health.rows += alias->state.size();
        health.pending += alias->state.waiting();
        health.capacity += alias->state.plan().max_elements;
    }
    return health;
}

// A list needs all of its aliases. Slow writes do not count: they arrive.
std::vector<NeededList> AliasEngine::needed() const {
    std::vector<NeededList> all;
    for (const AliasPtr& alias : aliases_) {
        const build::AliasPlan& plan = alias->state.plan();
        if (alias->is_retired || plan.ready == config::ReadyNeed::off) continue;
        auto list = std::ranges::find(all, plan.tag, &NeededList::tag);
        if (list == all.end()) {
            list = all.insert(list, NeededList{.tag = plan.tag,
                                               .need = plan.ready,
                                               .where = plan_.name,
                                               .is_away = false,
                                               .is_stopped = is_paused_,
                                               .was_reached = true,
                                               .error = safe_text(error_)});
        }
        const bool is_refused = alias->is_refused && alias->state.waiting() > 0;
        if (alias->phase == Phase::ready && !is_refused) continue;
        // An alias that is not known yet gets the grace, one that may not be written does not.
        if (!alias->was_ready && !(is_up_ && alias->error.empty())) list->was_reached = false;
        if (!list->is_away || alias->lost_ms < list->away_since_ms)
            list->away_since_ms = alias->lost_ms;
        list->is_away = true;
        if (list->error.empty() && !alias->error.empty())
            list->error = "alias '" + plan.name + "' " + safe_text(alias->error);
    }
    return all;
}

RouterReport AliasEngine::report() const {
    RouterReport report{
        .name = plan_.name,
        .address = plan_.address.to_string() + " port " + std::to_string(plan_.port),
        .reachable = is_up_,
        .paused = is_paused_,
        .error = error_};
    for (const AliasPtr& alias : aliases_) {
        const bool is_slow = alias->slow_writes >= kSlowWrites;
        report.aliases.push_back({.name = alias->state.plan().name,
                                  .tag = alias->state.plan().tag,
                                  .ready = alias->phase == Phase::ready,
                                  .error = alias->error.empty() && is_slow
                                               ? "its writes are slower than `sync_timeout`"
                                               : alias->error,
                                  .elements = alias->state.size(),
                                  .pending = alias->state.waiting(),
                                  .foreign = alias->state.foreign(),
                                  .counters = alias->counters});
    }
    return report;
}

}  // namespace steer::opnsense
