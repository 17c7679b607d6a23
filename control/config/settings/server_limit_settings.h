// The limits of a server over connections (TCP, TLS, HTTP). They are carried whole from the configuration to the
// listener: a new limit is a member here, its row in server_rows.h, and the place in control/streams/listen that reads it.
#pragma once

#include <cstdint>

#include "control/config/settings/lines.h"

namespace steer::config {

struct ServerLimits {
    Milliseconds idle_timeout{10'000};       // a connection without a query is closed after it
    std::uint32_t max_connections = 10'000;  // in total; beyond that an idle one is closed
    std::uint32_t max_connections_per_client = 64;  // of an IPv4 address, of an IPv6 /64
    // In progress on one connection; further ones are not read (HTTP/2: not to be asked).
    std::uint32_t max_queries = 100;
    bool operator==(const ServerLimits&) const = default;
};

}  // namespace steer::config
