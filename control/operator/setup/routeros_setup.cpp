#include "control/operator/setup/routeros_setup.h"

#include <string_view>
#include <utility>
#include <vector>

#include "control/operator/setup/router_plan.h"
#include "control/operator/setup/steps.h"
#include "matchers/quote.h"

namespace steer::setup {
namespace {

using matchers::quoted;

std::string all_quoted(const std::vector<std::string>& names) {
    std::string out;
    for (const std::string& name : names)
        out += (out.empty() ? "" : ", ") + quoted(name);
    return out;
}

// ---- what the operator fills in

class Blanks {
  public:
    explicit Blanks(const Values& values) : values_(values) {}
    // `value`: RouterOS text; a filled-in value replaces it.
    void add(const std::string& why, std::string_view name, const std::string& value) {
        const auto filled = values_.find(name);
        text_ += "# " + why + "\n:local " + std::string(name) + " " +
                 (filled == values_.end() ? value : literal(filled->second)) + "\n";
    }
    // Stays empty whatever the values say.
    void add_empty(const std::string& why, std::string_view name) {
        text_ += "# " + why + "\n:local " + std::string(name) + " \"\"\n";
    }
    void add_required(const std::string& why, const std::string& name) {
        add(why, name, "\"\"");
        require_filled(name, name);
    }
    void require_filled(std::string_view name, const std::string& what) {
        require("[:len $" + std::string(name) + "] = 0", what + " is missing: fill it in");
    }
    // Nothing is done while `condition` holds.
    void require(const std::string& condition, const std::string& sentence) {
        checks_ +=
            ":if (" + condition + ") do={ :error " + literal("steerdns: " + sentence) + " }\n";
    }
    [[nodiscard]] std::string text() const {
        return "# -- Fill in\n" + text_ + "# -- Checks: the block stops here if one fails\n" +
               checks_;
    }

  private:
    const Values& values_;
    std::string text_, checks_;
};

// The address that clients will ask: as the answers or the configuration say; empty: neither does.
std::string known_dns(const Values& values, std::string_view name,
                      const std::optional<IpAddress>& address) {
    const auto filled = values.find(name);
    if (filled != values.end()) return filled->second;
    return address ? address->to_string() : "";
}
std::string variable(std::string_view name) {
    return "$" + std::string(name);
}

// A known address is not filled in: the last step of the block sets it, once steerdnsd answers.
void add_addresses(const Plan& plan, const RouterPlan& router, const Values& values,
                   RouterOs version, Blanks& out) {
    const bool is_v4 = router.host.find(':') == std::string::npos;
    const std::string_view dns = is_v4 ? blanks::kDns4 : blanks::kDns6;
    const std::string dns4 = known_dns(values, blanks::kDns4, plan.dns4);
    const std::string dns6 = known_dns(values, blanks::kDns6, plan.dns6);
    const std::string client = !router.api_client.empty() ? router.api_client : is_v4 ? dns4 : dns6;
    const bool known = !client.empty();
    out.add_empty(
        dns4.empty()
            ? "IPv4 address of steerdnsd, the DNS server of clients; empty: DHCP stays unchanged"
            : "IPv4 address of steerdnsd, the DNS server of clients; the last step sets it",
        blanks::kDns4);
    if (version == RouterOs::v7 || !is_v4)
        out.add_empty(dns6.empty()
                          ? "IPv6 address of steerdnsd; empty: router advertisements stay unchanged"
                          : "IPv6 address of steerdnsd; the last step sets it",
                      blanks::kDns6);
    out.add("Source address of steerdnsd's API connections; add other API clients after a comma",
            blanks::kApiClient, known ? literal(client) : variable(dns));
    out.require_filled(blanks::kApiClient,
                       (known ? "" : std::string(dns) + " or ") + std::string(blanks::kApiClient));
}

void add_gateways(const RouterPlan& router, RouterOs version, Blanks& out) {
    for (std::size_t i = 0; i < router.egresses.size(); ++i) {
        const Egress& egress = router.egresses[i];
        const auto add = [&](const std::vector<std::string>& lists, const std::string& family,
                             const std::string& name) {
            if (lists.empty()) return;
            out.add_required("Next hop for connections to " + all_quoted(lists) + " (" + family +
                                 "): an address, or the name of a tunnel",
                             name);
        };
        add(egress.lists4, "IPv4", blanks::gateway4(i));
        if (version == RouterOs::v7) add(egress.lists6, "IPv6", blanks::gateway6(i));
    }
}

// The commands of one major version do not suit the other.
void require_version(RouterOs version, Blanks& out) {
    const bool is_7 = version == RouterOs::v7;
    out.require(std::string("[:pick [/system resource get version] 0 2] ") + (is_7 ? "=" : "!=") +
                    " \"6.\"",
                is_7 ? "this router runs RouterOS 6: print the commands with --routeros-6"
                     : "this router does not run RouterOS 6: print the commands without "
                       "--routeros-6");
}

// "# Needs RouterOS 7.1 or newer: routing marks for IPv6"
std::string needs(const std::vector<routeros::FeatureId>& features) {
    std::string out;
    for (const routeros::FeatureId id : features) {
        const routeros::Feature& feature = routeros::feature(id);
        out += "# Needs RouterOS " + feature.first.to_string() +
               " or newer: " + std::string(feature.what) + "\n";
    }
    return out;
}

Blanks blanks_of(const Plan& plan, const RouterPlan& router, const Values& values,
                 RouterOs version) {
    Blanks out(values);
    require_version(version, out);
    add_addresses(plan, router, values, version, out);
    for (std::size_t i = 0; i < router.users.size(); ++i) {
        const std::string& name = router.users[i];
        out.add_required("Password of the API user " + quoted(name) + ", as in the configuration",
                         blanks::password(i));
        out.require(
            "[:len [/user find where name=" + literal(name) + "]] > [:len [/user find where " +
                own_user(name) + "]]",
            "user " + name +
                " exists, but this script did not create it: remove it, or configure another "
                "username");
    }
    add_gateways(router, version, out);
    const std::string interfaces = variable(blanks::kInterfaces);
    out.add("Interface list of the interfaces to your clients", blanks::kInterfaces,
            literal("LAN"));
    out.require(
        "[:len [/interface list find where name=" + interfaces + "]] = 0",
        "the interface list in clientInterfaces does not exist: create it, or name another");
    out.add(
        "DHCP networks that announce steerdnsd as the DNS server; for one network: "
        "[/ip dhcp-server network find where address=\"192.168.88.0/24\"]",
        blanks::kDhcpNetworks, "[/ip dhcp-server network find]");
    if (version == RouterOs::v6) return out;
    out.add(
        "Router advertisements that announce steerdnsd; for one interface: "
        "[/ipv6 nd find where interface=bridge]",
        blanks::kAdvertisements, "[/ipv6 nd find]");
    return out;
}

// ---- the text

// Settings of the API service that the configuration expects and that no command here changes.
std::string service_notes(const RouterPlan& router, RouterOs version) {
    std::string out;
    for (const ApiService& api : router.services) {
        const std::string name = api.tls ? "api-ssl" : "api";
        if (api.port != (api.tls ? 8729 : 8728))
            out += "# The configuration uses port " + std::to_string(api.port) +
                   ": /ip service set " + name + " port=" + std::to_string(api.port) + "\n";
        if (api.tls && !api.anonymous)
            out += "# api-ssl needs a certificate: /ip service set api-ssl certificate=NAME\n";
    }
    if (!router.route_tables.empty() && version == RouterOs::v6)
        out += "# ros_route needs RouterOS 7: no commands for its routing table\n";
    if (!router.route_tables.empty() && version == RouterOs::v7)
        out +=
            "# Fasttrack ignores routing rules: connections that take a route of ros_route must "
            "not "
            "be fasttracked\n# (docs/guides/routers.md, \"Routes instead of lists\")\n";
    return out;
}

// A block counts its changes, and its last line prints the counts. The line is missing if the block stopped.
std::string begin_tally(std::string_view first, std::string_view second) {
    return ":local " + std::string(first) + " 0\n:local " + std::string(second) + " 0\n";
}
std::string end_tally(const std::string& what, const std::string& first_text,
                      std::string_view first, const std::string& second_text,
                      std::string_view second) {
    return ":put (\"steerdns: " + what + " complete; " + first_text + ": \" . " + variable(first) +
           " . \", " + second_text + ": \" . " + variable(second) + ")\n";
}

std::string head(const std::string& title, const std::string& text) {
    return "\n# ==== router " + title + "\n" + text;
}

// Clients lose DNS if they are moved before steerdnsd answers them.
std::string move_clients_note(const Plan& plan, const Values& values, RouterOs version) {
    const std::string dns4 = known_dns(values, blanks::kDns4, plan.dns4);
    const std::string dns6 =
        version == RouterOs::v7 ? known_dns(values, blanks::kDns6, plan.dns6) : std::string();
    if (dns4.empty() && dns6.empty()) return {};
    std::string out =
        "# ---- Last step: clients ask steerdnsd. It does nothing as it is.\n"
        "# Check first, on a client, that steerdnsd answers:  nslookup debian.org " +
        (dns4.empty() ? dns6 : dns4) +
        "\n# Then remove the '# ' before :set, and import the file or paste the block again. "
        "Nothing is "
        "done twice.\n";
    for (const auto& [name, address] : {std::pair{blanks::kDns4, dns4}, {blanks::kDns6, dns6}}) {
        if (!address.empty()) out += "# :set " + std::string(name) + " " + literal(address) + "\n";
    }
    return out;
}

// A block: its blanks, its steps, and `last` before the first that moves clients.
std::string set_up_block(const std::string& title, const std::string& notes,
                         const std::string& blanks, const std::vector<Step>& steps,
                         const std::string& last) {
    std::string out = head(title + ": set up",
                           "# Fill in the values. Then paste from the first brace to the last. "
                           "The last line prints a summary.\n# If that line is missing, a command "
                           "failed, and the block stopped there. Fix the cause, and paste the\n"
                           "# whole block again: it skips what is done already. To change a value "
                           "later, undo first.\n");
    out += notes + "{\n" + blanks + begin_tally(tallies::kAdded, tallies::kChanged);
    bool is_last_step = false;
    for (const Step& step : steps) {
        if (step.moves_clients && !std::exchange(is_last_step, true)) out += last;
        out += "# -- " + step.what + "\n" + step.does;
    }
    return out +
           end_tally("setup", "rows added", tallies::kAdded, "rows changed", tallies::kChanged) +
           "}\n";
}

std::string set_up(const Plan& plan, const RouterPlan& router, const std::vector<Step>& steps,
                   const Values& values, RouterOs version) {
    const std::string versions =
        version == RouterOs::v7 ? needs(features_of(router, false)) : std::string();
    return set_up_block(all_quoted(router.names), versions + service_notes(router, version),
                        blanks_of(plan, router, values, version).text(), steps,
                        move_clients_note(plan, values, version));
}

// ---- an IPv6-mostly network

constexpr const char* kNat64Title = "of the IPv6-mostly network";

std::string nat64_set_up(const Plan& plan, const std::vector<Step>& steps, const Values& values) {
    Blanks out(values);
    require_version(RouterOs::v7, out);
    out.add_required(
        "Next hop to the NAT64 translator: an IPv6 address, or the name of an interface",
        std::string(blanks::kTranslator));
    out.add("IPv4 pool of the translator, such as 192.168.255.0/24; empty: it does NAT itself",
            blanks::kPool, "\"\"");
    out.add_required("The interface of your clients, such as bridge",
                     std::string(blanks::kInterface));
    const std::string interface = variable(blanks::kInterface);
    out.require("[:len [/interface find where name=" + interface + "]] = 0",
                "there is no interface of the name in clientInterface: correct it");
    out.require(
        "[:len [/ipv6 nd find where interface=" + interface +
            "]] > [:len [/ipv6 nd find where interface=" + interface +
            " and comment=\"steerdns: IPv6-mostly\"]]",
        "/ipv6 nd has an entry for clientInterface that this script did not create: set its "
        "pref64, dns and advertise-dns=yes yourself, or remove it");
    const std::string dns6 = known_dns(values, blanks::kDns6, plan.dns6);
    out.add("IPv6 address of steerdnsd, the DNS server of clients", blanks::kDns6, literal(dns6));
    out.require_filled(blanks::kDns6, std::string(blanks::kDns6));
    out.add("DHCP option 108; the last step sets it to yes", blanks::kIpv6Only, "\"no\"");
    const std::string last =
        "# ---- Last step: clients stop using IPv4. It does nothing as it is.\n"
        "# Check first, on a client with IPv6 only, that this opens a page of an IPv4-only "
        "server:\n"
        "#     curl -6 http://ipv4only.arpa/\n"
        "# A client that honours option 108 has no IPv4 from then on. It depends on all steps "
        "above.\n"
        "# Then remove the '# ' before :set, and paste the block again. Nothing is done twice.\n"
        "# Clients come back to IPv4 within 300 s. Raise the value to a day (0x00015180) later.\n"
        "# :set " +
        std::string(blanks::kIpv6Only) + " \"yes\"\n";
    return set_up_block(kNat64Title, needs({routeros::FeatureId::pref64}), out.text(), steps, last);
}

std::string undo_block(const std::vector<Step>& steps) {
    std::string out = begin_tally(tallies::kRemoved, tallies::kPutBack);
    for (auto step = steps.rbegin(); step != steps.rend(); ++step)
        out += step->undoes;
    return out +
           end_tally("undo", "rows removed", tallies::kRemoved, "rows restored",
                     tallies::kPutBack) +
           "}\n";
}

std::string undo(const std::string& title, const std::vector<Step>& steps) {
    std::string out =
        head(title + ": undo",
             "# Undoes the block above, also if that stopped half-way. Write yes in its first "
             "command.\n");
    out +=
        "{\n:local undo \"no\"\n:if ($undo != \"yes\") do={ :error \"steerdns: undo not "
        "confirmed: write yes in the first command of the undo block\" }\n";
    return out + undo_block(steps);
}

// ---- while steerdnsd is down

std::string failover_loss(const Plan& plan, const Failover& failover, RouterOs version) {
    std::string out =
        failover.second
            ? "# What you lose: clients ask the second server whenever they like, not only while "
              "steerdnsd is down.\n"
            : "# What you lose while steerdnsd is down:\n";
    out +=
        "# - Names that it does not resolve get no rows. Policy routing by name stops for them: "
        "new\n"
        "#   connections use the main table, unless their address has a row from before.\n"
        "# - Filters, static records and lists of names of the configuration do not apply to "
        "them.\n";
    if (!plan.nat64.empty())
        out +=
            "# - There is no DNS64: clients without IPv4 reach no IPv4-only server, unless they "
            "have "
            "CLAT.\n";
    out += "# - Clients keep these answers until their TTL ends, also when steerdnsd is back.\n";
    if (failover.second) return out;
    out +=
        "# Queries of clients must pass this router; clients in one network with steerdnsd ask it "
        "directly.\n"
        "# The router then answers DNS: your input chain must drop port 53 from the uplink.\n";
    if (version == RouterOs::v6)
        out +=
            "# RouterOS 6 watches the host by ping only: it does not notice that steerdnsd alone "
            "stopped.\n";
    return out;
}

// The undo needs no value of the setup but the second server.
std::string undo_of_failover(const std::string& name, const std::vector<Step>& steps,
                             const Failover& failover, const Plan& plan) {
    std::string text = undo(name, steps);
    if (!failover.second) return text;
    const bool v4 = failover.second->is_v4();
    const auto& ours = v4 ? plan.dns4 : plan.dns6;
    const std::string values = ":local " + std::string(v4 ? blanks::kDns4 : blanks::kDns6) + " " +
                               literal(ours ? ours->to_string() : "") + "\n:local " +
                               std::string(blanks::kSecond) + " " +
                               literal(failover.second->to_string()) + "\n";
    const std::string start = begin_tally(tallies::kRemoved, tallies::kPutBack);
    return text.insert(text.find(start), values);
}

Result<std::string> failover_blocks(const Plan& plan, const std::string& title,
                                    const Values& values, RouterOs version,
                                    const Failover& failover, const std::string& file) {
    const std::string name = title + ": failover";
    Blanks out(values);
    require_version(version, out);
    const auto add_ours = [&](std::string_view blank, const std::optional<IpAddress>& address,
                              const std::string& text) {
        out.add(text, blank, literal(known_dns(values, blank, address)));
    };
    const std::string ours4 = "IPv4 address of steerdnsd, which clients ask";
    const std::string ours6 = "IPv6 address of steerdnsd, which clients ask";
    std::vector<Step> steps;
    if (failover.second) {
        const bool v4 = failover.second->is_v4();
        const auto& ours = v4 ? plan.dns4 : plan.dns6;
        if (ours == failover.second)
            return Error{"--failover " + failover.second->to_string() +
                             " is the address of this steerdnsd; name another server",
                         file};
        add_ours(v4 ? blanks::kDns4 : blanks::kDns6, ours, v4 ? ours4 : ours6);
        out.require_filled(v4 ? blanks::kDns4 : blanks::kDns6,
                           std::string(v4 ? blanks::kDns4 : blanks::kDns6));
        out.add("The second server", blanks::kSecond, literal(failover.second->to_string()));
        steps = second_server_steps(v4);
    } else {
        add_ours(blanks::kDns4, plan.dns4, ours4);
        out.require_filled(blanks::kDns4, std::string(blanks::kDns4));
        if (version == RouterOs::v7) add_ours(blanks::kDns6, plan.dns6, ours6 + "; empty: none");
        out.add("DNS servers that the router asks; empty: those that it has", blanks::kServers,
                "\"\"");
        steps = netwatch_steps(version);
    }
    return Result<std::string>(
        boost::system::in_place_value,
        set_up_block(name, failover_loss(plan, failover, version), out.text(), steps, {}) +
            undo_of_failover(name, steps, failover, plan));
}

std::string introduction(const config::Settings& settings, const Plan& plan, RouterOs version) {
    const bool is_7 = version == RouterOs::v7;
    std::string out =
        std::string("# RouterOS ") + (is_7 ? "7" : "6") + " commands for the routers of " +
        quoted(settings.file) +
        ", made by steerdnsd --routeros-setup (docs/guides/routers.md).\n"
        "# Each router has two blocks: the setup and its undo. Back up the router first: "
        "/export file=before-steerdns\n" +
        (is_7 ? "# For RouterOS 6, add --routeros-6.\n"
              : "# RouterOS 6 routes no IPv6 by mark: IPv6 lists get rows, and no route.\n");
    for (const std::string& name : plan.unused)
        out += "# No commands for router " + quoted(name) + ": no plugin uses it.\n";
    return out;
}

}  // namespace

std::optional<Failover> Failover::parse(std::string_view text) {
    if (text == "netwatch") return Failover{true, {}};
    const auto address = IpAddress::parse(text);
    if (!address || address->is_loopback()) return std::nullopt;
    return Failover{false, address};
}

Result<std::string> routeros_setup(const config::Settings& settings, const Values& values,
                                   RouterOs version, const Failover& failover) {
    const Plan plan = plan_routers(settings);
    const bool has_nat64 = !plan.nat64.empty() && version == RouterOs::v7;
    if (plan.routers.empty() && !has_nat64) {
        if (!plan.nat64.empty())
            return Error{
                "RouterOS 6 cannot announce a NAT64 prefix (PREF64): update the router to RouterOS "
                "7",
                settings.file};
        return Error{
            "no router to set up: the configuration has no ros_address_list, no ros_route, no "
            "ros_list, no dhcp_leases and no dns64; add one",
            settings.file};
    }
    std::string out = introduction(settings, plan, version);
    for (const RouterPlan& router : plan.routers) {
        const std::vector<Step> steps = steps_for(router, version);
        out += set_up(plan, router, steps, values, version) + undo(all_quoted(router.names), steps);
    }
    if (has_nat64) {
        const std::vector<Step> steps = nat64_steps(plan.nat64);
        out += nat64_set_up(plan, steps, values) + undo(kNat64Title, steps);
    }
    if (!failover.netwatch && !failover.second)
        return Result<std::string>(boost::system::in_place_value, std::move(out));
    std::vector<std::string> titles;
    for (const RouterPlan& router : plan.routers)
        titles.push_back(all_quoted(router.names));
    if (titles.empty()) titles.emplace_back(kNat64Title);
    for (const std::string& title : titles) {
        auto blocks = failover_blocks(plan, title, values, version, failover, settings.file);
        if (!blocks) return blocks;
        out += *blocks;
    }
    return Result<std::string>(boost::system::in_place_value, std::move(out));
}

ImportFiles routeros_import_files(const config::Settings& settings, const Values& values) {
    const Plan plan = plan_routers(settings);
    const std::string start = introduction(settings, plan, RouterOs::v7);
    ImportFiles out{start, start};
    for (const RouterPlan& router : plan.routers) {
        const std::vector<Step> steps = steps_for(router);
        out.set_up += set_up(plan, router, steps, values, RouterOs::v7);
        out.undo += head(all_quoted(router.names) + ": undo",
                         "# Undoes the setup, also one that stopped half-way.\n{\n") +
                    undo_block(steps);
    }
    return out;
}

}  // namespace steer::setup
