// The role in a fleet, and the writer row by which a new writer fences the former one.
//
// The RouterOS API has no compare-and-set. A former writer stops when `listen` or a print shows it the higher token. Its
// commands in flight may still take effect: they add and extend rows, and in a fleet no appliance shortens or removes one
// under lease.
#include <algorithm>

#include "matchers/safe_text.h"
#include "routeros/router.h"

namespace steer::routeros {

namespace {

constexpr std::uint64_t kAgainMs = 3'000;   // after the router refused the writer row
constexpr std::size_t kMaxWriterRows = 64;  // that are remembered
constexpr std::size_t kMaxOtherFleets = 16;
constexpr std::size_t kNameBytes = 80;
constexpr unsigned kUnservedTimes = 3;
// A row that another appliance reads by `listen` has this much less for it: the report's age, whole seconds, and a
// heartbeat that comes late.
constexpr std::uint64_t kReportedLessMs = kListenAgeMs + 3'000;

}  // namespace

std::string_view label(Role role) {
    switch (role) {
#define STEER_FLEET_ROLE_LABEL(name, text, meaning) \
    case Role::name:                                \
        return text;
        STEER_FLEET_ROLES(STEER_FLEET_ROLE_LABEL)
#undef STEER_FLEET_ROLE_LABEL
    }
    return {};
}

// --- roles ---------------------------------------------------------------------------------------

void Router::set_role(FleetRole role, std::uint64_t now_ms) {
    go_on_at(now_ms);
    if (role == role_) return;
    const bool same_fleet = role.fleet == role_.fleet;
    const bool had_fleet = has_fleet();
    const bool same_role = role.role == role_.role;
    role_ = std::move(role);
    superseded_ = fenced_ = writer_row_refused_ = false;
    writer_row_at_ms_ = 0;
    box_text_ = escaped_name(role_.box);
    if (!same_fleet) {
        fleet_text_ = escaped_name(role_.fleet);
        highest_token_ = 0;
        other_fleets_.clear();
        if (!had_fleet || !has_fleet()) forget_writer_rows();
        for (const auto& [id, row] : writer_rows_)
            note_writer_row(row);
    }
    if (has_fleet() || had_fleet) log_role();
    if (!same_role) {
        for (auto& [id, list] : lists_) {
            list.unserved = 0;
            if (!may_write_) list.stalled = false;
        }
    }
    check_writer_row();
    check_role();
    if (!may_write_ && !follows()) {
        waits_.clear();
        settle_away(nullptr);
    }
    notify_away();
    run();
}

// The writer is named once its row is on the router.
void Router::log_role() {
    const std::string fleet = "fleet " + safe_text(role_.fleet, kNameBytes);
    const std::string box = safe_text(role_.box, kNameBytes);
    switch (role_.role) {
        case Role::alone:
            return log_line(Level::info,
                            who() + (has_fleet() ? ": " + fleet +
                                                       " is unreachable: this appliance writes "
                                                       "it, as others may do"
                                                 : std::string{" is no longer kept by a fleet"}));
        case Role::writer:
            return;
        case Role::standby:
            if (box.empty())
                return log_line(Level::info, who() + " is left to another appliance of " + fleet);
            return log_line(
                Level::info,
                who() + " is written by " + box + " of " + fleet +
                    (role_.token == 0 ? std::string{} : ", token " + std::to_string(role_.token)));
        case Role::waiting:
            if (state_ != RouterState::in_sync) return;
            return log_line(Level::warning, who() + " has no writer in " + fleet +
                                                ": answers go on without it until there is one");
    }
}

// Whether answers may wait for rows that another appliance writes: it is known, and `listen` reports them.
bool Router::follows() const {
    if (role_.role == Role::waiting) return false;
    for (std::size_t table = 0; table < listen_refused_.size(); ++table) {
        if (listen_refused_[table] && !table_missing_[table]) return false;
    }
    return true;
}

void Router::check_role() {
    const bool may =
        role_.role == Role::alone || (role_.role == Role::writer && fenced_ && !superseded_);
    if (may == may_write_) return;
    if (may)
        begin_writing();
    else
        stop_writing();
}

// The rows are known: only the difference is written, what answers wait for first. Rows without a timeout that no known
// claim wants may have claims that are not known.
void Router::begin_writing() {
    may_write_ = true;
    waits_.clear();
    refusals_.clear();
    retries_.clear();
    for (auto& [id, list] : lists_) {
        list.stalled = false;
        list.unserved = 0;
    }
    if (judges()) {
        inherit_routes();
        std::vector<Place> awaited;
        for (const auto& [place, waiters] : waiters_)
            awaited.push_back(place);
        for (const Place& place : awaited)
            evaluate(place, WriteClass::held);
        reconcile(WriteClass::repair);
    }
    notify_away();
}

// Waiting answers stay: the new writer has their claims.
void Router::stop_writing() {
    may_write_ = false;
    writer_.drop_queued();
    lookups_.clear();
    refusals_.clear();
    retries_.clear();
    denied_until_ms_ = 0;
    drop_probe("another appliance writes");
    for (const auto& [place, waiters] : waiters_) {
        for (const Waiter& waiter : waiters)
            waits_.insert({waiter.left_ms, place});
    }
    for (auto& [id, list] : lists_) {
        list.stalled = false;
        list.unserved = 0;
    }
    notify_away();
}

// --- a standby's answers -------------------------------------------------------------------------

// Three `sync_timeout`s in a row without any row of the fleet: the writer may be dead, and no answer waits until a row is seen.
void Router::waits_unserved() {
    while (!waits_.empty() && waits_.begin()->first <= now_) {
        const Place place = waits_.begin()->second;
        waits_.erase(waits_.begin());
        const auto found = waiters_.find(place);
        if (found == waiters_.end()) continue;
        std::set<ListId> lists;
        for (const Waiter& waiter : found->second) {
            const auto hold = holds_.find(waiter.hold);
            if (waiter.left_ms <= now_ && hold != holds_.end()) lists.insert(hold->second.list);
        }
        fail_waiters(place, now_);
        for (const ListId id : lists) {
            List& list = *find_list(id);
            ++counters_.waits_unserved;
            if (now_ < list.unserved_ms + list.config.sync_timeout_ms) continue;
            list.unserved_ms = now_;
            if (++list.unserved < kUnservedTimes || list.stalled) continue;
            list.stalled = true;
            settle_away(&list);
            notify_away();
        }
    }
}

// `listen` reported a row of the fleet: its writer is alive.
void Router::served(const Place& place) {
    bool was_stalled = false;
    for (List* list : names_[place.name].users) {
        list->unserved = 0;
        was_stalled |= std::exchange(list->stalled, false);
    }
    if (was_stalled) notify_away();
}

// --- claims of others ----------------------------------------------------------------------------

void Router::take_claims(std::span<const SharedClaim> claims, bool urgent, std::uint64_t now_ms) {
    go_on_at(now_ms);
    for (const SharedClaim& claim : claims) {
        ++counters_.claims;
        List* const list = find_list(claim.list);
        if (list == nullptr || cleaning_) continue;
        if (is_away(*list)) ++claims_while_away_;
        const std::uint64_t more_ms = urgent ? list->config.sync_timeout_ms + kReportedLessMs : 0;
        claim_address(*list, claim.address, claim.origin, claim.until_ms + more_ms,
                      claim.row_life_s, 0, urgent ? WriteClass::held : WriteClass::routine);
    }
    run();
}

void Router::for_each_claim(const std::function<void(const SharedClaim&)>& f) const {
    claims_.for_each([&](const Claim& claim) {
        if (claim.until_ms <= now_) return;
        f({claim.key.list, claim.key.address.bytes, claim.name(), claim.until_ms,
           claim.permanent ? 0 : claim.row_life_s});
    });
}

// --- writer rows ---------------------------------------------------------------------------------

void Router::forget_writer_rows() {
    writer_rows_.clear();
    waits_.clear();
    writer_rows_read_ = fenced_ = false;
    writer_row_at_ms_ = 0;
    may_write_ = role_.role == Role::alone;
}

// True: it is a row of list steerdns-writer, and is not read as any other row.
bool Router::read_writer_row(const Job& job, const ReplyRow& reply, bool is_news) {
    if (!has_fleet() || job.table != kAddressList4) return false;
    const RowId id = parse_row_id(reply.get(".id").value_or(""));
    const auto known = writer_rows_.find(id);
    if (reply.get("list").value_or("") != kWriterList) {
        if (!is_news || known == writer_rows_.end()) return false;
        writer_rows_.erase(known);
        check_writer_row();
        return false;
    }
    if (id == 0 || (!is_news && died_[0].contains(id))) return true;
    const bool is_new = known == writer_rows_.end();
    if (!is_new && !is_news && known->second.touched_ms >= job.sent_ms) {
        known->second.print = job.print;
        return true;
    }
    WriterRow row;
    if (const auto facts = parse_writer_comment(reply.get("comment").value_or(""))) {
        row.fleet = facts->fleet;
        row.box = facts->box;
        row.token = facts->token;
    }
    row.address = Address::parse(Menu::ip, reply.get("address").value_or(""));
    row.touched_ms = is_news ? now_ : 0;
    row.print = is_news ? print_ : job.print;
    note_writer_row(row);
    const std::size_t most = is_of_fleet(row) ? 2 * kMaxWriterRows : kMaxWriterRows;
    if (is_new && writer_rows_.size() >= most) return true;
    writer_rows_[id] = std::move(row);
    check_writer_row();
    return true;
}

void Router::sweep_writer_rows(const Job& job) {
    if (!has_fleet() || job.print != writer_print_) return;
    writer_rows_read_ = true;
    std::erase_if(writer_rows_, [&](const auto& entry) {
        return entry.second.print != job.print && entry.second.touched_ms < job.sent_ms;
    });
}

void Router::note_writer_row(const WriterRow& row) {
    if (is_of_fleet(row)) {
        highest_token_ = std::max(highest_token_, row.token);
        return;
    }
    if (row.fleet.empty() || other_fleets_.size() >= kMaxOtherFleets) return;
    const std::string fleet = safe_text(row.fleet, kNameBytes);
    if (!other_fleets_.insert(fleet).second) return;
    log_line(Level::warning,
             who() + ": fleet " + fleet + " writes this router, too (" +
                 safe_text(row.box, kNameBytes) + " by its row in list " +
                 std::string(kWriterList) +
                 "): give each fleet its own routers, or remove that row if the fleet has ended");
}

// Of our fleet; the end: none was seen.
std::map<RowId, Router::WriterRow>::const_iterator Router::highest_row() const {
    auto highest = writer_rows_.end();
    for (auto at = writer_rows_.begin(); at != writer_rows_.end(); ++at) {
        if (!has_fleet() || !is_of_fleet(at->second)) continue;
        if (highest == writer_rows_.end() || at->second.token > highest->second.token) highest = at;
    }
    return highest;
}

bool Router::is_ours(const WriterRow& row) const {
    return row.token == role_.token && row.box == box_text_;
}

// Compares our token with the router's. A lower one is written over, a higher one ends our term.
void Router::check_writer_row() {
    if (!has_fleet() || state_ != RouterState::in_sync) return;
    if (!writer_rows_read_) {
        if (!prints_running()) begin_prints();
        return;
    }
    if (role_.role != Role::writer || superseded_ || role_.token == 0) return;
    const auto row = highest_row();
    const bool any = row != writer_rows_.end();
    if (any && row->second.token >= role_.token && !is_ours(row->second)) {
        const std::uint64_t token = row->second.token;
        const std::string box = safe_text(row->second.box, kNameBytes);
        superseded_ = true;
        ++counters_.superseded;
        log_line(Level::warning, who() + " is written by " + box + " of fleet " +
                                     safe_text(role_.fleet, kNameBytes) + " now (token " +
                                     std::to_string(token) + ", ours is " +
                                     std::to_string(role_.token) +
                                     "): this appliance stops writing");
        check_role();
        sink_.superseded(token, box);
        return;
    }
    if (!any || !is_ours(row->second)) return send_writer_row();
    fenced_ = true;
    check_role();
    if (std::exchange(writing_logged_token_, role_.token) == role_.token) return;
    log_line(Level::info, who() + " is written by this appliance, " +
                              safe_text(role_.box, kNameBytes) + " of fleet " +
                              safe_text(role_.fleet, kNameBytes) + ", token " +
                              std::to_string(role_.token));
}

// A reserved address that no rule has, from the fleet's name; the next one if another fleet has it.
Address Router::writer_address() const {
    std::uint32_t hash = 2166136261U;
    for (const char c : role_.fleet)
        hash = (hash ^ static_cast<unsigned char>(c)) * 16777619U;
    for (;; ++hash) {
        const std::uint32_t number = 0xf0000000U | (hash >> 4 ^ hash);
        Address address;
        address.bytes[10] = address.bytes[11] = 0xff;
        for (std::size_t i = 0; i < 4; ++i)
            address.bytes[12 + i] = static_cast<std::uint8_t>(number >> (24 - 8 * i));
        const bool is_taken = std::ranges::any_of(
            writer_rows_, [&](const auto& entry) { return entry.second.address == address; });
        if (number != UINT32_MAX && !is_taken) return address;
    }
}

// Static, so that the token outlasts a reboot of the router: one write to its flash per term.
void Router::send_writer_row() {
    if (paused_ || cleaning_ || jobs(JobKind::writer_row) > 0) return;
    if (now_ < writer_row_at_ms_ || now_ < denied_until_ms_) return;
    const std::string comment = writer_comment(role_.fleet, role_.box, role_.token);
    const auto row = highest_row();
    const bool any = row != writer_rows_.end();
    const Address address = any ? row->second.address.value_or(Address{}) : writer_address();
    sent_writer_id_ = any ? row->first : 0;
    sent_writer_row_ = {fleet_text_, box_text_, role_.token, address};
    submit(any ? set_comment(kAddressList4, {{row->first}}, comment)
               : add_row(kAddressList4, kWriterList, address, comment, {}),
           {JobKind::writer_row, kAddressList4});
}

void Router::on_writer_row_end(const Job& job, const Ending& ending) {
    if (ending.ok) {
        ++counters_.writer_rows;
        writer_row_refused_ = false;
        const RowId id = sent_writer_id_ != 0 ? sent_writer_id_ : parse_row_id(ending.ret);
        WriterRow& row = writer_rows_[id];
        // `listen` may already have reported a higher token.
        if (row.token < sent_writer_row_.token || row.touched_ms < job.sent_ms) {
            row = sent_writer_row_;
            row.touched_ms = now_;
            row.print = print_;
            note_writer_row(row);
        }
        if (id == 0) {  // it is read instead
            writer_rows_.erase(id);
            writer_rows_read_ = false;
        }
        return check_writer_row();
    }
    if (ending.says("not enough permissions")) return denied(kAddressList4, ending);
    if (ending.says("no such item")) {
        writer_rows_.erase(sent_writer_id_);
        return check_writer_row();
    }
    writer_row_at_ms_ = now_ + kAgainMs;
    if (ending.says("already have such")) {
        writer_rows_read_ = highest_row() != writer_rows_.end();
        if (writer_rows_read_) writer_row_at_ms_ = now_;
        return check_writer_row();
    }
    if (std::exchange(writer_row_refused_, true)) return;
    log_line(Level::warning, who() + " refused our writer row in list " + std::string(kWriterList) +
                                 " (" + ending.message +
                                 "): nothing is written until it accepts it; tried again every " +
                                 std::to_string(kAgainMs / 1000) + " s");
}

std::uint64_t Router::writer_row_deadline() const {
    if (!has_fleet() || paused_ || cleaning_) return UINT64_MAX;
    if (!writer_rows_read_) return prints_running() ? UINT64_MAX : now_;
    if (role_.role != Role::writer || superseded_ || role_.token == 0) return UINT64_MAX;
    if (jobs(JobKind::writer_row) > 0) return UINT64_MAX;
    const auto row = highest_row();
    if (row != writer_rows_.end() && is_ours(row->second)) return UINT64_MAX;
    return std::max(writer_row_at_ms_, denied_until_ms_);
}

}  // namespace steer::routeros
