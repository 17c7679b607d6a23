#include "control/operator/setup/steps.h"

#include <utility>

namespace steer::setup {
namespace {

constexpr std::string_view kUser = "keeps address lists";
// Precedes the old value in a comment.
constexpr std::string_view kMemory = " steerdns-was=";

// One address family: its menu and its lists.
struct Family {
    std::string_view menu;  // "/ip"
    std::string_view all;   // every destination
    std::string_view text;  // for the operator
    std::string gateway;    // variable
    std::vector<std::string> lists;
};

template <class... Parts>
std::string line(const Parts&... parts) {
    std::string out;
    ((out += parts), ...);
    return out + "\n";
}

// `head do={`, the commands of the body, `}`.
std::string block(const std::string& head, std::string_view body) {
    std::string out = head + " do={\n";
    while (!body.empty()) {
        const auto end = body.find('\n') + 1;
        out += "    ";
        out += body.substr(0, end);
        body.remove_prefix(end);
    }
    return out + "}\n";
}

std::string comment_of(std::string_view text) {
    return literal("steerdns: " + std::string(text));
}

// Counts `how_many` in one of the tallies that the last line of a script prints.
std::string counted(std::string_view tally, std::string_view how_many = "1") {
    return line(":set ", tally, " ($", tally, " + ", how_many, ")");
}

// Adds a row unless one matches `condition`; the undo removes the rows that match.
Step added(std::string what, const std::string& menu, const std::string& condition,
           const std::string& values) {
    const std::string found = "[:len [" + menu + " find where " + condition + "]]";
    return {
        std::move(what),
        block(":if (" + found + " = 0)", line(menu, " add ", values) + counted(tallies::kAdded)),
        counted(tallies::kRemoved, found) + line(menu, " remove [find where ", condition, "]")};
}

// A row that our comment identifies.
Step row(std::string what, const std::string& menu, const std::string& values,
         const std::string& comment) {
    return added(std::move(what), menu, "comment=" + comment, values + " comment=" + comment);
}

Step group(const RouterPlan& router) {
    const bool writes = !router.egresses.empty() || !router.route_tables.empty();
    return added(std::string("User group with the rights to ") + (!router.egresses.empty()
                                                                      ? "write address lists"
                                                                  : writes ? "write routes"
                                                                           : "read leases"),
                 "/user group", "name=\"steerdns\"",
                 std::string("name=\"steerdns\" policy=read,") + (writes ? "write,api" : "api"));
}

Step user(const std::string& name, std::size_t index) {
    return added("User of this group; logs in only from apiClient", "/user", own_user(name),
                 "name=" + literal(name) + " group=\"steerdns\" password=$" +
                     blanks::password(index) + " address=$" + std::string(blanks::kApiClient) +
                     " comment=" + comment_of(kUser));
}

// $joined: the items of a list, with commas between them.
std::string join(const std::string& list) {
    return line(":local joined \"\"") +
           block(":foreach item in=" + list,
                 line(":if ([:len $joined] > 0) do={ :set joined ($joined . \",\") }") +
                     line(":set joined ($joined . $item)"));
}

// The commands for the row of a service that is configured. Since 7.19 connections are listed under the
// service's name, too; they are dynamic and refuse to be set. The commands see the row as $row, and what it
// says as $now. Its properties are read by name from an array, because a `get` of a name that a version
// does not have stops the script.
std::string for_service(const std::string& name, const std::string& commands) {
    const std::string menu = "/ip service";
    return block(":foreach row in=[" + menu + " find where name=" + literal(name) + "]",
                 line(":local now [", menu, " get $row]") +
                     block(":if ([:tostr ($now->\"dynamic\")] != \"true\")", commands));
}

// The undo does not open the service to addresses that it could not read: 7.24 calls `address`
// `available-from`, and an empty list means all addresses.
Step service(const ApiService& api) {
    const std::string name = api.tls ? "api-ssl" : "api";
    const std::string script = literal("steerdns-before-" + name);
    constexpr std::string_view kDisabled = "disabled=", kAddress = " address=";
    const std::string remember =
        line(":local wasDisabled \"no\"") +
        line(":if ([:tostr ($now->\"disabled\")] = \"true\") do={ :set wasDisabled \"yes\" }") +
        line(":local openTo ($now->\"available-from\")") +
        line(":if ([:len $openTo] = 0) do={ :set openTo ($now->\"address\") }") + join("$openTo") +
        line("/system script add name=", script,
             " comment=", comment_of("what /ip service " + name + " was, for the undo"),
             " source=(\"", kDisabled, "\" . $wasDisabled . \"", kAddress, "\" . $joined)") +
        counted(tallies::kChanged);
    const std::string set = line("/ip service set $row disabled=$wasDisabled address=$openTo") +
                            counted(tallies::kPutBack);
    const std::string leave =
        line(":put ", literal("steerdns: /ip service " + name +
                              " keeps its addresses: before the setup, it was open to all, or its "
                              "addresses could not be read; change them by hand"));
    const std::string put_back =
        line(":local was [/system script get $script source]") +
        line(":local at [:find $was \"", kAddress, "\"]") +
        line(":local wasDisabled [:pick $was ", std::to_string(kDisabled.size()), " $at]") +
        line(":local openTo [:tostr [:pick $was ($at + ", std::to_string(kAddress.size()),
             ") [:len $was]]]") +
        for_service(name, block(":if (($wasDisabled . $openTo) = \"no\")", leave) +
                              block(":if (($wasDisabled . $openTo) != \"no\")", set)) +
        line("/system script remove $script");
    const std::string found = "[/system script find where name=" + script + "]";
    return {"API service, open only to apiClient",
            for_service(name,
                        block(":if ([:len " + found + "] = 0)", remember) +
                            line("/ip service set $row disabled=no address=$", blanks::kApiClient)),
            block(":foreach script in=" + found, put_back)};
}

// ---- egresses

std::string mark_of(const Egress& egress) {
    return literal("steerdns-" + egress.name);
}

std::vector<Family> families_of(const Egress& egress, std::size_t index, RouterOs version) {
    std::vector<Family> out;
    if (!egress.lists4.empty())
        out.push_back({"/ip", "0.0.0.0/0", "IPv4", blanks::gateway4(index), egress.lists4});
    if (!egress.lists6.empty() && version != RouterOs::v6)
        out.push_back({"/ipv6", "::/0", "IPv6", blanks::gateway6(index), egress.lists6});
    return out;
}

void add_egress_tables(const Egress& egress, std::size_t index, RouterOs version,
                       std::vector<Step>& out) {
    const std::string comment = comment_of(egress.name);
    const bool has_tables = version != RouterOs::v6;
    if (has_tables)
        out.push_back(row("Egress " + literal(egress.name) + ": routing table", "/routing table",
                          "name=" + mark_of(egress) + " fib", comment));
    for (const Family& family : families_of(egress, index, version)) {
        out.push_back(row(
            "Egress " + literal(egress.name) + ": default route for " + std::string(family.text),
            std::string(family.menu) + " route",
            "dst-address=" + std::string(family.all) + " gateway=$" + family.gateway +
                (has_tables ? " routing-table=" : " routing-mark=") + mark_of(egress),
            comment));
    }
}

// A table that a ros_route fills. What it has no route for goes on to the main table.
void add_route_table(const std::string& name, std::vector<Step>& out) {
    const std::string comment = comment_of("routes in " + name);
    // A table that was there stays after the undo.
    Step table =
        added("Routing table " + literal(name) + " for routes to addresses", "/routing table",
              "name=" + literal(name), "name=" + literal(name) + " fib comment=" + comment);
    table.undoes = row({}, "/routing table", {}, comment).undoes;
    out.push_back(std::move(table));
    out.push_back(row("Look up all packets in it first", "/routing rule",
                      "action=lookup table=" + literal(name), comment));
}

void add_marks(const Egress& egress, std::size_t index, RouterOs version, std::vector<Step>& out) {
    const std::string from = "chain=prerouting in-interface-list=$" +
                             std::string(blanks::kInterfaces) + " dst-address-type=!local";
    for (const Family& family : families_of(egress, index, version)) {
        const std::string menu = std::string(family.menu) + " firewall mangle";
        for (const std::string& list : family.lists) {
            out.push_back(row("Mark new connections to " + literal(list), menu,
                              from + " dst-address-list=" + literal(list) +
                                  " connection-state=new connection-mark=no-mark "
                                  "action=mark-connection new-connection-mark=" +
                                  mark_of(egress) + " passthrough=yes",
                              comment_of("connections to " + list)));
        }
        out.push_back(row("Route marked packets of clients: egress " + literal(egress.name), menu,
                          from + " connection-mark=" + mark_of(egress) +
                              " action=mark-routing new-routing-mark=" + mark_of(egress) +
                              " passthrough=no",
                          comment_of("route of " + egress.name)));
    }
}

// ---- rows that exist before the setup

// The commands for each of `rows` without an old value in its comment, which they see as $note.
std::string for_each_new(const std::string& menu, const std::string& rows,
                         const std::string& commands) {
    return block(
        ":foreach row in=" + rows,
        line(":local note [:tostr [", menu, " get $row comment]]") +
            block(":if ([:typeof [:find $note \"" + std::string(kMemory) + "\"]] = \"nil\")",
                  commands));
}

// Sets $row to `values`; its comment keeps the old value, `what` (" . $variable").
std::string set_and_remember(const std::string& menu, const std::string& values,
                             const std::string& what = "") {
    return line(menu, " set $row ", values, " comment=($note . \"", kMemory, "\"", what, ")") +
           counted(tallies::kChanged);
}

// For each row with an old value: `commands` see it as $was, and `values` restores it.
std::string for_each_remembered(const std::string& menu, const std::string& commands,
                                const std::string& values) {
    return block(
        ":foreach row in=[" + menu + " find where comment~\"" + std::string(kMemory) + "\"]",
        line(":local note [", menu, " get $row comment]") +
            line(":local at [:find $note \"", kMemory, "\"]") +
            line(":local was [:tostr [:pick $note ($at + ", std::to_string(kMemory.size()),
                 ") [:len $note]]]") +
            commands + line(menu, " set $row ", values, " comment=[:tostr [:pick $note 0 $at]]") +
            counted(tallies::kPutBack));
}

Step fasttrack(std::string_view ip, std::string_view text) {
    const std::string menu = std::string(ip) + " firewall filter";
    return {"Exclude marked connections from fasttrack, which skips mangle rules (" +
                std::string(text) + ")",
            for_each_new(menu, "[" + menu + " find where action=fasttrack-connection]",
                         block(":if ([:len [" + menu + " get $row connection-mark]] = 0)",
                               set_and_remember(menu, "connection-mark=no-mark"))),
            for_each_remembered(menu, "", "!connection-mark")};
}

Step dhcp() {
    const std::string menu = "/ip dhcp-server network";
    const std::string dns = "$" + std::string(blanks::kDns4);
    return {"DHCP: announce steerdnsd as the DNS server",
            block(":if ([:len " + dns + "] > 0)",
                  for_each_new(menu, "$" + std::string(blanks::kDhcpNetworks),
                               join("[" + menu + " get $row dns-server]") +
                                   set_and_remember(menu, "dns-server=" + dns, " . $joined"))),
            for_each_remembered(menu, "", "dns-server=$was")};
}

Step advertisements() {
    const std::string menu = "/ipv6 nd";
    const std::string dns = "$" + std::string(blanks::kDns6);
    // A flag, printed as true and false. Since 7.21 it is no, self or yes, and `true` is refused.
    const std::string set =
        line(":local advertised [:tostr [", menu, " get $row advertise-dns]]") +
        line(":if ($advertised = \"true\") do={ :set advertised \"yes\" }") +
        line(":if ($advertised = \"false\") do={ :set advertised \"no\" }") +
        join("[" + menu + " get $row dns]") +
        set_and_remember(menu, "advertise-dns=yes dns=" + dns, " . $advertised . \",\" . $joined");
    return {"Router advertisements (RFC 8106): announce steerdnsd as the DNS server",
            block(":if ([:len " + dns + "] > 0)",
                  for_each_new(menu, "$" + std::string(blanks::kAdvertisements), set)),
            for_each_remembered(menu, line(":local comma [:find $was \",\"]"),
                                "advertise-dns=[:pick $was 0 $comma] dns=[:tostr [:pick $was "
                                "($comma + 1) [:len $was]]]")};
}

// ---- an IPv6-mostly network

constexpr std::string_view kOption = "\"steerdns-v6only\"";
constexpr std::string_view kV6OnlyWait = "0x0000012c";  // 300 s in 4 bytes, the least (RFC 8925)

Step translator_pool() {
    const std::string pool = "$" + std::string(blanks::kPool);
    Step step = row("Source NAT for the translator's IPv4 pool", "/ip firewall nat",
                    "chain=srcnat src-address=" + pool + " action=masquerade",
                    comment_of("pool of the NAT64 translator"));
    step.does = block(":if ([:len " + pool + "] > 0)", step.does);
    return step;
}

// An entry of its own for the interface: the one for all interfaces announces no PREF64. Its `dns` is announced only
// with advertise-dns=yes.
Step announcement(const std::vector<std::string>& prefixes) {
    std::string all;
    for (const std::string& prefix : prefixes)
        all += (all.empty() ? "" : ",") + prefix;
    return row("Router advertisements for clients: PREF64 (RFC 8781) and DNS server (RFC 8106)",
               "/ipv6 nd",
               "interface=$" + std::string(blanks::kInterface) + " advertise-dns=yes dns=$" +
                   std::string(blanks::kDns6) + " pref64=" + all,
               comment_of("IPv6-mostly"));
}

// For each network that gives the option: `joined` are its other options.
std::string without_option(const std::string& commands) {
    const std::string menu = "/ip dhcp-server network";
    return block(
        ":foreach row in=[" + menu + " find]",
        line(":local joined \"\"") + line(":local given \"no\"") +
            block(":foreach item in=[" + menu + " get $row dhcp-option]",
                  line(":if ($item = ", kOption, ") do={ :set given \"yes\" }") +
                      block(":if ($item != " + std::string(kOption) + ")",
                            line(":if ([:len $joined] > 0) do={ :set joined ($joined . \",\") }") +
                                line(":set joined ($joined . $item)"))) +
            commands);
}

// Rows of options have a comment since 7.16 only: the name marks it as made here.
Step ipv6_only_option() {
    const std::string menu = "/ip dhcp-server network", option = "/ip dhcp-server option";
    const std::string name = "name=" + std::string(kOption);
    Step made = added("", option, name, name + " code=108 value=" + std::string(kV6OnlyWait));
    const std::string give = line(":if ([:len $joined] > 0) do={ :set joined ($joined . \",\") }") +
                             line(menu, " set $row dhcp-option=($joined . ", kOption, ")") +
                             counted(tallies::kChanged);
    const std::string take =
        line(menu, " set $row dhcp-option=$joined") + counted(tallies::kPutBack);
    return {"DHCP option 108 (RFC 8925): clients that can do so stop using IPv4",
            block(":if ($" + std::string(blanks::kIpv6Only) + " = \"yes\")",
                  made.does + without_option(block(":if ($given = \"no\")", give))),
            without_option(block(":if ($given = \"yes\")", take)) + made.undoes, true};
}

// ---- while steerdnsd is down

constexpr std::string_view kFailover = "steerdns: failover";

// `/ip dns` has one row: it is read and set without a number. Its former values are kept in a script.
Step router_dns() {
    const std::string script = literal("steerdns-before-dns");
    const std::string found = "[/system script find where name=" + script + "]";
    const std::string servers = "$" + std::string(blanks::kServers);
    constexpr std::string_view kAnswers = "answers=", kAsked = " servers=";
    const std::string remember =
        line(":local answers \"no\"") +
        line(
            ":if ([:tostr [/ip dns get allow-remote-requests]] = \"true\") do={ :set answers "
            "\"yes\" }") +
        join("[/ip dns get servers]") +
        line("/system script add name=", script,
             " comment=", comment_of("what /ip dns was, for the undo"), " source=(\"", kAnswers,
             "\" . $answers . \"", kAsked, "\" . $joined)") +
        counted(tallies::kChanged);
    const std::string put_back =
        line(":local was [/system script get $script source]") +
        line(":local at [:find $was \"", kAsked, "\"]") +
        line("/ip dns set allow-remote-requests=[:pick $was ", std::to_string(kAnswers.size()),
             " $at] servers=[:tostr [:pick $was ($at + ", std::to_string(kAsked.size()),
             ") [:len $was]]]") +
        line("/system script remove $script") + counted(tallies::kPutBack);
    return {"The router's own DNS, which answers while steerdnsd is down",
            block(":if ([:len " + found + "] = 0)", remember) +
                line("/ip dns set allow-remote-requests=yes") +
                block(":if ([:len " + servers + "] > 0)", line("/ip dns set servers=", servers)),
            block(":foreach script in=" + found, put_back)};
}

// Both rules have one comment, by which netwatch finds them; the protocol tells them apart.
Step taken_over(const std::string& ip, const std::string& address, const std::string& protocol) {
    const std::string comment = "comment=" + literal(kFailover);
    Step step = added("Rule, disabled: the router answers queries for steerdnsd (" + protocol + ")",
                      ip + " firewall nat", comment + " and protocol=" + protocol,
                      "chain=dstnat dst-address=$" + address + " protocol=" + protocol +
                          " dst-port=53 action=redirect disabled=yes " + comment);
    step.does = block(":if ([:len $" + address + "] > 0)", step.does);
    return step;
}

// RouterOS 6 watches a host by ping only.
Step watch(RouterOs version) {
    const bool is_7 = version == RouterOs::v7;
    std::string up, down;
    for (const std::string ip : {"/ip", "/ipv6"}) {
        if (ip == "/ipv6" && !is_7) break;
        for (const auto& [verb, text] : {std::pair{" disable", &up}, {" enable", &down}})
            *text += (text->empty() ? "" : "; ") + ip + " firewall nat" + verb +
                     " [find where comment=" + literal(kFailover) + "]";
    }
    return row(std::string("Watch of steerdnsd") + (is_7 ? "'s port 53 (TCP)" : ", by ping"),
               "/tool netwatch",
               "host=$" + std::string(blanks::kDns4) + (is_7 ? " type=tcp-conn port=53" : "") +
                   " interval=5s timeout=1s down-script=" + literal(down) +
                   " up-script=" + literal(up),
               literal(kFailover));
}

constexpr std::string_view kSecondMark = "steerdns-second;";  // in front of a comment

// $joined: the row's servers; $hasOurs, $hasSecond.
std::string read_servers(const std::string& menu, const std::string& name,
                         const std::string& ours) {
    return line(":local hasOurs \"no\"") + line(":local hasSecond \"no\"") +
           line(":local others \"\"") +
           block(":foreach item in=[" + menu + " get $row " + name + "]",
                 line(":if ([:tostr $item] = $", ours, ") do={ :set hasOurs \"yes\" }") +
                     line(":if ([:tostr $item] = $", blanks::kSecond,
                          ") do={ :set hasSecond \"yes\" }") +
                     block(":if ([:tostr $item] != $" + std::string(blanks::kSecond) + ")",
                           line(":if ([:len $others] > 0) do={ :set others ($others . \",\") }") +
                               line(":set others ($others . $item)")));
}

bool any_list(const RouterPlan& router, std::vector<std::string> Egress::*lists) {
    for (const Egress& egress : router.egresses)
        if (!(egress.*lists).empty()) return true;
    return false;
}

}  // namespace

namespace blanks {

std::string password(std::size_t user) {
    return "apiPassword" + std::to_string(user + 1);
}
std::string gateway4(std::size_t egress) {
    return "gateway" + std::to_string(egress + 1) + "v4";
}
std::string gateway6(std::size_t egress) {
    return "gateway" + std::to_string(egress + 1) + "v6";
}

}  // namespace blanks

std::string own_user(const std::string& name) {
    return "name=" + literal(name) + " and comment=" + comment_of(kUser);
}

std::string literal(std::string_view text) {
    constexpr std::string_view kHex = "0123456789ABCDEF";
    std::string out = "\"";
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        if (c == '"' || c == '\\' || c == '$') {
            out += {'\\', c};
        } else if (byte < 0x20 || byte >= 0x7f || c == '?') {
            out += {'\\', kHex[byte >> 4], kHex[byte & 15]};
        } else {
            out += c;
        }
    }
    return out + "\"";
}

std::vector<Step> steps_for(const RouterPlan& router, RouterOs version) {
    const bool is_7 = version == RouterOs::v7;
    std::vector<Step> out{group(router)};
    for (std::size_t i = 0; i < router.users.size(); ++i)
        out.push_back(user(router.users[i], i));
    for (const ApiService& api : router.services)
        out.push_back(service(api));
    for (std::size_t i = 0; i < router.egresses.size(); ++i)
        add_egress_tables(router.egresses[i], i, version, out);
    for (const std::string& table : router.route_tables) {
        if (is_7) add_route_table(table, out);
    }
    if (any_list(router, &Egress::lists4)) out.push_back(fasttrack("/ip", "IPv4"));
    if (is_7 && any_list(router, &Egress::lists6))
        out.push_back(fasttrack("/ipv6", "IPv6; RouterOS 7.18"));
    for (std::size_t i = 0; i < router.egresses.size(); ++i)
        add_marks(router.egresses[i], i, version, out);
    out.push_back(dhcp());
    out.back().moves_clients = true;
    if (!is_7) return out;  // its advertisements name no server of their own
    out.push_back(advertisements());
    out.back().moves_clients = true;
    return out;
}

std::vector<Step> netwatch_steps(RouterOs version) {
    std::vector<Step> out{router_dns()};
    for (const char* const protocol : {"udp", "tcp"})
        out.push_back(taken_over("/ip", std::string(blanks::kDns4), protocol));
    for (const char* const protocol : {"udp", "tcp"}) {
        if (version == RouterOs::v7)
            out.push_back(taken_over("/ipv6", std::string(blanks::kDns6), protocol));
    }
    out.push_back(watch(version));
    return out;
}

// Only rows that name steerdnsd already. The mark in front of the comment leaves alone what the setup keeps behind it.
std::vector<Step> second_server_steps(bool v4) {
    const std::string menu = v4 ? "/ip dhcp-server network" : "/ipv6 nd";
    const std::string name = v4 ? "dns-server" : "dns";
    const std::string second = "$" + std::string(blanks::kSecond);
    const std::string note = line(":local note [:tostr [", menu, " get $row comment]]");
    const std::string give = note +
                             line(menu, " set $row ", name, "=($others . \",\" . ", second,
                                  ") comment=(\"", kSecondMark, "\" . $note)") +
                             counted(tallies::kChanged);
    const std::string take =
        note +
        line(menu, " set $row ", name, "=$others comment=[:tostr [:pick $note ",
             std::to_string(kSecondMark.size()), " [:len $note]]]") +
        counted(tallies::kPutBack);
    const std::string servers =
        read_servers(menu, name, std::string(v4 ? blanks::kDns4 : blanks::kDns6));
    return {{v4 ? "DHCP: the second server behind steerdnsd"
                : "Router advertisements: the second server behind steerdnsd",
             block(":foreach row in=[" + menu + " find]",
                   servers + block(":if (($hasOurs . $hasSecond) = \"yesno\")", give)),
             block(":foreach row in=[" + menu + " find where comment~\"^" +
                       std::string(kSecondMark) + "\"]",
                   servers + take)}};
}

std::vector<Step> nat64_steps(const std::vector<std::string>& prefixes) {
    std::vector<Step> out;
    out.reserve(prefixes.size() + 3);
    for (const std::string& prefix : prefixes)
        out.push_back(row("Route of " + prefix + " to the NAT64 translator", "/ipv6 route",
                          "dst-address=" + prefix + " gateway=$" + std::string(blanks::kTranslator),
                          comment_of("NAT64 " + prefix)));
    out.push_back(translator_pool());
    out.push_back(announcement(prefixes));
    out.push_back(ipv6_only_option());
    return out;
}

}  // namespace steer::setup
