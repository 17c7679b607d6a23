// DHCP leases of routers, for parts that need them.
#pragma once

#include <string_view>

#include "control/config/settings.h"
#include "control/program/build/build.h"
#include "control/sources/leases/lease_service.h"
#include "control/sources/router_lists/followed_part.h"

namespace steer {

struct FollowedLeases {
    using Service = leases::LeaseService;
    static constexpr std::string_view kName = "leases";
    static constexpr auto kFile = &config::Control::leases;
    static constexpr auto kPlans = &build::Built::leases;
};
using LeasesPart = FollowedPart<FollowedLeases>;

}  // namespace steer
