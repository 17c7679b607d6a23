// A zone that is kept by zone transfers from its primaries.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "control/config/settings/lines.h"
#include "control/config/settings/upstream_settings.h"
#include "matchers/prefix/ip_address.h"
#include "matchers/prefix/prefix_set.h"
#include "matchers/secret.h"

namespace steer::config {

struct ZonePrimary {
    IpAddress address;
    std::uint16_t port = 53;
    bool tls = false;
    bool operator==(const ZonePrimary&) const = default;
};

// A key of TSIG (RFC 8945).
struct TsigKey {
    std::vector<std::uint8_t> name;  // lower-cased wire form
    std::string algorithm;           // "hmac-sha256"
    Secret secret;                   // its bytes
    bool operator==(const TsigKey&) const = default;
};

struct ZoneTls {
    std::string name;  // of the certificate; empty: the primary's address
    std::string ca;    // PEM file; empty: the system's
    std::vector<std::array<std::uint8_t, 32>> pins;
    bool operator==(const ZoneTls&) const = default;
};

// The check of a transferred zone by ZONEMD (RFC 8976).
enum class ZoneDigest : std::uint8_t { if_present, required, ignore };

struct Secondary {
    std::vector<std::uint8_t> zone;  // lower-cased wire form
    std::vector<ZonePrimary> primaries;
    std::optional<TsigKey> tsig;
    ZoneTls tls;
    std::vector<matchers::Prefix> notify_from;  // senders of NOTIFY beside the primaries
    bool incremental = true;
    ZoneDigest digest = ZoneDigest::if_present;
    std::uint64_t max_bytes = 0;
    std::uint32_t max_records = 0;
    Milliseconds timeout{0}, min_refresh{0}, max_refresh{0};
    // Kept copies: of the service, and as zone text for plugins that read a list. Empty: `lists` of
    // `control` is off.
    std::string file, list_file;
    bool operator==(const Secondary&) const = default;
};

// The file with the zone's text of the secondary with this tag, in the folder `lists`.
std::string list_file_of(const std::string& lists, const std::string& tag);

}  // namespace steer::config
