// Checks that clients ask this resolver: DHCP networks, router advertisements, and the router's own
// DNS.
#include <algorithm>

#include "control/operator/doctor/checks.h"

namespace steer::doctor {
namespace {

using routeros::Menu;
namespace forms = routeros::forms;

struct RouterDns {
    explicit RouterDns(const RouterFacts& router, const Expected& expected) {
        const auto& rows = router.table("/ip/dns").rows;
        if (rows.empty()) return;
        row = &rows[0];
        answers = row->is("allow-remote-requests");
        const auto servers = items_of(row->get("servers"));
        const auto is_ours = [&](std::string_view server) {
            return (expected.dns4 && server == expected.dns4->to_string()) ||
                   (expected.dns6 && server == expected.dns6->to_string());
        };
        asks_us = std::ranges::any_of(servers, is_ours);
        forwards_here = !servers.empty() && std::ranges::all_of(servers, is_ours) &&
                        !row->has("use-doh-server");
    }
    const Row* row = nullptr;
    bool answers = false, asks_us = false, forwards_here = false;
};

void check_network(const RouterFacts& router, const Expected& expected, const RouterDns& dns,
                   const Row& network, bool& asks_router, Findings& out) {
    const std::string ours = expected.dns4->to_string();
    const std::string where = "the DHCP network " + std::string(network.get("address"));
    Finding finding = problem("dhcp-dns", {}, kBypassed);
    if (network.is("dns-none")) {
        finding.check = "dhcp-dns-none";
        finding.what = where + " gives clients no DNS server (dns-none=yes)";
        set_row(finding, forms::set_dhcp_network, Menu::ip, network,
                {{"dns-none", "no"}, {"dns-server", ours}});
        out.push_back(std::move(finding));
        return;
    }
    std::vector<std::string_view> servers = items_of(network.get("dns-server"));
    // Without servers of its own a network gives those of /ip/dns.
    if (servers.empty() && dns.row != nullptr) servers = items_of(dns.row->get("servers"));
    std::string others;
    for (const std::string_view server : servers) {
        if (server == ours) continue;
        if (is_own(router, server)) {
            asks_router = true;
            continue;
        }
        others.append(others.empty() ? "" : ",").append(server);
    }
    if (others.empty() && !servers.empty()) return;
    finding.what = others.empty() ? where + " names no DNS server"
                                  : where + " gives clients the DNS server " + others;
    set_row(finding, forms::set_dhcp_network, Menu::ip, network, {{"dns-server", ours}});
    out.push_back(std::move(finding));
}

void check_router_dns(const Expected& expected, const RouterDns& dns, bool asks_router,
                      Findings& out) {
    if (dns.row == nullptr || dns.forwards_here || (!asks_router && !dns.answers)) return;
    const std::string servers(dns.row->has("use-doh-server") ? dns.row->get("use-doh-server")
                                                             : dns.row->get("servers"));
    Finding finding{
        .check = "router-dns",
        .level = asks_router ? Level::problem : Level::advice,
        .what = asks_router
                    ? "clients ask the router (DHCP, or a rule of /ip/firewall/nat), which asks " +
                          servers
                    : "the router answers DNS queries itself and asks " + servers,
        .why = asks_router ? kBypassed : "a client that asks the router bypasses the policy",
        .advice = {},
        .fix = {},
        .undo = {}};
    Change fix{&forms::set_dns, Menu::ip, {}}, undo = fix;
    if (asks_router) {
        fix.arguments = {{"servers", expected.dns4->to_string()}, {"allow-remote-requests", "yes"}};
        undo.arguments = {{"servers", std::string(dns.row->get("servers"))},
                          {"allow-remote-requests", dns.answers ? "yes" : "no"}};
        if (dns.row->has("use-doh-server")) {
            fix.arguments.emplace_back("use-doh-server", "");
            undo.arguments.emplace_back("use-doh-server", dns.row->get("use-doh-server"));
        }
    } else {
        fix.arguments = {{"allow-remote-requests", "no"}};
        undo.arguments = {{"allow-remote-requests", "yes"}};
    }
    finding.fix.push_back(std::move(fix));
    finding.undo.push_back(undo.text());
    out.push_back(std::move(finding));
}

// The router asks us, and we ask the router.
void check_dns_loop(const RouterFacts& router, const Expected& expected, const RouterDns& dns,
                    Findings& out) {
    if (!dns.asks_us) return;
    const auto upstream = std::ranges::find_if(expected.upstreams, [&](const IpAddress& address) {
        return is_own(router, address.to_string());
    });
    if (upstream == expected.upstreams.end()) return;
    out.push_back(
        problem("dns-loop",
                "the router asks SteerDNS (servers of /ip/dns), and a forward asks the router at " +
                    upstream->to_string(),
                "names that neither of them knows get SERVFAIL",
                "name other upstreams in the forward, or other servers in /ip/dns; a forward with "
                "`router` asks the servers that the router learned from its provider"));
}

// DNS servers that the router learns from its provider stand beside those that are configured.
void check_peer_dns(const RouterFacts& router, const Expected& expected, const RouterDns& dns,
                    bool asks_router, Findings& out) {
    if (dns.row == nullptr || !(asks_router || (dns.answers && dns.forwards_here))) return;
    const std::string ours = expected.dns4->to_string();
    bool is_named = false;
    for (const Row& client : router.table("/ip/dhcp-client").rows) {
        const bool takes_servers =
            client.is("use-peer-dns") || client.get("use-peer-dns") == "exclusively";
        if (!client.is_enabled() || !takes_servers) continue;
        if (client.get("primary-dns") == ours && !client.has("secondary-dns")) continue;
        is_named = true;
        Finding finding =
            problem("peer-dns",
                    "the DHCP client on " + std::string(client.get("interface")) +
                        " takes DNS servers from its network (use-peer-dns), and the router asks "
                        "them beside " +
                        ours,
                    kBypassed);
        set_row(finding, forms::set_dhcp_client, Menu::ip, client, {{"use-peer-dns", "no"}});
        out.push_back(std::move(finding));
    }
    const auto learned = items_of(dns.row->get("dynamic-servers"));
    const bool are_ours = std::ranges::all_of(learned, [&](auto server) { return server == ours; });
    if (is_named || are_ours) return;
    out.push_back(
        problem("peer-dns",
                "the router learned the DNS servers " +
                    std::string(dns.row->get("dynamic-servers")) + ", and asks them beside " + ours,
                kBypassed, "set use-peer-dns=no of the PPP or LTE client that they come from"));
}

// A FWD entry answers NOERROR without records for names that do not exist: search domains stop there.
void check_forward_entries(const RouterFacts& router, Findings& out) {
    for (const Row& row : router.table("/ip/dns/static").rows) {
        if (row.get("type") != "FWD" || !row.is_enabled()) continue;
        const std::string name(row.has("name") ? row.get("name") : row.get("regexp"));
        Finding finding =
            problem("fwd-entry", "/ip/dns/static has a FWD entry for " + name,
                    "names below it that do not exist get NOERROR instead of NXDOMAIN, and "
                    "clients with "
                    "search domains stop there");
        set_row(finding, forms::set_static, Menu::ip, row, {{"disabled", "yes"}});
        out.push_back(std::move(finding));
    }
}

// Servers in router advertisements (RFC 8106). With DNS64 these are nat64_checks.cpp's.
void check_advertised_servers(const RouterFacts& router, const Expected& expected, Findings& out) {
    if (!expected.dns6 || !expected.nat64.empty()) return;
    const std::string ours = expected.dns6->to_string();
    for (const Row& row : router.table("/ipv6/nd").rows) {
        if (!row.is_enabled() || row.get("advertise-dns") == "no" ||
            row.get("advertise-dns") == "false")
            continue;
        const auto servers = items_of(row.get("dns"));
        if (servers.empty() ||
            std::ranges::all_of(servers, [&](auto server) { return server == ours; }))
            continue;
        Finding finding = problem("rdnss",
                                  "router advertisements on " + std::string(row.get("interface")) +
                                      " name the DNS server " + std::string(row.get("dns")),
                                  kBypassed);
        set_row(finding, forms::set_nd, Menu::ip, row, {{"dns", ours}});
        out.push_back(std::move(finding));
    }
}

}  // namespace

void check_dns(const RouterFacts& router, const Expected& expected, Findings& out) {
    const RouterDns dns(router, expected);
    const auto& rules = router.table("/ip/firewall/nat").rows;
    bool asks_router = std::ranges::any_of(rules, [](const Row& rule) {
        return rule.get("action") == "redirect" &&
               (is_redirect(rule, "udp") || is_redirect(rule, "tcp"));
    });
    if (expected.dns4 && router.can_read("/ip/address")) {
        for (const Row& network : router.table("/ip/dhcp-server/network").rows)
            check_network(router, expected, dns, network, asks_router, out);
        check_router_dns(expected, dns, asks_router, out);
        check_peer_dns(router, expected, dns, asks_router, out);
        check_dns_loop(router, expected, dns, out);
    }
    if (dns.answers || asks_router) check_forward_entries(router, out);
    check_advertised_servers(router, expected, out);
}

}  // namespace steer::doctor
