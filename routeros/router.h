// One router: keeps its address lists equal to what was claimed, and says what is known to be
// there.
//
// Without I/O and without a clock: bytes, connection events and the time (ms of CLOCK_BOOTTIME)
// come in, bytes and words to the row board go out. One thread. Any number of routers per process.
// Whatever the router does, a claim is kept until its lease has ended, and nothing here waits.
//
//   disconnected → connecting → logging_in → reading → in_sync
//   any → unusable (it tells more than a router has) → connecting, 10 minutes later
//
// reading: uptime (a reboot is a boot time that moved), listen, print of our lists; then the
// difference to the claims and persistent entries is written. in_sync: listen, an uptime heartbeat
// every 2 s, a reprint every 30 minutes. Any end of the connection makes everything known void: a
// new epoch.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "routeros/address.h"
#include "routeros/claims.h"
#include "routeros/findings.h"
#include "routeros/link.h"
#include "routeros/trace.h"

namespace steer::routeros {

struct ListConfig {
    ListId id = 0;
    std::string list4, list6;     // names on the router; empty: no rows of that family
    std::string tag;              // `pg=` of the comments: the plugin's tag
    std::string prefix = "fdns";  // of the comments
    // M: no renewal is written longer than this. `fixed_ttl` where that is set; 0: rows without
    // timeout.
    std::uint32_t max_ttl_s = 3600;
    std::uint32_t renew_slack_s = 600;
    std::uint32_t sync_timeout_ms = 100;
    std::size_t max_rows = 50'000;  // claims that are kept
    // Of them, for one name, one domain suffix (its last two labels) and one client.
    std::size_t max_per_name = SIZE_MAX, max_per_suffix = SIZE_MAX, max_per_client = SIZE_MAX;
    std::vector<Address> persistent;  // rows without timeout that are always there
    // Others write this list as well, and have leases of which we know nothing: rows of ours
    // without a timeout are never removed.
    bool multi_writer = false;
    // What a human did to a row of ours (removed, disabled, its comment or timeout changed) is left
    // so until its claim ends; else it is written again.
    bool respect_manual_changes = false;
    bool operator==(const ListConfig&) const = default;
};

struct RouterConfig {
    std::string name;     // for sentences: what the operator calls it
    std::string address;  // for sentences
    std::string username;
    std::string password;
    // What was given to its TCP and is not taken or acknowledged for so long ends the session.
    std::uint32_t send_timeout_ms = 5'000;
    // Silence of so long ends the session while only an uptime is due; six times as long while it prints or writes.
    std::uint32_t receive_timeout_ms = 5'000;
    double routine_share = 0.30;  // of the router's time, for writes that nobody waits for
    double repair_share = 0.90;   // and after a reboot
    bool scripts = true;          // many rows a sentence, where the router can do that
    // Versions of which nothing is known are asked what they do (probe.h), once each.
    bool probe = false;
    // Connections that were opened before the row of their address was there, and carry no
    // connection mark, are removed from connection tracking (connections.h).
    bool repair_connections = false;
    std::vector<ListConfig> lists;
    bool operator==(const RouterConfig&) const = default;
};

// What became of a claim that somebody waits for. Same words as the dataplane's outcomes.
enum class Outcome : std::uint8_t { installed, already_there, router_away, failed };

enum class Level : std::uint8_t { info, warning, error };

// Where the engine's knowledge goes. Called from within the engine's functions: must not call back
// into it.
class RouterSink {
  public:
    virtual ~RouterSink() = default;
    // A row for `address` is known to live at least until `until_s` (seconds of the same clock).
    // Replaces what was said before.
    virtual void installed(ListId list, const AddressBytes& address, std::uint32_t until_s) = 0;
    virtual void forgotten(ListId list, const AddressBytes& address) = 0;
    // A new epoch: what was installed before is void.
    virtual void epoch(ListId list) = 0;
    virtual void away(ListId list, bool away) = 0;
    // Exactly once per claim() with a hold token.
    virtual void settled(std::uint64_t hold_token, Outcome outcome) = 0;
    // One sentence per change of state, for the operator.
    virtual void log(Level level, std::string_view sentence) = 0;
    // What a probe found of this version, and what is known of it already (nullptr: nothing); valid until the next call.
    virtual void found(std::string_view /*version*/, const Findings& /*findings*/) {}
    virtual const Findings* findings(std::string_view /*version*/) { return nullptr; }
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

// name, metric label, what it counts
#define STEER_ROUTER_COUNTERS(X)                                                                \
    X(connection_attempts, "connection_attempts", "connections that were tried")                \
    X(connects, "connects", "sessions that logged in")                                          \
    X(disconnects, "disconnects", "sessions that ended")                                        \
    X(login_failures, "login_failures", "logins that the router refused")                       \
    X(reboots, "reboots", "boot times that moved")                                              \
    X(prints, "prints", "prints of our lists")                                                  \
    X(lookups, "lookups", "prints of single rows after 'already have such entry'")              \
    X(heartbeats, "heartbeats", "uptimes read")                                                 \
    X(claims, "claims", "claims made or prolonged")                                             \
    X(claims_refused, "claims_refused", "claims above max_rows, or of a family without list")   \
    X(claims_over_share, "claims_over_share",                                                   \
      "claims refused because their name, suffix or client had its share of max_rows")          \
    X(claims_evicted, "claims_evicted",                                                         \
      "claims given up for others when a list was full, of those with the largest shares")      \
    X(rows_added, "rows_added", "rows that the router acknowledged as new")                     \
    X(scripts, "scripts", "sentences that added many rows each")                                \
    X(rows_extended, "rows_extended", "rows that got a longer timeout")                         \
    X(rows_adopted, "rows_adopted", "rows of ours that were there already when first claimed")  \
    X(rows_removed, "rows_removed", "rows removed (stale persistent ones, evicted, cleanup)")   \
    X(rows_lost, "rows_lost", "rows that went away before their time")                          \
    X(rows_repaired, "rows_repaired", "of them, those that were still wanted: written again")   \
    X(rows_failed, "rows_failed", "writes that the router refused for good")                    \
    X(rows_blocked, "rows_blocked", "addresses that a foreign row occupies")                    \
    X(set_sentences, "set_sentences", "renewals' sentences; rows_extended / this = coalescing") \
    X(bisections, "bisections", "sentences halved because an id was missing")                   \
    X(listen_events, "listen_events", "changes that the router told us")                        \
    X(rows_late, "rows_late", "rows that came after an answer with their address had left")     \
    X(rows_late_missed, "rows_late_missed", "of them, those with too many waiting already")     \
    X(connection_prints, "connection_prints", "prints of connection tracking")                  \
    X(connection_prints_cut, "connection_prints_cut",                                           \
      "of them, those that an entry's end cut short")                                           \
    X(connections_cut, "connections_cut", "connections removed that were older than their row") \
    X(writes_of_others, "writes_of_others", "rows of ours that somebody else wrote")            \
    X(unknown_sentences, "unknown_sentences", "sentences that are not understood, and ignored") \
    X(floods, "floods", "sessions that ended because the router told too much")                 \
    X(manual_changes, "manual_changes", "rows that a human changed, and that are left so")      \
    X(bytes_in, "bytes_in", "from the router")                                                  \
    X(bytes_out, "bytes_out", "to the router")
struct RouterCounters {
#define STEER_ROUTER_COUNTER_FIELD(name, label, text) std::uint64_t name = 0;
    STEER_ROUTER_COUNTERS(STEER_ROUTER_COUNTER_FIELD)
#undef STEER_ROUTER_COUNTER_FIELD
};

// How full a list is.
struct ListFill {
    std::string tag;
    std::size_t claims = 0, max_rows = 0;
};

// For `steerctl status`: a picture of now.
struct RouterStatus {
    RouterState state = RouterState::disconnected;
    bool away = true;
    bool paused = false;
    std::uint64_t away_since_ms = 0;      // 0 while it is not away
    std::uint64_t claims_while_away = 0;  // since then: what clients were told meanwhile
    std::string version, board;           // as the router says them, safe text
    std::uint64_t boot_ms = 0;            // when it booted, on our clock; 0 = not known
    std::string trouble;                  // the last warning or error; empty when in sync
    std::size_t claims = 0, rows_ours = 0, rows_orphaned = 0, rows_foreign = 0, rows_blocked = 0;
    std::size_t held = 0;  // claims that somebody waits for
    std::size_t queued = 0;
    std::size_t writes_in_flight = 0;  // sentences that change something on the router
    std::size_t owed =
        0;  // places that are still to be written; all that is wanted while it is away
    std::size_t late = 0;         // addresses whose early connections are still to be looked for
    bool repair_refused = false;  // connections cannot be repaired, until it reconnects
    std::vector<ListFill> lists;
    // Lists that somebody else writes without multi_writer.
    std::vector<std::string> second_writers;
    std::size_t left_alone = 0;  // places where a human's change is respected
    double routine_share = 0;    // of the router's time, for writes that nobody waits for
    double service_us = 0;       // measured time of one add on the router
    // Sectors of its flash that were written, as it says; nothing if it does not.
    std::optional<std::uint64_t> flash_since_reboot, flash_total;
    std::optional<double> flash_per_hour;  // since we are connected, once that is a minute
    std::uint64_t rtt_ms = 0;              // of the heartbeat, the smallest lately
    std::optional<Findings> findings;      // of its version, if anything is known
};

// What forget() did.
struct Forgotten {
    std::size_t claims = 0;      // given up
    std::size_t rows = 0;        // of ours, that are removed
    std::size_t persistent = 0;  // rows of the configuration: they stay
};

// Of a probe that was asked for.
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
    std::string version;     // that was asked
    Findings findings;       // so far
    std::string transcript;  // transcript.h
};

// A row that looks like ours but whose `pg` no plugin here has.
struct OrphanRow {
    std::string list, address, comment;  // safe text
};

// What is to be written at a place, and why it is not.
struct DifferenceRow {
    std::string list, address, what;  // add, extend, remove, blocked, refused, left_alone
    std::string name;                 // of the claim; empty for a persistent row
    std::uint64_t ends_ms = 0;        // of what is wanted; 0: never
};

class Router final : public LinkUser {
  public:
    Router(RouterConfig config, RouterSink& sink, RouterLink& link);
    ~Router() override;
    Router(const Router&) = delete;
    Router& operator=(const Router&) = delete;

    // Connects at once, and from then on again and again; before this nothing happens.
    void start(std::uint64_t now_ms);
    // Ends the session; no connection is made until start().
    void stop(std::uint64_t now_ms);
    // A reload: other lists, other persistent entries. Claims of lists that stay are kept;
    // everything is read again.
    void configure(RouterConfig config, std::uint64_t now_ms);

    // An answer with these addresses leaves or is about to. `lease_end_ms`: until when a client may
    // use them; `row_life_s`: how long the row is to live from now (0: no timeout); `hold_token` 0:
    // nobody waits, else settled() brings it back, maybe before this returns. For a held answer the
    // row is made to last the list's `sync_timeout` longer than the lease, because its TTL starts
    // when it is released. `origin`: its name in text form, and the client that asked.
    void claim(ListId list, std::span<const AddressBytes> addresses, const Origin& origin,
               std::uint64_t lease_end_ms, std::uint32_t row_life_s, std::uint64_t hold_token,
               std::uint64_t now_ms);

    void connected(std::uint64_t now_ms) override;
    void received(std::string_view bytes, std::uint64_t now_ms) override;
    void closed(std::string_view why, std::uint64_t now_ms) override;
    void tick(std::uint64_t now_ms) override;
    [[nodiscard]] std::uint64_t next_deadline() const override;

    // cleanup_on_shutdown: removes the rows that this object added, and nothing else; takes no more
    // claims.
    void cleanup(std::uint64_t now_ms);
    [[nodiscard]] bool cleaned() const;

    // Asks for a print of our lists at the next moment without held writes (steerctl, tests).
    void request_reprint(std::uint64_t now_ms);

    // Nothing is written from now on, and nobody waits: it is away to those who ask. What is claimed is kept, what the
    // router tells is read. Until resume(); a reload changes nothing of it.
    void pause(std::uint64_t now_ms);
    void resume(std::uint64_t now_ms);
    // Removes the rows that look like ours but whose `pg` no plugin here has; how many were found. 0 unless in sync, or
    // while paused.
    std::size_t remove_orphans(std::uint64_t now_ms);
    // Claims of this address are given up and dynamic rows of ours at it removed; what the row board is told begins anew, so
    // that answers which are told again are claimed again. Rows of a router that is not in sync end by themselves.
    Forgotten forget(const AddressBytes& address, std::uint64_t now_ms);

    // Asks the router what its version does, at the next quiet moment, whatever is known.
    void probe(std::uint64_t now_ms);
    [[nodiscard]] ProbeView probed() const;

    // What is wanted but not so on the router, at most `most` of it; empty unless in sync.
    [[nodiscard]] std::vector<DifferenceRow> differences(std::size_t most, std::uint64_t now_ms);
    // The tag of a list's plugin, and the first name that an address is claimed for (the row's `dm`); empty: there is none.
    // Good until the next call of another function.
    [[nodiscard]] std::string_view tag_of(ListId list) const;
    [[nodiscard]] std::string_view name_of(ListId list, const AddressBytes& address) const;
    [[nodiscard]] const Trace& trace() const;
    [[nodiscard]] RouterStatus status() const;
    [[nodiscard]] const RouterCounters& counters() const;
    [[nodiscard]] std::vector<OrphanRow> orphans() const;

  private:
    class Engine;
    std::unique_ptr<Engine> engine_;
};

}  // namespace steer::routeros
