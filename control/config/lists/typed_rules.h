// Rules that count for some types of questions alone ($dnstype of AdGuard): who has them, and where they are lost.
#pragma once

#include <vector>

#include "control/config/reading.h"

namespace steer::config {

// Whether a set has such a rule, without those that it includes.
bool has_own_types(const Settings& settings, const DomainSet& set);
// Whether a provider, or a set that it includes, has such a rule. Sets include each other without a circle.
bool has_types(const Settings& settings, PluginIndex provider);

// Warns of each plugin in use that asks such a provider about the name alone, so that these rules have no effect.
void advise_types(Reading& in, const std::vector<bool>& used);

}  // namespace steer::config
