// The rows of `limits:` as a snapshot has them: immutable, for all threads. The tables that they
// fill are in `tables`, which all generations share.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "dataplane/answer/live_prefixes.h"
#include "dataplane/base/counters.h"
#include "dataplane/limits/answer_batches.h"
#include "dataplane/limits/banned_sources.h"
#include "dataplane/limits/limit_meter.h"
#include "dataplane/limits/limit_table.h"
#include "dataplane/limits/offender_board.h"
#include "matchers/prefix/ip_address.h"
#include "matchers/prefix/prefix_set.h"

namespace steer {

inline constexpr std::size_t kMaxLimits = 64;  // rows, counted over all reloads

// A server that a row is for. :: stands for all addresses, 0.0.0.0 for all of IPv4.
struct LimitListener {
    IpAddress address;
    std::uint16_t port = 0;
    bool is_udp = true;
};

// The bits of an address that a row counts by, of IpAddress::high() and low().
struct LimitPrefix {
    std::uint64_t bits4 = 0;  // of low()
    std::uint64_t bits6_high = 0, bits6_low = 0;
    std::uint64_t set6 = 0;  // set in low(): the address of all clients together

    static LimitPrefix of(unsigned prefix4, unsigned prefix6) noexcept;
};

struct LimitRow {
    std::string name;      // label of its counters
    std::uint16_t id = 0;  // index of its counters, the same in all generations
    LimitWhat what = LimitWhat::queries;
    LimitAction action = LimitAction::drop;
    bool dry_run = false;
    std::uint8_t prefix4 = 24, prefix6 = 56;  // bits of the key; 0: all clients together
    std::uint8_t slip = 0;                    // every n-th refused answer is sent with TC; 0: none
    std::uint8_t leak = 0;                    // every n-th is sent as it is; 0: none
    std::uint32_t ban_ms = 0;                 // a source above the row this long is banned; 0: off
    double per_s = 0, burst = 0;              // as `rate` says, for reports
    LimitRate rate;
    std::uint64_t salt = 0;                // of its keys
    std::vector<LimitListener> listeners;  // empty: all
    // Threads that are no workers read these two in a QsbrReader::Section: sets may change.
    std::optional<AddressSet> clients;  // no value: all
    std::optional<AddressSet> except;   // no value: none
    // ---- set by LimitPolicy::add()
    bool is_for_all = false;  // none of these three
    LimitPrefix prefix;       // of `prefix4` and `prefix6`

    // The prefix of a client that the row counts by.
    [[nodiscard]] matchers::Prefix prefix_of(const IpAddress& client) const {
        constexpr unsigned kMappedBits = 96;
        return matchers::Prefix::masked(client, client.is_v4() ? kMappedBits + prefix4 : prefix6);
    }
};

// The counters of a row at one thread.
using LimitCounts = std::array<Count, static_cast<std::size_t>(LimitDecision::count_)>;

// All that one thread writes for its limits.
struct LimitThread {
    // `is_worker`: its answers have batches.
    LimitThread(std::size_t bytes, unsigned peers, bool is_worker = true)
        : meter(bytes, peers), batches(is_worker) {}
    LimitMeter meter;
    AnswerBatches batches;  // of the row of `responses`
    OffenderBoard board;
    OffenderBoard proven;  // banned sources with a proven address; only key and prefix are used
    std::array<LimitCounts, kMaxLimits> counts{};
};

// By number of the worker, and of the `streams` thread.
struct LimitTables {
    std::vector<std::unique_ptr<LimitThread>> workers, streams;
    BannedSources banned;
    BannedSources exempt;  // proven addresses of banned prefixes, with the length 128
};

struct LimitPolicy {
    std::vector<LimitRow> rows;
    // Indices of `rows`, by kind; the longest prefix of the client's family first.
    std::array<std::vector<std::uint8_t>, kLimitKinds> by_kind4, by_kind6;
    matchers::PrefixSet trusted;                     // `trusted_forwarders`: exempt from all rows
    std::vector<matchers::Prefix> trusted_prefixes;  // the same
    std::shared_ptr<LimitTables> tables;
    // Of the rows above.
    bool limits_queries = false;  // queries or bytes
    bool limits_answers = false;  // responses, nxdomain or servfail
    bool limits_domains = false;  // nxdomain or servfail
    bool bans = false;            // a row has `ban`
    // Batches of answers; none with several rows of `responses` (answer_batches.h).
    struct Batched {
        std::uint32_t most = 0;   // answers of a batch; 0: no batches
        std::uint64_t ticks = 0;  // tokens that a bucket needs, so that a batch may begin
    } batched;

    [[nodiscard]] const std::vector<std::uint8_t>& of(LimitWhat what) const noexcept {
        return by_kind4[static_cast<std::size_t>(what)];
    }
    [[nodiscard]] const std::vector<std::uint8_t>& of(LimitWhat what,
                                                      const IpAddress& client) const noexcept {
        return (client.is_v4() ? by_kind4 : by_kind6)[static_cast<std::size_t>(what)];
    }
    // Adds a row, and sets the members above.
    void add(LimitRow row);
    // Call it after all rows. Sets `tables` and `batched`.
    void set_tables(std::shared_ptr<LimitTables> all);
};

}  // namespace steer
