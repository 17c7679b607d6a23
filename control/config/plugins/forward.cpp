// forward: asks upstream resolvers.
#include <algorithm>

#include "control/config/plugins/plugin_type.h"
#include "control/config/values.h"
#include "matchers/quote.h"

namespace steer::config {
namespace {

constexpr std::size_t kMostUpstreams = 32;

// ---- one upstream

struct UpstreamArgs {
    std::string addr, tag, dial_addr;
    std::uint32_t port = 0;
    Milliseconds timeout{2000};
};

constexpr std::array<Row<UpstreamArgs>, 17> kUpstreamRows{{
    {"addr", &UpstreamArgs::addr, "required", "",
     "address of the resolver, as in `addr: udp://192.0.2.1:53`, `192.0.2.1` or "
     "`udp://[2001:db8::1]`"},
    {"tag", &UpstreamArgs::tag, "none", "", "a name for messages and counters"},
    {"dial_addr", &UpstreamArgs::dial_addr, "none", "",
     "IP address (and port) to ask instead of `addr`, which may then be a name"},
    {"port", &UpstreamArgs::port, "(53)", "1..65535", "port, if `addr` has none"},
    {"timeout", &UpstreamArgs::timeout, "2s", "50ms..1m", "how long one query to it may take"},
    {"bootstrap", NotYet{}, "", "", "resolver for the name in `addr`"},
    {"bootstrap_version", NotYet{}, "", "", "address family of that"},
    {"socks5", NotYet{}, "", "", "proxy"},
    {"idle_timeout", NotYet{}, "10s", "", "of connections"},
    {"max_conns", NotYet{}, "64", "", "connections"},
    {"min_conns", NotYet{}, "0", "", "connections"},
    {"insecure_skip_verify", NotYet{}, "false", "", "certificates are not verified"},
    {"enable_pipeline", NotYet{}, "false", "", "several queries a connection"},
    {"enable_http3", NotYet{}, "false", "", "HTTP/3"},
    {"so_mark", NotYet{}, "0", "", "socket mark"},
    {"bind_to_device", NotYet{}, "", "", "interface"},
    {"outbound", NotYet{}, "", "", "profile of `network.outbound`"},
}};

// Takes "udp://" off; what is another scheme is reported.
bool take_scheme(Reading& in, std::string_view& addr, const Place& place) {
    static constexpr std::array<std::string_view, 9> kNotBuilt{
        "tcp", "tcp+pipeline", "tls", "tls+pipeline", "https", "doh", "h3", "quic", "doq"};
    const auto colon = addr.find("://");
    if (colon == std::string_view::npos) return true;
    const std::string scheme = lower(addr.substr(0, colon));
    addr.remove_prefix(colon + 3);
    if (scheme == "udp") return true;
    if (std::find(kNotBuilt.begin(), kNotBuilt.end(), scheme) != kNotBuilt.end()) {
        in.report().error(place.line, place.name() + ": upstreams over '" + scheme +
                                          "://' are not supported yet: write udp://");
    } else {
        in.report().error(place.line, place.name() + ": unknown scheme " +
                                          matchers::quoted(scheme + "://") +
                                          ": write udp://ADDRESS");
    }
    return false;
}

bool can_be_asked(const IpAddress& address) {
    const bool multicast = address.is_v4() ? address.v4()[0] >= 224 : address.bytes[0] == 0xff;
    return !multicast && address != IpAddress{} && !(address.is_v4() && address.v4()[0] == 0);
}

// The address and port that are asked; nothing if it was reported why not.
std::optional<HostPort> read_target(Reading& in, const UpstreamArgs& args, const Place& place) {
    std::string_view addr = args.addr;
    if (!take_scheme(in, addr, place)) return std::nullopt;
    const auto parts = parse_host_port(addr);
    const auto refuse = [&](const std::string& text) {
        in.report().error(place.line, place.name() + text);
        return std::nullopt;
    };
    if (!parts) {
        return refuse(
            " is " + matchers::quoted(args.addr) +
            ": expected an IP address, as in udp://192.0.2.1:53 or udp://[2001:db8::1]:53");
    }
    HostPort target = *parts;
    if (!args.dial_addr.empty()) {
        const auto dial = parse_host_port(args.dial_addr);
        if (!dial || !dial->address) {
            in.report().error(place.line, "'dial_addr' of " + std::string(place.owner) + " is " +
                                              matchers::quoted(args.dial_addr) +
                                              ": expected an IP address, as in 192.0.2.1");
            return std::nullopt;
        }
        target.address = dial->address;
        if (dial->port) target.port = dial->port;
    }
    if (!target.address) {
        return refuse(
            " is the name " + matchers::quoted(target.host) +
            ", which would have to be looked up: write its IP address, or add it as 'dial_addr'");
    }
    if (!can_be_asked(*target.address)) {
        return refuse(" is " + matchers::quoted(args.addr) + ": that address cannot be asked");
    }
    if (args.port != 0) {
        if (target.port && *target.port != args.port) {
            return refuse(" has port " + std::to_string(*target.port) + " and 'port' is " +
                          std::to_string(args.port) + ": keep one of them");
        }
        target.port = static_cast<std::uint16_t>(args.port);
    }
    return target;
}

std::optional<UpstreamSettings> finish(Reading& in, const UpstreamArgs& args,
                                       const std::string& owner, int line) {
    const auto target = read_target(in, args, {"addr", owner, line});
    if (!target) return std::nullopt;
    return UpstreamSettings{args.tag,     args.addr, *target->address, target->port.value_or(53),
                            args.timeout, line};
}

// ---- the plugin

void read_upstreams(Reading& in, const Node& node, const Place& place, Forward& out) {
    if (!node.is_list() || node.items.empty()) {
        in.report().error(place.line,
                          place.name() +
                              ": expected a list with at least one '- addr: udp://...', found " +
                              (node.is_list() ? "an empty list" : std::string(node.what())));
        return;
    }
    if (node.items.size() > kMostUpstreams) {
        in.report().error(place.line, place.name() + " has " + std::to_string(node.items.size()) +
                                          " entries: expected at most " +
                                          std::to_string(kMostUpstreams));
    }
    std::size_t number = 0;
    for (const Node& item : node.items) {
        const std::string owner =
            "upstream " + std::to_string(++number) + " of " + std::string(place.owner);
        UpstreamArgs args;
        if (item.is_text()) {
            args.addr = item.text;  // "- 192.0.2.1" is short for "- addr: 192.0.2.1"
        } else if (!read_rows(in, item, kUpstreamRows, owner, args)) {
            continue;
        }
        if (args.addr.empty()) continue;
        const Node* addr = item.find("addr");
        if (auto upstream = finish(in, args, owner, addr == nullptr ? item.line : addr->line)) {
            out.upstreams.push_back(std::move(*upstream));
        }
    }
}

constexpr std::array<Row<Forward>, 12> kRows{{
    {"upstreams", Own<Forward>{"list of upstreams", read_upstreams}, "(the host's)", "",
     "who is asked, as in `upstreams: [{addr: udp://192.0.2.1}]`; one by `policy`, the next one if "
     "it fails. Without it: the servers that this host was told by its network, and never itself"},
    {"policy", choice<Forward, &Forward::policy>(), "latency", "latency|sticky|round_robin|random",
     "which upstream a query asks first: the one with the lowest latency; the same one until it "
     "fails, then the next (RouterOS's way); each in turn; any. Those that do not reply come last"},
    {"resolv_file", &Forward::resolv_file, "(resolv.conf and leases of this host)", "",
     "without `upstreams`: the file with `nameserver` lines whose servers are asked, as in "
     "`resolv_file: /run/ppp/resolv.conf`; read again when it changes"},
    {"concurrent", &Forward::concurrent, "1", "1..32", "upstreams asked at the same time"},
    {"total_timeout", &Forward::total_timeout, "5s", "100ms..1m",
     "how long a query may take over all upstreams; then SERVFAIL"},
    {"short_circuit", &Forward::short_circuit, "false", "", "an answer ends the whole program"},
    {"response_selection", NotYet{}, "balanced", "", "which of several answers is taken"},
    {"socks5", NotYet{}, "", "", "proxy"},
    {"so_mark", NotYet{}, "0", "", "socket mark"},
    {"bind_to_device", NotYet{}, "", "", "interface"},
    {"bootstrap", NotYet{}, "", "", "resolver for names in `addr`"},
    {"bootstrap_version", NotYet{}, "", "", "address family of that"},
}};

void read(Reading& in, const Node* node, Plugin& plugin) {
    Forward args;
    Node empty;
    const Node& block = args_or_empty(node, plugin, empty);
    read_rows(in, block, kRows, owner_of(plugin), args);
    args.of_host = block.find("upstreams") == nullptr;
    if (!args.resolv_file.empty()) {
        if (!args.of_host) {
            in.report().error(block.find("resolv_file")->line,
                              "'resolv_file' of " + owner_of(plugin) +
                                  " is for a forward without 'upstreams': keep one of them");
        }
        args.resolv_file = in.resolve(args.resolv_file);
    }
    plugin.args = std::move(args);
}

// forward ADDRESS... [short_circuit[=BOOL]]: all addresses are asked at once.
void read_quick(Reading& in, std::string_view words, int line, Plugin& plugin) {
    const std::string owner = owner_of(plugin);
    Forward args;
    for (const auto word : split_words(words)) {
        if (word.starts_with("short_circuit")) {
            read_short_circuit(in, word, {"short_circuit", owner, line}, args.short_circuit);
            continue;
        }
        if (word.starts_with('$')) {
            in.report().error(line, owner + ": " + matchers::quoted(word) +
                                        " is no address: to use a plugin write '" +
                                        std::string(word) + "' alone");
            continue;
        }
        UpstreamArgs upstream;
        upstream.addr = word;
        if (auto done = finish(in, upstream, owner, line))
            args.upstreams.push_back(std::move(*done));
    }
    if (split_words(words).empty()) {
        in.report().error(line, owner + " has no address: write one, as in 'forward 192.0.2.1'");
    }
    args.concurrent = static_cast<std::uint32_t>(
        std::clamp<std::size_t>(args.upstreams.size(), 1, kMostUpstreams));
    plugin.args = std::move(args);
}

}  // namespace

std::vector<RowText> upstream_row_texts() {
    return row_texts(kUpstreamRows);
}

const PluginType kForwardType{"forward",
                              Role::executor,
                              "Asks upstream resolvers over UDP.",
                              "forward ADDRESS... [short_circuit]",
                              "",
                              [] { return row_texts(kRows); },
                              read,
                              read_quick};

}  // namespace steer::config
