// What each router of a configuration needs so that its address lists and routes choose an egress.
//
// A router is what its host says: several entries of `routers:` with one host are one router. Lists that one
// ros_address_list fills for IPv4 and IPv6 share an egress, and so do all that are joined by such pairs.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "control/config/settings.h"
#include "routeros/features.h"

namespace steer::setup {

// A way out: one routing table and one mark for the connections to some lists.
struct Egress {
    std::string name;  // unique on its router; letters, digits, '.', '_' and '-'
    std::vector<std::string> lists4, lists6;  // at least one of both together; each list once
};

// How the API is reached: at `api`, or with TLS at `api-ssl`.
struct ApiService {
    bool tls = false;
    bool anonymous = false;  // without a certificate
    std::uint16_t port = 0;
};

struct RouterPlan {
    std::string host;
    std::vector<std::string> names;  // in the configuration
    std::vector<std::string> users;  // each once
    std::vector<ApiService> services;
    std::vector<Egress> egresses;
    std::vector<std::string>
        route_tables;  // of ros_route, each once; none and no egress: only its leases are read
    std::string
        api_client;  // our address as the router sees it; empty: the configuration does not say
};

struct Plan {
    std::vector<RouterPlan> routers;  // as the plugins come
    std::vector<std::string> unused;  // names of routers that no plugin has to do with
    // Our addresses that clients ask, if the configuration has them.
    std::optional<IpAddress> dns4, dns6;
    // Prefixes of DNS64, "64:ff9b::/96", each once.
    std::vector<std::string> nat64;
};

Plan plan_routers(const config::Settings& settings);

// What the configuration uses of this router that not every version has.
std::vector<routeros::FeatureId> features_of(const RouterPlan& router, bool has_nat64);

}  // namespace steer::setup
