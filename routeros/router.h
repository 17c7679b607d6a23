// One router: keeps its address lists equal to the claims, and reports which rows are known to
// exist.
//
// Without I/O and without a clock: bytes, connection events and the time (ms of CLOCK_BOOTTIME)
// come in, bytes and updates of the row board go out. One thread. Any number of routers per process.
// In every state a claim is kept until its lease has ended, and nothing here waits.
//
//   disconnected → connecting → logging_in → reading → in_sync
//   any → unusable (it sends more than a router has) → connecting, 10 minutes later
//
// reading: uptime (a reboot is a changed boot time), listen, print of our lists; then the
// difference to the claims and persistent entries is written. in_sync: listen, an uptime heartbeat
// every 2 s, a reprint every 30 minutes. Any end of the connection makes all knowledge void: a
// new epoch.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "routeros/address.h"
#include "routeros/claims.h"
#include "routeros/findings.h"
#include "routeros/fleet_role.h"
#include "routeros/link.h"
#include "routeros/router_counters.h"
#include "routeros/row_types.h"
#include "routeros/trace.h"
#include "routeros/write_class.h"

namespace steer::routeros {

struct ListConfig {
    ListId id = 0;
    RowType type = RowType::address;
    // Names on the router, of address lists or routing tables; empty: no rows of that family.
    std::string list4, list6;
    // Of routes. All lists of a routing table have the same.
    std::string gateway4, gateway6;
    std::uint8_t distance = 1;
    // A route stays after its lease has ended while connection tracking has a connection to it.
    bool connection_guard = false;
    std::string tag;              // `pg=` of the comments: the plugin's tag
    std::string prefix = "fdns";  // of the comments
    // M: no renewal is written longer than this. `fixed_ttl` if that is set; 0: rows without
    // timeout.
    std::uint32_t max_ttl_s = 3600;
    std::uint32_t renew_slack_s = 600;
    std::uint32_t sync_timeout_ms = 100;
    std::size_t max_rows = 50'000;  // maximum number of claims
    // Of them, for one name, for one registrable domain, and for one client.
    std::size_t max_per_name = SIZE_MAX, max_per_suffix = SIZE_MAX, max_per_client = SIZE_MAX;
    std::vector<Address> persistent;  // rows without timeout that always exist
    // Others write this list as well, and their leases are unknown: own rows
    // without a timeout are never removed.
    bool multi_writer = false;
    // A manual change of an own row (removed, disabled, comment or timeout changed) is kept
    // until its claim ends; else the row is written again.
    bool respect_manual_changes = false;
    bool operator==(const ListConfig&) const = default;
};

struct RouterConfig {
    std::string name;     // for messages: its configured name
    std::string address;  // for messages
    std::string username;
    std::string password;
    // Data that its TCP does not accept or acknowledge for this time ends the session.
    std::uint32_t send_timeout_ms = 5'000;
    // Silence for this time ends the session while only a heartbeat is due; six times as long while it prints or writes.
    std::uint32_t receive_timeout_ms = 5'000;
    double routine_share = 0.30;  // of the router's time, for background writes
    double repair_share = 0.90;   // and after a reboot
    bool scripts = true;          // many rows per sentence, if the router supports it
    // Unknown versions are probed (probe.h), once each.
    bool probe = false;
    // Connections that were opened before the row of their address existed, and have no
    // connection mark, are removed from connection tracking (connections.h).
    bool repair_connections = false;
    std::vector<ListConfig> lists;
    bool operator==(const RouterConfig&) const = default;
};

// The result of a claim that an answer waits for. The same words as the dataplane's outcomes. `late`: the router is
// reachable, but its row cannot be there within sync_timeout.
enum class Outcome : std::uint8_t { installed, already_there, late, router_away, failed, refused };

enum class Level : std::uint8_t { info, warning, error };

// The engine's outputs. Called by the engine's functions; must not call back
// into it.
class RouterSink {
  public:
    virtual ~RouterSink() = default;
    // A row for `address` is known to live at least until `until_s` (seconds of the same clock).
    // Replaces the value before.
    virtual void installed(ListId list, const AddressBytes& address, std::uint32_t until_s) = 0;
    virtual void forgotten(ListId list, const AddressBytes& address) = 0;
    // A claim of the address was refused: the list, or a share of it, is full. `of_client`: because of what its client
    // uses; another client's might be taken.
    virtual void refused(ListId /*list*/, const AddressBytes& /*address*/, bool /*of_client*/) {}
    // A new epoch: earlier installed() calls are void.
    virtual void epoch(ListId list) = 0;
    virtual void away(ListId list, bool away) = 0;
    // Exactly once per claim() with a hold token.
    virtual void settled(std::uint64_t hold_token, Outcome outcome) = 0;
    // One sentence per change of state, for the log.
    virtual void log(Level level, std::string_view sentence) = 0;
    // Stores a probe's result for this version; returns the stored one (nullptr: none), valid until the next call.
    virtual void found(std::string_view /*version*/, const Findings& /*findings*/) {}
    virtual const Findings* findings(std::string_view /*version*/) { return nullptr; }
    // While the role was writer, a writer row of this fleet with a higher token (or ours, of another box) was seen.
    // Nothing is written from now on, until set_role() gives a token above highest_token().
    virtual void superseded(std::uint64_t /*token*/, std::string_view /*box*/) {}
};

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

// For `steerctl status`: the present state.
struct RouterStatus {
    RouterState state = RouterState::disconnected;
    bool away = true;
    bool paused = false;
    std::uint64_t away_since_ms = 0;      // 0 while it is not away
    std::uint64_t claims_while_away = 0;  // claims since then
    std::string version, board;           // from the router, safe text
    std::uint64_t boot_ms = 0;            // its boot time, on our clock; 0 = unknown
    std::vector<std::string> lacks;       // what is configured and its version does not have
    std::string trouble;                  // the present cause, as last seen; empty: none
    std::size_t claims = 0, rows_ours = 0, rows_orphaned = 0, rows_foreign = 0, rows_blocked = 0;
    std::size_t rows_disabled = 0;  // of rows_blocked: a disabled row of others is in the way
    std::string disabled_row;       // one of these, as a sentence
    bool rows_known = false;  // rows_ours, rows_orphaned, rows_foreign: its rows were read once
    std::size_t held = 0;     // claims that an answer waits for
    std::size_t queued = 0;
    std::size_t writes_in_flight = 0;  // sentences in flight that change the router
    std::size_t pending = 0;   // places still to be written; all claims while it is unreachable
    std::uint64_t lag_ms = 0;  // age of the oldest claim without a row; 0: all have theirs
    std::size_t routes_inactive = 0;  // own routes whose gateway the router cannot reach
    std::size_t routes_kept = 0;      // own routes without a lease that connections still use
    std::size_t late = 0;             // addresses whose early connections are still to be found
    bool repair_refused = false;      // connections cannot be repaired, until it reconnects
    std::vector<ListFill> lists;
    // Lists with a second writer without multi_writer.
    std::vector<std::string> second_writers;
    std::array<ClassWork, kWriteClasses> work;  // by WriteClass
    RowDelays add_delays;                       // of added rows
    std::size_t left_alone = 0;                 // places where a manual change is respected
    double routine_share = 0;                   // of the router's time, for background writes
    std::uint64_t backlog_ms = 0;      // how long the queued background writes take by their shares
    std::string late_backlog;          // if that is more than 30 s: a sentence, with what to do
    std::optional<double> service_us;  // time of one add on the router, once it was measured
    // Flash sectors written, as reported by the router; no value if not reported.
    std::optional<std::uint64_t> flash_since_reboot, flash_total;
    std::optional<double> flash_per_hour;  // since the connection, after one minute
    std::optional<std::uint64_t> rtt_ms;   // of the heartbeat, the smallest recently
    std::optional<Findings> findings;      // of its version, if known
    // The fleet. `writes`: whether this instance may write now, apart from a pause.
    Role role = Role::alone;
    std::string fleet;  // empty: none
    bool writes = true;
    std::string writer_box;          // by the writer row on the router, safe text; empty: none seen
    std::uint64_t writer_token = 0;  // of that row
    std::vector<std::string> other_fleets;  // with writer rows on this router, safe text
};

// The result of forget().
struct Forgotten {
    std::size_t claims = 0;      // given up
    std::size_t rows = 0;        // own rows that are removed
    std::size_t persistent = 0;  // configured rows: they stay
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
    std::string trouble;     // why it is not complete
    std::string version;     // that was probed
    Findings findings;       // so far
    std::string transcript;  // transcript.h
};

// A row with our comment prefix, but the `pg` of an unknown plugin.
struct OrphanRow {
    std::string list, address, comment;  // safe text
};

// A row of another program whose comment has our form, so that it can be taken over.
struct AdoptableRow {
    std::string list, address, comment;  // safe text
    std::string own_comment;  // the comment that replaces it; empty: the row is left alone
    std::string becomes;      // what happens to the row, or why it is left alone
};
// What adopt() did.
struct Adopted {
    std::vector<AdoptableRow> rows;
    std::size_t asked = 0;  // of `rows`, whose comments are being replaced
};

// The write that a place needs, or why it is not written.
struct DifferenceRow {
    std::string list, address, what;  // add, extend, enable, remove, blocked, refused, left_alone
    std::string name;                 // of the claim; empty for a persistent row
    std::uint64_t ends_ms = 0;        // end of the wanted row; 0: never
};

class Router final : public LinkUser {
  public:
    Router(RouterConfig config, RouterSink& sink, RouterLink& link);
    ~Router() override;
    Router(const Router&) = delete;
    Router& operator=(const Router&) = delete;

    // Connects at once, and again after each failure; before this call nothing happens.
    void start(std::uint64_t now_ms);
    // Ends the session; no connection is made until start().
    void stop(std::uint64_t now_ms);
    // A reload: other lists, other persistent entries. Claims of lists that stay are kept;
    // everything is read again.
    void configure(RouterConfig config, std::uint64_t now_ms);

    // An answer with these addresses leaves or is about to. `lease_end_ms`: until when a client may
    // use them; `row_life_s`: the row's life from now (0: no timeout); `hold_token` 0:
    // no answer waits, else settled() returns it, maybe before this call returns. For a held answer the
    // row lives the list's `sync_timeout` longer than the lease, because its TTL starts
    // when it is released. `origin`: its name in text form, and the client that asked.
    void claim(ListId list, std::span<const AddressBytes> addresses, const Origin& origin,
               std::uint64_t lease_end_ms, std::uint32_t row_life_s, std::uint64_t hold_token,
               std::uint64_t now_ms);

    // Claims that other appliances of the fleet made; no own answer waits for them. `urgent`: an answer of the other
    // one waits, so rows are written as for held answers, and live long enough for the other one to see it by `listen`.
    void take_claims(std::span<const SharedClaim> claims, bool urgent, std::uint64_t now_ms);
    // Calls f for each live claim, to hand it to others. f must not call back.
    void for_each_claim(const std::function<void(const SharedClaim&)>& f) const;

    // The role on this router; idempotent. A pause wins over every role. A writer writes once its writer row is
    // acknowledged. A standby judges and reports as a writer does, and writes nothing. In a fleet cleanup() removes
    // nothing, because answers of other appliances rely on the rows.
    void set_role(FleetRole role, std::uint64_t now_ms);
    // The highest token in writer rows of this fleet seen on this router; 0: none.
    [[nodiscard]] std::uint64_t highest_token() const;

    void connected(std::uint64_t now_ms) override;
    void received(std::string_view bytes, std::uint64_t now_ms) override;
    void closed(std::string_view why, std::uint64_t now_ms) override;
    void tick(std::uint64_t now_ms) override;
    [[nodiscard]] std::uint64_t next_deadline() const override;

    // This object ends: background writes get the share of repairs, because clients have the answers and nothing follows.
    void hurry(std::uint64_t now_ms);

    // cleanup_on_shutdown: removes only the entries that this object added, and all own routes; accepts
    // no more claims.
    void cleanup(std::uint64_t now_ms);
    [[nodiscard]] bool cleaned() const;

    // Asks for a print of our lists at the next moment without held writes (steerctl, tests).
    void request_reprint(std::uint64_t now_ms);

    // Stops writing, and no answer waits: the router counts as unreachable. Claims are kept, and data from the
    // router is read. Until resume(); a reload does not change this.
    void pause(std::uint64_t now_ms);
    void resume(std::uint64_t now_ms);
    // Removes the rows with our comment prefix but the `pg` of an unknown plugin; returns their number. 0 unless in sync, or
    // while paused.
    std::size_t remove_orphans(std::uint64_t now_ms);
    // The rows of our lists whose comments begin with `prefix` and have our form. `write`: replaces their comments by ours.
    // Each row stays in place with its timeout. Nothing is written unless in sync, or while paused.
    Adopted adopt(std::string_view prefix, bool write, std::uint64_t now_ms);
    // Gives up the claims of this address and removes own dynamic rows at it. The row board's promises are void, so
    // answers are claimed again. Rows of a router that is not in sync expire by themselves.
    Forgotten forget(const AddressBytes& address, std::uint64_t now_ms);

    // Probes the router's version at the next quiet moment, even if it is known.
    void probe(std::uint64_t now_ms);
    [[nodiscard]] ProbeView probed() const;

    // Differences between claims and the router's rows, at most `most`; empty unless in sync.
    [[nodiscard]] std::vector<DifferenceRow> differences(std::size_t most, std::uint64_t now_ms);
    // The tag of a list's plugin, and the first name that an address is claimed for (the row's `dm`); empty: none.
    // Valid until the next call of another function.
    [[nodiscard]] std::string_view tag_of(ListId list) const;
    [[nodiscard]] std::string_view name_of(ListId list, const AddressBytes& address) const;
    // Whether there is a claim; a refused one is none.
    [[nodiscard]] bool has_claim(ListId list, const AddressBytes& address) const;
    [[nodiscard]] const Trace& trace() const;
    [[nodiscard]] RouterStatus status() const;
    [[nodiscard]] const RouterCounters& counters() const;
    [[nodiscard]] std::vector<OrphanRow> orphans() const;

  private:
    class Engine;
    std::unique_ptr<Engine> engine_;
};

}  // namespace steer::routeros
