// recursion: resolves from the root, by an engine that the daemon runs (control/program/engine).
#include <net/if.h>

#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "control/config/plugin_type.h"
#include "control/config/reference.h"
#include "control/config/text/engine_lines.h"
#include "control/config/text/engine_options.h"
#include "control/config/values.h"
#include "matchers/name_text.h"
#include "matchers/prefix/prefix_set.h"
#include "matchers/quote.h"

namespace steer::config {
namespace {

constexpr std::string_view kRoot = "root", kNumberAuto = "auto";
constexpr std::uint64_t kLeastCache = std::uint64_t{4} << 20, kMostCache = std::uint64_t{64} << 30;

// More than an engine resolves in a good part of a second would only wait.
constexpr std::uint32_t kQueriesOfInstance = 1000, kUnset = UINT32_MAX;

struct RecursionArgs : Recursion, Forward {
    bool keeps_root_zone = false, is_auto = false;
    std::uint32_t first_port_of_instances = 0;
    int port_line = 0, root_zone_line = 0;
};

// Texts go into the engine's configuration between quotes.
bool is_safe(std::string_view text) {
    return std::ranges::none_of(text, [](char c) {
        return c == '"' || c == '\\' || c == '\n' || static_cast<unsigned char>(c) < ' ';
    });
}

// A domain name for the engine, without the root's dot at its end; no value: an error was reported.
std::optional<std::string> zone_text(Reading& in, std::string_view text, const Place& place,
                                     int line) {
    if (text == ".") return ".";
    const auto name = matchers::parse_name(text, {.alone = true});
    if (name && is_safe(*name)) return *name;
    in.report().error(line, matchers::quoted(text) + " in " + place.name() +
                                ": expected a domain name, as in example.com");
    return std::nullopt;
}

void read_instances(Reading& in, const Node& node, const Place& place, RecursionArgs& out) {
    out.is_auto = node.is_text() && lowered(node.text) == kNumberAuto;
    if (!out.is_auto) read_value(in, node, place, "1..16", out.instances);
}

void read_port(Reading& in, const Node& node, const Place& place, RecursionArgs& out) {
    out.port_line = place.line;
    read_value(in, node, place, "1024..65000", out.first_port_of_instances);
}

void read_anchors(Reading& in, const Node& node, const Place& place, RecursionArgs& out) {
    for (const Text& item : read_texts(in, node, place)) {
        RecursionText anchor{item.value, item.line};
        std::ranges::replace(anchor.value, '\t', ' ');  // as in the files of keys
        if (anchor.value.starts_with('/') && is_safe(anchor.value)) {
            const ResolvedPath file = in.resolve(anchor.value, item.line);
            in.read_file(file, {place.key, place.owner, item.line});
            anchor.value = file;
        } else if (!is_safe(anchor.value) ||
                   (anchor.value != kRoot &&
                    lowered(anchor.value).find(" ds ") == std::string::npos &&
                    lowered(anchor.value).find(" dnskey ") == std::string::npos)) {
            in.report().error(item.line, matchers::quoted(item.value) + " in " + place.name() +
                                             ": expected a record such as 'example.com. DS 1234 "
                                             "13 2 …', the path of a file, or 'root'");
            continue;
        }
        out.trust_anchors.push_back(std::move(anchor));
    }
}

void read_negative_anchors(Reading& in, const Node& node, const Place& place, RecursionArgs& out) {
    for (const Text& item : read_texts(in, node, place)) {
        if (auto name = zone_text(in, item.value, place, item.line))
            out.negative_trust_anchors.push_back({std::move(*name), item.line});
    }
}

void read_root_hints(Reading& in, const Node& node, const Place& place, RecursionArgs& out) {
    std::string path;
    if (!read_value(in, node, place, {}, path)) return;
    const ResolvedPath file = in.resolve(path, place.line);
    in.read_file(file, place);
    out.root_hints = {file, place.line};
    if (!is_safe(out.root_hints.value))
        in.report().error(place.line, place.name() + ": the path may not have quotes");
}

void read_root_zone(Reading& in, const Node& node, const Place& place, RecursionArgs& out) {
    out.root_zone_line = place.line;
    read_value(in, node, place, {}, out.keeps_root_zone);
}

void read_cache_size(Reading& in, const Node& node, const Place& place, RecursionArgs& out) {
    const auto bytes = node.is_text() ? parse_size(node.text) : std::nullopt;
    if (bytes && *bytes >= kLeastCache && *bytes <= kMostCache) {
        out.cache_bytes = *bytes;
    } else {
        in.report().error(place.line, place.name() + found(node) +
                                          "expected a size from 4MiB to 64GiB, as in 128MiB");
    }
}

void read_servers(Reading& in, const Entry& entry, const Place& place,
                  std::vector<RecursionZone>& out) {
    RecursionZone zone;
    zone.line = entry.line;
    const auto name = zone_text(in, entry.key, place, entry.line);
    if (!name) return;
    zone.zone = *name;
    const Place own{place.key, place.owner, entry.line};
    Node list = entry.value;
    if (list.is_text()) {
        list = Node{};
        list.kind = Node::Kind::list;
        list.line = entry.line;
        list.items.push_back(entry.value);
    }
    for (const Text& item : read_texts(in, list, own)) {
        const auto where = parse_host_port(item.value);
        if (!where || !where->address || where->address->is_link_local()) {
            in.report().error(item.line, matchers::quoted(item.value) + " in " + own.name() +
                                             " is not an address: expected one such as 192.0.2.1 "
                                             "or [2001:db8::1]:5353");
            continue;
        }
        zone.servers.push_back({*where->address, where->port.value_or(53)});
    }
    if (zone.servers.empty())
        in.report().error(entry.line, own.name() + ": " + matchers::quoted(entry.key) +
                                          " has no server: write an address");
    out.push_back(std::move(zone));
}

template <auto Member>
void read_zones(Reading& in, const Node& node, const Place& place, RecursionArgs& out) {
    if (!node.is_map()) {
        in.report().error(place.line, place.name() + found(node) +
                                          "expected a map of zones and their servers, as in "
                                          "'{ corp.example: [ 192.0.2.1 ] }'");
        return;
    }
    for (const Entry& entry : node.entries)
        read_servers(in, entry, place, out.*Member);
}

void read_private(Reading& in, const Node& node, const Place& place, RecursionArgs& out) {
    out.private_addresses = read_prefixes(in, node, place);
}

void read_extra(Reading& in, const Node& node, const Place& place, RecursionArgs& out) {
    EngineLines lines = read_engine_lines(read_texts(in, node, place));
    for (const EngineRefusal& one : lines.refusals) {
        std::string text = one.what + " in " + place.name() + ' ' + one.why;
        if (!in.leaves_out_lines()) {
            in.report().error(one.line, std::move(text));
            continue;
        }
        text += one.with_clause ? "; it is left out, with its clause" : "; it is left out";
        in.report().warn(one.line, text);
        out.left_out.push_back({std::move(text), one.line});
    }
    out.extra = std::move(lines.statements);
}

void read_prefetch(Reading& in, const Node& node, const Place& place, RecursionArgs&) {
    bool wanted = false;
    if (read_value(in, node, place, {}, wanted) && wanted)
        in.report().error(place.line, place.name() +
                                          " is true: expected false, because the 'cache' before it "
                                          "renews names ('prefetch' of a cache)");
}

// ---- outgoing

void read_outgoing_addresses(Reading& in, const Node& node, const Place& place,
                             RecursionArgs& out) {
    for (const Text& item : read_texts(in, node, place)) {
        if (const auto address = IpAddress::parse(item.value)) {
            out.outgoing.push_back(*address);
        } else {
            in.report().error(item.line, matchers::quoted(item.value) + " in " + place.name() +
                                             ": expected an address of this machine");
        }
    }
}

void read_outgoing_ports(Reading& in, const Node& node, const Place& place, RecursionArgs& out) {
    std::string text;
    if (!read_value(in, node, place, {}, text)) return;
    const auto range = parse_source_ports(text);
    if (!range) {
        in.report().error(place.line,
                          place.name() + " is " + matchers::quoted(text) +
                              ": expected a range of at least 1024 ports from 1024 on, as in "
                              "30000-60000");
        return;
    }
    out.first_port = range->first;
    out.last_port = range->second;
    out.ports_line = place.line;
}

void read_outgoing_interface(Reading& in, const Node& node, const Place& place,
                             RecursionArgs& out) {
    std::string name;
    if (!read_value(in, node, place, {}, name)) return;
    if (name.empty() || name.size() >= IFNAMSIZ || name.find('/') != std::string::npos)
        in.report().error(place.line, place.name() + " is " + matchers::quoted(name) +
                                          ": expected the name of an interface, as in eth1");
    out.outgoing_interface = {std::move(name), place.line};
}

constexpr std::array<Row<RecursionArgs>, 3> kOutgoingRows{{
    {"addresses", Own<RecursionArgs>{"list of addresses", read_outgoing_addresses}, "(any)", "",
     "addresses of this machine that its queries leave from"},
    {"interface", Own<RecursionArgs>{"name", read_outgoing_interface}, "none", "",
     "interface whose addresses its queries leave from\nInstead of `addresses`. The routes of the "
     "kernel decide where they go. While it has no address, nothing is resolved."},
    {"ports", Own<RecursionArgs>{"range", read_outgoing_ports}, "(any)", "",
     "ports that its queries leave from, as in `30000-60000`"},
}};

void read_outgoing(Reading& in, const Node& node, const Place& place, RecursionArgs& out) {
    read_rows(in, node, kOutgoingRows, place.name(), out);
    if (!out.outgoing.empty() && !out.outgoing_interface.value.empty())
        in.report().error(out.outgoing_interface.line,
                          place.name() + " has 'addresses' and 'interface': remove one of them");
}

constexpr std::array<Row<RecursionArgs>, 21> kRecursionRows{{
    {"engine", choice<RecursionArgs, &RecursionArgs::engine>(), "unbound", "unbound",
     "program that resolves and validates"},
    {"instances", Own<RecursionArgs>{"number or `auto`", read_instances}, "auto", "1..16",
     "processes of the engine\n`auto`: one for each CPU beyond those of `workers`, at least one. A "
     "hash of the registrable domain selects the instance. So a domain's delegation, keys and "
     "denials are in one cache, and a flood on it fills only that one."},
    {"port", Own<RecursionArgs>{"port", read_port}, "5301", "1024..65000",
     "port of the first instance on 127.0.0.1; the others have the ports after it"},
    {"validate", choice<RecursionArgs, &RecursionArgs::validate>(), "yes", "yes|permissive|no",
     "check of signatures (DNSSEC)\n`yes`: an answer whose check fails is SERVFAIL, with the "
     "reason "
     "as an extended error. `permissive`: it is answered without the AD bit. Clients that set CD "
     "get it in any case."},
    {"trust_anchors", Files<RecursionArgs>{"list of records and paths", read_anchors}, "(`root`)",
     "",
     "DS or DNSKEY records, paths of files with such, or `root`\n`root` is the root's key of the "
     "package dns-root-data. It follows the root's key rolls (RFC 5011)."},
    {"negative_trust_anchors", Own<RecursionArgs>{"list of names", read_negative_anchors}, "none",
     "", "domains whose signatures are not checked (RFC 7646)"},
    {"root_hints", Files<RecursionArgs>{"path", read_root_hints}, "(of dns-root-data)", "",
     "file with the root's servers"},
    {"root_zone", Own<RecursionArgs>{"boolean", read_root_zone}, "false", "",
     "keep a copy of the root zone, by transfer (RFC 8806)"},
    {"qname_minimisation", &RecursionArgs::qname_minimisation, "true", "",
     "tell each server only the labels that it needs (RFC 9156)"},
    {"aggressive_nsec", &RecursionArgs::aggressive_nsec, "true", "",
     "answer for missing names by cached proofs (RFC 8198)"},
    {"prefetch", Own<RecursionArgs>{"boolean", read_prefetch}, "false", "",
     "must be `false`: the `cache` before it renews names before they expire"},
    {"cache_size", Own<RecursionArgs>{"size", read_cache_size}, "64MiB", "4MiB..64GiB",
     "memory for the cache of each instance"},
    {"outgoing", Own<RecursionArgs>{"map", read_outgoing}, "none", "",
     "where its queries leave from: `addresses` or `interface`, and `ports`\n`addresses` are of "
     "this machine. `interface` is the name of one, whose addresses are used; while it has none, "
     "nothing is resolved. `ports` is a range such as `30000-60000`, of 1024 ports at least."},
    {"stubs", Own<RecursionArgs>{"map of lists", read_zones<&RecursionArgs::stubs>}, "none", "",
     "zones and their authoritative servers, as in `{corp.example: [192.0.2.1]}`"},
    {"forwards", Own<RecursionArgs>{"map of lists", read_zones<&RecursionArgs::forwards>}, "none",
     "", "zones and the resolvers that are asked for them"},
    {"private_addresses", Own<RecursionArgs>{"list of prefixes", read_private}, "none", "",
     "addresses that public names may not have (DNS rebinding)\nZones in `stubs` and `forwards` "
     "may."},
    {"extra", Own<RecursionArgs>{"list of lines", read_extra}, "none", "",
     "further lines of the engine's configuration, as in unbound.conf(5)\nThey are written in a "
     "clause `server:`, unless one of them begins another clause. They may have the options listed "
     "below."},
    {"total_timeout", &RecursionArgs::total_timeout, "5s", "100ms..1m",
     "time limit for a query; then SERVFAIL"},
    {"max_concurrent_queries", &RecursionArgs::max_concurrent_queries, "(1000 for each instance)",
     "0..1000000",
     "maximum queries in progress; further ones get SERVFAIL, or a stale answer of the `cache`\n0: "
     "no "
     "limit. A domain may have its share of them, as of a `forward`."},
    {"short_circuit", &RecursionArgs::short_circuit, "false", "",
     "an answer ends the whole program"},
    {"ready", Own<RecursionArgs>{"boolean", read_ready<RecursionArgs>}, "(by its place)", "",
     "as of a `forward`"},
}};

std::uint32_t spare_cpus(const Settings& settings) {
    const std::uint32_t cpus = std::max(1U, std::thread::hardware_concurrency());
    const std::uint32_t workers = settings.dataplane.workers;
    return std::clamp(cpus > workers ? cpus - workers : 1U, 1U, Recursion::kMostInstances);
}

// Its instances, as upstreams.
void add_instances(RecursionArgs& args, const std::string& tag) {
    for (std::uint32_t i = 0; i < args.instances; ++i) {
        UpstreamSettings one;
        constexpr std::uint8_t kLoopback[4]{127, 0, 0, 1};
        one.address = IpAddress::from_v4(kLoopback);
        one.host = one.address->to_string();
        one.port = static_cast<std::uint16_t>(args.port + i);
        one.addr = "udp://" + one.host + ":" + std::to_string(one.port);
        one.tag = tag + "-" + std::to_string(i);
        one.timeout = args.total_timeout;
        one.line = args.line;
        one.trust_ad = args.validate != Validation::no;
        one.cookies = one.random_case = false;  // on loopback
        one.is_engine = true;
        args.upstreams.push_back(std::move(one));
    }
    args.policy = UpstreamPolicyMode::domain;
}

// What all instances of a configuration share: ports, and folders.
void refuse_shared(Reading& in, const RecursionArgs& args, const std::string& owner) {
    std::uint32_t all = args.instances;
    for (const Plugin& other : in.settings().plugins) {
        const auto* const forward = std::get_if<Forward>(&other.args);
        if (forward == nullptr || !forward->recursion) continue;
        const Recursion& theirs = *forward->recursion;
        all += theirs.instances;
        if (args.port + args.instances <= theirs.port ||
            theirs.port + theirs.instances <= args.port)
            continue;
        in.report().error(args.port_line != 0 ? args.port_line : args.line,
                          owner + " and " + owner_of(other) +
                              " have the same port: give one of them another 'port'");
    }
    if (all > Recursion::kMostInstances)
        in.report().error(args.line, owner + ": " + std::to_string(all) +
                                         " instances in all, expected at most 16: set 'instances'");
}

void read_recursion(Reading& in, const Node* node, Plugin& plugin) {
    RecursionArgs args;
    args.max_concurrent_queries = kUnset;
    Node empty;
    const std::string owner = owner_of(plugin);
    if (!read_rows(in, args_or_empty(node, plugin, empty), kRecursionRows, owner, args)) return;
    args.line = plugin.line;
    args.port = static_cast<std::uint16_t>(args.first_port_of_instances);
    if (args.is_auto) args.instances = spare_cpus(in.settings());
    if (args.keeps_root_zone) args.root_zone = args.root_zone_line;
    if (args.max_concurrent_queries == kUnset)
        args.max_concurrent_queries = kQueriesOfInstance * args.instances;
    refuse_shared(in, args, owner);
    add_instances(args, plugin.tag);
    args.recursion = static_cast<const Recursion&>(args);
    plugin.args = static_cast<Forward&&>(args);
}

// ---- the documentation of `extra`

std::string option_text(const EngineOption& option) {
    std::string out = "`" + std::string(option.name) + "`";
    if (option.since != EngineOption::kFirst) out += " (1." + std::to_string(option.since) + ")";
    return out;
}

template <class Which>
std::string options_text(std::string before, Which which) {
    for (const EngineOption& option : engine_options()) {
        if (!which(option)) continue;
        if (!before.ends_with(' ')) before += ", ";
        before += option_text(option);
    }
    return before;
}

void write_engine_options(std::ostream& out) {
    write_paragraph(
        out,
        "Options that lines of `extra` may have, by clause, for unbound 1.17 to 1.26. A "
        "version behind one is the first that has it:");
    out << "\n```text\n";
    for (const EngineClause& clause : engine_clauses()) {
        if (clause.bit == 0) continue;
        std::string text = options_text(
            std::string(clause.name) + ": ",
            [&clause](const EngineOption& option) { return (option.clauses & clause.bit) != 0; });
        std::erase(text, '`');
        write_paragraph(out, text);
    }
    out << "```\n";
    out << '\n';
    write_paragraph(
        out,
        options_text("Of these, the following read a file: ",
                     [](const EngineOption& option) { return option.value == EngineValue::file; }) +
            ". Their files lie below `/var/lib/unbound`, `/usr/share` or `/etc/ssl/certs`, and the "
            "engine's user opens them. Other paths start from the folder of the process. "
            "`module-config` may have the modules respip, subnetcache, validator and iterator.");
    out << '\n';
    write_paragraph(
        out,
        "Lines are read as unbound reads them: `#` begins a comment only where a word "
        "could begin. `steerdnsd --check` and a reload refuse a line with anything else. A "
        "start leaves it out, with the clause that it begins, and serves: `steerctl "
        "status` then has it among its problems. If unbound refuses the others, all of "
        "`extra` is left out.");
    out << '\n';
}

}  // namespace

const PluginType kRecursionType{
    "recursion",
    Role::executor,
    "Resolves names from the root and validates their signatures, without another resolver. The "
    "work is done by processes of unbound, which the daemon configures, starts, watches and "
    "restarts. They listen on 127.0.0.1 only. Put a `cache` before it. `steerctl recursion` shows "
    "their state.",
    "",
    "",
    [] { return row_texts(kRecursionRows); },
    read_recursion,
    nullptr,
    {.needs_tag = true, .reference = write_engine_options}};

}  // namespace steer::config
