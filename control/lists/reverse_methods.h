// What the control socket tells of reverse_lookup: `reverse`, with {"address": "192.0.2.1"}.
#pragma once

#include <functional>

#include "control/ops/methods.h"
#include "dataplane/base/clock.h"
#include "dataplane/policy/snapshot.h"

namespace steer {

// The answer: {"address": ..., "names": [{"plugin": TAG, "name": ...}]}. `snapshot` gives the one in force.
void add_reverse_methods(ops::Methods& methods, std::function<const Snapshot&()> snapshot,
                         Clock& clock);

}  // namespace steer
