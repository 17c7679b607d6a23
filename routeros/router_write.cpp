// Writes to the router, and its replies.
#include <algorithm>

#include "routeros/add_script.h"
#include "routeros/router.h"
#include "routeros/time_text.h"

namespace steer::routeros {

namespace {

constexpr std::uint64_t kDeniedMs = 30'000;  // without rights: then try again
constexpr std::uint64_t kUnseenMs = 60'000;  // for an entry that exists already but is not found
// A refused row is tried again after a second, then after three; of many at most this number
// per second.
constexpr std::uint64_t kRefusedFirstMs = 1'000, kRefusedMs = 3'000, kRefusedLongestMs = 60'000;
constexpr std::uint64_t kRefusedApartMs = 50;
constexpr std::uint64_t kComplainMs = 60'000;  // between log lines about single rows
constexpr std::size_t kLookupAddresses = 50;
constexpr std::uint32_t kMaxTries = 2;  // lookups after 'already have such entry' before giving up

}  // namespace

void Router::pump() {
    while (state_ == RouterState::in_sync && may_write_ && now_ >= denied_until_ms_) {
        auto batch = writer_.next(now_);
        if (!batch) return;
        send_batch(*batch);
    }
}

// False: none of its writes is needed any more.
bool Router::send_batch(Batch& batch) {
    if (batch.kind == WriteKind::add) {
        return batch.writes.size() == 1 ? send_add(batch) : send_script(batch);
    }
    std::vector<RowId> ids;
    for (const auto& write : batch.writes) {
        ids.push_back(write.row);
        Row* const row = rows_.find(batch.table, write.row);
        if (row != nullptr) row->leaving = batch.kind == WriteKind::remove;
    }
    RowValues values = names_[batch.writes.front().place.name].values;
    values.timeout_s = batch.timeout_s;
    const auto command = batch.kind == WriteKind::extend   ? set_values(batch.table, ids, values)
                         : batch.kind == WriteKind::enable ? enable_rows(batch.table, ids)
                                                           : remove_rows(batch.table, ids);
    if (batch.kind == WriteKind::extend) ++counters_.set_sentences;
    send_write(command, batch);
    return true;
}

void Router::send_write(const Command& command, Batch& batch) {
    if (writer_.sentences_in_flight() == 0) flight_since_ms_ = now_;
    const Tag tag = submit(command, {JobKind::write, batch.table});
    writer_.sent(tag, std::move(batch), now_);
}

// The timeout is computed now, not when the row was first wanted. No value: it is not needed any
// more.
std::optional<Router::NewRow> Router::new_row(const Place& place) const {
    const Wanted w = wanted(place);
    if (!w.want.any()) return std::nullopt;
    NewRow row{{}, names_[place.name].values};
    if (!w.want.forever() && place.table().facts().has_timeout) {
        const std::uint64_t life_ms = w.want.row_until_ms - std::min(now_, w.want.row_until_ms);
        row.values.timeout_s = static_cast<std::uint32_t>(
            std::clamp<std::uint64_t>((life_ms + 999) / 1000, 1, kMaxTimeoutS));
    }
    const auto kind = w.want.persistent ? RowKind::persistent : RowKind::dynamic;
    row.comment = row_comment(w.list->config.prefix, w.list->config.tag, kind, w.name);
    return row;
}

bool Router::send_add(Batch& batch) {
    Write& write = batch.writes.front();
    const auto row = new_row(write.place);
    if (!row) {
        writer_.undo(batch.writes);
        return false;
    }
    write.timeout_s = row->values.timeout_s;
    send_write(add_row(batch.table, names_[write.place.name].text, write.place.address,
                       row->comment, row->values),
               batch);
    return true;
}

// --- scripts -------------------------------------------------------------------------------------

void Router::begin_scripts() {
    const auto version = Version::parse(version_);
    const bool has = config_.scripts && version && !lacks(*version, feature(FeatureId::scripts));
    scripts_ = has ? Scripts::untried : Scripts::off;
    writer_.set_scripts(has);
}

// Until the next session. Logged once, not in each session.
void Router::end_scripts(const std::string& why) {
    if (scripts_ == Scripts::off) return;
    scripts_ = Scripts::off;
    writer_.set_scripts(false);
    if (std::exchange(scripts_logged_, true)) return;
    log_line(Level::info, who() + " does not run scripts (" + why + "): rows are added one by one");
}

// One at a time until scripts are known to work.
bool Router::send_script(Batch& batch) {
    AddScript script{batch.table};
    std::vector<Write> taken;
    for (Write& write : std::exchange(batch.writes, {})) {
        const auto row = new_row(write.place);
        write.timeout_s = row ? row->values.timeout_s : 0;
        if (row && script.add(names_[write.place.name].text, write.place.address, row->comment,
                              row->values)) {
            taken.push_back(write);
            continue;
        }
        writer_.undo({&write, 1});
        if (row) add_alone(write);
    }
    batch.writes = std::move(taken);
    if (batch.writes.empty()) return false;
    if (batch.writes.size() == 1) return send_add(batch);
    ++counters_.scripts;
    ++scripts_out_;
    if (scripts_ == Scripts::untried) {
        scripts_ = Scripts::trying;
        writer_.set_scripts(false);
    }
    send_write(script.command(), batch);
    return true;
}

// A row that the script could not add is sent as a single add, whose reply has the reason. An unknown result is
// looked up.
void Router::script_ended(const Batch& batch, const Ending& ending) {
    const auto results =
        parse_add_output(ending.ok ? std::string_view{ending.ret} : "", batch.writes.size());
    const bool not_begun =
        !ending.ok && (ending.says("unknown parameter") || ending.says("no such command") ||
                       ending.says("not enough permissions"));
    const bool understood = results.back().kind != AddResult::Kind::unknown;
    if (!understood) {
        end_scripts(ending.ok ? "what one printed is not understood" : ending.message);
    } else if (scripts_ == Scripts::trying) {
        scripts_ = Scripts::work;
        writer_.set_scripts(true);
    }
    for (std::size_t i = 0; i < results.size(); ++i) {
        const Write& write = batch.writes[i];
        switch (results[i].kind) {
            case AddResult::Kind::added:
                taken();
                ++rows_by_class_[static_cast<std::size_t>(batch.cls)];
                added(write, results[i].row, batch.sent_ms);
                break;
            case AddResult::Kind::refused:
                add_alone(write);
                break;
            case AddResult::Kind::unknown:
                if (!not_begun) lookups_.insert(write.place);
                evaluate(write.place, batch.cls);
        }
    }
    if (--scripts_out_ > 0 || prints_running()) return;
    for (auto& died : died_)
        died.clear();
}

void Router::add_alone(Write write) {
    if (!writes()) return;
    write.alone = true;
    write.due_ms = now_;
    writer_.put(write, now_);
    evaluate(write.place, write.cls);  // it may be unneeded now, or an answer may wait for it
}

// --- what became of it ---------------------------------------------------------------------------

void Router::taken() {
    if (topic_ != Topic::write) return;
    say(Level::info, Topic::in_sync, who() + " accepts writes again");
}

void Router::on_write_end(Tag tag, const Ending& ending) {
    const auto batch = writer_.ended(tag, now_);
    if (!batch) return;
    acknowledged_ms_ = now_;
    bool was_stalled = false;
    for (auto& [id, list] : lists_)
        was_stalled |= may_write_ && std::exchange(list.stalled, false);
    if (was_stalled) notify_away();
    if (batch->kind == WriteKind::add && batch->writes.size() > 1) {
        return script_ended(*batch, ending);
    }
    if (!ending.ok) return refused(*batch, ending);
    taken();
    rows_by_class_[static_cast<std::size_t>(batch->cls)] += batch->writes.size();
    switch (batch->kind) {
        case WriteKind::add:
            return added(batch->writes.front(), parse_row_id(ending.ret), batch->sent_ms);
        case WriteKind::extend:
            return extended(*batch);
        case WriteKind::enable:
            return enabled(*batch);
        case WriteKind::remove:
            return removed(*batch);
    }
}

// `id` 0: unknown.
void Router::added(const Write& write, RowId id, std::uint64_t sent_ms) {
    ++counters_.rows_added;
    add_delays_.add(now_ - std::min(write.since_ms, now_));
    const Place place = write.place;
    if (is_late(place)) acknowledged_late(place);
    if (id == 0) {
        lookups_.insert(place);
        return;
    }
    const Table table = place.table();
    if (died_[table.index()].contains(id)) return evaluate(place, WriteClass::repair);
    Row row;
    row.id = id;
    row.place = place;
    row.owner = Owner::ours;
    row.kind = persistent_.contains(place) ? RowKind::persistent : RowKind::dynamic;
    row.written_here = true;
    row.touched_ms = now_;
    row.print = print_;
    if (write.timeout_s > 0) {
        // It took effect after we sent it and before now.
        row.until_ms = sent_ms + std::uint64_t{write.timeout_s} * 1000;
        row.gone_ms = now_ + std::uint64_t{write.timeout_s} * 1000 + 1000;
    }
    // Listen reports a row of a script before the script has ended.
    const Row* const current = rows_.find(table, id);
    const bool changed =
        current != nullptr && current->touched_ms >= sent_ms &&
        (current->owner != Owner::ours || current->place != place || current->disabled ||
         current->is_outdated || current->gone_ms < row.until_ms);
    if (current != nullptr) row.is_inactive = current->is_inactive;
    if (!changed) rows_.put(row);
    accepted(place);
    if (cleaning_ && has_fleet()) return;
    if (cleaning_) {
        writer_.put(
            {place, WriteKind::remove, WriteClass::repair, row.id, 0, now_, row.is_static()}, now_);
        return;
    }
    evaluate(place, WriteClass::routine);
}

void Router::extended(const Batch& batch) {
    for (const auto& write : batch.writes) {
        ++counters_.rows_extended;
        Row* row = rows_.find(batch.table, write.row);
        if (row != nullptr && row->place == write.place) {
            if (batch.table.facts().has_timeout) {
                row->until_ms = batch.sent_ms + std::uint64_t{batch.timeout_s} * 1000;
                row->gone_ms = now_ + std::uint64_t{batch.timeout_s} * 1000 + 1000;
            }
            row->is_outdated = false;
            row->touched_ms = now_;
        }
        accepted(write.place);
        evaluate(write.place, WriteClass::routine);
    }
}

void Router::enabled(const Batch& batch) {
    for (const auto& write : batch.writes) {
        ++counters_.rows_enabled;
        Row* const row = rows_.find(batch.table, write.row);
        if (row != nullptr && row->place == write.place) {
            row->disabled = false;
            row->touched_ms = now_;
        }
        accepted(write.place);
        evaluate(write.place, WriteClass::routine);
    }
}

void Router::removed(const Batch& batch) {
    for (const auto& write : batch.writes) {
        ++counters_.rows_removed;
        rows_.erase(batch.table, write.row);
        evaluate(write.place, WriteClass::repair);
    }
}

// --- refusals ------------------------------------------------------------------------------------

void Router::refused(const Batch& batch, const Ending& ending) {
    if (ending.says("not enough permissions")) {
        for (const auto& write : batch.writes) {
            if (Row* const row = rows_.find(batch.table, write.row)) row->leaving = false;
        }
        return denied(batch.table, ending);
    }
    if (!may_write_) {  // it is another one's turn
        maybe_extended(batch);
        for (const auto& write : batch.writes) {
            if (Row* const row = rows_.find(batch.table, write.row)) row->leaving = false;
            evaluate(write.place, WriteClass::routine);
        }
        return;
    }
    if (batch.writes.size() > 1) {  // the router does not say which one: no print for that
        ++counters_.bisections;
        maybe_extended(batch);
        return writer_.put_halves(batch);
    }
    const Write& write = batch.writes.front();
    if (batch.kind == WriteKind::add && ending.says("already have such")) {
        return duplicate(write.place);
    }
    if (batch.kind != WriteKind::add && ending.says("no such item")) {
        gone(batch.table, write.row);  // listen may have reported it before: then this does nothing
        return evaluate(write.place, WriteClass::repair);
    }
    ++counters_.rows_failed;
    if (Row* const row = rows_.find(batch.table, write.row)) row->leaving = false;
    if (logged_refusal_ != ending.message && now_ >= refusal_log_ms_) {
        refusal_log_ms_ = now_ + kComplainMs;
        logged_refusal_ = ending.message;
        const std::string& group = names_[write.place.name].text;
        const std::string advice =
            ending.says("out of memory") ? "; it has no memory for more rows: lower `max_ttl` of "
                                           "its lists, or take names out of their sets"
            : ending.says("routing-table")
                ? "; it has no such routing table: /routing/table/add fib name=" + group
                : "";
        log_line(Level::warning, who() + " refused a row (" + write.place.address.to_string() +
                                     " in " + std::string(batch.table.facts().group) + " " + group +
                                     "): " + ending.message + "; tried again every few seconds" +
                                     advice);
    }
    refuse_row(write.place);
}

// Some of its rows may have been extended: they live longer than known here.
void Router::maybe_extended(const Batch& batch) {
    if (batch.kind != WriteKind::extend) return;
    for (const auto& write : batch.writes) {
        Row* const row = rows_.find(batch.table, write.row);
        if (row == nullptr || row->gone_ms == kForever) continue;
        row->gone_ms = std::max(row->gone_ms, now_ + std::uint64_t{batch.timeout_s} * 1000 + 1000);
    }
}

// Another writer added it before our add; if it was not reported yet, it is
// looked up.
void Router::duplicate(const Place& place) {
    rows_.at(place, at_place_);
    if (compare(at_place_, wanted(place).want, now_).need != Need::add) {
        return evaluate(place, WriteClass::routine);
    }
    if (++refusals_[place].lookups > kMaxTries) return refuse(place, now_ + kUnseenMs);
    lookups_.insert(place);
}

void Router::send_lookups() {
    while (!lookups_.empty() && !lookup_out_ && !writer_.has_held() && !prints_running()) {
        const NameIndex name = lookups_.begin()->name;
        const Table table = names_[name].table;
        Job job{JobKind::lookup, table};
        std::vector<Address> addresses;
        while (!lookups_.empty() && lookups_.begin()->name == name &&
               addresses.size() < kLookupAddresses) {
            job.places.push_back(*lookups_.begin());
            addresses.push_back(lookups_.begin()->address);
            lookups_.erase(lookups_.begin());
        }
        ++counters_.lookups;
        lookup_out_ = true;
        submit(print_addresses(table, names_[name].text, addresses), std::move(job));
    }
}

void Router::denied(Table table, const Ending& ending) {
    say(Level::error, Topic::write,
        who() + " does not let user " + config_.username + " write " +
            std::string(table.facts().what) + " (" + ending.message +
            "): give its group the policies read,write,api; tried again every 30 s");
    denied_until_ms_ = now_ + kDeniedMs;
    writer_.drop_queued();
    for (auto& [place, waiters] : std::exchange(waiters_, {})) {
        for (const auto& waiter : waiters)
            resolve(waiter, false);
    }
}

void Router::refuse(const Place& place, std::uint64_t retry_ms) {
    refusals_[place].retry_ms = retry_ms;
    if (retry_ms != kForever) retries_.insert({retry_ms, place});
    fail_waiters(place);
    if (!place.address.is_host()) judge_sheltered(place);
}

void Router::refuse_row(const Place& place) {
    const bool first = refusals_[place].refused++ == 0;
    const std::uint64_t soonest_ms = now_ + (first ? kRefusedFirstMs : kRefusedMs);
    last_retry_ms_ =
        std::min(std::max(soonest_ms, last_retry_ms_ + kRefusedApartMs), now_ + kRefusedLongestMs);
    refuse(place, last_retry_ms_);
}

// The row exists. If it had been refused before, the cause is over: the other refused rows need not wait.
void Router::accepted(const Place& place) {
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
    const bool all = std::none_of(refusals_.begin(), refusals_.end(),
                                  [](const auto& one) { return one.second.refused > 0; });
    if (!all || logged_refusal_.empty()) return;
    logged_refusal_.clear();
    refusal_log_ms_ = 0;
    log_line(Level::info, who() + " accepts the rows that it refused");
}

void Router::retry_refusals() {
    while (!retries_.empty() && retries_.begin()->first <= now_) {
        const Place place = retries_.begin()->second;
        retries_.erase(retries_.begin());
        const auto found = refusals_.find(place);
        if (found == refusals_.end() || found->second.retry_ms > now_) continue;
        if (found->second.refused == 0) {
            refusals_.erase(found);
            evaluate(place, WriteClass::routine);
        } else {
            evaluate(place, WriteClass::repair);  // it stays marked as refused
        }
    }
    if (denied_until_ms_ != 0 && now_ >= denied_until_ms_ && state_ == RouterState::in_sync) {
        denied_until_ms_ = 0;
        reconcile(WriteClass::repair);
    }
}

}  // namespace steer::routeros
