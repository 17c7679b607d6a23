#include "control/operator/doctor/probe.h"

#include <algorithm>
#include <charconv>

#include "control/operator/doctor/checks.h"
#include "routeros/time_text.h"

namespace steer::doctor {
namespace {

using routeros::Menu;

Menu family_of(const IpAddress& address) {
    return address.is_v4() ? Menu::ip : Menu::ipv6;
}

std::string suffix_of(const IpAddress& address) {
    return address.is_v4() ? "-ipv4" : "-ipv6";
}

bool is_prerouting(const Row& rule, std::string_view action) {
    return rule.is_enabled() && rule.get("chain") == "prerouting" && rule.get("action") == action;
}

// Where packets by this route go; of a gateway that is an address, the interface of its network.
std::string interface_of(const RouterFacts& router, const Row& route) {
    for (const std::string_view name : {"immediate-gw", "gateway"}) {
        const std::string_view gateway = route.get(name);
        if (const auto at = gateway.find('%'); at != gateway.npos)
            return std::string(gateway.substr(at + 1));
    }
    const std::string_view gateway = route.get("gateway");
    const auto address = IpAddress::parse(gateway);
    if (address) return interface_towards(router, *address);
    return gateway.find(',') == gateway.npos ? std::string(gateway) : std::string();
}

std::string egress_interface(const RouterFacts& router, Menu family, std::string_view table) {
    const std::string_view everywhere = family == Menu::ip ? "0.0.0.0/0" : "::/0";
    for (const Row& route : router.table(family, "/route").rows) {
        const std::string_view its =
            route.has("routing-table") ? route.get("routing-table") : "main";
        if (its != table || route.get("dst-address") != everywhere || !route.is_enabled() ||
            route.is_down())
            continue;
        return interface_of(router, route);
    }
    return {};
}

// One address: its row, connection, mark and egress, up to the first that is wrong.
class ProbeJudge {
  public:
    ProbeJudge(const RouterFacts& router, const Expected& expected, const Probed& probed,
               Findings& findings, Steps& steps)
        : router_(router),
          expected_(expected),
          probed_(probed),
          family_(family_of(probed.address)),
          findings_(findings),
          steps_(steps) {}

    void judge() {
        const bool has_row = judge_row();
        if (has_row) path_ = egress_path(router_, expected_, probed_);
        const bool is_client = judge_segment(has_row);
        const bool is_tracked = judge_connection();
        if (!has_row) return skip("the address has no row, so no egress is expected");
        if (!is_client) return skip("this host is not on a segment of clients");
        if (!is_tracked) return skip("the connection is unknown to the router");
        if (judge_mark())
            judge_egress();
        else
            step("egress", StepEnd::unknown,
                 "without its mark the connection takes the main table");
    }

  private:
    void step(const char* name, StepEnd end, std::string text) {
        steps_.push_back({name + suffix_of(probed_.address), end, std::move(text)});
    }
    void fail(const char* name, const char* check, std::string what, const char* why,
              std::string advice) {
        step(name, StepEnd::failed, what);
        findings_.push_back(problem(check, std::move(what), why, std::move(advice)));
    }
    // Of advice: nothing is proved to be wrong.
    void note(const char* name, const char* check, std::string what, const char* why,
              std::string advice) {
        step(name, StepEnd::unknown, what);
        findings_.push_back(problem(check, std::move(what), why, std::move(advice)));
        findings_.back().level = Level::advice;
    }
    void skip(const char* why) {
        step("mark", StepEnd::unknown, why);
        step("egress", StepEnd::unknown, why);
    }
    [[nodiscard]] std::string menu(std::string_view below) const { return menu_of(family_, below); }
    [[nodiscard]] std::string connection() const {
        return "the connection from " + probed_.source.to_string() + " to " + probed_.name + " (" +
               probed_.address.to_string() + ", port " + std::to_string(probed_.port) + ")";
    }
    [[nodiscard]] bool has_counters() const {
        return probed_.before.error.empty() && probed_.after.error.empty();
    }

    bool judge_row();
    bool judge_route();
    bool judge_segment(bool has_row);
    bool judge_connection();
    bool judge_mark();
    void judge_egress();
    [[nodiscard]] std::string nat_interface() const;

    const RouterFacts& router_;
    const Expected& expected_;
    const Probed& probed_;
    Menu family_;
    Findings& findings_;
    Steps& steps_;
    EgressPath path_;
};

bool ProbeJudge::judge_row() {
    const std::string address = probed_.address.to_string();
    if (!probed_.row_error.empty()) {
        note("row", "probe-rights",
             "the rows of " + menu("") + " cannot be read: " + probed_.row_error,
             "nothing is known of the row of the probed address",
             "give the user the policies read and api");
        return false;
    }
    if (probed_.list) {
        step("row", StepEnd::ok, address + " is on the list " + *probed_.list);
        return true;
    }
    if (probed_.route) return judge_route();
    fail("row", "probe-row",
         "none of our rows on the router has " + address + ", an address of " + probed_.name,
         "connections to that name are routed as all others",
         "steerctl why " + probed_.name +
             " shows whether a list has the name; steerctl routers diff shows rows that are owed");
    return false;
}

bool ProbeJudge::judge_route() {
    const Row& route = *probed_.route;
    const std::string text = "the route to " + probed_.address.to_string() + " in the table " +
                             std::string(route.get("routing-table"));
    const std::string gateway(route.get("gateway"));
    if (!route.is_down()) {
        step("row", StepEnd::ok, text + " has the gateway " + gateway);
        return true;
    }
    fail("row", "probe-route",
         text + " is not active: its gateway " + gateway + " does not answer or has no interface",
         "connections to that address are routed as all others",
         "look at the tunnel or uplink of that gateway");
    return false;
}

bool ProbeJudge::judge_segment(bool has_row) {
    const std::string source = probed_.source.to_string();
    const std::string interface = interface_towards(router_, probed_.source);
    constexpr const char* kWhy = "rules for clients do not hold for connections of this host";
    constexpr const char* kAdvice =
        "probe from an address of a client segment: --probe-from ADDRESS, with a route to the "
        "router there";
    if (interface.empty()) {
        note("segment", "probe-segment", "no network of the router has " + source, kWhy, kAdvice);
        return false;
    }
    if (has_row && path_.list_rule != nullptr && !admits(router_, *path_.list_rule, interface)) {
        note("segment", "probe-segment",
             "the rule " + row_text(*path_.list_rule) + " is not for packets from " + interface +
                 ", where this host (" + source + ") is",
             kWhy, kAdvice);
        return false;
    }
    step("segment", StepEnd::ok, source + " is on " + interface + " of the router");
    return true;
}

bool ProbeJudge::judge_connection() {
    if (!probed_.tracking_error.empty()) {
        note("connection", "probe-rights",
             menu("/firewall/connection") + " cannot be read: " + probed_.tracking_error,
             "mark and egress of the connection are unknown",
             "give the user the policies read and api");
        return false;
    }
    const std::string end =
        probed_.failure.empty() ? "" : "; it was not established: " + probed_.failure;
    if (probed_.tracked) {
        step("connection", StepEnd::ok, connection() + " is tracked" + end);
        return true;
    }
    fail(
        "connection", "probe-connection",
        connection() + " is not in " + menu("/firewall/connection") + end,
        "the router routes by marks of connections: one that it does not track has none",
        "check that this host's route leads to the router, that no switch chip forwards around it, "
        "and /ip firewall connection tracking print");
    return false;
}

bool ProbeJudge::judge_mark() {
    const std::string& mark = probed_.tracked->mark;
    if (probed_.route) {
        step("mark", StepEnd::ok, "a route needs no mark");
        return true;
    }
    if (path_.mark.empty()) {
        step("mark", StepEnd::unknown, "the rule for the list routes without a connection mark");
        return true;
    }
    if (mark == path_.mark) {
        step("mark", StepEnd::ok, "its mark is " + mark);
        return true;
    }
    std::string what = connection() + " has " + (mark.empty() ? "no mark" : "the mark " + mark) +
                       "; " + path_.row + " needs " + path_.mark;
    if (path_.list_rule != nullptr && has_counters() &&
        rise(probed_.before.matched, probed_.after.matched, path_.list_rule->id()) == 0)
        what += "; the rule " + row_text(*path_.list_rule) + " counted no packet";
    fail("mark", "probe-mark", std::move(what),
         "the connection leaves by the main table, although its address is on the list",
         "look for rules before it that accept or mark these packets, and for FastTrack: "
         "/" +
             std::string(family_ == Menu::ip ? "ip" : "ipv6") + " firewall mangle print stats");
    return false;
}

// The interface with the address that NAT gave to the connection; empty: no NAT.
std::string ProbeJudge::nat_interface() const {
    const auto& answered = probed_.tracked->answered;
    if (!answered || *answered == probed_.source) return {};
    for (const Row& row : router_.table(family_, "/address").rows) {
        if (IpAddress::parse(host_of(row.get("address"))) == answered)
            return std::string(row.get("interface"));
    }
    return {};
}

void ProbeJudge::judge_egress() {
    constexpr const char* kWhy =
        "the name's connections do not take the egress that its rows are for";
    if (path_.interface.empty())
        return step("egress", StepEnd::unknown,
                    "the router does not say the interface of the egress " + path_.egress);
    const std::string& wanted = path_.interface;
    if (const std::string taken = nat_interface(); !taken.empty()) {
        if (taken == wanted)
            return step("egress", StepEnd::ok,
                        "it leaves by " + taken + " as " + probed_.tracked->answered->to_string());
        return fail("egress", "probe-egress",
                    connection() + " leaves by " + taken + "; " + path_.row + " needs " + wanted,
                    kWhy,
                    "check the route of the table, routing rules (/routing rule print), and rules "
                    "behind the one that chooses the table");
    }
    if (!has_counters())
        return note("egress", "probe-rights",
                    "the counters cannot be read: " + probed_.before.error + probed_.after.error,
                    "without NAT only counters show the egress",
                    "give the user the policies read and api");
    const std::string least = ", where at least " + std::to_string(probed_.packets) + " were sent";
    if (path_.table_rule != nullptr) {
        const std::uint64_t matched =
            rise(probed_.before.matched, probed_.after.matched, path_.table_rule->id());
        if (matched < probed_.packets)
            return fail("egress", "probe-egress",
                        "the rule " + row_text(*path_.table_rule) + " counted " +
                            std::to_string(matched) + " packets of " + connection() + least,
                        kWhy, "look for rules before it that end the chain for marked packets");
    }
    const std::uint64_t sent = rise(probed_.before.sent, probed_.after.sent, wanted);
    if (sent < probed_.packets)
        return fail(
            "egress", "probe-egress",
            wanted + " sent " + std::to_string(sent) + " packets during " + connection() + least,
            kWhy, "check the route of the table and routing rules (/routing rule print)");
    step("egress", StepEnd::ok,
         wanted + " sent " + std::to_string(sent) +
             " packets during the probe; without NAT this does not exclude other traffic");
}

}  // namespace

std::uint64_t rise(const std::map<std::string, std::uint64_t, std::less<>>& before,
                   const std::map<std::string, std::uint64_t, std::less<>>& after,
                   std::string_view key) {
    const auto first = before.find(key), last = after.find(key);
    if (first == before.end() || last == after.end() || last->second < first->second) return 0;
    return last->second - first->second;
}

EgressPath egress_path(const RouterFacts& router, const Expected& expected, Menu family,
                       const std::string& list) {
    EgressPath path;
    path.row = "the list " + list;
    for (const setup::Egress& egress : expected.plan.egresses) {
        const auto& lists = family == Menu::ip ? egress.lists4 : egress.lists6;
        if (std::ranges::count(lists, list) > 0) path.egress = egress.name;
    }
    path.mark = "steerdns-" + path.egress;
    std::string table = path.mark;
    const auto& rules = router.table(family, kMangle).rows;
    for (const Row& rule : rules) {
        if (rule.get("dst-address-list") != list || path.list_rule != nullptr) continue;
        if (is_prerouting(rule, "mark-connection")) {
            path.list_rule = &rule;
            path.mark = rule.get("new-connection-mark");
        } else if (is_prerouting(rule, "mark-routing")) {
            path.list_rule = &rule;
            path.mark.clear();
            table = rule.get("new-routing-mark");
        }
    }
    for (const Row& rule : rules) {
        if (path.mark.empty() || !is_prerouting(rule, "mark-routing") ||
            rule.get("connection-mark") != path.mark)
            continue;
        path.table_rule = &rule;
        table = rule.get("new-routing-mark");
        break;
    }
    path.interface = egress_interface(router, family, table);
    return path;
}

EgressPath egress_path(const RouterFacts& router, const Row& route) {
    EgressPath path;
    path.egress = route.get("routing-table");
    path.row = "the route in " + path.egress;
    path.interface = interface_of(router, route);
    return path;
}

EgressPath egress_path(const RouterFacts& router, const Expected& expected, const Probed& probed) {
    const Menu family = family_of(probed.address);
    if (probed.list) return egress_path(router, expected, family, *probed.list);
    return probed.route ? egress_path(router, *probed.route) : EgressPath{};
}

bool admits(const RouterFacts& router, const Row& rule, std::string_view interface) {
    const auto holds = [](std::string_view wanted, const auto& is_it) {
        if (wanted.empty()) return true;
        const bool negated = wanted.starts_with('!');
        return is_it(negated ? wanted.substr(1) : wanted) != negated;
    };
    const auto& members = router.table("/interface/list/member").rows;
    return holds(rule.get("in-interface"),
                 [&](std::string_view name) { return name == interface; }) &&
           holds(rule.get("in-interface-list"), [&](std::string_view list) {
               return list == "all" || std::ranges::any_of(members, [&](const Row& member) {
                          return member.is_enabled() && member.get("list") == list &&
                                 member.get("interface") == interface;
                      });
           });
}

namespace {

const Row* advertisement_entry(const RouterFacts& router, std::string_view interface) {
    const Table& table = router.table("/ipv6/nd");
    const Row* const own = table.find("interface", interface);
    const Row* const entry = own != nullptr ? own : table.find("interface", "all");
    return entry != nullptr && entry->is_enabled() ? entry : nullptr;
}

}  // namespace

bool advertises_on(const RouterFacts& router, std::string_view interface) {
    return advertisement_entry(router, interface) != nullptr;
}

std::uint32_t advertisement_interval_s(const RouterFacts& router, std::string_view interface) {
    const Row* const entry = advertisement_entry(router, interface);
    if (entry == nullptr) return 0;
    const std::string_view range = entry->get("ra-interval");  // "3m20s-10m"
    const auto longest = routeros::parse_time(range.substr(range.find('-') + 1));
    return static_cast<std::uint32_t>(longest.value_or(0));
}

End read_end(std::string_view text) {
    End end;
    std::string_view host = text, port;
    if (text.starts_with('[')) {
        const std::size_t close = std::min(text.find(']'), text.size());
        host = text.substr(1, close - 1);
        port = text.substr(std::min(close + 1, text.size()));
    } else if (const std::size_t colon = text.find(':');
               colon != text.npos && text.find(':', colon + 1) == text.npos) {
        host = text.substr(0, colon);
        port = text.substr(colon);
    }
    if (port.starts_with(':'))
        std::from_chars(port.data() + 1, port.data() + port.size(), end.port);
    end.address = IpAddress::parse(host.substr(0, host.find('/')));
    return end;
}

std::optional<Tracked> read_tracked(const Row& row, const Probed& probed,
                                    std::uint16_t source_port) {
    const auto end_of = [&](const std::string& name) {
        End end = read_end(row.get(name + "-address"));
        const std::string_view port = row.get(name + "-port");
        if (end.port == 0) std::from_chars(port.data(), port.data() + port.size(), end.port);
        return end;
    };
    const End from = end_of("src"), to = end_of("dst");
    if (from.address != probed.source || from.port != source_port || to.address != probed.address ||
        to.port != probed.port)
        return std::nullopt;
    std::string mark(row.get("connection-mark"));
    if (mark == "no-mark") mark.clear();
    return Tracked{std::move(mark), end_of("reply-dst").address};
}

void judge_probe(const RouterFacts& router, const Expected& expected, const Probed& probed,
                 Findings& findings, Steps& steps) {
    ProbeJudge(router, expected, probed, findings, steps).judge();
}

}  // namespace steer::doctor
