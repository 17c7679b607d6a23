// Lists in AdGuard's syntax that a file holds, for the plugins that take them.
#pragma once

#include <string_view>
#include <vector>

#include "control/config/lists/list_source.h"
#include "control/config/lists/rules.h"
#include "matchers/list/adguard_list.h"

namespace steer::config {

using AdguardRules = std::vector<matchers::AdguardRule>;

// The rules of a file, added to `out`; its bad lines go into the report.
void take_adguard(Reading& in, const ListBytes& source, BadLineTerms terms, const Place& place,
                  AdguardRules& out);

// Without those that a badfilter names, in the order in which they decide. `names`: rules that block always.
AdguardSet adguard_set(AdguardRules rules, std::vector<RuleAt> names, bool strict);

}  // namespace steer::config
