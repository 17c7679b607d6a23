// Router advertisements on the clients' segment: RFC 4861 4.2, PREF64 (RFC 8781), RDNSS (RFC 8106).
// Pure.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "control/operator/doctor/finding.h"
#include "control/operator/doctor/step.h"
#include "dataplane/dns/pref64.h"
#include "matchers/prefix/ip_address.h"

namespace steer::doctor {

// The announcements of one router. Its options may be in several messages (RFC 4861 6.2.3).
struct Advertisement {
    struct Nat64 {
        dns::Pref64 prefix;
        std::uint32_t lifetime_s = 0;
    };
    struct Server {
        IpAddress address;
        std::uint32_t lifetime_s = 0;
    };
    IpAddress router;              // its link-local address
    std::uint32_t lifetime_s = 0;  // as default router; the longest of its messages
    std::vector<Nat64> nat64;
    std::vector<Server> servers;
};

inline constexpr std::uint8_t kSolicitation = 133, kAdvertisement = 134;

// Reads an ICMPv6 message from that source. No value: the message is invalid (RFC 4861 6.1.2).
// Skips options that are unknown or have a wrong length. The caller has checked the hop limit and
// the checksum.
std::optional<Advertisement> read_advertisement(std::span<const std::uint8_t> message,
                                                const IpAddress& from);
// Adds one message to the earlier ones of its router.
void add(std::vector<Advertisement>& all, Advertisement one);

// The data that must be announced.
struct Announced {
    std::vector<std::string> nat64;  // prefixes of the configuration, "64:ff9b::/96"
    std::vector<IpAddress> servers;  // permitted DNS servers: our addresses, and the router's
    std::uint32_t interval_s = 0;    // maximum time between two advertisements; 0: unknown
    std::string interface;           // the one that we listened on, for the sentences
};

// Adds a finding for each error, and the step `advertisement`. `received`: from all routers.
void judge_advertisements(const std::vector<Advertisement>& received, const Announced& wanted,
                          Findings& findings, Steps& steps);

}  // namespace steer::doctor
