// Other appliances for the same routers: they get this appliance's claims, and it gets theirs.
// control/sinks/fleet implements it.
//
// All calls are from thread `routers`, must not wait, and may not throw.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "control/sinks/routers/claim_sink.h"

namespace steer::routeros {
class Router;
}

namespace steer {

// A router of this appliance.
struct PeerRouter {
    std::string name;
    std::vector<KeptList> lists;
    routeros::Router* router;
    std::function<void()> wake;  // call it after calls of the router's functions
};

class ClaimPeers {
  public:
    virtual ~ClaimPeers() = default;
    // Sets the routers from now on; pointers of earlier calls become invalid.
    virtual void follow(std::vector<PeerRouter> routers) = 0;
    // Reports a claim of this appliance.
    virtual void claimed(const std::string& router, const Claim& claim) = 0;
    // Called after the last claim of a batch.
    virtual void flush() = 0;
    // Releases what other appliances wait for. After that, only has_stopped() may be called.
    virtual void stop() = 0;
    // Whether the other appliances know about the stop.
    [[nodiscard]] virtual bool has_stopped() const = 0;
};

}  // namespace steer
