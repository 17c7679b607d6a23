// Arguments of a `forward`: its upstreams, and how to reach them.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "control/config/settings/lines.h"
#include "control/config/settings/recursion_settings.h"
#include "control/config/settings/upstream_scheme.h"
#include "matchers/prefix/ip_address.h"
#include "matchers/secret.h"

namespace steer::config {

struct Socks5Settings {
    std::string host;
    std::string zone = {};  // of a link-local address
    std::uint16_t port = 1080;
    std::string user;
    Secret password;
};
struct UpstreamServer {  // an address and a port
    IpAddress address;
    std::uint16_t port = 53;
    std::string zone = {};  // of a link-local address
};
// How to reach upstreams that do not have these settings.
struct ReachSettings {
    std::optional<Socks5Settings> socks5;
    std::optional<UpstreamServer> bootstrap;
    // Set to "": no profile of `network.outbound` applies.
    bool no_socks5 = false, no_bootstrap = false;
    AddressFamily family = AddressFamily::any;
    std::uint32_t so_mark = 0;
    std::string device;  // interface name, or the number from a zone; empty: none
};
struct UpstreamSettings {
    std::string tag;                   // empty: none
    std::string addr;                  // original text
    std::optional<IpAddress> address;  // no value: `host` must be resolved
    std::string zone = {};             // of a link-local address; it is also `reach.device`
    std::uint16_t port = 53;
    Milliseconds timeout{2000};
    int line = 0;
    UpstreamScheme scheme = UpstreamScheme::udp;
    bool pipeline = false;
    std::string host, path;  // name or address; path of https and h3
    ReachSettings reach;
    Milliseconds idle_timeout{10'000};
    std::uint32_t max_conns = 64, min_conns = 0;
    bool insecure_skip_verify = false;
    bool trust_ad = false;
    bool cookies = true;      // only over plain UDP
    bool random_case = true;  // if `dataplane` has it
    std::string ca;           // PEM file; empty: the system's
    bool early_data = false;  // over QUIC (0-RTT)
    bool is_engine = false;   // of a `recursion`
    // Of an upstream over QUIC: the transport while it is not reached.
    std::optional<UpstreamScheme> fallback;
    std::vector<std::array<std::uint8_t, 32>> pins;

    // Whether it is queried at its address over UDP without special settings: a worker's own port
    // may do it.
    [[nodiscard]] bool is_plain() const {
        return !facts_of(scheme).has_connections && address && !reach.socks5 &&
               reach.so_mark == 0 && reach.device.empty();
    }
};
// The query that checks whether an upstream answers.
struct ProbeSettings {
    bool off = false;
    std::string name = "a.root-servers.net";
    std::uint16_t type = 1;
    Milliseconds every{0};  // 0: only after an unanswered query
};
enum class UpstreamPolicyMode : std::uint8_t {
    latency,
    sticky,
    round_robin,
    random,
    order,
    domain
};
enum class ResponseSelectionMode : std::uint8_t { balanced, fastest, prefer_positive, consensus };
struct Forward {
    std::vector<UpstreamSettings> upstreams;  // at least one, unless `of_host`
    bool of_host = false;                     // no upstreams configured: use the host's
    std::string resolv_file;                  // file with these; empty: the standard places
    std::optional<RouterIndex> servers_of;    // the router with these servers in `resolv_file`
    UpstreamPolicyMode policy = UpstreamPolicyMode::latency;
    ReachSettings reach;  // for each upstream without these settings
    std::uint32_t concurrent = 1;
    ResponseSelectionMode response_selection = ResponseSelectionMode::balanced;
    std::uint32_t max_concurrent_queries = 0;  // 0: no limit
    Milliseconds total_timeout{5000};
    bool short_circuit = false;
    bool local = false;         // also for names under .local
    std::optional<bool> ready;  // whether readiness needs it; no value: see readiness.h
    ProbeSettings probe;
    std::optional<Recursion> recursion;      // of a `recursion`, whose instances are the upstreams
    std::optional<PluginIndex> picked_from;  // `$TAG UPSTREAM...`: the forward with these upstreams
};

}  // namespace steer::config
