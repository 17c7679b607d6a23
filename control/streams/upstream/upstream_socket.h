// Sockets to upstreams: their preparation, and their source address.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "control/streams/base/stream_context.h"

namespace steer::stream {

// Sets mark, device and VRF. Returns 0 or errno.
int prepare_socket(const StreamContext& context, int socket, const IpAddress& to,
                   std::uint32_t mark, const std::string& device);
// The source address of a new socket to `to`; no value: no route.
std::optional<IpAddress> source_towards(const StreamContext& context, const IpAddress& to,
                                        std::uint32_t mark, const std::string& device);

}  // namespace steer::stream
