// What the router is told, and what it says to that.
#include <algorithm>

#include "routeros/engine.h"
#include "routeros/time_text.h"

namespace steer::routeros {

namespace {

constexpr std::uint64_t kDeniedMs = 30'000;  // without rights: then try again
constexpr std::uint64_t kUnseenMs = 60'000;  // an entry that is there already and is not found
// A row that the router does not take is tried again after a second, then after three; of many so
// many a second.
constexpr std::uint64_t kRefusedFirstMs = 1'000, kRefusedMs = 3'000, kRefusedLongestMs = 60'000;
constexpr std::uint64_t kRefusedApartMs = 50;
constexpr std::uint64_t kComplainMs = 60'000;  // between sentences about single rows
constexpr std::size_t kLookupAddresses = 50;
constexpr std::uint32_t kMostTries =
    2;  // lookups after 'already have such entry' before we give in

}  // namespace

void Router::Engine::pump() {
    while (state_ == RouterState::in_sync && now_ >= denied_until_ms_) {
        auto batch = writer_.next(now_);
        if (!batch) return;
        send_batch(*batch);
    }
}

// False: nothing of it is wanted any more.
bool Router::Engine::send_batch(Batch& batch) {
    if (batch.kind == WriteKind::add) return send_add(batch);
    std::vector<RowId> ids;
    for (const auto& write : batch.writes) {
        ids.push_back(write.row);
        Row* const row = rows_.find(batch.menu, write.row);
        if (row != nullptr) row->leaving = batch.kind == WriteKind::remove;
    }
    const auto command = batch.kind == WriteKind::extend
                             ? set_timeout(batch.menu, ids, batch.timeout_s)
                             : remove_rows(batch.menu, ids);
    if (batch.kind == WriteKind::extend) ++counters_.set_sentences;
    if (writer_.sentences_in_flight() == 0) flight_since_ms_ = now_;
    const Tag tag = submit(command, {JobKind::write, batch.menu});
    writer_.sent(tag, std::move(batch), now_);
    return true;
}

// The timeout is reckoned now, not when the row was first wanted.
bool Router::Engine::send_add(Batch& batch) {
    const Place place = batch.writes.front().place;
    const Wanted w = wanted(place);
    if (!w.want.any()) {
        writer_.undo(batch);
        return false;
    }
    batch.timeout_s = 0;
    if (!w.want.forever()) {
        const std::uint64_t life_ms = w.want.row_until_ms - std::min(now_, w.want.row_until_ms);
        batch.timeout_s = static_cast<std::uint32_t>(
            std::clamp<std::uint64_t>((life_ms + 999) / 1000, 1, kMaxTimeoutS));
    }
    const auto kind = w.want.persistent ? RowKind::persistent : RowKind::dynamic;
    const auto comment = row_comment(w.list->config.prefix, w.list->config.tag, kind, w.name);
    const auto command = add_row(names_[place.name].text, place.address, comment, batch.timeout_s);
    if (writer_.sentences_in_flight() == 0) flight_since_ms_ = now_;
    const Tag tag = submit(command, {JobKind::write, batch.menu});
    writer_.sent(tag, std::move(batch), now_);
    return true;
}

void Router::Engine::on_write_end(Tag tag, const Ending& ending) {
    const auto batch = writer_.ended(tag, now_);
    if (!batch) return;
    acknowledged_ms_ = now_;
    bool was_stalled = false;
    for (auto& [id, list] : lists_)
        was_stalled |= std::exchange(list.stalled, false);
    if (was_stalled) tell_away();
    if (!ending.ok) return refused(*batch, ending);
    if (topic_ == Topic::write) {
        say(Level::info, Topic::in_sync, who() + " takes writes again");
    }
    switch (batch->kind) {
        case WriteKind::add:
            return added(*batch, ending);
        case WriteKind::extend:
            return extended(*batch);
        case WriteKind::remove:
            return removed(*batch);
    }
}

void Router::Engine::added(const Batch& batch, const Ending& ending) {
    ++counters_.rows_added;
    const Place place = batch.writes.front().place;
    Row row;
    row.id = parse_row_id(ending.ret);
    if (row.id == 0) {  // no id came back: it must be asked for
        lookups_.insert(place);
        return;
    }
    row.place = place;
    row.owner = Owner::ours;
    row.kind = persistent_.contains(place) ? RowKind::persistent : RowKind::dynamic;
    row.written_here = true;
    row.touched_ms = now_;
    row.print = print_;
    if (batch.timeout_s > 0) {
        // It took effect after we sent it and before now.
        row.until_ms = batch.sent_ms + std::uint64_t{batch.timeout_s} * 1000;
        row.gone_ms = now_ + std::uint64_t{batch.timeout_s} * 1000 + 1000;
    }
    rows_.put(row);
    accepted(place);
    if (cleaning_) {
        writer_.put(
            {place, WriteKind::remove, WriteClass::repair, row.id, 0, now_, row.is_static()}, now_);
        return;
    }
    evaluate(place, WriteClass::routine);
}

void Router::Engine::extended(const Batch& batch) {
    for (const auto& write : batch.writes) {
        ++counters_.rows_extended;
        Row* row = rows_.find(batch.menu, write.row);
        if (row != nullptr && row->place == write.place) {
            row->until_ms = batch.sent_ms + std::uint64_t{batch.timeout_s} * 1000;
            row->gone_ms = now_ + std::uint64_t{batch.timeout_s} * 1000 + 1000;
            row->touched_ms = now_;
        }
        accepted(write.place);
        evaluate(write.place, WriteClass::routine);
    }
}

void Router::Engine::removed(const Batch& batch) {
    for (const auto& write : batch.writes) {
        ++counters_.rows_removed;
        rows_.erase(batch.menu, write.row);
        evaluate(write.place, WriteClass::repair);
    }
}

// --- refusals ------------------------------------------------------------------------------------

void Router::Engine::refused(const Batch& batch, const Ending& ending) {
    if (ending.says("not enough permissions")) {
        for (const auto& write : batch.writes) {
            if (Row* const row = rows_.find(batch.menu, write.row)) row->leaving = false;
        }
        return denied(ending);
    }
    if (batch.writes.size() > 1) {  // which one it was is not said: nothing is printed for that
        ++counters_.bisections;
        return writer_.put_halves(batch);
    }
    const Write& write = batch.writes.front();
    if (batch.kind == WriteKind::add && ending.says("already have such entry")) {
        return duplicate(write.place);
    }
    if (batch.kind != WriteKind::add && ending.says("no such item")) {
        gone(batch.menu, write.row);  // listen may have told it before: then this does nothing
        return evaluate(write.place, WriteClass::repair);
    }
    ++counters_.rows_failed;
    if (Row* const row = rows_.find(batch.menu, write.row)) row->leaving = false;
    if (now_ >= complained_ms_) {
        complained_ms_ = now_ + kComplainMs;
        tell(Level::warning, who() + " refused a row (" + write.place.address.to_string() +
                                 " in list " + names_[write.place.name].text +
                                 "): " + ending.message + "; tried again every few seconds");
    }
    refuse_row(write.place);
}

// Somebody else wrote it between our last news and our add; if nothing told us of it yet, it is
// looked up.
void Router::Engine::duplicate(const Place& place) {
    rows_.at(place, at_place_);
    if (compare(at_place_, wanted(place).want, now_).need != Need::add) {
        return evaluate(place, WriteClass::routine);
    }
    if (++refusals_[place].lookups > kMostTries) return refuse(place, now_ + kUnseenMs);
    lookups_.insert(place);
}

void Router::Engine::send_lookups() {
    while (!lookups_.empty() && !lookup_out_ && !writer_.has_held() && !prints_running()) {
        const NameIndex name = lookups_.begin()->name;
        const Menu menu = names_[name].menu;
        Job job{JobKind::lookup, menu};
        std::vector<Address> addresses;
        while (!lookups_.empty() && lookups_.begin()->name == name &&
               addresses.size() < kLookupAddresses) {
            job.places.push_back(*lookups_.begin());
            addresses.push_back(lookups_.begin()->address);
            lookups_.erase(lookups_.begin());
        }
        ++counters_.lookups;
        lookup_out_ = true;
        submit(print_addresses(menu, names_[name].text, addresses), std::move(job));
    }
}

void Router::Engine::denied(const Ending& ending) {
    say(Level::error, Topic::write,
        who() + " does not let user " + config_.username + " write address lists (" +
            ending.message +
            "): give its group the policies read,write,api; tried again every 30 s");
    denied_until_ms_ = now_ + kDeniedMs;
    writer_.drop_queued();
    for (auto& [place, waiters] : std::exchange(waiters_, {})) {
        for (const auto& waiter : waiters)
            resolve(waiter, false);
    }
}

void Router::Engine::refuse(const Place& place, std::uint64_t retry_ms) {
    refusals_[place].retry_ms = retry_ms;
    if (retry_ms != kForever) retries_.insert({retry_ms, place});
    fail_waiters(place);
}

void Router::Engine::refuse_row(const Place& place) {
    const bool first = refusals_[place].refused++ == 0;
    const std::uint64_t soonest_ms = now_ + (first ? kRefusedFirstMs : kRefusedMs);
    last_retry_ms_ =
        std::min(std::max(soonest_ms, last_retry_ms_ + kRefusedApartMs), now_ + kRefusedLongestMs);
    refuse(place, last_retry_ms_);
}

// A row is there. If it had been refused, what stood in its way is over: the others need not wait.
void Router::Engine::accepted(const Place& place) {
    const auto found = refusals_.find(place);
    if (found == refusals_.end()) return;
    const bool was_refused = found->second.refused > 0;
    refusals_.erase(found);
    if (!was_refused) return;
    for (auto& [other, refusal] : refusals_) {
        if (refusal.refused == 0 || refusal.retry_ms <= now_) continue;
        refusal.retry_ms = now_;
        retries_.insert({now_, other});
    }
    last_retry_ms_ = 0;
}

void Router::Engine::retry_refusals() {
    while (!retries_.empty() && retries_.begin()->first <= now_) {
        const Place place = retries_.begin()->second;
        retries_.erase(retries_.begin());
        const auto found = refusals_.find(place);
        if (found == refusals_.end() || found->second.retry_ms > now_) continue;
        if (found->second.refused == 0) {
            refusals_.erase(found);
            evaluate(place, WriteClass::routine);
        } else {
            evaluate(place, WriteClass::repair);  // it stays known as one that was refused
        }
    }
    if (denied_until_ms_ != 0 && now_ >= denied_until_ms_ && state_ == RouterState::in_sync) {
        denied_until_ms_ = 0;
        reconcile(WriteClass::repair);
    }
}

}  // namespace steer::routeros
