// What holds the rows of lists: a router, the kernel's sets, or another vendor's device. ListService knows nothing else.
//
// Desired rows go in by claim(); what became of them comes back as words to the SinkObserver that the sink was made with.
// One way: a sink knows its observer, whoever owns the sink knows both, and an observer never calls a sink while it is
// told something. All calls of both are from one thread (`routers`), must not wait, and may not throw.
//
// What a new sink has to provide is in control/sinks/README.md.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "control/config/sink_settings.h"
#include "dataplane/base/list_state.h"
#include "dataplane/event/event.h"
#include "matchers/prefix/ip_address.h"

namespace steer {

// A list that a sink keeps.
struct KeptList {
    ListId id = 0;
    std::string tag;  // of its plugin, for sentences
    config::Quorum quorum = config::Quorum::healthy;
};

// "List `list` must hold these addresses." One answer's, or part of it.
struct Claim {
    ListId list = 0;
    std::span<const IpAddress> addresses;  // 1..kEventAddresses, while claim() runs
    std::string_view name;                 // of the answer, as text; while claim() runs
    const IpAddress* client = nullptr;     // nullptr: it stands for many
    std::uint64_t raised_ms = 0;           // when the answer left, CLOCK_BOOTTIME
    std::uint64_t lease_end_ms = 0;        // until when a client may use the addresses
    std::uint32_t row_life_s = 0;          // how long a row lives from raised_ms; 0: no timeout
    std::uint64_t hold_token = 0;  // 0: nobody waits; else SinkObserver::settled() brings it back
};

// How it is, for status and metrics.
struct SinkHealth {
    std::string name;
    bool away = true;            // nobody should wait for any of its lists
    std::size_t rows = 0;        // that must be there
    std::size_t owed = 0;        // of them, those that are not written yet
    std::size_t capacity = 0;    // rows that it takes at most
    std::uint32_t write_us = 0;  // how long a write takes, smoothed; 0: not known
};

class ClaimSink {
  public:
    virtual ~ClaimSink() = default;
    // Those that it keeps now. Who changes them tells ListService (ListService::configure).
    [[nodiscard]] virtual std::vector<KeptList> lists() const = 0;
    // Kept until its lease ends, also while what it is written to is away, unless there is no room: what is dropped then is
    // counted, and epoch() is said once there is room again.
    virtual void claim(const Claim& claim, std::uint64_t now_ms) = 0;
    // After the last claim of some that came together.
    virtual void flush() {}
    [[nodiscard]] virtual SinkHealth health() const = 0;
};

// A sink's words about its lists.
class SinkObserver {
  public:
    virtual ~SinkObserver() = default;
    // A row is known to be there until then (CLOCK_BOOTTIME, seconds; kForever). Replaces what was said before.
    virtual void installed(const ClaimSink& sink, ListId list, const IpAddress& address,
                           std::uint32_t until_s) = 0;
    // No row is known to be there any more.
    virtual void forgotten(const ClaimSink& sink, ListId list, const IpAddress& address) = 0;
    // All that was known of the list is void: its rows are claimed again.
    virtual void epoch(const ClaimSink& sink, ListId list) = 0;
    // Whether somebody should wait for the list. It is away until it is said to be here.
    virtual void away(const ClaimSink& sink, ListId list, bool value) = 0;
    // Once for each claim() with a hold token, maybe before that returns.
    virtual void settled(std::uint64_t hold_token, Outcome outcome) = 0;
};

}  // namespace steer
