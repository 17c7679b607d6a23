// Builds everything from settings: the snapshot for workers, the addresses to listen on, the lists
// to maintain.
//
// Pure except for the registry: it does not query the system. The caller provides facts about the
// system (own addresses and networks). Compiling patterns may take seconds, so do not call it on a
// thread that others wait for.
#pragma once

#include <chrono>
#include <cstdint>
#include <iosfwd>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "control/config/settings.h"
#include "control/program/build/claim_terms.h"
#include "control/program/build/lease_plans.h"
#include "control/program/build/opnsense_plan.h"
#include "control/program/build/registry.h"
#include "control/program/build/router_list_plans.h"
#include "control/program/build/secondary_plans.h"
#include "control/program/build/set_plan.h"
#include "control/program/build/time_windows.h"
#include "control/streams/http/doh_request.h"
#include "control/streams/upstream/upstream_target.h"
#include "dataplane/policy/snapshot.h"
#include "matchers/image_store.h"
#include "matchers/prefix/ip_address.h"
#include "matchers/prefix/prefix_set.h"
#include "matchers/result.h"
#include "routeros/router_config.h"
#include "routeros/transport.h"

namespace steer::build {

struct Surroundings {
    std::vector<IpAddress> own_addresses;        // never claimed
    std::vector<matchers::Prefix> own_networks;  // allowed clients, in addition to private ranges
    std::string host_name = {};                  // for `hostname` in `policy`; empty: unknown
    std::chrono::sys_seconds now{};              // for the windows of `time` matchers
};

// A server over HTTP, and the proxies that may give the client's address in `client_header` (empty:
// none).
struct HttpSite {
    std::vector<stream::ServedPath> paths;
    std::vector<std::uint16_t> frontends;  // one per path (dataplane/policy/frontends.h)
    std::string client_header;
    std::vector<matchers::Prefix> trusted;
    std::string alternative;  // of Alt-Svc (RFC 7838); empty: none
    bool operator==(const HttpSite&) const = default;
};

// A server for connections (TCP, TLS, HTTP, QUIC) on an address.
struct StreamService {
    config::ServerProtocol protocol = config::ServerProtocol::dns;
    config::ServerLimits limits;
    config::ServerTls tls;                  // files; `cert` empty: plain
    std::vector<matchers::Prefix> proxies;  // peers that send a trusted PROXY header
    std::uint16_t frontend = 0;             // dataplane/policy/frontends.h; 0: none of its own
    HttpSite http;                          // of HTTP
};

// One address to listen on. `address`: :: for all of both families, 0.0.0.0 for all of IPv4.
struct Listener {
    config::Endpoint endpoint;
    bool udp = false;
    std::optional<StreamService> tcp, quic;
};

// One router with lists: every ros_address_list that names it, even one that no query uses, because
// it may have persistent rows. Clients that other routers serve get one more list with the same
// name.
struct RouterPlan {
    config::RouterIndex router = 0;  // index of Settings::routers
    routeros::RouterConfig config;
    std::map<ListId, config::Quorum> quorums;   // for its lists that other routers also have
    std::map<ListId, config::ReadyNeed> ready;  // for its lists that /readyz needs
    std::map<ListId, ClaimTerms> terms;         // for each of its lists
    routeros::TransportConfig transport;
    bool cleanup_on_shutdown = false;  // for any of its lists
};

// A domain_set, or a qname with own rules, and its sets in the snapshot's matcher.
struct NamedSet {
    std::string tag;
    matchers::TagBits bits;
};

// Upstreams that `streams` queries. An upstream of several forwards is listed several times.
using Channels = std::vector<std::shared_ptr<const stream::UpstreamTarget>>;

// One requirement of the condition `upstreams` of /readyz: at least one of these groups answers.
struct UpstreamNeed {
    std::vector<std::uint32_t> groups;  // indices of Snapshot::groups
    bool has_stale = false;             // one of them is behind a cache with stale answers
};

// The probe of an upstream: a query with the id 0.
struct UpstreamProbe {
    std::vector<std::uint8_t> query;
    std::uint64_t every_ms = 0;  // interval, even without client queries; 0: never
    bool operator==(const UpstreamProbe&) const = default;
};

struct Built {
    std::unique_ptr<Snapshot> snapshot;  // publish() sets generation and slot
    std::vector<Listener>
        listeners;  // one per address; without a server plugin: UDP and TCP 53 everywhere
    Channels channels;
    std::vector<RouterPlan> routers;
    LeasePlans leases;
    RouterListPlans router_lists;
    SecondaryPlans secondaries;
    std::vector<OpnsensePlan> opnsense;              // for every opnsense_alias
    std::vector<sets::SetPlan> kernel_sets;          // for every ipset, nftset and bgp_route
    std::map<ListId, config::ReadyNeed> ready_sets;  // their lists that /readyz needs
    std::vector<UpstreamNeed> upstream_needs;
    std::map<std::uint16_t, UpstreamProbe> probes;  // by Upstream::id; missing: never probed
    std::vector<NamedSet> sets;                     // sets that the program tests
    std::vector<TimedWindow> windows;               // of its `time` matchers
    std::vector<Error> errors;                      // not empty: there is no snapshot
    std::vector<Error> warnings;
    [[nodiscard]] bool ok() const { return errors.empty(); }
};

// `settings`: from load(), without an error. `images` (may be nullptr) has compiled lists, and
// stores new ones.
Built build(const config::Settings& settings, const Surroundings& surroundings, Registry& registry,
            matchers::ImageStore* images = nullptr);

// Prints the program as text, one instruction per line: `steerdnsd --dump-program`.
void dump_program(const Snapshot& snapshot, std::ostream& out);

}  // namespace steer::build
