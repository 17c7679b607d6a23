// Reports about lists and their rules: methods and metrics.
#pragma once

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>
#include <cstdint>
#include <functional>
#include <memory>
#include <span>
#include <vector>

#include "control/api/metrics/metrics.h"
#include "control/api/rpc/methods.h"
#include "control/config/settings/list_settings.h"
#include "dataplane/base/clock.h"
#include "dataplane/policy/collector.h"
#include "dataplane/policy/snapshot.h"

namespace steer {

// Seconds until its lists block again; 0: it is not paused. A list that is marked `legal` never is.
std::uint32_t pause_left_s(const AdList& list, Now now);

// The control socket's methods for ad lists and their pause: `adlist`, `adlist.pause`,
// `adlist.resume`.
// `adlist`: {"adlists": [{"tag", "list", "names", "matches", "legal", "paused_s"}]}, one for each
// list.
// `adlist.pause` with {"tag": TAG, "seconds": N} and `adlist.resume` return the same; without a tag
// they apply to all. A pause survives reloads, not a restart. `snapshot` returns the present one.
void add_ad_list_methods(ops::Methods& methods, std::function<const Snapshot&()> snapshot,
                         Clock& clock);

// steerdns_adlist_names, steerdns_adlist_matches, steerdns_adlist_paused, by plugin and list;
// steerdns_rpz_triggers and steerdns_rpz_matches, by plugin and zone.
void write_ad_list_metrics(ops::MetricWriter& writer, const Snapshot& snapshot, Now now);

// The metrics of metrics_collector: steerdns_collector_*, by name, summed over all workers.
void write_collector_metrics(ops::MetricWriter& writer,
                             const std::vector<std::shared_ptr<Collector>>& collectors);

// Reports about the lists that plugins read: `steerctl lists` and `status`, metrics.

// [{"plugin", "list", "file", "rules", "bad_lines", "left_out", "max_shrink", "loaded"}]
boost::json::array list_rules(std::span<const config::ReadList> lists);
// {"lists", "rules", "bad_lines", "left_out", "not_loaded": sources}
boost::json::object list_summary(std::span<const config::ReadList> lists);
void write_list_metrics(ops::MetricWriter& writer, std::span<const config::ReadList> lists);

// The control socket's method for reverse_lookup: `reverse`, with {"address": "192.0.2.1"}.

// The result: {"address": ..., "names": [{"plugin": TAG, "name": ...}]}. `snapshot` returns the
// present one.
void add_reverse_methods(ops::Methods& methods, std::function<const Snapshot&()> snapshot,
                         Clock& clock);

}  // namespace steer
