// OPNsense routers and their aliases, for control/sinks/opnsense.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "control/config/settings/sink_settings.h"
#include "dataplane/base/list_state.h"
#include "matchers/prefix/ip_address.h"
#include "matchers/secret.h"
#include "routeros/shares.h"

namespace steer::build {

// An alias of type external, and the list with its addresses.
struct AliasPlan {
    std::string name;
    ListId list = 0;
    std::string tag;  // of the list's plugin
    config::Quorum quorum = config::Quorum::healthy;
    config::ReadyNeed ready = config::ReadyNeed::off;
    bool v4 = false, v6 = false;  // families of the list that the alias has
    std::size_t max_elements = 50'000;
    std::uint32_t longest_life_s = 3'630;  // life of an element
    std::uint32_t sync_timeout_ms = 100;
    std::vector<IpAddress> allowed{};  // ClaimTerms::allowed
    routeros::ShareLimits shares{};    // of max_elements
    bool operator==(const AliasPlan&) const = default;
};

struct OpnsensePlan {
    std::string name;
    IpAddress address;
    std::uint16_t port = 443;
    Secret key, secret;
    bool tls = true;
    std::string ca_file;           // empty: the system's authorities
    std::string pin_sha256;        // of the certificate, 64 hex digits; empty: none
    std::string certificate_name;  // empty: the address
    std::uint32_t connect_timeout_ms = 5'000, receive_timeout_ms = 10'000;
    std::uint32_t read_every_ms = 10'000;
    std::uint32_t cpu_percent = 50;  // share of its CPU for background writes
    std::vector<AliasPlan> aliases;
    bool operator==(const OpnsensePlan&) const = default;
};

}  // namespace steer::build
