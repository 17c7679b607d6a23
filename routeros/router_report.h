// The reports of a Router: its state, counters, rows and probe, for status, metrics and the
// operator.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "routeros/findings.h"
#include "routeros/fleet_role.h"
#include "routeros/router_counters.h"
#include "routeros/trace.h"
#include "routeros/write_class.h"

namespace steer::routeros {

#define STEER_ROUTER_STATES(X)                                         \
    X(disconnected, "disconnected", "waits before it connects again")  \
    X(unusable, "unusable", "sent more than it may; waits 10 minutes") \
    X(connecting, "connecting", "TCP or TLS is being set up")          \
    X(logging_in, "logging_in", "waits for the login's answer")        \
    X(reading, "reading", "uptime and rows are being read")            \
    X(in_sync, "in_sync", "what the router has is known")
enum class RouterState : std::uint8_t {
#define STEER_ROUTER_STATE_ENUM(name, label, text) name,
    STEER_ROUTER_STATES(STEER_ROUTER_STATE_ENUM)
#undef STEER_ROUTER_STATE_ENUM
};
std::string_view label(RouterState state);

// How full a list is.
struct ListFill {
    std::string tag;
    std::size_t claims = 0, max_rows = 0;
};

// The present state, for `steerctl status`.
struct RouterStatus {
    RouterState state = RouterState::disconnected;
    bool away = true;
    bool paused = false;
    std::uint64_t away_since_ms = 0;      // 0 while it is not away
    std::uint64_t claims_while_away = 0;  // claims since then
    std::string version, board;           // from the router, safe text
    std::uint64_t boot_ms = 0;            // its boot time, on our clock; 0 = unknown
    std::vector<std::string> lacks;       // configured features that its version lacks
    std::string error;                    // present cause; empty: none
    std::size_t claims = 0, rows_ours = 0, rows_orphaned = 0, rows_foreign = 0, rows_blocked = 0;
    std::size_t rows_disabled = 0;  // of rows_blocked: a disabled row of others blocks
    std::string disabled_row;       // one of these, as a sentence
    bool rows_known = false;  // rows_ours, rows_orphaned, rows_foreign: its rows were read once
    std::size_t held = 0;     // claims that an answer waits for
    std::size_t queued = 0;
    std::size_t writes_in_flight = 0;  // sentences in flight that change the router
    std::size_t pending = 0;           // places still to write; while it is unreachable, all claims
    std::uint64_t lag_ms = 0;          // age of the oldest claim without a row; 0: all have one
    std::size_t routes_inactive = 0;   // own routes whose gateway the router cannot reach
    std::size_t routes_kept = 0;       // our routes without a lease that connections still use
    std::size_t late = 0;              // addresses whose early connections must still be found
    bool repair_refused = false;       // connections cannot be repaired, until it reconnects
    std::vector<ListFill> lists;
    // Lists with a second writer without multi_writer.
    std::vector<std::string> second_writers;
    std::array<ClassWork, kWriteClasses> work;  // by WriteClass
    RowDelays add_delays;                       // of added rows
    std::size_t left_alone = 0;                 // places where a manual change is respected
    double routine_share = 0;                   // of the router's time, for background writes
    std::uint64_t backlog_ms = 0;               // time that queued background writes need by shares
    std::string late_backlog;          // if that is more than 30 s: a sentence, with what to do
    std::optional<double> service_us;  // time of one add on the router, once it was measured
    // Flash sectors written, as reported by the router; no value if not reported.
    std::optional<std::uint64_t> flash_since_reboot, flash_total;
    std::optional<double> flash_per_hour;  // since the connection, after one minute
    std::optional<std::uint64_t> rtt_ms;   // smallest recent round trip of the heartbeat
    std::optional<Findings> findings;      // of its version, if known
    // The fleet. `writes`: whether this instance may write now, apart from a pause.
    Role role = Role::alone;
    std::string fleet;  // empty: none
    bool writes = true;
    std::string writer_box;                 // from the writer row, safe text; empty: none seen
    std::uint64_t writer_token = 0;         // of that row
    std::vector<std::string> other_fleets;  // with writer rows on this router, safe text
};

// The result of forget().
struct Forgotten {
    std::size_t claims = 0;      // given up
    std::size_t rows = 0;        // our rows that are removed
    std::size_t persistent = 0;  // configured rows, which stay
};

// State of a requested probe.
#define STEER_PROBE_STATES(X)                                           \
    X(none, "none", "none was made")                                    \
    X(waiting, "waiting", "for a quiet moment, or until it is in sync") \
    X(running, "running", "sentences are being sent")                   \
    X(complete, "complete", "every question was asked")                 \
    X(incomplete, "incomplete", "it ended early: what is not known says so")
enum class ProbeState : std::uint8_t {
#define STEER_PROBE_STATE_ENUM(name, label, text) name,
    STEER_PROBE_STATES(STEER_PROBE_STATE_ENUM)
#undef STEER_PROBE_STATE_ENUM
};
std::string_view label(ProbeState state);

// The last probe.
struct ProbeView {
    ProbeState state = ProbeState::none;
    std::string error;       // why it is incomplete
    std::string version;     // of the probed router
    Findings findings;       // so far
    std::string transcript;  // transcript.h
};

// In the order of orphans(): menus, then ids. A row keeps its place while it is there.
struct OrphanPlace {
    std::size_t table = 0;
    std::uint64_t id = 0;  // a RowId
    auto operator<=>(const OrphanPlace&) const = default;
};

// A row with our comment prefix and the `pg` of an unknown plugin.
struct OrphanRow {
    std::string list, address, comment;  // safe text
    OrphanPlace place;
};

// A row of another program with a comment in our form, so that it can be taken over.
struct AdoptableRow {
    std::string list, address, comment;  // safe text
    std::string own_comment;  // the comment that replaces it; empty: the row stays unchanged
    std::string becomes;      // what happens to the row, or why it stays unchanged
};
// The result of adopt().
struct Adopted {
    std::vector<AdoptableRow> rows;  // by list and address: the first ones
    std::size_t found = 0;           // all of them
    std::size_t asked = 0;           // those whose comments are being replaced
};

// The write that a place needs, or the reason why it is not written.
struct DifferenceRow {
    std::string list, address, what;  // add, extend, enable, remove, blocked, refused, left_alone
    std::string name;                 // of the claim; empty for a persistent row
    std::uint64_t ends_ms = 0;        // end of the wanted row; 0: never
};

}  // namespace steer::routeros
