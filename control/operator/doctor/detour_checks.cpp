// Settings that make clients' packets bypass mangle or our routing tables: routing rules, VRFs,
// switch chips that route.
#include <algorithm>
#include <set>

#include "control/operator/doctor/checks.h"

namespace steer::doctor {
namespace {

using routeros::Menu;
namespace forms = routeros::forms;

// Chosen for connections to our lists.
std::set<std::string, std::less<>> tables_of(const RouterFacts& router, const Expected& expected) {
    std::set<std::string, std::less<>> marks, tables;
    for (const Menu family : {Menu::ip, Menu::ipv6}) {
        const auto lists = expected.lists(family == Menu::ip);
        const auto& rules = router.table(family, "/firewall/mangle").rows;
        for (const Row& rule : rules) {
            if (std::ranges::count(lists, rule.get("dst-address-list")) == 0) continue;
            marks.emplace(rule.get("new-connection-mark"));
            if (rule.has("new-routing-mark")) tables.emplace(rule.get("new-routing-mark"));
        }
        for (const Row& rule : rules) {
            if (rule.get("action") == "mark-routing" && rule.has("connection-mark") &&
                marks.contains(rule.get("connection-mark")))
                tables.emplace(rule.get("new-routing-mark"));
        }
    }
    return tables;
}

// A routing mark is a table's name; a routing rule for that mark is asked before the table.
void check_routing_rules(const RouterFacts& router,
                         const std::set<std::string, std::less<>>& tables, Findings& out) {
    for (const Row& rule : router.table("/routing/rule").rows) {
        const std::string_view mark = rule.get("routing-mark"), action = rule.get("action");
        if (!rule.is_enabled() || rule.is("inactive") || !tables.contains(mark)) continue;
        const bool is_lookup = action.empty() || action.starts_with("lookup");
        if (is_lookup && rule.get("table") == mark) continue;
        Finding finding =
            problem("routing-rule",
                    "rule " + row_text(rule) + " of /routing/rule " +
                        (is_lookup ? "looks packets with the routing mark " + std::string(mark) +
                                         " up in the table " + std::string(rule.get("table"))
                                   : "has the action " + std::string(action) +
                                         " for packets with the routing mark " + std::string(mark)),
                    "connections are marked and do not use the table of their egress");
        set_row(finding, forms::set_routing_rule, Menu::ip, rule, {{"disabled", "yes"}});
        out.push_back(std::move(finding));
    }
}

// Interfaces of a VRF use its table.
void check_vrfs(const RouterFacts& router, const ClientSide& side, Findings& out) {
    for (const Row& vrf : router.table("/ip/vrf").rows) {
        if (!vrf.is_enabled() || vrf.get("name") == "main") continue;
        for (const std::string_view interface : items_of(vrf.get("interfaces"))) {
            if (!is_client_interface(router, side, interface)) continue;
            out.push_back(problem(
                "vrf-clients",
                "the interface " + std::string(interface) + " of clients is in the VRF " +
                    std::string(vrf.get("name")),
                "its packets use the routes of the VRF, not the table of their egress",
                "take the interface out of the VRF, or add the egress's routes to its table"));
        }
    }
}

// Both a switch and its port say whether they route.
void check_switches(const RouterFacts& router, Findings& out) {
    const auto& bridged = router.table("/interface/bridge/port");
    for (const Row& port : router.table("/interface/ethernet/switch/port").rows) {
        const Row* const chip =
            router.table("/interface/ethernet/switch").find("name", port.get("switch"));
        if (chip == nullptr || !chip->is("l3-hw-offloading") || !port.is("l3-hw-offloading"))
            continue;
        const Row* const member = bridged.find("interface", port.get("name"));
        const bool is_by_cpu = member != nullptr &&
                               (member->is("disabled") || (member->has("hw") && !member->is("hw")));
        if (is_by_cpu || (member == nullptr && !bridged.rows.empty())) continue;
        Finding finding = problem(
            "l3-hw-offloading",
            "the switch chip " + std::string(chip->get("name")) + " routes packets of the port " +
                std::string(port.get("name")) + " itself (l3-hw-offloading=yes)",
            "these packets pass no mangle rule: connections get no egress");
        set_row(finding, forms::set_switch_port, Menu::ip, port, {{"l3-hw-offloading", "no"}});
        out.push_back(std::move(finding));
    }
}

}  // namespace

void check_detours(const RouterFacts& router, const Expected& expected, Findings& out) {
    if (expected.plan.egresses.empty()) return;
    check_routing_rules(router, tables_of(router, expected), out);
    check_vrfs(router, client_side(router, expected), out);
    check_switches(router, out);
}

// ---- where clients are

ClientSide client_side(const RouterFacts& router, const Expected& expected) {
    for (const Menu family : {Menu::ip, Menu::ipv6}) {
        const auto lists = expected.lists(family == Menu::ip);
        for (const Row& rule : router.table(family, "/firewall/mangle").rows) {
            if (!rule.is_enabled() || std::ranges::count(lists, rule.get("dst-address-list")) == 0)
                continue;
            for (const std::string name : {"in-interface-list", "in-interface"}) {
                const std::string_view value = rule.get(name);
                if (!value.empty() && !value.starts_with('!')) return {name, std::string(value)};
            }
        }
    }
    if (router.table("/interface/list").find("name", "LAN") != nullptr)
        return {"in-interface-list", "LAN"};
    return {};
}

bool is_client_interface(const RouterFacts& router, const ClientSide& side,
                         std::string_view interface) {
    if (side.first == "in-interface") return side.second == interface;
    return std::ranges::any_of(router.table("/interface/list/member").rows, [&](const Row& row) {
        return row.is_enabled() && row.get("list") == side.second &&
               row.get("interface") == interface;
    });
}

std::string interface_towards(const RouterFacts& router, const IpAddress& address) {
    for (const Row& row : router.table(address.is_v4() ? "/ip/address" : "/ipv6/address").rows) {
        if (row.is_enabled() && contains(row.get("address"), address))
            return std::string(row.get("interface"));
    }
    return {};
}

bool is_own(const RouterFacts& router, std::string_view address) {
    return std::ranges::any_of(router.table("/ip/address").rows, [&](const Row& row) {
        return host_of(row.get("address")) == address;
    });
}

}  // namespace steer::doctor
