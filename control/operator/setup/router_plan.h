// What each router of a configuration needs so that its address lists and routes select an egress.
//
// A router is identified by its host: several entries of `routers:` with the same host are one
// router. The IPv4 and IPv6 lists of one ros_address_list share an egress. So do all lists that
// such pairs connect.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "control/config/settings.h"
#include "routeros/features.h"

namespace steer::setup {

// An egress: one routing table and one mark for the connections to some lists.
struct Egress {
    std::string name;  // unique on its router; letters, digits, '.', '_' and '-'
    std::vector<std::string> lists4, lists6;  // at least one in total; each list once
};

// How to reach the API: at `api`, or with TLS at `api-ssl`.
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
        api_client;  // our address as the router sees it; empty: unknown from the configuration
};

struct Plan {
    std::vector<RouterPlan> routers;  // in the order of the plugins
    std::vector<std::string> unused;  // names of routers that no plugin uses
    // Our addresses that clients use, if the configuration has them.
    std::optional<IpAddress> dns4, dns6;
    // Prefixes of DNS64, "64:ff9b::/96", each once.
    std::vector<std::string> nat64;
};

Plan plan_routers(const config::Settings& settings);

// The features that the configuration uses on this router and that some versions lack.
std::vector<routeros::FeatureId> features_of(const RouterPlan& router, bool has_nat64);

}  // namespace steer::setup
