// The path from a routing table that a ros_route fills to clients' packets: the table, the rule
// that uses it for them, and settings that make packets bypass its routes.
#include <algorithm>

#include "control/operator/doctor/checks.h"

namespace steer::doctor {
namespace {

using routeros::Menu;
namespace forms = routeros::forms;

constexpr std::string_view kRules = "/routing/rule";

std::string text_of(const Row& rule) {
    return "rule " + row_text(rule) + " of " + std::string(kRules);
}

bool is_lookup(const Row& rule) {
    return rule.get("action").empty() || rule.get("action").starts_with("lookup");
}

// Whether it is for packets of all clients.
bool is_for_all(const Row& rule) {
    return std::ranges::none_of(
        std::initializer_list<std::string_view>{"src-address", "dst-address", "interface",
                                                "routing-mark", "min-prefix"},
        [&](std::string_view name) { return rule.has(name); });
}

void report_missing(const std::string& table, const std::string& why, Findings& out) {
    Finding finding = problem(
        "routing-rule-missing",
        "no rule of " + std::string(kRules) + " looks packets up in the table " + table, why);
    const std::string comment = "steerdns: routes in " + table;
    finding.fix.push_back({&forms::add_routing_rule,
                           Menu::ip,
                           {{"action", "lookup"}, {"table", table}, {"comment", comment}}});
    finding.undo.push_back("/routing rule remove [find where comment=\"" + comment + "\"]");
    out.push_back(std::move(finding));
}

// A rule that ends the search for all packets leaves nothing to the rules behind it.
void check_earlier(const std::vector<Row>& rules, const Row& rule, const std::string& why,
                   Findings& out) {
    for (const Row& earlier : rules) {
        if (&earlier == &rule) return;
        if (!earlier.is_enabled() || earlier.is("inactive") || !is_for_all(earlier)) continue;
        if (earlier.get("table") == rule.get("table")) continue;
        out.push_back(
            problem("routing-rule-order",
                    text_of(earlier) + " is for all packets and is before the " + text_of(rule) +
                        " for the table " + std::string(rule.get("table")),
                    why, "move it behind that rule, or limit it to the packets it is for"));
        return;
    }
}

void check_rule(const RouterFacts& router, const std::string& table, const std::string& why,
                Findings& out) {
    if (!router.can_read(kRules)) return;
    const auto& rules = router.table(kRules).rows;
    const Row* rule = nullptr;
    for (const Row& candidate : rules) {
        if (candidate.get("table") != table || !is_lookup(candidate)) continue;
        if (rule == nullptr || (!rule->is_enabled() && candidate.is_enabled())) rule = &candidate;
    }
    if (rule == nullptr) return report_missing(table, why, out);
    if (!rule->is_enabled()) {
        Finding finding = problem("routing-rule-disabled",
                                  text_of(*rule) + " for the table " + table + " is disabled", why);
        set_row(finding, forms::set_routing_rule, Menu::ip, *rule, {{"disabled", "no"}});
        out.push_back(std::move(finding));
    }
    if (rule->get("action") == "lookup-only-in-table" && is_for_all(*rule)) {
        Finding finding =
            problem("routing-rule-only",
                    text_of(*rule) + " looks up all packets in the table " + table + " only",
                    "packets to other addresses find no route, and the router rejects them");
        set_row(finding, forms::set_routing_rule, Menu::ip, *rule, {{"action", "lookup"}});
        out.push_back(std::move(finding));
    }
    check_earlier(rules, *rule, why, out);
}

// The table is looked up for all packets, so a default route in it takes them all.
void check_default_route(const RouterFacts& router, const std::string& table, Menu family,
                         Findings& out) {
    const std::string_view everywhere = family == Menu::ip ? "0.0.0.0/0" : "::/0";
    for (const Row& route : router.table(family, "/route").rows) {
        if (route.get("routing-table") != table || route.get("dst-address") != everywhere) continue;
        if (!route.is_enabled() || route.is_down()) continue;
        Finding finding =
            problem("route-default",
                    "the table " + table + " has a default route in " + menu_of(family, "/route"),
                    "all connections take it, not those to names of the policy only");
        set_row(finding, forms::set_route, family, route, {{"disabled", "yes"}});
        out.push_back(std::move(finding));
    }
}

}  // namespace

void check_routes(const RouterFacts& router, const Expected& expected, Findings& out) {
    for (const std::string& table : expected.plan.route_tables) {
        const std::string why =
            "connections to addresses with a route in " + table + " leave by the main table";
        if (!check_routing_table(router, table, why, out)) continue;
        check_rule(router, table, why, out);
        for (const Menu family : {Menu::ip, Menu::ipv6})
            check_default_route(router, table, family, out);
    }
}

}  // namespace steer::doctor
