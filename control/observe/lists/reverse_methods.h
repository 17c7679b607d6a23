// The control socket's method for reverse_lookup: `reverse`, with {"address": "192.0.2.1"}.
#pragma once

#include <functional>

#include "control/api/rpc/methods.h"
#include "dataplane/base/clock.h"
#include "dataplane/policy/snapshot.h"

namespace steer {

// The result: {"address": ..., "names": [{"plugin": TAG, "name": ...}]}. `snapshot` returns the one in force.
void add_reverse_methods(ops::Methods& methods, std::function<const Snapshot&()> snapshot,
                         Clock& clock);

}  // namespace steer
