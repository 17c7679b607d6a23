// DHCP leases of routers, as a part of the daemon.
#include "control/parts.h"
#include "control/sources/leases/lease_service.h"
#include "control/sources/router_lists/followed_part.h"

namespace steer {
namespace {

struct FollowedLeases {
    using Service = leases::LeaseService;
    static constexpr std::string_view kName = "leases";
    static constexpr auto kFile = &config::Control::leases;
    static constexpr auto kPlans = &build::Built::leases;
};

}  // namespace

Parts::Maker leases_part() {
    return Parts::maker<FollowedPart<FollowedLeases>>();
}

}  // namespace steer
