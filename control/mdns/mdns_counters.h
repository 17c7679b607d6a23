// The repeater's counters per interface: every received packet ends as exactly one of the counters from
// `repeated` to `legacy_refused`.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace steer::mdns {

//    name              label               what was counted
#define STEER_MDNS_COUNTS(X)                                                                      \
    X(received, "received", "mDNS packets received")                                              \
    X(repeated, "repeated", "packets repeated to other interfaces")                               \
    X(legacy_repeated, "legacy_repeated", "packets of one-shot queriers repeated (RFC 6762 5.1)") \
    X(own, "own", "dropped: sent by this host")                                                   \
    X(off_link, "off_link", "dropped: the source is not on this link (RFC 6762 11)")              \
    X(hop_limit, "hop_limit", "dropped: TTL or hop limit is not 255")                             \
    X(too_large, "too_large", "dropped: larger than mDNS allows")                                 \
    X(over_budget, "over_budget", "dropped: rate limit of the interface or sender exceeded")      \
    X(malformed, "malformed", "dropped: not an mDNS message")                                     \
    X(filtered, "filtered", "dropped: nothing for other links, or no listed service")             \
    X(duplicates, "duplicates", "dropped: already repeated, for example by another repeater")     \
    X(legacy_refused, "legacy_refused", "dropped: rate limit of one-shot queriers exceeded")      \
    X(pruned, "pruned", "packets repeated with some records removed")                             \
    X(sent, "sent", "packets sent on this interface")                                             \
    X(not_sent, "not_sent", "packets that the kernel did not accept")                             \
    X(unicast_sent, "unicast_sent", "unicast answers sent to one-shot queriers")

#define STEER_MDNS_NAME(name, label, text) name,
#define STEER_MDNS_LABEL(name, label, text) std::string_view{label},
#define STEER_MDNS_TEXT(name, label, text) std::string_view{text},
enum class MdnsCount : std::uint8_t { STEER_MDNS_COUNTS(STEER_MDNS_NAME) count_ };
inline constexpr std::array kMdnsLabels{STEER_MDNS_COUNTS(STEER_MDNS_LABEL)};
inline constexpr std::array kMdnsTexts{STEER_MDNS_COUNTS(STEER_MDNS_TEXT)};
#undef STEER_MDNS_NAME
#undef STEER_MDNS_LABEL
#undef STEER_MDNS_TEXT

struct MdnsCounters {
    std::array<std::uint64_t, static_cast<std::size_t>(MdnsCount::count_)> counts{};

    void add(MdnsCount c) { ++counts[static_cast<std::size_t>(c)]; }
    [[nodiscard]] std::uint64_t get(MdnsCount c) const {
        return counts[static_cast<std::size_t>(c)];
    }
};

}  // namespace steer::mdns
