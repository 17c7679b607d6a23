// The marks that identify the routes of steerdns-sets, in the kernel and for BIRD.
#pragma once

#include <cstdint>

namespace steer::sets {

inline constexpr std::uint8_t kRouteProtocol = 153;  // not in /etc/iproute2/rt_protos
inline constexpr std::uint32_t kRouteMetric = 153;

}  // namespace steer::sets
