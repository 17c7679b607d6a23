// Replies and failures of AliasEngine.
#include <algorithm>
#include <utility>

#include "control/sinks/opnsense/alias_engine.h"
#include "matchers/quote.h"
#include "matchers/safe_text.h"
#include "matchers/text.h"

namespace steer::opnsense {
namespace {

using routeros::Level;

constexpr std::uint64_t kFirstBackoffMs = 1'000, kMaxBackoffMs = 30'000;
constexpr std::uint64_t kRefusedMs = 30'000;   // credentials, privileges, an alias
constexpr std::uint64_t kReadShare = 20;       // a read is followed by 20 times its time
constexpr std::uint64_t kDoubtMs = 1'000;      // an empty table is read again
constexpr std::uint64_t kDescribeMs = 60'000;  // consent is checked again
constexpr unsigned kRepairPercent = 90;

// Whether the description gives the alias to us.
bool names_us(std::string_view description) {
    constexpr std::string_view kOurs = "steerdns";
    return std::search(description.begin(), description.end(), kOurs.begin(), kOurs.end(),
                       [](char a, char b) { return matchers::lower(a) == b; }) != description.end();
}

// Why the alias may not be written; empty: it may.
std::string distrust_of(const AliasFacts* facts) {
    if (facts == nullptr) return "does not exist: create it with the type External (advanced)";
    if (facts->type != "external") {
        return "has the type " + matchers::quoted(facts->type) +
               ": SteerDNS writes only aliases of the type External (advanced)";
    }
    if (!facts->enabled) return "is disabled: enable it, and apply";
    if (!facts->expire.empty()) {
        return "has " + matchers::quoted(facts->expire) +
               " in Expire, so its elements end before their leases: clear that field";
    }
    if (!names_us(facts->description)) {
        return "is not given to SteerDNS: write SteerDNS in its description; hosts in it that no "
               "client uses are then removed";
    }
    return {};
}

std::string refusal(unsigned status) {
    switch (status) {
        case 401:
            return "refuses the key or the secret (401): compare `key` and `secret` with the "
                   "user's API key";
        case 403:
            return "forbids a request (403): give the user of the API key the privileges "
                   "'Diagnostics: PF Table IP addresses' and 'Firewall: Aliases'";
        case 404:
            return "does not know a request (404): is it OPNsense?";
        default:
            return "answers with status " + std::to_string(status);
    }
}

}  // namespace

// ---- replies

void AliasEngine::reply(Lane lane, unsigned status, const std::string& body, std::uint64_t now_ms) {
    const auto flight = std::exchange(flights_[lane_index(lane)], std::nullopt);
    if (!flight) return;  // void since
    const bool writes = flight->kind == Kind::add || flight->kind == Kind::remove;
    if (status >= 500 && writes) {
        return refused(flight->alias,
                       "the router " + refusal(status) +
                           "; does the user of the API key have 'System: Deny config write' "
                           "(user-config-readonly)?",
                       now_ms);
    }
    if (status != 200) return down(refusal(status), status >= 500 ? 0 : kRefusedMs, now_ms);
    take(*flight, body, now_ms);
}

void AliasEngine::failed(Lane lane, const std::string& why, std::uint64_t now_ms) {
    if (std::exchange(flights_[lane_index(lane)], std::nullopt)) down(why, 0, now_ms);
}

void AliasEngine::take(const Flight& flight, const std::string& body, std::uint64_t now_ms) {
    switch (flight.kind) {
        case Kind::describe:
            return described(flight, body, now_ms);
        case Kind::list:
            return listed(flight, body, now_ms);
        case Kind::add:
        case Kind::remove:
            return written(flight, body, now_ms);
    }
}

void AliasEngine::described(const Flight& flight, const std::string& body, std::uint64_t now_ms) {
    std::set<std::string, std::less<>> names;
    for (const AliasPtr& alias : aliases_)
        names.insert(alias->state.plan().name);
    const auto facts = read_facts(body, names);
    if (!facts) return down("alias/export: " + facts.error().text, 0, now_ms);
    up();
    describe_ms_ = now_ms + std::max(kDescribeMs, kReadShare * (now_ms - flight.sent_ms));
    const auto why_not = [&](const Alias& alias) {
        const auto found = facts->find(alias.state.plan().name);
        return distrust_of(found == facts->end() ? nullptr : &found->second);
    };
    // Elements of an alias that is neither configured nor given to us are not ours to delete.
    std::erase_if(aliases_, [&](const AliasPtr& alias) {
        const std::string why = alias->is_retired ? why_not(*alias) : std::string();
        if (!why.empty()) log_(Level::info, about(*alias) + why + "; its elements stay");
        return !why.empty();
    });
    for (const AliasPtr& alias : aliases_) {
        const std::string why = why_not(*alias);
        if (!why.empty()) {
            distrust(alias, why, now_ms);
        } else if (alias->phase == Phase::unknown) {
            alias->phase = Phase::trusted;
            alias->due_ms = now_ms;
        }
        alias->is_unsure = false;
    }
}

void AliasEngine::listed(const Flight& flight, const std::string& body, std::uint64_t now_ms) {
    const AliasPtr& alias = flight.alias;
    const auto content = read_table(body);
    if (!content) return down("alias_util/list: " + content.error().text, 0, now_ms);
    up();
    backoff_ms_ = 0;  // not by a description: reads could still fail
    if (alias->phase != Phase::trusted && alias->phase != Phase::ready) return;
    ++alias->counters.reads;
    const std::uint64_t took_ms = now_ms - flight.sent_ms;
    // A read that fails on the router, as while its configd restarts, resembles an empty table.
    const bool is_empty = content->hosts.empty() && content->others == 0;
    if (is_empty && alias->state.may_have_hosts() && !std::exchange(alias->is_doubted, true)) {
        alias->due_ms = now_ms + std::max(kDoubtMs, kReadShare * took_ms);
        return;
    }
    alias->is_doubted = false;
    const auto read = alias->state.take_table(*content, flight.sent_ms, now_ms);
    alias->due_ms = now_ms + std::max<std::uint64_t>(plan_.read_every_ms, kReadShare * took_ms);
    if (alias->phase != Phase::ready) {
        alias->phase = Phase::ready;
        alias->was_ready = true;
        alias->state.each_here([&](const IpAddress& address, std::uint64_t until_ms) {
            observer_.installed(sink_, alias->state.plan().list, address, board_s(until_ms));
        });
        alias->is_repairing = alias->state.has_adds();
        if (!alias->is_refused) {  // else the next write shows whether it is repaired
            log_(Level::info, about(*alias) + "is in sync: it has " +
                                  std::to_string(content->hosts.size()) + " hosts, " +
                                  std::to_string(alias->state.waiting()) + " are missing" +
                                  (alias->error.empty() ? "" : "; it was repaired"));
            alias->error.clear();
        }
    }
    tell_changes(alias, read);
    update_away();
    drop_retired();
}

void AliasEngine::tell_changes(const AliasPtr& alias, const AliasState::Read& read) {
    for (const IpAddress& address : read.arrived)
        arrived(*alias, address);
    const ListId list = alias->state.plan().list;
    if (read.all_lost && !alias->is_retired) observer_.epoch(sink_, list);
    for (const IpAddress& address : read.lost)
        observer_.lost(sink_, list, address);
    alias->counters.lost += read.lost.size();
    if (read.adopted > 0) {
        log_(Level::info,
             about(*alias) + "had " + std::to_string(read.adopted) +
                 " hosts that no answer has claimed since the start: they are removed " +
                 std::to_string(alias->state.plan().longest_life_s) +
                 " s from now, unless a client uses them");
    }
    if (!read.lost.empty()) {
        alias->is_repairing = true;
        alias->is_unsure = true;  // another type of the alias would empty its table, too
        log_(Level::warning,
             about(*alias) + "lost " + std::to_string(read.lost.size()) +
                 " elements (a reboot, a flush, or a full table: see Firewall Maximum Table "
                 "Entries): they are added again");
    }
    const std::size_t foreign = alias->state.foreign();
    if (foreign > 0 && alias->reported_foreign == 0) {
        log_(Level::warning, about(*alias) + "holds " + std::to_string(foreign) +
                                 " elements that are not of SteerDNS: they stay");
    }
    alias->reported_foreign = foreign;
}

// Its share of the router's time follows from the last write's.
void AliasEngine::note_time(const Flight& flight, std::uint64_t now_ms) {
    const std::uint64_t took_ms = now_ms - flight.sent_ms;
    const auto took_us = static_cast<std::uint32_t>(
        std::min<std::uint64_t>(std::max<std::uint64_t>(took_ms, 1) * 1'000, UINT32_MAX / 8));
    write_us_ = write_us_ == 0 ? took_us : (write_us_ * 7 + took_us) / 8;
    const unsigned percent = flight.alias->is_repairing
                                 ? std::max<unsigned>(kRepairPercent, plan_.cpu_percent)
                                 : plan_.cpu_percent;
    routine_ms_ = now_ms + took_ms * (100 - percent) / percent;
    Alias& alias = *flight.alias;
    if (flight.kind != Kind::add) return;
    const bool was_slow = alias.slow_writes >= kSlowWrites;
    alias.slow_writes = took_ms > alias.state.plan().sync_timeout_ms ? alias.slow_writes + 1 : 0;
    if (was_slow != (alias.slow_writes >= kSlowWrites)) update_away();
}

void AliasEngine::written(const Flight& flight, const std::string& body, std::uint64_t now_ms) {
    const AliasPtr& alias = flight.alias;
    const auto done = read_done(body);
    if (!done) return refused(alias, done.error().text, now_ms);
    up();
    backoff_ms_ = 0;
    if (std::exchange(alias->is_refused, false)) {
        alias->error.clear();
        log_(Level::info, about(*alias) + "is written again");
    }
    if (flight.kind == Kind::add) {
        ++alias->counters.added;
        alias->state.added(flight.address, now_ms);
        arrived(*alias, flight.address);
    } else {
        ++alias->counters.deleted;
        alias->state.deleted(flight.address, now_ms);
        drop_retired();
    }
    note_time(flight, now_ms);
}

// ---- error

void AliasEngine::lose(Alias& alias, std::uint64_t now_ms) {
    // An alias that can be read but not written is as lost as before.
    if ((alias.phase == Phase::ready && !alias.is_refused) || alias.lost_ms == 0)
        alias.lost_ms = now_ms;
    alias.phase = Phase::unknown;
    alias.is_doubted = false;
}

void AliasEngine::distrust(const AliasPtr& alias, const std::string& why, std::uint64_t now_ms) {
    if (std::exchange(alias->error, why) != why)
        log_(Level::warning, about(*alias) + why + "; it is asked for again every 30 s");
    lose(*alias, now_ms);
    alias->due_ms = now_ms + kRefusedMs;
    alias->is_refused = false;
    alias->state.reset_work();
    update_away();
}

void AliasEngine::refused(const AliasPtr& alias, const std::string& why, std::uint64_t now_ms) {
    ++alias->counters.failed;
    distrust(alias, "cannot be written: " + why, now_ms);
    alias->is_refused = true;
}

void AliasEngine::down(const std::string& why, std::uint64_t least_ms, std::uint64_t now_ms) {
    backoff_ms_ = std::clamp(backoff_ms_ * 2, kFirstBackoffMs, kMaxBackoffMs);
    retry_ms_ = now_ms + std::max(backoff_ms_, least_ms);
    if (std::exchange(error_, why) != why || is_up_) {
        log_(Level::warning, "OPNsense router '" + plan_.name + "' (" + plan_.address.to_string() +
                                 ") " + safe_text(why) +
                                 ": no answer waits for it; claims are kept, and it is tried "
                                 "again");
    }
    is_up_ = false;
    for (auto& flight : flights_)
        flight.reset();
    for (const AliasPtr& alias : aliases_) {
        lose(*alias, now_ms);
        alias->due_ms = now_ms;
        alias->state.reset_work();
    }
    update_away();
}

void AliasEngine::up() {
    if (std::exchange(is_up_, true)) return;
    if (!std::exchange(error_, {}).empty())
        log_(Level::info, "OPNsense router '" + plan_.name + "' is reachable again");
}

void AliasEngine::update_away() {
    std::set<ListId> here, all;
    for (const AliasPtr& alias : aliases_) {
        if (!alias->is_retired) all.insert(alias->state.plan().list);
    }
    here = all;
    for (const AliasPtr& alias : aliases_) {
        const bool is_here =
            alias->phase == Phase::ready && !is_paused_ && alias->slow_writes < kSlowWrites;
        if (!alias->is_retired && !is_here) here.erase(alias->state.plan().list);
    }
    std::swap(here, here_);
    for (const AliasPtr& alias : aliases_) {
        if (!here_.contains(alias->state.plan().list))
            settle(alias->state.take_tokens(), Outcome::router_away);
    }
    for (const ListId list : here) {
        if (!here_.contains(list)) observer_.away(sink_, list, true);
    }
    for (const ListId list : here_) {
        if (!here.contains(list)) observer_.away(sink_, list, false);
    }
}

}  // namespace steer::opnsense
