// What RouterOS versions lack for SteerDNS, in one table. SteerDNS reports it by version;
// docs/reference/routeros-versions.md shows it.
//
// A feature without a row here has all of its commands in each version of tools/rossim/schema.json.
// The test routeros_schema compares the first versions of features with commands (command_forms.h)
// with that file.
#pragma once

#include <compare>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace steer::routeros {

struct Version {
    unsigned major = 0, minor = 0, patch = 0;
    friend auto operator<=>(const Version&, const Version&) = default;

    // "7.16.2 (stable)", "7.17rc1"; no value if it does not begin with a number, a dot and a
    // number.
    static std::optional<Version> parse(std::string_view text);
    [[nodiscard]] std::string to_string() const;
};

// The consoles of these versions were compared, with one release of each minor version.
inline constexpr Version kOldestCompared{7, 9, 2}, kNewestCompared{7, 24, 0};

// Columns: name; the feature (with commands: its name in command_forms.h); what the router lacks;
// first version that has it; the consequence on an older router.
#define STEER_ROUTER_FEATURES(X)                                                            \
    X(tables, "egress of a list", "/routing/table", 7, 1, 0,                                \
      "rows are written; set the router up with --routeros-6")                              \
    X(egress6, "egress of an IPv6 list", "routing marks for IPv6", 7, 1, 0,                 \
      "IPv6 rows are written, and their connections use the main table")                    \
    X(scripts, "address lists, rows added by script", "/execute with as-string", 7, 8, 0,   \
      "rows are added one by one")                                                          \
    X(pref64, "IPv6-mostly network", "pref64 in /ipv6/nd", 7, 9, 2,                         \
      "clients learn no NAT64 prefix and cannot do without IPv4")                           \
    X(adlists, "import routeros: ad lists", "/ip/dns/adlist", 7, 15, 3, "none is imported") \
    X(max_sessions, "doctor --fix, max-sessions", "max-sessions in /ip/service", 7, 16, 2,  \
      "the doctor does not judge the number of sessions")                                   \
    X(forwarders, "import routeros: forwarders", "/ip/dns/forwarders", 7, 17, 1, "none is imported")

enum class FeatureId : std::uint8_t {
#define STEER_ROUTER_FEATURE_ID(name, label, what, major, minor, patch, without) name,
    STEER_ROUTER_FEATURES(STEER_ROUTER_FEATURE_ID)
#undef STEER_ROUTER_FEATURE_ID
};

struct Feature {
    std::string_view label, what;
    Version first;
    std::string_view without;  // the consequence on an older router
};

const Feature& feature(FeatureId id);
// By label. nullptr: each compared version has it.
const Feature* find_feature(std::string_view label);

// Only the minor version counts, because one release of each was compared.
[[nodiscard]] bool lacks(const Version& router, const Feature& feature);
// "RouterOS 7.14.3 has no /ip/dns/adlist (7.15.3 and newer have it): none is imported"
std::string lack_text(const Version& router, const Feature& feature);

}  // namespace steer::routeros
