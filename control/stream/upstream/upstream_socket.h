// Sockets to upstreams: what they need before they connect, and which address they would have.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "control/stream/base/stream_context.h"

namespace steer::stream {

// Mark, device, VRF. 0 or errno.
int prepare_socket(const StreamContext& context, int socket, const IpAddress& to,
                   std::uint32_t mark, const std::string& device);
// The address that a socket to `to` would have now; nothing: there is no way there.
std::optional<IpAddress> source_towards(const StreamContext& context, const IpAddress& to,
                                        std::uint32_t mark, const std::string& device);

}  // namespace steer::stream
