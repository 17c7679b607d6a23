// Other appliances that keep the same routers: they get this one's claims, and it gets theirs. control/sinks/fleet implements it.
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
    std::function<void()> wake;  // to be called after calls of the router's functions
};

class ClaimPeers {
  public:
    virtual ~ClaimPeers() = default;
    // The routers from now on; pointers of earlier calls are void.
    virtual void follow(std::vector<PeerRouter> routers) = 0;
    // A claim of this appliance.
    virtual void claimed(const std::string& router, const Claim& claim) = 0;
    // Called after the last claim of a batch.
    virtual void flush() = 0;
    // Gives up what others wait for; no call but has_stopped() follows.
    virtual void stop() = 0;
    // Whether the others know.
    [[nodiscard]] virtual bool has_stopped() const = 0;
};

}  // namespace steer
