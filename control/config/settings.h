// The settings of one configuration: typed, complete (every default filled in), checked, and with
// the line of everything that a later message may have to name. Made by load() (load.h), read by
// control/build and by the daemon's start; no worker ever sees them.
//
// What load() guarantees when it reports no error:
// - every reference (`PluginIndex`) is valid and of the right role, and following references never
// comes back;
// - every file that is named was read, every regexp compiles, every address and number is in its
// range;
// - an executor that was written in place (`exec: forward 192.0.2.1`) is a plugin like the others,
// with a tag of
//   its own ("main[2]": second rule of `main`).
// Lines are 1-based, in the configuration unless a `file` stands next to them; 0: a default, not
// written anywhere. Those of an included file are counted from a multiple of kLinesPerSource, so
// that one number says file and line: Settings::error() names both.
#pragma once

#include <array>
#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "dataplane/dns/pref64.h"
#include "matchers/name_matcher.h"
#include "matchers/pattern/text_test.h"
#include "matchers/prefix/ip_address.h"
#include "matchers/prefix/prefix_set.h"
#include "matchers/result.h"

namespace steer::config {

using Milliseconds = std::chrono::milliseconds;
using PluginIndex = std::uint32_t;  // of Settings::plugins
using RouterIndex = std::uint32_t;  // of Settings::routers

inline constexpr std::size_t kMostEntries = 32;  // executors that servers name
inline constexpr int kLinesPerSource = 1 << 24;
inline constexpr std::size_t kMaxIncluded = 100;  // files
// Of a line as Settings has it: which source (0: the configuration, n: the n-th included file), and
// the line in it.
constexpr std::size_t source_of(int line) {
    return line < 0 ? 0 : static_cast<std::size_t>(line / kLinesPerSource);
}
constexpr int line_in_source(int line) {
    return line < 0 ? 0 : line % kLinesPerSource;
}

struct Text {
    std::string value;
    int line = 0;
};

// Where something is written; of no account when settings are compared.
struct Line {
    int number = 0;
    Line() = default;
    Line(int n) : number(n) {}               // NOLINT(google-explicit-constructor): it is a number
    operator int() const { return number; }  // NOLINT(google-explicit-constructor)
    bool operator==(const Line&) const { return true; }
};

// ---- log

enum class LogLevel : std::uint8_t { off, trace, debug, info, warn, error };

struct Log {
    LogLevel level = LogLevel::info;
    std::string file;  // a copy goes there; empty: standard output alone
};

// ---- dataplane

enum class Driver : std::uint8_t {
    automatic,
    af_xdp,
    af_packet,
    tap,
    memif,
    pcap,
    ring,
    pci,
    socket,
    vdev
};

// An address that we put on a port's exception interface.
struct InterfaceAddress {
    IpAddress ip;
    std::uint8_t length = 0;  // of the prefix, as its family counts: 24, 64
    bool operator==(const InterfaceAddress&) const = default;
};

// Who moves the frames of an exception interface: vhost-net if it can, or a thread of ours and a TAP.
enum class ExceptionDriver : std::uint8_t { automatic, tap, vhost };

// Frames a second that a queue hands to the kernel, by kind; 0: none.
struct ExceptionRates {
    std::uint32_t arp = 1'000, nd = 1'000, icmp = 1'000, icmp6 = 1'000, tcp = 100'000, udp = 10'000,
                  fragment = 1'000, other = 1'000;
    bool operator==(const ExceptionRates&) const = default;
};

// How the port's interface takes part in ARP, as RouterOS has it (control/kernel/arp.h).
enum class Arp : std::uint8_t {
    enabled,
    disabled,
    reply_only,
    proxy_arp,
    local_proxy_arp,
    as_it_is
};

// An entry of the kernel's neighbour table.
struct NeighbourSettings {
    IpAddress ip;
    std::array<std::uint8_t, 6> mac{};  // not of a published one
    bool published = false;             // the kernel answers in its place
    bool operator==(const NeighbourSettings&) const = default;
};

struct PortSettings {
    std::string device;  // interface, or a DPDK device ("net_pcap0,rx_pcap=in.pcap"); empty: pci
    std::string pci;     // "0000:03:00.0"
    Driver driver = Driver::automatic;  // af_xdp if it can, else socket; pci if `pci` is given
    std::uint32_t queues = 0;           // 0: as many as there are
    std::uint32_t busy_poll = 0;        // af_xdp: packets a call; 0: off
    // What we answer on: these, those of `address_links` (interfaces), with `own_addresses` those of the
    // interface; nothing of all that: those of the interface.
    std::vector<IpAddress> addresses;
    std::vector<std::string> address_links;
    bool own_addresses = false;
    std::vector<InterfaceAddress> interface_addresses;  // those that we put there
    std::string exception = "auto";  // its exception interface's name, "none", or by driver
    ExceptionDriver exception_driver = ExceptionDriver::automatic;
    ExceptionRates exception_rates;
    Arp arp = Arp::as_it_is;
    std::vector<NeighbourSettings> neighbours;
    bool force = false;  // pci: even if it is the only way into this machine
    Line line;
    bool operator==(const PortSettings&) const = default;

    // The kernel keeps the interface and its addresses.
    [[nodiscard]] bool kernel_backed() const {
        return pci.empty() && (driver == Driver::automatic || driver == Driver::af_xdp ||
                               driver == Driver::af_packet || driver == Driver::socket);
    }
    // A device of its own, which the kernel sees by an exception interface only.
    [[nodiscard]] bool beside_kernel() const {
        return !pci.empty() || driver == Driver::pci || driver == Driver::memif ||
               driver == Driver::vdev;
    }
};

enum class SpreadMode : std::uint8_t { automatic, off };
enum class IdleMode : std::uint8_t { spin, pause, adaptive };

enum class OverQuota : std::uint8_t { drop, servfail };

struct Dataplane {
    std::vector<PortSettings> ports;  // empty: the interface of the default route
    std::uint32_t workers = 1;
    std::vector<std::uint32_t> cores;  // one per worker if a list was written; else empty
    std::uint64_t memory_bytes = 0;    // 0: a quarter of RAM within 128 MiB .. 4 GiB
    IdleMode idle = IdleMode::adaptive;
    SpreadMode spread = SpreadMode::automatic;
    std::uint16_t first_upstream_port = 10240, last_upstream_port = 26623;
    bool random_case = false;                   // of names that upstreams are asked for
    std::uint32_t max_parked = 65536;           // a worker
    std::uint32_t max_in_flight = 16384;        // a worker
    std::uint32_t max_parked_per_client = 256;  // a worker
    std::uint32_t suffix_percent = 25;          // of both, for names under one suffix
    OverQuota over_quota = OverQuota::drop;
    std::optional<std::vector<matchers::Prefix>> allow;  // nothing: private and own networks
    std::vector<matchers::Prefix> trusted_forwarders;
    int line = 0;
};

// ---- control

// "127.0.0.1:9153", ":53" (no address: all, both families), "0.0.0.0:53" (all of IPv4), "[::]:53"
// (all).
struct Endpoint {
    IpAddress address{};  // all zeros (::): all, both families
    std::uint16_t port = 0;
    Line line;
    bool operator==(const Endpoint&) const = default;
    [[nodiscard]] bool any() const { return address == IpAddress{}; }
    [[nodiscard]] bool any_v4() const {
        constexpr std::uint8_t kZero[4]{};
        return address == IpAddress::from_v4(kZero);
    }
    [[nodiscard]] std::string to_string() const;
};

// Whose change is taken up without being asked to: of files that the configuration names, of these and itself, of none.
enum class Watch : std::uint8_t { files, all, off };

// How lists that are named by a URL are brought.
struct Fetch {
    Milliseconds every{4 * 3'600'000}, timeout{60'000}, start_wait{10'000};
    std::uint64_t max_size = std::uint64_t{64} << 20;  // bytes of a list, unpacked
    std::string ca;                                    // file; empty: the system's
};

struct Control {
    std::string socket = "/run/steerdns/control.sock";
    std::optional<Endpoint> http;  // nothing: off
    std::string user;              // empty: `steerdns` if there is one, else `nobody`
    std::string images = "/var/lib/steerdns/images";  // compiled lists; empty: not kept
    Watch watch = Watch::files;
    std::string lists = "/var/lib/steerdns/lists";  // copies of what is fetched; empty: none
    Fetch fetch;
    std::string findings =
        "/var/lib/steerdns/routeros.json";                 // of routers' probes; empty: not kept
    std::string leases = "/var/lib/steerdns/leases.json";  // last known; empty: not kept
    std::uint32_t stream_threads = 1;
};

// ---- routers

// Whether rows are added by scripts, many at a time, where the router can do that.
enum class RouterScripts : std::uint8_t { when_possible, off };

struct Router {
    std::string
        name;  // its key in `routers:`; of one written inside a ros_address_list: "HOST:PORT"
    std::string host;                  // an IP address or a name
    std::optional<IpAddress> address;  // of `host`, if that is an address
    std::uint16_t port = 8728;         // 8729 with tls
    std::string username, password;
    bool tls = false;
    std::string tls_ca;          // file; empty: the system's
    std::string tls_pin;         // SHA-256 of the certificate, 64 hex digits; empty: none
    bool tls_anonymous = false;  // api-ssl without a certificate
    bool probe = true;           // versions that are not known are asked what they do
    Milliseconds connect_timeout{5000}, send_timeout{5000}, receive_timeout{5000};
    std::uint32_t cpu_percent = 30;  // of its time, for writes that nobody waits for
    RouterScripts scripts = RouterScripts::when_possible;
    std::vector<matchers::Prefix> serves;  // clients behind it; none: all
    bool repair_connections = false;
    int line = 0;
};

// ---- policy

// What names under .local get that nobody here knows: that they do not exist, or what upstreams say.
enum class LocalNames : std::uint8_t { nxdomain, forward };
enum class Canaries : std::uint8_t { pass, nxdomain };

struct Policy {
    Canaries canaries = Canaries::pass;
    LocalNames local_names = LocalNames::nxdomain;
    std::string designated_name;  // without a last dot; empty: nobody is told of DoT and DoH
};

// ---- mdns

struct Mdns {
    std::vector<std::string> interfaces;  // two at least; none: nothing is repeated
    std::vector<std::string> services;    // mdns::Service; empty: all
    bool v4 = true, v6 = true;
};

// ---- lists that are fetched

// How a plugin reads a list: its type, and what its `args` say about it, as written.
struct ListUse {
    std::string_view type;
    std::string format, strict;
    std::vector<std::string> selectors;
    std::size_t most_rules = 0;  // of an adlist: a longer list is refused; 0: no limit
    bool operator==(const ListUse&) const = default;
};
struct RemoteList {
    std::string url;   // in its one form (url.h); unique
    std::string file;  // its last good copy
    std::vector<ListUse> uses;
    bool present = false;  // there was a copy
};

// What a dynamic_domain_set is beside a DomainSet: its file, which is changed while serving.
struct RuleFile {
    std::string tag;                 // of the plugin
    std::string file;                // as it is opened
    std::vector<std::string> first;  // the rules of a file that is made anew
    int line = 0;
    std::uint32_t queue_size = 1024;  // rules that wait to be written
    std::uint32_t batch_size = 256;   // that are written at once
    std::uint32_t flush_interval_ms = 200;
};

// ---- plugins: providers and matchers

struct RuleAt {
    matchers::Rule rule;
    std::uint32_t file = 0;  // index of Settings::files
    int line = 0;
    std::uint32_t value = 0;  // of a rule that stands for something: which
};

struct DomainSet {
    std::vector<RuleAt> rules;      // of `exps` and `files`
    std::vector<PluginIndex> sets;  // domain_sets that it includes
    bool strict = false;
    bool inherit = false;  // names that its names' answers point to are in it as well
};
// Rules that decide about a name one after the other: the first step that holds says whether the set has it.
struct AdguardStep {
    bool in = true;              // an exception is not
    std::vector<RuleAt> rules;   // holds for these names ...
    std::vector<RuleAt> unless;  // ... but not for these ...
    std::vector<std::uint16_t> types,
        other_types;  // ... if asked for these types; empty: for all; not for those
    [[nodiscard]] bool has_types() const { return !types.empty() || !other_types.empty(); }
};
struct AdguardSet {
    std::vector<AdguardStep> steps;
    bool strict = false;
};
struct IpSet {
    std::vector<matchers::Prefix> prefixes;  // of `ips` and `files`
    std::vector<PluginIndex> sets;           // ip_sets that it includes
};
struct NameRules {
    std::vector<RuleAt> rules;  // inline and &file
    std::vector<PluginIndex> sets;
    [[nodiscard]] bool empty() const { return rules.empty() && sets.empty(); }
};
struct Qname : NameRules {};
struct Cname : NameRules {};
struct Question : NameRules {};  // as a qname; an adguard_rule's dnstype counts
enum class AddressOf : std::uint8_t { client, response, name };
struct IpMatch {  // `client_ip`, `resp_ip`, `ptr_ip`
    AddressOf of = AddressOf::client;
    std::vector<matchers::Prefix> prefixes;  // inline and &file
    std::vector<PluginIndex> sets;
};
enum class NumberOf : std::uint8_t { type, klass, rcode };
struct NumberMatch {  // `qtype`, `qclass`, `rcode`
    NumberOf of = NumberOf::type;
    std::vector<std::uint16_t> numbers;  // at least one
};
struct HasResp {};
struct HasWantedAnswer {};
struct Constant {  // `_true`, `_false`, and `env`, which is read once
    bool value = true;
};
inline constexpr std::size_t kMostMarks = 64;  // of one test or step
struct MarkMatch {
    std::vector<std::uint32_t> marks;  // at least one
};
struct RandomMatch {
    double probability = 0;  // 0..1
};
struct RateMatch {  // rate_limiter
    std::uint32_t qps = 20, burst = 40;
    std::uint32_t mask4 = 32, mask6 = 48;
};
enum class TextOf : std::uint8_t { client, response, marks, server_name, url_path };
struct TextMatch {  // `string_exp` of what is not a name, a number, or known now
    TextOf of = TextOf::client;
    matchers::TextOperation operation = matchers::TextOperation::eq;
    std::vector<std::string> words;
};
struct MatchUse {
    PluginIndex plugin = 0;
    bool negate = false;
    int line = 0;
};
struct AnyMatch {
    std::vector<MatchUse> matches;  // at least one; any of them has to hold
};

// ---- plugins: executors

enum class UpstreamScheme : std::uint8_t { udp, tcp, tls, https };
enum class AddressFamily : std::uint8_t { any, v4, v6 };

struct Socks5Settings {
    std::string host;
    std::uint16_t port = 1080;
    std::string user, password;
};
struct UpstreamServer {  // an address and a port
    IpAddress address;
    std::uint16_t port = 53;
};
// How upstreams are reached, unless they say it themselves.
struct ReachSettings {
    std::optional<Socks5Settings> socks5;
    std::optional<UpstreamServer> bootstrap;
    AddressFamily family = AddressFamily::any;
    std::uint32_t so_mark = 0;
    std::string device;  // empty: none
};
struct UpstreamSettings {
    std::string tag;                   // empty: none
    std::string addr;                  // as written
    std::optional<IpAddress> address;  // nothing: `host` is looked up
    std::uint16_t port = 53;
    Milliseconds timeout{2000};
    int line = 0;
    UpstreamScheme scheme = UpstreamScheme::udp;
    bool pipeline = false;
    std::string host, path;  // name or address; of https
    ReachSettings reach;
    Milliseconds idle_timeout{10'000};
    std::uint32_t max_conns = 64, min_conns = 0;
    bool insecure_skip_verify = false;
    std::string ca;  // PEM file; empty: the system's
    std::vector<std::array<std::uint8_t, 32>> pins;

    // Asked at its address over UDP, in no particular way: by a worker's own port if it can be.
    [[nodiscard]] bool is_plain() const {
        return scheme == UpstreamScheme::udp && address && reach.so_mark == 0 &&
               reach.device.empty();
    }
};
enum class UpstreamPolicyMode : std::uint8_t { latency, sticky, round_robin, random };
struct Forward {
    std::vector<UpstreamSettings> upstreams;  // at least one, unless `of_host`
    bool of_host = false;                     // no upstreams are written: the host's servers
    std::string resolv_file;                  // these; empty: wherever they usually stand
    UpstreamPolicyMode policy = UpstreamPolicyMode::latency;
    ReachSettings reach;  // of each that does not say it itself
    std::uint32_t concurrent = 1;
    std::uint32_t max_concurrent_queries = 0;  // 0: no limit of its own
    Milliseconds total_timeout{5000};
    bool short_circuit = false;
    bool local = false;  // names under .local as well
};

inline constexpr Milliseconds kNoLimit = Milliseconds::max();

struct Cache {
    std::uint64_t size = 1024;  // entries, or bytes
    bool size_in_bytes = false;
    bool short_circuit = false;
    bool cache_negative = true;
    Milliseconds max_negative_ttl{300'000}, negative_ttl_without_soa{60'000};
    Milliseconds min_positive_ttl{0}, max_positive_ttl = kNoLimit;
    Milliseconds cache_max_ttl = kNoLimit;
    Milliseconds failure_ttl{5'000};
    Milliseconds lazy_cache_ttl{0}, serve_stale{0};  // one of them at most; 0: off
    Milliseconds stale_client_timeout{1'800}, stale_recheck{30'000}, stale_answer_ttl{30'000};
    std::uint32_t prefetch_percent = 0;  // of its TTL that an answer has left; 0: off
    std::uint32_t prefetch_hits = 3;
    bool ecs_in_key = false;
    std::string dump_file;  // as it is opened; empty: none
    Milliseconds dump_interval{600'000};
};

struct PersistentRow {
    matchers::Prefix prefix;
    std::uint32_t file = 0;  // index of Settings::files
    int line = 0;
};

enum class OnTimeoutMode : std::uint8_t { answer, servfail, drop };
// How many of a list's routers that serve a client its answer waits for: all that are not away, the first, all.
enum class Quorum : std::uint8_t { healthy, any, all };
enum class ManualChangeMode : std::uint8_t { repair, respect };
enum class MissingFamilyMode : std::uint8_t { answer, nodata };
enum class SharedMode : std::uint8_t { keep, skip, report };

struct RosAddressList {
    std::vector<RouterIndex> routers;  // at least one
    Quorum quorum = Quorum::healthy;
    std::string address_list4, address_list6;  // at least one
    std::string comment_prefix = "fdns";
    bool async = true;
    Milliseconds min_ttl{60'000}, max_ttl{3'600'000};
    std::optional<Milliseconds> fixed_ttl;  // 0: rows without a timeout
    Milliseconds extra_time{30'000}, renew_slack{600'000};
    bool cap_answer_ttl = true;
    Milliseconds sync_timeout{100};
    OnTimeoutMode on_timeout = OnTimeoutMode::answer;
    MissingFamilyMode missing_family = MissingFamilyMode::answer;
    std::optional<std::vector<matchers::Prefix>> never_claim;  // nothing: the default ranges
    SharedMode shared = SharedMode::keep;
    std::uint32_t shared_above = 3;
    std::uint32_t max_rows = 50'000;
    bool multi_writer = false;
    ManualChangeMode on_manual_change = ManualChangeMode::repair;
    bool cleanup_on_shutdown = false;
    std::vector<PersistentRow> persistent;
};

// One set of the kernel: `ipset`, or with a table `nftset`.
struct KernelSet {
    std::string family;  // of the table: ip, ip6, inet; empty: an ipset
    std::string table;
    std::string name;
    std::uint32_t mask = 0;
};
struct KernelSets {                   // `ipset`, `nftset`
    std::optional<KernelSet> v4, v6;  // at least one
    Milliseconds min_ttl{60'000}, max_ttl{86'400'000}, extra_time{30'000};
    bool cap_answer_ttl = true;
    std::optional<std::vector<matchers::Prefix>> never_claim;  // nothing: the default ranges
    std::uint32_t max_elements = 50'000;
};

struct Sleep {
    Milliseconds duration{0};
};
struct Prefer {  // `prefer_ipv4`, `prefer_ipv6`
    bool v6 = false;
    bool cache = true;
    Milliseconds cache_ttl{3'600'000};
};
struct Dns64Prefix {
    dns::Pref64 prefix;
    std::vector<matchers::Prefix> ipv4;  // the addresses that it is for; empty: all
    int line = 0;
};
// What lists get of an address below a prefix.
enum class Dns64Claim : std::uint8_t { ipv6, ipv4, both };
struct Dns64 {
    std::vector<Dns64Prefix> prefixes;  // at least one
    bool translate_all = false, allow_ipv4 = false;
    std::optional<std::vector<matchers::Prefix>> exclude;       // nothing: ::ffff:0:0/96
    std::optional<std::vector<matchers::Prefix>> exclude_ipv4;  // nothing: as the prefix wants it
    NameRules except, keep;
    Dns64Claim claim = Dns64Claim::ipv4;
};
struct Fallback {
    PluginIndex primary = 0, secondary = 0;  // executors
    Milliseconds threshold{500};
    bool always_standby = false;
    bool short_circuit = false;
};

struct DebugPrint {
    std::string msg;
};
struct QuerySummary {
    std::string msg = "query summary";
};

struct DropResp {};
struct Ttl {
    std::uint32_t least_s = 0, most_s = UINT32_MAX;
};

struct ReverseLookup {
    std::uint32_t size = 65535, ttl_s = 7200;
    bool handle_ptr = false;
};

struct MetricsCollector {
    std::string name;
};

enum class BlackHoleMode : std::uint8_t { nxdomain, nodata, null, custom, refused };
struct BlackHole {
    BlackHoleMode mode = BlackHoleMode::nxdomain;
    std::vector<IpAddress> ips;  // of custom: at least one
    bool short_circuit = false;
};

// A record of the name that is asked for.
struct KnownRecord {
    std::uint16_t type, klass;
    std::uint32_t ttl_s;
    std::vector<std::uint8_t> rdata;  // names whole, as in a message
};

struct Hosts {
    std::vector<RuleAt> rules;  // their values: of `addresses`
    std::vector<std::vector<IpAddress>> addresses;
    bool strict = false, short_circuit = false;
};
// One entry of RouterOS's /ip/dns/static, or a PTR that came of one.
struct StaticEntry {
    enum class Does : std::uint8_t { record, alias, forward, nxdomain };
    RuleAt owner;  // full; domain, with match_subdomain; regexp
    Does does = Does::record;
    KnownRecord record{};              // of record and alias
    std::vector<std::uint8_t> target;  // alias: lower-cased wire form
    std::optional<PluginIndex>
        forwarder;                    // forward: a `forward`; nothing: the rest of the sequence
    std::optional<PluginIndex> list;  // that holds the addresses
    int line = 0;
};
struct StaticRecords {
    std::vector<StaticEntry> entries;  // in the order in which they are asked: regexps first
    std::optional<PluginIndex> cache;  // of what forwarders say
};
struct AdListPart {
    std::string name;      // as it was written: a path or URL
    PluginIndex provider;  // a domain_set or adguard_rule of its own
};
struct AdList {
    std::vector<AdListPart> lists;  // at least one
    NameRules allow;                // names that it lets pass
    BlackHole answer;
};
// Names of the hosts that routers gave addresses to.
struct DhcpLeases {
    std::vector<RouterIndex> routers;  // at least one
    std::string domain;                // in lower case, without a last dot
    std::vector<std::string> servers;  // DHCP servers by name; none: all
    std::uint32_t ttl_s = 60;
    bool ptr = true;
};
// Names with a way of their own.
struct Zone {
    NameRules names;
    PluginIndex forward = 0;
    std::optional<PluginIndex> cache;
};
struct Redirect {
    std::vector<RuleAt> rules;                       // in their order; their values: of `targets`
    std::vector<std::vector<std::uint8_t>> targets;  // lower-cased wire form
    bool strict = false;
};
struct ForwardOptions {                // forward_edns0opt
    std::vector<std::uint16_t> codes;  // sorted, each once, at least one
};
struct EcsHandler {
    bool forward = false, send = false;
    std::optional<IpAddress> preset;
    std::optional<std::uint32_t> preset_mask;  // else those of its family
    std::uint32_t mask4 = 24, mask6 = 48;
};
struct Arbitrary {
    std::vector<RuleAt> rules;  // one `full` a name; their values: of `records`
    std::vector<std::vector<KnownRecord>> records;
    bool short_circuit = false;
};

// ---- plugins: what is done beside queries

struct DownloadItem {
    std::string url, file;  // the file as it is opened
    int line = 0;
};
struct Download {
    std::vector<DownloadItem> items;  // at least one
    Milliseconds timeout{60'000};     // each
    bool startup_if_missing = true;
};
struct ReloadAll {};  // `reload`
struct ReloadProvider {
    std::vector<PluginIndex> providers;  // at least one
};
struct CronJob {
    std::string name;                    // unique in its cron
    std::string schedule;                // of crontab(5); empty: by the interval
    Milliseconds interval{0};            // whole seconds
    std::vector<PluginIndex> executors;  // at least one
    int line = 0;
};
struct Cron {
    std::string tag, timezone;  // empty: the system's
    std::vector<CronJob> jobs;  // at least one
};

struct ExecRule {
    enum class Kind : std::uint8_t { plugin, accept, return_, reject, mark, jump, goto_ };
    std::vector<MatchUse> matches;  // all must hold
    Kind kind = Kind::plugin;
    PluginIndex plugin = 0;            // Kind::plugin; jump, goto_: a sequence
    std::uint8_t rcode = 5;            // Kind::reject
    std::vector<std::uint32_t> marks;  // Kind::mark
    int line = 0;

    [[nodiscard]] bool runs_plugin() const {
        return kind == Kind::plugin || kind == Kind::jump || kind == Kind::goto_;
    }
};
struct Sequence {
    std::vector<ExecRule> rules;  // at least one
};

// ---- plugins: servers

struct UdpServer {
    PluginIndex entry = 0;
    Endpoint listen;
};
// Certificate and key of a server, as files that are opened; `cert` empty: plain.
struct ServerTls {
    std::string cert, key;
    std::string client_ca;  // who has signed clients' certificates; empty: none is asked for
    bool require_client_cert = false;
    bool operator==(const ServerTls&) const = default;
};
// What servers over TCP have in common.
struct StreamServer {
    PluginIndex entry = 0;
    Endpoint listen;
    Milliseconds idle_timeout{10'000};
    ServerTls tls;
    std::uint32_t max_connections = 10'000, max_connections_per_client = 64;
    std::uint32_t max_queries = 100;               // in progress on a connection
    std::vector<matchers::Prefix> proxy_protocol;  // who sends a PROXY header, and is believed
};
struct TcpServer : StreamServer {};
struct HttpPath {
    std::string path;
    PluginIndex exec = 0;
    int line = 0;
};
struct HttpServer : StreamServer {                  // its `entry`: that of the first path
    std::vector<HttpPath> paths;                    // at least one
    std::string src_ip_header;                      // in lower case; empty: none
    std::vector<matchers::Prefix> trusted_proxies;  // who is believed in that, besides loopback
};

// ---- all together

enum class Role : std::uint8_t { provider, matcher, executor, server };

struct Plugin {
    std::string tag;  // unique
    std::string_view type;
    Role role = Role::executor;
    int line = 0;
    bool in_place = false;  // written inside a sequence, not under `plugins:`
    std::variant<DomainSet, AdguardSet, IpSet, Qname, Cname, Question, IpMatch, NumberMatch,
                 HasResp, HasWantedAnswer, Constant, MarkMatch, RandomMatch, RateMatch, TextMatch,
                 AnyMatch, Forward, Cache, RosAddressList, DebugPrint, QuerySummary, DropResp, Ttl,
                 BlackHole, Hosts, Arbitrary, ReverseLookup, MetricsCollector, Sequence, UdpServer,
                 TcpServer, HttpServer, Sleep, Fallback, Prefer, Dns64, StaticRecords, AdList,
                 DhcpLeases, Zone, Redirect, EcsHandler, ForwardOptions, Download, ReloadAll,
                 ReloadProvider, Cron, KernelSets>
        args;
};

struct Settings {
    std::string file;                   // the configuration's name, as given to load()
    std::vector<std::string> included;  // files, in the order of reading
    std::vector<std::string> files;     // [0] is `file`; then every rule file that was read
    std::vector<std::string> opened;    // every file but `file`, also those that could not be read
    Log log;
    Dataplane dataplane;
    Control control;
    Policy policy;
    Mdns mdns;
    std::vector<RemoteList> remote_lists;
    std::vector<RuleFile> rule_files;
    std::vector<Router> routers;  // named ones first; then those written inside a plugin
    std::vector<Plugin> plugins;  // as written; those written in place at the end
    // The executors that queries enter, each once, in the order of the servers that name them; at least one.
    std::vector<PluginIndex> entries{0};

    [[nodiscard]] const Plugin& plugin(PluginIndex i) const { return plugins[i]; }
    // What is wrong with something at `line` of these settings.
    [[nodiscard]] Error error(int line, std::string text) const {
        const std::size_t source = source_of(line);
        return {std::move(text), source == 0 ? file : included.at(source - 1),
                line_in_source(line)};
    }
};

}  // namespace steer::config
