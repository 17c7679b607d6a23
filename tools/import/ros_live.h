// A router's DNS settings over its API: one session that only prints, and ends.
//
// Blocks: at most 10 s for each step (name, connection, TLS, login, a reply). Menus that the router's
// version does not have (adlist before 7.15, forwarders before 7.17) are empty. Nothing is written.
#pragma once

#include <optional>
#include <string>

#include "routeros/transport.h"
#include "tools/import/ros_dns.h"

namespace steer::importing {

struct RouterLogin {
    std::string router;  // as it was written, for sentences
    routeros::TransportConfig to;
    std::string user, password;
};

// A failure is a sentence without a line.
RosDns read_router(const RouterLogin& login, std::optional<Failure>& failure);

}  // namespace steer::importing
