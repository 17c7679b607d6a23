// The control socket's methods for ad lists and their pause: `adlist`, `adlist.pause`, `adlist.resume`.
#pragma once

#include <functional>

#include "control/api/metrics/metrics.h"
#include "control/api/rpc/methods.h"
#include "dataplane/base/clock.h"
#include "dataplane/policy/snapshot.h"

namespace steer {

// `adlist`: {"adlists": [{"tag", "list", "names", "matches", "paused_s"}]}, one for each list. `adlist.pause` with
// {"tag": TAG, "seconds": N} and `adlist.resume` return the same; without a tag they apply to all. A pause survives
// reloads, not a restart. `snapshot` returns the one in force.
void add_ad_list_methods(ops::Methods& methods, std::function<const Snapshot&()> snapshot,
                         Clock& clock);

// steerdns_adlist_names, steerdns_adlist_matches, steerdns_adlist_paused, by plugin and list; steerdns_rpz_triggers and
// steerdns_rpz_matches, by plugin and zone.
void write_ad_list_metrics(ops::MetricWriter& writer, const Snapshot& snapshot, Now now);

}  // namespace steer
