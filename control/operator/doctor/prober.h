// Probes one router on the wire. It resolves a name through SteerDNS, connects, and queries the
// router about the connection. It listens to router advertisements, and connects through the NAT64.
// Blocks, for about 20 s at most if nothing answers.
#pragma once

#include <optional>
#include <string>

#include "control/operator/doctor/expected.h"
#include "control/operator/doctor/facts.h"
#include "control/operator/doctor/finding.h"
#include "control/operator/doctor/option108.h"
#include "control/operator/doctor/step.h"
#include "routeros/client.h"

namespace steer::doctor {

inline constexpr std::uint16_t kProbePort = 443;

struct ProbeOptions {
    std::string name;        // empty: no connection is probed
    std::string nat64_name;  // has only IPv4 addresses; empty: `name`
    std::optional<IpAddress>
        from;  // an address of this host; no value: the one that the router sees
    std::uint16_t port = kProbePort;

    [[nodiscard]] const std::string& name_for_nat64() const {
        return nat64_name.empty() ? name : nat64_name;
    }
    [[nodiscard]] bool is_wanted() const { return !name_for_nat64().empty(); }
};

struct ProbeResult {
    Findings findings;
    Steps steps;
    Nat64Watch::Seen nat64 = Nat64Watch::Seen::unknown;
};

// `router`: its menus, read over this client. Writes nothing.
ProbeResult probe(routeros::Client& client, const RouterFacts& router, const Expected& expected,
                  const ProbeOptions& options);

}  // namespace steer::doctor
