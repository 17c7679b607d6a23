#include "control/sinks/routers/list_service.h"

#include <algorithm>
#include <string>
#include <utility>

#include "dataplane/dns/name.h"
#include "dataplane/event/row_board.h"

namespace steer {
namespace {

// In place of a worker in the tokens of answers that wait for several sinks.
constexpr std::uint64_t kSeveral = 0xff;
static_assert(kSeveral >= kMaxWorkers);

constexpr std::uint32_t kTidyEveryS = 60;
constexpr std::uint32_t kMinBoardSlots = 8192;  // of the row board that are tidied in one turn
constexpr std::uint32_t kTurnsOfBoard = 64;     // at most, for all of a full row board
constexpr std::uint64_t kLogShortenedMs =
    60'000;                              // of answers with too many addresses, about one list
constexpr std::uint32_t kMarkShare = 8;  // of the row board
constexpr std::size_t kMarksPerTurn = 4096;
constexpr std::uint64_t kLogEveryMs = 600'000;  // of shared addresses, about one list

}  // namespace

ListService::ListService(DataplaneRuntime& runtime, Acknowledger& acknowledger, Warn warn)
    : runtime_(runtime), acknowledger_(acknowledger), warn_(std::move(warn)) {}

void ListService::configure(const std::vector<ClaimSink*>& sinks) {
    std::vector<List> now(kMaxLists);
    for (ClaimSink* const sink : sinks) {
        for (const KeptList& list : sink->lists()) {
            now[list.id].sinks.push_back({sink});
            now[list.id].tag = list.tag;
            now[list.id].quorum = list.quorum;
            now[list.id].allowed = list.terms.allowed;
            now[list.id].translated = list.terms.translated;
        }
    }
    for (ListId id = 0; id < kMaxLists; ++id) {
        List& list = lists_[id];
        List& fresh = now[id];
        const bool same =
            std::ranges::equal(list.sinks, fresh.sinks, {}, &ListSink::sink, &ListSink::sink);
        list.tag = fresh.tag;
        list.allowed = fresh.allowed;
        list.translated = fresh.translated;
        if (!same) {
            list = std::move(fresh);
            state(id).away.store(true, std::memory_order_relaxed);
            states().begin_epoch(id);
        } else if (list.quorum != fresh.quorum) {
            list.quorum = fresh.quorum;
            count_anew(id, list);
        }
    }
}

bool ListService::take(const Event& event, std::uint64_t now_ms) {
    const List& list = lists_[event.list];
    now_ms_ = now_ms;
    if (list.sinks.empty()) return false;
    switch (event.kind) {
        case EventKind::claim:
            claim(list, event, now_ms);
            break;
        case EventKind::shortened:
            log_shortened(list, event, now_ms);
            break;
        case EventKind::shared_address:
            note_shared(list, event, now_ms);
            break;
    }
    return true;
}

// Claims on every sink of the list, except addresses that the list skips, whatever the worker saw on the row board, and
// those that this machine needs, which workers do not know.
void ListService::claim(const List& list, const Event& event, std::uint64_t now_ms) {
    const RowBoard& board = *runtime_.shared().board;
    const auto now_s = static_cast<std::uint32_t>(now_ms / 1000);
    std::array<IpAddress, kEventAddresses> addresses;
    std::size_t count = 0;
    for (std::size_t i = 0; i < event.count; ++i) {
        const IpAddress& address = event.addresses[i];
        if (event.skips_shared && board.is_skipped(event.list, address, now_s)) continue;
        if (runtime_.needed_hosts().forbids(list.translated, list.allowed, address)) {
            needed_hosts_skipped_.fetch_add(1, std::memory_order_relaxed);
            continue;
        }
        addresses[count++] = address;
    }
    std::uint64_t token = event.hold_token;
    if (count == 0) {
        if (token != 0) acknowledger_.acknowledge(token, Outcome::already_there);
        return;
    }
    if (token != 0 && list.sinks.size() > 1) {
        token = kSeveral << 56 | ++next_wait_;
        waits_.emplace(token, Wait{.token = event.hold_token,
                                   .quorum = list.quorum,
                                   .left = static_cast<std::uint32_t>(list.sinks.size())});
    }
    const std::string name = dns::name_to_text({event.name.data(), event.name_len});
    const Claim claim{.list = event.list,
                      .addresses = {addresses.data(), count},
                      .name = name,
                      .client = event.has_client ? &event.client : nullptr,
                      .raised_ms = event.raised_ms,
                      .lease_end_ms = event.lease_end_ms,
                      .row_life_s = event.row_life_s,
                      .hold_token = token};
    claiming_ = &list;
    refused_.clear();
    for (const ListSink& one : list.sinks)
        one.sink->claim(claim, now_ms);
    claiming_ = nullptr;
    take_refusals(list, event, claim.addresses);
}

// ---- addresses without room

// As in known_until(): a sink that is away does not count, unless all must count or none is there.
bool ListService::counts(const List& list, const ListSink& one) {
    return !one.away || list.quorum == config::Quorum::all ||
           std::ranges::all_of(list.sinks, &ListSink::away);
}

bool ListService::counts(const List& list, const ClaimSink& sink) {
    const int place = place_of(list, sink);
    return place >= 0 && counts(list, list.sinks[static_cast<std::size_t>(place)]);
}

void ListService::refused(const ClaimSink& sink, ListId id, const IpAddress& address,
                          RefusedFor whom) {
    const List& list = lists_[id];
    if (!counts(list, sink)) return;
    if (claiming_ == &list) return refused_.push_back({address, whom});
    // Of an earlier claim, or of another box's, whose name says nothing about the answers here.
    const RefusedFor known = whom == RefusedFor::all ? whom : RefusedFor::others;
    mark(id, address, runtime_.shared().board->holder(known, {}, {}));
}

void ListService::refused_later(const ClaimSink& sink, ListId id, const IpAddress& address,
                                RefusedFor whom, std::string_view name, const IpAddress& client) {
    const auto qname = dns::name_from_text(name);
    if (!counts(lists_[id], sink)) return;
    const RowBoard& board = *runtime_.shared().board;
    mark(id, address,
         qname ? board.holder(whom, *qname, client) : board.holder(RefusedFor::others, {}, {}));
}

// After all sinks of the list got the claim.
void ListService::take_refusals(const List& list, const Event& event,
                                std::span<const IpAddress> addresses) {
    const bool has_marks = marks_.contains(event.list);
    if (refused_.empty() && !has_marks) return;
    RowBoard& board = *runtime_.shared().board;
    const auto counting =
        std::ranges::count_if(list.sinks, [&](const ListSink& one) { return counts(list, one); });
    const auto enough = list.quorum == config::Quorum::any ? counting : 1;
    bool is_refused = false;
    for (const IpAddress& address : addresses) {
        const auto is_it = [&](const RefusedAddress& one) { return one.address == address; };
        if (std::ranges::count_if(refused_, is_it) >= enough) {
            const RefusedFor whom = std::ranges::find_if(refused_, is_it)->whom;
            mark(event.list, address,
                 board.holder(whom, {event.name.data(), event.name_len}, event.client));
            is_refused = true;
        } else if (has_marks) {
            board.lift_refusal(event.list, address);
        }
    }
    if (is_refused && event.hold_token == 0) acknowledger_.count(Outcome::refused);
}

void ListService::mark(ListId id, const IpAddress& address, std::uint32_t holder) {
    refusals_.fetch_add(1, std::memory_order_relaxed);
    switch (runtime_.shared().board->refuse(id, address, holder, now_s())) {
        case RowBoard::Marked::fresh:
            marks_[id].push_back(address);
            ++mark_count_;
            bound_marks();
            break;
        case RowBoard::Marked::again:
            break;
        case RowBoard::Marked::full:
            board_full_.fetch_add(1, std::memory_order_relaxed);
            break;
    }
    ListState& words = state(id);
    words.marked_until_s.store(now_s() + kRefusalLastsS, std::memory_order_relaxed);
    count_failure(id);
}

// Counts the first at once. Those until the next forget_ended() are counted there, as one. So a flood
// of refused claims does not make all answers of the list claim again each time.
void ListService::count_failure(ListId id) {
    const auto [at, is_first] = failures_.try_emplace(id, false);
    if (is_first)
        states().count_failure(id);
    else
        at->second = true;
}

void ListService::publish_failures() {
    boost::unordered::erase_if(failures_, [](const auto& list) { return !list.second; });
    for (auto& [id, has_more] : failures_) {
        states().count_failure(id);
        has_more = false;
    }
}

void ListService::bound_marks() {
    RowBoard& board = *runtime_.shared().board;
    if (mark_count_ <= std::max(board.capacity() / kMarkShare, 1U)) return;
    const auto most =
        std::ranges::max_element(marks_, {}, [](const auto& one) { return one.second.size(); });
    const auto& [id, marks] = *most;
    const std::uint32_t until_s = board.drop_refusal(id, marks.front(), now_s());
    if (until_s != 0) {
        board.drop_refusal(id, marks.front(), UINT32_MAX);
        // Marks are not in the order of their ends: one that was set again keeps its place.
        std::atomic<std::uint32_t>& evicted_until_s = state(id).evicted_until_s;
        if (until_s > evicted_until_s.load(std::memory_order_relaxed))
            evicted_until_s.store(until_s, std::memory_order_relaxed);
        marks_lost_.fetch_add(1, std::memory_order_relaxed);
    }
    most->second.pop_front();
    --mark_count_;
}

void ListService::forget_marks() {
    RowBoard& board = *runtime_.shared().board;
    std::size_t left = kMarksPerTurn;
    auto at = marks_.lower_bound(tidied_list_);
    for (std::size_t lists = marks_.size(); lists > 0 && left > 0; --lists, ++at) {
        if (at == marks_.end()) at = marks_.begin();
        auto& [id, marks] = *at;
        for (std::size_t n = marks.size(); n > 0 && left > 0; --n, --left) {
            const IpAddress address = marks.front();
            marks.pop_front();
            if (board.drop_refusal(id, address, now_s()) != 0)
                marks.push_back(address);
            else
                --mark_count_;
        }
    }
    tidied_list_ = at == marks_.end() ? ListId{0} : at->first;
    std::erase_if(marks_, [](const auto& one) { return one.second.empty(); });
}

void ListService::log_shortened(const List& list, const Event& event, std::uint64_t now_ms) {
    std::uint64_t& logged_ms = shortened_logged_ms_[event.list];
    if (logged_ms != 0 && now_ms - logged_ms < kLogShortenedMs) return;
    logged_ms = now_ms;
    warn_("the answer for " + dns::name_to_text({event.name.data(), event.name_len}) +
          " has more addresses than '" + list.tag +
          "' takes: the others are left out of it; raise `max_addresses` if they are wanted "
          "(asked by " +
          event.client.to_string() + ")");
}

// ---- addresses that other names share

void ListService::note_shared(const List& list, const Event& event, std::uint64_t now_ms) {
    RowBoard& board = *runtime_.shared().board;
    const auto now_s = static_cast<std::uint32_t>(now_ms / 1000);
    if (now_s - tidied_s_ >= kTidyEveryS) {
        tidied_s_ = now_s;
        shared_.forget_old(
            now_s, [&](ListId id, const IpAddress& address) { board.skip(id, address, 0); });
    }
    const std::string name = dns::name_to_text({event.name.data(), event.name_len});
    for (std::size_t i = 0; i < event.count; ++i) {
        const IpAddress& address = event.addresses[i];
        const auto verdict = shared_.record(event.list, address, name, event.shared_above, now_s);
        if (!board.skip(event.list, address, event.skips_shared ? verdict.until_s : 0))
            board_full_.fetch_add(1, std::memory_order_relaxed);
        if (verdict.is_new) log_shared(list, event, address, name, now_ms);
    }
}

// Logs the first ones, and each doubling; at most once in ten minutes for a list.
void ListService::log_shared(const List& list, const Event& event, const IpAddress& address,
                             std::string_view name, std::uint64_t now_ms) {
    const std::size_t count = shared_.shared(static_cast<std::uint32_t>(now_ms / 1000), event.list);
    LoggedShared& logged = logged_shared_[event.list];
    if (count < logged.count / 2) logged.count = count;
    if (count < 2 * logged.count || (logged.at_ms != 0 && now_ms - logged.at_ms < kLogEveryMs))
        return;
    logged = {count, now_ms};
    const bool one = count == 1;
    std::string sentence = std::to_string(count);
    sentence += one ? " address of '" : " addresses of '";
    sentence += list.tag;
    sentence += one ? "' also belongs to names outside its set, "
                    : "' also belong to names outside its set, ";
    sentence += (one ? "" : "such as ") + address.to_string() + " for " + std::string(name);
    sentence += event.skips_shared ? (one ? ": it is not claimed" : ": they are not claimed")
                                   : ": connections to those are steered too";
    warn_(sentence + (event.skips_shared ? " while that lasts" : "") +
          "; 'steerctl routers shared' shows them");
}

// ---- what is known

int ListService::place_of(const List& list, const ClaimSink& sink) {
    const auto at = std::ranges::find(list.sinks, &sink, &ListSink::sink);
    return at == list.sinks.end() ? -1 : static_cast<int>(at - list.sinks.begin());
}

// 0: a sink that counts has not reported it, or no sink counts.
std::uint32_t ListService::known_until(const List& list, const Untils& untils) {
    std::uint32_t least = UINT32_MAX;
    for (std::size_t i = 0; i < untils.size(); ++i) {
        if (list.quorum == config::Quorum::all || !list.sinks[i].away)
            least = std::min(least, untils[i]);
    }
    return least == UINT32_MAX ? 0 : least;
}

void ListService::put(ListId id, const IpAddress& address, Report report) {
    const std::uint32_t until_s = report.until_s;
    RowBoard& board = *runtime_.shared().board;
    const std::uint32_t epoch = state(id).epoch();
    const std::uint32_t before_s = board.installed_until(id, address, epoch);
    if (until_s == 0) {
        board.remove(id, address);
    } else if (!board.put(id, address, until_s, epoch)) {
        board_full_.fetch_add(1, std::memory_order_relaxed);
    }
    const bool ends_early = until_s < before_s && (until_s != 0 || report.is_early);
    if (ends_early) states().count_loss(id);
    if (ends_early || report.is_early) count_failure(id);
}

void ListService::forget_ended(std::uint64_t now_ms) {
    const auto now_s = static_cast<std::uint32_t>(now_ms / 1000);
    now_ms_ = now_ms;
    publish_failures();
    forget_marks();
    RowBoard& board = *runtime_.shared().board;
    board.forget_ended(now_s, std::max(kMinBoardSlots, board.capacity() / kTurnsOfBoard));
    if (now_s - tidied_rows_s_ < kTidyEveryS) return;
    tidied_rows_s_ = now_s;
    for (List& list : lists_) {
        boost::unordered::erase_if(list.rows, [&](const auto& row) {
            return std::ranges::all_of(row.second, [&](std::uint32_t s) { return s <= now_s; });
        });
    }
}

void ListService::installed(const ClaimSink& sink, ListId list, const IpAddress& address,
                            std::uint32_t until_s) {
    known(sink, list, address, {until_s});
}

void ListService::ended(const ClaimSink& sink, ListId list, const IpAddress& address) {
    known(sink, list, address, {0});
}

void ListService::lost(const ClaimSink& sink, ListId list, const IpAddress& address) {
    known(sink, list, address, {.until_s = 0, .is_early = true});
}

void ListService::known(const ClaimSink& sink, ListId id, const IpAddress& address, Report report) {
    List& list = lists_[id];
    const int place = place_of(list, sink);
    if (place < 0) return;
    if (list.sinks.size() == 1) return put(id, address, report);
    const auto at =
        list.rows.try_emplace(routeros::Address::host(address.bytes), list.sinks.size(), 0U).first;
    Untils& untils = at->second;
    const std::uint32_t before_s = known_until(list, untils);
    untils[static_cast<std::size_t>(place)] = report.until_s;
    const std::uint32_t now_s = known_until(list, untils);
    if (std::ranges::all_of(untils, [](std::uint32_t s) { return s == 0; })) list.rows.erase(at);
    if (now_s != before_s || report.is_early) put(id, address, {now_s, report.is_early});
}

// A new epoch, and what is known under it.
void ListService::count_anew(ListId id, const List& list) {
    states().begin_epoch(id);
    for (const auto& [address, untils] : list.rows) {
        if (const std::uint32_t until_s = known_until(list, untils))
            put(id, IpAddress{address.bytes}, {until_s});
    }
    notify_away(id, list);
}

void ListService::epoch(const ClaimSink& sink, ListId id) {
    List& list = lists_[id];
    const int place = place_of(list, sink);
    if (place < 0) return;
    for (auto& [address, untils] : list.rows)
        untils[static_cast<std::size_t>(place)] = 0;
    boost::unordered::erase_if(list.rows, [](const auto& row) {
        return std::ranges::all_of(row.second, [](std::uint32_t s) { return s == 0; });
    });
    count_anew(id, list);
}

void ListService::away(const ClaimSink& sink, ListId id, bool value) {
    List& list = lists_[id];
    const int place = place_of(list, sink);
    if (place < 0 ||
        std::exchange(list.sinks[static_cast<std::size_t>(place)].away, value) == value)
        return;
    if (list.sinks.size() == 1) return notify_away(id, list);
    count_anew(id, list);
}

void ListService::notify_away(ListId id, const List& list) {
    const auto is_away = [](const ListSink& one) { return one.away; };
    const bool away = list.quorum == config::Quorum::all ? std::ranges::any_of(list.sinks, is_away)
                                                         : std::ranges::all_of(list.sinks, is_away);
    state(id).away.store(away, std::memory_order_relaxed);
}

// ---- who waits

void ListService::settled(std::uint64_t token, Outcome outcome) {
    if (worker_of_hold_token(token) != kSeveral) return acknowledger_.acknowledge(token, outcome);
    const auto found = waits_.find(token);
    if (found == waits_.end()) return;
    Wait& wait = found->second;
    ++wait.reported[static_cast<std::size_t>(outcome)];
    --wait.left;
    const bool good = outcome == Outcome::installed || outcome == Outcome::already_there;
    if (!wait.notified && (wait.left == 0 || (good && wait.quorum == config::Quorum::any))) {
        wait.notified = true;
        acknowledger_.acknowledge(wait.token, wait.outcome());
    }
    if (wait.left == 0) waits_.erase(found);
}

// Unreachable sinks do not delay answers, unless `quorum: all` is set. A slow one is reachable.
Outcome ListService::Wait::outcome() const {
    const auto has = [&](Outcome o) { return reported[static_cast<std::size_t>(o)] > 0; };
    const bool good = has(Outcome::installed) || has(Outcome::already_there);
    const bool is_late = has(Outcome::late);
    const bool has_result = good || is_late || has(Outcome::failed) || has(Outcome::refused);
    if (has(Outcome::router_away) && (quorum == config::Quorum::all || !has_result))
        return Outcome::router_away;
    if (has(Outcome::refused) && !(good && quorum == config::Quorum::any)) return Outcome::refused;
    if (has(Outcome::failed) && !(good && quorum == config::Quorum::any)) return Outcome::failed;
    if (is_late && !(good && quorum == config::Quorum::any)) return Outcome::late;
    return has(Outcome::installed) ? Outcome::installed : Outcome::already_there;
}

}  // namespace steer
