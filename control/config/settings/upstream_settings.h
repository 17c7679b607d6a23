// Arguments of a `forward`: its upstreams, and how to reach them.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "control/config/settings/lines.h"
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
// How upstreams are reached, unless they say it themselves.
struct ReachSettings {
    std::optional<Socks5Settings> socks5;
    std::optional<UpstreamServer> bootstrap;
    // Written as "": no profile of `network.outbound` sets it.
    bool no_socks5 = false, no_bootstrap = false;
    AddressFamily family = AddressFamily::any;
    std::uint32_t so_mark = 0;
    std::string device;  // an interface by name, or by the number that a zone has; empty: none
};
struct UpstreamSettings {
    std::string tag;                   // empty: none
    std::string addr;                  // as written
    std::optional<IpAddress> address;  // nothing: `host` is looked up
    std::string zone = {};             // of a link-local address; it is also `reach.device`
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
    bool trust_ad = false;
    std::string ca;  // PEM file; empty: the system's
    std::vector<std::array<std::uint8_t, 32>> pins;

    // Asked at its address over UDP, in no particular way: by a worker's own port if it can be.
    [[nodiscard]] bool is_plain() const {
        return !facts_of(scheme).has_connections && address && !reach.socks5 &&
               reach.so_mark == 0 && reach.device.empty();
    }
};
// What an upstream is asked to learn whether it lives.
struct ProbeSettings {
    bool off = false;
    std::string name = "a.root-servers.net";
    std::uint16_t type = 1;
    Milliseconds every{0};  // 0: only when a query was not answered
};
enum class UpstreamPolicyMode : std::uint8_t { latency, sticky, round_robin, random, order };
enum class ResponseSelectionMode : std::uint8_t { balanced, fastest, prefer_positive, consensus };
struct Forward {
    std::vector<UpstreamSettings> upstreams;  // at least one, unless `of_host`
    bool of_host = false;                     // no upstreams are written: the host's servers
    std::string resolv_file;                  // these; empty: wherever they usually stand
    std::optional<RouterIndex> servers_of;    // the router whose servers `resolv_file` has
    UpstreamPolicyMode policy = UpstreamPolicyMode::latency;
    ReachSettings reach;  // of each that does not say it itself
    std::uint32_t concurrent = 1;
    ResponseSelectionMode response_selection = ResponseSelectionMode::balanced;
    std::uint32_t max_concurrent_queries = 0;  // 0: no limit of its own
    Milliseconds total_timeout{5000};
    bool short_circuit = false;
    bool local = false;         // names under .local as well
    std::optional<bool> ready;  // whether readiness needs it; nothing: as readiness.h says
    ProbeSettings probe;
    std::optional<PluginIndex>
        picked_from;  // `$TAG UPSTREAM...`: the forward whose upstreams these are
};

}  // namespace steer::config
