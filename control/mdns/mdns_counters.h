// The repeater's counters per interface: every received packet ends as exactly one of the counters from
// `repeated` to `legacy_refused`.
#pragma once

#include <array>
#include <cstdint>

#include "matchers/counter_table.h"

namespace steer::mdns {

//    name, what was counted
#define STEER_MDNS_COUNTS(X)                                                    \
    X(received, "mDNS packets received")                                        \
    X(repeated, "packets repeated to other interfaces")                         \
    X(legacy_repeated, "packets of one-shot queriers repeated (RFC 6762 5.1)")  \
    X(own, "dropped: sent by this host")                                        \
    X(off_link, "dropped: the source is not on this link (RFC 6762 11)")        \
    X(hop_limit, "dropped: TTL or hop limit is not 255")                        \
    X(too_large, "dropped: larger than mDNS allows")                            \
    X(over_budget, "dropped: rate limit of the interface or sender exceeded")   \
    X(malformed, "dropped: not an mDNS message")                                \
    X(filtered, "dropped: nothing for other links, or no listed service")       \
    X(duplicates, "dropped: already repeated, for example by another repeater") \
    X(legacy_refused, "dropped: rate limit of one-shot queriers exceeded")      \
    X(pruned, "packets repeated with some records removed")                     \
    X(sent, "packets sent on this interface")                                   \
    X(not_sent, "packets that the kernel did not accept")                       \
    X(unicast_sent, "unicast answers sent to one-shot queriers")

STEER_COUNTER_ENUM(MdnsCount, kMdnsCounts, STEER_MDNS_COUNTS);

struct MdnsCounters {
    std::array<std::uint64_t, static_cast<std::size_t>(MdnsCount::count_)> counts{};

    void add(MdnsCount c) { ++counts[static_cast<std::size_t>(c)]; }
    [[nodiscard]] std::uint64_t get(MdnsCount c) const {
        return counts[static_cast<std::size_t>(c)];
    }
};

}  // namespace steer::mdns
