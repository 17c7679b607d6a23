// Address lists and DNS servers of routers, as a part of the daemon.
#include "control/parts.h"
#include "control/sources/router_lists/followed_part.h"
#include "control/sources/router_lists/router_list_service.h"

namespace steer {
namespace {

struct FollowedLists {
    using Service = router_lists::RouterListService;
    static constexpr std::string_view kName = "router_lists";
    static constexpr auto kFile = &config::Control::router_lists;
    static constexpr auto kPlans = &build::Built::router_lists;
};

}  // namespace

Parts::Maker router_lists_part() {
    return Parts::maker<FollowedPart<FollowedLists>>();
}

}  // namespace steer
