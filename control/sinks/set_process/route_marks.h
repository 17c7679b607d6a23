// By which marks the routes of steerdns-sets are known, in the kernel and to BIRD.
#pragma once

#include <cstdint>

namespace steer::sets {

inline constexpr std::uint8_t kRouteProtocol = 153;  // not in /etc/iproute2/rt_protos
inline constexpr std::uint32_t kRouteMetric = 153;

}  // namespace steer::sets
