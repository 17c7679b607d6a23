// The path from a list to its egress: the rule that marks connections, the rule that chooses the
// table, the table, its route, NAT.
#include <algorithm>
#include <optional>
#include <set>

#include "control/operator/doctor/checks.h"
#include "matchers/prefix/ip_address.h"

namespace steer::doctor {
namespace {

using routeros::Menu;
namespace forms = routeros::forms;

constexpr std::string_view kNoList =
    "no connection is routed by it, although names resolve and rows are written";

bool is_prerouting(const Row& rule) {
    return rule.get("chain") == "prerouting";
}

bool does(const Row& rule, std::string_view action) {
    return rule.get("action") == action;
}

// One family's rules for the lists of one egress.
class EgressChecks {
  public:
    EgressChecks(const RouterFacts& router, const setup::Egress& egress, Menu family, Findings& out)
        : router_(router),
          egress_(egress),
          family_(family),
          rules_(router.table(family, kMangle).rows),
          out_(out) {}

    void check() {
        for (const std::string& list : lists())
            check_list(list);
        for (const std::string& table : tables_)
            check_table(table);
    }

  private:
    [[nodiscard]] const std::vector<std::string>& lists() const {
        return family_ == Menu::ip ? egress_.lists4 : egress_.lists6;
    }
    [[nodiscard]] std::string own_mark() const { return "steerdns-" + egress_.name; }
    [[nodiscard]] std::string text_of(const Row& rule) const {
        return "rule " + row_text(rule) + " of " + menu_of(family_, kMangle);
    }

    void check_list(const std::string& list);
    void check_rule(const Row& rule, const std::string& list);
    static bool meets_all_of(const Row& earlier, const Row& rule);
    // `after`: the rules before this one were checked.
    void check_earlier(const Row& rule, const std::string& what, const Row* after = nullptr);
    void check_route_rule(const Row& rule, const std::string& mark);
    void check_table(const std::string& name);
    void check_nat(const Row& route);
    void add_list_rule(Finding& finding, const std::string& list) const;
    void add_route_rule(Finding& finding, const Row& rule, const std::string& mark) const;
    // The rule that chooses a table by this mark: an enabled one before a disabled one.
    [[nodiscard]] const Row* route_rule_of(std::string_view mark) const;
    [[nodiscard]] std::string interface_of(const Row& route) const;

    const RouterFacts& router_;
    const setup::Egress& egress_;
    Menu family_;
    const std::vector<Row>& rules_;
    Findings& out_;
    std::set<std::string, std::less<>> tables_;  // which the rules choose
};

const Row* EgressChecks::route_rule_of(std::string_view mark) const {
    const Row* found = nullptr;
    for (const Row& rule : rules_) {
        if (!does(rule, "mark-routing") || !is_prerouting(rule) ||
            rule.get("connection-mark") != mark)
            continue;
        if (rule.is_enabled()) return &rule;
        if (found == nullptr) found = &rule;
    }
    return found;
}

void EgressChecks::check_list(const std::string& list) {
    const Row* rule = nullptr;
    for (const Row& candidate : rules_) {
        if (candidate.get("dst-address-list") != list) continue;
        if (rule == nullptr || (!rule->is_enabled() && candidate.is_enabled())) rule = &candidate;
    }
    if (rule != nullptr) return check_rule(*rule, list);
    Finding finding =
        problem("list-unused", "no rule of " + menu_of(family_, kMangle) + " uses the list " + list,
                std::string(kNoList));
    add_list_rule(finding, list);
    if (finding.fix.empty())
        finding.advice = "set the egress up: steerdnsd --routeros-setup prints the commands";
    out_.push_back(std::move(finding));
}

// Like the rule of the set-up, before the rule that chooses the table; nothing without such a rule.
void EgressChecks::add_list_rule(Finding& finding, const std::string& list) const {
    const Row* const route_rule = route_rule_of(own_mark());
    if (route_rule == nullptr) return;
    const std::string comment = "steerdns: connections to " + list;
    Change add{&forms::add_mangle, family_, {{"chain", "prerouting"}}};
    for (const std::string_view name : {"in-interface", "in-interface-list", "dst-address-type"}) {
        if (route_rule->has(name)) add.arguments.emplace_back(name, route_rule->get(name));
    }
    add.arguments.insert(add.arguments.end(), {{"dst-address-list", list},
                                               {"connection-state", "new"},
                                               {"connection-mark", "no-mark"},
                                               {"action", "mark-connection"},
                                               {"new-connection-mark", own_mark()},
                                               {"passthrough", "yes"},
                                               {"comment", comment},
                                               {"place-before", std::string(route_rule->id())}});
    finding.fix.push_back(std::move(add));
    finding.undo.push_back((family_ == Menu::ip ? "/ip" : "/ipv6") +
                           std::string(" firewall mangle remove [find where comment=\"") + comment +
                           "\"]");
}

void EgressChecks::check_rule(const Row& rule, const std::string& list) {
    const auto add = [&](Finding finding, const std::string& name, const std::string& value) {
        set_row(finding, forms::set_mangle, family_, rule, {{name, value}});
        out_.push_back(std::move(finding));
    };
    const std::string text = text_of(rule) + " for the list " + list;
    if (!rule.is_enabled())
        add(problem("rule-disabled", text + " is disabled", std::string(kNoList)), "disabled",
            "no");
    if (!is_prerouting(rule))
        add(problem("rule-chain", text + " is in the chain " + std::string(rule.get("chain")),
                    "the router chooses the route before that chain: the rule is too late"),
            "chain", "prerouting");
    if (rule.has("connection-state") && !rule.lists("connection-state", "new"))
        add(problem("rule-state", text + " does not match new connections",
                    "a connection gets its egress with its first packet"),
            "connection-state", "new");
    if (rule.has("in-interface-list") && router_.can_read("/interface/list/member")) {
        const std::string_view from = rule.get("in-interface-list");
        const auto& members = router_.table("/interface/list/member").rows;
        const bool has_member = std::ranges::any_of(
            members, [&](const Row& row) { return row.get("list") == from && row.is_enabled(); });
        const bool is_built_in = from == "all" || from == "dynamic" || from == "static";
        if (!has_member && !is_built_in && !from.starts_with('!'))
            out_.push_back(problem(
                "rule-interface",
                text + " is for the interface list " + std::string(from) + ", which has no members",
                "no client's packet matches the rule",
                "add the interfaces of clients to that list"));
    }
    check_earlier(rule, "the rule for the list " + list);
    if (does(rule, "mark-routing")) {
        tables_.emplace(rule.get("new-routing-mark"));
    } else if (does(rule, "mark-connection")) {
        if (!rule.is("passthrough"))
            add(problem("rule-passthrough", text + " ends the chain (passthrough=no)",
                        "the next rule, which chooses the table, does not see the first packet"),
                "passthrough", "yes");
        check_route_rule(rule, std::string(rule.get("new-connection-mark")));
    } else {
        out_.push_back(problem(
            "rule-action", text + " has the action " + std::string(rule.get("action")),
            "the rule gives no egress",
            "use mark-connection and mark-routing: steerdnsd --routeros-setup prints the rules"));
    }
}

// Whether every packet that ours matches matches the earlier rule, too. A property that is not known here may narrow it.
bool EgressChecks::meets_all_of(const Row& earlier, const Row& rule) {
    constexpr std::string_view kNoMatchers[] = {".id",
                                                "chain",
                                                "action",
                                                "comment",
                                                "disabled",
                                                "invalid",
                                                "dynamic",
                                                "log",
                                                "bytes",
                                                "packets",
                                                "about",
                                                "passthrough",
                                                "log-prefix",
                                                "new-connection-mark",
                                                "new-packet-mark",
                                                "new-routing-mark"};
    return std::ranges::all_of(earlier.values(), [&](const auto& property) {
        const auto& [name, value] = property;
        return value.empty() || std::ranges::count(kNoMatchers, name) > 0 ||
               value == rule.get(name);
    });
}

// A rule before ours that takes all of its packets: it ends the chain, or marks the connection first.
void EgressChecks::check_earlier(const Row& rule, const std::string& what, const Row* after) {
    const bool loses_mark = after != nullptr || rule.get("connection-mark") == "no-mark";
    for (const Row& earlier : rules_) {
        if (&earlier == &rule) return;
        if (&earlier <= after || !earlier.is_enabled() || !is_prerouting(earlier) ||
            !meets_all_of(earlier, rule))
            continue;
        const bool marks = earlier.get("action").starts_with("mark-");
        const bool ends = does(earlier, "accept") || (marks && !earlier.is("passthrough"));
        if (ends) {
            out_.push_back(
                problem("rule-shadowed", text_of(earlier) + " takes every packet before " + what,
                        "packets leave the chain before they are marked",
                        "move that rule behind the rules for lists, or give it conditions"));
            return;
        }
        if (does(earlier, "mark-connection") && loses_mark) {
            out_.push_back(problem(
                "rule-foreign-mark",
                text_of(earlier) + " gives every connection the mark " +
                    std::string(earlier.get("new-connection-mark")) + " before " + what,
                "our mark is not given, or is lost",
                "move that rule behind the rules for lists, and give it connection-mark=no-mark"));
            return;
        }
    }
}

void EgressChecks::check_route_rule(const Row& rule, const std::string& mark) {
    const Row* const route_rule = route_rule_of(mark);
    if (route_rule == nullptr) {
        Finding finding = problem("route-rule-missing",
                                  "no rule of " + menu_of(family_, kMangle) +
                                      " chooses a routing table for the mark " + mark,
                                  "connections are marked and still leave by the main table");
        add_route_rule(finding, rule, mark);
        if (finding.fix.empty()) finding.advice = "steerdnsd --routeros-setup prints the rule";
        out_.push_back(std::move(finding));
        return;
    }
    if (!route_rule->is_enabled()) {
        Finding finding = problem("route-rule-disabled",
                                  text_of(*route_rule) + " for the mark " + mark + " is disabled",
                                  "connections are marked and still leave by the main table");
        set_row(finding, forms::set_mangle, family_, *route_rule, {{"disabled", "no"}});
        out_.push_back(std::move(finding));
    } else if (route_rule < &rule) {
        Finding finding = problem("rule-order",
                                  text_of(*route_rule) + " chooses the table before the rule " +
                                      row_text(rule) + " marks the connection",
                                  "the first packet of a connection leaves by the main table");
        const auto next = std::find_if(rules_.begin(), rules_.end(),
                                       [&](const Row& row) { return &row == &rule; }) +
                          1;
        finding.fix.push_back({&forms::move_mangle,
                               family_,
                               {{"numbers", std::string(rule.id())},
                                {"destination", std::string(route_rule->id())}}});
        Change back{&forms::move_mangle, family_, {{"numbers", std::string(rule.id())}}};
        if (next != rules_.end()) back.arguments.emplace_back("destination", next->id());
        finding.undo.push_back(back.text());
        out_.push_back(std::move(finding));
    }
    if (route_rule->is_enabled() && route_rule > &rule)
        check_earlier(*route_rule, "the rule for the mark " + mark, &rule);
    tables_.emplace(route_rule->get("new-routing-mark"));
}

void EgressChecks::add_route_rule(Finding& finding, const Row& rule,
                                  const std::string& mark) const {
    if (router_.table("/routing/table").find("name", mark) == nullptr) return;
    const std::string comment = "steerdns: route of " + egress_.name;
    Change add{&forms::add_mangle, family_, {{"chain", "prerouting"}}};
    for (const std::string_view name : {"in-interface", "in-interface-list", "dst-address-type"}) {
        if (rule.has(name)) add.arguments.emplace_back(name, rule.get(name));
    }
    add.arguments.insert(add.arguments.end(), {{"connection-mark", mark},
                                               {"action", "mark-routing"},
                                               {"new-routing-mark", mark},
                                               {"passthrough", "no"},
                                               {"comment", comment}});
    finding.fix.push_back(std::move(add));
    finding.undo.push_back((family_ == Menu::ip ? "/ip" : "/ipv6") +
                           std::string(" firewall mangle remove [find where comment=\"") + comment +
                           "\"]");
}

void EgressChecks::check_table(const std::string& name) {
    const std::string why =
        "connections to the lists of the egress " + egress_.name + " do not leave by it";
    if (!check_routing_table(router_, name, why, out_)) return;
    if (!router_.can_read(menu_of(family_, "/route"))) return;
    const Row *disabled = nullptr, *down = nullptr;
    const std::string_view everywhere = family_ == Menu::ip ? "0.0.0.0/0" : "::/0";
    for (const Row& route : router_.table(family_, "/route").rows) {
        if (route.get("routing-table") != name || route.get("dst-address") != everywhere) continue;
        if (route.is("disabled")) {
            disabled = &route;
        } else if (route.is_down()) {
            down = &route;
        } else {
            return check_nat(route);
        }
    }
    const std::string where =
        "the default route of " + menu_of(family_, "/route") + " in the table " + name;
    if (down != nullptr) {
        out_.push_back(problem("route-down",
                               where + " is not active: its gateway " +
                                   std::string(down->get("gateway")) +
                                   " does not answer or has no interface",
                               why, "look at the tunnel or uplink of that gateway"));
    } else if (disabled != nullptr) {
        Finding finding = problem("route-disabled", where + " is disabled", why);
        set_row(finding, forms::set_route, family_, *disabled, {{"disabled", "no"}});
        out_.push_back(std::move(finding));
    } else {
        out_.push_back(problem("route-missing", where + " does not exist", why,
                               "add it with the gateway of that egress: " +
                                   std::string(family_ == Menu::ip ? "/ip" : "/ipv6") +
                                   " route add dst-address=" + std::string(everywhere) +
                                   " gateway=GATEWAY routing-table=" + name));
    }
}

// "ether2" of immediate-gw=192.0.2.1%ether2, or a gateway that is an interface; empty: unknown.
std::string EgressChecks::interface_of(const Row& route) const {
    for (const std::string_view name : {"immediate-gw", "gateway"}) {
        const std::string_view gateway = route.get(name);
        if (const auto at = gateway.find('%'); at != gateway.npos)
            return std::string(gateway.substr(at + 1));
    }
    const std::string gateway(route.get("gateway"));
    const bool is_address = gateway.empty() || IpAddress::parse(gateway).has_value() ||
                            gateway.find(',') != gateway.npos;
    return is_address ? std::string() : gateway;
}

void EgressChecks::check_nat(const Row& route) {
    const std::string interface = interface_of(route);
    if (family_ != Menu::ip || interface.empty() || !router_.can_read("/ip/firewall/nat") ||
        !router_.can_read("/interface/list/member"))
        return;
    const auto& members = router_.table("/interface/list/member").rows;
    const auto covers = [&](const Row& rule) {
        if (!rule.is_enabled() || rule.get("chain") != "srcnat") return false;
        if (!does(rule, "masquerade") && !does(rule, "src-nat") && !does(rule, "netmap"))
            return false;
        if (rule.has("out-interface")) return rule.get("out-interface") == interface;
        if (!rule.has("out-interface-list")) return true;
        return std::ranges::any_of(members, [&](const Row& member) {
            return member.is_enabled() && member.get("interface") == interface &&
                   member.get("list") == rule.get("out-interface-list");
        });
    };
    if (std::ranges::any_of(router_.table(family_, kNat).rows, covers)) return;
    const std::string comment = "steerdns: " + egress_.name;
    Finding finding = problem(
        "src-nat", "no rule of /ip/firewall/nat translates sources that leave by " + interface,
        "replies find no way back, unless the other end routes the clients' network here");
    finding.fix.push_back({&forms::add_nat,
                           family_,
                           {{"chain", "srcnat"},
                            {"action", "masquerade"},
                            {"out-interface", interface},
                            {"comment", comment}}});
    finding.undo.push_back("/ip firewall nat remove [find where comment=\"" + comment + "\"]");
    out_.push_back(std::move(finding));
}

// Whether a rule's condition on the connection mark, "x", "!x" or none, lets a connection with this mark pass.
bool passes_mark(std::string_view condition, std::string_view mark) {
    if (condition.starts_with('!')) return condition.substr(1) != mark;
    return condition.empty() || condition == mark;
}

// Fasttracked packets pass mangle by.
void check_fasttrack(const RouterFacts& router, const Expected& expected, Menu family,
                     Findings& out) {
    const auto lists = expected.lists(family == Menu::ip);
    std::set<std::string_view> marks;
    for (const Row& rule : router.table(family, kMangle).rows) {
        if (does(rule, "mark-connection") &&
            std::ranges::count(lists, rule.get("dst-address-list")))
            marks.insert(rule.get("new-connection-mark"));
    }
    for (const Row& rule : router.table(family, kFilter).rows) {
        const std::string_view condition = rule.get("connection-mark");
        const bool takes_ours =
            condition.empty() || std::ranges::any_of(marks, [&](std::string_view mark) {
                return passes_mark(condition, mark);
            });
        if (!rule.is_enabled() || !does(rule, "fasttrack-connection") || !takes_ours) continue;
        Finding finding =
            problem("fasttrack",
                    "rule " + row_text(rule) + " of " + menu_of(family, kFilter) +
                        " fasttracks marked connections",
                    "after their first packets they leave by the main table, and break");
        set_row(finding, forms::set_filter, family, rule, {{"connection-mark", "no-mark"}});
        out.push_back(std::move(finding));
    }
}

void check_reverse_path(const RouterFacts& router, Findings& out) {
    const auto& rows = router.table("/ip/settings").rows;
    if (rows.empty() || rows[0].get("rp-filter") != "strict") return;
    Finding finding =
        problem("rp-filter", "/ip/settings has rp-filter=strict",
                "the router drops replies that come back by another interface than its main route");
    finding.fix.push_back({&forms::set_settings, Menu::ip, {{"rp-filter", "loose"}}});
    finding.undo.emplace_back("/ip settings set rp-filter=strict");
    out.push_back(std::move(finding));
}

// A disabled row covers nothing, and the router takes no second one with its address.
void check_rows(const RouterFacts& router, const Expected& expected, Menu family, Findings& out) {
    constexpr std::size_t kNamed = 5;
    for (const std::string& list : expected.lists(family == Menu::ip)) {
        Finding finding = problem("row-disabled", {},
                                  "it covers nothing, and steerdnsd cannot write its address: "
                                  "connections to it leave by the main table");
        std::size_t count = 0;
        std::string named;
        for (const Row& row : router.table(family, "/firewall/address-list").rows) {
            if (!row.is("disabled") || row.get("list") != list) continue;
            if (++count <= kNamed)
                named.append(named.empty() ? "" : ", ")
                    .append(row_text(row))
                    .append(" ")
                    .append(row.get("address"));
            set_row(finding, forms::set_row, family, row, {{"disabled", "no"}});
        }
        if (count == 0) continue;
        if (count > kNamed) named += " and " + std::to_string(count - kNamed) + " more";
        finding.what = std::to_string(count) + (count == 1 ? " row" : " rows") + " of the list " +
                       list + (count == 1 ? " is" : " are") + " disabled: " + named;
        out.push_back(std::move(finding));
    }
}

// Rules of an earlier set-up, for lists that the configuration does not fill any more.
void check_stale(const RouterFacts& router, const Expected& expected, Menu family, Findings& out) {
    const auto lists = expected.lists(family == Menu::ip);
    for (const Row& rule : router.table(family, kMangle).rows) {
        const std::string list(rule.get("dst-address-list"));
        if (!rule.get("comment").starts_with("steerdns: ") || list.empty() || !rule.is_enabled())
            continue;
        if (std::ranges::count(lists, list) > 0) continue;
        Finding finding =
            problem("rule-stale",
                    "rule " + row_text(rule) + " of " + menu_of(family, kMangle) +
                        " uses the list " + list + ", which the configuration does not fill",
                    "connections follow rows that no one keeps, or the list has another name here "
                    "and there");
        set_row(finding, forms::set_mangle, family, rule, {{"disabled", "yes"}});
        out.push_back(std::move(finding));
    }
}

}  // namespace

bool check_routing_table(const RouterFacts& router, const std::string& name, const std::string& why,
                         Findings& out) {
    if (!router.can_read("/routing/table")) return true;
    const Row* const table = router.table("/routing/table").find("name", name);
    if (table == nullptr) {
        out.push_back(
            problem("table-missing", "there is no routing table " + name, why,
                    "steerdnsd --routeros-setup prints the commands for the table and its route"));
        return false;
    }
    if (!table->is_enabled()) {
        Finding finding =
            problem("table-disabled", "the routing table " + name + " is disabled", why);
        set_row(finding, forms::set_table, Menu::ip, *table, {{"disabled", "no"}});
        out.push_back(std::move(finding));
    }
    return true;
}

void check_policy(const RouterFacts& router, const Expected& expected, Findings& out) {
    for (const Menu family : {Menu::ip, Menu::ipv6}) {
        const bool has_lists = !expected.lists(family == Menu::ip).empty();
        if (router.can_read(menu_of(family, kMangle))) {
            for (const setup::Egress& egress : expected.plan.egresses)
                EgressChecks(router, egress, family, out).check();
            check_stale(router, expected, family, out);
        }
        if (has_lists) check_fasttrack(router, expected, family, out);
        check_rows(router, expected, family, out);
    }
    if (!expected.lists(true).empty()) check_reverse_path(router, out);
}

}  // namespace steer::doctor
