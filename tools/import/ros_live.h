// A router's DNS settings, read over its API in one session that only prints.
//
// Blocks: at most 10 s for each step (name, connection, TLS, login, a reply). Menus that the
// router's version lacks (adlist before 7.15, forwarders before 7.17) are empty. Writes nothing to
// the router.
#pragma once

#include <optional>
#include <string>

#include "routeros/transport.h"
#include "tools/import/ros_dns.h"

namespace steer::importing {

struct RouterLogin {
    std::string router;  // as typed, for messages
    routeros::TransportConfig to;
    std::string user, password;
};

// Returns the settings. `failure` is a sentence without a line number.
RosDns read_router(const RouterLogin& login, std::optional<Failure>& failure);

}  // namespace steer::importing
