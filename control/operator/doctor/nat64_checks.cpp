// The router's part of an IPv6-mostly network: the route to the translator, NAT of its pool, router
// advertisements on each interface with clients (RFC 8781, RFC 8106), and finally DHCP option 108
// (RFC 8925).
#include <algorithm>
#include <charconv>
#include <optional>

#include "control/operator/doctor/checks.h"
#include "control/operator/doctor/option108.h"
#include "matchers/prefix/prefix_set.h"

namespace steer::doctor {
namespace {

using routeros::Menu;
namespace forms = routeros::forms;

constexpr std::string_view kOption108 = "108";
constexpr std::uint32_t kMinWaitS = 300;          // V6ONLY_WAIT, RFC 8925 3.2
constexpr const char* kShortWait = "0x0000012c";  // 300 s: clients come back to IPv4 soon

// Four bytes in hexadecimal, as RouterOS takes an option's value.
std::optional<std::uint32_t> wait_of(std::string_view value) {
    constexpr std::size_t kDigits = 8;
    if (!value.starts_with("0x") || value.size() != 2 + kDigits) return std::nullopt;
    std::uint32_t seconds = 0;
    const char* const end = value.data() + value.size();
    const auto [stop, error] = std::from_chars(value.data() + 2, end, seconds, 16);
    return error == std::errc{} && stop == end ? std::optional(seconds) : std::nullopt;
}

class Nat64Checks {
  public:
    Nat64Checks(const RouterFacts& router, const Expected& expected, Findings& out)
        : router_(router), expected_(expected), prefix_(expected.nat64.front()), out_(out) {}

    void check() {
        for (const std::string& prefix : expected_.nat64)
            check_route(prefix);
        check_masquerade();
        check_port_forwards();
        if (router_.can_read("/ipv6/nd")) {
            for (const std::string& interface : client_interfaces())
                check_advertisement(interface);
        }
        check_option();
    }

  private:
    void check_route(const std::string& prefix);
    void check_masquerade();
    void check_port_forwards();
    void check_advertisement(const std::string& interface);
    void check_server(const Row& entry, const std::string& interface);
    void check_lasting(const std::string& interface, std::string_view server);
    void check_option();
    void check_reference(const Row& option);
    [[nodiscard]] std::vector<std::string> client_interfaces() const;
    [[nodiscard]] std::string server_for(const std::string& interface) const;
    [[nodiscard]] bool is_option_given() const;

    // With what option 108 makes of it.
    Finding problem(std::string check, std::string what, std::string why,
                    std::string advice = {}) const {
        if (is_option_given())
            why += "; DHCP option 108 is given: clients that honour it have no IPv4 either";
        return doctor::problem(std::move(check), std::move(what), std::move(why),
                               std::move(advice));
    }

    const RouterFacts& router_;
    const Expected& expected_;
    const std::string& prefix_;
    Findings& out_;
};

bool Nat64Checks::is_option_given() const {
    const Row* const option = router_.table("/ip/dhcp-server/option").find("code", kOption108);
    if (option == nullptr) return false;
    return std::ranges::any_of(
        router_.table("/ip/dhcp-server/network").rows,
        [&](const Row& network) { return gives_option(router_, network, option->get("name")); });
}

void Nat64Checks::check_route(const std::string& prefix) {
    if (!router_.can_read("/ipv6/route")) return;
    const char* const lost = "connections to addresses that DNS64 made have no way";
    const Row *disabled = nullptr, *down = nullptr;
    for (const Row& route : router_.table("/ipv6/route").rows) {
        if (route.get("dst-address") != prefix) continue;
        if (route.is("disabled")) {
            disabled = &route;
        } else if (route.is_down()) {
            down = &route;
        } else {
            return;
        }
    }
    if (down != nullptr) {
        out_.push_back(problem("nat64-route-down",
                               "the route to " + prefix + " is not active: the translator " +
                                   std::string(down->get("gateway")) +
                                   " does not answer or has no interface",
                               lost, "start the translator (Tayga), or correct the gateway"));
    } else if (disabled != nullptr) {
        Finding finding =
            problem("nat64-route-disabled", "the route to " + prefix + " is disabled", lost);
        set_row(finding, forms::set_route, Menu::ipv6, *disabled, {{"disabled", "no"}});
        out_.push_back(std::move(finding));
    } else {
        out_.push_back(
            problem("nat64-route", "there is no route to " + prefix, lost,
                    "add it with the translator as gateway: /ipv6 route add dst-address=" + prefix +
                        " gateway=TRANSLATOR"));
    }
}

// The translator's pool is private; which one it is, only the translator knows.
void Nat64Checks::check_masquerade() {
    if (!router_.can_read("/ip/firewall/nat")) return;
    const bool is_there =
        std::ranges::any_of(router_.table("/ip/firewall/nat").rows, [](const Row& rule) {
            return rule.is_enabled() && rule.get("chain") == "srcnat" &&
                   (rule.get("action") == "masquerade" || rule.get("action") == "src-nat");
        });
    if (is_there) return;
    Finding finding = problem(
        "nat64-masquerade", "no enabled rule of /ip/firewall/nat translates sources",
        "packets of the translator's pool leave with private addresses, and no reply comes back");
    if (router_.table("/interface/list").find("name", "WAN") != nullptr) {
        const std::string comment = "steerdns: pool of the NAT64 translator";
        finding.fix.push_back({&forms::add_nat,
                               Menu::ip,
                               {{"chain", "srcnat"},
                                {"action", "masquerade"},
                                {"out-interface-list", "WAN"},
                                {"comment", comment}}});
        finding.undo.push_back("/ip firewall nat remove [find where comment=\"" + comment + "\"]");
    } else {
        finding.advice = "add a masquerade rule for the uplink";
    }
    out_.push_back(std::move(finding));
}

// Some guides write a dst-nat rule for each IPv4 server. RouterOS does not translate between the families.
void Nat64Checks::check_port_forwards() {
    for (const Row& rule : router_.table("/ipv6/firewall/nat").rows) {
        const auto to = IpAddress::parse(host_of(rule.get("dst-address")));
        const bool is_inside = to && std::ranges::any_of(expected_.nat64, [&](const auto& prefix) {
                                   return contains(prefix, *to);
                               });
        if (!rule.is_enabled() || rule.get("action") != "dst-nat" || !is_inside) continue;
        Finding finding = problem("nat64-dst-nat",
                                  "rule " + row_text(rule) + " of /ipv6/firewall/nat redirects " +
                                      std::string(rule.get("dst-address")) +
                                      ", which is an address of the NAT64 prefix",
                                  "connections to this IPv4 server do not reach the translator");
        set_row(finding, forms::set_redirect6, Menu::ipv6, rule, {{"disabled", "yes"}});
        out_.push_back(std::move(finding));
    }
}

// Those that advertise an IPv6 prefix.
std::vector<std::string> Nat64Checks::client_interfaces() const {
    std::vector<std::string> names;
    for (const Row& row : router_.table("/ipv6/address").rows) {
        const std::string name(row.get("interface"));
        const bool is_local = row.get("address").starts_with("fe80:") || name == "lo";
        const bool advertises = row.get("advertise").empty() || row.is("advertise");
        if (is_local || !row.is_enabled() || !advertises || std::ranges::count(names, name) > 0)
            continue;
        names.push_back(name);
    }
    return names;
}

// Ours; else the router's address on that interface, if its DNS forwards here.
std::string Nat64Checks::server_for(const std::string& interface) const {
    if (expected_.dns6) return expected_.dns6->to_string();
    for (const Row& row : router_.table("/ipv6/address").rows) {
        if (row.get("interface") == interface && !row.get("address").starts_with("fe80:"))
            return std::string(host_of(row.get("address")));
    }
    return {};
}

void Nat64Checks::check_advertisement(const std::string& interface) {
    const Row* const entry = router_.table("/ipv6/nd").find("interface", interface);
    if (entry == nullptr) {
        Finding finding = problem(
            "nd-missing", "/ipv6/nd has no entry for " + interface,
            "the entry for all interfaces announces neither the NAT64 prefix nor the DNS server");
        finding.fix.push_back({&forms::add_nd,
                               Menu::ip,
                               {{"interface", interface},
                                {"advertise-dns", "yes"},
                                {"dns", server_for(interface)},
                                {"pref64", prefix_}}});
        finding.undo.push_back("/ipv6 nd remove [find where interface=\"" + interface + "\"]");
        out_.push_back(std::move(finding));
        return;
    }
    const std::string where = "/ipv6/nd for " + interface;
    if (!entry->is_enabled()) {
        Finding finding =
            problem("nd-disabled", where + " is disabled", "clients get no router advertisement");
        set_row(finding, forms::set_nd, Menu::ip, *entry, {{"disabled", "no"}});
        out_.push_back(std::move(finding));
    }
    if (!entry->lists("pref64", prefix_)) {
        Finding finding = problem(
            "nd-pref64",
            where + (entry->has("pref64")
                         ? " announces the NAT64 prefix " + std::string(entry->get("pref64"))
                         : " announces no NAT64 prefix"),
            "clients cannot start CLAT, and programs with IPv4 addresses fail");
        set_row(finding, forms::set_nd, Menu::ip, *entry, {{"pref64", prefix_}});
        out_.push_back(std::move(finding));
    }
    const std::string_view advertises = entry->get("advertise-dns");
    if (advertises == "no" || advertises == "false") {
        Finding finding = problem("nd-advertise-dns", where + " has advertise-dns=no",
                                  "IPv6-only clients get no DNS server, even if `dns` names one");
        set_row(finding, forms::set_nd, Menu::ip, *entry, {{"advertise-dns", "yes"}});
        out_.push_back(std::move(finding));
    }
    check_server(*entry, interface);
}

void Nat64Checks::check_server(const Row& entry, const std::string& interface) {
    if (entry.get("advertise-dns") == "self") return;
    const auto servers = items_of(entry.get("dns"));
    std::string wrong;
    for (const std::string_view server : servers) {
        const bool is_ours = expected_.dns6 && server == expected_.dns6->to_string();
        const bool is_there =
            std::ranges::any_of(router_.table("/ipv6/address").rows, [&](const Row& row) {
                return row.get("interface") == interface && host_of(row.get("address")) == server &&
                       row.is_enabled();
            });
        if (is_there && !is_ours) check_lasting(interface, server);
        if (!is_ours && !is_there) wrong.append(wrong.empty() ? "" : ",").append(server);
    }
    if (!servers.empty() && wrong.empty()) return;
    Finding finding = problem(
        "nd-dns",
        servers.empty() ? "/ipv6/nd for " + interface + " names no DNS server"
                        : "/ipv6/nd for " + interface + " names the DNS server " + wrong +
                              ", which is neither SteerDNS nor an address of that interface",
        "IPv6-only clients resolve no names");
    set_row(finding, forms::set_nd, Menu::ip, entry, {{"dns", server_for(interface)}});
    out_.push_back(std::move(finding));
}

// An address from a pool changes with the prefix that the provider delegates; `dns` does not follow.
void Nat64Checks::check_lasting(const std::string& interface, std::string_view server) {
    for (const Row& row : router_.table("/ipv6/address").rows) {
        if (row.get("interface") != interface || host_of(row.get("address")) != server ||
            !row.has("from-pool"))
            continue;
        Finding finding = problem(
            "nd-dns-pool",
            "/ipv6/nd for " + interface + " names the DNS server " + std::string(server) +
                ", an address that comes from the pool " + std::string(row.get("from-pool")),
            "with another prefix, IPv6-only clients are told an address that does not exist",
            "give the interface a static address, or advertise an address of SteerDNS");
        finding.level = Level::advice;
        out_.push_back(std::move(finding));
    }
}

void Nat64Checks::check_option() {
    for (const Row& option : router_.table("/ip/dhcp-server/option").rows) {
        if (option.get("code") != kOption108) continue;
        const auto seconds = wait_of(option.get("value"));
        const std::string where = "the DHCP option " + std::string(option.get("name")) + " (108)";
        if (!seconds || *seconds < kMinWaitS) {
            Finding finding =
                problem("option-108-value",
                        where + " has the value " + std::string(option.get("value")) +
                            "; it is a number of seconds in 4 bytes, 0x0000012c (300) or more",
                        "clients ignore the option, or ask again and again");
            set_row(finding, forms::set_dhcp_option, Menu::ip, option, {{"value", kShortWait}});
            out_.push_back(std::move(finding));
        }
        if (option.is("force")) {
            Finding finding =
                problem("option-108-force", where + " has force=yes",
                        "clients that did not ask for it get it, too, and may lose IPv4");
            set_row(finding, forms::set_dhcp_option, Menu::ip, option, {{"force", "no"}});
            out_.push_back(std::move(finding));
        }
        check_reference(option);
    }
}

// Added only when the rest is in order: a client that honours the option depends on all of it.
void Nat64Checks::check_reference(const Row& option) {
    const auto& networks = router_.table("/ip/dhcp-server/network").rows;
    if (networks.empty() || !router_.can_read("/ip/dhcp-server/network") || is_option_given())
        return;
    if (const auto withdrawn = read_option108(router_).withdrawn; !withdrawn.empty()) {
        out_.push_back(
            doctor::problem("option-108-withdrawn",
                            "DHCP option 108 was withdrawn from the network " + withdrawn.front() +
                                ", because the NAT64 was dead",
                            "clients keep IPv4",
                            "steerctl doctor --watch --fix gives it again when the NAT64 lives"));
        out_.back().level = Level::advice;
        return;
    }
    const bool is_complete = std::ranges::none_of(out_, [](const Finding& f) {
        return f.check.starts_with("nat64-") || f.check.starts_with("nd-");
    });
    Finding finding =
        problem("option-108-unused",
                "no DHCP network gives the option " + std::string(option.get("name")) + " (108)",
                "clients keep IPv4 although they could do without");
    if (!is_complete) {
        finding.advice = "mend the rest first: the option must come last";
    } else if (networks.size() == 1) {
        std::string options(networks[0].get("dhcp-option"));
        options.append(options.empty() ? "" : ",").append(option.get("name"));
        set_row(finding, forms::set_dhcp_network, Menu::ip, networks[0],
                {{"dhcp-option", options}});
    } else {
        finding.advice = "set dhcp-option of the networks whose clients shall do without IPv4";
    }
    out_.push_back(std::move(finding));
}

}  // namespace

void check_nat64(const RouterFacts& router, const Expected& expected, Findings& out) {
    if (!expected.nat64.empty()) Nat64Checks(router, expected, out).check();
}

}  // namespace steer::doctor
