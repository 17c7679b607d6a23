// client_mac, client_host, client_group: the client is one of the given devices.
#include <algorithm>

#include "control/config/lists/entry_lines.h"
#include "control/config/plugins/words.h"
#include "control/config/values.h"
#include "matchers/prefix/mac_address.h"
#include "matchers/quote.h"
#include "matchers/text.h"

namespace steer::config {
namespace {

constexpr std::string_view kClientMacForms = "link-layer addresses, or &FILE";
constexpr std::string_view kClientHostForms = "names of hosts, group:NAME, or &FILE";
constexpr std::string_view kClientGroupForms = "names of groups";
constexpr std::string_view kGroupPrefix = "group:";

Result<std::uint64_t> mac_of_word(std::string_view text) {
    const auto mac = parse_mac(text);
    if (!mac) {
        return Error{matchers::quoted(text) +
                     " is not a MAC address: expected one such as '00:1d:aa:bb:cc:dd'"};
    }
    return *mac;
}

bool is_host_byte(char c) {
    return (c >= 'a' && c <= 'z') || matchers::is_digit(c) || c == '-' || c == '.';
}

// In lower case; of a name without its last dot. A group keeps its prefix.
Result<std::string> host_of_word(std::string_view text) {
    std::string word = lowered(text);
    if (word.starts_with(kGroupPrefix)) {
        const auto name = matchers::trimmed(std::string_view(word).substr(kGroupPrefix.size()));
        if (!name.empty())
            return {boost::system::in_place_value, std::string(kGroupPrefix).append(name)};
        return Error{
            "'group:' has no name: add the name of a DHCP server or the comment of a lease"};
    }
    if (word.ends_with('.')) word.pop_back();
    if (word.empty() || !std::ranges::all_of(word, is_host_byte)) {
        return Error{matchers::quoted(text) +
                     " is not a host name: expected a label or a full name as shown by 'steerctl "
                     "leases', or 'group:NAME'"};
    }
    return {boost::system::in_place_value, std::move(word)};
}

void add(DeviceMatch& to, std::uint64_t mac) {
    to.macs.push_back(mac);
}
void add(DeviceMatch& to, std::string host) {
    if (host.starts_with(kGroupPrefix)) {
        to.groups.push_back(host.substr(kGroupPrefix.size()));
    } else {
        to.names.push_back(std::move(host));
    }
}

template <auto Parse>
void read_devices(Reading& in, const std::vector<Text>& words, Plugin& plugin) {
    const std::string owner = owner_of(plugin);
    DeviceMatch out;
    for (const Text& word : words) {
        const Place place{"args", owner, word.line};
        if (!word.value.starts_with('&')) {
            if (auto one = Parse(word.value)) {
                add(out, *std::move(one));
            } else {
                in.report().error(word.line, place.name() + ": " + one.error().text);
            }
            continue;
        }
        const ResolvedPath resolved = in.resolve(word.value.substr(1), word.line);
        const std::string& file = resolved.text();
        const auto bytes = in.read_file(resolved, place);
        if (!bytes) continue;
        read_entry_lines(
            in, *bytes, file, true, place,
            [](std::string_view line) { return Parse(matchers::without_comment(line)); },
            [&](auto one, std::uint32_t, int) { add(out, std::move(one)); });
    }
    plugin.args = std::move(out);
}

// Whether there is such a group is known only to the daemon.
void read_groups(Reading& /*in*/, const std::vector<Text>& words, Plugin& plugin) {
    DeviceMatch out;
    for (const Text& word : words)
        out.made.emplace_back(matchers::trimmed(word.value));
    plugin.args = std::move(out);
}

}  // namespace

const PluginType kClientMacType{
    "client_mac",
    Role::matcher,
    "Matches if the client has one of these MAC addresses.\n\nThe MAC address is taken from the "
    "DHCP lease of the client's IP address, from any `dhcp_leases` plugin. Without a lease it is "
    "the source address of the Ethernet frame. Queries over TCP, TLS and HTTPS, and queries that "
    "the kernel passed on, have no frame. Clients behind a router have the router's MAC address, "
    "unless a lease is known.",
    "client_mac MAC|&FILE...",
    "list of MAC addresses such as `00:1d:aa:bb:cc:dd`, or `&FILE` (one per line); or the same "
    "words as one text",
    no_rows,
    read_words<kClientMacForms, read_devices<mac_of_word>>,
    read_quick_words<kClientMacForms, read_devices<mac_of_word>>};

const PluginType kClientHostType{
    "client_host",
    Role::matcher,
    "Matches by the DHCP lease of the client's IP address, from any `dhcp_leases` plugin. A name "
    "matches the host name of the lease. A group matches its DHCP server, its comment, or one of "
    "its "
    "`address-lists`.\n\nWrite "
    "names as `steerctl leases` shows them, as a single label or in full; case does not matter. "
    "Clients choose their host names themselves. For rules that a client must not evade, use "
    "`client_mac` or a group.",
    "client_host NAME|group:NAME|&FILE...",
    "list of names, `group:NAME`, or `&FILE` (one per line); or the same words as one text (a "
    "comment with blanks needs the list)",
    no_rows,
    read_words<kClientHostForms, read_devices<host_of_word>>,
    read_quick_words<kClientHostForms, read_devices<host_of_word>>};

const PluginType kClientGroupType{
    "client_group",
    Role::matcher,
    "Matches if the client is in one of these groups of devices.\n\nPeople make the groups with "
    "`steerctl clients group add` while the daemon serves. A change is in force from the next "
    "query on. Members are addresses, prefixes and MAC addresses; the MAC address of a client is "
    "found as for `client_mac`. A group that does not exist has no devices, and `problems` of "
    "`steerctl "
    "status` says so.",
    "client_group NAME...",
    "list of names of groups; or the same words as one text (a name with blanks needs the list)",
    no_rows,
    read_words<kClientGroupForms, read_groups>,
    read_quick_words<kClientGroupForms, read_groups>};

}  // namespace steer::config
