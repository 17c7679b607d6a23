// Rules for only some types of questions ($dnstype of AdGuard): the sets that have them, and the
// places where they have no effect.
#pragma once

#include <vector>

#include "control/config/reading.h"

namespace steer::config {

// Whether a set has such rules, without the sets that it includes.
bool has_own_types(const Settings& settings, const DomainSet& set);
// Whether a provider, or a set that it includes, has such rules. Sets must not include each other
// in a circle.
bool has_types(const Settings& settings, PluginIndex provider);

// Warns about each plugin in use that asks such a provider about the name only, so that these rules
// have no effect.
void advise_types(Reading& in, const std::vector<bool>& used);

}  // namespace steer::config
