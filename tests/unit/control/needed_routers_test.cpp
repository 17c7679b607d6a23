// Which routers of a list make the appliance unready.
#include "control/health/needed_routers.h"

#include <array>
#include <boost/test/unit_test.hpp>

using namespace steer;
using config::ReadyRouters;

namespace {

constexpr std::uint64_t kNow = 1'000'000;

NeededRouter router(const char* name, ReadyRouters ready, bool is_away) {
    return {.name = name,
            .is_away = is_away,
            .was_reached = true,
            .away_since_ms = is_away ? kNow - kRouterGraceMs : 0,
            .lists = {{"policy", ready}}};
}

}  // namespace

BOOST_AUTO_TEST_SUITE(needed_routers)

BOOST_AUTO_TEST_CASE(a_lost_router_counts_after_the_grace) {
    std::array routers{router("edge1", ReadyRouters::any, true)};
    routers[0].trouble = "connection refused";
    BOOST_TEST(needed_routers_trouble(routers, kNow - 1).empty());
    BOOST_TEST(needed_routers_trouble(routers, kNow) ==
               "list \"policy\" cannot be written on edge1 (connection refused)");
    routers[0].is_away = false;
    BOOST_TEST(needed_routers_trouble(routers, kNow).empty());
}

BOOST_AUTO_TEST_CASE(a_router_that_was_never_reached_counts_at_once) {
    std::array routers{router("edge1", ReadyRouters::any, true)};
    routers[0].was_reached = false;
    routers[0].away_since_ms = kNow;
    BOOST_TEST(needed_routers_trouble(routers, kNow) ==
               "list \"policy\" cannot be written on edge1");
}

BOOST_AUTO_TEST_CASE(any_needs_one_router_and_all_needs_each) {
    const std::array any{router("edge1", ReadyRouters::any, true),
                         router("edge2", ReadyRouters::any, false)};
    BOOST_TEST(needed_routers_trouble(any, kNow).empty());
    const std::array all{router("edge1", ReadyRouters::all, true),
                         router("edge2", ReadyRouters::all, false)};
    BOOST_TEST(needed_routers_trouble(all, kNow) == "list \"policy\" cannot be written on edge1");
    const std::array none{router("edge1", ReadyRouters::any, true),
                          router("edge2", ReadyRouters::any, true)};
    BOOST_TEST(needed_routers_trouble(none, kNow) ==
               "list \"policy\" cannot be written on edge1, edge2");
}

BOOST_AUTO_TEST_CASE(an_operator_who_stops_writes_does_not_move_clients) {
    std::array routers{router("edge1", ReadyRouters::all, true)};
    routers[0].is_stopped = true;
    BOOST_TEST(needed_routers_trouble(routers, kNow).empty());
}

BOOST_AUTO_TEST_CASE(each_list_is_judged_by_itself) {
    std::array routers{router("edge1", ReadyRouters::any, true)};
    routers[0].lists = {{"tunnel", ReadyRouters::all}, {"policy", ReadyRouters::any}};
    BOOST_TEST(
        needed_routers_trouble(routers, kNow) ==
        "list \"policy\" cannot be written on edge1; list \"tunnel\" cannot be written on edge1");
}

BOOST_AUTO_TEST_SUITE_END()
