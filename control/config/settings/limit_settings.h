// The rows of `limits:`: how many queries, answers or connections a client or a domain may have.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "control/config/settings/lines.h"
#include "matchers/prefix/prefix_set.h"

namespace steer::config {

// As LimitWhat (dataplane/limits/limit_table.h), in its order.
enum class LimitKind : std::uint8_t {
    queries,
    bytes,
    responses,
    nxdomain,
    servfail,
    connections,
    handshakes,
    streams,
};
// As LimitAction there.
enum class LimitAction : std::uint8_t { drop, truncate, refuse, servfail };

// Clients: prefixes, and ip_sets.
struct LimitClients {
    std::vector<matchers::Prefix> prefixes;
    std::vector<PluginIndex> sets;
    std::vector<Text> set_tags;  // of `sets`, until the plugins are known
    [[nodiscard]] bool empty() const { return prefixes.empty() && sets.empty(); }
};

inline constexpr std::uint32_t kLimitAsKind = UINT32_MAX;  // the kind's own default

struct Limit {
    LimitKind kind = LimitKind::queries;
    std::string name;                    // label of its counters
    double rate = 0;                     // a second
    double burst = 0;                    // 0: that of a second
    Milliseconds window{0};              // gives `burst`; 0: not written
    std::vector<PluginIndex> listeners;  // servers; empty: all
    std::vector<Text> listener_tags;     // of `listeners`, until the plugins are known
    LimitClients clients;                // empty: all
    LimitClients except;
    std::uint32_t prefix4 = kLimitAsKind, prefix6 = kLimitAsKind;
    std::uint32_t slip = kLimitAsKind;
    std::uint32_t leak = 0;
    Milliseconds ban{0};  // of being above the row; 0: off
    LimitAction action = LimitAction::drop;
    bool dry_run = false;
    int line = 0;
};

}  // namespace steer::config
