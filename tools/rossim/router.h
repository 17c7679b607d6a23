// One simulated RouterOS router, without sockets, threads or a clock of its own.
//
// The caller moves bytes and time: open() and feed() bring what arrived, advance(now) lets the
// router work until `now`, and take_output() hands over what it sent. next_event_us() says when it
// will next have something to do, so that a fake clock can jump there. All times are microseconds
// on one clock that never goes back and whose zero is the caller's choice; every call that takes a
// time first advances to it.
//
// The CPU: sentences in progress share it round robin in slices of at most 5 ms; a write takes
// effect when its sentence completes; a print reads each row when it comes to it, so it is no
// snapshot. Behaviour of RouterOS that no one has confirmed is a switch in Options.
//
// Cost: about a microsecond of real time per sentence and per row printed; a row takes some 400
// bytes.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "tools/rossim/cost.h"
#include "tools/rossim/fault.h"
#include "tools/rossim/journal.h"
#include "tools/rossim/report.h"

namespace rossim {

struct Version {
    int major = 7;
    int minor = 21;
    int patch = 0;
    friend auto operator<=>(const Version&, const Version&) = default;
};

struct User {
    std::string name;
    std::string password;
    std::vector<std::string> policies;  // RouterOS's names: "read", "write", "api", ...
};

// What a client sees that is one too many for max_sessions.
enum class OverMaxSessions : std::uint8_t {
    close,           // connected, closed at once
    close_at_login,  // connected, closed when it says something
    refuse           // not connected
};

// What `set timeout=` does to a row that has none.
enum class StaticTimeout : std::uint8_t { makes_timed, ignored, refused };

struct Options {
    std::string name = "MikroTik";  // /system/identity, and `router` in the journal
    Costs costs;                    // all zero: a router that needs no time
    std::optional<Throttle> throttle;
    Version version;               // 7.18: !empty; below 6.43: challenge login
    std::string claimed_version;   // what /system/resource says instead; empty: the truth
    bool has_switch_chip = false;  // "switch1" with ether1 to ether3
    std::vector<User> users{{"admin", "", {"read", "write", "api"}}};
    std::int64_t latency_us = 0;       // added to the round trip, half of it each way
    std::int64_t wall_at_zero_ns = 0;  // CLOCK_REALTIME at time 0 of the caller's clock
    std::int64_t uptime_at_zero_s = 0;
    std::size_t max_sessions = 20;  // of each of api and api-ssl
    OverMaxSessions over_max_sessions = OverMaxSessions::close;
    std::vector<std::string> available_from;  // prefixes; others are closed at once; empty: all
    std::optional<std::size_t> max_rows;      // of both families; one more is out of memory
    std::optional<std::size_t> max_routes;    // of both families
    bool refuse_same_route =
        false;  // a second route with the same destination, table, gateway, distance
    std::size_t max_word_bytes = 1U << 20;
    std::size_t max_sentences_before_login = 4;
    std::size_t max_bytes_before_login = 4096;
    bool tag_last = false;  // `.tag` as the last word of a reply; else the second
    bool multi_id_atomic =
        false;  // one unknown id in a list: nothing is done; else the ids before it are
    bool zero_timeout_expires =
        false;  // timeout=0s ends the row at once; else it makes it permanent
    StaticTimeout static_timeout = StaticTimeout::makes_timed;
    bool listen_tells_expiry = true;  // an expired row is reported to listeners as .dead
    std::uint64_t fault_seed = 1;     // the dice of faults with a probability
    std::uint64_t shuffle_seed = 0;   // not 0: tagged sentences get the CPU in random order
    std::uint64_t flash_sectors_per_write = 1;  // of whatever survives a reboot
    // What changes so long after a change is saved with it, counted at the first; 0: each change by
    // itself.
    std::int64_t flash_save_us = 0;
    bool renumber_ids_on_reboot = true;  // rows that survive get new ids
    bool listen_costs = false;  // a row told to a listener: emit_row, and it leaves when paid
    bool execute_error_is_trap = false;  // of /execute as-string; else it ends the output
    bool script_outlives_session = false;
    bool file_needs_ftp = true;            // /file and /import need the policy ftp
    std::string script_line_end = "\r\n";  // of each line of /execute as-string
    // Connections print ports as properties of their own; nothing: from 7.20 on. Since which version routers do is not
    // known; 7.20.8 does.
    std::optional<bool> connection_ports_apart;
};

using SessionId = std::uint64_t;

struct Output {
    SessionId session = 0;
    std::string bytes;   // to be written with one send()
    bool close = false;  // the router ends the connection after these bytes
    bool reset = false;  // and by a TCP reset
};

struct RowView {
    std::uint64_t id = 0;
    std::string list;
    std::string address;
    std::string comment;
    std::optional<std::int64_t> left_us;
    bool dynamic = false;
    bool disabled = false;
};

struct RouteView {
    std::uint64_t id = 0;
    std::string table;
    std::string destination;  // "203.0.113.7/32"
    std::string gateway;
    std::string comment;
    bool inactive = false;
    bool dynamic = false;
    bool disabled = false;
};

// An entry of connection tracking. Addresses are the text that the router prints, with the port
// ("192.0.2.1:443"); what is empty is not printed.
struct TrackedConnection {
    std::uint64_t id = 0;  // given by the router
    std::string protocol = "tcp";
    std::string src_address;
    std::string dst_address;
    std::string reply_src_address;
    std::string reply_dst_address;
    std::string tcp_state;
    std::string connection_mark;
    std::int64_t timeout_s = 86'400;
};

// Another writer's change of a row; missing fields stay.
struct RowEdit {
    std::optional<std::string> list;
    std::optional<std::string> address;
    std::optional<std::string> comment;
    std::optional<std::int64_t> timeout_s;
    std::optional<bool> disabled;
};

class Machine;

class Router {
  public:
    explicit Router(Options options, Journal journal = {});
    ~Router();
    Router(Router&&) noexcept;
    Router& operator=(Router&&) noexcept;

    // A client connected from `client`. None: the router is down, the connection is refused.
    std::optional<SessionId> open(std::int64_t now_us, std::string_view client = "127.0.0.1",
                                  bool tls = false);
    void feed(SessionId session, std::span<const std::byte> bytes, std::int64_t now_us);
    void feed(SessionId session, std::string_view bytes, std::int64_t now_us);
    // The client disconnected. A sentence that had CPU time already still completes; the others are
    // dropped.
    void close(SessionId session, std::int64_t now_us);

    void advance(std::int64_t now_us);
    // When advance() has something to do next; none: not before feed() or another call.
    std::optional<std::int64_t> next_event_us() const;
    // At most one element per session, what has left the router until the last time given.
    std::vector<Output> take_output();

    // Faults. A reboot ends all sessions and drops the rows with a timeout; connections are refused
    // for `down_us`.
    void reboot(std::int64_t down_us, std::int64_t now_us);
    bool is_down() const;
    // Connections are accepted and nothing is answered until resume(), or for `for_us` if that is
    // not 0; timeouts go on.
    void hang(std::int64_t now_us, std::int64_t for_us = 0);
    void resume(std::int64_t now_us);
    bool is_hung() const;
    // Faults that strike sentences as they come; see fault.h. inject() throws std::runtime_error.
    FaultId inject(Fault fault);
    void withdraw(FaultId fault);
    void withdraw_faults();
    std::vector<FaultView> faults() const;
    // From now on; rows that there are already stay.
    void set_max_rows(std::optional<std::size_t> max_rows);
    // The router's own clock (creation-time, /system/clock) goes forward or back; timeouts, uptime
    // and the journal do not follow.
    void jump_clock(std::int64_t by_ns);

    // Rows, as another writer on the router sees and changes them; no CPU is charged. add_row
    // throws std::runtime_error with RouterOS's text (duplicate, bad address); `allow_duplicate`
    // makes the double (list, address) that imports can leave.
    std::uint64_t add_row(Family family, std::string_view list, std::string_view address,
                          std::optional<std::int64_t> timeout_s, std::string_view comment,
                          std::int64_t now_us, bool allow_duplicate = false);
    bool remove_row(Family family, std::string_view list, std::string_view address,
                    std::int64_t now_us);
    bool remove_row(Family family, std::uint64_t id, std::int64_t now_us);
    // False: no such row. Throws as add_row does.
    bool edit_row(Family family, std::string_view list, std::string_view address,
                  const RowEdit& edit, std::int64_t now_us);
    // `count` permanent rows, 198.18.0.0 upwards (IPv6: 2001:2::), comment "prefill".
    void prefill(Family family, std::string_view list, std::size_t count, std::int64_t now_us);
    // A router's answer to `name`: each row that holds the name gets one dynamic child row per
    // address.
    void resolve(Family family, std::string_view name, const std::vector<std::string>& addresses,
                 std::int64_t now_us);
    // What the router itself does to a row of another menu than address lists: Records::put(). Throws std::runtime_error.
    std::uint64_t put_record(std::string_view menu,
                             const std::vector<std::pair<std::string, std::string>>& attributes,
                             std::int64_t now_us);
    // What /tool/netwatch sees of this host: rows whose `status` changes run their script, at once and for nothing. The
    // number of these rows. Throws std::runtime_error with what stopped a script.
    std::size_t netwatch(std::string_view host, bool is_up, std::int64_t now_us);
    // Ordered by id; an empty `list` means all.
    std::vector<RowView> rows(Family family, std::string_view list = {}) const;
    std::size_t row_count(Family family) const;

    // Ordered as printed; an empty `table` means all.
    std::vector<RouteView> routes(Family family, std::string_view table = {}) const;
    // The gateway of routes can be reached from now on, or cannot.
    void set_gateway(const std::string& gateway, bool is_reachable, std::int64_t now_us);
    void set_max_routes(std::optional<std::size_t> max_routes);

    // Connections of the clients behind the router, as far as /ip/firewall/connection and
    // /ipv6/firewall/connection show them.
    std::uint64_t add_connection(Family family, TrackedConnection connection, std::int64_t now_us);
    std::vector<TrackedConnection> connections(Family family) const;

    const std::string& name() const;
    const Report& report() const;
    void reset_report(std::int64_t now_us);
    std::uint64_t flash_sectors() const;  // written since it was made, reboots or not
    std::int64_t uptime_s(std::int64_t now_us) const;
    void set_wall_clock(std::int64_t wall_at_zero_ns);

  private:
    template <class Change>
    auto as_somebody_else(std::int64_t now_us, const Change& change);

    std::unique_ptr<Machine> machine_;
};

}  // namespace rossim
