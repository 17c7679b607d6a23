// Data from the router: uptime, rows by print, changes by listen.
#include <algorithm>

#include "matchers/safe_text.h"
#include "routeros/router.h"
#include "routeros/time_text.h"

namespace steer::routeros {

namespace {

constexpr std::uint64_t kReprintMs = 30 * 60'000, kReprintWithoutListenMs = 5 * 60'000;
constexpr std::uint64_t kReprintPatienceMs =
    5 * 60'000;  // waits at most this long for a moment without writes
constexpr std::uint64_t kReprintCheckMs = 500;
constexpr std::int64_t kBootToleranceMs = 5'000;
constexpr std::uint64_t kRightsRetryMs = 30'000;
constexpr std::uint64_t kListenRetryMs = 3'000, kListenTriedMs = 1'000;
constexpr std::size_t kVersionBytes = 80;
constexpr std::uint64_t kEarlyMs = 1'500;  // a row removed this much before its end was lost

}  // namespace

Tag Router::submit(const Command& command, Job job) {
    if (jobs_.size() == jobs(JobKind::listen)) waiting_since_ms_ = now_;
    job.sent_ms = now_;
    const bool ends = job.kind != JobKind::listen;
    const Tag tag = session_.send(command, ends ? Session::Reply::ends : Session::Reply::endless);
    ++job_counts_[static_cast<std::size_t>(job.kind)];
    jobs_.emplace(tag, std::move(job));
    return tag;
}

// --- sessions and prints -------------------------------------------------------------------------

// Uptime first: it decides whether the known rows are still valid.
void Router::begin_reading() {
    enter(RouterState::reading);
    table_missing_ = {};
    listen_refused_ = {};
    listen_again_ms_.fill(UINT64_MAX);
    heartbeat_ms_ = now_;
    heartbeat_out_ = true;
    submit(print(forms::print_resource), {JobKind::resource});
    ask_own_addresses();
}

void Router::begin_prints() {
    for (const Table table : kTables) {
        const bool used = (has_fleet() && table == kAddressList4) ||
                          std::any_of(names_.begin(), names_.end(),
                                      [&](const Name& name) { return name.table == table; });
        if (!used || is_missing(table)) continue;
        if (!listening_[table.index()] && !listen_refused_[table.index()]) begin_listen(table);
        begin_print(table);
    }
    if (!prints_running() && state_ == RouterState::reading) finish_reading();
}

void Router::begin_listen(Table table) {
    listening_[table.index()] = true;
    submit(listen(table), {JobKind::listen, table});
}

void Router::begin_print(Table table) {
    std::vector<std::string_view> groups;
    for (const auto& name : names_) {
        if (name.table == table) groups.push_back(name.text);
    }
    ++print_;
    if (has_fleet() && table == kAddressList4) {
        groups.push_back(kWriterList);
        writer_print_ = print_;
    }
    ++counters_.prints;
    ++prints_running_;
    set_measuring();
    died_[table.index()].clear();
    submit(print_groups(table, groups), {JobKind::print, table, 0, print_});
}

// Every half hour, at a moment without writes, or after some time when no answer
// waits.
void Router::maybe_reprint() {
    if (now_ < reprint_ms_ || prints_running()) return;
    const bool quiet = writer_.places() == 0 || now_ >= reprint_due_ms_ + kReprintPatienceMs;
    if (writer_.has_held() || !quiet) {
        reprint_ms_ = now_ + kReprintCheckMs;
        return;
    }
    begin_prints();
}

// Once for each version. A version that cannot be read says nothing.
void Router::judge_version() {
    lacks_.clear();
    const auto version = Version::parse(version_);
    if (!version) return;
    std::vector<FeatureId> used;
    if (!lists_.empty()) used.push_back(FeatureId::tables);
    const bool has6 = std::ranges::any_of(
        lists_, [](const auto& entry) { return !entry.second.config.list6.empty(); });
    if (has6) used.push_back(FeatureId::egress6);
    if (config_.scripts) used.push_back(FeatureId::scripts);
    for (const FeatureId id : used) {
        if (lacks(*version, feature(id))) lacks_.push_back(lack_text(*version, feature(id)));
    }
    if (lacks_logged_ == version_) return;
    lacks_logged_ = version_;
    for (const std::string& text : lacks_)
        log_line(Level::info, who() + ": " + text);
}

// While prints run, write times are not measured.
void Router::set_measuring() {
    writer_.set_measuring(!prints_running() && jobs(JobKind::connections) == 0 &&
                          jobs(JobKind::probe_read) == 0);
}

void Router::finish_reading() {
    const bool first = state_ == RouterState::reading;
    bool deaf = false;
    for (std::size_t table = 0; table < listening_.size(); ++table)
        deaf |= listen_refused_[table] && !table_missing_[table];
    reprint_ms_ = reprint_due_ms_ = now_ + (deaf ? kReprintWithoutListenMs : kReprintMs);
    if (first) {
        enter(RouterState::in_sync);
        synced_ms_ = now_;
        rows_known_ = true;
        backoff_ms_ = 0;
        denied_until_ms_ = 0;
        judge_version();
        begin_scripts();
        for (auto& [id, list] : lists_) {
            list.stalled = false;
            list.unserved = 0;
        }
        say(Level::info, Topic::in_sync,
            who() + " (" + (board_.empty() ? "RouterOS" : board_) + ", " + version_ +
                "): rows read: " + std::to_string(rows_.count(Owner::ours)) + " own, " +
                std::to_string(rows_.count(Owner::foreign)) + " foreign, " +
                std::to_string(rows_.count(Owner::orphan)) + " orphaned");
    }
    judging_.first |= first;
    check_writer_row();
    reconcile(first ? WriteClass::repair : WriteClass::routine);
}

void Router::on_print_end(const Job& job, const Ending& ending) {
    --prints_running_;
    set_measuring();
    if (ending.ok) {
        sweep(job);
        sweep_writer_rows(job);
    } else if (job.table.menu == Menu::ipv6 && ending.says("no such command")) {
        table_missing_[job.table.index()] = true;
        log_line(Level::warning, who() + " has no " + job.table.path() +
                                     ": IPv6 addresses are not put on it; enable its ipv6 package");
    } else if (!ending.says("not enough permissions")) {
        lose("its " + job.table.path() + " cannot be read (" + ending.message + ")", Topic::lost,
             retry_delay());
        return;
    } else {
        lose(who() + " does not let user " + config_.username + " read " + job.table.path() + " (" +
                 ending.message +
                 "): give its group the policies read,write,api; tried again every 30 s",
             Topic::read, kRightsRetryMs);
        return;
    }
    died_[job.table.index()].clear();
    if (!prints_running()) finish_reading();
}

// Rows that neither the print nor newer data showed no longer exist.
void Router::sweep(const Job& job) {
    std::vector<RowId> missing;
    rows_.for_each([&](const Row& row) {
        if (row.place.table() != job.table || row.print == job.print) return;
        if (row.touched_ms < job.sent_ms) missing.push_back(row.id);
    });
    for (const auto id : missing)
        gone(job.table, id);
}

// The reason may be temporary.
void Router::on_listen_end(const Job& job, const Ending& ending) {
    const std::size_t table = job.table.index();
    listening_[table] = false;
    const bool was_logged = std::exchange(listen_refused_[table], true);
    if (!ending.says("no such command")) {
        listen_again_ms_[table] = now_ + kListenRetryMs;
        if (was_logged) return;
        log_line(Level::warning, who() + " does not report changes of " + job.table.path() + " (" +
                                     ending.message +
                                     "): its rows are read every 5 minutes instead");
    }
    notify_away();  // a standby depends on it
    reprint_ms_ = std::min(reprint_ms_, now_ + kReprintWithoutListenMs);
    reprint_due_ms_ = std::min(reprint_due_ms_, reprint_ms_);
}

// An accepted listen sends no reply; then changes since are read once.
void Router::listen_again() {
    for (const Table table : kTables) {
        std::uint64_t& due_ms = listen_again_ms_[table.index()];
        if (now_ < due_ms) continue;
        if (!listening_[table.index()]) {
            begin_listen(table);
            due_ms = now_ + kListenTriedMs;
        } else if (prints_running() || writer_.has_held()) {
            due_ms = now_ + kReprintCheckMs;
        } else {
            due_ms = UINT64_MAX;
            listen_refused_[table.index()] = false;
            notify_away();
            begin_print(table);
        }
    }
}

// --- uptime --------------------------------------------------------------------------------------

void Router::read_resource(const Job& job, const ReplyRow& row) {
    version_ = safe_text(row.get("version").value_or(version_), kVersionBytes);
    board_ = safe_text(row.get("board-name").value_or(board_), kVersionBytes);
    read_flash(row);
    const auto load = parse_time(row.get("cpu-load").value_or(""));
    writer_.set_brake(load && *load > 85);
    if (!prints_running() && jobs(JobKind::connections) == 0) {
        const std::uint64_t rtt_ms = now_ - job.sent_ms;
        // After own writes it took longer than the round trip.
        const std::uint64_t more_ms = writer_.sentences_in_flight() == 0 ? 1 : 0;
        rtt_ms_ = rtt_ms_ ? std::min(rtt_ms, *rtt_ms_ + more_ms) : rtt_ms;
        writer_.set_rtt_ms(*rtt_ms_);
    }
    const auto uptime_s = parse_time(row.get("uptime").value_or(""));
    if (!uptime_s) return;
    // Booted between these two: the uptime is in whole seconds, and was read between request and
    // reply.
    const auto uptime_ms = static_cast<std::int64_t>(*uptime_s * 1000);
    const auto low = static_cast<std::int64_t>(job.sent_ms) - uptime_ms - 1000;
    const auto high = static_cast<std::int64_t>(now_) - uptime_ms;
    const bool moved =
        boot_known_ && (*uptime_s < uptime_s_ || low > boot_high_ms_ + kBootToleranceMs ||
                        high < boot_low_ms_ - kBootToleranceMs);
    boot_low_ms_ = low;
    boot_high_ms_ = high;
    uptime_s_ = *uptime_s;
    boot_known_ = true;
    if (moved) rebooted();
}

// Timed rows are lost; static ones exist, maybe with other ids.
void Router::rebooted() {
    ++counters_.reboots;
    rows_.clear();
    drop_probe("the router has rebooted");
    connections_.clear();
    log_line(Level::warning, who() + " has rebooted: its rows are written again");
    if (state_ != RouterState::in_sync) return;  // still reading: the rest follows
    begin_epoch();
    writer_.drop_queued();
    judging_ = {};
    shelters_.clear();
    forget_hands();
    forget_writer_rows();
    enter(RouterState::reading);
    notify_away();
    settle_away(nullptr);
    if (!prints_running()) begin_prints();
}

// --- rows ----------------------------------------------------------------------------------------

std::optional<NameIndex> Router::find_name(Table table, std::string_view text) const {
    for (std::size_t i = 0; i < names_.size(); ++i) {
        if (names_[i].table == table && names_[i].text == text) return static_cast<NameIndex>(i);
    }
    return std::nullopt;
}

void Router::identify(std::string_view comment, Row& row) const {
    const RowType type = row.place.type;
    for (const auto& user : lists_) {
        if (user.second.config.type != type) continue;
        const auto& prefix = user.second.config.prefix;
        const auto facts = parse_comment(prefix, comment);
        if (!facts) continue;
        const bool known = std::any_of(lists_.begin(), lists_.end(), [&](const auto& entry) {
            const ListConfig& config = entry.second.config;
            return config.type == type && config.tag == facts->tag && config.prefix == prefix;
        });
        row.owner = known ? Owner::ours : Owner::orphan;
        row.kind = facts->kind;
        if (known) return;
    }
    if (row.owner == Owner::orphan || (row.owner == Owner::foreign && is_of_a_predecessor(comment)))
        row.comment = safe_text(comment);
}

// False: not a row of our lists, or its address is a range or a name, which we never
// write.
bool Router::read_row(Table table, const ReplyRow& reply, Row& row,
                      std::optional<std::uint64_t>& timeout_s) const {
    const RowTypeFacts& facts = table.facts();
    row.id = parse_row_id(reply.get(".id").value_or(""));
    const auto name = find_name(table, reply.get(facts.group_property).value_or(""));
    const auto address = Address::parse(table.menu, reply.get(facts.address_property).value_or(""));
    if (row.id == 0 || !name || !address) return false;
    row.place = place_at(*name, *address);
    row.disabled = reply.is_true("disabled");
    if (const auto comment = reply.get("comment")) identify(*comment, row);
    if (!facts.has_timeout) return read_properties(reply, row);
    timeout_s = parse_time(reply.get("timeout").value_or(""));
    row.unclear = reply.is_true("dynamic") && !timeout_s;
    return true;
}

void Router::set_bounds(Row& row, std::optional<std::uint64_t> timeout_s, Bounds bounds) const {
    if (!timeout_s) return;
    const std::uint64_t left_ms = *timeout_s * 1000;
    row.until_ms = bounds.until_ms + left_ms;
    row.gone_ms = bounds.gone_ms + left_ms;
}

// Stores a row from the router; newer knowledge from own writes is kept.
void Router::learn(Row row, std::string_view comment) {
    const Row* const known = rows_.find(row.place.table(), row.id);
    const bool is_new = known == nullptr || known->owner != Owner::ours;
    if (known != nullptr) {
        row.written_here = known->written_here && known->place == row.place;
        row.is_reported = known->is_reported && row.disabled && known->place == row.place;
        row.leaving = known->leaving && known->place == row.place && writer_.in_flight(row.place);
        row.print = std::max(row.print, known->print);
        const bool both_timed = known->gone_ms != kForever && row.gone_ms != kForever;
        if (both_timed && known->until_ms >= row.until_ms && known->until_ms <= row.gone_ms) {
            row.until_ms = known->until_ms;
            row.gone_ms = std::max(row.until_ms, std::min(row.gone_ms, known->gone_ms));
        }
    } else if (rows_.size() >= most_rows_) {
        return session_.refuse_more("our lists on it have more than " + std::to_string(most_rows_) +
                                    " rows");
    }
    rows_.put(row);
    if (!is_new || !is_leased_route(row)) return;
    if (const auto facts = parse_comment({}, comment)) inherit(row.place, facts->tag, facts->name);
}

void Router::on_print_row(const Job& job, const ReplyRow& reply) {
    if (read_writer_row(job, reply, false)) return;
    Row row;
    std::optional<std::uint64_t> timeout_s;
    if (!read_row(job.table, reply, row, timeout_s)) return;
    if (died_[job.table.index()].contains(row.id)) return;
    if (Row* known = rows_.find(job.table, row.id);
        known != nullptr && known->place == row.place && known->touched_ms >= job.sent_ms) {
        known->print = job.print;  // our knowledge is newer than this print
        return;
    }
    // The countdown was read between the request and now, and was truncated or rounded up.
    set_bounds(row, timeout_s,
               {job.sent_ms - std::min<std::uint64_t>(job.sent_ms, 1000), now_ + 1000});
    row.print = job.print;
    notice(rows_.find(job.table, row.id), row);
    learn(std::move(row), reply.get("comment").value_or(""));
}

void Router::on_listen_row(const Job& job, const ReplyRow& reply) {
    ++counters_.listen_events;
    const RowId id = parse_row_id(reply.get(".id").value_or(""));
    if (id == 0) return;
    if (reply.is_true(".dead")) {
        auto& died = died_[job.table.index()];
        if (prints_running() || scripts_out_ > 0) died.insert(id);
        if (died.size() > most_rows_) {
            return session_.refuse_more("more than " + std::to_string(most_rows_) +
                                        " rows disappeared while they were read");
        }
        if (probing_ && job.table == kAddressList4 && probing_->probe.dead(id))
            transcript_.note("listen reported " + row_id_text(id) + " removed");
        if (job.table == kAddressList4 && writer_rows_.erase(id) > 0) return check_writer_row();
        return gone(job.table, id);
    }
    if (read_writer_row(job, reply, true)) return gone(job.table, id);
    Row row;
    std::optional<std::uint64_t> timeout_s;
    const bool ours = read_row(job.table, reply, row, timeout_s);
    const Row* known = rows_.find(job.table, id);
    const std::uint64_t latest = std::min(now_, stood_since_ms_);
    const std::uint64_t young_ms = latest - std::min(latest, kListenAgeMs);
    set_bounds(row, timeout_s, {std::min(young_ms, answered_ms_), now_ + 1000});
    if (ours) notice(known, row);
    if (known != nullptr && (!ours || known->place != row.place)) gone(job.table, id);
    if (!ours) return;
    row.touched_ms = now_;
    const Place place = row.place;
    if (!may_write_ && row.owner == Owner::ours) served(place);
    learn(std::move(row), reply.get("comment").value_or(""));
    accepted(place);
    evaluate(place, WriteClass::routine);
}

// A row no longer exists: by listen, by a print without it, by `no such item`.
void Router::gone(Table table, RowId id) {
    const Row* found = rows_.find(table, id);
    if (found == nullptr) return;
    const Row row = *found;
    rows_.erase(table, id);
    if (row.owner == Owner::ours && row.until_ms > now_ + kEarlyMs && !cleaning_) {
        ++counters_.rows_lost;
        const bool by_others = state_ == RouterState::in_sync && !row.leaving && !row.disabled;
        if (by_others && row.kind == RowKind::dynamic) changed_by_hand(row.place, Hand::removed);
        const Want want = wanted(row.place).want;
        const bool comes_back = may_write_ && want.any() && !want.left_alone && !want.unwelcome;
        if (comes_back && !row.leaving && !row.disabled) note_lost(row.place);
    }
    refusals_.erase(row.place);
    evaluate(row.place, WriteClass::repair);
}

// --- replies -------------------------------------------------------------------------------------

void Router::on_row(Tag tag, const ReplyRow& row) {
    const auto found = jobs_.find(tag);
    if (found == jobs_.end()) return;
    const Job job = found->second;  // a copy: the code below may send commands
    switch (job.kind) {
        case JobKind::resource:
            return read_resource(job, row);
        case JobKind::print:
        case JobKind::lookup:
            return on_print_row(job, row);
        case JobKind::listen:
            return on_listen_row(job, row);
        case JobKind::probe:
        case JobKind::probe_read:
            if (probing_) probing_->probe.row(row, now_);
            return;
        case JobKind::connections:
            return on_connection_row(job, row);
        case JobKind::own:
            return on_own_row(job, row);
        case JobKind::write:
        case JobKind::cut:
        case JobKind::adopt:
        case JobKind::writer_row:
            return;
    }
}

void Router::on_end(Tag tag, const Ending& ending) {
    const auto found = jobs_.find(tag);
    if (found == jobs_.end()) return;
    const Job job = std::move(found->second);
    jobs_.erase(found);
    --job_counts_[static_cast<std::size_t>(job.kind)];
    switch (job.kind) {
        case JobKind::resource:
            heartbeat_out_ = false;
            answered_ms_ = job.sent_ms;
            ++counters_.heartbeats;
            // It was sent after a standstill, so data after its reply is from after that, too.
            if (heartbeat_ms_ >= stood_until_ms_) stood_since_ms_ = UINT64_MAX;
            if (state_ == RouterState::reading && !prints_running()) begin_prints();
            return;
        case JobKind::print:
            return on_print_end(job, ending);
        case JobKind::listen:
            return on_listen_end(job, ending);
        case JobKind::lookup:
            lookup_out_ = false;
            for (const auto& place : job.places)
                evaluate(place, WriteClass::routine);
            return;
        case JobKind::probe:
        case JobKind::probe_read:
            return on_probe_end(job, ending);
        case JobKind::write:
            return on_write_end(tag, ending);
        case JobKind::own:
            return on_own_end(job, ending);
        case JobKind::adopt:
            return on_adopt_end(job, ending);
        case JobKind::writer_row:
            return on_writer_row_end(job, ending);
        case JobKind::connections:
        case JobKind::cut:
            return on_connections_end(job, ending);
    }
}

}  // namespace steer::routeros
