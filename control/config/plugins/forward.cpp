// forward: asks upstream resolvers.
#include <algorithm>
#include <ostream>

#include "control/config/plugin_type.h"
#include "control/config/plugins/upstream_entry.h"
#include "control/config/reference.h"
#include "control/config/sections/router_access.h"
#include "control/config/text/dns_names.h"
#include "control/config/values.h"
#include "matchers/name_text.h"
#include "matchers/quote.h"

namespace steer::config {
namespace {

constexpr std::size_t kMaxUpstreams = 32;

void read_upstreams(Reading& in, const Node& node, const Place& place, Forward& out) {
    if (!node.is_list() || node.items.empty()) {
        in.report().error(place.line,
                          place.name() +
                              ": expected a list with at least one '- addr: udp://...', found " +
                              (node.is_list() ? "an empty list" : std::string(node.what())));
        return;
    }
    if (node.items.size() > kMaxUpstreams) {
        in.report().error(place.line, place.name() + " has " + std::to_string(node.items.size()) +
                                          " entries: expected at most " +
                                          std::to_string(kMaxUpstreams));
    }
    std::size_t number = 0;
    for (const Node& item : node.items) {
        const std::string owner =
            "upstream " + std::to_string(++number) + " of " + std::string(place.owner);
        if (auto upstream = read_upstream(in, item, owner, out.reach))
            out.upstreams.push_back(std::move(*upstream));
    }
}

void read_servers_of(Reading& in, const Node& node, const Place& place, Forward& out) {
    std::string name;
    if (read_value(in, node, place, {}, name)) out.servers_of = find_router(in, name, place);
}

// ---- what an upstream is asked to learn whether it lives

constexpr std::string_view kProbeName = "a.root-servers.net";

void read_probe_name(Reading& in, const Node& node, const Place& place, ProbeSettings& out) {
    if (!read_value(in, node, place, {}, out.name)) return;
    if (out.name == ".") return;
    const auto name = matchers::parse_name(out.name, {.alone = true});
    if (name) {
        out.name = *name;
    } else {
        in.report().error(place.line, place.name() + " is " + matchers::quoted(out.name) +
                                          ": expected a domain name, as in '" +
                                          std::string(kProbeName) + "'; " + name.error().text);
    }
}
void read_probe_type(Reading& in, const Node& node, const Place& place, ProbeSettings& out) {
    std::string text;
    if (!read_value(in, node, place, {}, text)) return;
    const auto type = parse_qtype(text);
    if (type) {
        out.type = *type;
    } else {
        in.report().error(place.line, place.name() + " is " + matchers::quoted(text) +
                                          ": expected a type by number or by name such as A or NS");
    }
}
void read_probe_every(Reading& in, const Node& node, const Place& place, ProbeSettings& out) {
    read_value(in, node, place, "2s..1d", out.every);
}

constexpr std::array<Row<ProbeSettings>, 3> kProbeRows{{
    {"name", Own<ProbeSettings>{"domain name", read_probe_name}, kProbeName, "", "name to ask for"},
    {"type", Own<ProbeSettings>{"type", read_probe_type}, "A", "", "type to ask for"},
    {"every", Own<ProbeSettings>{"duration", read_probe_every}, "none", "2s..1d",
     "also ask a quiet upstream, this often"},
}};

void read_probe(Reading& in, const Node& node, const Place& place, Forward& out) {
    if (node.is_text() && lowered(node.text) == "off") {
        out.probe.off = true;
        return;
    }
    if (!node.is_map()) {
        in.report().error(place.line, place.name() + found(node) +
                                          "expected 'off' or a map, as in "
                                          "'{name: a.root-servers.net, type: A}'");
        return;
    }
    read_rows(in, node, kProbeRows, place.name(), out.probe);
}

constexpr std::array<Row<Forward>, 12> kForwardOwnRows{{
    {"upstreams", Own<Forward>{"list of upstreams", read_upstreams}, "(the host's)", "",
     "upstream resolvers, as in `upstreams: [{addr: udp://192.0.2.1}]`\nWithout it, the DNS "
     "servers that the host received from its network are used, except this daemon."},
    {"policy", choice<Forward, &Forward::policy>(), "latency",
     "latency|sticky|round_robin|random|order|domain",
     "which upstream is queried first\n`latency`: the one with the lowest latency. `sticky`: "
     "always the same one until it fails, then the next, like RouterOS. `round_robin`: each in "
     "turn. `random`: any upstream. `order`: the first in configuration order that answers, as "
     "with dnsmasq's `strict-order`. After a failure it is used again as soon as it answers a "
     "`probe`, 2 s later at most. `domain`: the one that a hash of the registrable domain selects, "
     "and no other one; while no probe reaches it, the next one. Unresponsive upstreams come last "
     "in "
     "every policy."},
    {"resolv_file", FileName<Forward>{&Forward::resolv_file},
     "(resolv.conf and leases of the host)", "",
     "without `upstreams`: file with `nameserver` lines, as in `/run/ppp/resolv.conf`\nIt is read "
     "again when it changes."},
    {"router", Own<Forward>{"name", read_servers_of}, "none", "",
     "without `upstreams`: a router in `routers`, whose own DNS servers are used\nThese are the "
     "`dynamic-servers` of its `/ip dns`, which it learned by DHCP, PPP or router advertisements. "
     "They are followed as they change, and kept for the next start. While there is none, queries "
     "end as SERVFAIL, which a `fallback` can catch."},
    {"concurrent", &Forward::concurrent, "1", "~1..32",
     "number of upstreams queried at the same time"},
    {"max_concurrent_queries", &Forward::max_concurrent_queries, "0", "0..1000000",
     "maximum queries in flight to these upstreams, over all workers; 0: no limit\nIdentical "
     "queries of several clients count once. Queries above the limit get a stale answer if the "
     "cache has one. Otherwise `over_quota` in `dataplane` decides. `max_in_flight` in `dataplane` "
     "applies in any case. A registrable domain may have `max_per_suffix` of it, so that one "
     "domain's names cannot take the upstreams from all others."},
    {"total_timeout", &Forward::total_timeout, "5s", "100ms..1m",
     "time limit for a query over all upstreams; then SERVFAIL"},
    {"short_circuit", &Forward::short_circuit, "false", "", "an answer ends the whole program"},
    {"local", &Forward::local, "false", "",
     "also forward names under .local, despite `local_names` in `policy`"},
    {"response_selection", choice<Forward, &Forward::response_selection>(), "balanced",
     "balanced|fastest|prefer_positive|consensus",
     "which reply wins if `concurrent` is above 1\n`balanced`: the first reply with records; a "
     "negative reply (NXDOMAIN, no data) after 100 ms. `fastest`: the first reply. "
     "`prefer_positive`: a negative reply only when all have replied. `consensus`: a negative "
     "reply when a second upstream confirms it. SERVFAIL and REFUSED are never preferred."},
    {"ready", Own<Forward>{"boolean", read_ready<Forward>}, "(by its place)", "",
     "whether `/readyz` fails while none of these upstreams answers\nBy default it fails where "
     "every query that takes no branch is forwarded here. A branch is a rule with a condition; "
     "`!has_resp` is none. The forwards of a `fallback` count as one, which is good while one of "
     "them answers. In an entry without such a forward, its forwards together count as one. A "
     "`zone`, a FWD record and a forward in a branch count only with `true`. With `false`, its "
     "upstreams neither make `/readyz` fail nor keep it good."},
    {"probe", Own<Forward>{"`off`, or a map", read_probe}, "(a.root-servers.net A)", "",
     "question that tells whether an upstream answers\nThe map has `name` (a.root-servers.net), "
     "`type` (A) and `every` (none, 2s..1d). An upstream is asked once after a start, a reload and "
     "a change of the network. It is asked again when a query was not answered for 1 s, then "
     "every 2 s until a reply comes; any reply counts, also REFUSED. After three unanswered probes "
     "the upstream is silent. A quiet upstream is asked only with `every`. The result decides "
     "`/readyz`, `problems` and `steerdns_upstream_server_up`. It also decides whether queries are "
     "sent without EDNS: an upstream that refuses EDNS in a probe is asked with it again after 15 "
     "minutes. Only with `policy: order` it decides which upstream a query is sent to; queries of "
     "clients then have no influence. With `off`, an upstream counts as living, and as one with "
     "EDNS. The kernel of this machine sends the probes, on ports of all drivers. A firewall here "
     "that drops them makes `/readyz` fail, even while clients get answers."},
}};
constexpr auto kForwardRows = joined(kReachRows<Forward>, kForwardOwnRows);

// A file has them, as those of a host.
void use_servers_of(Reading& in, const Node& block, const Plugin& plugin, Forward& args) {
    const int line = block.find("router")->line;
    for (const std::string key : {"upstreams", "resolv_file"}) {
        if (block.find(key) == nullptr) continue;
        in.report().error(line, "'router' of " + owner_of(plugin) + " has no effect with '" + key +
                                    "': keep one of them");
        return;
    }
    args.resolv_file = servers_file(in.settings(), *args.servers_of);
    if (args.resolv_file.empty())
        in.report().error(line, "'router' of " + owner_of(plugin) +
                                    " needs a file to keep its servers: `router_lists` of "
                                    "'control' is off; give it a path");
}

void read_forward(Reading& in, const Node* node, Plugin& plugin) {
    Forward args;
    Node empty;
    // Reads the settings for all upstreams before the upstreams.
    Node block = args_or_empty(node, plugin, empty);
    std::stable_partition(block.entries.begin(), block.entries.end(),
                          [](const Entry& entry) { return entry.key != "upstreams"; });
    read_rows(in, block, kForwardRows, owner_of(plugin), args);
    args.of_host = block.find("upstreams") == nullptr;
    if (args.of_host) take_outbound(in, {}, args.reach);
    if (!args.resolv_file.empty()) {
        if (!args.of_host) {
            in.report().error(block.find("resolv_file")->line,
                              "'resolv_file' of " + owner_of(plugin) +
                                  " has no effect with 'upstreams': keep one of them");
        }
        const Node* const written = block.find("resolv_file");
        args.resolv_file = in.resolve(args.resolv_file, written == nullptr ? 0 : written->line);
    }
    if (args.servers_of) use_servers_of(in, block, plugin, args);
    plugin.args = std::move(args);
}

// forward ADDRESS... [short_circuit[=BOOL]]: all addresses are asked at once.
void read_forward_quick(Reading& in, std::string_view words, int line, Plugin& plugin) {
    const std::string owner = owner_of(plugin);
    Forward args;
    for (const auto word : split_words(words)) {
        if (word.starts_with("short_circuit")) {
            read_short_circuit(in, word, {"short_circuit", owner, line}, args.short_circuit);
            continue;
        }
        if (word.starts_with('$')) {
            in.report().error(line, owner + ": " + matchers::quoted(word) +
                                        " is not an address: to use a plugin, write '" +
                                        std::string(word) + "' alone");
            continue;
        }
        if (auto upstream = read_upstream(in, word, line, owner))
            args.upstreams.push_back(std::move(*upstream));
    }
    if (split_words(words).empty()) {
        in.report().error(line, owner + " has no address: write one, as in 'forward 192.0.2.1'");
    }
    args.concurrent = static_cast<std::uint32_t>(
        std::clamp<std::size_t>(args.upstreams.size(), 1, kMaxUpstreams));
    plugin.args = std::move(args);
}

constexpr std::string_view kUpstreamOrder =
    R"(`policy` selects the first upstream of a query. If it does not answer in time, or answers SERVFAIL
or REFUSED, the next one is queried, until `total_timeout`. ForgeDNS and mosdns query one upstream
at random and do not retry. The inline form `forward A B` queries all its addresses at the same
time.
)";

void write_upstreams(std::ostream& out) {
    out << kUpstreamOrder << '\n';
    write_part(out, "upstreams[]", upstream_row_texts());
}

}  // namespace

const PluginType kForwardType{"forward",
                              Role::executor,
                              "Forwards queries to upstream resolvers over UDP, TCP, TLS or HTTPS.",
                              "forward ADDRESS... [short_circuit]",
                              "",
                              [] { return row_texts(kForwardRows); },
                              read_forward,
                              read_forward_quick,
                              {.reference = write_upstreams}};

}  // namespace steer::config
