// DHCP beyond the server's networks: relays, pools without a network, DNS servers as options, DHCPv6.
#include <algorithm>
#include <charconv>
#include <optional>

#include "control/operator/doctor/checks.h"

namespace steer::doctor {
namespace {

using routeros::Menu;
namespace forms = routeros::forms;

constexpr std::string_view kDnsOption = "6", kDns6Option = "23";  // RFC 2132, RFC 3646

std::optional<std::uint8_t> byte_of(std::string_view digits) {
    std::uint8_t byte = 0;
    const char* const end = digits.data() + digits.size();
    const auto [stop, error] = std::from_chars(digits.data(), end, byte, 16);
    return error == std::errc{} && stop == end ? std::optional(byte) : std::nullopt;
}

// Addresses that an option's value stands for: `'192.0.2.1'`, or bytes as 0x...; no value: something else.
std::optional<std::vector<IpAddress>> addresses_of(std::string_view value, std::size_t bytes) {
    std::vector<IpAddress> all;
    while (value.starts_with('\'')) {
        const std::size_t end = value.find('\'', 1);
        if (end == value.npos) return std::nullopt;
        const auto address = IpAddress::parse(value.substr(1, end - 1));
        if (!address || address->is_v4() != (bytes == 4)) return std::nullopt;
        all.push_back(*address);
        value.remove_prefix(end + 1);
    }
    if (value.empty()) return all;
    if (!value.starts_with("0x") || (value.size() - 2) % (2 * bytes) != 0) return std::nullopt;
    value.remove_prefix(2);
    std::vector<std::uint8_t> read;
    for (; !value.empty(); value.remove_prefix(2)) {
        const auto byte = byte_of(value.substr(0, 2));
        if (!byte) return std::nullopt;
        read.push_back(*byte);
        if (read.size() < bytes) continue;
        all.push_back(bytes == 4 ? IpAddress::from_v4(read.data())
                                 : IpAddress::from_v6(read.data()));
        read.clear();
    }
    return all;
}

std::string value_of(const IpAddress& address) {
    constexpr std::string_view kHex = "0123456789abcdef";
    std::string text = "0x";
    for (std::size_t i = address.is_v4() ? 12 : 0; i < address.bytes.size(); ++i)
        text += {kHex[address.bytes[i] >> 4], kHex[address.bytes[i] & 15]};
    return text;
}

// An option that gives other DNS servers than ours. `where`: who gives it.
void check_option(const Row& option, const IpAddress& ours, const routeros::CommandForm& form,
                  const std::string& where, Findings& out) {
    const auto addresses = addresses_of(option.get("value"), ours.is_v4() ? 4 : 16);
    const bool is_right = addresses && !addresses->empty() &&
                          std::ranges::all_of(*addresses, [&](const auto& a) { return a == ours; });
    if (is_right) return;
    Finding finding = problem(
        ours.is_v4() ? "dhcp-option-dns" : "dhcpv6-dns",
        where + " gives clients the DNS servers of the option " + std::string(option.get("name")) +
            ", " + std::string(option.get("value")) + ", not SteerDNS (" + ours.to_string() + ")",
        kBypassed);
    set_row(finding, form, Menu::ip, option, {{"value", value_of(ours)}});
    out.push_back(std::move(finding));
}

void check_options(const RouterFacts& router, const Expected& expected, Findings& out) {
    for (const Row& option : router.table("/ip/dhcp-server/option").rows) {
        if (!expected.dns4 || option.get("code") != kDnsOption) continue;
        for (const Row& network : router.table("/ip/dhcp-server/network").rows) {
            if (!gives_option(router, network, option.get("name"))) continue;
            check_option(option, *expected.dns4, forms::set_dhcp_option,
                         "the DHCP network " + std::string(network.get("address")), out);
            break;
        }
    }
    for (const Row& option : router.table("/ipv6/dhcp-server/option").rows) {
        if (!expected.dns6 || option.get("code") != kDns6Option) continue;
        for (const Row& server : router.table("/ipv6/dhcp-server").rows) {
            if (!server.is_enabled() || !server.lists("dhcp-option", option.get("name"))) continue;
            check_option(option, *expected.dns6, forms::set_dhcp6_option,
                         "the DHCPv6 server " + std::string(server.get("name")), out);
            break;
        }
    }
}

// The first address of a server's pool; no value: it has none, or addresses are given by hand.
std::optional<IpAddress> first_address(const RouterFacts& router, const Row& server) {
    const Row* const pool = router.table("/ip/pool").find("name", server.get("address-pool"));
    if (pool == nullptr) return std::nullopt;
    const std::string_view ranges = pool->get("ranges");
    return IpAddress::parse(ranges.substr(0, ranges.find_first_of("-/,")));
}

// Networks of a relay are behind another router: their rows are easily forgotten.
void check_servers(const RouterFacts& router, const Expected& expected, Findings& out) {
    const ClientSide side = client_side(router, expected);
    const auto& networks = router.table("/ip/dhcp-server/network");
    for (const Row& server : router.table("/ip/dhcp-server").rows) {
        if (!server.is_enabled()) continue;
        const bool is_relayed = server.has("relay") && server.get("relay") != "0.0.0.0";
        const std::string where =
            "the DHCP server " + std::string(server.get("name")) +
            (is_relayed ? " for clients of the relay " + std::string(server.get("relay")) : "");
        const auto first = first_address(router, server);
        const bool has_network = std::ranges::any_of(networks.rows, [&](const Row& network) {
            return first && contains(network.get("address"), *first);
        });
        if (first && !has_network && networks.error.empty())
            out.push_back(problem("dhcp-network-missing",
                                  where + " gives addresses like " + first->to_string() +
                                      ", and no row of /ip/dhcp-server/network contains them",
                                  "these clients get no DNS server and no gateway",
                                  "add the network with dns-server=" +
                                      (expected.dns4 ? expected.dns4->to_string() : "ADDRESS")));
        const bool knows_side = !side.first.empty() && router.can_read("/interface/list/member");
        if (is_relayed && knows_side && !expected.plan.egresses.empty() &&
            !is_client_interface(router, side, server.get("interface")))
            out.push_back(
                problem("relay-interface",
                        where + " has the interface " + std::string(server.get("interface")) +
                            ", which is not among the interfaces of clients (" + side.second + ")",
                        "connections of these clients get no mark",
                        side.first == "in-interface-list"
                            ? "/interface list member add list=" + side.second +
                                  " interface=" + std::string(server.get("interface"))
                            : "add rules for that interface"));
    }
    for (const Row& relay : router.table("/ip/dhcp-relay").rows) {
        if (!relay.is_enabled()) continue;
        Finding note = problem("dhcp-relay",
                               "DHCP requests from " + std::string(relay.get("interface")) +
                                   " go to the server " + std::string(relay.get("dhcp-server")),
                               "that server chooses the DNS server of these clients",
                               "look there whether it gives SteerDNS's address");
        note.level = Level::note;
        out.push_back(std::move(note));
    }
}

// What `/ip/dhcp-server/alert` has found: another server gives its own DNS server.
void check_other_servers(const RouterFacts& router, Findings& out) {
    for (const Row& alert : router.table("/ip/dhcp-server/alert").rows) {
        if (!alert.is_enabled() || !alert.has("unknown-server")) continue;
        out.push_back(problem(
            "dhcp-other-server",
            "another DHCP server answers on " + std::string(alert.get("interface")) + ": " +
                std::string(alert.get("unknown-server")) + " (/ip/dhcp-server/alert)",
            "its clients get its DNS server, and do not follow the policy",
            "turn that server off, or add it to valid-server of the alert if it gives SteerDNS's "
            "address"));
    }
}

// Clients of the network get our address as a DNS server, by its row or by an option.
bool gives_ours(const RouterFacts& router, const Row& network, const IpAddress& ours) {
    if (!network.is("dns-none")) {
        std::vector<std::string_view> servers = items_of(network.get("dns-server"));
        const auto& dns = router.table("/ip/dns").rows;
        // Without servers of its own a network gives those of /ip/dns.
        if (servers.empty() && !dns.empty()) servers = items_of(dns.front().get("servers"));
        if (std::ranges::find(servers, ours.to_string()) != servers.end()) return true;
    }
    const auto& options = router.table("/ip/dhcp-server/option").rows;
    return std::ranges::any_of(options, [&](const Row& option) {
        if (option.get("code") != kDnsOption || !gives_option(router, network, option.get("name")))
            return false;
        const auto addresses = addresses_of(option.get("value"), 4);
        return addresses && std::ranges::find(*addresses, ours) != addresses->end();
    });
}

// Clients complete short names by the network's domain; the names of leases are below that of dhcp_leases.
void check_domain(const RouterFacts& router, const Expected& expected, Findings& out) {
    if (expected.lease_domain.empty() || !expected.dns4) return;
    for (const Row& network : router.table("/ip/dhcp-server/network").rows) {
        if (!gives_ours(router, network, *expected.dns4)) continue;
        std::string domain(network.get("domain"));
        std::ranges::transform(domain, domain.begin(), [](char c) {
            return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
        });
        if (domain.ends_with('.')) domain.pop_back();
        if (domain == expected.lease_domain) continue;
        Finding finding =
            problem("dhcp-domain",
                    "the DHCP network " + std::string(network.get("address")) +
                        (domain.empty() ? " gives clients no domain"
                                        : " gives clients the domain " + domain) +
                        ", and the names of leases are below " + expected.lease_domain,
                    "clients find each other by full names only");
        finding.level = Level::advice;
        set_row(finding, forms::set_dhcp_network, Menu::ip, network,
                {{"domain", expected.lease_domain}});
        out.push_back(std::move(finding));
    }
}

}  // namespace

void check_dhcp(const RouterFacts& router, const Expected& expected, Findings& out) {
    check_options(router, expected, out);
    check_servers(router, expected, out);
    check_other_servers(router, out);
    check_domain(router, expected, out);
}

bool gives_option(const RouterFacts& router, const Row& network, std::string_view option) {
    if (network.lists("dhcp-option", option)) return true;
    const Row* const set =
        router.table("/ip/dhcp-server/option/sets").find("name", network.get("dhcp-option-set"));
    return set != nullptr && set->lists("options", option);
}

}  // namespace steer::doctor
