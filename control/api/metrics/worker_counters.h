// A worker's counters as metrics and as JSON: every row of the tables in dataplane/base/verdict.h
// and dataplane/base/counters.h, by its label. Reads relaxed, which does not disturb workers.
#pragma once

#include <boost/json/object.hpp>

#include "control/api/metrics/metrics.h"
#include "dataplane/base/counters.h"

namespace steer::ops {

// steerdns_verdicts_total{worker,verdict}, steerdns_moved_total{worker,end},
// steerdns_injected_total{worker,end}, steerdns_pending_outcomes_total{worker,end}, and one family
// for each row of STEER_EVENTS.
void write_counters(MetricWriter& writer, unsigned worker, const Counters& counters);

// {"verdicts": {...}, "moved": {...}, "injected": {...}, "pending_outcomes": {...}, "stats":
// {...}}, including rows that are 0.
boost::json::object counters_to_json(const Counters& counters);

}  // namespace steer::ops
