#include "control/sinks/set_process/set_service.h"

#include <algorithm>
#include <bit>
#include <unordered_set>
#include <utility>

namespace steer::sets {
namespace {

constexpr std::size_t kBatch = 512;
constexpr std::uint32_t kFirstBackoffMs = 1'000, kMaxBackoffMs = 30'000;
constexpr std::uint64_t kRefusedAgainMs = 30'000;
constexpr std::uint64_t kReadAgainMs = 100;  // of a set that others change
constexpr std::uint64_t kExpireEveryMs = 10'000;
// Maximum tries to find refused elements in a batch; then the rest waits with them.
constexpr unsigned kMaxRefused = 64;
constexpr std::uint32_t kNoTimeout = UINT32_MAX;
// Of routes that are restored or removed, over all tables.
constexpr std::size_t kRoutesPerStep = 2048;
constexpr std::uint64_t kStepMs = 100;
constexpr unsigned kWholeAddress = 128;  // bits

}  // namespace

matchers::Prefix SetService::Shape::around(const IpAddress& address) const noexcept {
    unsigned length = mask;
    for (const matchers::Prefix& never : never_claim) {
        const bool same_family = (never.length >= 96 && never.address.is_v4()) == address.is_v4();
        if (!same_family) continue;
        unsigned common = 0;  // bits
        for (std::size_t i = 0; i < 16 && common == i * 8; ++i) {
            const auto differing =
                static_cast<std::uint8_t>(never.address.bytes[i] ^ address.bytes[i]);
            common += static_cast<unsigned>(std::countl_zero(differing));
        }
        // An address in the prefix of a NAT64 may be below it: its neighbours are other hosts' addresses.
        length = common >= never.length ? kWholeAddress
                                        : std::max(length, std::min(common + 1, kWholeAddress));
    }
    return matchers::Prefix::masked(address, length);
}

SetService::SetService(SetWriter& writer, Sink sink) : writer_(writer), sink_(std::move(sink)) {}

void SetService::configure(const std::vector<SetPlan>& plans) {
    sets_of_list_.clear();
    std::map<SetName, std::map<ListId, Shape>> before;
    for (auto& [name, state] : sets_) {
        before[name] = std::exchange(state.shapes, {});
        state.limits.clear();
        state.max_elements = 0;
    }
    for (const SetPlan& plan : plans) {
        FamilySets& families = sets_of_list_[plan.list];
        for (const SetPlan::Family& family : plan.families) {
            const auto [at, is_new] = sets_.try_emplace(family.set, shares_, sets_so_far_);
            if (is_new) ++sets_so_far_;
            SetState& state = at->second;
            state.limits[plan.list] = plan.shares;
            state.shapes[plan.list] = {family.set.v6 ? family.mask : family.mask + 96,
                                       plan.never_claim};
            state.max_elements = std::max<std::size_t>(state.max_elements, plan.max_elements);
            state.ends.configure(plan.ends, state.max_elements);
            (family.set.v6 ? families.v6 : families.v4) = &state;
        }
    }
    end_unused();
    // If elements have another shape now, hits claim again.
    for (auto& [name, state] : sets_) {
        const auto old = before.find(name);
        if (old == before.end()) continue;
        const bool changed = std::ranges::any_of(state.shapes, [&](const auto& one) {
            const auto was = old->second.find(one.first);
            return was != old->second.end() && was->second != one.second;
        });
        if (changed) forget_claims(state);
    }
}

// Routes of a list that was removed end with their leases.
void SetService::end_unused() {
    std::erase_if(sets_, [](const auto& one) {
        const SetState& state = one.second;
        return state.shapes.empty() && (!state.ability.removal || state.claims.size() == 0);
    });
}

routeros::ClaimBounds SetService::SetState::bounds(ListId list) const {
    const auto at = limits.find(list);
    if (at == limits.end()) return {max_elements};
    return {max_elements, at->second};
}

void SetService::claim(ClaimRow row) {
    const auto at = sets_of_list_.find(row.what.list);
    if (at == sets_of_list_.end()) return;
    SetState* const state = row.what.address.is_v4() ? at->second.v4 : at->second.v6;
    if (state == nullptr) return;
    row.holders = routeros::Shares::within(row.holders, state->number);
    if (state->known) return take(*state, std::move(row));
    const auto added = state->early.add(row, state->bounds(row.what.list), 0);
    if (added.evicted) reject(*state, *added.evicted, {routeros::ClaimRefusal::list, false});
    if (!added.is_taken) reject(*state, std::move(row), state->early.refusal());
}

void SetService::reject(SetState& state, ClaimRow row, const routeros::RefusedClaim& why) {
    ++(why.why == routeros::ClaimRefusal::list ? state.counters.full : state.counters.over_share);
    state.rejected.push_back({std::move(row), why});
}

void SetService::forget_claims(SetState& state) {
    if (!state.ability.removal) {
        state.claims.drop_if([](const Claim&) { return true; });
        state.pending.clear();
        state.refused.clear();
    }
    for (const auto& [list, shape] : state.shapes)
        sink_.lost(list);
}

void SetService::take(SetState& state, ClaimRow row) {
    const Installed& what = row.what;
    const auto shape = state.shapes.find(what.list);
    if (shape == state.shapes.end()) return;
    const auto element = state.ability.prefixes ? shape->second.around(what.address)
                                                : matchers::Prefix::masked(what.address, 128);
    const auto raise = [&] {
        return state.claims.raise(element, row.holders, std::uint64_t{what.until_s} * 1000,
                                  state.bounds(what.list));
    };
    auto raised = raise();
    if (!raised && state.claims.refusal().why == routeros::ClaimRefusal::list && evict(state, row))
        raised = raise();
    if (!raised) return reject(state, std::move(row), state.claims.refusal());
    Claim& claim = *raised.claim;
    if (claim.written_until_s < claim.until_s()) mark_pending(state, element, claim);
    if (state.ready) state.notifications.push_back({what, element});
}

// Makes space in a full set. An element that is in the kernel is removed by the next work(). In a set without timeouts it
// may be the operator's as well. In a set with auto-merge it stays until its lease ends.
bool SetService::evict(SetState& state, const ClaimRow& row) {
    const bool removes = state.ability.evicts || state.ability.removal;
    const auto is_written = [](const Claim& one) { return one.written_until_s != 0; };
    const auto may_go = [&](const Claim& one) {
        return !one.pending && (removes || !is_written(one));
    };
    Claim* const chosen =
        state.claims.candidate(0, row.holders, state.bounds(row.what.list), may_go, is_written);
    if (chosen == nullptr) return false;
    ++state.counters.evicted;
    if (chosen->written_until_s == 0) {
        state.claims.drop(chosen->key);
    } else {
        state.claims.leave(*chosen);
        state.evicted.push_back(chosen->key);
    }
    return true;
}

void SetService::mark_pending(SetState& state, const matchers::Prefix& element, Claim& claim) {
    if (std::exchange(claim.pending, true)) return;
    state.pending.push_back(element);
}

void SetService::mark_all_pending(SetState& state) {
    state.refused.clear();
    state.pending.clear();
    state.claims.drop_if([](const Claim& claim) { return claim.is_leaving; });
    state.evicted.clear();
    state.claims.for_each([&](Claim& claim) {
        claim.written_until_s = 0;
        claim.pending = claim.is_refused = false;
        mark_pending(state, claim.key, claim);
    });
}

void SetService::work(std::uint64_t now_ms) {
    for (auto& [name, state] : sets_) {
        if (now_ms >= state.expire_ms) expire(state, now_ms);
        if (!state.ready && now_ms >= state.try_ms) read(name, state, now_ms);
        if (!state.refused.empty() && now_ms >= state.refused_ms) {
            for (const auto& element : std::exchange(state.refused, {})) {
                Claim* const claim = state.claims.find(element);
                if (claim == nullptr) continue;
                claim->is_refused = false;
                mark_pending(state, element, *claim);
            }
        }
        remove_evicted(name, state, now_ms);
        if (state.ready && !state.pending.empty()) write(name, state, now_ms);
        notify(state);
    }
    for (auto& [name, state] : sets_) {
        if (state.ready && !state.missing.empty() && now_ms >= step_ms_)
            restore(name, state, now_ms);
    }
    for (auto& [name, state] : sets_) {
        if (state.ready && state.ability.removal && now_ms >= step_ms_)
            remove_ended(name, state, now_ms);
    }
    end_unused();
}

std::uint64_t SetService::next_ms() const {
    std::uint64_t next = UINT64_MAX;
    for (const auto& [name, state] : sets_) {
        if (!state.ready) next = std::min(next, state.try_ms);
        if (state.ready && (!state.pending.empty() || !state.notifications.empty())) next = 0;
        if (state.ready && !state.ability.removal && !state.evicted.empty()) next = 0;
        if (!state.refused.empty()) next = std::min(next, state.refused_ms);
        if (state.ready && state.ability.removal) {
            const bool has_work = !state.missing.empty() || !state.evicted.empty();
            const std::uint64_t end_ms = has_work ? 0 : state.claims.next_expiry_ms();
            next = std::min(next, std::max(end_ms, step_ms_));
        } else if (state.claims.size() > 0) {
            next = std::min(next, state.expire_ms);
        }
    }
    return next;
}

// ---- the set as the kernel has it

void SetService::read(const SetName& name, SetState& state, std::uint64_t now_ms) {
    state.read_ms = now_ms;
    const auto ability = writer_.read(name);
    if (!ability) return fail(name, state, ability.error().text, now_ms);
    std::vector<matchers::Prefix> existing;
    if (ability->removal) {
        auto ours = writer_.ours(name);
        if (!ours) return fail(name, state, ours.error().text, now_ms);
        existing = std::move(*ours);
    }
    const SetAbility before = std::exchange(state.ability, *ability);
    const bool first = !std::exchange(state.known, true);
    state.ready = true;
    state.backoff_ms = 0;
    state.error.clear();
    if (!first && before.prefixes != ability->prefixes) {
        // What was claimed is another element now: hits claim it again.
        forget_claims(state);
    }
    if (before != *ability) state.noted = false;
    note_ability(name, state);
    if (first) adopt(name, state, existing, now_ms);
    std::vector<ClaimRow> early = state.early.first(state.early.size());
    state.early.drop_first(early.size());
    for (ClaimRow& row : early)
        take(state, std::move(row));
    std::size_t lost = 0;
    const bool may_lack = std::exchange(state.emptied, false) && state.claims.size() > 0;
    if (may_lack && ability->removal) {
        lost = note_missing(state, existing, now_ms);
    } else if (may_lack) {
        mark_all_pending(state);
        lost = state.pending.size();
    }
    if (lost > 0) {
        ++state.counters.restored;
        sink_.log(Level::info, name.text() + " was changed by another program: its " +
                                   std::to_string(lost) + " elements are written again");
    } else if (state.complained) {
        sink_.log(Level::info, name.text() + " can be filled now: " +
                                   std::to_string(state.pending.size()) + " elements wait for it");
    }
    state.complained = false;
}

void SetService::note_ability(const SetName& name, SetState& state) {
    if (std::exchange(state.noted, true)) return;
    if (!state.ability.timeouts && !state.ability.removal) {
        sink_.log(Level::warning, name.text() +
                                      " has no timeouts: its elements stay until an operator "
                                      "removes them (create it with " +
                                      (name.is_ipset() ? "'timeout 0'" : "'flags timeout'") + ")");
    }
    const bool masked = std::any_of(state.shapes.begin(), state.shapes.end(),
                                    [](const auto& one) { return one.second.mask < 128; });
    if (!state.ability.prefixes && masked) {
        sink_.log(Level::info,
                  name.text() +
                      " holds addresses, not prefixes: whole addresses are put into it (for "
                      "prefixes create it with " +
                      (name.is_ipset() ? "type hash:net" : "'flags interval'") + ")");
    }
}

void SetService::fail(const SetName& name, SetState& state, const std::string& why,
                      std::uint64_t now_ms, const char* what) {
    state.ready = false;
    state.emptied = state.known;
    state.notifications.clear();
    state.error = why;
    state.backoff_ms = std::clamp(state.backoff_ms * 2, kFirstBackoffMs, kMaxBackoffMs);
    state.try_ms = now_ms + state.backoff_ms;
    if (std::exchange(state.complained, true)) return;
    sink_.log(Level::warning,
              name.text() + what + why + "; its addresses wait, and it is tried again");
}

void SetService::changed(SetState& state) {
    state.emptied = state.known;
    state.ready = false;
    state.notifications.clear();
    state.try_ms = state.read_ms == 0 ? 0 : state.read_ms + kReadAgainMs;
}

void SetService::changed(const SetName& set) {
    for (auto& [name, state] : sets_) {
        const bool in_table = name.family == set.family && name.table == set.table;
        if (in_table && (set.name.empty() || name.name == set.name)) changed(state);
    }
}

void SetService::all_changed(bool ipsets) {
    for (auto& [name, state] : sets_) {
        if (name.is_ipset() == ipsets) changed(state);
    }
}

void SetService::check(std::uint64_t now_ms) {
    const auto soon_s = static_cast<std::uint32_t>(now_ms / 1000) + 2;
    for (auto& [name, state] : sets_) {
        if (!name.is_ipset() || !state.ready) continue;
        const Claim* lasting = nullptr;
        for (std::size_t slot = 0; slot < state.claims.slots() && lasting == nullptr; ++slot) {
            const Claim* const one = state.claims.at(slot);
            if (one != nullptr && one->written_until_s > soon_s) lasting = one;
        }
        if (lasting == nullptr) continue;
        const auto there = writer_.has(name, lasting->key);
        if (!there || !*there) changed(state);
    }
}

// ---- writing

void SetService::write(const SetName& name, SetState& state, std::uint64_t now_ms) {
    const auto now_s = static_cast<std::uint32_t>(now_ms / 1000);
    std::vector<matchers::Prefix> all = std::exchange(state.pending, {});
    std::erase_if(all, [&](const matchers::Prefix& element) {
        Claim* const claim = state.claims.find(element);
        if (claim == nullptr) return true;
        const bool ended = claim->until_s() <= now_s;
        if (ended) claim->pending = false;
        return ended;
    });
    for (std::size_t done = 0; done < all.size();) {
        const auto batch = std::span(all).subspan(done, std::min(kBatch, all.size() - done));
        unsigned left = kMaxRefused;
        if (!write_some(name, state, batch, now_ms, left)) {
            state.pending.insert(state.pending.end(), batch.begin(), batch.end());
            done += batch.size();
            state.pending.insert(state.pending.end(),
                                 all.begin() + static_cast<std::ptrdiff_t>(done), all.end());
            return;
        }
        done += batch.size();
    }
}

bool SetService::write_some(const SetName& name, SetState& state,
                            std::span<const matchers::Prefix> elements, std::uint64_t now_ms,
                            unsigned& left) {
    const auto now_s = static_cast<std::uint32_t>(now_ms / 1000);
    std::vector<SetElement> batch;
    batch.reserve(elements.size());
    for (const auto& element : elements) {
        const Claim& claim = *state.claims.find(element);
        batch.push_back({element, state.ability.timeouts ? claim.until_s() - now_s : 0});
    }
    const auto added = writer_.add(name, batch);
    if (added) {
        state.counters.added += elements.size();
        written(state, elements);
        return true;
    }
    if (left == kMaxRefused) {  // the set, or one of them?
        if (const auto there = writer_.read(name); !there) {
            state.counters.failed += elements.size();
            fail(name, state, there.error().text, now_ms);
            return false;
        }
    }
    if (elements.size() == 1 || left == 0) {
        state.counters.failed += elements.size();
        if (state.error != added.error().text) {
            state.error = added.error().text;
            sink_.log(
                Level::warning,
                name.text() + " refuses " + elements.front().to_string() +
                    (elements.size() > 1 ? " and " + std::to_string(elements.size() - 1) + " others"
                                         : "") +
                    ": " + state.error + "; tried again every " +
                    std::to_string(kRefusedAgainMs / 1000) + " s");
        }
        if (state.refused.empty()) state.refused_ms = now_ms + kRefusedAgainMs;
        for (const auto& element : elements) {
            Claim& claim = *state.claims.find(element);
            claim.pending = false;
            if (!std::exchange(claim.is_refused, true)) state.refused.push_back(element);
        }
        if (left > 0) --left;
        return true;
    }
    --left;
    const std::size_t half = elements.size() / 2;
    return write_some(name, state, elements.first(half), now_ms, left) &&
           write_some(name, state, elements.subspan(half), now_ms, left);
}

void SetService::written(SetState& state, std::span<const matchers::Prefix> elements) {
    for (const auto& element : elements) {
        Claim& claim = *state.claims.find(element);
        claim.pending = false;
        claim.written_until_s = state.ability.timeouts ? claim.until_s() : kNoTimeout;
    }
}

void SetService::adopt(const SetName& name, SetState& state,
                       std::span<const matchers::Prefix> elements, std::uint64_t now_ms) {
    const auto until_s = static_cast<std::uint32_t>(now_ms / 1000) + state.ends.ends().adopt_s;
    for (const matchers::Prefix& element : elements) {
        const auto [claim, is_new] = state.claims.put(element, std::uint64_t{until_s} * 1000);
        if (is_new) claim->written_until_s = kNoTimeout;
    }
    state.counters.adopted += elements.size();
    if (elements.empty()) return;
    sink_.log(Level::info, name.text() + ": " + std::to_string(elements.size()) +
                               " of an earlier process are kept for " +
                               std::to_string(state.ends.ends().adopt_s) +
                               " s, or until they are claimed");
}

std::size_t SetService::note_missing(SetState& state, std::span<const matchers::Prefix> elements,
                                     std::uint64_t now_ms) {
    const auto now_s = static_cast<std::uint32_t>(now_ms / 1000);
    const std::unordered_set<matchers::Prefix, PrefixHash> there(elements.begin(), elements.end());
    std::size_t missing = 0;
    state.claims.for_each([&](Claim& claim) {
        if (claim.written_until_s == 0 || there.contains(claim.key)) return;
        state.ends.removed(claim.key, now_s);  // by the other program
        claim.written_until_s = 0;
        if (claim.until_s() <= now_s || claim.is_leaving) return;  // it lingered only
        state.missing.push_back(claim.key);
        ++missing;
    });
    return missing;
}

// One step of the missing elements. A claim may have written some of them.
void SetService::restore(const SetName& name, SetState& state, std::uint64_t now_ms) {
    const std::size_t count = std::min(state.missing.size(), kRoutesPerStep);
    for (const matchers::Prefix& element : std::span(state.missing).last(count)) {
        Claim* const claim = state.claims.find(element);
        if (claim != nullptr && claim->written_until_s == 0) mark_pending(state, element, *claim);
    }
    state.missing.resize(state.missing.size() - count);
    end_step(state.pending.size(), now_ms);
    write(name, state, now_ms);
}

void SetService::end_step(std::size_t routes, std::uint64_t now_ms) {
    step_ms_ = now_ms + routes * kStepMs / kRoutesPerStep;
}

// Before the elements that take their place are written.
void SetService::remove_evicted(const SetName& name, SetState& state, std::uint64_t now_ms) {
    if (!state.ready || state.evicted.empty() || (state.ability.removal && now_ms < step_ms_))
        return;
    std::vector<matchers::Prefix> evicted = std::exchange(state.evicted, {});
    std::erase_if(evicted, [&](const matchers::Prefix& element) {
        const Claim* const claim = state.claims.find(element);
        return claim == nullptr || !claim->is_leaving;
    });
    if (evicted.empty()) return;
    if (state.ability.removal) end_step(evicted.size(), now_ms);
    const auto done = writer_.remove(name, evicted);
    if (done) return removed(state, evicted, now_ms);
    if (std::exchange(state.error, done.error().text) != done.error().text) {
        sink_.log(Level::warning, name.text() + " is full, and " + std::to_string(evicted.size()) +
                                      " of its elements cannot be removed: " + state.error +
                                      "; they stay until their leases end");
    }
}

void SetService::remove_ended(const SetName& name, SetState& state, std::uint64_t now_ms) {
    const auto now_s = static_cast<std::uint32_t>(now_ms / 1000);
    std::vector<matchers::Prefix> ended;
    state.ends.forget(now_s);
    for (std::size_t i = 0; i < kRoutesPerStep; ++i) {
        const Claim* const claim = state.claims.due(now_ms);
        if (claim == nullptr) break;
        const auto end = state.ends.end_of(claim->key, claim->until_s());
        if (claim->written_until_s == 0) {
            state.claims.drop(claim->key);
        } else if (end.at_s > now_s) {
            if (end.is_damped) ++state.counters.damped;
            state.claims.requeue(*claim, std::uint64_t{end.at_s} * 1000);
        } else {
            ended.push_back(claim->key);
        }
    }
    end_step(ended.size(), now_ms);
    for (std::size_t done = 0; done < ended.size(); done += kBatch)
        remove(name, state, std::span(ended).subspan(done, std::min(kBatch, ended.size() - done)),
               now_ms);
}

void SetService::remove(const SetName& name, SetState& state,
                        std::span<const matchers::Prefix> elements, std::uint64_t now_ms) {
    if (const auto done = writer_.remove(name, elements); !done) {
        for (const matchers::Prefix& element : elements)
            state.claims.requeue(*state.claims.find(element), now_ms + 1'000);
        return fail(name, state, done.error().text, now_ms, ": ended routes cannot be removed: ");
    }
    removed(state, elements, now_ms);
    state.counters.removed += elements.size();
}

void SetService::removed(SetState& state, std::span<const matchers::Prefix> elements,
                         std::uint64_t now_ms) {
    for (const matchers::Prefix& element : elements) {
        state.claims.drop(element);
        if (state.ability.removal)
            state.ends.removed(element, static_cast<std::uint32_t>(now_ms / 1000));
    }
}

// Of a set that could be written: rows that are not in it were rejected.
void SetService::notify(SetState& state) {
    std::vector<Installed> done;
    for (const Notification& one : std::exchange(state.notifications, {})) {
        const Claim* const claim = state.claims.find(one.element);
        if (claim != nullptr && claim->written_until_s >= one.what.until_s)
            done.push_back(one.what);
        else
            state.rejected.push_back({{one.what, {}, {}}, {}});
    }
    if (!done.empty()) sink_.installed(done);
    if (!state.rejected.empty()) sink_.refused(std::exchange(state.rejected, {}));
}

void SetService::expire(SetState& state, std::uint64_t now_ms) {
    state.expire_ms = now_ms + kExpireEveryMs;
    const auto now_s = static_cast<std::uint32_t>(now_ms / 1000);
    state.early.drop_if([&](const Installed& what) { return what.until_s <= now_s; });
    if (state.ability.removal) return;
    std::size_t ended = 0;
    while (state.claims.expire(now_ms))
        ++ended;
    if (ended == 0) return;
    for (auto* const queue : {&state.pending, &state.refused}) {
        std::erase_if(*queue,
                      [&](const auto& element) { return state.claims.find(element) == nullptr; });
    }
}

std::vector<SetStatus> SetService::status() const {
    std::vector<SetStatus> all;
    all.reserve(sets_.size());
    for (const auto& [name, state] : sets_) {
        if (state.shapes.empty()) continue;
        all.push_back({name, state.ready, state.ability, state.error,
                       state.claims.size() + state.early.size(),
                       state.pending.size() + state.missing.size() + state.refused.size() +
                           state.early.size(),
                       state.counters});
    }
    return all;
}

}  // namespace steer::sets
