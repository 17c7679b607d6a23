// The repeater's counters per interface: every received packet ends as exactly one of the counters from
// `repeated` to `legacy_refused`.
#pragma once

#include <array>
#include <cstdint>
#include <string_view>

namespace steer::mdns {

//    name              label               what was counted
#define STEER_MDNS_COUNTS(X)                                                                     \
    X(received, "received", "packets to the group that came")                                    \
    X(repeated, "repeated", "sent on to the other interfaces")                                   \
    X(legacy_repeated, "legacy_repeated", "the same, of queries from ports of their own")        \
    X(own, "own", "dropped: from an address of this host")                                       \
    X(off_link, "off_link", "dropped: from no address of this link (RFC 6762 11)")               \
    X(hop_limit, "hop_limit", "dropped: came with a TTL or hop limit other than 255")            \
    X(too_large, "too_large", "dropped: larger than mDNS allows")                                \
    X(over_budget, "over_budget", "dropped: too many of the interface, or of their sender")      \
    X(malformed, "malformed", "dropped: no message of mDNS")                                     \
    X(filtered, "filtered", "dropped: nothing in it is for other links, or of a listed service") \
    X(duplicates, "duplicates", "dropped: lately seen, as what another repeater sends on")       \
    X(legacy_refused, "legacy_refused", "dropped: queries from ports of their own, too many")    \
    X(pruned, "pruned", "of those sent on, with something left out")                             \
    X(sent, "sent", "packets sent on to this interface")                                         \
    X(not_sent, "not_sent", "packets that the kernel did not take")                              \
    X(unicast_sent, "unicast_sent", "answers sent to who had asked from a port of their own")

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
