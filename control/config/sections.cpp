// The table of sections, and the short ones: log, control, runtime.
#include "control/config/sections.h"

#include <array>

#include "control/config/section_rows.h"
#include "control/config/values.h"
#include "matchers/pattern/compiler.h"
#include "matchers/quote.h"

namespace steer::config {
namespace {

// ---- log

// ForgeDNS rotates; we leave that to logrotate, so only "never" is accepted.
void read_rotation(Reading& in, const Node& node, const Place& place, Log& /*out*/) {
    const Node* type = node.find("type");
    if (type != nullptr && type->is_text() && lowered(type->text) == "never") return;
    in.report().error(place.line, place.name() + " is not supported yet: remove it");
}
void read_production(Reading& in, const Node& /*node*/, const Place& place, Log& /*out*/) {
    in.report().warn(place.line, place.name() + " has no effect: remove it");
}
void read_log_file(Reading& in, const Node& node, const Place& place, Log& out) {
    std::string path;
    if (read_value(in, node, place, {}, path)) out.file = in.resolve(path);
}

constexpr std::array<Row<Log>, 4> kLogRows{{
    {"level", choice<Log, &Log::level>(), "info", "off|trace|debug|info|warning/warn|error",
     "the least that is written"},
    {"file", Own<Log>{"path", read_log_file}, "none", "",
     "a copy goes there; a reload opens it anew if it was renamed"},
    {"rotation", Own<Log>{"map", read_rotation}, "none", "",
     "only `{type: never}`: others are not supported yet"},
    {"production", Own<Log>{"true/false", read_production}, "none", "", "no effect"},
}};

void read_log(Reading& in, const Node& node, int /*line*/) {
    read_rows(in, node, kLogRows, "'log'", in.settings().log);
}

// ---- control

void read_http(Reading& in, const Node& node, const Place& place, Control& out) {
    if (node.is_text() && lowered(node.text) == "off") {
        out.http.reset();
    } else if (const auto endpoint = read_endpoint(in, node, place)) {
        out.http = endpoint;
    }
}
void read_socket(Reading& in, const Node& node, const Place& place, Control& out) {
    constexpr std::size_t kLongest = 107;  // sun_path
    std::string path;
    if (!read_value(in, node, place, {}, path)) return;
    path = in.resolve(path);
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
        path = in.resolve(path);
    }
    while (path.size() > 1 && path.ends_with('/'))
        path.pop_back();
}

void read_list_size(Reading& in, const Node& node, const Place& place, Fetch& out) {
    constexpr std::uint64_t kLeast = 1024, kMost = std::uint64_t{4} << 30;
    const auto bytes = node.is_text() ? parse_size(node.text) : std::nullopt;
    if (!bytes || *bytes < kLeast || *bytes > kMost) {
        in.report().error(place.line, place.name() + ": expected 1KiB..4GiB such as 64MiB");
        return;
    }
    out.max_size = *bytes;
}
void read_list_ca(Reading& in, const Node& node, const Place& place, Fetch& out) {
    std::string path;
    if (read_value(in, node, place, {}, path)) out.ca = in.resolve(path);
}

constexpr std::array<Row<Fetch>, 6> kFetchRows{{
    {"every", &Fetch::every, "4h", "1m..30d",
     "how long after a list was brought, or was found unchanged, the server is asked again; a "
     "tenth more or less by chance. After a failure sooner: a minute, two, four and so on (ten "
     "seconds at first while there is no copy)"},
    {"timeout", &Fetch::timeout, "1m", "1s..1h", "how long one may take in all"},
    {"start_wait", &Fetch::start_wait, "10s", "0ms..5m",
     "how long a start, and a reload that names a new URL, waits for lists of which there is no "
     "copy; then it goes on without them"},
    {"max_size", Own<Fetch>{"size", read_list_size}, "64MiB", "1KiB..4GiB",
     "the most that a list may be, unpacked; a larger one is refused"},
    {"max_shrink", &Fetch::max_shrink, "50", "0..100",
     "the percentage of its rules that a list of 20 rules or more may lose from one reading to the "
     "next, fetched or read from a file again; one that loses more is refused and the last good "
     "one stays, as after a download that was cut short. 100: any list is taken, also an empty "
     "file. A list may have a `max_shrink` of its own. A start takes each file as it is"},
    {"ca", Own<Fetch>{"path", read_list_ca}, "none", "",
     "a file of certificates (PEM) that https servers are verified by, in place of the system's"},
}};

void read_fetch(Reading& in, const Node& node, const Place& place, Control& out) {
    read_rows(in, node, kFetchRows, place.name(), out.fetch);
}

void read_pattern_memory(Reading& in, const Node& node, const Place& place, Control& out) {
    constexpr std::uint64_t kLeast = std::uint64_t{64} << 20, kMost = std::uint64_t{64} << 30;
    const auto bytes = node.is_text() ? parse_size(node.text) : std::nullopt;
    if (!bytes || *bytes < kLeast || *bytes > kMost) {
        in.report().error(place.line, place.name() + ": expected 64MiB..64GiB such as 1GiB");
        return;
    }
    out.pattern_memory = *bytes;
}

constexpr std::array<Row<Control>, 12> kControlRows{{
    {"socket", Own<Control>{"path", read_socket}, "/run/steerdns/control.sock", "",
     "where steerctl reaches the daemon"},
    {"http", Own<Control>{"address:port", read_http}, "127.0.0.1:9153", "", "metrics; `off`: none"},
    {"user", &Control::user, "(`steerdns` if there is one, else `nobody`)", "",
     "who the daemon becomes after its start; reloads read the configuration and its files as this "
     "user"},
    {"images", Own<Control>{"path", read_path_or_off<&Control::images>}, "/var/lib/steerdns/images",
     "",
     "a folder for compiled lists (20,000 names, 20 patterns and more), so that a start or reload "
     "with the same lists compiles nothing; `off`: none"},
    {"watch", choice<Control, &Control::watch>(), "files", "files|all|off",
     "what is read anew when it changes: the files that the configuration names, these and the "
     "configuration, nothing"},
    {"lists", Own<Control>{"path", read_path_or_off<&Control::lists>}, "/var/lib/steerdns/lists",
     "", "a folder for copies of the lists that are named by a URL; `off`: URLs are refused"},
    {"fetch", Own<Control>{"map", read_fetch}, "(below)", "", "how these are brought, see below"},
    {"findings", Own<Control>{"path", read_path_or_off<&Control::findings>},
     "/var/lib/steerdns/routeros.json", "",
     "a file for what probes found of RouterOS versions, if its folder is there; `off`: none"},
    {"leases", Own<Control>{"path", read_path_or_off<&Control::leases>},
     "/var/lib/steerdns/leases.json", "",
     "a file for the leases of `dhcp_leases`, so that a start knows them before their router is "
     "reached; `off`: none"},
    {"pattern_time", &Control::pattern_time, "10s", "100ms..10m",
     "CPU time that compiling keyword and regexp rules may take, each time; a twentieth of it (500 "
     "ms "
     "at least) for one regexp alone. A regexp that takes longer is refused with its file and "
     "line, "
     "as a bad one is; when all together take longer the reload is refused, and the rules in force "
     "stay"},
    {"pattern_memory", Own<Control>{"size", read_pattern_memory}, "1GiB", "64MiB..64GiB",
     "memory that compiling them may take, in a process of its own"},
    {"stream_threads", &Control::stream_threads, "1", "1..8",
     "threads for TCP, TLS, HTTP and kernel UDP; a second one is worth it where TLS keeps one "
     "busy. Limits of servers hold for all of them together"},
}};

void read_control(Reading& in, const Node& node, int /*line*/) {
    const Control& control = in.settings().control;
    read_rows(in, node, kControlRows, "'control'", in.settings().control);
    // Of what is compiled from here on.
    matchers::pattern_compiler().set_budget(
        {static_cast<std::uint32_t>(control.pattern_time.count()), control.pattern_memory});
}

// ---- policy

constexpr std::array<Row<Policy>, 3> kPolicyRows{{
    {"local_names", choice<Policy, &Policy::local_names>(), "nxdomain", "nxdomain|forward",
     "names under .local are mDNS's (RFC 6762): those that nothing here knows do not exist, and no "
     "upstream is asked, but by a `forward` with `local: true`, a zone or a FWD record; `forward`: "
     "asked as others"},
    {"canaries", choice<Policy, &Policy::canaries>(), "pass", "pass|nxdomain",
     "`nxdomain`: use-application-dns.net, mask.icloud.com, mask-h2.icloud.com and what is below "
     "them do not exist, which tells Firefox and iCloud Private Relay to go on asking us; `pass`: "
     "they are names like others"},
    {"designated_name", &Policy::designated_name, "none", "",
     "our name in the certificates of the servers over TLS and HTTPS: clients that ask for "
     "`_dns.resolver.arpa` are told of them under it (RFC 9462); clients also check that our "
     "address "
     "is in the certificate"},
}};

void read_policy(Reading& in, const Node& node, int line) {
    Policy& policy = in.settings().policy;
    read_rows(in, node, kPolicyRows, "'policy'", policy);
    if (policy.designated_name.empty()) return;
    const auto rule =
        matchers::parse_rule("full:" + policy.designated_name, matchers::RuleKind::full);
    if (!rule || policy.designated_name.find('.') == std::string::npos) {
        const Node* const at = node.find("designated_name");
        in.report().error(at != nullptr ? at->line : line,
                          "'designated_name' of 'policy' is " +
                              matchers::quoted(policy.designated_name) +
                              ": expected a name such as dns.example.net");
    } else {
        policy.designated_name = rule->text;
    }
}

// ---- runtime: of ForgeDNS

struct Runtime {
    std::uint32_t worker_threads = 0;
};
constexpr std::array<Row<Runtime>, 1> kRuntimeRows{{
    {"worker_threads", &Runtime::worker_threads, "none", "1..1024",
     "no effect: see `workers` of `dataplane`"},
}};

void read_runtime(Reading& in, const Node& node, int line) {
    Runtime ignored;
    if (read_rows(in, node, kRuntimeRows, "'runtime'", ignored) && !node.entries.empty()) {
        in.report().warn(line,
                         "'runtime' has no effect: write 'workers' of 'dataplane' for the number "
                         "of worker cores");
    }
}

constexpr std::array kSections{
    Section{"log", "The daemon's log.", [] { return row_texts(kLogRows); }, read_log},
    Section{"dataplane",
            "Ports, workers, memory, and who may ask. A change of other than `allow` and "
            "`trusted_forwarders` needs a restart.",
            dataplane_row_texts, read_dataplane},
    Section{
        "control",
        "How the daemon is asked and watched. A change of other than `watch`, `images`, `lists` "
        "and `fetch` "
        "needs a restart.",
        [] { return row_texts(kControlRows); }, read_control},
    Section{"policy", "What holds for every query, before its first rule.",
            [] { return row_texts(kPolicyRows); }, read_policy},
    Section{"routers",
            "RouterOS routers by name, as in `routers: {edge1: {address: 192.0.2.1:8728, ...}}`; "
            "any number of lists may "
            "name one.",
            router_row_texts, read_routers},
    Section{"mdns",
            "The mDNS repeater, RouterOS's `mdns-repeat-ifaces` for both families: printers and "
            "televisions of one network are found from another. See "
            "[mdns.md](../guides/mdns.md).",
            mdns_row_texts, read_mdns},
    Section{"runtime", "Accepted for ForgeDNS's sake.", [] { return row_texts(kRuntimeRows); },
            read_runtime},
    Section{"plugins", "What is done with a query: see the plugin types.", nullptr, nullptr},
    Section{"include",
            "A list of files of which only the `plugins` are taken, before those of this one.",
            nullptr, nullptr},
    Section{"api", "", nullptr, nullptr},
    Section{"network", "", nullptr, nullptr},
    Section{"fleet", "", nullptr, nullptr},
};

}  // namespace

std::vector<RowText> fetch_row_texts() {
    return row_texts(kFetchRows);
}

std::span<const Section> sections() {
    return kSections;
}

}  // namespace steer::config
