// Clients that ask other resolvers: plain DNS, DNS over TLS, known DoH servers. The operator
// decides whether they may, so the findings are notes. `--redirect` adds rules for them; a plain
// --fix never adds one.
#include <algorithm>

#include "control/operator/doctor/checks.h"
#include "dataplane/base/client_transport.h"

namespace steer::doctor {
namespace {

using routeros::Menu;
namespace forms = routeros::forms;

constexpr const char* kDohList = "steerdns-doh";
constexpr const char* kOnRequest = "steerctl doctor --redirect shows the rules";
constexpr unsigned kDns = row_of(ClientTransport::udp).default_port,
                   kDot = row_of(ClientTransport::dot).default_port,
                   kHttps = row_of(ClientTransport::doh).default_port;

// Public resolvers that programs ask without being configured to.
constexpr std::string_view kDohServers[] = {"1.1.1.1",
                                            "1.0.0.1",
                                            "8.8.8.8",
                                            "8.8.4.4",
                                            "9.9.9.9",
                                            "149.112.112.112",
                                            "94.140.14.14",
                                            "94.140.15.15",
                                            "208.67.222.222",
                                            "208.67.220.220",
                                            "2606:4700:4700::1111",
                                            "2606:4700:4700::1001",
                                            "2001:4860:4860::8888",
                                            "2001:4860:4860::8844",
                                            "2620:fe::fe",
                                            "2620:fe::9",
                                            "2a10:50c0::ad1:ff",
                                            "2a10:50c0::ad2:ff",
                                            "2620:119:35::35",
                                            "2620:119:53::53"};

std::string menus_of(const std::vector<Menu>& families, std::string_view below) {
    std::string text;
    for (const Menu family : families)
        text.append(text.empty() ? "" : ", ").append(menu_of(family, below));
    return text;
}

class BypassChecks {
  public:
    BypassChecks(const RouterFacts& router, const Expected& expected, Findings& out)
        : router_(router), expected_(expected), side_(client_side(router, expected)), out_(out) {
        for (const Menu family : {Menu::ip, Menu::ipv6})
            if (expected.dns(family == Menu::ip)) families_.push_back(family);
    }

    void check() {
        for (const Menu family : families_)
            for (const Row& rule : router_.table(family, kNat).rows)
                check_redirect(rule, family);
        check_plain();
        check_dot();
        check_doh();
    }

  private:
    void check_redirect(const Row& rule, Menu family);
    void check_loop(const Row& rule, Menu family);
    void check_plain();
    void check_dot();
    void check_doh();

    [[nodiscard]] std::string ours(Menu family) const {
        return expected_.dns(family == Menu::ip)->to_string();
    }
    // Families without an enabled rule of this chain's menu that does `is_it`; those that cannot be read are none.
    template <class Test>
    [[nodiscard]] std::vector<Menu> families_without(std::string_view below,
                                                     const Test& is_it) const;
    [[nodiscard]] bool is_rejected(Menu family, unsigned port) const;
    // With its rules if they are asked for and known.
    Finding note(std::string check, std::string what, std::string why) const;
    [[nodiscard]] bool gives_rules() const { return expected_.redirects && !side_.first.empty(); }
    void add_redirects(Finding& finding, Menu family) const;
    void add_rejects(Finding& finding, Menu family, unsigned port,
                     const std::string& comment) const;
    void remove_by_comment(Finding& finding, Menu family, const std::string& menu,
                           const std::string& comment) const;

    const RouterFacts& router_;
    const Expected& expected_;
    const ClientSide side_;
    std::vector<Menu> families_;  // in which we have an address
    Findings& out_;
};

// Where a rule sends queries; empty: to the router itself.
std::string_view target_of(const Row& rule) {
    if (rule.get("action") == "redirect") return {};
    for (const std::string_view name : {"to-addresses", "to-address"})
        if (rule.has(name)) return host_of(rule.get(name));
    return {};
}

void BypassChecks::check_redirect(const Row& rule, Menu family) {
    if (!is_redirect(rule, "udp") && !is_redirect(rule, "tcp")) return;
    const std::string_view target = target_of(rule);
    const std::string text = "rule " + row_text(rule) + " of " + menu_of(family, kNat);
    if (!target.empty() && target != ours(family) && !is_own(router_, target)) {
        Finding finding = problem("redirect-elsewhere",
                                  text + " redirects DNS queries of clients to " +
                                      std::string(target) + ", not to SteerDNS",
                                  kBypassed);
        const bool v4 = family == Menu::ip;
        set_row(finding, v4 ? forms::set_redirect : forms::set_redirect6, family, rule,
                {{v4 ? "to-addresses" : "to-address", ours(family)}});
        out_.push_back(std::move(finding));
        return;
    }
    check_loop(rule, family);
}

// SteerDNS asks upstreams at port 53, too: a rule that meets its queries sends them back to it.
void BypassChecks::check_loop(const Row& rule, Menu family) {
    const auto& address = *expected_.dns(family == Menu::ip);
    const std::string interface = interface_towards(router_, address);
    const std::string_view in = rule.get("in-interface"), list = rule.get("in-interface-list");
    const bool is_limited =
        rule.has("src-address") || rule.has("src-address-list") || rule.has("src-mac-address");
    const bool is_elsewhere =
        interface.empty() ? !in.empty() || !list.empty()
                          : (!in.empty() && in != interface) ||
                                (!list.empty() &&
                                 !is_client_interface(
                                     router_, {"in-interface-list", std::string(list)}, interface));
    if (is_limited || is_elsewhere) return;
    Finding finding = problem("redirect-loop",
                              "rule " + row_text(rule) + " of " + menu_of(family, kNat) +
                                  " redirects SteerDNS's own queries to upstreams, too",
                              "these queries come back to SteerDNS, and names do not resolve");
    set_row(finding, family == Menu::ip ? forms::set_redirect : forms::set_redirect6, family, rule,
            {{"src-address", "!" + address.to_string()}});
    out_.push_back(std::move(finding));
}

template <class Test>
std::vector<Menu> BypassChecks::families_without(std::string_view below, const Test& is_it) const {
    std::vector<Menu> without;
    for (const Menu family : families_) {
        const Table& table = router_.table(family, below);
        if (table.error.empty() && !is_it(family)) without.push_back(family);
    }
    return without;
}

bool BypassChecks::is_rejected(Menu family, unsigned port) const {
    return std::ranges::any_of(router_.table(family, kFilter).rows, [port](const Row& rule) {
        const bool by_list = rule.has("dst-address-list") || rule.has("tls-host");
        return rule.is_enabled() && rule.get("chain") == "forward" &&
               (rule.get("action") == "drop" || rule.get("action") == "reject") &&
               rule.get("protocol") == "tcp" && has_port(rule.get("dst-port"), port) &&
               (port != kHttps || by_list);
    });
}

Finding BypassChecks::note(std::string check, std::string what, std::string why) const {
    Finding finding = problem(std::move(check), std::move(what), std::move(why));
    finding.level = Level::note;
    if (!expected_.redirects)
        finding.advice = kOnRequest;
    else if (side_.first.empty())
        finding.advice = "put the interfaces of clients into the interface list LAN first";
    return finding;
}

void BypassChecks::remove_by_comment(Finding& finding, Menu family, const std::string& menu,
                                     const std::string& comment) const {
    finding.undo.push_back((family == Menu::ip ? "/ip firewall " : "/ipv6 firewall ") + menu +
                           " remove [find where comment=\"" + comment + "\"]");
}

// The exceptions: SteerDNS asks upstreams itself, and queries for the router's own DNS stay there.
void BypassChecks::add_redirects(Finding& finding, Menu family) const {
    const std::string comment = "steerdns: redirect of DNS";
    const auto& form = family == Menu::ip ? forms::add_redirect : forms::add_redirect6;
    for (const char* const protocol : {"udp", "tcp"}) {
        finding.fix.push_back({&form,
                               family,
                               {{"chain", "dstnat"},
                                side_,
                                {"protocol", protocol},
                                {"src-address", "!" + ours(family)},
                                {"dst-address", "!" + ours(family)},
                                {"dst-address-type", "!local"},
                                {"dst-port", std::to_string(kDns)},
                                {"action", "dst-nat"},
                                {family == Menu::ip ? "to-addresses" : "to-address", ours(family)},
                                {"comment", comment}}});
    }
    // In one network with its clients, SteerDNS would answer them past the router, from another address.
    const auto& address = *expected_.dns(family == Menu::ip);
    const std::string interface = interface_towards(router_, address);
    if (is_client_interface(router_, side_, interface)) {
        for (const Row& row : router_.table(family, "/address").rows) {
            if (!contains(row.get("address"), address)) continue;
            for (const char* const protocol : {"udp", "tcp"}) {
                finding.fix.push_back({&form,
                                       family,
                                       {{"chain", "srcnat"},
                                        {"protocol", protocol},
                                        {"src-address", std::string(row.get("address"))},
                                        {"dst-address", ours(family)},
                                        {"dst-port", std::to_string(kDns)},
                                        {"action", "masquerade"},
                                        {"comment", comment}}});
            }
            finding.advice = "SteerDNS sees the router as the client of redirected queries";
            break;
        }
    }
    remove_by_comment(finding, family, "nat", comment);
}

void BypassChecks::add_rejects(Finding& finding, Menu family, unsigned port,
                               const std::string& comment) const {
    const auto& rules = router_.table(family, kFilter).rows;
    const auto first = std::ranges::find_if(rules, [](const Row& rule) {
        return rule.get("chain") == "forward" && !rule.is("dynamic");
    });
    for (const std::string protocol : {"tcp", "udp"}) {
        Change add{&forms::add_reject, family, {{"chain", "forward"}}};
        add.arguments.push_back(side_);
        add.arguments.insert(add.arguments.end(), {{"src-address", "!" + ours(family)},
                                                   {"protocol", protocol},
                                                   {"dst-port", std::to_string(port)}});
        if (port == kHttps) add.arguments.emplace_back("dst-address-list", kDohList);
        add.arguments.emplace_back("action", "reject");
        add.arguments.emplace_back("reject-with",
                                   protocol == "tcp" ? "tcp-reset" : "icmp-port-unreachable");
        add.arguments.emplace_back("comment", comment);
        if (first != rules.end()) add.arguments.emplace_back("place-before", first->id());
        finding.fix.push_back(std::move(add));
    }
    remove_by_comment(finding, family, "filter", comment);
}

void BypassChecks::check_plain() {
    const auto without = families_without(kNat, [&](Menu family) {
        const auto& rules = router_.table(family, kNat).rows;
        return std::ranges::all_of(
            std::initializer_list<std::string_view>{"udp", "tcp"}, [&](std::string_view protocol) {
                return std::ranges::any_of(
                    rules, [&](const Row& rule) { return is_redirect(rule, protocol); });
            });
    });
    if (without.empty()) return;
    Finding finding = note(
        "bypass-dns",
        "queries of clients to other DNS servers are not redirected (" + menus_of(without, kNat) +
            ", port 53, UDP and TCP)",
        "a client with another DNS server bypasses SteerDNS, and its connections get no egress");
    if (gives_rules())
        for (const Menu family : without)
            add_redirects(finding, family);
    out_.push_back(std::move(finding));
}

void BypassChecks::check_dot() {
    const auto without =
        families_without(kFilter, [&](Menu family) { return is_rejected(family, kDot); });
    if (without.empty()) return;
    Finding finding =
        note("bypass-dot",
             "clients may use DNS over TLS and QUIC elsewhere (" + menus_of(without, kFilter) +
                 ", port 853)",
             "such a client bypasses SteerDNS. One that is set to a DNS server of its own by name "
             "(Android: Private DNS) has no DNS with the rules");
    if (gives_rules())
        for (const Menu family : without)
            add_rejects(finding, family, kDot, "steerdns: no DNS over TLS");
    out_.push_back(std::move(finding));
}

void BypassChecks::check_doh() {
    const auto without =
        families_without(kFilter, [&](Menu family) { return is_rejected(family, kHttps); });
    if (without.empty()) return;
    Finding finding =
        note("bypass-doh",
             "clients may use well-known servers of DNS over HTTPS (" + menus_of(without, kFilter) +
                 ", port 443)",
             "a browser with its own DNS server bypasses SteerDNS. The rules stop the "
             "addresses that they list, no others");
    if (gives_rules()) {
        const std::string comment = "steerdns: no DNS over HTTPS";
        for (const Menu family : without) {
            for (const std::string_view server : kDohServers) {
                if ((server.find(':') == server.npos) != (family == Menu::ip)) continue;
                finding.fix.push_back(
                    {&forms::add_row,
                     family,
                     {{"list", kDohList}, {"address", std::string(server)}, {"comment", comment}}});
            }
            add_rejects(finding, family, kHttps, comment);
            remove_by_comment(finding, family, "address-list", comment);
        }
    }
    out_.push_back(std::move(finding));
}

}  // namespace

// A rule for one destination only (a failover for our address) redirects nothing else.
bool is_redirect(const Row& rule, std::string_view protocol) {
    const bool is_narrow = rule.has("dst-address") && !rule.get("dst-address").starts_with('!');
    return rule.is_enabled() && rule.get("chain") == "dstnat" && !is_narrow &&
           (rule.get("action") == "dst-nat" || rule.get("action") == "redirect") &&
           rule.get("protocol") == protocol && has_port(rule.get("dst-port"), kDns);
}

void check_bypass(const RouterFacts& router, const Expected& expected, Findings& out) {
    BypassChecks(router, expected, out).check();
}

}  // namespace steer::doctor
