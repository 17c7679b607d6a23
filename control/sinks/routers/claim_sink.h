// The interface for holders of rows: a router, the kernel's sets, or another vendor's device.
// ListService uses only this.
//
// claim() requests rows; the SinkObserver from the sink's construction gets the results.
// Dependencies have one direction: a sink knows its observer, the sink's owner knows both, and an
// observer never calls a sink from within a callback. All calls of both are from one thread
// (`routers`), must not wait, and may not throw.
//
// control/sinks/routers/README.md says what a new sink must provide.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "control/config/settings/sink_settings.h"
#include "control/program/build/claim_terms.h"
#include "dataplane/base/list_state.h"
#include "dataplane/event/event.h"
#include "dataplane/event/row_board.h"
#include "matchers/prefix/ip_address.h"

namespace steer {

// A list of a sink.
struct KeptList {
    ListId id = 0;
    std::string tag;  // of its plugin, for messages
    config::Quorum quorum = config::Quorum::healthy;
    config::ReadyNeed ready = config::ReadyNeed::off;
    ClaimTerms terms{};  // for claims of other boxes
};

// Requests that list `list` contains these addresses: all addresses of an answer, or a part of
// them.
struct Claim {
    ListId list = 0;
    std::span<const IpAddress> addresses;  // 1..kEventAddresses; valid during claim()
    std::string_view name;                 // of the answer, as text; valid during claim()
    const IpAddress* client = nullptr;     // nullptr: a forwarder
    std::uint64_t raised_ms = 0;           // time of sending the answer, CLOCK_BOOTTIME
    std::uint64_t lease_end_ms = 0;        // last time at which a client may use the addresses
    std::uint32_t row_life_s = 0;          // life of a row from raised_ms; 0: no timeout
    std::uint64_t hold_token = 0;  // 0: no answer waits; else passed to SinkObserver::settled()
};

// The sink's state, for status and metrics.
struct SinkHealth {
    std::string name;
    bool away = true;            // answers do not wait for any of its lists
    std::size_t rows = 0;        // required rows
    std::size_t pending = 0;     // of these, not written yet
    std::size_t capacity = 0;    // maximum number of rows
    std::uint32_t write_us = 0;  // duration of a write, smoothed; 0: unknown
};

// The state of a list that /readyz needs, from its sink.
struct NeededList {
    std::string tag;
    config::ReadyNeed need = config::ReadyNeed::off;
    std::string where;                // name of the router or the sets, for messages
    bool is_away = true;              // it cannot be written
    bool is_stopped = false;          // an operator paused it, or the bypass is on: no router error
    bool was_reached = false;         // since the start
    std::uint64_t away_since_ms = 0;  // 0: the connection was never lost
    std::string error;                // the cause; may be empty
};

class ClaimSink {
  public:
    virtual ~ClaimSink() = default;
    // Its present lists. Report changes to ListService (ListService::configure).
    [[nodiscard]] virtual std::vector<KeptList> lists() const = 0;
    // Keeps the claim until its lease ends, also while the sink's target is unreachable, unless
    // there is no space. Then the sink calls SinkObserver::refused() for each address, and counts
    // it.
    virtual void claim(const Claim& claim, std::uint64_t now_ms) = 0;
    // Called after the last claim of a batch.
    virtual void flush() {}
    // The bypass (`steerctl bypass`): while it is on, routers are not written, and no answer waits.
    // Sinks on this machine ignore it.
    virtual void pause(bool /*on*/) {}
    [[nodiscard]] virtual SinkHealth health() const = 0;
    // Its lists whose `ready` is not off.
    [[nodiscard]] virtual std::vector<NeededList> needed(std::uint64_t /*now_ms*/) const {
        return {};
    }
};

// A sink's callbacks for its lists.
class SinkObserver {
  public:
    virtual ~SinkObserver() = default;
    // A row exists at least until then (CLOCK_BOOTTIME, seconds; kForever). Replaces the earlier
    // time.
    virtual void installed(const ClaimSink& sink, ListId list, const IpAddress& address,
                           std::uint32_t until_s) = 0;
    // The row ended at the time of the last installed(), or its list was removed.
    virtual void ended(const ClaimSink& sink, ListId list, const IpAddress& address) = 0;
    // The row may end before the time of installed(), or its claim was given up before a row existed.
    virtual void lost(const ClaimSink& sink, ListId list, const IpAddress& address) = 0;
    // The sink has no space for the row: the list, or a share of it, is full. May be called before
    // claim() returns. Not called for claims that are kept while the target is away. `whom`: the
    // holder whose next claim of the address would be refused, too. `name` and `client` are those
    // of the claim.
    virtual void refused(const ClaimSink& sink, ListId list, const IpAddress& address,
                         RefusedFor whom) = 0;
    // The same for an earlier claim, which had this name (as text) and client.
    virtual void refused_later(const ClaimSink& sink, ListId list, const IpAddress& address,
                               RefusedFor whom, std::string_view /*name*/,
                               const IpAddress& /*client*/) {
        refused(sink, list, address, whom);
    }
    // Everything known about the list is void: its rows are claimed again.
    virtual void epoch(const ClaimSink& sink, ListId list) = 0;
    // Whether answers should not wait for the list. A new list is away.
    virtual void away(const ClaimSink& sink, ListId list, bool value) = 0;
    // Called once for each claim() with a hold token, possibly before that returns. Outcome::late:
    // a row cannot be written in time. Outcome::router_away: the sink is unreachable, which does
    // not count for `quorum: healthy`.
    virtual void settled(std::uint64_t hold_token, Outcome outcome) = 0;
};

}  // namespace steer
