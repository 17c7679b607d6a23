// Connections that clients opened before the row of their destination existed.
#include <algorithm>

#include "routeros/router.h"

namespace steer::routeros {

namespace {

// A worker's hold time starts before its event arrives here.
constexpr std::uint64_t kUnderwayMs = 10;

}  // namespace

// Whether an answer with this address left before its row was written: without being held,
// or held too long.
bool Router::is_late(const Place& place) const {
    if (!config_.repair_connections || !place.address.is_host()) return false;
    for (const List* list : names_[place.name].users) {
        const Claim* const claim = claims_.find({list->config.id, place.address});
        if (claim != nullptr && claim->answered) return true;
    }
    const auto waiting = waiters_.find(place);
    if (waiting == waiters_.end()) return false;
    return std::any_of(waiting->second.begin(), waiting->second.end(), [&](const Waiter& waiter) {
        return now_ + kUnderwayMs >= waiter.left_ms || !holds_.contains(waiter.hold);
    });
}

void Router::acknowledged_late(const Place& place) {
    ++counters_.rows_late;
    if (!connections_.late(place.address, now_)) ++counters_.rows_late_missed;
}

// Never while an answer waits for a row, or during a print of rows.
bool Router::may_read_connections() const {
    return writes() && !writer_.has_held() && !prints_running();
}

void Router::repair_connections() {
    if (!may_read_connections()) return;
    if (const auto cut = connections_.cut(now_)) {
        submit(remove_connections(cut->menu, cut->ids), {JobKind::cut, {cut->menu}});
    }
    if (const auto menu = connections_.begin_print(writer_.places() == 0, now_)) {
        ++counters_.connection_prints;
        submit(print_connections(*menu, connections_.asked(), connections_.only_unmarked()),
               {JobKind::connections, {*menu}});
        set_measuring();
    }
}

// Checks the mark again: a router that does not support the query shows all connections.
void Router::on_connection_row(const Job& job, const ReplyRow& row) {
    if (row.get("dst-port")) connections_.has_ports_apart(job.table.menu);
    const auto mark = row.get("connection-mark").value_or("");
    const bool is_marked = !mark.empty() && mark != "no-mark";
    const auto address = connection_address(job.table.menu, row.get("dst-address").value_or(""));
    const RowId id = parse_row_id(row.get(".id").value_or(""));
    if (address && id != 0) connections_.found(id, *address, is_marked);
}

void Router::on_connections_end(const Job& job, const Ending& ending) {
    set_measuring();
    const bool cut = job.kind == JobKind::cut;
    if (ending.ok && cut)
        counters_.connections_cut += connections_.cut_done();
    else if (ending.ok)
        connections_.end_print(now_);
    else if (cut && ending.says("no such item"))
        connections_.cut_missed();
    else if (ending.says("no such item"))  // an entry vanished while all were printed
        end_print_early();
    else
        refused_connections(job, ending);
    release_routes();
}

void Router::end_print_early() {
    ++counters_.connection_prints_cut;
    const std::size_t searched = connections_.waiting();
    if (connections_.end_print_early(now_) || searched == 0) return;
    log_line(Level::warning,
             who() +
                 " ended three prints of connections early, because entries disappeared: "
                 "connections to some of " +
                 std::to_string(searched) + " addresses may keep the wrong egress");
}

// Once per session is enough: a user's policies do not change within a session.
void Router::refused_connections(const Job& job, const Ending& ending) {
    const bool was_logged = connections_.refused(job.table.menu);
    const bool rights = ending.says("not enough permissions");
    if (!was_logged) {
        const std::string path = job.table.menu == Menu::ip ? "/ip" : "/ipv6";
        log_line(Level::warning,
                 who() + " does not let SteerDNS " +
                     (job.kind == JobKind::cut ? "remove" : "read") + " " + path +
                     "/firewall/connection (" + ending.message +
                     "): connections that started before their row keep the wrong egress" +
                     (rights ? "; give its group the policies read,write,api" : "") +
                     ", or write `repair_connections: false`");
    }
    for (const auto menu : {Menu::ip, Menu::ipv6}) {
        if (rights || menu == job.table.menu) connections_.refuse(menu);
    }
}

}  // namespace steer::routeros
