// RouterOS commands for a configuration's routers (control/operator/setup/routeros_setup.h).
#define BOOST_TEST_MODULE setup
#include "control/operator/setup/routeros_setup.h"

#include <algorithm>
#include <boost/test/data/test_case.hpp>
#include <boost/test/unit_test.hpp>
#include <fstream>
#include <regex>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "control/config/load.h"
#include "control/operator/setup/router_plan.h"
#include "control/operator/setup/steps.h"

namespace steer::setup {
namespace {

const std::string kRoot = STEER_SOURCE_ROOT;

std::string content_of(const std::string& path) {
    std::ifstream in(path, std::ios::binary);
    BOOST_REQUIRE_MESSAGE(in, path);
    std::ostringstream out;
    out << in.rdbuf();
    return out.str();
}

config::Settings settings_of(const std::string& text, const std::string& name = "text.yaml") {
    auto loaded = config::load_text(text, name);
    for (const Error& e : loaded.errors)
        BOOST_ERROR(e.sentence());
    BOOST_REQUIRE(loaded.ok());
    return std::move(loaded.settings);
}

// One list a plugin, each with the settings that stand in `lists`, and a sequence that asks them all.
std::string config_with(const std::vector<std::string>& lists, const std::string& above = "") {
    std::string plugins, rules;
    for (std::size_t i = 0; i < lists.size(); ++i) {
        const std::string tag = "list" + std::to_string(i);
        plugins += "  - { tag: " + tag + ", type: ros_address_list, args: { " + lists[i] + " } }\n";
        rules += "      - exec: $" + tag + "\n";
    }
    return above + "plugins:\n" + plugins + "  - tag: main\n    type: sequence\n    args:\n" +
           rules + "      - exec: forward 192.0.2.1\n";
}
const std::string kAccess = "address: 172.16.1.1, username: steer, password: top-secret, ";

Plan plan_with(const std::vector<std::string>& lists, const std::string& above = "") {
    return plan_routers(settings_of(config_with(lists, above)));
}
std::string text_with(const std::vector<std::string>& lists, const std::string& above = "") {
    return routeros_setup(settings_of(config_with(lists, above))).value();
}

std::vector<std::string> matches(const std::string& text, const std::string& pattern) {
    const std::regex regex(pattern);
    std::vector<std::string> out;
    for (std::sregex_iterator at(text.begin(), text.end(), regex), end; at != end; ++at)
        out.push_back((*at)[1]);
    return out;
}
std::size_t count(const std::string& text, const std::string& part) {
    std::size_t n = 0;
    for (auto at = text.find(part); at != std::string::npos; at = text.find(part, at + 1))
        ++n;
    return n;
}

// ---- whole texts

// tests/unit/setup/NAME.rsc is what `steerdnsd --routeros-setup configs/NAME.yaml` prints; NAME.ros6: with --routeros-6.
// failover-X.rsc: of configs/minimal.yaml with --failover.
void check_text(const std::string& name, RouterOs version = RouterOs::v7,
                const Failover& failover = {}, const std::string& folder = "configs/") {
    const bool is_plain = !failover.netwatch && !failover.second;
    const std::string path = folder + (is_plain ? name : "minimal") + ".yaml";
    std::istringstream printed(
        routeros_setup(settings_of(content_of(kRoot + "/" + path), path), {}, version, failover)
            .value());
    std::istringstream expected(content_of(kRoot + "/tests/unit/setup/" + name +
                                           (version == RouterOs::v7 ? ".rsc" : ".ros6")));
    std::string is, wanted;
    for (int line = 1; std::getline(expected, wanted); ++line) {
        BOOST_REQUIRE_MESSAGE(std::getline(printed, is),
                              name << ".rsc:" << line << ": missing: " << wanted);
        BOOST_REQUIRE_MESSAGE(is == wanted,
                              name << ".rsc:" << line << ": is " << is << "\nnot " << wanted);
    }
    BOOST_TEST(!std::getline(printed, is), name << ".rsc has no " << is);
}

BOOST_AUTO_TEST_CASE(the_commands_for_one_router_are_as_expected) {
    check_text("minimal");
}
BOOST_AUTO_TEST_CASE(the_commands_for_two_egresses_are_as_expected) {
    check_text("multi_egress");
}

BOOST_AUTO_TEST_CASE(the_commands_for_routes_beside_a_list_are_as_expected) {
    check_text("routes", RouterOs::v7, {}, "tests/unit/setup/");
    const auto settings =
        settings_of(content_of(kRoot + "/tests/unit/setup/routes.yaml"), "routes.yaml");
    const auto text = routeros_setup(settings, {}, RouterOs::v6).value();
    BOOST_TEST(count(text, "# ros_route needs RouterOS 7") == 1U);
    BOOST_TEST(count(text, "/routing") == 0U);
}

BOOST_AUTO_TEST_CASE(the_commands_for_an_ipv6_mostly_network_are_as_expected) {
    check_text("ipv6-mostly");
}
BOOST_AUTO_TEST_CASE(the_commands_for_failover_are_as_expected) {
    check_text("failover-netwatch", RouterOs::v7, Failover::parse("netwatch").value());
    check_text("failover-netwatch", RouterOs::v6, Failover::parse("netwatch").value());
    check_text("failover-second", RouterOs::v7, Failover::parse("192.0.2.53").value());
}
BOOST_AUTO_TEST_CASE(a_wrong_failover_is_refused) {
    for (const char* const text : {"", "netwach", "192.0.2.300", "127.0.0.1", "second-server"})
        BOOST_TEST(!Failover::parse(text), text);
    const auto refused = routeros_setup(
        settings_of(
            config_with({kAccess + "address_list4: a_v4"},
                        "dataplane: { ports: [ { device: lan0, addresses: [172.16.1.2] } ] }\n")),
        {}, RouterOs::v7, Failover::parse("172.16.1.2").value());
    BOOST_REQUIRE(refused.has_error());
    BOOST_TEST(refused.error().sentence() ==
               "text.yaml: --failover 172.16.1.2 is the address of this steerdnsd; name another "
               "server");
}
// Nothing that the operator must leave out: no routing tables, no IPv6 by mark, no PREF64.
BOOST_AUTO_TEST_CASE(the_commands_for_routeros_6_are_as_expected) {
    check_text("minimal", RouterOs::v6);
    const std::string path = "configs/minimal.yaml";
    const auto text =
        routeros_setup(settings_of(content_of(kRoot + "/" + path), path), {}, RouterOs::v6).value();
    for (const char* later : {"/routing table", "routing-table", "/ipv6"})
        BOOST_TEST(count(text, later) == 0U, later);
    const std::string mostly = "configs/ipv6-mostly.yaml";
    const auto refused =
        routeros_setup(settings_of(content_of(kRoot + "/" + mostly), mostly), {}, RouterOs::v6);
    BOOST_TEST(
        refused.error().sentence() ==
        "configs/ipv6-mostly.yaml: RouterOS 6 cannot announce a NAT64 prefix (PREF64): update "
        "the router to RouterOS 7");
}

BOOST_AUTO_TEST_CASE(without_a_router_the_setup_is_refused) {
    const auto nothing = routeros_setup(settings_of(
        "routers: { a: { address: 192.0.2.9, username: u, password: p } }\nplugins:\n  - { tag: m, "
        "type: sequence, args: [ { exec: forward 192.0.2.1 } ] }\n"));
    BOOST_REQUIRE(nothing.has_error());
    BOOST_TEST(nothing.error().sentence() ==
               "text.yaml: no router to set up: the configuration has no ros_address_list, no "
               "ros_route, no ros_list, no dhcp_leases and no dns64; add one");
}

// ---- what is done is undone

const std::vector<std::vector<std::string>> kSeveral{
    {kAccess + "address_list4: a_v4, address_list6: a_v6"},
    {kAccess + "address_list4: a_v4"},
    {kAccess + "address_list6: a_v6"},
    {kAccess + "tls: true, address_list4: a_v4", kAccess + "address_list6: other"},
    {kAccess + "address_list4: a",
     "address: 172.16.1.1, username: two, password: x, address_list4: b"},
};

BOOST_DATA_TEST_CASE(every_step_is_undone_in_reverse,
                     boost::unit_test::data::xrange(kSeveral.size()), which) {
    const Plan plan = plan_with(kSeveral[which]);
    BOOST_REQUIRE(plan.routers.size() == 1U);
    const std::vector<Step> steps = steps_for(plan.routers[0]);
    const std::string text = text_with(kSeveral[which]);
    std::size_t at = text.find(": undo\n");
    BOOST_REQUIRE(at != std::string::npos);
    for (auto step = steps.rbegin(); step != steps.rend(); ++step) {
        at = text.find(step->undoes, at);
        BOOST_REQUIRE_MESSAGE(at != std::string::npos, step->what);
        at += step->undoes.size();
    }
}

// "MENU PROPERTY..." of everything that is set in rows that are there.
std::set<std::string> changes(const std::string& commands) {
    std::set<std::string> out;
    std::istringstream lines(std::regex_replace(commands, std::regex(R"("[^"]*")"), "TEXT"));
    for (std::string line; std::getline(lines, line);) {
        const auto menu = matches(line, "^ *(/[a-z0-9 -]+) set ");
        if (menu.empty()) continue;
        for (const std::string& property : matches(line, " !?([a-z-]+)(?==| comment=)"))
            out.insert(menu[0] + " " + property);
    }
    return out;
}

// What is added is removed, and found for both by one condition that no other step has; what is set is set back.
BOOST_DATA_TEST_CASE(every_object_is_found_again, boost::unit_test::data::xrange(kSeveral.size()),
                     which) {
    std::set<std::string> conditions;
    for (const Step& step : steps_for(plan_with(kSeveral[which]).routers[0])) {
        BOOST_TEST_CONTEXT(step.what) {
            const auto added = matches(step.does, "(/[a-z0-9 -]+) add ");
            const auto removed = matches(step.undoes, "(/[a-z0-9 -]+) remove ");
            BOOST_TEST(added == removed, boost::test_tools::per_element());
            const auto where =
                matches(step.does, R"(\[:len \[/[^\]]* find where ([^\]]*)\]\] = 0\) do=)");
            BOOST_TEST(where.size() == added.size());
            for (const std::string& condition : where) {
                const std::size_t counted = count(step.undoes, "find where " + condition + "]]");
                const std::size_t found = count(step.undoes, "find where " + condition + "]");
                BOOST_TEST(found - counted == 1U, condition);
                BOOST_TEST(conditions.insert(added[0] + condition).second, condition);
            }
            const auto changed = changes(step.does);
            BOOST_TEST(changed == changes(step.undoes), boost::test_tools::per_element());
            BOOST_TEST(added.size() + changed.size() > 0U);
        }
    }
}

BOOST_DATA_TEST_CASE(braces_quotes_and_brackets_are_closed,
                     boost::unit_test::data::xrange(kSeveral.size()), which) {
    std::string open;
    std::istringstream lines(text_with(kSeveral[which]));
    for (std::string line; std::getline(lines, line);) {
        if (line.starts_with('#')) continue;
        bool text = false;
        for (std::size_t i = 0; i < line.size(); ++i) {
            const char c = line[i];
            BOOST_REQUIRE_MESSAGE(c != '\t' && c != '?', line);
            if (text && c == '\\') {
                ++i;
            } else if (c == '"') {
                text = !text;
            } else if (!text && (c == '{' || c == '(' || c == '[')) {
                open += c == '(' ? ')' : static_cast<char>(c + 2);
            } else if (!text && (c == '}' || c == ')' || c == ']')) {
                BOOST_REQUIRE_MESSAGE(!open.empty() && open.back() == c, line);
                open.pop_back();
            }
        }
        BOOST_REQUIRE_MESSAGE(!text, line);
    }
    BOOST_TEST(open.empty());
}

BOOST_DATA_TEST_CASE(every_variable_is_declared, boost::unit_test::data::xrange(kSeveral.size()),
                     which) {
    const std::string text = text_with(kSeveral[which]);
    std::set<std::string> declared;
    for (const std::string& name : matches(text, ":local ([A-Za-z0-9]+) "))
        declared.insert(name);
    for (const std::string& name : matches(text, ":foreach ([A-Za-z0-9]+) in="))
        declared.insert(name);
    for (const std::string& name : matches(text, R"(\$([A-Za-z0-9]+))"))
        BOOST_TEST(declared.contains(name), name);
    BOOST_TEST(!declared.empty());
}

// ---- families

BOOST_AUTO_TEST_CASE(commands_are_written_only_for_the_families_of_the_lists) {
    const std::string only4 = text_with({kAccess + "address_list4: a"});
    BOOST_TEST(count(only4, "/ip firewall mangle add") == 2U);
    BOOST_TEST(count(only4, "/ip route add") == 1U);
    BOOST_TEST(count(only4, "/ipv6 firewall") == 0U);
    BOOST_TEST(count(only4, "/ipv6 route add") == 0U);
    BOOST_TEST(count(only4, "gateway1v6") == 0U);
    const std::string only6 = text_with({kAccess + "address_list6: a"});
    BOOST_TEST(count(only6, "/ipv6 firewall mangle add") == 2U);
    BOOST_TEST(count(only6, "/ipv6 route add") == 1U);
    BOOST_TEST(count(only6, "/ip firewall") == 0U);
    BOOST_TEST(count(only6, "/ip route add") == 0U);
    BOOST_TEST(count(only6, "gateway1v4") == 0U);
    const std::string both = text_with({kAccess + "address_list4: a, address_list6: a"});
    BOOST_TEST(count(both, "/ip firewall mangle add") == 2U);
    BOOST_TEST(count(both, "/ipv6 firewall mangle add") == 2U);
    BOOST_TEST(count(both, "/routing table add") == 1U);
}

// ---- which lists share an egress

BOOST_AUTO_TEST_CASE(lists_of_one_plugin_share_an_egress) {
    const Plan plan =
        plan_with({kAccess + "address_list4: media_v4, address_list6: media_v6",
                   kAccess + "address_list4: media_v4, address_list6: more",
                   kAccess + "address_list4: backup", kAccess + "address_list4: backup"});
    BOOST_REQUIRE(plan.routers.size() == 1U);
    const auto& egresses = plan.routers[0].egresses;
    BOOST_REQUIRE(egresses.size() == 2U);
    BOOST_TEST(egresses[0].name == "media");
    BOOST_TEST(egresses[0].lists4 == std::vector<std::string>{"media_v4"},
               boost::test_tools::per_element());
    BOOST_TEST(egresses[0].lists6 == (std::vector<std::string>{"media_v6", "more"}),
               boost::test_tools::per_element());
    BOOST_TEST(egresses[1].name == "backup");
    BOOST_TEST(egresses[1].lists4 == std::vector<std::string>{"backup"},
               boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(egresses_have_unique_names) {
    const Plan plan =
        plan_with({kAccess + "address_list4: 'a b'", kAccess + "address_list4: a_b_v4",
                   kAccess + "address_list4: _v4"});
    const auto& egresses = plan.routers.at(0).egresses;
    BOOST_REQUIRE(egresses.size() == 3U);
    BOOST_TEST(egresses[0].name == "a_b");
    BOOST_TEST(egresses[1].name == "a_b-2");
    BOOST_TEST(egresses[2].name == "_v4");
}

// ---- several routers

BOOST_AUTO_TEST_CASE(each_router_has_a_block_of_commands) {
    const std::string routers =
        "routers:\n"
        "  edge1: { address: 192.0.2.1, username: one, password: top-secret }\n"
        "  edge2: { address: 'router.example:8729', username: two, password: top-secret, tls: true "
        "}\n"
        "  spare: { address: 192.0.2.3, username: three, password: top-secret }\n"
        "  again: { address: '192.0.2.1:9000', username: four, password: top-secret }\n";
    const std::vector<std::string> lists{"router: edge1, address_list4: a",
                                         "router: edge2, address_list4: a",
                                         "router: again, address_list4: b"};
    const Plan plan = plan_with(lists, routers);
    BOOST_REQUIRE(plan.routers.size() == 2U);
    BOOST_TEST(plan.routers[0].users == (std::vector<std::string>{"one", "four"}),
               boost::test_tools::per_element());
    BOOST_TEST(plan.routers[0].egresses.size() == 2U);
    BOOST_TEST(plan.unused == std::vector<std::string>{"spare"}, boost::test_tools::per_element());
    const std::string text = text_with(lists, routers);
    const auto heads = matches(text, "# ==== router (.*)");
    const std::vector<std::string> expected{R"("edge1", "again": set up)",
                                            R"("edge1", "again": undo)", R"("edge2": set up)",
                                            R"("edge2": undo)"};
    BOOST_TEST(heads == expected, boost::test_tools::per_element());
    BOOST_TEST(count(text, "No commands for router \"spare\"") == 1U);
    BOOST_TEST(count(text, "/ip service set $row disabled=no") == 2U);
    BOOST_TEST(count(text, "/ip service find where name=\"api\"]") == 2U);  // done and undone
    BOOST_TEST(count(text, "/ip service find where name=\"api-ssl\"]") == 2U);
    BOOST_TEST(count(text, "api-ssl needs a certificate") == 1U);
    BOOST_TEST(count(text, "top-secret") == 0U);
}

BOOST_AUTO_TEST_CASE(an_unusual_port_is_written) {
    const std::string text =
        text_with({"address: '172.16.1.1:9000', username: u, password: p, address_list4: a"});
    BOOST_TEST(count(text, "# The configuration uses port 9000: /ip service set api port=9000\n") ==
               1U);
}

// ---- what the configuration says already

BOOST_AUTO_TEST_CASE(our_addresses_are_written) {
    const std::string above =
        "dataplane:\n  ports:\n"
        "    - { pci: '0000:03:00.0', addresses: [10.9.0.7/24, 172.16.1.2/24, "
        "2001:db8::7/64] }\n"
        "    - { device: eth0, addresses: [127.0.0.1, 'fe80::1', 192.0.2.53] }\n";
    const Plan plan = plan_with({kAccess + "address_list4: a"}, above);
    BOOST_TEST(plan.dns4.value().to_string() == "192.0.2.53");
    BOOST_TEST(plan.dns6.value().to_string() == "2001:db8::7");
    BOOST_TEST(plan.routers.at(0).api_client == "172.16.1.2");
    const std::string text = text_with({kAccess + "address_list4: a"}, above);
    BOOST_TEST(count(text, ":local dnsAddress4 \"\"\n") == 1U);
    BOOST_TEST(count(text, ":local dnsAddress6 \"\"\n") == 1U);
    BOOST_TEST(count(text, "\n# :set dnsAddress4 \"192.0.2.53\"\n") == 1U);
    BOOST_TEST(count(text, "\n# :set dnsAddress6 \"2001:db8::7\"\n") == 1U);
    BOOST_TEST(text.find("# Check first") < text.find("# -- Clients ask us: DHCP"));
    BOOST_TEST(count(text, ":local apiClient \"172.16.1.2\"\n") == 1U);
}

BOOST_AUTO_TEST_CASE(a_router_reached_by_ipv6_allows_our_ipv6_address) {
    const std::string text =
        text_with({"address: '[2001:db8::1]:8728', username: u, password: p, address_list6: a"});
    BOOST_TEST(count(text, ":local apiClient $dnsAddress6\n") == 1U);
}

// ---- foreign text

BOOST_AUTO_TEST_CASE(values_are_written_as_literals) {
    BOOST_TEST(literal("") == R"("")");
    BOOST_TEST(literal("plain_v4 list") == R"("plain_v4 list")");
    BOOST_TEST(literal(R"(a"b\c$d[e])") == R"("a\"b\\c\$d[e]")");
    BOOST_TEST(literal("a?\tb\x7f") == R"("a\3F\09b\7F")");
    BOOST_TEST(literal("\xc3\xa9") == R"("\C3\A9")");
}

BOOST_AUTO_TEST_CASE(special_names_stay_inside_their_quotes) {
    const std::string text = text_with(
        {R"(address: 172.16.1.1, username: 'a "b" $c', password: p, address_list4: 'my "list" $x ]} ?')"});
    BOOST_TEST(count(text, R"(dst-address-list="my \"list\" \$x ]} \3F" )") == 1U);
    BOOST_TEST(count(text, R"(/user add name="a \"b\" \$c" )") == 1U);
    BOOST_TEST(count(text, R"(new-routing-mark="steerdns-my__list___x_____")") == 1U);
}

BOOST_AUTO_TEST_CASE(a_router_whose_leases_are_read_needs_only_a_user) {
    const std::string text =
        routeros_setup(settings_of("routers:\n  edge1: { address: 172.16.1.1, username: steer, "
                                   "password: top-secret }\n"
                                   "plugins:\n  - { tag: hosts, type: dhcp_leases, args: { router: "
                                   "edge1, domain: lan } }\n"
                                   "  - { tag: main, type: sequence, args: [ { exec: $hosts }, { "
                                   "exec: forward 192.0.2.1 } ] }\n"))
            .value();
    BOOST_TEST(text.find("policy=read,api\n") != text.npos, text);
    BOOST_TEST(text.find("name=\"steer\" group=\"steerdns\"") != text.npos);
    for (const std::string none : {"/routing table add", "mangle add", "fasttrack", "Next hop"})
        BOOST_TEST(text.find(none) == text.npos, none);
}

}  // namespace
}  // namespace steer::setup
