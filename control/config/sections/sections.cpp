// The table of sections, and the short ones: log, control, runtime.
#include "control/config/sections/sections.h"

#include <algorithm>
#include <array>
#include <utility>

#include "control/config/layer.h"
#include "control/config/lists/entry_lines.h"
#include "control/config/lists/group_lines.h"
#include "control/config/plugin_type.h"
#include "control/config/predecessors.h"
#include "control/config/sections/section_rows.h"
#include "control/config/values.h"
#include "matchers/pattern/compiler.h"
#include "matchers/quote.h"
#include "matchers/text.h"

namespace steer::config {
namespace {

// ---- log

constexpr std::array<Row<LogRotation>, 2> kRotationRows{{
    {"type", choice<LogRotation, &LogRotation::period>(), "never",
     "never|minutely|hourly|daily|weekly",
     "how often `file` is renamed to `FILE.DATE`, in UTC; weeks begin on Monday"},
    {"max_files", &LogRotation::max_files, "7", "0..100000",
     "number of renamed files that are kept; 0: all"},
}};

void read_rotation(Reading& in, const Node& node, const Place& place, Log& out) {
    if (node.is_text()) {  // short for `type`
        if (const auto index = read_choice(in, node, place, kRotationRows[0].range))
            out.rotation.period = static_cast<RotationPeriod>(*index);
        return;
    }
    read_rows(in, node, kRotationRows, place.name(), out.rotation);
}
void read_production(Reading& in, const Node& /*node*/, const Place& place, Log& /*out*/) {
    in.report().warn(place.line, place.name() + " has no effect: remove it");
}
void read_log_file(Reading& in, const Node& node, const Place& place, Log& out) {
    std::string path;
    if (read_value(in, node, place, {}, path)) out.file = in.resolve(path, place.line);
}

constexpr std::array<Row<Log>, 4> kLogRows{{
    {"level", choice<Log, &Log::level>(), "info", "off|trace|debug|info|warning/warn|error",
     "lowest level that is logged"},
    {"file", Files<Log>{"path", read_log_file}, "none", "",
     "file that receives a copy of the log; a reload reopens it after a rename"},
    {"rotation", Own<Log>{"map", read_rotation}, "(never)", "",
     "rotation of `file` by time, see below; without it, use logrotate"},
    {"production", Own<Log>{"true/false", read_production}, "none", "", "ignored"},
}};

void read_log(Reading& in, const Node& node, int /*line*/) {
    Log& log = in.settings().log;
    read_rows(in, node, kLogRows, "'log'", log);
    if (log.rotation.period != RotationPeriod::never && log.file.empty()) {
        in.report().warn(node.find("rotation")->line,
                         "'rotation' of 'log' does nothing without 'file': write one");
    }
}

// ---- control

void read_socket(Reading& in, const Node& node, const Place& place, Control& out) {
    constexpr std::size_t kLongest = 107;  // sun_path
    std::string path;
    if (!read_value(in, node, place, {}, path)) return;
    path = in.resolve(path, place.line);
    if (path.size() > kLongest) {
        in.report().error(place.line, place.name() + " is " + matchers::quoted(path) +
                                          ": expected a path of at most 107 characters");
        return;
    }
    out.socket = std::move(path);
}

// A path, or "off", which is empty.
template <auto Member>
void read_path_or_off(Reading& in, const Node& node, const Place& place, Control& out) {
    std::string& path = out.*Member;
    if (!read_value(in, node, place, {}, path)) return;
    if (lowered(path) == "off") {
        path.clear();
    } else {
        path = in.resolve(path, place.line);
    }
    while (path.size() > 1 && path.ends_with('/'))
        path.pop_back();
}

constexpr std::array<Row<Control>, 1> kClientGroupsRows{{
    {"redis", &Control::client_groups_key, "none", "",
     "key of the Redis of `fleet` whose text has the groups, as in `client_groups`"},
}};

void read_client_groups(Reading& in, const Node& node, const Place& place, Control& out) {
    if (node.is_map()) {
        if (!read_rows(in, node, kClientGroupsRows, place.name(), out)) return;
        if (out.client_groups_key.empty() || out.client_groups_key.size() > kMaxGroupKey)
            in.report().error(place.line, place.name() + ": expected `redis` with a key of 1 to " +
                                              std::to_string(kMaxGroupKey) +
                                              " bytes, or the path of a file");
        return;
    }
    std::string path;
    if (!read_value(in, node, place, {}, path)) return;
    const ResolvedPath resolved = in.resolve(path, place.line);
    const std::string& file = resolved.text();
    const auto bytes = in.read_file(resolved, place);
    if (!bytes) return;
    GroupMaker maker;
    read_entry_lines(in, *bytes, file, true, place, parse_group_line,
                     [&maker](const GroupLine& line, std::uint32_t, int) { maker.add(line); });
    auto groups = maker.finish();
    if (!groups) return in.report().error(place.line, place.name() + ": " + groups.error().text);
    out.client_groups = *std::move(groups);
}

void read_rules(Reading& in, const Node& node, const Place& place, Control& out) {
    std::string path;
    if (!read_value(in, node, place, {}, path)) return;
    out.rules = lowered(path) == "off" ? std::string() : in.resolve(path, place.line);
}

// Below a folder that is written into the engine's configuration between quotes.
template <auto Member>
void read_path(Reading& in, const Node& node, const Place& place, Control& out) {
    std::string path;
    if (!read_value(in, node, place, {}, path)) return;
    if (path.empty() || path.find_first_of("\"\\\n") != std::string::npos) {
        in.report().error(place.line, place.name() + ": expected a path without quotes");
        return;
    }
    out.*Member = in.resolve(path, place.line);
}

void read_list_size(Reading& in, const Node& node, const Place& place, Fetch& out) {
    constexpr std::uint64_t kMin = 1024, kMax = std::uint64_t{4} << 30;
    const auto bytes = node.is_text() ? parse_size(node.text) : std::nullopt;
    if (!bytes || *bytes < kMin || *bytes > kMax) {
        in.report().error(place.line, place.name() + ": expected 1KiB..4GiB such as 64MiB");
        return;
    }
    out.max_size = *bytes;
}
void read_list_ca(Reading& in, const Node& node, const Place& place, Fetch& out) {
    std::string path;
    if (read_value(in, node, place, {}, path)) out.ca = in.resolve(path, place.line);
}

constexpr std::array<Row<Fetch>, 6> kFetchRows{{
    {"every", &Fetch::every, "4h", "1m..30d",
     "interval between two checks of a list\nA random tenth is added or subtracted. After a "
     "failure the next attempts follow after 1, 2, 4 … minutes. While no copy exists, the first "
     "retry follows after 10 seconds."},
    {"timeout", &Fetch::timeout, "1m", "1s..1h", "time limit for one download"},
    {"start_wait", &Fetch::start_wait, "10s", "0ms..5m",
     "how long a start or reload waits for lists without a local copy\nA start, and a reload that "
     "adds a URL, wait this long. Then they continue without the missing lists."},
    {"max_size", Own<Fetch>{"size", read_list_size}, "256MiB", "1KiB..4GiB",
     "maximum size of a list, after decompression; a larger list is rejected"},
    {"max_shrink", &Fetch::max_shrink, "50", "0..100",
     "maximum percentage of rules that a list may lose in one update\nA list that loses more is "
     "rejected. The last good copy stays in use. This protects against truncated downloads and "
     "files. Lists of fewer than 20 rules are exempt. `100` accepts any list, also an empty file. "
     "A plugin can set its own `max_shrink`. At start there is no earlier version, so every file "
     "is accepted."},
    {"ca", Files<Fetch>{"path", read_list_ca}, "none", "",
     "PEM file with CA certificates for https servers; default: the system's"},
}};

void read_fetch(Reading& in, const Node& node, const Place& place, Control& out) {
    read_rows(in, node, kFetchRows, place.name(), out.fetch);
}

void read_pattern_memory(Reading& in, const Node& node, const Place& place, Control& out) {
    constexpr std::uint64_t kMin = std::uint64_t{64} << 20, kMax = std::uint64_t{64} << 30;
    const auto bytes = node.is_text() ? parse_size(node.text) : std::nullopt;
    if (!bytes || *bytes < kMin || *bytes > kMax) {
        in.report().error(place.line, place.name() + ": expected 64MiB..64GiB such as 1GiB");
        return;
    }
    out.pattern_memory = *bytes;
}

void read_managed_place(Reading& in, const Node& node, const Place& place, Control& out) {
    std::string text;
    if (read_value(in, node, place, {}, text)) out.managed = managed_place(in, text, place.line);
}

constexpr std::array<Row<Control>, 27> kControlRows{{
    {"socket", Files<Control>{"path", read_socket}, "/run/steerdns/control.sock", "",
     "control socket, used by steerctl"},
    {"roles", Own<Control>{"list", read_roles}, "none", "",
     "what users and groups may do over the control socket, see below\nWithout it, everyone who "
     "may "
     "open the socket (mode 0660) has the role `admin`. With it, every user may connect, and is "
     "refused without a row. root and the daemon's own user always have the role `admin`."},
    {"http", Own<Control>{"on, address:port or map", read_http}, "127.0.0.1:9153", "",
     "HTTP address for metrics and health checks; `off` disables it\n`on` also serves the page "
     "and the JSON-RPC to browsers and programs: over HTTPS, on port 9154 of all addresses, with a "
     "certificate that the daemon makes. A map sets this, see below."},
    {"user", &Control::user, "(`steerdns` if it exists, else `nobody`)", "",
     "user that the daemon runs as after its start\nReloads read the configuration and all its "
     "files as this user. The option `--user` of steerdnsd wins, and a start then reads them as "
     "this user, too; the systemd unit has `--user steerdns`."},
    {"images", Files<Control>{"path", read_path_or_off<&Control::images>},
     "/var/lib/steerdns/images", "",
     "folder for compiled lists; `off` disables it\nLists with at least 20,000 names or 20 "
     "patterns are stored there. A start or reload with unchanged lists then compiles nothing. "
     "After small changes of long lists, a start does not wait for the compilation of keywords and "
     "regexps: from 1,000 on, it serves the newest image if that has nine tenths of them, and "
     "compiles in the background. Until then new rules have no effect, and removed ones match "
     "nothing. `problems` of `steerctl status` reports this."},
    {"watch", choice<Control, &Control::watch>(), "files", "files|all|off",
     "files whose changes trigger a reload\n`files` watches the files that the configuration "
     "names. `all` also watches the configuration itself. `off` watches nothing."},
    {"lists", Files<Control>{"path", read_path_or_off<&Control::lists>}, "/var/lib/steerdns/lists",
     "", "folder for copies of lists fetched from URLs; `off` rejects URLs"},
    {"fetch", Own<Control>{"map", read_fetch}, "(below)", "",
     "how lists are fetched from URLs, see below"},
    {"findings", Files<Control>{"path", read_path_or_off<&Control::findings>},
     "/var/lib/steerdns/routeros.json", "",
     "file for the results of RouterOS version probes; `off` disables it\nIt is written only if "
     "its folder exists."},
    {"leases", Files<Control>{"path", read_path_or_off<&Control::leases>},
     "/var/lib/steerdns/leases.json", "",
     "file for the leases of `dhcp_leases`; `off` disables it\nAfter a restart these leases are "
     "used until the router is reachable. Names of `steerctl clients name` are kept in its folder, "
     "as `clients.json`, groups of `steerctl clients group` as `groups.json`."},
    {"client_groups", Files<Control>{"path or map", read_client_groups}, "none", "",
     "file with groups of devices: `GROUP MEMBER` in each line\nA member is an address, a prefix "
     "or a MAC address. `watch` follows the file, so a feed of subscribers may write it again. "
     "`{redis: KEY}` reads the same text from a key in the Redis of `fleet`, of at most 4 MiB. It "
     "is followed within some seconds. A wrong text changes nothing, and is a problem in "
     "`steerctl status`; so is a Redis that is away. The last good groups stay, also after a "
     "restart, in the folder of `leases`. "
     "Rules of `steerctl block --group` and `client_group` use these groups, with the members of "
     "the same "
     "name that people add. At most 256 groups are possible."},
    {"recursion", Files<Control>{"path", read_path<&Control::recursion>},
     "/var/lib/unbound/steerdns", "",
     "folder for files of the engines of `recursion`\nDebian's profile of AppArmor lets unbound "
     "use no folder outside of /var/lib/unbound."},
    {"router_lists", Files<Control>{"path", read_path_or_off<&Control::router_lists>},
     "/var/lib/steerdns/router-lists.json", "",
     "file for the address lists of `ros_list`; `off` disables it\nAfter a restart these lists are "
     "used until the router is reachable. The DNS servers of a router are kept in its folder, as "
     "`dns-servers-NAME.conf`, for a `forward` with `router`."},
    {"static", Files<Control>{"path", read_path_or_off<&Control::static_file>},
     "/var/lib/steerdns/static.yaml", "",
     "file for the records of `steerctl static add`; `off` disables it\nThe file maps the tags of "
     "`static` plugins to lists of `records`. A start and a reload read it. You can edit it."},
    {"rules", Files<Control>{"path", read_rules}, "(on with the page)", "",
     "file for the rules of `steerctl block`, `allow` and `pause`; `off` disables them\nWithout "
     "this setting, rules are on if `http` serves the page. The file is then "
     "/var/lib/steerdns/rules.json."},
    {"history", Files<Control>{"path", read_path_or_off<&Control::history>},
     "/var/lib/steerdns/configurations", "",
     "folder for the configuration's earlier texts; `off` disables it and "
     "`configuration.apply`\nThe last 50 texts are kept. They may hold passwords: only the "
     "daemon's user "
     "can read them."},
    {"managed", Files<Control>{"auto, on, off or path", read_managed_place}, "auto", "",
     "file for changes by forms, over this configuration\n`auto` is `on` if `http` is a map, which "
     "serves the page. `on` is /var/lib/steerdns/managed.yaml. A map in it is overridden by key, a "
     "plugin by tag, a list as a whole. It may hold `plugins`, `routers`, `policy`, `mdns`, and "
     "`http` of `control`. Its paths lie below its folder. Only the daemon's user opens it. The "
     "option `--no-managed` of steerdnsd starts without it. See "
     "[managed.md](../guides/managed.md)."},
    {"pattern_time", &Control::pattern_time, "10s", "100ms..10m",
     "CPU time limit for compiling keyword and regexp rules\nOne regexp may take a twentieth of "
     "it, at least 500 ms. A slower regexp is rejected with its file and line. If all rules "
     "together take longer, the reload is rejected and the current rules stay in use."},
    {"pattern_memory", Own<Control>{"size", read_pattern_memory}, "1GiB", "64MiB..64GiB",
     "memory limit for compiling keyword and regexp rules\nThe compiler runs in a process of its "
     "own."},
    {"stream_threads", &Control::stream_threads, "1", "1..8",
     "threads for TCP, TLS, HTTP and UDP over kernel sockets\nEach also has a thread of "
     "`steerdns-quic`, if a server or an upstream uses QUIC. Add a second thread when TLS keeps "
     "the first "
     "one busy. The limits of a server apply to all threads together."},
    {"ready_nat64", &Control::ready_nat64, "false", "",
     "whether `/readyz` fails while `steerctl doctor --watch` finds the NAT64 dead\nOther findings "
     "never make it fail. Without the doctor, or with its last report too old, it does not fail."},
    {"support", &Control::support, "false", "",
     "whether `steerctl support` and the page show the last 15 minutes of one client\nIt needs the "
     "role `operate` and a `query_recorder` with a database. The audit logs each use."},
    {"ready_upstreams", choice<Control, &Control::ready_upstreams>(), "withdraw",
     "withdraw|serve_stale",
     "whether `/readyz` fails while needed upstreams do not answer\n`ready` of a `forward` says "
     "which upstreams are needed. With `serve_stale` it does not fail where a cache with "
     "`serve_stale` or `lazy_cache_ttl` stands before that forward."},
    {"ready_overload", &Control::ready_overload, "0", "0..100",
     "percentage of refused queries from which `/readyz` fails; 0: never\nQueries count that are "
     "refused because tables, buffers or queues are full: `max_parked`, `max_in_flight`, packet "
     "buffers, rings, queues of ports. The quotas of clients and domains do not count. The last 10 "
     "s decide, with at least 100 refused queries. `/readyz` fails for 30 s or longer, until less "
     "than half of this percentage is refused. After a relapse within 10 minutes it fails for "
     "twice as long, up to 4 minutes. A flood with spoofed source addresses can trip it, on every "
     "box that it reaches: set it only where such floods are filtered."},
    {"shutdown_delay", &Control::shutdown_delay, "0s", "0s..1m",
     "how long queries are still answered after SIGTERM, while `/readyz` fails\nGive load "
     "balancers "
     "the time to notice. A second signal ends it at once. `steerdns-anycast.service` withdraws "
     "its routes before the daemon gets SIGTERM and needs no delay."},
    {"seccomp", choice<Control, &Control::seccomp>(), "on", "on|log|off",
     "whether each thread may use only the system calls that its kind needs\nWith `on`, others "
     "fail, and the log names them. With `log` they are done and logged, for a trial. See "
     "[security.md](../explanation/security.md#system-calls)."},
    {"landlock", &Control::landlock, "true", "",
     "whether only files in folders of the system and of the configuration can be opened\n"
     "These are folders that the configuration names at the start. A reload that names files in "
     "other folders needs a restart; it reports them. See "
     "[security.md](../explanation/security.md#files)."},
}};

void read_control(Reading& in, const Node& node, int /*line*/) {
    const Control& control = in.settings().control;
    read_rows(in, node, kControlRows, "'control'", in.settings().control);
    // Of what is compiled from here on.
    matchers::pattern_compiler().set_budget(
        {static_cast<std::uint32_t>(control.pattern_time.count()), control.pattern_memory});
    matchers::pattern_compiler().set_images(control.images);
}

// ---- runtime: of ForgeDNS

struct Runtime {
    std::uint32_t worker_threads = 0;
};
constexpr std::array<Row<Runtime>, 1> kRuntimeRows{{
    {"worker_threads", &Runtime::worker_threads, "none", "1..1024",
     "ignored; set `workers` in `dataplane`"},
}};

void read_runtime(Reading& in, const Node& node, int line) {
    Runtime ignored;
    if (read_rows(in, node, kRuntimeRows, "'runtime'", ignored) && !node.entries.empty()) {
        in.report().warn(
            line,
            "'runtime' has no effect: set 'workers' in 'dataplane' for the number of worker cores");
    }
}

// The types come from the table of plugins, which is complete once the program runs.
std::string_view routers_text() {
    static const std::string kText =
        "RouterOS routers by name, as in `routers: {edge1: {address: 192.0.2.1:8728, ...}}`. Any "
        "number of " +
        names_of(Sink::router, "`") +
        ", `ros_list` and `dhcp_leases` plugins can refer to the same router.";
    return kText;
}

std::span<const Section> all_sections() {
    static const std::array kSections{
        Section{
            "log",
            "The daemon's log. It is always written to standard output, which systemd stores in "
            "the journal. If no program reads it, 100,000 lines wait; later ones are lost and "
            "counted. `file` may be a named pipe.",
            [] { return row_texts(kLogRows); }, read_log},
        Section{"dataplane",
                "Network ports, worker cores, memory and permitted clients. Changes of `allow`, "
                "`trusted_forwarders` and `drop_source_ports` apply at a reload. All other changes "
                "need a restart.",
                dataplane_row_texts, read_dataplane},
        Section{"control",
                "Control socket, metrics, user, files and background threads. Changes of `watch`, "
                "`images`, `lists`, `static`, `managed` and `fetch` apply at a reload. All other "
                "changes need a "
                "restart.",
                [] { return row_texts(kControlRows); }, read_control},
        Section{"policy",
                "Rules for special names. They apply to every query, before the first rule of a "
                "sequence.",
                policy_row_texts, read_policy},
        Section{"cookies",
                "The secrets of DNS cookies (RFC 7873, 9018), which prove that a client uses its "
                "own address. `cookies` of a `udp_server` says what a listener does with them. "
                "See [cookies.md](../guides/cookies.md).",
                cookie_row_texts, read_cookies},
        Section{"quic",
                "What all servers over QUIC share: `quic_server`, and `http_server` with "
                "`enable_http3`. Without such a server, it has no effect. See "
                "[encrypted-dns.md](../guides/encrypted-dns.md).",
                quic_row_texts, read_quic},
        Section{"limits",
                "Limits on clients and domains, one row each, as in `limits: [{what: responses, "
                "rate: 20}]`. Without a row, there is none of them. See "
                "[limits.md](../guides/limits.md).",
                limit_row_texts, read_limits},
        Section{"routers", routers_text(), router_row_texts, read_routers},
        Section{
            "fleet",
            "Several appliances (boxes) that share their claims over Redis. One of them writes "
            "each router, and another one takes over when it fails. All boxes need the same names "
            "of routers, and the same tags of their lists. Rows are then written as with "
            "`multi_writer: true`. See [fleet.md](../guides/fleet.md).",
            fleet_row_texts, read_fleet},
        Section{"opnsense",
                "OPNsense routers by name, as in `opnsense: {fw1: {address: 192.0.2.1, ...}}`. Any "
                "number "
                "of `opnsense_alias` plugins can refer to the same router. See "
                "[opnsense.md](../guides/opnsense.md).",
                opnsense_row_texts, read_opnsense},
        Section{
            "mdns",
            "The mDNS repeater. It repeats mDNS between networks, so that clients in one network "
            "find printers and televisions in another. It corresponds to RouterOS's "
            "`mdns-repeat-ifaces` and supports IPv4 and IPv6. See [mdns.md](../guides/mdns.md).",
            mdns_row_texts, read_mdns},
        Section{"runtime", "Accepted for compatibility with ForgeDNS.",
                [] { return row_texts(kRuntimeRows); }, read_runtime},
        Section{"plugins", "The plugins that process queries: see the plugin types.", nullptr,
                nullptr},
        Section{
            "include",
            "A list of other files. Their `plugins` are inserted before the plugins of this file.",
            nullptr, nullptr},
        Section{
            "api",
            "Accepted for compatibility with ForgeDNS and mosdns. The address in `http`, or in its "
            "`listen`, becomes `http` of `control`, unless that is set. With `auth` or `ssl` only "
            "loopback is served, because there is no password and no TLS. `webui` and `cors` have "
            "no effect.",
            [] { return std::vector<RowText>{}; }, read_api},
        Section{
            "network",
            "Accepted for compatibility with ForgeDNS. A profile of `outbound` sets `socks5` and "
            "`bootstrap` of the upstreams that name it in `outbound`. The profile `default` "
            "applies "
            "to upstreams that name none. `socks5: \"\"` and `bootstrap: \"\"` of a `forward` or "
            "an "
            "upstream decline it.",
            [] { return std::vector<RowText>{}; }, read_network},
    };
    return kSections;
}

}  // namespace

std::vector<RowText> rotation_row_texts() {
    return row_texts(kRotationRows);
}

std::vector<RowText> fetch_row_texts() {
    return row_texts(kFetchRows);
}

std::span<const Section> sections() {
    return all_sections();
}

}  // namespace steer::config
