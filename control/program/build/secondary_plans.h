// Every secondary, and what the program reads of it; for control/sources/transfer.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "control/config/settings.h"
#include "dataplane/answer/policy_zone.h"

namespace steer::build {

struct SecondaryPlan {
    std::string tag;
    config::Secondary settings;
    bool feeds_lists = false;  // plugins read the zone as text
    // That the program reads; survive reloads. nullptr: no plugin uses the zone like this.
    std::shared_ptr<LivePolicy> policy, local;
};

struct SecondaryPlans {
    std::vector<SecondaryPlan> zones;
    std::shared_ptr<LiveTargets> targets;  // nullptr: no zone is in the program
};

class Registry;
SecondaryPlans secondary_plans(const config::Settings& settings, Registry& registry);

}  // namespace steer::build
