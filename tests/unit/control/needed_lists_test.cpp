// Which sinks of a list make the appliance unready.
#include "control/sinks/routers/needed_lists.h"

#include <array>
#include <boost/test/unit_test.hpp>

using namespace steer;
using config::ReadyNeed;

namespace {

constexpr std::uint64_t kNow = 1'000'000;

NeededList needed(const char* where, ReadyNeed need, bool is_away, const char* tag = "policy") {
    return {.tag = tag,
            .need = need,
            .where = where,
            .is_away = is_away,
            .was_reached = true,
            .away_since_ms = is_away ? kNow - kSinkGraceMs : 0};
}

}  // namespace

BOOST_AUTO_TEST_SUITE(needed_lists)

BOOST_AUTO_TEST_CASE(a_lost_router_counts_after_the_grace) {
    std::array lists{needed("edge1", ReadyNeed::any, true)};
    lists[0].error = "connection refused";
    BOOST_TEST(needed_lists_error(lists, kNow - 1).empty());
    BOOST_TEST(needed_lists_error(lists, kNow) ==
               "list \"policy\" cannot be written to edge1 (connection refused)");
    lists[0].is_away = false;
    BOOST_TEST(needed_lists_error(lists, kNow).empty());
}

BOOST_AUTO_TEST_CASE(a_router_that_was_never_reached_counts_at_once) {
    std::array lists{needed("edge1", ReadyNeed::any, true)};
    lists[0].was_reached = false;
    lists[0].away_since_ms = kNow;
    BOOST_TEST(needed_lists_error(lists, kNow) == "list \"policy\" cannot be written to edge1");
}

BOOST_AUTO_TEST_CASE(any_needs_one_sink_and_all_needs_each) {
    const std::array any{needed("edge1", ReadyNeed::any, true),
                         needed("edge2", ReadyNeed::any, false)};
    BOOST_TEST(needed_lists_error(any, kNow).empty());
    const std::array all{needed("edge1", ReadyNeed::all, true),
                         needed("edge2", ReadyNeed::all, false)};
    BOOST_TEST(needed_lists_error(all, kNow) == "list \"policy\" cannot be written to edge1");
    const std::array none{needed("edge1", ReadyNeed::any, true),
                          needed("edge2", ReadyNeed::any, true)};
    BOOST_TEST(needed_lists_error(none, kNow) ==
               "list \"policy\" cannot be written to edge1, edge2");
}

BOOST_AUTO_TEST_CASE(an_operator_who_stops_writes_does_not_move_clients) {
    std::array lists{needed("edge1", ReadyNeed::all, true)};
    lists[0].is_stopped = true;
    BOOST_TEST(needed_lists_error(lists, kNow).empty());
}

BOOST_AUTO_TEST_CASE(each_list_is_judged_by_itself) {
    const std::array lists{needed("edge1", ReadyNeed::all, true, "tunnel"),
                           needed("edge1", ReadyNeed::any, true),
                           needed("edge1", ReadyNeed::off, true, "other")};
    BOOST_TEST(
        needed_lists_error(lists, kNow) ==
        "list \"policy\" cannot be written to edge1; list \"tunnel\" cannot be written to edge1");
}

BOOST_AUTO_TEST_SUITE_END()
