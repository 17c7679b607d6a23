// One connection, judged by what the router says about it.
#include "control/operator/doctor/probe.h"

#include <boost/test/unit_test.hpp>

using namespace steer;
using namespace steer::doctor;

namespace {

using Values = routeros::Properties;

IpAddress ip(std::string_view text) {
    return *IpAddress::parse(text);
}

RouterFacts facts() {
    RouterFacts router;
    const auto add = [&](const char* menu, std::vector<Values> rows) {
        Table& table = router.tables[menu];
        for (Values& values : rows)
            table.rows.emplace_back(std::move(values));
    };
    add("/ip/address", {{{"address", "192.168.88.1/24"}, {"interface", "bridge"}},
                        {{"address", "10.9.0.2/30"}, {"interface", "wg0"}},
                        {{"address", "100.64.1.2/30"}, {"interface", "ether1"}}});
    add("/interface/list/member", {{{"list", "LAN"}, {"interface", "bridge"}}});
    add("/ip/route",
        {{{"dst-address", "0.0.0.0/0"}, {"gateway", "100.64.1.1"}, {"routing-table", "main"}},
         {{"dst-address", "0.0.0.0/0"},
          {"gateway", "10.9.0.1"},
          {"routing-table", "steerdns-media"}}});
    add("/ip/firewall/mangle", {{{".id", "*1"},
                                 {"chain", "prerouting"},
                                 {"in-interface-list", "LAN"},
                                 {"dst-address-list", "media_v4"},
                                 {"action", "mark-connection"},
                                 {"new-connection-mark", "steerdns-media"}},
                                {{".id", "*2"},
                                 {"chain", "prerouting"},
                                 {"connection-mark", "steerdns-media"},
                                 {"action", "mark-routing"},
                                 {"new-routing-mark", "steerdns-media"}}});
    return router;
}

Expected expected() {
    Expected out;
    out.plan.egresses = {{"media", {"media_v4"}, {"media_v6"}}};
    return out;
}

Probed good() {
    Probed probed;
    probed.name = "stream.example";
    probed.address = ip("203.0.113.7");
    probed.source = ip("192.168.88.10");
    probed.port = 443;
    probed.list = "media_v4";
    probed.tracked = Tracked{"steerdns-media", ip("10.9.0.2")};
    probed.before = {{{"wg0", 5}, {"ether1", 9}}, {{"*1", 1}, {"*2", 3}}, {}};
    probed.after = {{{"wg0", 7}, {"ether1", 9}}, {{"*1", 2}, {"*2", 5}}, {}};
    return probed;
}

// "probe-mark | row ok, segment ok, ..."
std::string judged(const Probed& probed, const RouterFacts& router = facts()) {
    Findings findings;
    Steps steps;
    judge_probe(router, expected(), probed, findings, steps);
    std::string all;
    for (const Finding& finding : findings)
        all += finding.check + " ";
    all += "|";
    for (const Step& step : steps)
        all +=
            " " + step.name.substr(0, step.name.find('-')) + "=" + std::string(text_of(step.end));
    return all;
}

}  // namespace

BOOST_AUTO_TEST_SUITE(probe)

BOOST_AUTO_TEST_CASE(a_connection_in_order_has_no_finding) {
    BOOST_TEST(judged(good()) == "| row=ok segment=ok connection=ok mark=ok egress=ok");
    Probed closed = good();  // the router has done its part
    closed.failure = "Connection refused";
    BOOST_TEST(judged(closed) == "| row=ok segment=ok connection=ok mark=ok egress=ok");
}

BOOST_AUTO_TEST_CASE(the_first_thing_that_is_wrong_is_named_alone) {
    Probed probed = good();
    probed.list.reset();
    BOOST_TEST(judged(probed) ==
               "probe-row | row=failed segment=ok connection=ok mark=unknown egress=unknown");
    probed = good();
    probed.tracked.reset();
    BOOST_TEST(
        judged(probed) ==
        "probe-connection | row=ok segment=ok connection=failed mark=unknown egress=unknown");
    probed = good();
    probed.tracked->mark.clear();
    BOOST_TEST(judged(probed) ==
               "probe-mark | row=ok segment=ok connection=ok mark=failed egress=unknown");
    probed.tracked->mark = "other";
    BOOST_TEST(judged(probed) ==
               "probe-mark | row=ok segment=ok connection=ok mark=failed egress=unknown");
    probed = good();
    probed.tracked->answered = ip("100.64.1.2");
    BOOST_TEST(judged(probed) ==
               "probe-egress | row=ok segment=ok connection=ok mark=ok egress=failed");
}

BOOST_AUTO_TEST_CASE(a_route_needs_no_mark_and_has_its_own_egress) {
    Probed probed = good();
    probed.list.reset();
    probed.route = Row(Values{
        {"dst-address", "203.0.113.7/32"}, {"gateway", "10.9.0.1"}, {"routing-table", "vpn"}});
    probed.tracked->mark.clear();
    BOOST_TEST(judged(probed) == "| row=ok segment=ok connection=ok mark=ok egress=ok");
    probed.tracked->answered = ip("100.64.1.2");
    BOOST_TEST(judged(probed) ==
               "probe-egress | row=ok segment=ok connection=ok mark=ok egress=failed");
    probed.tracked->answered.reset();
    BOOST_TEST(judged(probed) == "| row=ok segment=ok connection=ok mark=ok egress=ok");
    probed.after.sent["wg0"] = 5;  // as before
    BOOST_TEST(judged(probed) ==
               "probe-egress | row=ok segment=ok connection=ok mark=ok egress=failed");
    probed.route = Row(Values{{"dst-address", "203.0.113.7"},
                              {"gateway", "10.9.0.1"},
                              {"routing-table", "vpn"},
                              {"inactive", "true"}});
    BOOST_TEST(judged(probed) ==
               "probe-route | row=failed segment=ok connection=ok mark=unknown egress=unknown");
}

BOOST_AUTO_TEST_CASE(without_nat_the_counters_tell_the_egress) {
    Probed probed = good();
    probed.tracked->answered = probed.source;
    BOOST_TEST(judged(probed) == "| row=ok segment=ok connection=ok mark=ok egress=ok");
    probed.after.sent["wg0"] = 5;  // as before
    BOOST_TEST(judged(probed) ==
               "probe-egress | row=ok segment=ok connection=ok mark=ok egress=failed");
    probed = good();
    probed.tracked->answered.reset();
    probed.after.matched["*2"] = 3;
    BOOST_TEST(judged(probed) ==
               "probe-egress | row=ok segment=ok connection=ok mark=ok egress=failed");
    probed.after.error = "not enough permissions (9)";
    BOOST_TEST(judged(probed) ==
               "probe-rights | row=ok segment=ok connection=ok mark=ok egress=unknown");
}

BOOST_AUTO_TEST_CASE(nothing_is_concluded_from_what_cannot_be_seen) {
    Probed probed = good();
    probed.tracking_error = "not enough permissions (9)";
    probed.tracked.reset();
    BOOST_TEST(judged(probed) ==
               "probe-rights | row=ok segment=ok connection=unknown mark=unknown egress=unknown");
    probed = good();
    probed.source = ip("172.16.9.9");
    BOOST_TEST(judged(probed) ==
               "probe-segment | row=ok segment=unknown connection=ok mark=unknown egress=unknown");
    RouterFacts router = facts();
    router.tables["/interface/list/member"].rows.clear();
    BOOST_TEST(judged(good(), router) ==
               "probe-segment | row=ok segment=unknown connection=ok mark=unknown egress=unknown");
    router = facts();
    router.tables["/ip/route"].rows.clear();
    BOOST_TEST(judged(good(), router) ==
               "| row=ok segment=ok connection=ok mark=ok egress=unknown");
}

BOOST_AUTO_TEST_CASE(the_ways_of_rules_are_read) {
    const RouterFacts router = facts();
    const EgressPath path = egress_path(router, expected(), routeros::Menu::ip, "media_v4");
    BOOST_TEST(path.egress == "media");
    BOOST_TEST(path.mark == "steerdns-media");
    BOOST_TEST(path.interface == "wg0");
    BOOST_TEST(egress_path(router, expected(), routeros::Menu::ipv6, "media_v6").interface == "");
    const auto rule = [](Values values) { return Row(std::move(values)); };
    BOOST_TEST(admits(router, rule({{"in-interface-list", "LAN"}}), "bridge"));
    BOOST_TEST(!admits(router, rule({{"in-interface-list", "LAN"}}), "ether1"));
    BOOST_TEST(admits(router, rule({{"in-interface-list", "!LAN"}}), "ether1"));
    BOOST_TEST(admits(router, rule({{"in-interface-list", "all"}}), "ether1"));
    BOOST_TEST(!admits(router, rule({{"in-interface", "!bridge"}}), "bridge"));
    BOOST_TEST(admits(router, rule({}), "ether1"));
}

BOOST_AUTO_TEST_CASE(connections_are_found_in_each_form_that_routers_print) {
    Probed v4 = good(), v6 = good();
    v6.address = ip("2001:db8::7");
    v6.source = ip("2001:db8:88::10");
    const auto found = [](const Probed& probed, Values values) {
        return read_tracked(Row(std::move(values)), probed, 40'000).has_value();
    };
    BOOST_TEST(
        found(v4, {{"src-address", "192.168.88.10:40000"}, {"dst-address", "203.0.113.7:443"}}));
    BOOST_TEST(found(v4, {{"src-address", "192.168.88.10"},
                          {"src-port", "40000"},
                          {"dst-address", "203.0.113.7"},
                          {"dst-port", "443"}}));
    BOOST_TEST(
        !found(v4, {{"src-address", "192.168.88.10:40001"}, {"dst-address", "203.0.113.7:443"}}));
    BOOST_TEST(!found(v4, {{"src-address", "192.168.88.10"}, {"dst-address", "203.0.113.7"}}));
    BOOST_TEST(found(
        v6, {{"src-address", "[2001:db8:88::10]:40000"}, {"dst-address", "[2001:db8::7]:443"}}));
    BOOST_TEST(found(v6, {{"src-address", "2001:db8:88::10"},
                          {"src-port", "40000"},
                          {"dst-address", "2001:db8::7"},
                          {"dst-port", "443"}}));
    const auto tracked = read_tracked(Row({{"src-address", "192.168.88.10:40000"},
                                           {"dst-address", "203.0.113.7:443"},
                                           {"reply-dst-address", "10.9.0.2:40000"},
                                           {"connection-mark", "no-mark"}}),
                                      v4, 40'000);
    BOOST_REQUIRE(tracked.has_value());
    BOOST_TEST(tracked->mark == "");
    BOOST_TEST(tracked->answered->to_string() == "10.9.0.2");
    for (const char* text : {"", "[", "[]", "[2001:db8::1", "1.2.3.4:", ":", "[::]:99999999"})
        BOOST_TEST(read_end(text).port == 0);
}

BOOST_AUTO_TEST_SUITE_END()
