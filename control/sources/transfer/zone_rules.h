// Names of zones by transfer that match a name, for `why`. Such zones change while the
// configuration stays, so they are read from what workers use.
//
// For the thread that publishes these zones: the main thread.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "control/config/advice/why.h"
#include "control/config/settings.h"
#include "dataplane/policy/snapshot.h"

namespace steer {

struct ZoneRule {
    std::string source;     // "$TAG" of its `secondary`
    bool is_local = false;  // of a `zone`; false: of an `rpz`
    config::HoldingRule::Says says = config::HoldingRule::Says::in;
    std::string rule;  // "bad.example"; "*.bad.example": for names below
};

// Each zone's rule that decides about the name, as find_question() finds it; none for a name that
// is no domain name.
std::vector<ZoneRule> zone_rules(const Snapshot& snapshot, std::string_view name);

// Adds them to the rules of the plugins of `settings` that use these zones. Rules stay in the order
// of plugins.
void add_zone_rules(const config::Settings& settings, const std::vector<ZoneRule>& found,
                    std::vector<config::HoldingRule>& rules);

}  // namespace steer
