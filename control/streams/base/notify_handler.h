// Who answers a NOTIFY (RFC 1996) that reached a kernel socket, or that a worker passed on.
#pragma once

#include <cstdint>
#include <functional>
#include <span>
#include <vector>

#include "dataplane/base/client_transport.h"
#include "matchers/prefix/ip_address.h"

namespace steer::stream {

// Returns the response; empty: it is not for us. Called on any `streams` thread; never waits.
using NotifyHandler = std::function<std::vector<std::uint8_t>(
    const IpAddress& from, ClientTransport transport, std::span<const std::uint8_t> message)>;

}  // namespace steer::stream
