// Routes in place of address-list entries: what the router has when answers claim addresses.
#include <boost/test/unit_test.hpp>

#include "lab.h"
#include "tools/rossim/cost.h"

namespace steer::routeros::test {
namespace {

using rossim::Family;

constexpr std::int64_t kMinute = 60 * kSecond;

ListConfig route_config(ListId id = 1) {
    ListConfig list;
    list.id = id;
    list.type = RowType::route;
    list.list4 = list.list6 = "vpn";
    list.values4 = {"wg1", "100"};
    list.values6 = {"fe80::1%wg1", "100"};
    list.tag = "ros_vpn";
    list.prefix = "oxi";
    list.max_ttl_s = 1800;
    return list;
}

ListConfig guarded() {
    auto list = route_config();
    list.connection_guard = true;
    return list;
}

// A router that has the routing table, two routes of others in it, and a default route.
struct RouteLab : Lab {
    explicit RouteLab(std::vector<ListConfig> lists = {route_config()},
                      rossim::Options options = fast())
        : Lab(std::move(options), router_config(std::move(lists))) {
        sim.put_record("/routing/table", {{"name", "vpn"}}, now_us);
        foreign("0.0.0.0/0", "192.0.2.1");
        foreign("198.51.100.9/32", "192.0.2.9");
        before = ids();
    }
    void foreign(const std::string& destination, const std::string& gateway) {
        sim.put_record("/ip/route",
                       {{"dst-address", destination},
                        {"routing-table", "vpn"},
                        {"gateway", gateway},
                        {"distance", "1"},
                        {"comment", "mine"}},
                       now_us);
    }
    [[nodiscard]] std::vector<rossim::RouteView> ours(Family family = Family::ipv4) const {
        std::vector<rossim::RouteView> out;
        for (auto& route : sim.routes(family, "vpn")) {
            if (route.comment.starts_with("oxi;")) out.push_back(route);
        }
        return out;
    }
    [[nodiscard]] bool has(std::string_view destination) const {
        const auto family = destination.find(':') == destination.npos ? Family::ipv4 : Family::ipv6;
        return std::ranges::any_of(ours(family),
                                   [&](const auto& r) { return r.destination == destination; });
    }
    // Of others: destination, gateway and comment.
    [[nodiscard]] std::vector<std::string> ids() const {
        std::vector<std::string> out;
        for (const auto& route : sim.routes(Family::ipv4)) {
            if (!route.comment.starts_with("oxi;"))
                out.push_back(route.table + route.destination + route.gateway + route.comment);
        }
        return out;
    }
    [[nodiscard]] bool others_are_untouched() const { return ids() == before; }
    void connect_to(std::string to, std::string mark = "", std::int64_t timeout_s = 86'400) {
        rossim::TrackedConnection connection;
        connection.src_address = "192.168.88.20:50123";
        connection.dst_address = to;
        connection.connection_mark = std::move(mark);
        connection.timeout_s = timeout_s;
        const auto family = to.starts_with('[') ? Family::ipv6 : Family::ipv4;
        sim.add_connection(family, connection, now_us);
    }
    [[nodiscard]] std::uint64_t asked(const std::string& command) const {
        const auto& commands = sim.report().commands;
        const auto found = commands.find(command);
        return found == commands.end() ? 0 : found->second;
    }
    std::vector<std::string> before;
};

BOOST_AUTO_TEST_SUITE(routes)

BOOST_AUTO_TEST_CASE(answers_become_routes_and_those_without_a_lease_go) {
    RouteLab lab;
    BOOST_REQUIRE(lab.sync());
    lab.claim(1, {"203.0.113.7", "2001:db8::7"}, 60, 120, 1);
    lab.run_for(2 * kSecond);
    BOOST_TEST((lab.outcomes[1] == Outcome::installed));
    BOOST_REQUIRE(lab.ours().size() == 1U);
    BOOST_TEST(lab.ours()[0].destination == "203.0.113.7/32");
    BOOST_TEST(lab.ours()[0].gateway == "wg1");
    BOOST_TEST(lab.ours()[0].comment == "oxi;pg=ros_vpn;kind=D;dm=www.stream.example");
    BOOST_REQUIRE(lab.ours(Family::ipv6).size() == 1U);
    BOOST_TEST(lab.ours(Family::ipv6)[0].gateway == "fe80::1%wg1");
    const auto now_s = static_cast<std::uint32_t>(lab.now_us / kSecond);
    BOOST_TEST(lab.installed_until(1, "203.0.113.7") >= now_s + 110);
    BOOST_TEST(lab.installed_until(1, "203.0.113.7") <= now_s + 125);
    // A renewal costs the router nothing.
    lab.run_for(60 * kSecond);
    const auto flash = lab.sim.flash_sectors();
    lab.claim(1, {"203.0.113.7"}, 60, 120, 2);
    BOOST_TEST((lab.outcomes[2] == Outcome::already_there));
    lab.run_for(123 * kSecond);
    BOOST_TEST(lab.has("203.0.113.7/32"));
    BOOST_TEST(!lab.has("2001:db8::7/128"));
    BOOST_TEST(lab.sim.flash_sectors() == flash + 1);
    lab.run_for(3 * kMinute);
    BOOST_TEST(lab.ours().empty());
    BOOST_TEST(lab.router->counters().rows_removed == 2U);
    BOOST_TEST(lab.router->counters().set_sentences == 0U);
    BOOST_TEST(lab.others_are_untouched());
}

BOOST_AUTO_TEST_CASE(alone_a_box_of_a_fleet_removes_no_route) {
    RouteLab lab;
    BOOST_REQUIRE(lab.sync());
    lab.router->set_role({Role::alone, "pop1", "a", 0}, lab.now_ms());
    lab.claim(1, {"203.0.113.7"}, 60, 120, 1);
    lab.run_for(5 * kMinute);
    BOOST_TEST(lab.has("203.0.113.7/32"));  // another box may have a lease
    lab.router->set_role({Role::writer, "pop1", "a", 1}, lab.now_ms());
    lab.run_for(2 * kSecond);
    lab.claim(1, {"203.0.113.8"}, 60, 120, 2);
    lab.run_for(5 * kMinute);
    BOOST_TEST(!lab.has("203.0.113.8/32"));  // the writer knows all leases of its term
    // Of a route from before its term it knows none, so that one stays as long as any lease may last.
    BOOST_TEST(lab.has("203.0.113.7/32"));
    lab.run_for(27 * kMinute);
    BOOST_TEST(!lab.has("203.0.113.7/32"));
    BOOST_TEST(lab.others_are_untouched());
}

// The claims of the other boxes may come later than the rows and the lease.
BOOST_AUTO_TEST_CASE(a_new_writer_removes_no_route_whose_claim_it_does_not_have_yet) {
    RouteLab lab;
    BOOST_REQUIRE(lab.sync());
    lab.claim(1, {"203.0.113.7"}, 60, 120);
    lab.run_for(2 * kSecond);
    BOOST_REQUIRE(lab.ours().size() == 1U);
    lab.restart();
    lab.router->set_role({Role::waiting, "pop1", "b", 0}, lab.now_ms());
    BOOST_REQUIRE(lab.sync());
    lab.router->set_role({Role::writer, "pop1", "b", 1}, lab.now_ms());
    lab.run_for(5 * kMinute);
    BOOST_TEST(lab.router->status().writes);
    BOOST_TEST(lab.has("203.0.113.7/32"));
    BOOST_TEST(lab.removes == 0U);
    lab.run_for(27 * kMinute);
    BOOST_TEST(lab.ours().empty());
}

BOOST_AUTO_TEST_CASE(routes_of_others_cover_and_are_never_written) {
    RouteLab lab;
    BOOST_REQUIRE(lab.sync());
    lab.claim(1, {"198.51.100.9"}, 60, 120, 1);
    lab.run_for(2 * kSecond);
    BOOST_TEST((lab.outcomes[1] == Outcome::already_there));
    lab.run_for(10 * kMinute);
    BOOST_TEST(lab.adds == 2U);  // those of others
    BOOST_TEST(lab.removes == 0U);
    BOOST_TEST(lab.others_are_untouched());
}

BOOST_AUTO_TEST_CASE(a_restarted_daemon_adopts_its_routes_and_removes_unused_ones) {
    RouteLab lab;
    BOOST_REQUIRE(lab.sync());
    lab.claim(1, {"203.0.113.7", "203.0.113.8"}, 60, 120);
    lab.run_for(2 * kSecond);
    const auto routes = lab.ours();
    BOOST_REQUIRE(routes.size() == 2U);
    lab.restart();
    BOOST_REQUIRE(lab.sync());
    BOOST_TEST(lab.router->counters().rows_adopted == 2U);
    // Their leases are unknown, so they stay as long as any lease may last.
    lab.run_for(29 * kMinute);
    lab.claim(1, {"203.0.113.7"}, 300, 600, 1);
    lab.run_for(kSecond);
    BOOST_TEST((lab.outcomes[1] == Outcome::already_there));
    BOOST_TEST(lab.ours().size() == 2U);
    lab.run_for(4 * kMinute);
    BOOST_REQUIRE(lab.ours().size() == 1U);
    BOOST_TEST(lab.ours()[0].id == routes[0].id);
    lab.run_for(20 * kMinute);
    BOOST_TEST(lab.ours().empty());
    BOOST_TEST(lab.router->counters().rows_added == 0U);
    BOOST_TEST(lab.others_are_untouched());
}

BOOST_AUTO_TEST_CASE(a_route_whose_lease_ended_while_the_router_was_away_goes) {
    RouteLab lab;
    BOOST_REQUIRE(lab.sync());
    lab.claim(1, {"203.0.113.7"}, 60, 120);
    lab.run_for(2 * kSecond);
    lab.sim.reboot(5 * kMinute, lab.now_us);
    lab.run_for(4 * kMinute);
    BOOST_TEST(lab.has("203.0.113.7/32"));
    // Its ids are new: the route is judged as after a restart.
    lab.run_for(35 * kMinute);
    BOOST_TEST(lab.ours().empty());
    BOOST_TEST(lab.others_are_untouched());
}

BOOST_AUTO_TEST_CASE(routes_survive_a_reboot_of_the_router_and_are_not_written_again) {
    RouteLab lab;
    BOOST_REQUIRE(lab.sync());
    lab.claim(1, {"203.0.113.7"}, 1200, 1800);
    lab.run_for(2 * kSecond);
    lab.sim.reboot(20 * kSecond, lab.now_us);
    lab.run_for(kMinute);
    BOOST_TEST((lab.router->status().state == RouterState::in_sync));
    BOOST_TEST(lab.ours().size() == 1U);
    BOOST_TEST(lab.router->counters().rows_added == 1U);
    lab.claim(1, {"203.0.113.7"}, 1200, 1800, 1);
    lab.run_for(kSecond);
    BOOST_TEST((lab.outcomes[1] == Outcome::already_there));
}

BOOST_AUTO_TEST_CASE(the_guard_keeps_a_route_until_its_last_connection_has_ended) {
    for (const bool apart : {false, true}) {
        auto options = fast();
        options.connection_ports_apart = apart;
        RouteLab lab{{guarded()}, options};
        BOOST_REQUIRE(lab.sync());
        lab.claim(1, {"203.0.113.7", "203.0.113.8", "2001:db8::7", "2001:db8::8"}, 60, 120);
        lab.run_for(2 * kSecond);
        lab.connect_to("203.0.113.7:443", "vpn", 600);
        lab.connect_to("[2001:db8::7]:443", "", 600);
        lab.run_for(5 * kMinute);
        BOOST_TEST(lab.has("203.0.113.7/32"));
        BOOST_TEST(lab.has("2001:db8::7/128"));
        BOOST_TEST(!lab.has("203.0.113.8/32"));
        BOOST_TEST(!lab.has("2001:db8::8/128"));
        BOOST_TEST(lab.router->status().routes_kept == 2U);
        BOOST_TEST(lab.router->counters().removals_deferred >= 4U);
        lab.run_for(7 * kMinute);
        BOOST_TEST(lab.ours().empty());
        BOOST_TEST(lab.ours(Family::ipv6).empty());
        BOOST_TEST(lab.router->status().routes_kept == 0U);
        BOOST_TEST(lab.sim.connections(Family::ipv4).empty());
        BOOST_TEST(lab.router->counters().connections_cut == 0U);
        const auto prints = lab.router->counters().connection_prints;
        lab.run_for(10 * kMinute);
        BOOST_TEST(lab.router->counters().connection_prints == prints);
    }
}

BOOST_AUTO_TEST_CASE(a_guarded_route_that_is_claimed_again_stays_ours) {
    RouteLab lab{{guarded()}};
    BOOST_REQUIRE(lab.sync());
    lab.claim(1, {"203.0.113.7"}, 60, 120);
    lab.connect_to("203.0.113.7:443", "", 400);
    lab.run_for(5 * kMinute);
    lab.claim(1, {"203.0.113.7"}, 600, 1200, 1);
    lab.run_for(kSecond);
    BOOST_TEST((lab.outcomes[1] == Outcome::already_there));
    lab.run_for(10 * kMinute);
    BOOST_TEST(lab.has("203.0.113.7/32"));
    BOOST_TEST(lab.removes == 0U);
}

BOOST_AUTO_TEST_CASE(a_guarded_route_stays_if_connections_cannot_be_read) {
    RouteLab lab{{guarded()}};
    lab.sim.inject({.command = "firewall/connection/print$",
                    .times = 0,
                    .message = "not enough permissions (9)"});
    BOOST_REQUIRE(lab.sync());
    lab.claim(1, {"203.0.113.7"}, 60, 120);
    lab.run_for(10 * kMinute);
    BOOST_TEST(lab.has("203.0.113.7/32"));
    BOOST_TEST(lab.logged("/firewall/connection") == 1U);
    BOOST_TEST(lab.asked("/ip/firewall/connection/print") == 1U);
}

BOOST_AUTO_TEST_CASE(cleanup_withdraws_all_own_routes_in_bulk) {
    RouteLab lab{{guarded()}};
    BOOST_REQUIRE(lab.sync());
    for (unsigned i = 0; i < 300; ++i)
        lab.claim(1, {nth(i)}, 600, 1200);
    lab.run_for(30 * kSecond);
    BOOST_REQUIRE(lab.ours().size() == 300U);
    lab.connect_to(nth(7) + ":443");
    lab.restart();  // what an earlier process wrote goes, too
    BOOST_REQUIRE(lab.sync());
    const auto sentences = lab.asked("/ip/route/remove");
    lab.router->cleanup(lab.now_ms());
    BOOST_TEST(lab.run_until(lab.now_us + 5 * kSecond, [&] { return lab.router->cleaned(); }));
    BOOST_TEST(lab.ours().empty());
    BOOST_TEST(lab.asked("/ip/route/remove") - sentences <= 15U);
    BOOST_TEST(lab.others_are_untouched());
}

BOOST_AUTO_TEST_CASE(an_unreachable_gateway_is_logged_once_and_delays_no_answer) {
    RouteLab lab;
    BOOST_REQUIRE(lab.sync());
    lab.sim.set_gateway("wg1", false, lab.now_us);
    lab.claim(1, {"203.0.113.7"}, 600, 1200, 1);
    lab.run_for(10 * kSecond);
    BOOST_TEST((lab.outcomes[1] == Outcome::installed));
    BOOST_TEST(lab.router->status().routes_inactive == 1U);
    BOOST_TEST(lab.logged("1 route is inactive") == 1U);
    lab.claim(1, {"203.0.113.8"}, 600, 1200);
    lab.run_for(kMinute);
    BOOST_TEST(lab.logged("inactive") == 1U);
    lab.sim.set_gateway("wg1", true, lab.now_us);
    lab.run_for(10 * kSecond);
    BOOST_TEST(lab.router->status().routes_inactive == 0U);
    BOOST_TEST(lab.logged("its routes are active again") == 1U);
    BOOST_TEST(lab.router->counters().rows_added == 2U);
}

// A second route at a place is no duplicate: a disabled one of others is not in conflict.
BOOST_AUTO_TEST_CASE(a_disabled_route_is_no_route) {
    RouteLab lab;
    BOOST_REQUIRE(lab.sync());
    lab.claim(1, {"203.0.113.7"}, 600, 1200);
    lab.run_for(5 * kSecond);
    BOOST_REQUIRE(lab.ours().size() == 1U);
    lab.sim.put_record("/ip/route",
                       {{"dst-address", "203.0.113.8/32"},
                        {"routing-table", "vpn"},
                        {"gateway", "192.0.2.9"},
                        {"distance", "1"},
                        {"disabled", "true"},
                        {"comment", "mine"}},
                       lab.now_us);
    lab.run_for(5 * kSecond);
    lab.claim(1, {"203.0.113.8"}, 600, 1200, 1);
    lab.run_for(5 * kSecond);
    BOOST_TEST((lab.outcomes[1] == Outcome::installed));
    BOOST_TEST(lab.ours().size() == 2U);
    BOOST_TEST(lab.router->status().rows_blocked == 0U);
}

BOOST_AUTO_TEST_CASE(another_gateway_is_set_without_removing_a_route) {
    RouteLab lab;
    BOOST_REQUIRE(lab.sync());
    lab.claim(1, {"203.0.113.7", "203.0.113.8"}, 1200, 1800);
    lab.run_for(2 * kSecond);
    auto config = router_config({route_config()});
    config.lists[0].values4 = {"192.0.2.77", "7"};
    config.lists[0].values6.back() = "7";
    lab.router->configure(config, lab.now_ms());
    lab.run_for(10 * kSecond);
    for (const auto& route : lab.ours())
        BOOST_TEST(route.gateway == "192.0.2.77");
    BOOST_TEST(lab.removes == 0U);
    BOOST_TEST(lab.router->counters().set_sentences == 1U);
    // By hand: put right again, and that is all.
    lab.sim.put_record("/ip/route", {{".id", "*3"}, {"gateway", "192.0.2.78"}}, lab.now_us);
    lab.run_for(10 * kSecond);
    for (const auto& route : lab.ours())
        BOOST_TEST(route.gateway == "192.0.2.77");
    BOOST_TEST(lab.router->counters().set_sentences == 2U);
    BOOST_TEST(lab.others_are_untouched());
}

BOOST_AUTO_TEST_CASE(a_gateway_changed_by_hand_stays_if_that_is_respected) {
    auto list = route_config();
    list.respect_manual_changes = true;
    RouteLab lab{{list}};
    BOOST_REQUIRE(lab.sync());
    lab.claim(1, {"203.0.113.7"}, 1200, 1800);
    lab.run_for(kMinute);
    lab.sim.put_record("/ip/route", {{".id", "*3"}, {"gateway", "192.0.2.78"}}, lab.now_us);
    lab.run_for(kMinute);
    BOOST_TEST(lab.ours()[0].gateway == "192.0.2.78");
    BOOST_TEST(lab.logged("another gateway or distance") == 1U);
}

BOOST_AUTO_TEST_CASE(of_two_own_routes_to_an_address_one_goes) {
    RouteLab lab;
    BOOST_REQUIRE(lab.sync());
    lab.claim(1, {"203.0.113.7"}, 1200, 1800);
    lab.run_for(2 * kSecond);
    lab.sim.put_record("/ip/route",
                       {{"dst-address", "203.0.113.7/32"},
                        {"routing-table", "vpn"},
                        {"gateway", "wg1"},
                        {"distance", "100"},
                        {"comment", "oxi;pg=ros_vpn;kind=D;dm=x"}},
                       lab.now_us);
    lab.run_for(kMinute);
    BOOST_REQUIRE(lab.ours().size() == 1U);
    BOOST_TEST(lab.ours()[0].comment == "oxi;pg=ros_vpn;kind=D;dm=www.stream.example");
}

BOOST_AUTO_TEST_CASE(a_missing_routing_table_is_named_and_used_once_it_is_there) {
    auto list = route_config();
    list.list4 = list.list6 = "elsewhere";
    RouteLab lab{{list}};
    BOOST_REQUIRE(lab.sync());
    lab.claim(1, {"203.0.113.7"}, 1200, 1800, 1);
    lab.run_for(kMinute);
    BOOST_TEST((lab.outcomes[1] == Outcome::failed));
    BOOST_TEST(lab.logged("in routing table elsewhere): input does not match any value of "
                          "routing-table") == 1U);
    BOOST_TEST(lab.logged("/routing/table/add fib name=elsewhere") == 1U);
    lab.sim.put_record("/routing/table", {{"name", "elsewhere"}}, lab.now_us);
    lab.run_for(kMinute);
    BOOST_TEST(lab.sim.routes(Family::ipv4, "elsewhere").size() == 1U);
}

BOOST_AUTO_TEST_CASE(routes_need_routeros_7_and_lists_go_on_without_them) {
    auto options = fast();
    options.version = {6, 49, 0};
    auto entries = list_config(2);
    Lab lab{options, router_config({route_config(), entries})};
    BOOST_REQUIRE(lab.sync());
    lab.claim(1, {"203.0.113.7"}, 600, 1200, 1);
    lab.claim(2, {"203.0.113.7"}, 600, 1200, 2);
    lab.run_for(kMinute);
    BOOST_TEST((lab.outcomes[1] == Outcome::failed));
    BOOST_TEST((lab.outcomes[2] == Outcome::installed));
    BOOST_TEST(lab.logged("no routes are written, because they need RouterOS 7") == 1U);
    lab.sim.reboot(5 * kSecond, lab.now_us);
    lab.run_for(kMinute);
    BOOST_TEST(lab.logged("no routes are written") == 1U);
}

BOOST_AUTO_TEST_CASE(prefixes_are_routes_that_cover_the_addresses_below_them) {
    auto list = guarded();
    list.persistent = {*Address::parse("203.0.113.0/24"), *Address::parse("192.0.2.200")};
    RouteLab lab{{list}};
    BOOST_REQUIRE(lab.sync());
    lab.run_for(2 * kSecond);
    BOOST_TEST(lab.has("203.0.113.0/24"));
    BOOST_TEST(lab.has("192.0.2.200/32"));
    lab.claim(1, {"203.0.113.7"}, 1200, 1800, 1);
    lab.run_for(kSecond);
    BOOST_TEST((lab.outcomes[1] == Outcome::already_there));
    BOOST_TEST(!lab.has("203.0.113.7/32"));
    lab.connect_to("203.0.113.99:443", "", 300);
    lab.router->configure(router_config({guarded()}), lab.now_ms());
    lab.run_for(2 * kMinute);
    BOOST_TEST(lab.has("203.0.113.7/32"));
    BOOST_TEST(lab.has("203.0.113.0/24"));  // a connection is below it
    BOOST_TEST(!lab.has("192.0.2.200/32"));
    lab.run_for(5 * kMinute);
    BOOST_TEST(!lab.has("203.0.113.0/24"));
    BOOST_TEST(lab.has("203.0.113.7/32"));
    BOOST_TEST(lab.others_are_untouched());
}

BOOST_AUTO_TEST_CASE(lists_and_routes_of_one_router_do_not_meet) {
    auto entries = list_config(2);
    entries.list4 = entries.list6 = "vpn";  // as the routing table
    RouteLab lab{{route_config(), entries}};
    BOOST_REQUIRE(lab.sync());
    lab.claim(1, {"203.0.113.7"}, 60, 120, 1);
    lab.claim(2, {"203.0.113.7"}, 600, 1200, 2);
    lab.run_for(2 * kSecond);
    BOOST_TEST(lab.has("203.0.113.7/32"));
    BOOST_TEST(lab.row("vpn", "203.0.113.7").has_value());
    lab.sim.remove_row(Family::ipv4, "vpn", "203.0.113.7", lab.now_us);
    lab.run_for(2 * kSecond);
    BOOST_TEST(lab.row("vpn", "203.0.113.7").has_value());
    BOOST_TEST(lab.ours().size() == 1U);
    lab.run_for(5 * kMinute);
    BOOST_TEST(lab.ours().empty());
    BOOST_TEST(lab.row("vpn", "203.0.113.7").has_value());
}

BOOST_AUTO_TEST_CASE(many_routes_are_written_by_scripts_and_removed_together) {
    RouteLab lab;
    BOOST_REQUIRE(lab.sync());
    for (unsigned i = 0; i < 400; ++i)
        lab.claim(1, {nth(i)}, 60, 120);
    lab.run_for(30 * kSecond);
    BOOST_TEST(lab.ours().size() == 400U);
    BOOST_TEST(lab.router->counters().scripts > 0U);
    lab.run_for(5 * kMinute);
    BOOST_TEST(lab.ours().empty());
    BOOST_TEST(lab.asked("/ip/route/remove") < 60U);
    BOOST_TEST(lab.others_are_untouched());
}

BOOST_AUTO_TEST_CASE(a_router_without_room_for_more_routes_is_asked_again) {
    RouteLab lab;
    lab.sim.set_max_routes(3);
    BOOST_REQUIRE(lab.sync());
    lab.claim(1, {"203.0.113.7", "203.0.113.8"}, 600, 1200);
    lab.run_for(10 * kSecond);
    BOOST_TEST(lab.ours().size() == 1U);
    BOOST_TEST(lab.logged("out of memory") == 1U);
    lab.sim.set_max_routes(std::nullopt);
    lab.run_for(kMinute);
    BOOST_TEST(lab.ours().size() == 2U);
}

BOOST_AUTO_TEST_SUITE_END()

}  // namespace
}  // namespace steer::routeros::test
