// bgp_route: announces the addresses of answers by BGP, through a routing table from which BIRD learns.
#include <array>
#include <charconv>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "control/config/plugin_type.h"
#include "control/config/plugins/kernel_sets.h"
#include "control/config/plugins/on_full.h"
#include "control/config/plugins/share_rows.h"
#include "control/config/sections/claim_prefixes.h"
#include "control/config/values.h"
#include "matchers/prefix/ip_address.h"
#include "matchers/quote.h"

namespace steer::config {
namespace {

struct BgpRouteArgs : KernelSets {
    BgpRouteArgs() {
        max_ttl = Milliseconds(3'600'000);
        max_elements = 100'000;
    }
    std::uint32_t table4 = 0, table6 = 0;
    BgpRoutes bgp;
};

// Tables of the kernel's own (/etc/iproute2/rt_tables). 252 stands for large numbers in messages.
std::string_view use_of_table(std::uint32_t table) {
    switch (table) {
        case 252:
            return "which the kernel reserves";
        case 253:
            return "the kernel's table 'default'";
        case 254:
            return "the kernel's table 'main'";
        case 255:
            return "the kernel's table 'local'";
        default:
            return {};
    }
}

template <bool V6>
void read_table(Reading& in, const Node& node, const Place& place, BgpRouteArgs& out) {
    std::uint32_t table = 0;
    if (!read_value(in, node, place, "1..4294967295", table)) return;
    if (const auto use = use_of_table(table); !use.empty()) {
        in.report().error(place.line, place.name() + " is " + std::to_string(table) + ", " +
                                          std::string(use) +
                                          ": write the number of a table that nothing else uses, "
                                          "such as 5301");
        return;
    }
    (V6 ? out.table6 : out.table4) = table;
    (V6 ? out.v6 : out.v4) = KernelSet{{}, std::to_string(table), {}, V6 ? 128U : 32U};
}

// Numbers between colons: two of 16 bits (RFC 1997), or three of 32 bits (RFC 8092).
bool is_community(std::string_view text) {
    std::vector<std::uint64_t> numbers;
    for (;;) {
        const auto colon = text.find(':');
        const std::string_view word = text.substr(0, colon);
        std::uint32_t number = 0;
        const auto [end, bad] = std::from_chars(word.data(), word.data() + word.size(), number);
        if (bad != std::errc{} || end != word.data() + word.size()) return false;
        numbers.push_back(number);
        if (colon == std::string_view::npos) break;
        text.remove_prefix(colon + 1);
    }
    if (numbers.size() == 3) return true;
    return numbers.size() == 2 && numbers[0] <= 0xffff && numbers[1] <= 0xffff;
}

void read_community(Reading& in, const Node& node, const Place& place, BgpRouteArgs& out) {
    std::string text;
    if (!read_value(in, node, place, {}, text)) return;
    if (!is_community(text)) {
        in.report().error(place.line,
                          place.name() + " is " + matchers::quoted(text) +
                              ": expected a community such as 64500:101, with numbers up to "
                              "65535, or a large one such as 4200000000:1:101");
        return;
    }
    out.bgp.community = text;
}

template <bool V6>
void read_next_hop(Reading& in, const Node& node, const Place& place, BgpRouteArgs& out) {
    std::string text;
    if (!read_value(in, node, place, {}, text)) return;
    const auto address = IpAddress::parse(text);
    if (!address || address->is_v4() == V6) {
        in.report().error(place.line, place.name() + " is " + matchers::quoted(text) +
                                          ": expected an " + (V6 ? "IPv6" : "IPv4") +
                                          " address such as " + (V6 ? "2001:db8::1" : "192.0.2.1"));
        return;
    }
    (V6 ? out.bgp.next_hop6 : out.bgp.next_hop4) = address->to_string();
}

void read_linger(Reading& in, const Node& node, const Place& place, BgpRouteArgs& out) {
    (void)read_value(in, node, place, "0s..1d", out.bgp.linger);
}
void read_flap_interval(Reading& in, const Node& node, const Place& place, BgpRouteArgs& out) {
    (void)read_value(in, node, place, "0s..1d", out.bgp.flap_interval);
}

template <bool Never>
void read_claim_prefixes(Reading& in, const Node& node, const Place& place, BgpRouteArgs& out) {
    if constexpr (Never) {
        out.never_claim = read_never_claim(in, node, place);
    } else {
        out.allow_claim = read_prefixes(in, node, place);
    }
}

using Args = BgpRouteArgs;
constexpr std::array<Row<Args>, 19> kBgpOwnRows{{
    {"table4", Own<Args>{"integer", read_table<false>}, "none", "1..4294967295",
     "routing table for IPv4 routes; it or `table6` is required\nNothing else may use the table, "
     "and each list needs one of its own. It needs no rule (`ip rule`)."},
    {"table6", Own<Args>{"integer", read_table<true>}, "none", "1..4294967295",
     "the same for IPv6; it may have the number of `table4`"},
    {"community", Own<Args>{"text", read_community}, "required", "",
     "community of the routes\nWrite `\"64500:101\"`, or a large one such as "
     "`\"4200000000:1:101\"`. It is in the configuration that `steerdnsd --bird-config` prints."},
    {"next_hop4", Own<Args>{"IPv4 address", read_next_hop<false>}, "(this machine)", "",
     "next hop of the IPv4 routes, in the printed configuration"},
    {"next_hop6", Own<Args>{"IPv6 address", read_next_hop<true>}, "(this machine)", "",
     "the same for IPv6"},
    {"ready", choice<Args, &Args::ready>(), "off", "off|any|all",
     "whether `/readyz` needs the tables of this list\n`any` and `all` mean the same here. "
     "`/readyz` fails while steerdns-sets does not run, or a table cannot be written. A loss "
     "counts after 3 s. BIRD and its peers do not count."},
    {"async", &Args::async, "true", "",
     "`false`: an answer waits until the kernel has its routes\nBIRD and its peers follow a "
     "moment later: BGP does not acknowledge routes."},
    {"sync_timeout", &Args::sync_timeout, "100ms", "1ms..30s",
     "with `async: false`: how long an answer waits at most"},
    {"on_timeout", choice<Args, &Args::on_timeout>(), "answer", "answer|servfail|drop",
     "with `async: false`: action when `sync_timeout` expires"},
    on_full_row<Args>(),
    {"min_ttl", &Args::min_ttl, "60s", "1s..24d", "minimum lease of a route"},
    {"max_ttl", &Args::max_ttl, "1h", "1s..24d",
     "maximum lease of a route\nAfter a restart, routes without a new lease stay for this time."},
    {"extra_time", &Args::extra_time, "30s", "0s..1d",
     "how much longer than the client's TTL a lease lasts"},
    {"cap_answer_ttl", &Args::cap_answer_ttl, "true", "",
     "lower the answer's TTL so that no client caches an address longer than its route exists"},
    {"linger", Own<Args>{"duration", read_linger}, "5m", "0s..1d",
     "how long a route stays after its lease"},
    {"flap_interval", Own<Args>{"duration", read_flap_interval}, "30m", "0s..1d",
     "minimum time between two withdrawals of a route\nThe default keeps peers with the usual "
     "settings of flap damping from suppressing a route."},
    {"never_claim", Own<Args>{"list of prefixes", read_claim_prefixes<true>}, kNeverClaimDefault,
     "", kNeverClaimText},
    {"allow_claim", Own<Args>{"list of prefixes", read_claim_prefixes<false>}, "none", "",
     kAllowClaimText},
    {"max_routes", &Args::max_elements, "100000", "1..1000000",
     "maximum routes of each table, including those that linger"},
}};
constexpr auto kBgpRouteRows = joined(kBgpOwnRows, share_rows<BgpRouteArgs>());

void read_bgp_route(Reading& in, const Node* node, Plugin& plugin) {
    BgpRouteArgs args;
    Node empty;
    const Node& map = args_or_empty(node, plugin, empty);
    if (read_rows(in, map, kBgpRouteRows, owner_of(plugin), args)) {
        if (map.find("table4") == nullptr && map.find("table6") == nullptr)
            in.report().error(plugin.line,
                              owner_of(plugin) + " has no table: write 'table4', 'table6' or both");
        for (const bool v6 : {false, true}) {
            const std::string_view key = v6 ? "next_hop6" : "next_hop4";
            const std::string_view table = v6 ? "table6" : "table4";
            const Node* const hop = map.find(key);
            if (hop != nullptr && map.find(table) == nullptr)
                in.report().error(hop->line, "'" + std::string(key) + "' of " + owner_of(plugin) +
                                                 " has no effect without '" + std::string(table) +
                                                 "': add it, or remove the next hop");
        }
        check_set_lives(in, map, plugin, args);
    }
    args.routes = args.bgp;
    plugin.args = static_cast<KernelSets&&>(args);
}

}  // namespace

const PluginType kBgpRouteType{
    "bgp_route",
    Role::executor,
    "Announces the addresses of the response by BGP, as /32 and /128 routes with a community. "
    "The addresses are A and AAAA records, and the hints of HTTPS and SVCB. Place it after the "
    "executor that brings the response.\n\nThe routes are written into a routing table of the "
    "kernel, as blackholes "
    "with protocol 153 and metric 153. BIRD learns them there and announces them; `steerdnsd "
    "--bird-config` prints its configuration ([guide](../guides/bgp.md)). Other routes are never "
    "changed.",
    "",
    "",
    [] { return row_texts(kBgpRouteRows); },
    read_bgp_route,
    nullptr,
    {.sink = Sink::kernel}};

}  // namespace steer::config
