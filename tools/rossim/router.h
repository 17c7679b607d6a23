// One simulated RouterOS router, without sockets, threads or a clock.
//
// The caller moves bytes and time: open() and feed() pass received bytes, advance(now) runs the
// router until `now`, and take_output() returns the bytes that it sent. next_event_us() returns the
// time of its next action, so a fake clock can jump there. All times are microseconds on one clock
// that never goes back; the caller chooses its zero. Every function with a time first advances to
// it.
//
// CPU: sentences in progress share it round robin in slices of at most 5 ms. A write takes effect
// when its sentence completes. A print reads each row when it reaches it, so it is not a snapshot.
// Unconfirmed behaviour of RouterOS is a switch in Options.
//
// Cost: about a microsecond of real time per sentence and per printed row; a row takes about 400
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

// The reaction to a client above max_sessions.
enum class OverMaxSessions : std::uint8_t {
    close,           // connected, then closed at once
    close_at_login,  // connected, then closed at its first sentence
    refuse           // the connection is refused
};

// The effect of `set timeout=` on a row without a timeout.
enum class StaticTimeout : std::uint8_t { makes_timed, ignored, refused };

struct Options {
    std::string name = "MikroTik";  // /system/identity, and `router` in the journal
    Costs costs;                    // all zero: every sentence takes no time
    std::optional<Throttle> throttle;
    Version version;               // 7.18: !empty; below 6.43: challenge login
    std::string claimed_version;   // the version that /system/resource reports; empty: `version`
    bool has_switch_chip = false;  // "switch1" with ether1 to ether3
    std::vector<User> users{{"admin", "", {"read", "write", "api"}}};
    std::int64_t latency_us = 0;       // added to the round trip, half of it in each direction
    std::int64_t wall_at_zero_ns = 0;  // CLOCK_REALTIME at time 0 of the caller's clock
    std::int64_t uptime_at_zero_s = 0;
    std::size_t max_sessions = 20;  // for each of api and api-ssl
    OverMaxSessions over_max_sessions = OverMaxSessions::close;
    std::vector<std::string> available_from;  // prefixes; others are closed at once; empty: all
    std::optional<std::size_t> max_rows;      // of both families; an add beyond is out of memory
    std::optional<std::size_t> max_routes;    // of both families
    bool refuse_same_route =
        false;  // a second route with the same destination, table, gateway, distance
    std::size_t max_word_bytes = 1U << 20;
    std::size_t max_sentences_before_login = 4;
    std::size_t max_bytes_before_login = 4096;
    bool tag_last = false;  // `.tag` is the last word of a reply; else the second
    bool multi_id_atomic =
        false;  // one unknown id in a list prevents all; else the ids before it take effect
    bool zero_timeout_expires =
        false;  // timeout=0s ends the row at once; else it makes the row permanent
    StaticTimeout static_timeout = StaticTimeout::makes_timed;
    bool listen_tells_expiry = true;  // an expired row is reported to listeners as .dead
    std::uint64_t fault_seed = 1;     // for faults with a probability
    std::uint64_t shuffle_seed = 0;   // not 0: tagged sentences get the CPU in random order
    std::uint64_t flash_sectors_per_write = 1;  // for each change that survives a reboot
    // Changes within this time are saved together, counted from the first; 0: each change is saved
    // alone.
    std::int64_t flash_save_us = 0;
    bool renumber_ids_on_reboot = true;  // rows that survive get new ids
    bool listen_costs = false;  // a reported row costs emit_row, and leaves after that CPU time
    bool execute_error_is_trap = false;  // of /execute as-string; else it ends the output
    bool script_outlives_session = false;
    bool file_needs_ftp = true;            // /file and /import need the policy ftp
    std::string script_line_end = "\r\n";  // of each line of /execute as-string
    // Connections print ports as separate properties; nothing: from 7.20 on. The first version that
    // does so is not known; 7.20.8 does.
    std::optional<bool> connection_ports_apart;
};

using SessionId = std::uint64_t;

struct Output {
    SessionId session = 0;
    std::string bytes;   // to be written with one send()
    bool close = false;  // the router closes the connection after these bytes
    bool reset = false;  // and with a TCP reset
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
// ("192.0.2.1:443"). Empty members are not printed.
struct TrackedConnection {
    std::uint64_t id = 0;  // set by the router
    std::string protocol = "tcp";
    std::string src_address;
    std::string dst_address;
    std::string reply_src_address;
    std::string reply_dst_address;
    std::string tcp_state;
    std::string connection_mark;
    std::int64_t timeout_s = 86'400;
};

// A change of a row by another writer; members without a value stay unchanged.
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

    // Connects a client from `client`. Returns nothing if the router is down, which refuses the
    // connection.
    std::optional<SessionId> open(std::int64_t now_us, std::string_view client = "127.0.0.1",
                                  bool tls = false);
    void feed(SessionId session, std::span<const std::byte> bytes, std::int64_t now_us);
    void feed(SessionId session, std::string_view bytes, std::int64_t now_us);
    // Disconnects the client. Sentences that already had CPU time still complete; the others are
    // dropped.
    void close(SessionId session, std::int64_t now_us);

    void advance(std::int64_t now_us);
    // Returns the time of the next event for advance(); nothing: none before feed() or another
    // call.
    std::optional<std::int64_t> next_event_us() const;
    // Returns the output up to the last time given, at most one element per session.
    std::vector<Output> take_output();

    // Faults. A reboot ends all sessions and removes the rows with a timeout; connections are
    // refused for `down_us`.
    void reboot(std::int64_t down_us, std::int64_t now_us);
    bool is_down() const;
    // Accepts connections but answers nothing until resume(), or for `for_us` if that is not 0;
    // timeouts continue.
    void hang(std::int64_t now_us, std::int64_t for_us = 0);
    void resume(std::int64_t now_us);
    bool is_hung() const;
    // Adds a fault that strikes arriving sentences; see fault.h. Throws std::runtime_error.
    FaultId inject(Fault fault);
    void withdraw(FaultId fault);
    void withdraw_faults();
    std::vector<FaultView> faults() const;
    // Applies from now on; existing rows stay.
    void set_max_rows(std::optional<std::size_t> max_rows);
    // Moves the router's own clock (creation-time, /system/clock) forward or back; timeouts, uptime
    // and the journal do not follow.
    void jump_clock(std::int64_t by_ns);

    // Rows as another writer on the router reads and changes them; no CPU is charged. add_row
    // throws std::runtime_error with RouterOS's text (duplicate, bad address); `allow_duplicate`
    // permits the double (list, address) that imports can leave.
    std::uint64_t add_row(Family family, std::string_view list, std::string_view address,
                          std::optional<std::int64_t> timeout_s, std::string_view comment,
                          std::int64_t now_us, bool allow_duplicate = false);
    bool remove_row(Family family, std::string_view list, std::string_view address,
                    std::int64_t now_us);
    bool remove_row(Family family, std::uint64_t id, std::int64_t now_us);
    // Returns false if there is no such row. Throws like add_row.
    bool edit_row(Family family, std::string_view list, std::string_view address,
                  const RowEdit& edit, std::int64_t now_us);
    // Adds `count` permanent rows from 198.18.0.0 (IPv6: 2001:2::) upwards.
    void prefill(Family family, std::string_view list, std::size_t count, std::int64_t now_us,
                 std::string_view comment = "prefill");
    // Resolves `name` as the router does: each row with that name gets one dynamic child row per
    // address.
    void resolve(Family family, std::string_view name, const std::vector<std::string>& addresses,
                 std::int64_t now_us);
    // Changes a row of a menu other than address lists as the router itself does: Records::put().
    // Throws std::runtime_error.
    std::uint64_t put_record(std::string_view menu,
                             const std::vector<std::pair<std::string, std::string>>& attributes,
                             std::int64_t now_us);
    // Sets the status of the host in /tool/netwatch: rows whose `status` changes run their script,
    // at once and without CPU cost. Returns the number of these rows. Throws std::runtime_error
    // with the error that stopped a script.
    std::size_t netwatch(std::string_view host, bool is_up, std::int64_t now_us);
    // Returns the rows by id; an empty `list` means all.
    std::vector<RowView> rows(Family family, std::string_view list = {}) const;
    std::size_t row_count(Family family) const;

    // Returns the routes in print order; an empty `table` means all.
    std::vector<RouteView> routes(Family family, std::string_view table = {}) const;
    // Sets whether the gateway of routes is reachable.
    void set_gateway(const std::string& gateway, bool is_reachable, std::int64_t now_us);
    void set_max_routes(std::optional<std::size_t> max_routes);

    // Connections of the clients behind the router, as /ip/firewall/connection and
    // /ipv6/firewall/connection print them.
    std::uint64_t add_connection(Family family, TrackedConnection connection, std::int64_t now_us);
    std::vector<TrackedConnection> connections(Family family) const;

    const std::string& name() const;
    const Report& report() const;
    void reset_report(std::int64_t now_us);
    std::uint64_t flash_sectors() const;  // written since construction, including before reboots
    std::int64_t uptime_s(std::int64_t now_us) const;
    void set_wall_clock(std::int64_t wall_at_zero_ns);

  private:
    template <class Change>
    auto as_somebody_else(std::int64_t now_us, const Change& change);

    std::unique_ptr<Machine> machine_;
};

}  // namespace rossim
