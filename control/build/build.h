// From settings to what runs: the snapshot that workers read, the addresses to listen on, the lists
// to keep.
//
// Pure but for the registry: asks nothing of the system; what it must know of it (own addresses and
// networks) the caller brings. Compiling patterns may take seconds: call it off the threads that
// others wait for.
#pragma once

#include <cstdint>
#include <iosfwd>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "control/build/lease_plans.h"
#include "control/build/registry.h"
#include "control/config/settings.h"
#include "control/sets/kernel_set.h"
#include "control/stream/upstream/upstream_target.h"
#include "dataplane/policy/snapshot.h"
#include "matchers/image_store.h"
#include "matchers/prefix/ip_address.h"
#include "matchers/prefix/prefix_set.h"
#include "matchers/result.h"
#include "routeros/router.h"
#include "routeros/transport.h"

namespace steer::build {

struct Surroundings {
    std::vector<IpAddress> own_addresses;        // never claimed
    std::vector<matchers::Prefix> own_networks;  // may ask, besides the private ranges
};

// What is served over HTTP, and who may name the client in `client_header` (empty: nobody).
struct HttpSite {
    std::vector<std::string> paths;
    std::vector<std::uint16_t> frontends;  // of each (dataplane/policy/frontends.h)
    std::string client_header;
    std::vector<matchers::Prefix> trusted;
};

// What is offered over TCP on an address.
struct TcpService {
    std::uint32_t idle_timeout_ms = 10'000;
    std::uint32_t max_connections = 10'000, max_per_client = 64, max_queries = 100;
    config::ServerTls tls;                  // files; `cert` empty: plain
    std::vector<matchers::Prefix> proxies;  // who sends a PROXY header, and is believed
    std::uint16_t frontend = 0;             // dataplane/policy/frontends.h; 0: none of its own
    std::optional<HttpSite> http;           // nothing: DNS as over TCP
};

// One address to answer on. `address` is :: for all of both families, 0.0.0.0 for all of IPv4.
struct Listener {
    config::Endpoint endpoint;
    bool udp = false;
    std::optional<TcpService> tcp;
};

// One router that has lists to keep. Its lists are every ros_address_list that names it, used by a
// query or not, because each may have persistent rows; one more of the same name for each group of
// clients that it serves with other routers than the rest.
struct RouterPlan {
    config::RouterIndex router = 0;  // of Settings::routers
    routeros::RouterConfig config;
    std::map<ListId, config::Quorum> quorums;  // of its lists that other routers keep as well
    routeros::TransportConfig transport;
    bool cleanup_on_shutdown = false;  // of any of its lists
};

// A domain_set, or a qname with rules of its own, and the sets of the snapshot's matcher that it is.
struct NamedSet {
    std::string tag;
    matchers::TagBits bits;
};

// Upstreams that `streams` asks in their own way. One that several forwards have comes as often.
using Channels = std::vector<std::shared_ptr<const stream::UpstreamTarget>>;

struct Built {
    std::unique_ptr<Snapshot> snapshot;  // generation and slot are publish()'s
    std::vector<Listener>
        listeners;  // one per address; UDP and TCP 53 everywhere without a server plugin
    Channels channels;
    std::vector<RouterPlan> routers;
    LeasePlans leases;
    std::vector<sets::SetPlan> kernel_sets;  // of every ipset and nftset
    std::vector<NamedSet> sets;              // those that the program asks about
    std::vector<Error> errors;               // then there is no snapshot
    std::vector<Error> warnings;
    [[nodiscard]] bool ok() const { return errors.empty(); }
};

// `settings` are what load() returned without an error.
// `images` (may be nullptr) has compiled lists of before, and gets new ones.
Built build(const config::Settings& settings, const Surroundings& surroundings, Registry& registry,
            matchers::ImageStore* images = nullptr);

// The program as text, one instruction a line: `steerdnsd --dump-program`.
void dump_program(const Snapshot& snapshot, std::ostream& out);

}  // namespace steer::build
