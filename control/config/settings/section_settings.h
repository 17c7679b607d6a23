// All sections except `plugins:` and `limits:` as settings: log, dataplane, control, routers,
// opnsense, fleet, policy, cookies, quic, mdns.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "control/config/settings/group_settings.h"
#include "control/config/settings/lines.h"
#include "control/config/settings/managed_settings.h"
#include "control/config/settings/port_settings.h"
#include "control/config/settings/role.h"
#include "matchers/prefix/ip_address.h"
#include "matchers/prefix/prefix_set.h"
#include "matchers/secret.h"

namespace steer::config {

// ---- log

enum class LogLevel : std::uint8_t { off, trace, debug, info, warn, error };

// How often `file` is renamed, in UTC.
enum class RotationPeriod : std::uint8_t { never, minutely, hourly, daily, weekly };
struct LogRotation {
    RotationPeriod period = RotationPeriod::never;
    std::uint32_t max_files = 7;  // renamed files to keep; 0: all
    bool operator==(const LogRotation&) const = default;
};
struct Log {
    LogLevel level = LogLevel::info;
    std::string file;  // for a copy; empty: standard output only
    LogRotation rotation;
};

// ---- dataplane

// Where answers over UDP are sent: back to the sender, or by the client's route.
enum class Reply : std::uint8_t { reflect, route };
enum class SpreadMode : std::uint8_t { automatic, off };
enum class IdleMode : std::uint8_t { spin, pause, adaptive };

enum class OverQuota : std::uint8_t { drop, servfail, truncate };

enum class RandomCase : std::uint8_t { never, learned, always };

struct Dataplane {
    std::vector<PortSettings> ports;  // empty: the interface of the default route
    std::uint32_t workers = 1;
    std::vector<std::uint32_t> cores;  // one per worker if the configuration has a list; else empty
    std::uint64_t memory_bytes = 0;    // 0: a quarter of RAM within 128 MiB .. 4 GiB
    IdleMode idle = IdleMode::adaptive;
    SpreadMode spread = SpreadMode::automatic;
    Reply reply = Reply::reflect;
    std::uint16_t first_upstream_port = 10240, last_upstream_port = 26623;
    RandomCase random_case = RandomCase::learned;  // of names in upstream queries
    std::uint32_t max_parked = 65536;              // per worker
    std::uint32_t max_in_flight = 16384;           // per worker
    std::uint32_t max_parked_per_client = 256;     // per worker
    std::uint32_t suffix_percent = 25;             // of both, for names below one suffix
    OverQuota over_quota = OverQuota::truncate;
    std::uint64_t limits_bytes = std::uint64_t{16} << 20;  // buckets of `limits:`, per thread
    std::optional<std::vector<matchers::Prefix>> allow;    // no value: private and own networks
    std::vector<matchers::Prefix> trusted_forwarders;
    std::vector<std::uint16_t> drop_source_ports;  // sorted; queries from these are dropped
    int line = 0;
};

// ---- control

// "127.0.0.1:9153", ":53" (no address: all, both families), "0.0.0.0:53" (all of IPv4), "[::]:53"
// (all).
struct Endpoint {
    IpAddress address{};  // all zeros (::): all, both families
    std::uint16_t port = 0;
    Line line;
    std::string zone = {};  // of a link-local address: its interface, by name or number; empty: any
    bool operator==(const Endpoint&) const = default;
    [[nodiscard]] bool any() const { return address == IpAddress{}; }
    [[nodiscard]] bool any_v4() const {
        constexpr std::uint8_t kZero[4]{};
        return address == IpAddress::from_v4(kZero);
    }
    [[nodiscard]] std::string to_string() const;
};

// The files with changes that apply automatically: those that the configuration names; these and
// the configuration; none.
enum class Watch : std::uint8_t { files, all, off };

// How lists from URLs are fetched.
struct Fetch {
    Milliseconds every{4 * 3'600'000}, timeout{60'000}, start_wait{10'000};
    std::uint64_t max_size = std::uint64_t{256} << 20;  // bytes of a list, unpacked
    std::string ca;                                     // file; empty: the system's
    std::uint32_t max_shrink = 50;  // percent of its rules that a list may lose at once
};

// A user or group of this machine, by name or number, and its role on the control socket.
struct PeerRole {
    std::string user, group;  // one of them is empty
    AccessRole role = AccessRole::none;
    Line line;
    bool operator==(const PeerRole&) const = default;
    [[nodiscard]] bool is_group() const { return user.empty(); }
    [[nodiscard]] const std::string& name() const { return is_group() ? group : user; }
};

// A secret that a client of the JSON-RPC over HTTP sends.
struct HttpToken {
    std::string name;        // of the client, for the audit
    std::string token_file;  // file with the secret; or
    std::string hash;        // SHA-256 of the secret, 64 hex digits in lower case
    AccessRole role = AccessRole::none;
    Line line;
    bool operator==(const HttpToken&) const = default;
};

// Clients with a certificate of `client_ca` that has this subject, or this name in its
// subjectAltNames.
struct HttpCertificate {
    std::string subject, san;  // one of them is empty
    AccessRole role = AccessRole::none;
    Line line;
    bool operator==(const HttpCertificate&) const = default;
};

// JSON-RPC and the page over HTTP: `http: on`, or the map of `http`.
struct RpcServer {
    Endpoint listen;
    std::string certificate, key, client_ca;  // paths; empty: none
    bool own_certificate = false;             // the daemon makes one and keeps it in `folder`
    bool has_password = true;  // people sign in with the password of `steerctl page password`
    std::string folder = "/var/lib/steerdns/page";  // own certificate and password
    std::vector<HttpToken> tokens;
    std::vector<HttpCertificate> client_certificates;
    std::vector<std::string>
        hosts;  // further values of the Host header, without port, in lower case
    std::vector<std::string> origins;  // further origins: "https://noc.example"
    Line line;
    bool operator==(const RpcServer&) const = default;
    [[nodiscard]] bool has_tls() const { return own_certificate || !certificate.empty(); }
};

// The result of /readyz while no needed upstream answers: it fails, or succeeds if a cache has
// stale answers.
enum class UpstreamsReady : std::uint8_t { withdraw, serve_stale };

// What happens to system calls that the kind of a thread does not need.
enum class Seccomp : std::uint8_t { on, log, off };

struct Control {
    std::string socket = "/run/steerdns/control.sock";
    std::vector<PeerRole> roles;   // empty: every user who may open the socket is admin
    std::optional<Endpoint> http;  // metrics and health; no value: off
    std::optional<RpcServer> rpc;  // no value: off
    std::string user;              // empty: `steerdns` if it exists, else `nobody`
    std::string images = "/var/lib/steerdns/images";  // compiled lists; empty: not kept
    Watch watch = Watch::files;
    std::string lists = "/var/lib/steerdns/lists";  // copies of fetched files; empty: none
    Fetch fetch;
    // Limits of the process that compiles keyword and regexp rules: CPU time, bytes.
    Milliseconds pattern_time{10'000};
    std::uint64_t pattern_memory = std::uint64_t{1} << 30;
    std::string findings =
        "/var/lib/steerdns/routeros.json";                 // of routers' probes; empty: not kept
    std::string recursion = "/var/lib/unbound/steerdns";   // folder of the engines of `recursion`
    std::string leases = "/var/lib/steerdns/leases.json";  // last known ones; empty: not kept
    std::vector<FileGroup> client_groups;                  // of a file; by name
    std::string client_groups_key;                         // in the fleet's Redis; empty: none
    // Last known address lists of routers. Files with the DNS servers of each router are in the
    // same folder. Empty: not kept.
    std::string router_lists = "/var/lib/steerdns/router-lists.json";
    std::string static_file = "/var/lib/steerdns/static.yaml";  // empty: no runtime records
    // Rules of `steerctl block` and `allow`. Empty: none are possible. No value: rules_file().
    std::optional<std::string> rules;
    std::string history = "/var/lib/steerdns/configurations";  // earlier texts; empty: not kept
    ManagedPlace managed;                                      // the layer over the configuration
    std::uint32_t stream_threads = 1;
    bool ready_nat64 = false;
    bool support = false;  // the method `support` shows what one client asked
    UpstreamsReady ready_upstreams = UpstreamsReady::withdraw;
    std::uint32_t ready_overload = 0;  // percent of queries refused; 0: never
    Milliseconds shutdown_delay{0};
    Seccomp seccomp = Seccomp::on;
    bool landlock = true;

    // A file in the folder of `leases`. Empty: leases are not kept, so neither are other files.
    [[nodiscard]] std::string beside_leases(std::string_view name) const {
        const auto slash = leases.rfind('/');
        if (leases.empty() || slash == std::string::npos) return {};
        return leases.substr(0, slash + 1).append(name);
    }
    // The file of rules: without a setting, there is one if there is a page.
    [[nodiscard]] std::string rules_file() const {
        if (rules) return *rules;
        return rpc ? "/var/lib/steerdns/rules.json" : "";
    }
};

// ---- routers

// Whether scripts add rows, many at a time, if the router supports that.
enum class RouterScripts : std::uint8_t { when_possible, off };

struct Router {
    std::string
        name;  // key in `routers:`; for one inside a ros_address_list or ros_route: "HOST:PORT"
    std::string host;                  // an IP address or a name
    std::optional<IpAddress> address;  // of `host`, if it is one
    std::uint16_t port = 8728;         // 8729 with tls
    std::string username;
    Secret password;
    bool tls = false;
    std::string tls_ca;          // file; empty: the system's
    std::string tls_pin;         // SHA-256 of the certificate, 64 hex digits; empty: none
    bool tls_anonymous = false;  // api-ssl without a certificate
    bool probe = true;           // test the behaviour of unknown versions
    Milliseconds connect_timeout{5000}, send_timeout{5000}, receive_timeout{5000};
    std::uint32_t cpu_percent = 30;  // share of the router's CPU for background writes
    RouterScripts scripts = RouterScripts::when_possible;
    std::vector<matchers::Prefix> serves;  // clients behind it; empty: all
    bool repair_connections = false;
    int line = 0;
};

// ---- fleet

// A Redis server, or a Sentinel for it.
struct FleetEndpoint {
    std::string path;  // of a Unix socket; empty: `host` and `port`
    std::string host;
    std::uint16_t port = 0;
    // Whether it is on this machine, so that no other machine can reach it or read its traffic.
    [[nodiscard]] bool is_local() const;
    bool operator==(const FleetEndpoint&) const = default;
};
struct FleetTls {
    bool enabled = false;
    std::string ca;                // file; empty: the system's
    std::string pin;               // SHA-256 of the certificate, 64 hex digits; empty: none
    std::string server_name;       // empty: the host
    std::string certificate, key;  // files, for this appliance; empty: none
    bool operator==(const FleetTls&) const = default;
};
// Appliances with shared claims (control/sinks/fleet).
struct Fleet {
    std::string name;                      // empty: no fleet
    std::string box;                       // name of this appliance; empty: the host's name
    std::optional<FleetEndpoint> redis;    // no value: the Sentinels know it
    std::vector<FleetEndpoint> sentinels;  // in the order of queries
    std::string master;                    // the Sentinels' name of Redis
    std::string username;                  // empty: the default user
    Secret password;                       // empty: none
    FleetTls tls;
    Milliseconds lease{1500};
    bool share_tickets = true;
    int line = 0;
};

// ---- opnsense

struct OpnsenseRouter {
    std::string name;  // key in `opnsense:`
    IpAddress address;
    std::uint16_t port = 443;
    Secret key, secret;
    bool tls = true;
    std::string tls_ca;    // file; empty: the system's
    std::string tls_pin;   // SHA-256 of the certificate, 64 hex digits; empty: none
    std::string tls_name;  // required in the certificate; empty: the address
    Milliseconds connect_timeout{5000}, receive_timeout{10'000}, read_every{10'000};
    std::uint32_t cpu_percent = 50;  // share of its CPU for background writes
    int line = 0;
};

// ---- policy

// Answers for unknown names under .local: NXDOMAIN, or those of upstreams.
enum class LocalNames : std::uint8_t { nxdomain, forward };
enum class Canaries : std::uint8_t { pass, nxdomain };
// As AnyQueries and NoRecurse (dataplane/policy/rare_queries.h).
enum class AnyMode : std::uint8_t { hinfo, refuse, forward };
enum class NorecurseMode : std::uint8_t { refuse, cache, forward };
// Answers of upstreams with private addresses.
enum class RebindMode : std::uint8_t { pass, block };

struct Policy {
    std::vector<std::string> resolve_special;  // of special_names()
    AnyMode any = AnyMode::hinfo;
    NorecurseMode norecurse = NorecurseMode::refuse;  // for all clients but these
    std::vector<matchers::Prefix> norecurse_cache, norecurse_forward;
    RebindMode rebind = RebindMode::pass;
    std::vector<std::string> rebind_names;  // with all names below
    std::vector<matchers::Prefix> rebind_nets;
    Canaries canaries = Canaries::pass;
    LocalNames local_names = LocalNames::nxdomain;
    std::string designated_name;  // without a last dot; empty: DoT and DoH are not announced
    // Identity of this server, for clients that request it. kHostName: the machine's name; empty:
    // off; no value: not set.
    static constexpr std::string_view kHostName = "hostname";
    std::optional<std::string> version_bind, id_server, nsid;
};

// ---- cookies

using CookieSecretBytes = std::array<std::uint8_t, 16>;
struct CookieSettings {
    std::string secret_file;                 // empty: secrets of the daemon's own
    std::vector<CookieSecretBytes> secrets;  // of the file; the first one makes cookies
    Milliseconds rollover{24 * 3'600'000};
    std::string stored = "/var/lib/steerdns/cookies.json";  // empty: not kept
    int line = 0;
};

// ---- quic

using QuicSecretBytes = std::array<std::uint8_t, 32>;
struct QuicSettings {
    std::string secret_file;                // empty: a secret of the daemon's own
    std::optional<QuicSecretBytes> secret;  // of the file
    int line = 0;
};

// ---- mdns

struct Mdns {
    std::vector<std::string> interfaces;  // at least two; empty: nothing is repeated
    std::vector<std::string> services;    // mdns::Service; empty: all
    bool v4 = true, v6 = true;
};

}  // namespace steer::config
