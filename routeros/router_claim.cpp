// Claims, the answers that wait for them, and updates of the row board.
#include <algorithm>

#include "routeros/router.h"
#include "routeros/time_text.h"

namespace steer::routeros {

namespace {

constexpr std::uint64_t kStaticPromiseMs = 3'600'000;  // the promised life of a row without timeout
// Ended routes are judged together: each removal is a write to flash, and a name that is asked again keeps its route.
constexpr std::uint64_t kEndedApartMs = 60'000;
constexpr std::uint64_t kUrgentMs = 10'000;  // before a row ends, its renewal counts as held
constexpr std::uint64_t kChangePatienceMs =
    60'000;                                     // then a change of a route's gateway counts as held
constexpr std::uint64_t kEnoughLeftMs = 1'000;  // a claim that ends sooner is not repaired
constexpr std::size_t kJudgedAtOnce = 1'000;    // less than a millisecond, mostly

}  // namespace

// --- what is wanted ------------------------------------------------------------------------------

Router::Wanted Router::wanted(const Place& place) const {
    Wanted w;
    if (place.name >= names_.size()) return w;
    // Without contact to its fleet it does not know all claims.
    w.want.multi_writer = has_fleet() && role_.role == Role::alone;
    for (const List* list : names_[place.name].users)
        w.want.multi_writer |= list->config.multi_writer;
    if (place.address.is_host()) {
        w.want.left_alone = w.want.respects = true;
        for (const List* list : names_[place.name].users) {
            const Claim* claim = claims_.find({list->config.id, place.address});
            if (claim == nullptr || claim->until_ms <= now_) continue;
            if (w.list == nullptr) {
                w.list = list;
                w.name = claim->name();
                w.flow = claim->holders[static_cast<std::size_t>(ShareKind::suffix)];
            }
            w.want.claimed = true;
            w.want.permanent |= claim->permanent;
            w.want.left_alone &= claim->left_alone && list->config.respect_manual_changes;
            w.want.respects &= list->config.respect_manual_changes;
            w.want.until_ms = std::max(w.want.until_ms, claim->until_ms);
            w.want.row_until_ms = std::max(w.want.row_until_ms, claim->row_until_ms);
            w.slack_s = std::max(w.slack_s, list->config.renew_slack_s);
            w.longest_s = std::max(w.longest_s, list->config.max_ttl_s);
            w.life_s = std::max(w.life_s, claim->row_life_s);
        }
    }
    w.want.left_alone &= w.want.claimed;
    w.want.respects &= w.want.claimed;
    const auto persistent = persistent_.find(place);
    if (persistent != persistent_.end()) {
        w.want.persistent = true;
        w.want.left_alone = w.want.respects = false;
        w.list = persistent->second;
    }
    w.want.unwelcome = is_unwelcome(place, w.want.claimed);
    w.want.is_single = !place.table().facts().is_unique;
    return w;
}

Router::Judged Router::judge(const Place& place, bool just_ended) {
    Judged judged{wanted(place), {}};
    Want& want = judged.wanted.want;
    // The router ends no route: without a claim it is over.
    want.just_ended =
        just_ended || (!place.table().facts().has_timeout && has_timed_lists(place.name));
    if (want.claimed && !want.persistent) want.shelter = shelter_of(place);
    rows_.at(place, at_place_);
    judged.difference = compare(at_place_, want, now_);
    return judged;
}

// The only place where the difference between claims and rows becomes writes, promises and
// releases.
void Router::evaluate(const Place& place, WriteClass cls, bool just_ended) {
    if (!judges()) return;
    evaluate_place(place, cls, just_ended);
    if (!place.address.is_host()) judge_sheltered(place);
}

void Router::evaluate_place(const Place& place, WriteClass cls, bool just_ended) {
    const Judged judged = judge(place, just_ended);
    const auto& [w, difference] = judged;
    const bool settled = difference.need == Need::nothing && !writer_.in_flight(place);
    if (settled && !unwelcome_.empty()) unwelcome_.erase(place);
    update_board(place, difference.cover_ms);
    release(place, difference.cover_ms);
    note_shelter(place, judged, cls);
    if (must_stay(place)) return writer_.drop(place);
    if (settled && !ended_prefixes_.empty()) ended_prefixes_.erase(place);
    switch (difference.need) {
        case Need::nothing:
            writer_.drop(place);
            refusals_.erase(place);
            return;
        case Need::blocked:
            writer_.drop(place);
            if (!refusals_.contains(place)) ++counters_.rows_blocked;
            note_disabled(place, difference.row);
            return refuse(place, difference.retry_ms);
        case Need::left_alone:
            writer_.drop(place);
            refusals_.erase(place);
            // It was disabled while no session was there.
            if (!w.want.left_alone && leave_alone(place, true)) note_hand(place, Hand::disabled);
            return fail_waiters(place);
        case Need::add:
        case Need::extend:
        case Need::enable:
        case Need::remove:
            return want_write(place, difference, w, cls);
    }
}

void Router::want_write(const Place& place, const Difference& difference, const Wanted& w,
                        WriteClass cls) {
    if (now_ < denied_until_ms_ || table_missing_[place.table().index()]) {
        return fail_waiters(place);
    }
    const auto refusal = refusals_.find(place);
    if (refusal != refusals_.end() && refusal->second.retry_ms > now_) return fail_waiters(place);
    if (!may_write_) return writer_.drop(place);  // another one writes it, and listen reports it
    if (lookups_.contains(place)) return;         // judged again after the lookup
    if (difference.need == Need::remove && is_kept(place, w)) return writer_.drop(place);
    const bool is_saved = !place.table().facts().has_timeout;
    Write write{place, WriteKind::add, cls, difference.row, 0, now_};
    if (waiters_.contains(place)) write.cls = WriteClass::held;
    if (difference.need == Need::remove) write.kind = WriteKind::remove;
    const Row* const row = rows_.find(place.table(), difference.row);
    write.saved = difference.need == Need::add ? is_saved || w.want.forever()
                                               : row == nullptr || row->is_static();
    write.flow = w.flow;
    if (difference.need == Need::enable) write.kind = WriteKind::enable;
    if (difference.need == Need::extend) {
        write.kind = WriteKind::extend;
        write.saved = is_saved;
        const std::uint64_t life_ms = w.want.row_until_ms - std::min(now_, w.want.row_until_ms);
        const auto needed_s = std::max<std::uint64_t>((life_ms + 999) / 1000, w.life_s);
        write.timeout_s = is_saved           ? 0
                          : w.want.forever() ? kMaxTimeoutS
                                             : renewal_timeout(needed_s, w.slack_s, w.longest_s);
        write.due_ms = is_saved
                           ? now_ + kChangePatienceMs
                           : difference.row_end_ms - std::min(difference.row_end_ms, kUrgentMs);
    }
    const bool gather =
        write.kind == WriteKind::extend && write.cls == WriteClass::routine && !is_saved;
    writer_.put(write, now_, gather);
}

// After a print: compares all claims with all known rows. Started here,
// done by judge_some(); where an answer waits, claim() judges at once.
void Router::reconcile(WriteClass cls) {
    judging_.cls = judging_.on ? std::min(judging_.cls, cls) : cls;
    judging_.on = true;
    judging_.claims = 0;
    judging_.places = places_of_rows();
}

// One piece: few enough places that other routers and waiting answers are hardly delayed.
void Router::judge_some() {
    if (!judging_.on) return;
    for (std::size_t left = kJudgedAtOnce; left > 0; --left) {
        if (!judging_.places.empty()) {
            const Place place = judging_.places.back();
            judging_.places.pop_back();
            evaluate(place, judging_.cls);
            continue;
        }
        if (judging_.claims >= claims_.slots()) {
            judging_ = {};
            judge_ended_prefixes();
            return notify_away();
        }
        const Claim* const claim = claims_.at(judging_.claims++);
        if (claim == nullptr || !worth_judging(*claim)) continue;
        if (const auto place = place_of(claim->key)) evaluate(*place, judging_.cls);
    }
}

// No value: its list is no longer configured, or has no rows of that family.
std::optional<Place> Router::place_of(const ClaimKey& key) const {
    const auto list = lists_.find(key.list);
    if (list == lists_.end()) return std::nullopt;
    const auto name = list->second.name(key.address.menu());
    return name ? std::optional(place_at(*name, key.address)) : std::nullopt;
}

bool Router::worth_judging(const Claim& claim) const {
    return claim.until_ms > now_ + kEnoughLeftMs;
}

std::vector<Place> Router::places_to_judge() const {
    auto places = places_of_rows();
    claims_.for_each([&](const Claim& claim) {
        const auto place = place_of(claim.key);
        if (place && worth_judging(claim)) places.push_back(*place);
    });
    return places;
}

// Places where a row is (or was) wanted without a claim.
std::vector<Place> Router::places_of_rows() const {
    std::vector<Place> places;
    for (const auto& [place, list] : persistent_)
        places.push_back(place);
    rows_.for_each([&](const Row& row) {
        if (row.owner == Owner::ours && row.is_static()) places.push_back(row.place);
    });
    places.insert(places.end(), unwelcome_.begin(), unwelcome_.end());
    return places;
}

// --- the row board -----------------------------------------------------------------------------------

// A promise counts as a claim: workers that rely on the row board make no claim until it ends.
void Router::update_board(const Place& place, std::uint64_t cover_ms) {
    if (!place.address.is_host()) return;
    for (const List* list : names_[place.name].users) {
        const ClaimKey key{list->config.id, place.address};
        Claim* claim = claims_.find(key);
        if (claim == nullptr) continue;
        const bool on_board = claim->board_until_s != 0 && claim->board_epoch == list->epoch;
        if (cover_ms <= now_) {
            const std::uint64_t end_ms = std::exchange(claim->board_until_s, 0) * 1000ULL;
            if (on_board && end_ms > now_)
                sink_.lost(key.list, place.address.bytes);
            else if (on_board)
                sink_.ended(key.list, place.address.bytes);
            continue;
        }
        if (cover_ms == kForever) {
            if (on_board && std::uint64_t{claim->board_until_s} * 1000 >= claim->until_ms) continue;
            // A route is there for as long as an entry would be.
            const bool is_ours_to_end =
                !place.table().facts().has_timeout && has_timed_lists(place.name);
            const std::uint64_t until_ms =
                is_ours_to_end ? std::max(claim->until_ms, claim->row_until_ms) + 999
                               : std::max(claim->until_ms + 1000, now_ + kStaticPromiseMs);
            claim->board_until_s = static_cast<std::uint32_t>(until_ms / 1000);
        } else {
            const auto until_s = static_cast<std::uint32_t>(cover_ms / 1000);
            if (on_board && claim->board_until_s == until_s) continue;
            claim->board_until_s = until_s;
        }
        claim->board_epoch = list->epoch;
        claims_.promise(key, std::uint64_t{claim->board_until_s} * 1000);
        sink_.installed(key.list, place.address.bytes, claim->board_until_s);
    }
}

void Router::expire_claims() {
    while (const auto claim = claims_.expire(now_)) {
        const ClaimKey& key = claim->key;
        if (claim->board_until_s != 0) sink_.ended(key.list, key.address.bytes);
        if (claim->left_alone) --left_alone_;
        if (List* const list = find_list(key.list)) check_fill(*list);
        const auto place = place_of(key);
        if (!place) continue;
        leave_shelters(*place);
        fail_waiters(*place);
        if (claim->permanent) continue;  // its row stays
        if (place->table().facts().has_timeout) {
            evaluate(*place, WriteClass::routine, has_timed_lists(place->name));
        } else {
            if (ended_routes_.empty()) ended_routes_ms_ = now_ + kEndedApartMs;
            ended_routes_.push_back(*place);
        }
    }
}

// --- who waits -----------------------------------------------------------------------------------

void Router::settle(std::uint64_t token, Outcome outcome) {
    if (token != 0) sink_.settled(token, outcome);
}

void Router::resolve(const Waiter& waiter, bool good) {
    const auto found = holds_.find(waiter.hold);
    if (found == holds_.end()) return;
    Hold& hold = found->second;
    hold.failed |= !good;
    if (--hold.left > 0) return;
    const Hold done = hold;
    holds_.erase(found);
    settle(done.token, done.refused  ? Outcome::refused
                       : done.failed ? Outcome::failed
                       : done.waited ? Outcome::installed
                                     : Outcome::already_there);
}

void Router::release(const Place& place, std::uint64_t cover_ms) {
    const auto found = waiters_.find(place);
    if (found == waiters_.end()) return;
    std::vector<Waiter> covered;
    auto& waiters = found->second;
    const auto waits = [&](const Waiter& waiter) { return waiter.need_ms > cover_ms; };
    const auto middle = std::stable_partition(waiters.begin(), waiters.end(), waits);
    covered.assign(middle, waiters.end());
    waiters.erase(middle, waiters.end());
    if (waiters.empty()) waiters_.erase(found);
    if (!covered.empty()) answers_left(place);
    for (const auto& waiter : covered)
        resolve(waiter, true);
}

// Of those, the ones whose answers have left by that time.
void Router::fail_waiters(const Place& place, std::uint64_t left_by_ms) {
    const auto found = waiters_.find(place);
    if (found == waiters_.end()) return;
    auto& waiters = found->second;
    const auto middle = std::stable_partition(
        waiters.begin(), waiters.end(), [&](const auto& one) { return one.left_ms > left_by_ms; });
    const std::vector<Waiter> failed(middle, waiters.end());
    waiters.erase(middle, waiters.end());
    if (waiters.empty()) waiters_.erase(found);
    if (!failed.empty()) answers_left(place);
    for (const auto& waiter : failed)
        resolve(waiter, false);
}

// If its row has to be written again, some connection may be too early.
void Router::answers_left(const Place& place) {
    for (const List* list : names_[place.name].users) {
        Claim* const claim = claims_.find({list->config.id, place.address});
        if (claim != nullptr) claim->answered = true;
    }
}

// Answers stop waiting for the router: all holds, or those of one list.
void Router::settle_away(const List* only) {
    std::vector<std::uint64_t> tokens;
    boost::unordered::erase_if(holds_, [&](const auto& entry) {
        if (only != nullptr && entry.second.list != only->config.id) return false;
        tokens.push_back(entry.second.token);
        return true;
    });
    if (only == nullptr) {  // others are skipped when their place is resolved
        for (const auto& [place, waiters] : std::exchange(waiters_, {}))
            answers_left(place);
    }
    for (const auto token : tokens)
        settle(token, Outcome::router_away);
}

// Logged at 90 % of max_rows, and again below 80 %.
void Router::check_fill(List& list) {
    const std::size_t claims = claims_.size(list.config.id), most = list.config.max_rows;
    const bool was_logged = list.nearly_full;
    if (was_logged ? claims * 10 >= most * 8 : claims * 10 < most * 9) return;
    list.nearly_full = !was_logged;
    const std::string filled = who() + ": list " + list.config.tag + " has " +
                               std::to_string(claims) + " of its " + std::to_string(most) +
                               " claims";
    if (was_logged) return log_line(Level::info, filled + " again");
    log_line(Level::warning, filled + ": when it is full, more are refused; raise max_rows");
}

// --- claims --------------------------------------------------------------------------------------

void Router::claim(ListId id, std::span<const AddressBytes> addresses, const Origin& origin,
                   std::uint64_t lease_end_ms, std::uint32_t row_life_s, std::uint64_t hold_token,
                   std::uint64_t now_ms) {
    go_on_at(now_ms);
    ++counters_.claims;
    List* list = find_list(id);
    if (list == nullptr || cleaning_) {
        settle(hold_token, list == nullptr ? Outcome::failed : Outcome::router_away);
        return;
    }
    const bool away = is_away(*list);
    if (away) ++claims_while_away_;
    const std::uint64_t serial = hold_token == 0 || away ? 0 : next_hold_++;
    // One more than there are addresses, so that it is not settled before the last one is handled.
    if (serial != 0) {
        holds_.emplace(serial,
                       Hold{hold_token, id, static_cast<std::uint32_t>(addresses.size()) + 1});
    }
    const std::uint64_t need_ms =
        lease_end_ms + (hold_token != 0 ? list->config.sync_timeout_ms : 0);
    for (const auto& address : addresses) {
        const bool waits = claim_address(*list, address, origin, need_ms, row_life_s, serial,
                                         serial == 0 ? WriteClass::routine : WriteClass::held);
        if (serial != 0 && !waits) --holds_.find(serial)->second.left;
    }
    if (serial != 0 && holds_.find(serial)->second.is_hopeless)
        wait_no_longer(serial, *list, addresses);
    else if (serial != 0)
        resolve({serial, 0, 0}, true);
    else if (hold_token != 0)
        settle(hold_token, Outcome::router_away);
    run();
}

// Whether the held row can be written within `sync_timeout`, as far as its write time is known.
bool Router::can_be_in_time(const Place& place) const {
    const auto waiting = waiters_.find(place);
    if (waiting == waiters_.end() || !may_write_) return true;
    const std::uint64_t left_ms = waiting->second.back().left_ms;
    if (writer_.in_flight(place) || writer_.queued() == 0) return true;
    return now_ + writer_.held_wait_ms(wanted(place).flow, now_) <= left_ms;
}

// The answer leaves without its rows, as at the end of sync_timeout. They are still written, by the share of background
// writes.
void Router::wait_no_longer(std::uint64_t serial, const List& list,
                            std::span<const AddressBytes> addresses) {
    ++counters_.holds_unmet;
    const Hold hold = holds_.find(serial)->second;
    holds_.erase(serial);
    for (const auto& bytes : addresses) {
        const auto place = place_of({list.config.id, Address::host(bytes)});
        const auto waiting = place ? waiters_.find(*place) : waiters_.end();
        if (waiting == waiters_.end()) continue;
        std::erase_if(waiting->second, [&](const Waiter& one) { return one.hold == serial; });
        answers_left(*place);
        if (!waiting->second.empty()) continue;
        waiters_.erase(waiting);
        writer_.drop(*place);
        evaluate(*place, WriteClass::routine);
    }
    settle(hold.token, hold.refused ? Outcome::refused : Outcome::late);
}

ClaimBounds Router::bounds_of(const List& list) {
    return {list.config.max_rows, list.config.max_per_name, list.config.max_per_suffix,
            list.config.max_per_client};
}

// nullptr: it was refused and logged.
Claim* Router::raise(List& list, const ClaimKey& key, const Origin& origin, std::uint64_t need_ms,
                     std::uint64_t row_until_ms) {
    const ClaimBounds bounds = bounds_of(list);
    Claim* claim = claims_.raise(key, origin, need_ms, row_until_ms, bounds);
    if (claim == nullptr && claims_.refusal().why == ClaimRefusal::list) {
        if (const auto other = claims_.evict(key.list, origin, bounds)) {
            evict(*other);
            claim = claims_.raise(key, origin, need_ms, row_until_ms, bounds);
        }
    }
    if (claim != nullptr) return claim;
    const ClaimRefusal why = claims_.refusal().why;
    ++counters_.claims_refused;
    if (why != ClaimRefusal::list) ++counters_.claims_over_share;
    const std::string sentence = list.refusals.refused(
        why, origin, bounds, {"list " + list.config.tag, "claims", "max_rows"}, now_);
    if (!sentence.empty()) log_line(Level::warning, who() + ": " + sentence);
    return nullptr;
}

// True: the hold waits for this address.
bool Router::claim_address(List& list, const AddressBytes& address, const Origin& origin,
                           std::uint64_t need_ms, std::uint32_t row_life_s, std::uint64_t serial,
                           WriteClass cls) {
    const ClaimKey key{list.config.id, Address::host(address)};
    const auto on_router = list.name(key.address.menu());
    if (!on_router) {
        ++counters_.claims_refused;
        return false;
    }
    const std::uint64_t row_until_ms =
        row_life_s == 0 ? 0 : std::max(now_ + std::uint64_t{row_life_s} * 1000, need_ms);
    Claim* const claim = raise(list, key, origin, need_ms, row_until_ms);
    if (claim == nullptr) {
        if (serial != 0) holds_.find(serial)->second.refused = true;
        sink_.refused(key.list, address, claims_.refusal().of_client);
        return false;
    }
    claim->row_life_s = std::max(claim->row_life_s, row_life_s);
    claim->answered |= cls != WriteClass::held;
    if (claim->reasons == 1) check_fill(list);
    if (state_ != RouterState::in_sync) return false;
    const Place place = place_at(*on_router, key.address);
    if (claim->reasons == 1 && may_write_) {
        rows_.at(place, at_place_);
        for (const Row* row : at_place_) {
            if (row->owner != Owner::ours || row->written_here || row->is_gone(now_)) continue;
            ++counters_.rows_adopted;
            break;
        }
    }
    if (serial == 0) {
        evaluate(place, cls);
        return false;
    }
    const std::uint64_t left_ms = now_ + list.config.sync_timeout_ms;
    waiters_[place].push_back({serial, need_ms, left_ms});
    if (!may_write_) waits_.insert({left_ms, place});
    Hold& hold = holds_.find(serial)->second;
    const std::uint32_t before = hold.left;
    evaluate(place, cls);
    // evaluate() has already taken this waiter's part off if it was resolved; it is never the
    // last part.
    const bool waits = holds_.find(serial)->second.left == before;
    hold.waited |= waits;
    hold.is_hopeless |= waits && !can_be_in_time(place);
    return true;
}

}  // namespace steer::routeros
